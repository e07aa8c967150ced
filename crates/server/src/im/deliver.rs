//! After the store said yes: who is connected is told, on this node and on others. All of it is a hint: what is lost here
//! is found by a sync.

use std::{collections::HashSet, sync::Arc};

use anser_proto::{
    ConversationId, GroupId, UserId,
    limits::PAGE_BYTES_MAX,
    v1::{self, server_frame::Body},
};
use anser_store::{Appended, Error, Marked, MembersChanged, NewMessage, Stretch};

use super::{members::Before, wire};
use crate::{
    accepted::ConnId,
    cluster::{
        envelope::{GroupPush, MembersVersion, Push},
        losses::Concerned,
        relay::Told,
    },
    ctx::Ctx,
    event::Event,
};

/// Pushes after which others get their turn on this thread.
const PUSHED_AT_ONCE: usize = 256;
/// To look a user up among the members costs as much as so many pushes to who is not there.
const LOOKED_UP_SHARE: usize = 4;
/// A message older than this was told by whoever stored it, or found by a sync since.
const TOLD_AGAIN_MS: u64 = 120_000;
/// Members of two lists that are compared, to find who is gone, and how many of those are told: who sent the message waits meanwhile.
const COMPARED_MAX: usize = 10_000;
const GONE_MAX: usize = 16;
/// Members who are looked up in the directory; to larger groups every node is told, and looks for them by itself.
const LISTED_MAX: usize = 200;

/// Tells the other devices of the parties, or of the members, of a stored message. `from` is the connection that
/// sent it, here or elsewhere, and learns of it by its answer.
pub async fn message(cx: &Ctx, from: Option<ConnId>, new: &NewMessage, appended: &Appended, before: &Before) {
    let sender = new.from.user;
    match new.conversation {
        ConversationId::Single { .. } => {
            let tell = |user, except, mailbox_seq| {
                if cx.peers.in_cluster || cx.hub.has_other(user, except) {
                    let event = message_event(wire::new_message(new, appended), mailbox_seq);
                    push(cx, user, except, &event);
                }
            };
            if let Some(peer) = new.conversation.peer_of(sender).filter(|peer| *peer != sender) {
                tell(peer, None, appended.receiver_mailbox_seq);
            }
            tell(sender, from, appended.sender_mailbox_seq);
        }
        ConversationId::Group(group) => {
            let members = match cx.members.at_least(cx, group, appended.members_version).await {
                Ok(members) => members,
                Err(error) => return untold(cx, new.conversation, &error),
            };
            let event = message_event(wire::new_message(new, appended), 0);
            let position =
                LogPosition { group, members_version: appended.members_version, server_msg_id: appended.server_msg_id };
            crowd(cx, &position, &members, from, &event).await;
            if let Some((_, older)) = before.get(&group).filter(|(_, older)| !Arc::ptr_eq(older, &members)) {
                gone(cx, &position, older, &members, &[], &event).await;
            }
        }
    }
}

/// The store does not say what, or whom, to tell: those whom it may concern are told to sync.
fn untold(cx: &Ctx, conversation: ConversationId, error: &Error) {
    tracing::warn!(%conversation, %error, "nobody could be told: clients are told to sync");
    let concerned = match conversation {
        ConversationId::Single { small, big } => Concerned::these(&[small, big]),
        ConversationId::Group(_) => Concerned::Everybody,
    };
    cx.peers.counts.losses.here.add(concerned.clone());
    if cx.peers.in_cluster {
        cx.peers.counts.losses.elsewhere.add(concerned);
    }
}

/// Tells once more of a message that a retry found stored: the node that stored it may have died before it told anybody, and
/// those connected elsewhere did not notice. Who has it already drops it.
pub async fn again(cx: &Ctx, from: Option<ConnId>, new: &NewMessage, appended: &Appended) {
    let age_ms = (cx.clock)().saturating_sub(appended.server_time_ms);
    if !cx.peers.in_cluster || age_ms > TOLD_AGAIN_MS {
        return;
    }
    let (sender, conversation) = (new.from.user, new.conversation);
    let id = appended.server_msg_id;
    // As it stands in the log, which may show an older name of the sender than the retry.
    let page = match cx.store.read_log(sender, conversation, only(id)).await {
        Ok(page) => page,
        Err(error) => return untold(cx, conversation, &error),
    };
    let Some(event) = page.messages.first().map(|message| message_event(wire::message(message), 0)) else { return };
    match conversation {
        ConversationId::Single { .. } => {
            conversation.peer_of(sender).into_iter().for_each(|peer| push(cx, peer, None, &event));
            push(cx, sender, from, &event);
        }
        ConversationId::Group(group) => {
            // What is remembered may name members who went before this message.
            let (members_version, members) = match cx.store.member_ids(group).await {
                Ok(members) => members,
                Err(error) => return untold(cx, conversation, &error),
            };
            crowd(cx, &LogPosition { group, members_version, server_msg_id: id }, &members, from, &event).await;
        }
    }
}

