//! After the store said yes: who is connected is told. All of it is a hint: what is lost here is found by a sync.

use std::sync::Arc;

use anser_proto::{
    ConversationId, GroupId, UserId,
    v1::{self, server_frame::Body},
};
use anser_store::{Appended, Marked, MemberIds, MembersChanged, NewMessage};
use quick_cache::{Weighter, sync::Cache};

use super::wire;
use crate::{
    ctx::Ctx,
    hub::{ConnId, Event},
};

/// Members, of all groups together, who are remembered: 64 MiB.
const MEMBERS_REMEMBERED: u64 = 4 << 20;
/// Groups that the cache expects.
const GROUPS_EXPECTED: usize = 10_000;
/// Pushes after which others get their turn on this thread.
const PUSHED_AT_ONCE: usize = 256;

/// Who is in which group, as far as it was needed lately. Never believed by itself: every append tells the version of
/// the members at its place, and an older list is read anew.
pub struct Members(Cache<GroupId, MemberIds, ByMembers>);

/// A list weighs as many as it has, and one for itself.
#[derive(Clone)]
struct ByMembers;

impl Weighter<GroupId, MemberIds> for ByMembers {
    fn weight(&self, _: &GroupId, (_, members): &MemberIds) -> u64 {
        members.len() as u64 + 1
    }
}

impl Members {
    pub fn new() -> Self {
        Self(Cache::with_weighter(GROUPS_EXPECTED, MEMBERS_REMEMBERED, ByMembers))
    }

    /// Members no older than `version`.
    async fn at_least(&self, cx: &Ctx, group: GroupId, version: u64) -> Arc<[(UserId, u64)]> {
        if let Some((cached, members)) = self.0.get(&group)
            && cached >= version
        {
            return members;
        }
        match cx.store.member_ids(group).await {
            Ok((version, members)) => {
                self.0.insert(group, (version, Arc::clone(&members)));
                members
            }
            Err(error) => {
                tracing::warn!(%group, %error, "members unknown: nobody is told");
                Arc::new([])
            }
        }
    }
}

impl Default for Members {
    fn default() -> Self {
        Self::new()
    }
}

/// Tells the other devices of the parties, or of the members, of a stored message. `from` is the connection that
/// sent it and learns of it by its answer.
pub async fn message(cx: &Ctx, from: Option<ConnId>, new: &NewMessage, appended: &Appended) {
    let sender = new.from.user;
    let event = |mailbox_seq| message_event(wire::new_message(new, appended), mailbox_seq);
    match new.conversation {
        ConversationId::Single { .. } => {
            let peer = new.conversation.peer_of(sender).filter(|peer| *peer != sender);
            if let Some(peer) = peer.filter(|peer| cx.hub.has_other(*peer, None)) {
                push(cx, peer, None, &event(appended.receiver_mailbox_seq));
            }
            if cx.hub.has_other(sender, from) {
                push(cx, sender, from, &event(appended.sender_mailbox_seq));
            }
        }
        ConversationId::Group(group) => {
            let members = cx.members.at_least(cx, group, appended.members_version).await;
            let event = event(0);
            // Who joined behind this message, while the list was read, may not see it.
            for crowd in members.chunks(PUSHED_AT_ONCE) {
                for (member, _) in crowd.iter().filter(|(_, joined)| *joined <= appended.server_msg_id) {
                    push(cx, *member, from.filter(|_| *member == sender), &event);
                }
                tokio::task::yield_now().await;
            }
        }
    }
}

/// Tells a group of a change of its members, and those whom it concerns of their own session.
pub async fn members_changed(cx: &Ctx, changed: &MembersChanged) {
    let group = changed.group.group;
    let members = cx.members.at_least(cx, group, changed.group.members_version).await;
    for notice in &changed.notices {
        let message = wire::message(notice);
        // Who went sees that he did, and nothing behind it.
        let named = message.notice.as_ref().map_or(Vec::new(), |notice| notice.user_ids.clone());
        let gone = named.into_iter().map(UserId).filter(|user| members.iter().all(|(member, _)| member != user));
        let event = message_event(message, 0);
        let present = members.iter().filter(|(_, joined)| *joined <= notice.server_msg_id).map(|(member, _)| *member);
        for receiver in present.chain(gone) {
            push(cx, receiver, None, &event);
        }
    }
    for (user, _) in &changed.stamped {
        session_changed(cx, *user, None, ConversationId::Group(group)).await;
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

/// Passes on that the user is typing, to whoever is connected.
pub async fn typing(cx: &Ctx, user: UserId, from: ConnId, conversation: ConversationId) {
    let event =
        Event::new(Body::Typing(v1::TypingEvent { conversation_id: conversation.to_string(), user_id: user.0 }));
    match conversation {
        ConversationId::Single { .. } => {
            if let Some(peer) = conversation.peer_of(user) {
                push(cx, peer, Some(from), &event);
            }
        }
        ConversationId::Group(group) => {
            let members = cx.members.at_least(cx, group, 0).await;
            if members.len() > TYPING_MEMBERS_MAX || members.iter().all(|(member, _)| *member != user) {
                return;
            }
            for (member, _) in members.iter().filter(|(member, _)| *member != user) {
                push(cx, *member, None, &event);
            }
        }
    }
}

/// In larger groups nobody is told who types: it would cost more than the messages.
const TYPING_MEMBERS_MAX: usize = 100;

pub fn profile_changed(cx: &Ctx, user: v1::User, from: ConnId, mailbox_seq: u64) {
    let id = UserId(user.user_id);
    push(cx, id, Some(from), &Event::new(Body::ProfileChanged(v1::ProfileChanged { user: Some(user), mailbox_seq })));
}

async fn session_changed(cx: &Ctx, user: UserId, except: Option<ConnId>, conversation: ConversationId) {
    if !cx.hub.has_other(user, except) {
        return;
    }
    match cx.store.session(user, conversation).await {
        Ok(session) => {
            let changed = v1::SessionChanged { session: Some(wire::session(&session)) };
            push(cx, user, except, &Event::new(Body::SessionChanged(changed)));
        }
        Err(error) => tracing::warn!(%user, %conversation, %error, "session unknown: the user is not told"),
    }
}

fn message_event(message: v1::Message, mailbox_seq: u64) -> Event {
    Event::new(Body::Message(v1::MessageEvent { message: Some(message), mailbox_seq }))
}

fn push(cx: &Ctx, user: UserId, except: Option<ConnId>, event: &Event) {
    let receivers = cx.hub.push(user, except, event);
    cx.metrics.pushed.inc_by(receivers as u64);
}
