//! The schema and its history: numbered migrations, forward only, each whole or not at all.

use std::cmp::Ordering;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::open::OpenError;
use crate::{WRITER_VERSION, digest::Digests, random_log_id};

/// Each may have a part that runs once for every shard, behind the line [`FOR_EACH_SHARD`]. A released one is never
/// edited: stores exist that ran it.
const MIGRATIONS: [&str; 14] = [
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_logins.sql"),
    include_str!("migrations/0003_invitations.sql"),
    include_str!("migrations/0004_writers.sql"),
    include_str!("migrations/0005_people.sql"),
    include_str!("migrations/0006_privacy.sql"),
    include_str!("migrations/0007_revisions.sql"),
    include_str!("migrations/0008_groups.sql"),
    include_str!("migrations/0009_lists.sql"),
    include_str!("migrations/0010_joining.sql"),
    include_str!("migrations/0011_devices.sql"),
    include_str!("migrations/0012_profiles.sql"),
    include_str!("migrations/0013_pins.sql"),
    include_str!("migrations/0014_mentions.sql"),
];
const FOR_EACH_SHARD: &str = "-- for each shard --\n";

/// The schema that this build creates. It reads and writes newer ones too, which only have more in them, as far as `min_writer_version` allows.
pub(super) const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

/// Marks the file as a store of Anser in its header: "Ansr".
const APPLICATION_ID: i32 = 0x416e_7372;

/// What the store says of itself.
#[derive(Clone, Copy)]
pub(super) struct Identity {
    pub(super) schema_version: u32,
    pub(super) log_id: u64,
    pub(super) shards: u32,
}

/// Reads who the store is; none if the file is still empty. Changes nothing, so that a foreign file stays as it was.
pub(super) fn identity(db: &Connection) -> Result<Option<Identity>, OpenError> {
    let application_id: i32 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let objects: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application_id, objects) {
        (0, 0) => return Ok(None),
        (APPLICATION_ID, _) => {}
        _ => return Err(OpenError::Foreign("it is a database of another program".into())),
    }
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Identity { schema_version: row.get(0)?, log_id: row.get::<_, i64>(1)?.cast_unsigned(), shards: row.get(2)? })
    };
    let found = db.query_row("SELECT schema_version, log_id, shards FROM im_store", [], read).optional()?;
    found.map(Some).ok_or_else(|| OpenError::Foreign("im_store, which says what it is, is empty".into()))
}

/// Refuses a store that builds like this one must not write.
fn check_writer(db: &Connection, found: Identity) -> Result<(), OpenError> {
    if found.schema_version <= SCHEMA_VERSION {
        return Ok(());
    }
    match db.query_row("SELECT min_writer_version FROM im_store", [], |row| row.get(0))? {
        ..=WRITER_VERSION => Ok(()),
        _ => Err(OpenError::Newer { store: found.schema_version, build: SCHEMA_VERSION }),
    }
}

/// Brings the schema up to this build's, from nothing if need be. Refuses a store whose rules are newer, and another number of shards.
pub(super) fn migrate(db: &mut Connection, shards: u32) -> Result<Identity, OpenError> {
    let found = identity(db)?;
    if let Some(found) = found {
        check_writer(db, found)?;
        if found.shards != shards {
            return Err(OpenError::Shards { store: found.shards, asked: shards });
        }
    }
    let present = found.map_or(0, |found| found.schema_version);
    for version in present + 1..=SCHEMA_VERSION {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(&script(version, shards))?;
        if version == 1 {
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            let log_id = new_log_id()?;
            tx.execute("INSERT INTO im_store VALUES (1, 0, ?1, ?2)", (log_id, shards))?;
        }
        tx.execute("UPDATE im_store SET schema_version = ?1", [version])?;
        tx.commit()?;
    }
    identity(db)?.ok_or_else(|| OpenError::Foreign("it is empty after it was made".into()))
}

/// Of a store that exists and that this build may write.
pub(super) fn writable_identity(db: &Connection) -> Result<Identity, OpenError> {
    let found = identity(db)?.ok_or_else(|| OpenError::Foreign("it is empty".into()))?;
    check_writer(db, found)?;
    Ok(found)
}

/// Of a store that exists and is of this build's version.
pub(super) fn known_identity(db: &Connection) -> Result<Identity, OpenError> {
    let found = identity(db)?.ok_or_else(|| OpenError::Foreign("it is empty".into()))?;
    match found.schema_version.cmp(&SCHEMA_VERSION) {
        Ordering::Less => Err(OpenError::Older { store: found.schema_version, build: SCHEMA_VERSION }),
        Ordering::Equal => Ok(found),
        Ordering::Greater => Err(OpenError::Newer { store: found.schema_version, build: SCHEMA_VERSION }),
    }
}

fn script(version: u32, shards: u32) -> String {
    let text = MIGRATIONS[version as usize - 1];
    let (once, each) = text.split_once(FOR_EACH_SHARD).unwrap_or((text, ""));
    (0..shards).fold(once.to_owned(), |script, shard| script + &each.replace("{shard}", &shard.to_string()))
}

/// By the store's own key.
pub(super) fn digests(db: &Connection) -> Result<Digests, OpenError> {
    Ok(Digests::new(&db.query_row("SELECT digest_key FROM im_store", [], |row| row.get::<_, String>(0))?))
}

/// Another identity for a store that came out of a backup: clients hold positions that it has not reached again.
pub(super) fn renew_log_id(db: &Connection) -> Result<u64, OpenError> {
    let log_id = new_log_id()?;
    db.execute("UPDATE im_store SET log_id = ?1", [log_id])?;
    Ok(log_id.cast_unsigned())
}

fn new_log_id() -> Result<i64, OpenError> {
    let random = random_log_id().map_err(|error| OpenError::Io(std::io::Error::other(error.to_string())))?;
    Ok(random.cast_signed())
}