/// Where in a group's log something happened.
pub struct LogPosition {
    pub group: GroupId,
    pub members_version: u64,
    pub server_msg_id: u64,
}

/// Tells the members of a group who may see this position of its log.
async fn crowd(cx: &Ctx, position: &LogPosition, members: &[(UserId, u64)], except: Option<ConnId>, event: &Event) {
    if cx.peers.in_cluster {
        let (except, event) = (except.map(|conn| conn.0), event.protobuf());
        let LogPosition { group, members_version, server_msg_id } = *position;
        cx.peers.tell(if members.len() <= LISTED_MAX {
            Told::Push(Push { users: entitled(members, server_msg_id).collect(), except, event })
        } else {
            Told::Group(GroupPush { group, members_version, server_msg_id, except, event })
        });
    }
    crowd_here(cx, position, members, except, event).await;
}

/// Tells a few of those who left while the message was on its way here, but `told`, if they may see it: they find it by a sync as well.
async fn gone(
    cx: &Ctx,
    position: &LogPosition,
    older: &[(UserId, u64)],
    members: &[(UserId, u64)],
    told: &[u64],
    event: &Event,
) {
    if older.len() > COMPARED_MAX {
        return;
    }
    let conversation = ConversationId::Group(position.group);
    let is_gone =
        |user: &UserId| members.binary_search_by_key(user, |(member, _)| *member).is_err() && !told.contains(&user.0);
    let gone = older.iter().map(|(user, _)| *user).filter(is_gone);
    for user in gone.filter(|user| cx.peers.in_cluster || cx.hub.has_other(*user, None)).take(GONE_MAX) {
        // They may have left before it, too.
        let page = cx.store.read_log(user, conversation, only(position.server_msg_id)).await;
        if page.is_ok_and(|page| !page.messages.is_empty()) {
            push(cx, user, None, event);
        }
    }
}

/// One message of a log.
fn only(id: u64) -> Stretch {
    Stretch { after: Some(id - 1), before: id + 1, limit: 1, bytes_max: PAGE_BYTES_MAX }
}

/// Those of them who are connected to this node.
pub async fn crowd_here(
    cx: &Ctx,
    position: &LogPosition,
    members: &[(UserId, u64)],
    except: Option<ConnId>,
    event: &Event,
) {
    // Of a few who are here and many who are members, the few are looked up.
    if cx.hub.online() < members.len() / LOOKED_UP_SHARE {
        for user in cx.hub.users() {
            if let Ok(at) = members.binary_search_by_key(&user, |(member, _)| *member) {
                entitled(&members[at..=at], position.server_msg_id)
                    .for_each(|member| push_here(cx, member, except, event));
            }
        }
        return;
    }
    for some in members.chunks(PUSHED_AT_ONCE) {
        entitled(some, position.server_msg_id).for_each(|member| push_here(cx, member, except, event));
        tokio::task::yield_now().await;
    }
}

/// Who joined behind a message, while the list was read, may not see it.
fn entitled(members: &[(UserId, u64)], server_msg_id: u64) -> impl Iterator<Item = UserId> {
    members.iter().filter(move |(_, joined)| *joined <= server_msg_id).map(|(member, _)| *member)
}

/// Tells a group of a change of its members, and those whom it concerns of their own session. `older`: who was there before, as far
/// as that was remembered.
pub async fn members_changed(cx: &Ctx, changed: &MembersChanged, older: &[(UserId, u64)]) {
    let (group, members_version) = (changed.group.group, changed.group.members_version);
    cx.peers.tell(Told::Members(MembersVersion { group, version: members_version }));
    let members = match cx.members.at_least(cx, group, members_version).await {
        Ok(members) => members,
        Err(error) => return untold(cx, ConversationId::Group(group), &error),
    };
    let present: HashSet<UserId> = members.iter().map(|(member, _)| *member).collect();
    for notice in &changed.notices {
        let message = wire::message(notice);
        // Who went sees that they did, and nothing behind it.
        let named = message.notice.as_ref().map_or(Vec::new(), |notice| notice.user_ids.clone());
        let event = message_event(message, 0);
        let position = LogPosition { group, members_version, server_msg_id: notice.server_msg_id };
        crowd(cx, &position, &members, None, &event).await;
        for left in named.iter().copied().map(UserId).filter(|user| !present.contains(user)) {
            push(cx, left, None, &event);
        }
        gone(cx, &position, older, &members, &named, &event).await;
    }
    for some in changed.stamped.chunks(PUSHED_AT_ONCE) {
        for (user, _) in some {
            session_changed(cx, *user, None, ConversationId::Group(group)).await;
        }
        tokio::task::yield_now().await;
    }
}

