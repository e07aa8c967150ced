//! Appending messages: each once, at the next place of its log, with all its copies.

use anser_proto::{ConversationId, GroupId};
use tokio::time::Instant;

use super::{
    change::{change_message, want_change},
    mention::note_mentions,
};
use crate::{
    Appended, NewMessage, Refusal, Strangers, check_mute,
    digest::Digests,
    facts::{Facts, Known, KnownBody, Stop, Want, of_each},
    rows::{Entry, Head, MessageRow, StandingMessage},
    verb::{Company, Verb, Wants},
};

/// So many small rows are about as much as a message.
const MENTIONS_AS_A_MESSAGE: usize = 5;

/// The messages of one batch, each of which may be refused alone.
pub(crate) struct Append {
    pub(crate) batch: Vec<NewMessage>,
    /// Later nobody waits for them.
    pub(crate) until: Option<Instant>,
}

impl Verb for Append {
    type Answer = Vec<Result<Appended, Refusal>>;

    fn wants(&self, wants: &mut Wants) {
        for NewMessage { conversation, from, reply_to, change, .. } in &self.batch {
            if *reply_to > 0 {
                wants.row(Want::Standing(*conversation, *reply_to));
            }
            if let Some(change) = change {
                want_change(wants, *conversation, from.user, change);
            }
            wants.row(Want::Mailbox(from.user));
            wants.row(Want::Head(*conversation));
            wants.row(Want::Session(from.user, *conversation));
            match conversation {
                ConversationId::Group(group) => {
                    wants.row(Want::Group(*group));
                    wants.row(Want::Stay(*group, from.user));
                }
                ConversationId::Single { .. } => {
                    if let Some(peer) = conversation.peer_of(from.user) {
                        wants.row(Want::Mailbox(peer));
                        wants.row(Want::Session(peer, *conversation));
                    }
                }
            }
        }
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<Self::Answer, Stop> {
        let has_changes = self.batch.iter().any(|message| message.change.is_some());
        of_each(&self.batch, |message| match append(facts, message) {
            Ok(place) => {
                facts.appended += u64::from(!place.duplicate);
                if has_changes && message.change.is_none() && !place.duplicate {
                    stand(facts, message, &place);
                }
                Ok(Ok(place))
            }
            // It comes before anything is changed.
            Err(Stop::Refused(refusal)) => Ok(Err(refusal)),
            Err(stop) => Err(stop),
        })
    }

    fn weight(&self) -> usize {
        self.batch.iter().map(|message| 1 + message.mentions.users().len() / MENTIONS_AS_A_MESSAGE).sum()
    }

    fn bytes(&self) -> usize {
        self.batch.iter().map(NewMessage::bytes).sum()
    }

    fn until(&self) -> Option<Instant> {
        self.until
    }

    fn company(&self) -> Company {
        Company::Everybody
    }

    fn conversations(&self) -> Vec<ConversationId> {
        self.batch.iter().map(|message| message.conversation).collect()
    }

    fn messages(&self) -> &[NewMessage] {
        &self.batch
    }
}

fn append(facts: &mut Facts<'_>, message: &NewMessage) -> Result<Appended, Stop> {
    let appended = match (&message.change, message.conversation) {
        (Some(change), _) => change_message(facts, message, change),
        (None, ConversationId::Single { .. }) => append_single(facts, message),
        (None, ConversationId::Group(group)) => append_to_group(facts, group, message),
    };
    match appended {
        // The place of a retry is the first one, whatever its sender may do by now, and whatever became of what it answers. A stranger has
        // none.
        Err(Stop::Refused(refusal))
            if message.conversation.peer_of(message.from.user).is_some()
                || matches!(message.conversation, ConversationId::Group(_)) =>
        {
            let known = facts.source.find(message)?;
            known.map_or(Err(refusal.into()), |known| known.place(facts.digests, message))
        }
        appended => appended,
    }
}

/// The message may be changed by one that comes behind it in the batch.
fn stand(facts: &mut Facts<'_>, message: &NewMessage, place: &Appended) {
    let Appended { server_msg_id, server_time_ms, count, .. } = *place;
    let message = message.clone().stored(server_msg_id, server_time_ms, count);
    let (key, standing) = ((message.conversation, server_msg_id), StandingMessage { message, body_digest: None });
    facts.tables.standing.learn(key, None);
    facts.tables.standing.set(key, Some(standing));
}

/// What it answers must be there for its sender, and not recalled.
fn check_reply(facts: &mut Facts<'_>, message: &NewMessage) -> Result<(), Stop> {
    if message.reply_to == 0 {
        return Ok(());
    }
    let answered = facts.standing_seen_by(message.from.user, message.conversation, message.reply_to)?;
    if answered.is_recalled() { Err(Refusal::Gone.into()) } else { Ok(()) }
}

fn append_single(facts: &mut Facts<'_>, message: &NewMessage) -> Result<Appended, Stop> {
    let (conversation, from) = (message.conversation, message.from.user);
    let to = conversation.peer_of(from).ok_or(Refusal::NotMember)?;
    facts.must_exist(from)?;
    facts.must_exist(to)?;
    facts.must_be_logged_in(from, &message.from.device_id, message.login_version)?;
    let mut head = facts.head(conversation)?.unwrap_or_default();
    // All that may be damaged is read before anything is stored.
    let own = facts.session(from, conversation)?.unwrap_or_default();
    facts.session(to, conversation)?;
    if !may_write(facts, &own) && to != from {
        return Err(Refusal::Forbidden.into());
    }
    message.mentions.check_all(None)?;
    check_reply(facts, message)?;
    head.advance(facts.now_ms(), message.counted);
    if let Some(known) = facts.source.store(MessageRow { message, head: &head, changing: None })? {
        return known.place(facts.digests, message);
    }
    note_mentions(facts, message, &mut head);
    facts.move_head(conversation, head);
    let hides_reads = facts.mailbox_of(from)?.privacy.hides_reads;
    let sender_mailbox_seq = facts.stamp(from, conversation, |entry| {
        entry.read_to(head.place());
        entry.show(&own, hides_reads);
    })?;
    let receiver_mailbox_seq = match to == from {
        true => sender_mailbox_seq,
        false => facts.stamp(to, conversation, |_| {})?,
    };
    Ok(Appended { sender_mailbox_seq, receiver_mailbox_seq, ..appended(&head) })
}

/// Whoever may not is told so, whichever of the two blocked the other.
pub(super) fn may_write(facts: &Facts<'_>, own: &Entry) -> bool {
    !own.refused && (own.contact || facts.options.people.strangers == Strangers::Allow)
}

fn append_to_group(facts: &mut Facts<'_>, group: GroupId, message: &NewMessage) -> Result<Appended, Stop> {
    let (conversation, from) = (message.conversation, message.from.user);
    let mut head = facts.head(conversation)?.ok_or(Refusal::NotMember)?;
    let stay = facts.membership(group, from)?.ok_or(Refusal::NotMember)?;
    facts.must_be_logged_in(from, &message.from.device_id, message.login_version)?;
    let now_ms = facts.now_ms();
    let row = facts.group(group)?.ok_or(Refusal::NotMember)?;
    check_mute(stay.role, stay.muted_until_ms, row.mute_all, now_ms)?;
    message.mentions.check_all(Some((&stay, &row)))?;
    let before = facts.session(from, conversation)?.unwrap_or_default();
    let hides_reads = facts.mailbox_of(from)?.privacy.hides_reads;
    check_reply(facts, message)?;
    head.advance(now_ms, message.counted);
    if let Some(known) = facts.source.store(MessageRow { message, head: &head, changing: None })? {
        return known.place(facts.digests, message);
    }
    note_mentions(facts, message, &mut head);
    facts.move_head(conversation, head);
    let mut own = before;
    own.read_to(head.place());
    own.show(&before, hides_reads);
    facts.tables.sessions.set((from, conversation), Some(own));
    facts.answer(from, group)?;
    Ok(Appended { members_version: row.members_version, ..appended(&head) })
}

/// What the sender of the message at the head is told, before mailboxes are.
pub(super) fn appended(head: &Head) -> Appended {
    let Head { server_msg_id, server_time_ms, count, .. } = *head;
    Appended { duplicate: false, ..Appended::first(server_msg_id, server_time_ms, count) }
}

impl Known {
    pub(super) fn place(self, digests: &Digests, message: &NewMessage) -> Result<Appended, Stop> {
        let is_same = match self.body {
            KnownBody::Same => true,
            KnownBody::Other => false,
            KnownBody::Digested(digest) => digest == digests.of(message),
        };
        if is_same { Ok(self.first) } else { Err(Refusal::Conflict("client_msg_id").into()) }
    }
}
