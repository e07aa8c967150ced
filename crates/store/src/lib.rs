//! The truth: what is kept and how it is kept. Knows nothing of sockets, other nodes or the wire's encodings.
//!
//! [`Store`] is the seam. Each verb's comment is its contract, and the suite in [`contract`] has a case for each sentence
//! of it, which every implementation passes.

pub mod contract;
mod damaged;
mod devices;
mod digest;
pub mod doctor;
mod engine;
mod error;
#[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "what only a database on the network needs"))]
mod facts;
pub mod fallen;
mod joining;
mod lists;
pub mod memory;
mod mentions;
#[cfg(feature = "cluster")]
pub mod mysql;
mod people;
mod profiles;
mod proposals;
#[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "what only a database on the network needs"))]
mod query;
mod questions;
mod read;
mod reads;
pub mod records;
pub mod revisions;
mod rows;
pub mod sequencer;
pub mod sqlite;
pub mod stages;
mod steps;
#[cfg_attr(not(feature = "cluster"), expect(dead_code, reason = "what only a database on the network needs"))]
mod verb;
mod verbs;

use std::sync::Arc;

use anser_proto::{ConversationId, GroupId, UserId};
use async_trait::async_trait;

pub use devices::*;
pub use error::{Error, Failure, Refusal};
pub use joining::*;
pub use lists::*;
pub use mentions::*;
pub use people::*;
pub use profiles::*;
pub use records::*;
pub use revisions::*;
use stages::StageTimes;

/// Of the rules by which this build writes. A change that builds of before must not write beside takes the next one, into `im_store` too.
const WRITER_VERSION: u32 = 6;

/// For a new store, and one that came out of a backup. Fits a signed column and is not 0, which on the wire means none.
fn random_log_id() -> Result<u64, getrandom::Error> {
    Ok((getrandom::u64()? >> 1).max(1))
}

/// The time in milliseconds since 1970; a test hands in its own.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What an operator may choose, whichever the store.
#[derive(Clone)]
pub struct Options {
    /// Number of send and of receive tables. Chosen when the store is made; another number is refused later.
    pub shards: u32,
    pub group_members_max: u32,
    pub groups_per_user_max: u32,
    /// Of these, groups into which others put the user and in which they have not answered yet; and of one who puts them.
    pub unanswered_groups_per_user_max: u32,
    pub unanswered_groups_per_inviter_max: u32,
    pub devices_per_user_max: u32,
    pub people: PeopleOptions,
    /// How long the author of a message may recall it, and edit it.
    pub recall: Window,
    pub edit: Window,
    pub clock: Clock,
}

/// How long something may be done to a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Window {
    Never,
    Seconds(u32),
    ForEver,
}

impl Window {
    /// Beyond what an app shows its user, so that who acts in the last moment is not refused.
    const GRACE_MS: u64 = 10_000;

    fn is_open(self, since_ms: u64, now_ms: u64) -> bool {
        match self {
            Self::Never => false,
            Self::Seconds(seconds) => now_ms.saturating_sub(since_ms) <= u64::from(seconds) * 1_000 + Self::GRACE_MS,
            Self::ForEver => true,
        }
    }
}

impl Options {
    /// Of a user who is to be put into one more group: those in which they have not answered the same inviter yet.
    fn check_unanswered_of_inviter(&self, of_inviter: u64) -> Result<(), Refusal> {
        let max = self.unanswered_groups_per_inviter_max;
        if of_inviter < max.into() {
            return Ok(());
        }
        Err(Refusal::Limit { what: UNANSWERED_GROUPS_OF_AN_INVITER, max })
    }

    /// If the inviter is a stranger to them: those in which they have not answered yet.
    fn check_unanswered(&self, all: u64) -> Result<(), Refusal> {
        let max = self.unanswered_groups_per_user_max;
        if all < max.into() { Ok(()) } else { Err(Refusal::Limit { what: UNANSWERED_GROUPS_OF_A_USER, max }) }
    }
}

#[cfg(test)]
impl Options {
    /// For tests from within.
    fn small(shards: u32) -> Self {
        Self {
            shards,
            group_members_max: 10,
            groups_per_user_max: 10,
            unanswered_groups_per_user_max: 10,
            unanswered_groups_per_inviter_max: 10,
            devices_per_user_max: 3,
            people: PeopleOptions::default(),
            recall: Window::ForEver,
            edit: Window::ForEver,
            clock: Arc::new(|| 5),
        }
    }
}

