//! Records of what users are to each other: contacts, requests, blocks.

use std::{sync::Arc, time::Duration};

use anser_proto::{
    ConversationId, GroupId, UserId,
    limits::{BLOCKS_MAX, CONTACTS_MAX, OPEN_REQUESTS_MAX},
};

use crate::{KnownDevice, User};

/// Whoever was told no may ask again after this.
pub const ASK_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// What [`Refusal::Limit`](crate::Refusal::Limit) tells of.
pub const CONTACTS_OF_A_USER: &str = "the contacts of a user";
pub const OPEN_REQUESTS_OF_A_USER: &str = "the open requests of a user";
pub const BLOCKS_OF_A_USER: &str = "the users whom a user blocked";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeopleOptions {
    pub strangers: Strangers,
    pub contacts_max: u32,
    /// Those whom a user asked, and those who ask them: each.
    pub open_requests_max: u32,
    pub blocks_max: u32,
}

impl Default for PeopleOptions {
    fn default() -> Self {
        Self {
            strangers: Strangers::Allow,
            contacts_max: CONTACTS_MAX,
            open_requests_max: OPEN_REQUESTS_MAX,
            blocks_max: BLOCKS_MAX,
        }
    }
}

/// Who may write to whom, one to one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strangers {
    Allow,
    /// Contacts alone.
    Contacts,
}

/// What a user wants to be to another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeopleChange {
    pub user: UserId,
    pub peer: UserId,
    pub action: PeopleAction,
    /// By which of their devices.
    pub device_id: Arc<str>,
    /// Of the user's login.
    pub login_version: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeopleAction {
    /// To be contacts, with these words.
    Request(Arc<str>),
    Accept,
    Reject,
    Remark(Arc<str>),
    /// The contact, or the user's own request.
    Remove,
    Block,
    Unblock,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PeopleChanged {
    pub own: Vec<Change>,
    /// What concerns the other one.
    pub peers: Vec<Change>,
}

/// A thing as it is after a change of the user's mailbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    pub mailbox_seq: u64,
    pub now: Now,
}

/// None: there is no such thing now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Now {
    Contact(UserId, Option<Contact>),
    Block(UserId, Option<Block>),
    Privacy(Privacy),
    /// The user sees this message no more.
    Hidden(ConversationId, u64),
    /// How many wait to be let into a group; 0 for who does not answer them.
    JoinRequests(GroupId, u32),
    Devices(Vec<KnownDevice>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contact {
    pub user: User,
    pub state: ContactState,
    /// The user's own name for them.
    pub remark: Arc<str>,
    /// What was said with the request.
    pub text: Arc<str>,
    pub since_ms: u64,
}

/// As in `anser.v1.Contact.State`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContactState {
    Contact = 1,
    /// By the user, who has no answer.
    Asked = 2,
    /// The other one asks the user.
    Asking = 3,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    pub user: User,
    pub since_ms: u64,
}

/// What counts between two users, whichever of them asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Between {
    /// One of them blocked the other.
    pub refused: bool,
    pub contact: bool,
}

/// What a user lets others do and see.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Privacy {
    /// Who may put them into groups.
    pub invites: Who,
    /// Their read marks are shown to nobody, and nobody's to them.
    pub hides_reads: bool,
    /// Who is told when they were last there.
    pub last_seen: Who,
    /// They are shown as offline, to everybody.
    pub invisible: bool,
}

/// As in `anser.v1.Privacy.Who`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Who {
    #[default]
    Everybody = 0,
    Contacts = 1,
    Nobody = 2,
}

/// What stays `None` is not changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PrivacyChange {
    pub invites: Option<Who>,
    pub hides_reads: Option<bool>,
    pub last_seen: Option<Who>,
    pub invisible: Option<bool>,
    /// By which of their devices.
    pub device_id: Arc<str>,
    /// Of the user's login.
    pub login_version: u64,
}

impl PrivacyChange {
    pub(crate) fn of(&self, present: Privacy) -> Privacy {
        Privacy {
            invites: self.invites.unwrap_or(present.invites),
            hides_reads: self.hides_reads.unwrap_or(present.hides_reads),
            last_seen: self.last_seen.unwrap_or(present.last_seen),
            invisible: self.invisible.unwrap_or(present.invisible),
        }
    }
}

/// What one user may know of another's being there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    pub user: UserId,
    /// Whether they are there now.
    pub presence: bool,
    /// When they were last there, to the minute; 0: that is not for the other one to know, or not known.
    pub last_seen_ms: u64,
}

impl Seen {
    /// Of who is not there, and of whom nothing may be known.
    pub(crate) fn nothing(user: UserId) -> Self {
        Self { user, presence: false, last_seen_ms: 0 }
    }
}
