//! The local store: one SQLite file for one account on one device, on a thread of its own. Keeps what the engine says, and is
//! read by the app. Decides nothing.

mod bounds;
mod cursors;
mod file;
mod messages;
mod outgoing;
mod things;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, thread};

use anser_proto::{ConversationId, v1};
use prost::Message as _;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params};
use tokio::sync::{mpsc, oneshot};

use crate::{
    config::Bounds,
    engine::{Change, Kept, Learned, Mentioned, Queued, Saved, Secret, Told},
    history::History,
    view::{Message, Session},
};

pub(crate) use bounds::Evicted;
pub(crate) use cursors::Behind;
use file::open_file;
pub(crate) use messages::{Replaced, Version};
use outgoing::read_outgoing;

/// Pieces of work that wait for the thread.
const JOBS_MAX: usize = 64;
/// Networks whose heartbeat is remembered: those that taught something last.
const NETWORKS_MAX: u32 = 64;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    #[error(transparent)]
    Sqlite(rusqlite::Error),
    #[error("the store {} cannot be opened: {error}", path.display())]
    File { path: PathBuf, error: std::io::Error },
    #[error("the store has version {found}, this client knows versions up to {known}: update the client")]
    Newer { found: u32, known: u32 },
    #[error("the store is in use by another client: close that one first, or give this one a store of its own")]
    InUse,
    #[error("the file belongs to another program")]
    Foreign,
    #[error("the store is damaged: {0} cannot be read")]
    Damaged(&'static str),
    #[error("the device is called `{kept}` in this store, not `{given}`: a store belongs to one device")]
    OtherDevice { kept: String, given: String },
    #[error("the store is closed")]
    Closed,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            _ => Self::Sqlite(error),
        }
    }
}

/// What a commit brought about beside what was asked for.
#[derive(Default)]
pub(crate) struct Committed {
    pub(crate) evicted: Evicted,
    pub(crate) replaced: Replaced,
}

/// What the absence of a conversation's messages means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Knows {
    /// There may be some that were not synced yet.
    Some,
    /// The server was asked: there are none.
    All,
}

type Job = Box<dyn FnOnce(&mut Option<Connection>) + Send>;

/// The thread that has the file. Ends when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Store {
    jobs: mpsc::Sender<Job>,
    bounds: Bounds,
}

