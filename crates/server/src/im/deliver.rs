//! Who is connected is told, on this node and on others, once the store said yes. All of it is a hint: what is lost here is found by
//! a sync.

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::Error;

use super::members::MemberList;
use crate::{
    accepted::ConnId,
    cluster::{
        envelope::{GroupPush, Push},
        losses::Concerned,
        relay::Told,
    },
    ctx::Ctx,
    event::Event,
    outbox::Wave,
};

/// Pushes after which others get their turn on this thread.
pub const PUSHED_AT_ONCE: usize = 256;
/// To look a user up among the members costs as much as so many pushes to who is not there.
const LOOKED_UP_SHARE: usize = 4;
/// Members who are looked up in the directory; to larger groups every node is told, and looks for them by itself.
const LISTED_MAX: usize = 200;

/// Who is told.
#[derive(Clone, Copy)]
pub enum Audience<'a> {
    Users(&'a [UserId]),
    /// Those of a group's members who may see this position of its log: each is named with the position at which they joined.
    Members(LogPosition, &'a [(UserId, u64)]),
}

/// Where in a group's log something happened.
#[derive(Clone, Copy)]
pub struct LogPosition {
    pub group: GroupId,
    pub members_version: u64,
    pub server_msg_id: u64,
    /// Only to those who joined behind this place; 0: to all.
    pub behind: u64,
}

/// Tells all connections of an audience but one, on whichever node, and waits for none of them. Those on this node are woken with the wave.
pub async fn publish(cx: &Ctx, wave: &mut Wave, audience: Audience<'_>, event: &Event, except: Option<ConnId>) {
    if cx.peers.in_cluster {
        cx.peers.tell(audience.told(event, except));
    }
    publish_here(cx, wave, audience, event, except).await;
}

/// Tells those that are connected to this node. Where the audience is large, other tasks get their turn in between.
pub async fn publish_here(cx: &Ctx, wave: &mut Wave, audience: Audience<'_>, event: &Event, except: Option<ConnId>) {
    let push = |wave: &mut Wave, user| {
        let reached = cx.hub.push(wave, user, except, event);
        cx.metrics.pushed.inc_by(reached as u64);
    };
    match audience {
        Audience::Users(users) => users.iter().copied().for_each(|user| push(wave, user)),
        // Of a few who are here and many who are members, the few are looked up.
        Audience::Members(position, members) if cx.hub.online() < members.len() / LOOKED_UP_SHARE => {
            for user in cx.hub.users() {
                if let Ok(at) = members.binary_search_by_key(&user, |(member, _)| *member) {
                    position.entitled(&members[at..=at]).for_each(|member| push(wave, member));
                }
            }
        }
        Audience::Members(position, members) => {
            for some in members.chunks(PUSHED_AT_ONCE) {
                position.entitled(some).for_each(|member| push(wave, member));
                wave.wake_if_old();
                tokio::task::yield_now().await;
            }
        }
    }
}

impl Audience<'_> {
    /// As the other nodes are told.
    fn told(self, event: &Event, except: Option<ConnId>) -> Told {
        let (except, bytes) = (except.map(|conn| conn.0), event.protobuf());
        let push = |users| {
            let push = Push { users, except, event: bytes.clone() };
            if event.is_passing() { Told::Passing(push) } else { Told::Push(push) }
        };
        match self {
            Self::Users(users) => push(users.to_vec()),
            Self::Members(position, members) if members.len() <= LISTED_MAX => {
                push(position.entitled(members).collect())
            }
            Self::Members(LogPosition { group, members_version, server_msg_id, behind }, _) => {
                Told::Group(GroupPush { group, members_version, server_msg_id, behind, except, event: bytes })
            }
        }
    }
}

impl LogPosition {
    /// Who joined behind it, while the list was read, may not see it.
    pub fn entitled(self, members: &[(UserId, u64)]) -> impl Iterator<Item = UserId> {
        let is_entitled = move |(_, joined): &&(UserId, u64)| *joined > self.behind && *joined <= self.server_msg_id;
        members.iter().filter(is_entitled).map(|(member, _)| *member)
    }
}

/// A group's members, of whom something of this version is to be told. Whoever waits in the wave is not held up while they are looked up; if they
/// cannot be known, those whom it concerns are told to sync.
pub async fn members_to_tell(cx: &Ctx, wave: &mut Wave, group: GroupId, members_version: u64) -> Option<MemberList> {
    if cx.members.known(group, members_version).is_none() {
        wave.wake();
    }
    let members = cx.members.at_least(cx, group, members_version).await;
    members.inspect_err(|error| untold(cx, ConversationId::Group(group), members_version, error)).ok()
}

/// The store does not say what, or whom, to tell: those whom it may concern are told to sync.
pub fn untold(cx: &Ctx, conversation: ConversationId, members_version: u64, error: &Error) {
    tracing::warn!(%conversation, %error, "nobody could be told: clients are told to sync");
    missed(cx, conversation, members_version);
}

/// Those whom something of a conversation concerns may not have been told.
pub fn missed(cx: &Ctx, conversation: ConversationId, members_version: u64) {
    let concerned = match conversation {
        ConversationId::Single { small, big } => Concerned::users(&[small, big]),
        ConversationId::Group(group) => Concerned::members(group, members_version),
    };
    cx.peers.counts.losses.here.add(concerned.clone());
    if cx.peers.in_cluster {
        cx.peers.counts.losses.elsewhere.add(concerned);
    }
}
