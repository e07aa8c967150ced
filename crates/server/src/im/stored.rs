//! A message that was stored, and whom it concerns.

use std::ops::RangeInclusive;

use anser_proto::{
    ConversationId, GroupId, UserId,
    limits::{PAGE_BYTES_MAX, PAGE_MAX},
    v1::{self, server_frame::Body},
};
use anser_store::{Appended, MemberIds, NewMessage, PIN_NOTICE, Stretch};

use super::{
    change,
    deliver::{Audience, LogPosition, members_to_tell, missed, publish, untold},
    members::MemberList,
    wire,
};
use crate::{accepted::ConnId, ctx::Ctx, event::Event, outbox::Wave};

/// A message older than this was told by whoever stored it, or found by a sync since.
const TOLD_AGAIN_MS: u64 = 120_000;
/// Members of two lists that are compared, to find who is gone, and how many of those are told.
const COMPARED_MAX: usize = 10_000;
const GONE_MAX: usize = 16;

/// Tells the other devices of the parties, or of the members, and says who those are. `from` is the connection that sent it, here or
/// elsewhere, and learns of it by its answer.
pub async fn tell(
    cx: &Ctx,
    wave: &mut Wave,
    from: ConnId,
    new: &NewMessage,
    appended: &Appended,
) -> Option<(GroupId, MemberList)> {
    let (sender, conversation) = (new.from.user, new.conversation);
    let Appended { members_version, server_msg_id, .. } = *appended;
    match conversation {
        ConversationId::Single { .. } => {
            let mut tell = async |user, except, mailbox_seq| {
                if cx.peers.in_cluster || cx.hub.has_other(user, except) {
                    let event = event(wire::new_message(new, appended), mailbox_seq);
                    publish(cx, wave, Audience::Users(&[user]), &event, except).await;
                }
            };
            if let Some(peer) = conversation.peer_of(sender).filter(|peer| *peer != sender) {
                tell(peer, None, appended.receiver_mailbox_seq).await;
            }
            tell(sender, Some(from), appended.sender_mailbox_seq).await;
            None
        }
        ConversationId::Group(group) => {
            let members = members_to_tell(cx, wave, group, members_version).await?;
            let event = event(wire::new_message(new, appended), 0);
            let position = LogPosition { group, members_version, server_msg_id, behind: 0 };
            publish(cx, wave, Audience::Members(position, &members), &event, Some(from)).await;
            Some((group, members))
        }
    }
}

/// Tells once more of a message that a retry found stored: the node that stored it may have died before it told anybody, and
/// those connected elsewhere did not notice. Who has it already drops it.
pub async fn tell_again(cx: &Ctx, from: ConnId, new: &NewMessage, appended: &Appended) {
    let age_ms = (cx.clock)().saturating_sub(appended.server_time_ms);
    if !cx.peers.in_cluster || age_ms > TOLD_AGAIN_MS {
        return;
    }
    let (sender, conversation, server_msg_id) = (new.from.user, new.conversation, appended.server_msg_id);
    // As it stands in the log, which may show an older name of the sender than the retry.
    let page = match cx.store.read_log(sender, conversation, stretch(&(server_msg_id..=server_msg_id))).await {
        Ok(page) => page,
        Err(error) => return untold(cx, conversation, appended.members_version, &error),
    };
    if new.kind == PIN_NOTICE && (page.messages.is_empty() || page.changed.is_empty()) {
        // Its sender put away what others may lack.
        return missed(cx, conversation, appended.members_version);
    }
    let wave = &mut Wave::default();
    if let Some(target) = page.changed.into_iter().next() {
        let members_version = match conversation {
            ConversationId::Single { .. } => 0,
            // As below.
            ConversationId::Group(group) => match cx.store.member_ids(group).await {
                Ok(members) => members.version,
                Err(error) => return untold(cx, conversation, appended.members_version, &error),
            },
        };
        let appended = Appended { members_version, ..appended.clone() };
        let shown = page.messages.first().map(wire::message);
        return change::tell(cx, wave, sender, &appended, shown, &target.for_all()).await;
    }
    let Some(event) = page.messages.into_iter().next().map(|message| event(wire::message(&message.for_all()), 0))
    else {
        return;
    };
    match conversation {
        ConversationId::Single { .. } => {
            if let Some(peer) = conversation.peer_of(sender) {
                publish(cx, wave, Audience::Users(&[peer]), &event, None).await;
            }
            publish(cx, wave, Audience::Users(&[sender]), &event, Some(from)).await;
        }
        ConversationId::Group(group) => {
            // What is remembered may name members who went before this message.
            let MemberIds { version: members_version, members, .. } = match cx.store.member_ids(group).await {
                Ok(members) => members,
                Err(error) => return untold(cx, conversation, appended.members_version, &error),
            };
            let position = LogPosition { group, members_version, server_msg_id, behind: 0 };
            publish(cx, wave, Audience::Members(position, &members), &event, Some(from)).await;
        }
    }
}

/// Tells a few of those who left while these messages of a group were on their way here, but `told`, what of them they may see: they
/// find it by a sync as well.
pub async fn tell_gone(
    cx: &Ctx,
    group: GroupId,
    ids: RangeInclusive<u64>,
    older: &[(UserId, u64)],
    members: &[(UserId, u64)],
    told: &[u64],
) {
    if older.len() > COMPARED_MAX || std::ptr::eq(older, members) {
        return;
    }
    let conversation = ConversationId::Group(group);
    let is_gone =
        |user: &UserId| members.binary_search_by_key(user, |(member, _)| *member).is_err() && !told.contains(&user.0);
    let gone = older.iter().map(|(user, _)| *user).filter(is_gone);
    for user in gone.filter(|user| cx.peers.in_cluster || cx.hub.has_other(*user, None)).take(GONE_MAX) {
        // They may have left before some of them, too.
        let Ok(page) = cx.store.read_log(user, conversation, stretch(&ids)).await else { continue };
        let wave = &mut Wave::default();
        for message in &page.messages {
            publish(cx, wave, Audience::Users(&[user]), &event(wire::message(message), 0), None).await;
        }
    }
}

/// These of a log, or as many of them as are a page.
fn stretch(ids: &RangeInclusive<u64>) -> Stretch {
    Stretch { after: Some(ids.start() - 1), before: ids.end() + 1, limit: PAGE_MAX, bytes_max: PAGE_BYTES_MAX }
}

pub fn event(message: v1::Message, mailbox_seq: u64) -> Event {
    Event::new(Body::Message(v1::MessageEvent { message: Some(message), mailbox_seq, changed: Vec::new() }))
}