/// What [`Refusal::Limit`] tells of: the same words whichever the store.
pub const MEMBERS_OF_A_GROUP: &str = "the members of a group";
pub const ADMINS_OF_A_GROUP: &str = "the admins of a group";
pub const BANS_OF_A_GROUP: &str = "the users who may not come back into a group";
pub const GROUPS_OF_A_USER: &str = "the groups of a user";
pub const UNANSWERED_GROUPS_OF_A_USER: &str = "the groups of a user in which they have not answered yet";
pub const UNANSWERED_GROUPS_OF_AN_INVITER: &str =
    "the groups of a user in which they have not answered the same inviter yet";

/// Devices of which it is known that their user revoked them. When one more is, whoever logged in before the first of them must do so again.
pub const REVOKED_MAX: usize = 200;

pub const EDITS_OF_A_MESSAGE: &str = "the edits of a message";
pub const EMOJIS_OF_A_MESSAGE: &str = "the different emojis below a message";
pub const PINS_OF_A_CONVERSATION: &str = "the pinned messages of a conversation";

/// What is kept.
///
/// Of every verb that changes something:
/// - *Atomic*: after an error, other than [`Failure::UnknownOutcome`], nothing was changed.
/// - *Durable*: when it returns `Ok`, the change survives a crash of the process and of the machine.
/// - *Isolated*: no other call sees a change that a crash can still take back.
/// - *Safe to drop*: a future that is dropped before it returned leaves the change done or not done, whole. What was not begun is not done.
///
/// Of every verb that reads: it sees everything that was acknowledged before it was called. A damaged row of a list fails nothing but itself:
/// a message without what can be read of it has the type 0 and no content, a profile or a group no names, a role is that of a plain member.
///
/// *Logged in*: a change that bears a `login_version` is refused with `LoginOver` if the user's logins were ended since (see
/// [`Store::login_versions`]), or those of the device that it comes from, in the transaction itself: once that is done, nothing of an earlier login is stored.
/// Who asks for what was done before is answered all the same, and who may not do it anyhow is told so.
///
/// Every user has a mailbox, whose `mailbox_seq` is 1, 2, 3, … without holes: each change that concerns them takes
/// the next number and stamps the session (or the profile) that it changed, in place of the former stamp.
#[async_trait]
pub trait Store: Send + Sync {
    /// Random id of this store: other after a restore from a backup. Positions under another one mean nothing.
    fn log_id(&self) -> u64;

