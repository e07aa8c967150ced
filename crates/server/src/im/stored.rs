//! A message that was stored, and whom it concerns.

use std::sync::Arc;

use anser_proto::{
    ConversationId, UserId,
    limits::PAGE_BYTES_MAX,
    v1::{self, server_frame::Body},
};
use anser_store::{Appended, NewMessage, Stretch};

use super::{
    deliver::{Audience, LogPosition, publish, publish_in, untold},
    members::Before,
    wire,
};
use crate::{accepted::ConnId, ctx::Ctx, event::Event, outbox::Wave};

/// A message older than this was told by whoever stored it, or found by a sync since.
const TOLD_AGAIN_MS: u64 = 120_000;
/// Members of two lists that are compared, to find who is gone, and how many of those are told: who sent the message waits meanwhile.
const COMPARED_MAX: usize = 10_000;
const GONE_MAX: usize = 16;

/// Tells the other devices of the parties, or of the members. `from` is the connection that sent it, here or elsewhere, and learns of
/// it by its answer.
pub async fn tell(
    cx: &Ctx,
    wave: &mut Wave,
    from: Option<ConnId>,
    new: &NewMessage,
    appended: &Appended,
    before: &Before,
) {
    let (sender, conversation) = (new.from.user, new.conversation);
    let Appended { members_version, server_msg_id, .. } = *appended;
    match conversation {
        ConversationId::Single { .. } => {
            let mut tell = async |user, except, mailbox_seq| {
                if cx.peers.in_cluster || cx.hub.has_other(user, except) {
                    let event = event(wire::new_message(new, appended), mailbox_seq);
                    publish_in(cx, wave, Audience::Users(&[user]), &event, except).await;
                }
            };
            if let Some(peer) = conversation.peer_of(sender).filter(|peer| *peer != sender) {
                tell(peer, None, appended.receiver_mailbox_seq).await;
            }
            tell(sender, from, appended.sender_mailbox_seq).await;
        }
        ConversationId::Group(group) => {
            if cx.members.known(group, members_version).is_none() {
                wave.wake();
            }
            let members = match cx.members.at_least(cx, group, members_version).await {
                Ok(members) => members,
                Err(error) => return untold(cx, conversation, members_version, &error),
            };
            let event = event(wire::new_message(new, appended), 0);
            let position = LogPosition { group, members_version, server_msg_id };
            publish_in(cx, wave, Audience::Members(position, &members), &event, from).await;
            if let Some((_, older)) = before.get(&group).filter(|(_, older)| !Arc::ptr_eq(older, &members)) {
                wave.wake();
                tell_gone(cx, position, older, &members, &[], &event).await;
            }
        }
    }
}

/// Tells once more of a message that a retry found stored: the node that stored it may have died before it told anybody, and
/// those connected elsewhere did not notice. Who has it already drops it.
pub async fn tell_again(cx: &Ctx, from: Option<ConnId>, new: &NewMessage, appended: &Appended) {
    let age_ms = (cx.clock)().saturating_sub(appended.server_time_ms);
    if !cx.peers.in_cluster || age_ms > TOLD_AGAIN_MS {
        return;
    }
    let (sender, conversation, server_msg_id) = (new.from.user, new.conversation, appended.server_msg_id);
    // As it stands in the log, which may show an older name of the sender than the retry.
    let page = match cx.store.read_log(sender, conversation, only(server_msg_id)).await {
        Ok(page) => page,
        Err(error) => return untold(cx, conversation, appended.members_version, &error),
    };
    let Some(event) = page.messages.first().map(|message| event(wire::message(message), 0)) else { return };
    match conversation {
        ConversationId::Single { .. } => {
            if let Some(peer) = conversation.peer_of(sender) {
                publish(cx, Audience::Users(&[peer]), &event, None).await;
            }
            publish(cx, Audience::Users(&[sender]), &event, from).await;
        }
        ConversationId::Group(group) => {
            // What is remembered may name members who went before this message.
            let (members_version, members) = match cx.store.member_ids(group).await {
                Ok(members) => members,
                Err(error) => return untold(cx, conversation, appended.members_version, &error),
            };
            let position = LogPosition { group, members_version, server_msg_id };
            publish(cx, Audience::Members(position, &members), &event, from).await;
        }
    }
}

/// Tells a few of those who left while the message was on its way here, but `told`, if they may see it: they find it by a sync as well.
pub async fn tell_gone(
    cx: &Ctx,
    position: LogPosition,
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
            publish(cx, Audience::Users(&[user]), event, None).await;
        }
    }
}

/// One message of a log.
fn only(id: u64) -> Stretch {
    Stretch { after: Some(id - 1), before: id + 1, limit: 1, bytes_max: PAGE_BYTES_MAX }
}

pub fn event(message: v1::Message, mailbox_seq: u64) -> Event {
    Event::new(Body::Message(v1::MessageEvent { message: Some(message), mailbox_seq }))
}
