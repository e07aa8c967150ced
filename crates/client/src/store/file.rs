//! The file of the local store: its tables, and what it takes to open it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::StoreError;

/// Each brings the store from one version to the next, in one transaction. Never changed once released.
pub(super) const MIGRATIONS: [&str; 9] = ["
    CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE heartbeats (network TEXT PRIMARY KEY, proven_ms INTEGER NOT NULL, failing_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE conversations (
        conversation_id TEXT PRIMARY KEY,
        low INTEGER NOT NULL, high INTEGER NOT NULL, high_count INTEGER NOT NULL,
        read_count INTEGER, read_told INTEGER NOT NULL,
        told_head INTEGER, told_unread INTEGER, told_read_mark INTEGER,
        row_head INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        session BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE messages (
        conversation_id TEXT NOT NULL, server_msg_id INTEGER NOT NULL, count INTEGER NOT NULL, message BLOB NOT NULL,
        PRIMARY KEY (conversation_id, server_msg_id)
    ) WITHOUT ROWID;
    CREATE TABLE outgoing (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        client_msg_id TEXT NOT NULL UNIQUE,
        send BLOB NOT NULL,
        refused BLOB
    );
", "
    -- An id is unique in its conversation only. A `Send` begins with its conversation_id: a tag, a length below 128, the text.
    ALTER TABLE outgoing RENAME TO outgoing_1;
    CREATE TABLE outgoing (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id TEXT NOT NULL,
        client_msg_id TEXT NOT NULL,
        send BLOB NOT NULL,
        refused BLOB,
        UNIQUE (client_msg_id, conversation_id)
    );
    INSERT INTO outgoing SELECT
        place, CAST(substr(send, 3, unicode(CAST(substr(send, 2, 1) AS TEXT))) AS TEXT), client_msg_id, send, refused
        FROM outgoing_1;
    DROP TABLE outgoing_1;
", "
    ALTER TABLE heartbeats ADD COLUMN failed_at_ms INTEGER NOT NULL DEFAULT 0;
    -- Of what is there already it is not known.
    ALTER TABLE outgoing ADD COLUMN transmitted INTEGER NOT NULL DEFAULT 1;
    CREATE TABLE cursors (
        consumer TEXT NOT NULL, conversation_id TEXT NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (consumer, conversation_id)
    ) WITHOUT ROWID;
", "
    -- What is kept of each conversation, and when its history was last read.
    CREATE TABLE usage (
        conversation_id TEXT PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL, used_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO usage SELECT conversation_id, count(*), sum(length(message) + 64), 0 FROM messages GROUP BY conversation_id;
", "
    -- Which network taught something last: the highest.
    ALTER TABLE heartbeats ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
", "
    -- Contacts (kind 1) and blocks (kind 2), by the other user's id. NULL: it went with this change.
    CREATE TABLE things (
        kind INTEGER NOT NULL, id INTEGER NOT NULL, mailbox_seq INTEGER NOT NULL, thing BLOB,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
", "
    -- What waits may be more than a message: a frame then, not a bare `Send`.
    ALTER TABLE outgoing RENAME COLUMN send TO request;
    ALTER TABLE outgoing ADD COLUMN is_frame INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE conversations ADD COLUMN recalled BLOB NOT NULL DEFAULT x'';
    ALTER TABLE conversations ADD COLUMN recalled_from INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE conversations ADD COLUMN last_changed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE conversations ADD COLUMN has_left INTEGER NOT NULL DEFAULT 0;
    -- An older version passed over changes, so what it kept may be recalled by now: messages, last lines and counts are asked for
    -- anew. Of a protobuf field that comes twice the last counts: this sets mailbox_seq to 0.
    DELETE FROM messages;
    UPDATE usage SET messages = 0, bytes = 0;
    UPDATE conversations SET low = high + 1, recalled_from = high, read_count = NULL WHERE low > 0;
    UPDATE meta SET value = CAST(value || x'1000' AS BLOB) WHERE key = 'positions';
", "
    -- Messages that the user hid, until nothing that was on its way can bring them back.
    CREATE TABLE hidden (
        conversation_id TEXT NOT NULL, server_msg_id INTEGER NOT NULL, PRIMARY KEY (conversation_id, server_msg_id)
    ) WITHOUT ROWID;
", "
    -- Which of the unread messages name the user.
    ALTER TABLE conversations ADD COLUMN mentioned BLOB NOT NULL DEFAULT x'';
"];

/// "Anse": tells our files from others'.
const APPLICATION_ID: i32 = 0x416e_7365;

/// Opens or makes it, of the newest version. Without a path in memory.
pub(super) fn open_file(path: Option<PathBuf>) -> Result<Connection, StoreError> {
    let mut connection = match path {
        Some(path) => {
            make_private(&path)?;
            Connection::open(path)?
        }
        None => Connection::open_in_memory()?,
    };
    connection.busy_timeout(std::time::Duration::from_secs(2))?;
    // Held as long as the file is open: two clients on one store would each believe to know all positions.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    // What is recalled, hidden or cleared leaves no words behind in the file's unused places.
    connection.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && tables > 0 {
        return Err(StoreError::Foreign);
    }
    if found as usize > MIGRATIONS.len() {
        return Err(StoreError::Newer { found, known: MIGRATIONS.len() as u32 });
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let transaction = connection.transaction()?;
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
    transaction.commit()?;
    Ok(connection)
}

/// Messages are nobody else's business: a new file can be read by its owner alone, and SQLite's other files follow it.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| StoreError::File { path: path.to_owned(), error })
}
