//! Kinds of rows: each described once, its table, its key, its columns, for every database that keeps them.
//!
//! Rows know nothing of statements or connections. A database reads what it finds into [`Take`] and writes what it is given by [`Put`], column by
//! column in the order in which the kind names them.

mod ban;
mod change;
mod column;
mod contact;
mod device;
mod group;
mod head;
mod hidden;
mod joining;
mod last_seen;
mod mailbox;
mod member;
mod mention;
mod message;
mod password;
mod pin;
mod profile;
mod reaction;
mod recalled;
mod session;
mod user;

use std::{fmt::Debug, hash::Hash};

pub(crate) use ban::BanRow;
pub(crate) use change::{ChangeRow, Thing};
pub(crate) use column::{Column, Damage, Put, Salvage, Take};
pub(crate) use contact::{BlockRow, ContactRow, Standing};
pub(crate) use device::{DeviceRow, RevokedRow};
pub(crate) use group::{AnnouncementRow, GroupRow};
pub(crate) use head::{Head, Place};
pub(crate) use hidden::HiddenRow;
pub(crate) use joining::{JoinRequestRow, LinkRow};
pub(crate) use last_seen::LastSeenRow;
pub(crate) use mailbox::Mailbox;
pub(crate) use member::{FIRST_SEEN, Stay};
pub(crate) use mention::{EVERYBODY, MentionRow};
pub(crate) use message::{COLUMNS, Changing, MessageRow, StandingMessage, is_notice, is_silent, take_message};
pub(crate) use password::PasswordRow;
pub(crate) use pin::PinRow;
pub(crate) use profile::ProfileRow;
pub(crate) use reaction::ReactionRow;
pub(crate) use recalled::RecalledRow;
pub(crate) use session::Entry;
pub(crate) use user::UserRow;

/// A kind of row that is found by its key and held in memory while a transaction changes it.
pub(crate) trait Row: Clone + PartialEq + Debug + Send {
    type Key: Column + Clone + Ord + Hash + Debug + Send + Sync;

    const TABLE: &str;
    /// The columns of the key.
    const KEY: &[&str];
    /// The columns beside it.
    const COLUMNS: &[&str];
    /// Only rows that meet it are found by the key: of the stays of a user in a group the present one.
    const ONLY: Only = Only::All;
    /// A number that must be in the row, as it was when the row was read, for the row to be changed: whatever is remembered, what others
    /// wrote meanwhile is not written over.
    const GUARD: Option<Guard<Self>> = None;

    fn put(&self, to: &mut dyn Put);

    fn take(from: &mut dyn Take) -> Result<Self, Damage>;

    /// It is still found by its key.
    fn is_found(&self) -> bool {
        true
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Only {
    All,
    Present,
}

/// The name of the column, and its value.
pub(crate) struct Guard<R>(pub(crate) &'static str, pub(crate) fn(&R) -> u64);

/// The columns of a kind of row are called as its fields.
macro_rules! columns {
    ($($field:ident),+) => {
        const COLUMNS: &[&str] = &[$(stringify!($field)),+];

        fn put(&self, to: &mut dyn $crate::rows::Put) {
            $($crate::rows::Column::put(&self.$field, to);)+
        }

        fn take(from: &mut dyn $crate::rows::Take) -> Result<Self, $crate::rows::Damage> {
            Ok(Self { $($field: from.get()?),+ })
        }
    };
}
use columns;

/// Key and columns of a kind of row, as a statement names them.
pub(crate) fn columns_of<R: Row>(table: &str) -> String {
    let names = R::KEY.iter().chain(R::COLUMNS).map(|name| format!("{table}.{name}"));
    names.collect::<Vec<_>>().join(", ")
}