    /// Appends messages of one sender to their logs, in this order, and tells the place of each.
    ///
    /// *One order*: the ids of a conversation are 1, 2, 3, … without holes, in the order of the commits; of one
    /// batch in the order of the batch, and of two batches of which one was called (its future first polled) first, in
    /// that order.
    /// *Once*: a message whose `(sender, conversation, client_msg_id)` is stored is not stored again, however long ago
    /// it was, also within the batch; its first place and time come back with `duplicate`. With another type, content,
    /// attachment, `reply_to` or mentions, or as another change, it is refused as `Conflict("client_msg_id")`. Time and device do not matter, nor whether the
    /// sender would still be entitled, heard or logged in.
    /// *Entitled*: refuses `NotMember` who is no party, or no member at this place of the group's log, also when there
    /// is no such group: strangers cannot tell. `NotFound("user")` when a party does not exist.
    /// *Silent*: refuses `Muted` who is muted in the group until later than now, and in a group in which `mute_all` is set whoever is neither
    /// owner nor admin.
    /// *Time*: the server time of a conversation never goes back, whatever the clock does.
    /// *Count*: each message bears the number of counted messages up to and with it.
    /// *Marks*: the sender's own read and delivered marks move to their message.
    /// *Mailboxes*: a one-to-one message takes the next number of both parties' mailboxes (one number when they are
    /// the same) and stamps their sessions. A group message touches no mailbox: members find it by the group's head.
    /// *Replies*: what a `reply_to` names must be a message that the sender may see, else `NotFound("message")`, and not recalled, else `Gone`. A
    /// retry does not depend on it.
    /// *Mentions*: whom a message names is neither looked up nor told of; only those who see the message find that it names them. `Forbidden` for who names
    /// all and may not: in a group the owner and admins may, and its members if `members_mention_all` is set.
    /// *Changes*: a message with a `change` is a silent entry. It takes a place as all do, but does not count, moves no marks, is no last message of a
    /// session, and bears no body. Its target is changed in the same transaction, with all its copies, and bears the place as `changed`; the answer
    /// bears it as it is now. Both parties' sessions are stamped. `NotFound("message")` for what the user may not see, for notices and silent entries.
    /// A retry gets its first place whatever became of the target, or of the user, since. What changes nothing makes no entry and gets the place of
    /// the target's last change (its own if there is none), as a duplicate.
    /// - *Recall*: by its author within `Options::recall` of its time, else `TooLate`; of a group by the owner anyone's, and by an admin those of plain
    ///   members and of who is none, at any time; else `Forbidden`. Content, attachment, `reply_to`, mentions and reactions are gone; the message does not
    ///   count as unread any more. What is recalled stays so, and nothing is changed.
    /// - *Edit*: by its author, else `Forbidden`, within `Options::edit`, else `TooLate`, at most [`EDITS_MAX`](anser_proto::limits::EDITS_MAX) times, else
    ///   `Limit`. `Gone` if it is recalled; `Outdated` if `if_changed` is not its `changed`. What it was sent with is known again in a retry.
    ///   Whom it names are those that the edit names, and no others. All are named anew by whoever may do so, else `Forbidden`.
    /// - *React*: who may see it. The emojis that the content names become all of the user's; others' stay. Of each its number is told, and the users in the
    ///   order in which they put it there, as far as [`REACTIONS_NAMED_MAX`](anser_proto::limits::REACTIONS_NAMED_MAX) and
    ///   [`REACTORS_NAMED_MAX`](anser_proto::limits::REACTORS_NAMED_MAX) say. `Gone`; `Limit` for more than
    ///   [`EMOJIS_MAX`](anser_proto::limits::EMOJIS_MAX) different ones.
    /// - *Pin*: of a group the owner and admins, else `Forbidden`. The entry is no silent one: it is shown, a [`PIN_NOTICE`] with the body that it was sent with, and
    ///   is the last message of a session. The message bears the entry as `pinned` until it is unpinned or recalled; an edit leaves it. `Gone`; `Limit` for more
    ///   than [`PINS_MAX`](anser_proto::limits::PINS_MAX) in a conversation, of which those do not count that both parties of a one-to-one conversation put away.
    /// - *Unpin*: who may pin.
    ///
    /// *Together*: a refusal concerns its message alone. A failure is one for all messages of the batch, also those
    /// that would have been refused, and none of them is stored.
    ///
    /// Answers in the order of the batch.
    async fn append(&self, batch: Vec<NewMessage>) -> Result<Vec<Result<Appended, Refusal>>, Error>;

    /// The same for who waits for so long. What was not begun by then fails `Overloaded` and is not stored; what was is answered
    /// whenever it is done.
    async fn append_within(
        &self,
        batch: Vec<NewMessage>,
        patience: std::time::Duration,
    ) -> Result<Vec<Result<Appended, Refusal>>, Error> {
        if patience.is_zero() { Err(Failure::Overloaded.into()) } else { self.append(batch).await }
    }

    /// Reads a stretch of a log as `reader` may see it: of a one-to-one conversation all, for its parties; of a group
    /// what was appended while they were a member, their joining and leaving included.
    ///
    /// Ascending, at most `limit`, ending with the message that reaches `bytes_max`. With `after`, 0 too, the oldest
    /// of the stretch, else the newest. `more` tells truly whether they may see more in that direction within the stretch.
    /// Silent entries are passed over and take no place of the limit; a page of which too many would have to be looked at ends before.
    /// `after` and `through` tell what the page covers: nothing that the reader may be shown in between is left out. A page that goes forward has in
    /// `changed` the messages up to `after` that entries in it changed, each once, as they are now, as far as the reader may see them: they take places of
    /// the limit. So do members whose own names in the group entries of it changed (`nicknames`). `references`: what messages of the page answer, where that is not in it and the reader may see it.
    /// A one-to-one conversation in which nothing was said is empty. `NotMember` for everyone else, and for a
    /// group that does not exist: what one may not see cannot be told from what is not there.
    async fn read_log(&self, reader: UserId, conversation: ConversationId, stretch: Stretch) -> Result<LogPage, Error>;

    /// Moves a mark forward, never back: a mark behind the present one changes nothing, one beyond the head (that the
    /// user may see) stops there.
    ///
    /// The read mark takes the delivered mark along. `unread` is exactly the number of counted messages behind the read
    /// mark that the user may see, that are not recalled, and that they did not hide. A read mark that moved stamps the user's session; in a one-to-one conversation any
    /// mark that moved stamps the peer's session too. `NotMember` for who never was a party or member. A conversation
    /// without messages has nothing to mark: nothing moves. Any read mark ends that the user marked the conversation as unread, and stamps
    /// their session if that is all it does; what they write there ends it too.
    async fn mark(&self, mark: Mark) -> Result<Marked, Error>;

