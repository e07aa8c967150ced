//! Changing a message that stands in its log: what recalls, edits, reactions and pins have in common. Each is an entry of the log itself, a silent
//! one but for a pin, stored once as messages are; and the message is changed with all its copies.

use std::sync::Arc;

use anser_proto::{ConversationId, UserId};

use super::{
    append::{appended, may_write},
    edit::edit,
    mention::MentionsChanged,
    pin::{check_pinner, pin, unpin},
    react::react,
    recall::recall,
};
use crate::{
    Appended, Message, MessageChange, NewMessage, Refusal, Target, What, check_mute,
    facts::{Facts, Stop, Want},
    rows::{Changing, Head, MessageRow, RecalledRow, StandingMessage},
    verb::Wants,
};

pub(super) fn want_change(wants: &mut Wants, conversation: ConversationId, user: UserId, change: &MessageChange) {
    if let Target::Place(place) = change.target {
        wants.row(Want::Standing(conversation, place));
        match change.what {
            What::React => wants.row(Want::Reaction(conversation, place, user)),
            What::Recall => wants.row(Want::Recalled(conversation, place)),
            What::Pin | What::Unpin => wants.row(Want::Pin(conversation, place)),
            What::Edit { .. } => {}
        }
    }
}

/// In this order: a retry is answered, then it is judged whether the user may do anything there, whether they see the message, and whether
/// it may be changed so. Nothing is written before.
pub(super) fn change_message(
    facts: &mut Facts<'_>,
    message: &NewMessage,
    change: &MessageChange,
) -> Result<Appended, Stop> {
    let (conversation, user) = (message.conversation, message.from.user);
    if matches!(conversation, ConversationId::Single { .. }) && conversation.peer_of(user).is_none() {
        return Err(Refusal::NotMember.into());
    }
    if let Some(known) = facts.source.find(message)? {
        return known.place(facts.digests, message);
    }
    let members_version = part_in(facts, conversation, user)?;
    facts.must_be_logged_in(user, &message.from.device_id, message.login_version)?;
    check_voice(facts, conversation, user, change.what)?;
    if matches!(change.what, What::Pin | What::Unpin) {
        check_pinner(facts, conversation, user)?;
    }
    let place = place_of(facts, message, &change.target)?;
    let standing = facts.standing_seen_by(user, conversation, place)?;
    let mut head = facts.head(conversation)?.unwrap_or_default();
    let last_change = standing.message.revision.changed.max(place);
    let named_before = standing.message.mentions.clone();
    let changed = match change.what {
        What::Recall => recall(facts, message, standing)?,
        What::Edit { if_changed } => edit(facts, message, standing, if_changed)?,
        What::React => react(facts, message, standing, head.server_msg_id + 1)?,
        What::Pin => pin(facts, message, standing, head.server_msg_id + 1)?,
        What::Unpin => unpin(facts, message, standing)?,
    };
    let Some(mut changed) = changed else {
        return Ok(Appended::first(last_change, head.server_time_ms, head.count));
    };
    let mentions = MentionsChanged::of(facts, &named_before, &changed.message)?;
    match change.what {
        What::Pin => head.advance(facts.now_ms(), false),
        _ => head.advance_silently(facts.now_ms()),
    }
    let changing = Changing { target: place, body_digest: facts.digests.of(message) };
    if let Some(known) = facts.source.store(MessageRow { message, head: &head, changing: Some(changing) })? {
        return known.place(facts.digests, message);
    }
    changed.message.revision.changed = head.server_msg_id;
    if mentions.write(facts, (conversation, place)) {
        head.mentioned_top = head.mentioned_top.max(place);
    }
    if change.what == What::Recall && changed.message.counted {
        head.recalled_top = head.recalled_top.max(place);
        facts.tables.recalled.set((conversation, place), Some(RecalledRow { entry: head.server_msg_id }));
    }
    let now = Arc::new(changed.message.clone());
    facts.tables.standing.set((conversation, place), Some(changed));
    facts.move_head(conversation, head);
    Ok(Appended { members_version, changed: Some(now), ..tell(facts, conversation, user, &head)? })
}

/// The version of the members, of a group.
fn part_in(facts: &mut Facts<'_>, conversation: ConversationId, user: UserId) -> Result<u64, Stop> {
    match conversation {
        ConversationId::Single { small, big } => {
            for party in [small, big] {
                facts.must_exist(party)?;
                // All that may be damaged is read before anything is stored.
                facts.session(party, conversation)?;
            }
            Ok(0)
        }
        ConversationId::Group(group) => {
            facts.head(conversation)?.ok_or(Refusal::NotMember)?;
            facts.membership(group, user)?.ok_or(Refusal::NotMember)?;
            Ok(facts.group(group)?.ok_or(Refusal::NotMember)?.members_version)
        }
    }
}

/// Who may not write to the other one, or is muted, may take back what they wrote, and nothing else.
fn check_voice(facts: &mut Facts<'_>, conversation: ConversationId, user: UserId, what: What) -> Result<(), Stop> {
    let own = facts.session(user, conversation)?.unwrap_or_default();
    if what == What::Recall {
        return Ok(());
    }
    if let ConversationId::Group(group) = conversation {
        let (stay, row) = (facts.membership(group, user)?, facts.group(group)?);
        let (stay, row) = (stay.ok_or(Refusal::NotMember)?, row.ok_or(Refusal::NotMember)?);
        return Ok(check_mute(stay.role, stay.muted_until_ms, row.mute_all, facts.now_ms())?);
    }
    let is_with_another = conversation.peer_of(user).is_some_and(|peer| peer != user);
    if is_with_another && !may_write(facts, &own) { Err(Refusal::Forbidden.into()) } else { Ok(()) }
}

fn place_of(facts: &mut Facts<'_>, message: &NewMessage, target: &Target) -> Result<u64, Stop> {
    match target {
        Target::Place(place) => Ok(*place),
        Target::Own(client_msg_id) => {
            let own = NewMessage { client_msg_id: client_msg_id.clone(), ..message.clone() };
            let known = facts.source.find(&own)?.ok_or(Refusal::NotFound("message"))?;
            Ok(known.first.server_msg_id)
        }
    }
}

/// It concerns both parties, or the members, who find it by the group's head. No mark moves.
fn tell(facts: &mut Facts<'_>, conversation: ConversationId, user: UserId, head: &Head) -> Result<Appended, Stop> {
    let peer = match conversation {
        ConversationId::Single { .. } => conversation.peer_of(user).unwrap_or(user),
        ConversationId::Group(group) => {
            facts.answer(user, group)?;
            return Ok(appended(head));
        }
    };
    let sender_mailbox_seq = facts.stamp(user, conversation, |_| {})?;
    let receiver_mailbox_seq =
        if peer == user { sender_mailbox_seq } else { facts.stamp(peer, conversation, |_| {})? };
    Ok(Appended { sender_mailbox_seq, receiver_mailbox_seq, ..appended(head) })
}

impl StandingMessage {
    pub(super) fn is_recalled(&self) -> bool {
        self.message.revision.recalled_by.is_some()
    }

    /// The body is about to go: what it was sent with is known again by its digest.
    pub(super) fn keep_digest(&mut self, facts: &Facts<'_>) {
        let Message { kind, content, attachment, reply_to, mentions, .. } = &self.message;
        let digest = || facts.digests.of_body(*kind, content, attachment, *reply_to, mentions, None);
        self.body_digest = Some(self.body_digest.unwrap_or_else(digest));
    }
}