impl Store {
    /// Opens or makes the store; without a path in memory.
    pub(crate) async fn open(path: Option<PathBuf>, bounds: Bounds) -> Result<(Self, Saved), StoreError> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(JOBS_MAX);
        let work = move || {
            let mut connection = None;
            while let Some(job) = waiting.blocking_recv() {
                job(&mut connection);
            }
        };
        // Without the thread every job fails as `Closed`.
        let _ = thread::Builder::new().name("anser-store".to_owned()).stack_size(512 * 1024).spawn(work);
        let store = Self { jobs, bounds };
        let opening = store.with_slot(move |slot| {
            let mut opened = open_file(path)?;
            let transaction = opened.transaction()?;
            bounds::evict(&transaction, bounds)?;
            things::forget_gone(&transaction)?;
            transaction.commit()?;
            let saved = read_saved(&mut opened)?;
            *slot = Some(opened);
            Ok(saved)
        });
        let saved = opening.await?;
        Ok((store, saved))
    }

    /// The file is closed when this returns, whoever still holds a handle.
    pub(crate) async fn close(&self) {
        // An error means that it is closed already.
        let _ = self.with_slot(|slot| slot.take().ok_or(StoreError::Closed).map(drop)).await;
    }

    /// Nothing of the user is left, in the file's unused pages neither. The device is another one from then on.
    pub(crate) async fn wipe(&self) -> Result<(), StoreError> {
        self.run(|connection| {
            let transaction = connection.transaction()?;
            transaction.execute_batch(
                "DELETE FROM meta; DELETE FROM heartbeats; DELETE FROM conversations; DELETE FROM messages;
                 DELETE FROM outgoing; DELETE FROM cursors; DELETE FROM usage; DELETE FROM things; DELETE FROM hidden;",
            )?;
            transaction.commit()?;
            Ok(connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?)
        })
        .await
    }

    /// The id of this device: the given one, the kept one, or a new one.
    pub(crate) async fn device_id(&self, given: Option<String>) -> Result<String, StoreError> {
        self.run(move |connection| {
            let kept = meta(connection, "device_id")?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            match (kept, given) {
                (Some(kept), Some(given)) if kept != given => Err(StoreError::OtherDevice { kept, given }),
                (Some(kept), _) => Ok(kept),
                (None, given) => {
                    let id = given.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
                    set_meta(connection, "device_id", id.as_bytes())?;
                    Ok(id)
                }
            }
        })
        .await
    }

    /// Makes all changes or none, and room for them: tells what was dropped for it, and which messages have a newer state. With something queued among them it returns only when
    /// they survive a loss of power.
    pub(crate) async fn commit(&self, changes: Vec<Change>) -> Result<Committed, StoreError> {
        let bounds = self.bounds;
        self.run(move |connection| {
            // The rest can be had from the server again; only what waits to be sent, and whether it may be there, is nowhere else.
            let queues = changes.iter().any(|change| matches!(change, Change::Queue(_) | Change::Transmitted(_)));
            connection.pragma_update(None, "synchronous", if queues { "FULL" } else { "NORMAL" })?;
            let grows = changes.iter().any(|change| matches!(change, Change::Messages(_) | Change::Changed(_)));
            let transaction = connection.transaction()?;
            let mut replaced = Replaced::new();
            for change in changes {
                apply(&transaction, change, &mut replaced)?;
            }
            let evicted = if grows { bounds::evict(&transaction, bounds)? } else { Evicted::new() };
            transaction.commit()?;
            Ok(Committed { evicted, replaced })
        })
        .await
    }

    pub(crate) async fn history(
        &self,
        conversation: ConversationId,
        before: Option<u64>,
        limit: u32,
        knows: Knows,
    ) -> Result<History, StoreError> {
        self.run(move |connection| {
            bounds::note_use(connection, conversation)?;
            let before = before.map_or(i64::MAX, column);
            let mut rows = connection.prepare_cached(
                "SELECT message FROM messages WHERE conversation_id = ? AND server_msg_id < ?
                 ORDER BY server_msg_id DESC LIMIT ?",
            )?;
            let rows =
                rows.query_map(params![conversation.to_string(), before, limit + 1], |row| row.get::<_, Vec<u8>>(0))?;
            let mut messages = Vec::new();
            for row in rows {
                messages.push(read_message(&row?)?);
            }
            let more = messages.len() > limit as usize;
            messages.truncate(limit as usize);
            messages.reverse();
            Ok(History { messages, more: more || !reaches_back(connection, conversation, knows)? })
        })
        .await
    }

    /// The user looks at it: it is not the first to make room for others.
    pub(crate) async fn note_use(&self, conversation: ConversationId) -> Result<(), StoreError> {
        self.run(move |connection| bounds::note_use(connection, conversation)).await
    }

    /// A message that is kept here.
    pub(crate) async fn message(
        &self,
        conversation: ConversationId,
        id: u64,
    ) -> Result<Option<Arc<Message>>, StoreError> {
        self.run(move |connection| messages::read(connection, &conversation.to_string(), id)?.map(view_of).transpose())
            .await
    }

    /// `count` of a message that is kept here.
    pub(crate) async fn count_at(&self, conversation: ConversationId, id: u64) -> Result<Option<u64>, StoreError> {
        self.run(move |connection| {
            let query = "SELECT count FROM messages WHERE conversation_id = ? AND server_msg_id = ?";
            let count =
                connection.query_row(query, params![conversation.to_string(), column(id)], |row| number(row, 0));
            Ok(count.optional()?)
        })
        .await
    }

    /// Those that are pinned, then the others; last spoken in first.
    pub(crate) async fn sessions(&self) -> Result<Vec<Session>, StoreError> {
        self.run(|connection| {
            let mut rows = connection.prepare_cached(
                "SELECT session FROM conversations WHERE listed ORDER BY last_ms DESC, conversation_id",
            )?;
            let rows = rows.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
            let mut sessions = rows.map(|row| read_session(&row?)).collect::<Result<Vec<_>, _>>()?;
            sessions.retain(|session| !session.removed);
            sessions.sort_by_key(|session| !session.pinned);
            Ok(sessions)
        })
        .await
    }

    pub(crate) async fn session(&self, conversation: ConversationId) -> Result<Option<Session>, StoreError> {
        self.run(move |connection| {
            let query = "SELECT session FROM conversations WHERE conversation_id = ? AND listed";
            let row = connection.query_row(query, [conversation.to_string()], |row| row.get::<_, Vec<u8>>(0));
            row.optional()?.map(|session| read_session(&session)).transpose()
        })
        .await
    }

    pub(crate) async fn unsent(&self) -> Result<Vec<Queued>, StoreError> {
        self.run(|connection| read_outgoing(connection)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.with_slot(|slot| work(slot.as_mut().ok_or(StoreError::Closed)?)).await
    }

    async fn with_slot<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Option<Connection>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |slot| {
            // Who asked may be gone; the work is done all the same.
            let _ = reply.send(work(slot));
        });
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