    /// Changes what is the user's own of a conversation, and stamps their session if anything is another then. Nobody else is told, of a read
    /// mark that goes along apart. `NotFound("conversation")` for one that is not in their list, `NotMember` for who never was a party or member.
    ///
    /// Update: changes the flags that are named. `Limit` for more pinned conversations than [`anser_proto::limits::PINNED_SESSIONS_MAX`].
    /// Clear: up to this message, or the last that they may see, nothing is shown to them any more, whoever changes it; forward only. The read
    /// mark goes along, by the rules of [`mark`](Store::mark).
    /// Remove: `removed_at` moves forward to this message, or the last that they may see. The session stays what it is.
    async fn change_session(&self, change: SessionChange) -> Result<SessionChanged, Error>;

    /// Hides messages from the user for good: on no page are they shown, nor what becomes of them; they cannot be changed or answered, do not
    /// count as unread and are not the last message of a list. Each takes the next number of the mailbox, and the session a last one. What the user
    /// does not see is passed over, and what is hidden already. Nobody else is told. A body of a one-to-one conversation is erased when this leaves
    /// it hidden or cleared by both parties. Refused as [`change_session`](Store::change_session).
    async fn hide_messages(&self, hide: Hide) -> Result<Hidden, Error>;

    /// Who has read these messages of a group, of the present members who were there when they were said, without their authors; in order of
    /// the messages. Told are those of the asker's own, and to the owner and admins those of all; what is no message that the asker sees is left out. Who
    /// hides their read marks has read nothing, and is shown that nobody has. `NotMember` for who is none; `Limit` in a group of more than
    /// [`anser_proto::limits::RECEIPT_MEMBERS_MAX`].
    async fn who_read(&self, asker: UserId, group: GroupId, places: Vec<u64>) -> Result<Vec<Readers>, Error>;

