//! Where in a user's mailbox a thing of theirs changed last, of those that change seldom.

use std::sync::Arc;

use anser_proto::{ConversationId, GroupId, UserId};

use super::{Column, Damage, Put, Row, Take, columns};

/// Which one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Thing {
    /// What changed up to this stamp may be forgotten.
    Forgotten,
    Contact(UserId),
    Block(UserId),
    Privacy,
    /// A message that the user hid.
    Hidden(ConversationId, u64),
    /// How many wait to be let into a group, for whoever answers them.
    JoinRequests(GroupId),
    /// The list of them.
    Devices,
    /// Of a kind that a newer build knows.
    Unknown(i32, Arc<str>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ChangeRow {
    pub(crate) mailbox_seq: u64,
}

impl Row for ChangeRow {
    type Key = (UserId, Thing);

    const TABLE: &str = "im_change";
    const KEY: &[&str] = &["user_id", "kind", "thing"];

    columns!(mailbox_seq);
}

impl Column for Thing {
    fn put(&self, to: &mut dyn Put) {
        let (kind, of) = match self {
            Self::Forgotten => (0, "".into()),
            Self::Contact(peer) => (1, peer.to_string().into()),
            Self::Block(peer) => (2, peer.to_string().into()),
            Self::Privacy => (3, "".into()),
            Self::Hidden(conversation, place) => (4, format!("{conversation} {place}").into()),
            Self::JoinRequests(group) => (20, group.to_string().into()),
            Self::Devices => (7, "".into()),
            Self::Unknown(kind, of) => (*kind, Arc::clone(of)),
        };
        to.small(kind);
        to.text(&of);
    }

    fn take(from: &mut dyn Take) -> Result<Self, Damage> {
        let (kind, of) = (from.small()?, from.text()?);
        let id = || of.parse().map_err(|_| Damage(format!("thing {of} is no id")));
        Ok(match kind {
            0 => Self::Forgotten,
            1 => Self::Contact(UserId(id()?)),
            2 => Self::Block(UserId(id()?)),
            3 => Self::Privacy,
            4 => {
                let hidden = of.split_once(' ').and_then(|(of, place)| Some((of.parse().ok()?, place.parse().ok()?)));
                let (conversation, place) = hidden.ok_or_else(|| Damage(format!("thing {of} is no message")))?;
                Self::Hidden(conversation, place)
            }
            20 => Self::JoinRequests(GroupId(id()?)),
            7 => Self::Devices,
            _ => Self::Unknown(kind, of),
        })
    }
}
