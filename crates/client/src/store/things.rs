//! What changes seldom: each thing as it was with the newest change that came, also that it went, since changes may come late.

use anser_proto::{
    UserId,
    v1::{self, change::Now},
};
use prost::Message as _;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Store, StoreError, column, decode, messages};
use crate::view::{Blocked, Contact, Privacy, Waiting};

const CONTACT: i64 = 1;
const BLOCK: i64 = 2;
const PRIVACY: i64 = 3;
/// As the server numbers them too.
const JOIN_REQUESTS: i64 = 20;

impl Store {
    pub(crate) async fn contacts(&self) -> Result<Vec<Contact>, StoreError> {
        let rows = self.run(|connection| rows_of::<v1::Contact>(connection, CONTACT)).await?;
        Ok(rows.into_iter().filter_map(Contact::from_wire).collect())
    }

    pub(crate) async fn privacy(&self) -> Result<Privacy, StoreError> {
        let mut rows = self.run(|connection| rows_of::<v1::Privacy>(connection, PRIVACY)).await?;
        Ok(rows.pop().unwrap_or_default().into())
    }

    pub(crate) async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let rows = self.run(|connection| rows_of::<v1::JoinRequestCount>(connection, JOIN_REQUESTS)).await?;
        Ok(rows.into_iter().map(Waiting::from).collect())
    }

    pub(crate) async fn blocked(&self) -> Result<Vec<Blocked>, StoreError> {
        let rows = self.run(|connection| rows_of::<v1::Blocked>(connection, BLOCK)).await?;
        Ok(rows.into_iter().map(Blocked::from).collect())
    }
}

/// Whom the user blocked.
pub(super) fn blocked_users(connection: &Connection) -> Result<Vec<UserId>, StoreError> {
    let blocked = rows_of::<v1::Blocked>(connection, BLOCK)?;
    Ok(blocked.into_iter().filter_map(|blocked| Some(UserId(blocked.user?.user_id))).collect())
}

fn rows_of<M: prost::Message + Default>(connection: &Connection, kind: i64) -> Result<Vec<M>, StoreError> {
    let query = "SELECT thing FROM things WHERE kind = ? AND thing IS NOT NULL ORDER BY id";
    let mut rows = connection.prepare_cached(query)?;
    let rows = rows.query_map([kind], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|row| decode(&row?, "a contact")).collect()
}

/// Unless what is here is newer.
pub(super) fn write(connection: &Connection, change: &v1::Change) -> Result<(), StoreError> {
    let id_of = |user: &Option<v1::User>| user.as_ref().map_or(0, |user| user.user_id);
    let (kind, id, thing) = match &change.now {
        Some(Now::Contact(contact)) => {
            let is_there = contact.state() != v1::contact::State::None;
            (CONTACT, id_of(&contact.user), is_there.then(|| contact.encode_to_vec()))
        }
        Some(Now::Blocked(blocked)) => {
            (BLOCK, id_of(&blocked.user), (blocked.since_ms > 0).then(|| blocked.encode_to_vec()))
        }
        Some(Now::Privacy(privacy)) => (PRIVACY, 0, Some(privacy.encode_to_vec())),
        Some(Now::JoinRequests(count)) => {
            (JOIN_REQUESTS, count.group_id, (count.open > 0).then(|| count.encode_to_vec()))
        }
        Some(Now::Hidden(hidden)) => return messages::hide(connection, hidden),
        // Asked for when somebody looks at them.
        Some(Now::Devices(_)) | None => return Ok(()),
    };
    let (id, seq) = (column(id), column(change.mailbox_seq));
    let query = "SELECT mailbox_seq FROM things WHERE kind = ? AND id = ?";
    let known: Option<i64> = connection.prepare_cached(query)?.query_row([kind, id], |row| row.get(0)).optional()?;
    if known.is_none_or(|known| known < seq) {
        let insert = "INSERT OR REPLACE INTO things (kind, id, mailbox_seq, thing) VALUES (?, ?, ?, ?)";
        connection.prepare_cached(insert)?.execute(params![kind, id, seq, thing])?;
    }
    Ok(())
}

pub(super) fn forget(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("DELETE FROM things", [])?;
    Ok(())
}

/// No change is on its way that is older: a client that opens asks for all behind its position.
pub(super) fn forget_gone(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch("DELETE FROM things WHERE thing IS NULL; DELETE FROM hidden;")?;
    Ok(())
}
