//! The schema and its history: numbered migrations, forward only, by one node at a time.
//!
//! This database commits each change of a schema by itself. A migration that was cut off therefore runs again from its
//! beginning, and each of its statements must bear that.

use mysql_async::{Conn, prelude::Queryable as _};

use super::open::{Database, OpenError, Role};
use crate::{WRITER_VERSION, digest::Digests, random_log_id};

/// A released one is never edited: stores exist that ran it. Each may have a part that runs for every shard.
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
const SCHEMA_VERSION: u32 = MIGRATIONS.len() as u32;

/// How long another node's migration is waited for.
const LOCK_S: u32 = 120;

/// What the store says of itself.
#[derive(Clone, Copy)]
pub(super) struct Identity {
    schema_version: u32,
    pub(super) log_id: u64,
    pub(super) shards: u32,
}

/// Brings the schema up to this build's, from nothing if need be. Nodes that start together take turns. Refuses a store whose rules are newer,
/// and another number of shards.
pub(super) async fn migrate(db: &mut Conn, shards: u32) -> Result<Identity, OpenError> {
    let lock = "SELECT GET_LOCK(CONCAT('anser migration of ', DATABASE()), ?)";
    if db.exec_first::<Option<u8>, _, _>(lock, (LOCK_S,)).await?.flatten() != Some(1) {
        return Err(OpenError::Migrating(LOCK_S));
    }
    let migrated = migrate_locked(db, shards).await;
    db.query_drop("DO RELEASE_LOCK(CONCAT('anser migration of ', DATABASE()))").await?;
    migrated
}

/// The database came out of a backup: positions of before mean nothing now. No node may run. Tells the new log_id, and brings a backup of an
/// older schema up to date, so that it can be examined.
pub async fn renew_log_id(url: &str) -> Result<u64, OpenError> {
    let mut db = Database::new(url)?.reach(Role::Writer).await?;
    let identity = existing(&mut db).await?;
    check_writer(&mut db, identity).await?;
    let log_id = new_log_id()?;
    db.exec_drop("UPDATE im_store SET log_id = ?", (log_id,)).await?;
    migrate(&mut db, identity.shards).await?;
    db.disconnect().await?;
    Ok(log_id)
}

/// Of a store that exists and that this build can read whole.
pub(super) async fn known_identity(db: &mut Conn) -> Result<Identity, OpenError> {
    let found = existing(db).await?;
    if found.schema_version < SCHEMA_VERSION {
        return Err(OpenError::Older { store: found.schema_version, build: SCHEMA_VERSION });
    }
    check_writer(db, found).await?;
    Ok(found)
}

async fn existing(db: &mut Conn) -> Result<Identity, OpenError> {
    identity(db).await?.ok_or_else(|| OpenError::Foreign("no store was made in it".into()))
}

/// Refuses a store that builds like this one must not write.
async fn check_writer(db: &mut Conn, found: Identity) -> Result<(), OpenError> {
    if found.schema_version > SCHEMA_VERSION && min_writer_version(db).await? > WRITER_VERSION {
        return Err(OpenError::Newer { store: found.schema_version, build: SCHEMA_VERSION });
    }
    Ok(())
}

fn new_log_id() -> Result<u64, OpenError> {
    random_log_id().map_err(|error| OpenError::Foreign(error.to_string()))
}

async fn migrate_locked(db: &mut Conn, shards: u32) -> Result<Identity, OpenError> {
    let found = identity(db).await?;
    if let Some(found) = found {
        check_writer(db, found).await?;
        if found.shards != shards {
            return Err(OpenError::Shards { store: found.shards, asked: shards });
        }
    }
    let present = found.map_or(0, |found| found.schema_version);
    for version in present + 1..=SCHEMA_VERSION {
        for statement in statements(version, shards) {
            db.query_drop(statement).await?;
        }
        if version == 1 {
            db.exec_drop(
                "INSERT INTO im_store (only_row, schema_version, log_id, shards) VALUES (1, 1, ?, ?)",
                (new_log_id()?, shards),
            )
            .await?;
        } else {
            db.exec_drop("UPDATE im_store SET schema_version = ?", (version,)).await?;
        }
    }
    identity(db).await?.ok_or_else(|| OpenError::Foreign("im_store is empty after it was made".into()))
}

/// By the store's own key, which the first to open it draws.
pub(super) async fn digests(db: &mut Conn) -> Result<Digests, OpenError> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| OpenError::Foreign(error.to_string()))?;
    let key: String = key.iter().map(|byte| format!("{byte:02X}")).collect();
    db.exec_drop("UPDATE im_store SET digest_key = ? WHERE digest_key = ''", (key,)).await?;
    let key: Option<String> = db.query_first("SELECT digest_key FROM im_store").await?;
    Ok(Digests::new(&key.unwrap_or_default()))
}

async fn min_writer_version(db: &mut Conn) -> Result<u32, OpenError> {
    Ok(db.query_first("SELECT min_writer_version FROM im_store").await?.unwrap_or(0))
}

/// None if no store was made here yet. A database with tables of others is refused.
async fn identity(db: &mut Conn) -> Result<Option<Identity>, OpenError> {
    let tables: Vec<String> = db.query("SHOW TABLES").await?;
    let is_store = tables.iter().any(|table| table == "im_store");
    // `im_store` comes first, so that without it nothing is ours, whatever it is called.
    if let Some(foreign) = tables.iter().find(|table| !is_store || !table.starts_with("im_")) {
        return Err(OpenError::Foreign(format!("it has a table {foreign}")));
    }
    if !is_store {
        return Ok(None);
    }
    let row = db.query_first("SELECT schema_version, log_id, shards FROM im_store").await?;
    Ok(row.map(|(schema_version, log_id, shards)| Identity { schema_version, log_id, shards }))
}

fn statements(version: u32, shards: u32) -> Vec<String> {
    let text = MIGRATIONS[version as usize - 1];
    let (first, each) = text.split_once(FOR_EACH_SHARD).unwrap_or((text, ""));
    let each = (0..shards).map(|shard| each.replace("{shard}", &shard.to_string()));
    let script = [first.to_owned()].into_iter().chain(each).collect::<String>();
    script.split(";\n").filter(|statement| !statement.trim().is_empty()).map(str::to_owned).collect()
}