fn read_saved(connection: &mut Connection) -> Result<Saved, StoreError> {
    let user = meta(connection, "user")?.map(|bytes| decode(&bytes, "the user")).transpose()?;
    let position = meta(connection, "positions")?.map(|bytes| decode(&bytes, "the positions")).transpose()?;
    let position: v1::Positions = position.unwrap_or_default();
    let mut rows = connection.prepare("SELECT * FROM conversations")?;
    let rows = rows.query_map([], |row| Ok(read_kept(row)))?;
    let conversations = rows.map(|kept| kept?).collect::<Result<_, StoreError>>()?;
    let mut rows = connection.prepare("SELECT network, proven_ms, failing_ms, failed_at_ms FROM heartbeats")?;
    let heartbeats = rows
        .query_map([], |row| {
            let (proven_ms, failing_ms, failed_at_ms) = (number(row, 1)?, number(row, 2)?, number(row, 3)?);
            Ok((row.get(0)?, Learned { proven_ms, failing_ms, failed_at_ms }))
        })?
        .collect::<Result<_, _>>()?;
    let outgoing = read_outgoing(connection)?.into_iter().map(Arc::new).collect();
    let token = meta(connection, "token")?.map(|bytes| Secret(String::from_utf8_lossy(&bytes).into_owned()));
    Ok(Saved {
        user,
        token,
        log_id: position.log_id,
        mailbox_seq: position.mailbox_seq,
        conversations,
        blocked: things::blocked_users(connection)?,
        outgoing,
        heartbeats,
    })
}

fn read_kept(row: &Row<'_>) -> Result<Kept, StoreError> {
    let conversation: String = row.get("conversation_id")?;
    let optional = |name| row.get::<_, Option<i64>>(name).map(|value| value.map(i64::cast_unsigned));
    let required = |name| row.get::<_, i64>(name).map(i64::cast_unsigned);
    let told = match (optional("told_head")?, optional("told_unread")?, optional("told_read_mark")?) {
        (Some(head), Some(unread), Some(read_mark)) => Some(Told { head, unread, read_mark }),
        _ => None,
    };
    Ok(Kept {
        conversation: conversation.parse().map_err(|_| StoreError::Damaged("a conversation id"))?,
        session: decode(&row.get::<_, Vec<u8>>("session")?, "a session")?,
        low: required("low")?,
        high: required("high")?,
        high_count: required("high_count")?,
        read_count: optional("read_count")?,
        recalled: pairs_of(&row.get::<_, Vec<u8>>("recalled")?),
        recalled_from: required("recalled_from")?,
        last_changed: required("last_changed")?,
        read_told: required("read_told")?,
        told,
        has_left: row.get("has_left")?,
        row_head: required("row_head")?,
        mentioned: Mentioned::of_bytes(&row.get::<_, Vec<u8>>("mentioned")?),
    })
}

fn apply(connection: &Connection, change: Change, replaced: &mut Replaced) -> Result<(), StoreError> {
    match change {
        Change::User(user) => set_meta(connection, "user", &user.encode_to_vec())?,
        Change::Token(Some(Secret(token))) => set_meta(connection, "token", token.as_bytes())?,
        Change::Token(None) => drop(connection.execute("DELETE FROM meta WHERE key = 'token'", [])?),
        Change::Mailbox { log_id, mailbox_seq } => {
            let positions = v1::Positions { log_id, mailbox_seq, groups_digest: 0 };
            set_meta(connection, "positions", &positions.encode_to_vec())?;
        }
        Change::Forget => {
            connection.execute_batch(
                "DELETE FROM messages; DELETE FROM conversations; DELETE FROM cursors; DELETE FROM usage; DELETE FROM hidden",
            )?;
        }
        Change::Thing(change) => things::write(connection, &change)?,
        Change::ForgetThings => things::forget(connection)?,
        Change::Conversation(kept) => write_kept(connection, &kept)?,
        Change::Messages(messages) => messages::add(connection, &messages)?,
        Change::Changed(messages) => messages::replace(connection, messages, replaced)?,
        Change::DropMessages { conversation, before } => messages::drop_before(connection, conversation, before)?,
        Change::Queue(queued) => outgoing::put(connection, &queued)?,
        Change::Transmitted(key) => outgoing::note_transmitted(connection, &key)?,
        Change::Unqueue(key) => outgoing::remove(connection, &key)?,
        Change::Heartbeat { network, learned } => write_heartbeat(connection, &network, &learned)?,
    }
    Ok(())
}