    /// What is pinned in a conversation, pinned last first, at most `limit`, ending with the message that reaches `bytes_max`; of what was pinned before the
    /// entry `before`, if that is not 0. Each message is as it is now; what the reader does not see is left out, and `more` is true of the others. `NotMember` for
    /// who is no party, or no member now.
    async fn pins(
        &self,
        reader: UserId,
        conversation: ConversationId,
        before: u64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Page<Pin>, Error>;

    /// Who reacted to a message with what, in order of their ids, behind `after`. For whoever sees it on a page of [`Store::read_log`], else `NotMember` or
    /// `NotFound("message")`, as of notices and silent entries.
    async fn reactions(
        &self,
        reader: UserId,
        conversation: ConversationId,
        place: u64,
        after: UserId,
        limit: u32,
    ) -> Result<Page<ReactionsOfUser>, Error>;

    /// Where the user's mailbox and groups are. `NotFound("user")`.
    async fn positions(&self, user: UserId) -> Result<Positions, Error>;

    /// The sessions and things stamped behind `since`, in order of their stamps, together at most `limit` (at least 1), and the
    /// profile if it changed behind `since`. Each comes once, however often it changed, as it is now; of a thing that went it is told so. Asking again from
    /// `mailbox_seq` until `caught_up` gives everything that changed, also while others write. A `since`
    /// beyond the mailbox is taken for 0.
    async fn changes(&self, user: UserId, since: u64, limit: u32) -> Result<Changes, Error>;

    /// Of these groups, the sessions of those whose head (that the user may see) is not the one named, or whose member
    /// they no longer are. Groups whose member they never were are left out.
    async fn moved_groups(&self, user: UserId, known: Vec<(GroupId, u64)>) -> Result<Vec<Session>, Error>;

    /// A page of the conversation list, in order of conversation ids: groups that they left are in it, conversations in
    /// which nothing was said are not.
    async fn sessions(&self, user: UserId, after: Option<ConversationId>, limit: u32) -> Result<Page<Session>, Error>;

    /// One entry of the conversation list. `NotFound("conversation")`.
    async fn session(&self, user: UserId, conversation: ConversationId) -> Result<Session, Error>;

    /// Makes a group with its creator as owner, tells so in its log (a `CREATED` notice at 1, which names all first
    /// members and from which on all see the log), and stamps the sessions of all.
    ///
    /// *Once*: a second call of the same creator with the same `client_group_id` makes nothing and returns the first
    /// group without notices and stamps, whatever else it says. Unknown users are refused with `NotFound("user")`, a
    /// creator who is named among the members or a member named twice counts once. `Conflict("group_id")` if the id is
    /// taken. `Limit` for more members than a group, or more groups than a user (any of them), may have.
    ///
    /// *Answers*: who is put into a group by somebody else, here or by an invitation, has not answered until they write in it, move
    /// their read mark or invite somebody themselves. `Limit` when one of them has as many groups in which they have not answered as they may,
    /// of this inviter, or of all, unless they have ever written to this one in their one-to-one conversation: so strangers use up a part
    /// of a user's places and no more, whom they know have theirs whatever strangers do, and what they create is none of it.
    async fn create_group(&self, new: NewGroup) -> Result<MembersChanged, Error>;

    /// Lets members join or go, or have another role. What happened is told in the log by notices which do not count as unread:
    /// `JOINED`, `REMOVED`, `PROMOTED` and `DEMOTED` for all of one call together, `LEFT`, and `OWNER_CHANGED`, also behind it when the owner
    /// left and an heir took their place: the longest-standing admin, else the longest-standing member (of several the one with the smallest
    /// id), of those who are not disabled if there are any. They take no `client_msg_id` from their operator and move no marks of theirs.
    ///
    /// Invite: every member may who is not muted (`Muted`), of a closed group the owner and admins, else `Forbidden`; who is a member already is passed over; who was one before joins anew and does not
    /// see what was said between. Their read mark starts where they join. `NotFound("user")`, `Limit`.
    /// Remove: the owner may remove anyone, an admin members, a member nobody, and nobody themselves; else `Forbidden`.
    /// Who is no member is passed over. While the owner is disabled, their heir may remove anyone, and becomes owner with the first whom
    /// they remove: `OWNER_CHANGED` before `REMOVED`, and who was owner is a plain member.
    /// Ban: whoever may remove them; those named may not come back, members or not, and the members among them are removed. Who is banned is left out of
    /// invitations, and for them the log is as if the group were not there; in their list nothing of it is unread. `NotFound("user")`, `Limit` for
    /// more than [`anser_proto::limits::BANS_MAX`].
    /// Unban: the owner and admins, else `Forbidden`. Neither is told in the log of who is no member.
    /// Invite in a group that lets in by approval: what a plain member names are open requests, one of a user at most, until an answer; whoever waits and comes another way does not
    /// wait any more, nor does who is banned. `Limit` for more than [`anser_proto::limits::JOIN_REQUESTS_MAX`].
    /// Approve and reject: the owner and admins, else `Forbidden`. Those named who wait join, as if they were invited by whoever proposed them, or by themselves; who may not be put there by then does
    /// not. Who does not wait any more is passed over.
    /// *Waiting*: when another number waits, the owner and admins of before take a number of their mailboxes for it; so does who becomes one of them while some wait.
    /// Leave: a member may, and has a place for another group at once; the last leaves an empty group that still names them as owner. For
    /// who was a member once nothing is changed.
    /// Set a role: the owner alone, of others than themselves, else `Forbidden`. Who is no member, or has the role, is passed over. `Limit` for
    /// more than [`anser_proto::limits::ADMINS_MAX`] admins.
    /// Transfer: the owner makes a member owner, and is an admin then; `Forbidden` for others, `NotFound("member")` if that one is no member,
    /// `Limit` as above. To who is owner nothing is changed, whichever member asks.
    /// Mute: until a time, told by `MUTED`, or not any more, told by `UNMUTED`, if that time is past: whoever may remove them. Whom it finds so
    /// already is passed over. Who becomes owner is not muted.
    /// Dissolve: the owner alone. The `DISSOLVED` notice is the last entry of the log: from then on nobody is a member, it is none of the
    /// groups that they may have, and what they saw they see. Whoever dissolved it does so again without a change.
    /// All: `NotMember` for an operator who is none. When nobody is left to change, nothing is appended and nothing stamped. The sessions of
    /// those who joined or went, have another role, or may speak or not, are stamped.
    async fn change_members(&self, change: MembersChange) -> Result<MembersChanged, Error>;

    /// Changes what is named of a group, and tells what of it is other than before by one `GROUP_CHANGED` notice; without a difference nothing is
    /// changed. Stamps nobody: members find it by the group's head. The owner and admins may, else `Forbidden`; `NotMember` for who is none.
    async fn update_group(&self, update: GroupUpdate) -> Result<MembersChanged, Error>;

    /// Changes a member's own name in a group; an empty one takes it away. Told by a silent entry of the log, which is stored once as messages are: a retry gets
    /// its first place, and another name under its `client_msg_id` is `Conflict("client_msg_id")`. Without a difference nothing is changed, and the place is that of the head, as a
    /// duplicate. `NotMember`; `Forbidden` for who is muted until later than now. Who comes back has no such name.
    async fn set_nickname(&self, change: NicknameChange) -> Result<Appended, Error>;

    /// A group as a present member sees it, with its announcement and their role. `NotMember` for others, and of a group that was dissolved.
    async fn group(&self, asker: UserId, group: GroupId) -> Result<(Group, Role), Error>;

    /// Present members in order of their ids, behind `after`. `NotMember` for an asker who is none.
    async fn members(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Member>, Error>;

    /// Who may not come back into a group, in order of their ids, behind `after`. `NotMember` for an asker who is none, `Forbidden` for plain
    /// members.
    async fn bans(&self, asker: UserId, group: GroupId, after: UserId, limit: u32) -> Result<Page<Ban>, Error>;

    /// Who waits to be let into a group, in order of their ids, behind `after`: for the owner and admins, as bans are.
    async fn join_requests(
        &self,
        asker: UserId,
        group: GroupId,
        after: UserId,
        limit: u32,
    ) -> Result<Page<JoinRequest>, Error>;

    /// Creates a link by which users come into a group. The owner and admins may, and every member who is not muted where every member invites; else
    /// `Forbidden`, or `NotMember`. `Limit` for more than [`anser_proto::limits::LINKS_MAX`] that neither are past their time nor used up; others are
    /// forgotten. `Conflict("link_id")`.
    async fn create_link(&self, new: NewLink) -> Result<Link, Error>;

    /// A link leads nowhere any more, if it ever did. As for creating one; a plain member may revoke their own.
    async fn revoke_link(&self, revocation: LinkRevocation) -> Result<(), Error>;

    /// The links that the asker may revoke, in the order of their ids; for whoever may create one.
    async fn links(&self, asker: UserId, group: GroupId) -> Result<Vec<Link>, Error>;

    /// What a link tells of its group. `NotFound("link")` where it would let the asker in no more.
    async fn preview_link(&self, asker: UserId, token_hash: TokenHash) -> Result<LinkPreview, Error>;

    /// The user joins by a link, told by a `JOINED` notice of their own, or asks to, where the link or the group says that they are to be let in:
    /// then their role is none and nothing else is told them. A member gets the group as it is.
    ///
    /// *Uses*: who joins by it, or is let in who asked by it, is counted in the same transaction, so that no more join by it than it says.
    /// *Alike*: a link that was revoked, is past its time or used up, whose creator is no member or by their role may create none any more (muted, their links still lead there), that is of a
    /// dissolved group, or into whose group the
    /// user may not come back, is `NotFound("link")`.
    /// *Limits*: `Limit` for more members than a group, groups than a user or open requests than a group
    /// ([`anser_proto::limits::JOIN_REQUESTS_MAX`]) may have. Who asks again replaces their words.
    async fn join_by_link(&self, by: LinkUse) -> Result<MembersChanged, Error>;

    /// All present members, in order of their ids, and who of them may not speak. Of a group that was dissolved: those who were there at its
    /// end, and may see its last entry. Empty for a group that does not exist.
    async fn member_ids(&self, group: GroupId) -> Result<MemberIds, Error>;

    /// Makes a user. `Conflict("account")` if the account is taken, `Conflict("user_id")` if the id is.
    async fn create_user(&self, new: NewUser) -> Result<User, Error>;

    /// `NotFound("user")`.
    async fn user_by_account(&self, account: &str) -> Result<User, Error>;

    /// The same with what is kept of their password; None if they have none. `NotFound("user")`, told after the same one statement.
    async fn user_with_password(&self, account: &str) -> Result<(User, Option<PasswordHash>), Error>;

    /// Those that exist, each once, in no certain order.
    async fn users(&self, ids: Vec<UserId>, accounts: Vec<Arc<str>>) -> Result<Vec<User>, Error>;

    /// The profiles of those that exist, each once, in order of their ids: of who is in `known`, only if its version is another one.
    async fn profiles(
        &self,
        ids: Vec<UserId>,
        accounts: Vec<Arc<str>>,
        known: Vec<(UserId, u64)>,
    ) -> Result<Vec<Profile>, Error>;

    /// All users in order of their ids, behind `after`.
    async fn list_users(&self, after: UserId, limit: u32) -> Result<Page<User>, Error>;

    /// Changes what is named, counts the version on and stamps the profile; tells it as it is now and the change in the user's mailbox.
    /// Without a difference nothing is changed and the number is 0. `NotFound("user")`.
    async fn update_profile(&self, user: UserId, change: ProfileChange) -> Result<(Profile, u64), Error>;

    /// Changes what two users are to each other. Both rows of the pair change together, and each mailbox takes the next number for each thing of
    /// its user's that is another now, a contact, a request or a block; what makes no difference touches none. `NotFound("user")` for a peer who
    /// does not exist, `Forbidden` for the user themselves.
    ///
    /// Request: the peer is asked to be a contact, with these words; asked again, the words are replaced. Where the peer asked before, or asks at the same
    /// time, both are contacts at once. `Forbidden` while the user blocks the peer, `Limit` for either one's open requests. A peer who
    /// blocks the user, or said no less than [`ASK_AGAIN`] ago, receives nothing, and the user cannot tell.
    /// Accept and reject: `NotFound("request")` unless the peer asks; of a contact, nothing changes. Whose request is rejected still sees it as open.
    /// Accepted, both are contacts: `Limit` for either one's contacts.
    /// Remark: the user's own name for a contact, which nobody else sees. `NotFound("contact")`.
    /// Remove: of a contact, for both; of the user's own request, takes it back. `NotFound("contact")` where there is neither.
    /// Block: ends the contact and the user's own request for both, and drops what the peer asked. Only the user sees it. While a block stands, in either direction,
    /// neither can write to the other one to one (`Forbidden`), sees their marks move, or puts them into a group: who may not be put there is left
    /// out of what is done. A retry of what was stored before gets the first place. `Limit`.
    /// Unblock: what went with the block does not come back, and marks are shown again from the next that moves.
    async fn change_people(&self, change: PeopleChange) -> Result<PeopleChanged, Error>;

    /// The user's contacts and open requests in order of the others' ids, behind `after`.
    async fn contacts(&self, user: UserId, after: UserId, limit: u32) -> Result<Page<Contact>, Error>;

    /// Whom the user blocked, in order of their ids, behind `after`.
    async fn blocks(&self, user: UserId, after: UserId, limit: u32) -> Result<Page<Block>, Error>;

    /// What the user lets others do and see. `NotFound("user")`.
    async fn privacy(&self, user: UserId) -> Result<Privacy, Error>;

    /// Changes what is named, and takes the next number of the mailbox; tells what changed, if anything did. `NotFound("user")`.
    ///
    /// Invites: by whoever may not put them into a group they are left out of what is done.
    /// Reads: their read marks stay as they are shown to others in one-to-one conversations, until they are shown again and move, and peers' are shown to
    /// them as 0; delivered marks are shown. A mark that the peer is not shown stamps nothing of theirs.
    async fn update_privacy(&self, user: UserId, change: PrivacyChange) -> Result<Option<Change>, Error>;

    /// What counts between two users: for what is told and not stored. `NotFound("user")` for a peer who does not exist.
    async fn between(&self, user: UserId, peer: UserId) -> Result<Between, Error>;

    /// Who the user's contacts are, in order of their ids; without those who only asked.
    async fn contact_ids(&self, user: UserId) -> Result<Vec<UserId>, Error>;

    /// Of these users those whom their privacy shows as offline, in order of their ids.
    async fn invisible(&self, users: Vec<UserId>) -> Result<Vec<UserId>, Error>;

    /// Remembers that users were there at these times, to the minute, unless it knows of a later one. Touches no mailbox, and looks for nobody: they exist.
    async fn see_users(&self, seen: Vec<(UserId, u64)>) -> Result<(), Error>;

    /// What the viewer may know of these users' being there, in their order. `NotFound("user")` for a viewer who does not exist.
    ///
    /// Where one of the two blocked the other, and of who does not exist: nothing. Whether they are there: contacts always, others if the privacy of the user
    /// tells everybody when they were last there. When they were: if that privacy says so, and the viewer's own would let the user know. Of themselves, all.
    async fn seen_by(&self, viewer: UserId, users: Vec<UserId>) -> Result<Vec<Seen>, Error>;

    /// Ends the user's logins. Touches no mailbox. `NotFound("user")`.
    async fn set_password(&self, user: UserId, password: PasswordHash) -> Result<(), Error>;

    /// A disabled user keeps their data; that they may not log in is for others to see to. To disable ends their logins, also when they
    /// is disabled already. Touches no mailbox. `NotFound("user")`.
    async fn set_disabled(&self, user: UserId, disabled: bool) -> Result<(), Error>;

    /// The versions of the logins of those of these users who exist, each once, in no certain order. It is 0 at first, and one
    /// more whenever logins of the user are ended: all of them, or those of a device. A login bears the one that was the user's when it began.
    async fn login_versions(&self, users: Vec<UserId>) -> Result<Vec<(UserId, u64)>, Error>;

    /// Which logins of the user hold. `NotFound("user")`.
    async fn logins(&self, user: UserId) -> Result<Logins, Error>;

    /// Remembers a device and when it was last seen, to the day: it writes only when the device is new, changed, or was
    /// last seen on another day. Beyond the number of devices that a user may have, the one longest unseen is
    /// forgotten, never this one. `NotFound("user")`.
    ///
    /// `issued_s`: when that was issued by which it logs in, in seconds since 1970. `LoginOver` if it was revoked since, unless it is known again,
    /// was seen today and is the same.
    /// When the list is another than before, but for days, and others are in it, it takes the next number of the mailbox.
    async fn touch_device(&self, user: UserId, device: Device, issued_s: u64) -> Result<Option<Change>, Error>;

    /// The user's devices, last seen first.
    async fn devices(&self, user: UserId) -> Result<Vec<KnownDevice>, Error>;

    /// Changes one of the user's devices, and takes the next number of the mailbox if it is another then. `NotFound("device")`.
    ///
    /// Rename: from then on it is called so whatever it says of itself; by an empty name, what it says when it logs in next.
    /// Revoke: it is none of the devices any more, and its logins are over (*Logged in*). Revoked again, nothing changes. Once more than [`REVOKED_MAX`] were,
    /// the first of them is forgotten, and all logins of before are over.
    async fn change_device(&self, change: DeviceChange) -> Result<DeviceChanged, Error>;

    /// What lets this device of the user in must have been issued at this second since 1970, or later; 0 if it never was revoked.
    async fn not_before_s(&self, user: UserId, device_id: Arc<str>) -> Result<u64, Error>;

    /// Proves that the store takes writes, and a message of the largest size: goes the way of every change, changes nothing, and
    /// looks for room where room is this process's to look for. `Full` when there is none.
    async fn probe(&self) -> Result<(), Error>;

    /// Returns when the store ended its work without being closed, which is a fault, and says why: it must be opened anew.
    async fn broke(&self) -> Arc<str> {
        std::future::pending().await
    }

    /// What the store did since it was opened.
    fn stats(&self) -> Stats;

    /// How long the stages of its transactions took; none where there are no stages.
    fn stages(&self) -> Option<StageTimes> {
        None
    }

    /// Ends all work that was taken, then refuses everything with `Closed`. A second call does nothing.
    async fn close(&self);
}

/// Counters since the store was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    pub commits: u64,
    /// Messages stored by [`Store::append`]: without duplicates, and without the notices that the store itself writes.
    pub appended: u64,
    /// Transactions for which there was no room.
    pub full: u64,
    /// Writes waiting now, and the bytes that they hold.
    pub queued: u64,
    pub queued_bytes: u64,
    /// Proposals of the sequencer that the head refused.
    pub proposals_refused: u64,
    /// Checkpoints of the write-ahead log, where there is one.
    pub checkpoints: u64,
    /// Pages of history that a replica did not have whole, where there are some.
    pub replica_behind: u64,
    /// At most so many transactions that the database had committed are not there any more: attempts that came to nothing are among them.
    pub commits_lost: u64,
    /// Times that a damaged row was met.
    pub damaged: u64,
}

/// Where `server_msg_id`s come from. It proposes; the head disposes.
///
/// Wiped, restored or raced, it costs nobody anything: the head gives the numbers, in the commit, and the sequencer is asked beside
/// it. Where its proposal is not the head's next it is told where the head is.
#[async_trait]
pub trait Sequencer: Send + Sync {
    /// Reserves `n` (at least 1) ids and proposes the first of them. A conversation it does not know starts at 1. It is asked of
    /// no conversation to which whoever writes may not, since it may keep a counter for whatever it was asked of.
    async fn reserve(&self, conversation: ConversationId, n: u32) -> Result<u64, Failure>;

    /// The conversation's head is `last`: the next proposal is `last + 1`.
    async fn reset(&self, conversation: ConversationId, last: u64) -> Result<(), Failure>;
}
