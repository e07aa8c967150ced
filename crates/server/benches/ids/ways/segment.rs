//! Segments: the database keeps how far numbers may have been handed out, and memory hands out what lies below. As WeChat
//! does it, each conversation has one owner, whom the other processes ask; without owners, each process takes segments of
//! its own.

use std::{collections::HashMap, net::SocketAddr, ops::Range, time::Duration};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use mysql_async::{Conn, Opts, prelude::Queryable as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::{Caller, Source};
use crate::record::Id;

pub(super) const TABLES: &str =
    "CREATE TABLE segment (conversation INT UNSIGNED PRIMARY KEY, max_seq BIGINT UNSIGNED NOT NULL);
     CREATE TABLE owner (process INT UNSIGNED PRIMARY KEY, address VARCHAR(50) NOT NULL)";

const STEP: u64 = 10_000;
const ASKED_MAX: usize = 100;
/// An owner who is not there yet is looked for again, every now and then.
const LOOKS_MAX: u32 = 200;
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// What an owner says who has no id to give: none is 0.
const NONE: u64 = 0;

struct Asked {
    conversation: u32,
    answer: oneshot::Sender<anyhow::Result<u64>>,
}

/// The segments of this process, which one task owns.
#[derive(Clone)]
pub(super) struct Segments(mpsc::Sender<Asked>);

impl Segments {
    pub(super) fn open(database: String) -> Self {
        let (asked_tx, mut asked_rx) = mpsc::channel::<Asked>(ASKED_MAX);
        tokio::spawn(async move {
            let (mut segments, mut connection) = (HashMap::new(), None);
            while let Some(Asked { conversation, answer }) = asked_rx.recv().await {
                let id = next(&mut segments, &mut connection, &database, conversation).await;
                if id.is_err() {
                    connection = None;
                }
                // Who asked may have gone.
                let _ = answer.send(id);
            }
        });
        Self(asked_tx)
    }

    async fn ask(&self, conversation: u32) -> anyhow::Result<u64> {
        let (answer, id) = oneshot::channel();
        self.0.send(Asked { conversation, answer }).await.ok().context("the task has ended")?;
        id.await?
    }
}

async fn next(
    segments: &mut HashMap<u32, Range<u64>>,
    connection: &mut Option<Conn>,
    database: &str,
    conversation: u32,
) -> anyhow::Result<u64> {
    let segment = segments.entry(conversation).or_default();
    if let Some(id) = segment.next() {
        return Ok(id);
    }
    if connection.is_none() {
        *connection = Some(Conn::new(Opts::from_url(database)?).await?);
    }
    let connection = connection.as_mut().context("it was just made")?;
    let taking = format!(
        "INSERT INTO segment VALUES ({conversation}, LAST_INSERT_ID({STEP}))
         ON DUPLICATE KEY UPDATE max_seq = LAST_INSERT_ID(max_seq + {STEP})"
    );
    connection.query_drop(taking).await?;
    let max_seq = connection.last_insert_id().context("the row has a number")?;
    *segment = max_seq - STEP + 1..max_seq + 1;
    segment.next().context("a segment is not empty")
}

#[async_trait]
impl Source for Segments {
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Caller for Segments {
    async fn make(&mut self, conversation: u32) -> anyhow::Result<Id> {
        Ok(Id::Number(self.ask(conversation).await?))
    }
}

/// Who owns which conversation stands fast, as between two changes of WeChat's routing table.
pub(super) struct Owners {
    own: Segments,
    database: String,
    process: u32,
    processes: u32,
}

impl Owners {
    pub(super) async fn open(database: String, process: u32, processes: u32) -> anyhow::Result<Self> {
        let own = Segments::open(database.clone());
        if processes > 1 {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
            let address = listener.local_addr()?;
            tokio::spawn(serve(listener, own.clone()));
            let mut connection = Conn::new(Opts::from_url(&database)?).await?;
            connection.query_drop(format!("REPLACE INTO owner VALUES ({process}, '{address}')")).await?;
            connection.disconnect().await?;
        }
        Ok(Self { own, database, process, processes })
    }
}

#[async_trait]
impl Source for Owners {
    async fn caller(&self) -> anyhow::Result<Box<dyn Caller>> {
        let Self { ref own, ref database, process, processes } = *self;
        let streams = HashMap::new();
        Ok(Box::new(Asker { own: own.clone(), database: database.clone(), process, processes, streams }))
    }
}

struct Asker {
    own: Segments,
    database: String,
    process: u32,
    processes: u32,
    /// To other owners.
    streams: HashMap<u32, TcpStream>,
}

#[async_trait]
impl Caller for Asker {
    async fn make(&mut self, conversation: u32) -> anyhow::Result<Id> {
        let owner = conversation % self.processes;
        if owner == self.process {
            return Ok(Id::Number(self.own.ask(conversation).await?));
        }
        if !self.streams.contains_key(&owner) {
            let stream = TcpStream::connect(find(&self.database, owner).await?).await?;
            stream.set_nodelay(true)?;
            self.streams.insert(owner, stream);
        }
        let stream = self.streams.get_mut(&owner).context("it was just made")?;
        stream.write_u32(conversation).await?;
        let id = stream.read_u64().await?;
        ensure!(id != NONE, "the owner has no id to give");
        Ok(Id::Number(id))
    }
}

async fn find(database: &str, owner: u32) -> anyhow::Result<SocketAddr> {
    let mut connection = Conn::new(Opts::from_url(database)?).await?;
    for _ in 0..LOOKS_MAX {
        let address = format!("SELECT address FROM owner WHERE process = {owner}");
        if let Some(address) = connection.query_first::<String, _>(address).await? {
            connection.disconnect().await?;
            return Ok(address.parse()?);
        }
        sleep(LOOK_EVERY).await;
    }
    anyhow::bail!("nobody has told where process {owner} is");
}

async fn serve(listener: TcpListener, own: Segments) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let own = own.clone();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            while let Ok(conversation) = stream.read_u32().await {
                let id = own.ask(conversation).await.unwrap_or(NONE);
                if stream.write_u64(id).await.is_err() {
                    break;
                }
            }
        });
    }
}
