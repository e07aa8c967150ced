//! What a server stands on: the embedded column, in which nobody else exists, or the cluster's, which any number of nodes share.

use std::sync::Arc;

use anser_store::{
    Clock, Options, Store,
    sequencer::HeadSequencer,
    sqlite::{Absent, OpenError, SqliteOptions, SqliteStore},
};
use anyhow::bail;
use futures_util::future::BoxFuture;

use crate::{
    cluster::{Node, envelope::LoginsOver, peers::Ways},
    config::Config,
    secrets::hs256_path,
    system_clock,
};

pub struct Column {
    pub store: Arc<dyn Store>,
    /// The same for all nodes, wherever their own clocks are.
    pub clock: Clock,
    /// How the node finds the others, once it knows its own address.
    pub join: Join,
}

/// Whether an embedded store is made where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// It must be there.
    Never,
    /// Unless the folder has the secret of a store that was there before.
    WhereNoneWas,
    /// Whatever was there.
    Anew,
}

pub type Join = Box<dyn FnOnce(Node) -> BoxFuture<'static, anyhow::Result<Ways>> + Send>;

impl Column {
    /// As the settings say. Of the embedded one only one process can have the data folder at a time.
    pub async fn open(config: &Config, begin: Begin) -> anyhow::Result<Self> {
        match &config.cluster.database {
            None => Self::embedded(config, begin),
            Some(url) => Self::cluster(config, url).await,
        }
    }

    /// Nobody else is there.
    pub fn alone(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock, join: Box::new(|node| Box::pin(async { Ok(Ways::alone(node)) })) }
    }

    fn embedded(config: &Config, begin: Begin) -> anyhow::Result<Self> {
        let secret = hs256_path(&config.store.dir);
        let absent = match begin {
            Begin::Never => Absent::Refuse,
            // The store is made before the secret: where that is, there was one.
            Begin::WhereNoneWas if secret.exists() => Absent::Refuse,
            Begin::WhereNoneWas | Begin::Anew => Absent::Make,
        };
        let clock = system_clock();
        let options = SqliteOptions {
            readers: config.store.readers as usize,
            absent,
            writer_cache_kib: config.store.cache_mb.saturating_mul(1024),
            ..SqliteOptions::new(common(config, &clock), Arc::new(HeadSequencer::new()))
        };
        let store = match SqliteStore::open(&config.store.dir, options) {
            Err(gone @ (OpenError::Missing(_) | OpenError::Empty(_))) if begin == Begin::WhereNoneWas => bail!(
                "{gone}, but {} is there, so that there was a store: restore it from a backup; or, to begin with an empty one, \
                 `anser serve --new-store`",
                secret.display()
            ),
            opened => opened?,
        };
        Ok(Self::alone(store, clock))
    }

    #[cfg(not(feature = "cluster"))]
    #[expect(clippy::unused_async, reason = "as the other one")]
    async fn cluster(_: &Config, _: &str) -> anyhow::Result<Self> {
        anyhow::bail!("cluster.database is set, and this build can only be alone: build it with the feature `cluster`")
    }

    #[cfg(feature = "cluster")]
    async fn cluster(config: &Config, url: &str) -> anyhow::Result<Self> {
        use anser_store::mysql::{MysqlOptions, clock};
        use anyhow::Context as _;

        use crate::cluster::{counts::Counts, open};

        let counts = Counts::default();
        let clock = clock(url, |asking| counts.watch.keep("clock", asking)).await?;
        let options = MysqlOptions {
            replicas: config.cluster.replicas.clone(),
            accept: config.cluster.accept.clone(),
            writers: config.cluster.writers as usize,
            readers: config.cluster.readers as usize,
            ..MysqlOptions::new(common(config, &clock), url.to_owned())
        };
        let prepared = options.prepare().await?;
        let (log_id, settings) = (prepared.log_id, config.cluster.clone());
        let sequencer = open::sequencer(&settings, log_id, counts.clone()).await?;
        let store = prepared.open(sequencer)?;
        let join: Join = Box::new(move |node| {
            Box::pin(async move {
                open::ways(&settings, log_id, node, counts).await.context("this node cannot join the cluster")
            })
        });
        Ok(Self { store, clock, join })
    }
}

/// Ends a user's logins wherever nodes run, for who is no node itself. Tells whether they could be told; who was not finds out by
/// itself, within [`LOGINS_NOTICED_S`](crate::LOGINS_NOTICED_S) seconds.
#[cfg(feature = "cluster")]
pub async fn end_logins_on_nodes(config: &Config, store: &dyn Store, over: LoginsOver) -> bool {
    let Config { cluster, .. } = config;
    if cluster.database.is_none() {
        return true;
    }
    let told = crate::cluster::open::end_logins(cluster, store.log_id(), over).await;
    told.inspect_err(|error| tracing::warn!(%error, "other nodes cannot be told")).unwrap_or(false)
}

/// There are no other nodes.
#[cfg(not(feature = "cluster"))]
pub async fn end_logins_on_nodes(_: &Config, _: &dyn Store, _: LoginsOver) -> bool {
    true
}

fn common(config: &Config, clock: &Clock) -> Options {
    Options {
        shards: config.store.shards,
        group_members_max: config.limits.group_members,
        groups_per_user_max: config.limits.groups_per_user,
        unanswered_groups_per_user_max: config.limits.unanswered_groups_per_user,
        unanswered_groups_per_inviter_max: config.limits.unanswered_groups_per_inviter,
        devices_per_user_max: config.limits.devices_per_user,
        people: config.messages.people(),
        recall: config.messages.recall(),
        edit: config.messages.edit(),
        clock: Arc::clone(clock),
    }
}