/// Of the networks that taught something last.
fn write_heartbeat(connection: &Connection, network: &str, learned: &Learned) -> Result<(), StoreError> {
    let [proven, failing, failed_at] = [learned.proven_ms, learned.failing_ms, learned.failed_at_ms].map(column);
    connection.execute(
        "INSERT OR REPLACE INTO heartbeats SELECT ?, ?, ?, ?, coalesce(max(turn), 0) + 1 FROM heartbeats",
        params![network, proven, failing, failed_at],
    )?;
    connection.execute(
        "DELETE FROM heartbeats WHERE network NOT IN (SELECT network FROM heartbeats ORDER BY turn DESC LIMIT ?)",
        [NETWORKS_MAX],
    )?;
    Ok(())
}

fn write_kept(connection: &Connection, kept: &Kept) -> Result<(), StoreError> {
    let session = &kept.session;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            kept.conversation.to_string(),
            column(kept.low),
            column(kept.high),
            column(kept.high_count),
            kept.read_count.map(column),
            column(kept.read_told),
            kept.told.map(|told| column(told.head)),
            kept.told.map(|told| column(told.unread)),
            kept.told.map(|told| column(told.read_mark)),
            column(kept.row_head),
            column(session.last.as_ref().map_or(0, |last| last.server_time_ms)),
            session.peer.is_some() || session.group.is_some(),
            session.encode_to_vec(),
            bytes_of(&kept.recalled),
            column(kept.recalled_from),
            column(kept.last_changed),
            kept.has_left,
            kept.mentioned.to_bytes(),
        ])?;
    Ok(())
}

fn bytes_of(pairs: &BTreeMap<u64, u64>) -> Vec<u8> {
    pairs.iter().flat_map(|(id, entry)| [id.to_le_bytes(), entry.to_le_bytes()]).flatten().collect()
}

fn pairs_of(bytes: &[u8]) -> BTreeMap<u64, u64> {
    let (numbers, _) = bytes.as_chunks::<8>();
    let (pairs, _) = numbers.as_chunks::<2>();
    pairs.iter().map(|[id, entry]| (u64::from_le_bytes(*id), u64::from_le_bytes(*entry))).collect()
}

/// Nothing is older than what is kept of it.
fn reaches_back(connection: &Connection, conversation: ConversationId, knows: Knows) -> Result<bool, StoreError> {
    let query = "SELECT low FROM conversations WHERE conversation_id = ?";
    let low = connection.query_row(query, [conversation.to_string()], |row| number(row, 0)).optional()?;
    Ok(match low.unwrap_or(0) {
        0 => knows == Knows::All,
        low => low == 1,
    })
}

fn meta(connection: &Connection, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(connection.query_row("SELECT value FROM meta WHERE key = ?", [key], |row| row.get(0)).optional()?)
}

fn set_meta(connection: &Connection, key: &str, value: &[u8]) -> Result<(), StoreError> {
    connection.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")?.execute(params![key, value])?;
    Ok(())
}

fn read_message(bytes: &[u8]) -> Result<Arc<Message>, StoreError> {
    view_of(decode(bytes, "a message")?)
}

fn view_of(message: v1::Message) -> Result<Arc<Message>, StoreError> {
    let message = Message::from_wire(message);
    message.map(Arc::new).ok_or(StoreError::Damaged("a message's conversation"))
}

fn read_session(bytes: &[u8]) -> Result<Session, StoreError> {
    Session::from_wire(decode(bytes, "a session")?).ok_or(StoreError::Damaged("a session's conversation"))
}

fn decode<M: prost::Message + Default>(bytes: &[u8], what: &'static str) -> Result<M, StoreError> {
    M::decode(bytes).map_err(|_| StoreError::Damaged(what))
}

/// SQLite's integers are signed; ids and times never come near the sign.
fn column(value: u64) -> i64 {
    value.cast_signed()
}

fn number(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(index).map(i64::cast_unsigned)
}

#[cfg(test)]
mod tests;
