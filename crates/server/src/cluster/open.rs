//! The ways to other nodes, over Redis and NATS.

use std::sync::Arc;

use anser_store::{Sequencer, sequencer::HeadSequencer};

use super::{
    Node, NodeId, OpenError,
    counts::Counts,
    envelope::{Body, Envelope, LoginsOver},
    kicks::{self, KickStream},
    nats::NatsBus,
    peers::{Arriving, Ways},
    redis::{Pace, RedisDirectory},
    sequencer::RedisSequencer,
};
use crate::config::{Cluster, SequencerKind};

/// `log_id` is the store's: everything in Redis and NATS is claimed in its name.
pub async fn sequencer(config: &Cluster, log_id: u64, counts: Counts) -> Result<Arc<dyn Sequencer>, OpenError> {
    Ok(match config.sequencer {
        SequencerKind::Redis => Arc::new(RedisSequencer::open(&config.redis, log_id, counts).await?),
        SequencerKind::Head => Arc::new(HeadSequencer::new()),
    })
}

/// What cannot be reached now is waited for in the background.
pub async fn ways(config: &Cluster, log_id: u64, node: Node, counts: Counts) -> Result<Ways, OpenError> {
    let Cluster { name, redis, nats, .. } = config;
    let me: NodeId = node.id;
    // What it receives by first: whoever finds this node in the directory may speak to it.
    let (bus, inboxes) = NatsBus::open(nats, name, me, counts.clone()).await?;
    let (kicks, kicked) = KickStream::open(redis, name, log_id, counts.clone()).await?;
    let directory = RedisDirectory::open(redis, name, log_id, node, Pace::default(), counts.clone()).await?;
    Ok(Ways {
        me,
        directory: Arc::new(directory),
        bus: Arc::new(bus),
        kicks: Some(Arc::new(kicks)),
        counts,
        arriving: Arriving { bus: inboxes, kicks: kicked },
        in_cluster: true,
    })
}

/// Ends a user's logins on every node, for who is no node itself. Tells whether it could be said.
pub async fn end_logins(config: &Cluster, log_id: u64, over: LoginsOver) -> Result<bool, OpenError> {
    let over = Envelope { from: NodeId::random(), body: Body::LoginsOver(over) }.encode(log_id);
    kicks::add_once(&config.redis, &config.name, log_id, over).await
}
