//! Values as columns have them: each kind of value is written and read one way, wherever it lies.

use std::sync::Arc;

use anser_proto::{ConversationId, GroupId, UserId};
use bytes::Bytes;

use super::Row;
use crate::{History, JoinMode, Role, digest::Digest};

/// Takes the values of columns, one after the other.
pub(crate) trait Put {
    fn number(&mut self, number: u64);
    fn small(&mut self, number: i32);
    fn text(&mut self, text: &str);
    fn bytes(&mut self, bytes: &[u8]);
    fn null(&mut self);
}

/// Gives the values of columns, one after the other.
pub(crate) trait Take {
    fn number(&mut self) -> Result<u64, Damage>;
    fn small(&mut self) -> Result<i32, Damage>;
    fn text(&mut self) -> Result<Arc<str>, Damage>;
    fn bytes(&mut self) -> Result<Bytes, Damage>;

    /// Passes over the next one if it is null, and tells so.
    fn null(&mut self) -> bool;

    fn skip(&mut self, columns: usize);
}

impl dyn Take + '_ {
    pub(crate) fn get<C: Column>(&mut self) -> Result<C, Damage> {
        C::take(self)
    }
}

/// A row that is not as the schema and its rules have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Damage(pub(crate) String);

impl Damage {
    /// With the name of the row.
    pub(crate) fn of<R: Row>(self, key: &R::Key) -> Self {
        Self(format!("{} {key:?}: {}", R::TABLE, self.0))
    }
}

/// Reads what can be read of a row. What cannot is as if it were empty.
pub(crate) struct Salvage<'r> {
    pub(crate) row: &'r mut dyn Take,
    /// The first that could not be read.
    pub(crate) damage: Option<Damage>,
}

impl<'r> Salvage<'r> {
    pub(crate) fn of(row: &'r mut dyn Take) -> Self {
        Self { row, damage: None }
    }

    pub(crate) fn get<C: Column + Default>(&mut self) -> C {
        self.with(|row| row.get())
    }

    pub(crate) fn with<T: Default>(&mut self, take: impl FnOnce(&mut dyn Take) -> Result<T, Damage>) -> T {
        take(self.row).unwrap_or_else(|damage| {
            self.damage.get_or_insert(damage);
            T::default()
        })
    }
}

/// A value of one column, or of several beside each other.
pub(crate) trait Column: Sized {
    fn put(&self, to: &mut dyn Put);

    fn take(from: &mut dyn Take) -> Result<Self, Damage>;
}

impl Column for u64 {
    fn put(&self, to: &mut dyn Put) {
        to.number(*self);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        from.number()
    }
}

impl Column for u32 {
    fn put(&self, to: &mut dyn Put) {
        to.number((*self).into());
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        from.number()?.try_into().map_err(|_| Damage("a number is too large".into()))
    }
}

impl Column for Digest {
    fn put(&self, to: &mut dyn Put) {
        to.bytes(self);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        from.bytes()?[..].try_into().map_err(|_| Damage("a digest has another length".into()))
    }
}

impl Column for i32 {
    fn put(&self, to: &mut dyn Put) {
        to.small(*self);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        from.small()
    }
}

impl Column for bool {
    fn put(&self, to: &mut dyn Put) {
        to.small((*self).into());
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        Ok(from.small()? != 0)
    }
}

impl Column for Arc<str> {
    fn put(&self, to: &mut dyn Put) {
        to.text(self);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        from.text()
    }
}

impl Column for String {
    fn put(&self, to: &mut dyn Put) {
        to.text(self);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        Ok(from.text()?.as_ref().into())
    }
}

impl Column for UserId {
    fn put(&self, to: &mut dyn Put) {
        to.number(self.0);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        from.number().map(Self)
    }
}

impl Column for GroupId {
    fn put(&self, to: &mut dyn Put) {
        to.number(self.0);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        from.number().map(Self)
    }
}

/// A one-to-one conversation is (smaller user_id, larger user_id), a group is (0, group_id).
impl Column for ConversationId {
    fn put(&self, to: &mut dyn Put) {
        let (small, big) = match self {
            Self::Single { small, big } => (small.0, big.0),
            Self::Group(group) => (0, group.0),
        };
        to.number(small);
        to.number(big);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        let (small, big) = (from.number()?, from.number()?);
        Ok(match small {
            0 => Self::Group(GroupId(big)),
            _ => Self::Single { small: UserId(small), big: UserId(big) },
        })
    }
}

impl Column for Role {
    fn put(&self, to: &mut dyn Put) {
        to.small(*self as i32);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        match from.small()? {
            1 => Ok(Self::Member),
            2 => Ok(Self::Admin),
            3 => Ok(Self::Owner),
            other => Err(Damage(format!("role {other} is unknown"))),
        }
    }
}

impl Column for JoinMode {
    fn put(&self, to: &mut dyn Put) {
        to.small(*self as i32);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        match from.small()? {
            0 => Ok(Self::Free),
            1 => Ok(Self::Approval),
            2 => Ok(Self::Closed),
            other => Err(Damage(format!("join mode {other} is unknown"))),
        }
    }
}

/// More than any number of messages that a group may name.
const ALL: u32 = 65_535;

/// How many messages.
impl Column for History {
    fn put(&self, to: &mut dyn Put) {
        match self {
            Self::None => 0_u32.put(to),
            Self::Last(last) => last.put(to),
            Self::All => ALL.put(to),
        }
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        Ok(match from.get::<u32>()? {
            0 => Self::None,
            ALL => Self::All,
            last => Self::Last(last),
        })
    }
}

impl<C: Column> Column for Option<C> {
    fn put(&self, to: &mut dyn Put) {
        match self {
            Some(value) => value.put(to),
            None => to.null(),
        }
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        if from.null() { Ok(None) } else { C::take(from).map(Some) }
    }
}

impl<A: Column, B: Column> Column for (A, B) {
    fn put(&self, to: &mut dyn Put) {
        self.0.put(to);
        self.1.put(to);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        Ok((A::take(from)?, B::take(from)?))
    }
}