/// Tells the user's other devices where the marks are now, and the peer of a one-to-one conversation.
pub async fn marked(cx: &Ctx, user: UserId, from: ConnId, conversation: ConversationId, marked: &Marked) {
    if marked.mailbox_seq != 0 {
        session_changed(cx, user, Some(from), conversation).await;
    }
    if let Some((peer, mailbox_seq)) = marked.peer.filter(|(peer, _)| *peer != user) {
        let receipt = v1::Receipt {
            conversation_id: conversation.to_string(),
            user_id: user.0,
            read_mark: marked.read_mark,
            delivered_mark: marked.delivered_mark,
            mailbox_seq,
        };
        push(cx, peer, None, &Event::new(Body::Receipt(receipt)));
    }
}

/// Passes on that the user is typing, to whoever is connected. Waits for nothing: members who are not remembered are read by a
/// task beside, if there is a place for one.
pub fn typing(cx: &Arc<Ctx>, user: UserId, from: ConnId, conversation: ConversationId) {
    let event =
        Event::new(Body::Typing(v1::TypingEvent { conversation_id: conversation.to_string(), user_id: user.0 }));
    match conversation {
        ConversationId::Single { .. } => {
            if let Some(peer) = conversation.peer_of(user) {
                push(cx, peer, Some(from), &event);
            }
        }
        ConversationId::Group(group) => {
            if let Some(members) = cx.members.known(group, 0) {
                return typing_among(cx, user, &members, &event);
            }
            let Some(place) = cx.members.place_to_learn() else { return };
            let cx = Arc::clone(cx);
            tokio::spawn(async move {
                if let Ok(members) = cx.members.at_least(&cx, group, 0).await {
                    typing_among(&cx, user, &members, &event);
                }
                drop(place);
            });
        }
    }
}

fn typing_among(cx: &Ctx, user: UserId, members: &[(UserId, u64)], event: &Event) {
    if members.len() > TYPING_MEMBERS_MAX || members.iter().all(|(member, _)| *member != user) {
        return;
    }
    let others: Vec<UserId> = members.iter().map(|(member, _)| *member).filter(|member| *member != user).collect();
    others.iter().for_each(|member| push_here(cx, *member, None, event));
    push_elsewhere(cx, others, None, event);
}

/// In larger groups nobody is told who types: it would cost more than the messages.
const TYPING_MEMBERS_MAX: usize = 100;

pub fn profile_changed(cx: &Ctx, user: v1::User, from: ConnId, mailbox_seq: u64) {
    let id = UserId(user.user_id);
    push(cx, id, Some(from), &Event::new(Body::ProfileChanged(v1::ProfileChanged { user: Some(user), mailbox_seq })));
}

/// Tells the user's devices, on whichever node, that an entry of their conversation list is another now.
async fn session_changed(cx: &Ctx, user: UserId, except: Option<ConnId>, conversation: ConversationId) {
    cx.peers.tell(Told::Session { user, conversation });
    session_changed_here(cx, user, except, conversation).await;
}

pub async fn session_changed_here(cx: &Ctx, user: UserId, except: Option<ConnId>, conversation: ConversationId) {
    if !cx.hub.has_other(user, except) {
        return;
    }
    match cx.store.session(user, conversation).await {
        Ok(session) => {
            let changed = v1::SessionChanged { session: Some(wire::session(&session)) };
            push_here(cx, user, except, &Event::new(Body::SessionChanged(changed)));
        }
        Err(error) => {
            tracing::warn!(%user, %conversation, %error, "session unknown: the user is told to sync");
            cx.hub.lag(user);
        }
    }
}

fn message_event(message: v1::Message, mailbox_seq: u64) -> Event {
    Event::new(Body::Message(v1::MessageEvent { message: Some(message), mailbox_seq }))
}

/// To all connections of the user but one, on whichever node.
fn push(cx: &Ctx, user: UserId, except: Option<ConnId>, event: &Event) {
    push_here(cx, user, except, event);
    push_elsewhere(cx, vec![user], except, event);
}

pub fn push_here(cx: &Ctx, user: UserId, except: Option<ConnId>, event: &Event) {
    let receivers = cx.hub.push(user, except, event);
    cx.metrics.pushed.inc_by(receivers as u64);
}

fn push_elsewhere(cx: &Ctx, users: Vec<UserId>, except: Option<ConnId>, event: &Event) {
    if cx.peers.in_cluster {
        let except = except.map(|conn| conn.0);
        cx.peers.tell(Told::Push(Push { users, except, event: event.protobuf() }));
    }
}
