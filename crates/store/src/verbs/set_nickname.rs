//! A member's own name in a group, told by a silent entry of its log.

use anser_proto::{ConversationId, v1::message::Type};

use super::append::appended;
use crate::{
    Appended, NewMessage, NicknameChange, Refusal,
    facts::{Facts, Stop, Want},
    rows::{Changing, MessageRow, Stay},
    verb::{Verb, Wants},
};

pub(crate) struct SetNickname(pub(crate) NicknameChange);

impl Verb for SetNickname {
    type Answer = Appended;

    fn wants(&self, wants: &mut Wants) {
        let NicknameChange { group, member, .. } = &self.0;
        wants.row(Want::Mailbox(member.user));
        wants.row(Want::Head(ConversationId::Group(*group)));
        wants.row(Want::Group(*group));
        wants.row(Want::Stay(*group, member.user));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<Appended, Stop> {
        let NicknameChange { group, member, nickname, login_version, .. } = &self.0;
        let (group, user, entry) = (*group, member.user, self.entry());
        if let Some(known) = facts.source.find(&entry)? {
            return known.place(facts.digests, &entry);
        }
        let mut head = facts.head(entry.conversation)?.ok_or(Refusal::NotMember)?;
        let stay = facts.membership(group, user)?.ok_or(Refusal::NotMember)?;
        facts.must_be_logged_in(user, &member.device_id, *login_version)?;
        let members_version = facts.group(group)?.ok_or(Refusal::NotMember)?.members_version;
        if stay.muted_until_ms > facts.now_ms() {
            return Err(Refusal::Forbidden.into());
        }
        let nickname = Some(nickname.clone()).filter(|nickname| !nickname.is_empty());
        if nickname == stay.nickname {
            return Ok(Appended::first(head.server_msg_id, head.server_time_ms, head.count));
        }
        head.advance_silently(facts.now_ms());
        let changing = Changing { target: 0, body_digest: facts.digests.of(&entry) };
        if let Some(known) =
            facts.source.store(MessageRow { message: &entry, head: &head, changing: Some(changing) })?
        {
            return known.place(facts.digests, &entry);
        }
        facts.move_head(entry.conversation, head);
        let stay = Stay { nickname, nickname_changed: head.server_msg_id, ..stay };
        facts.tables.stays.set((group, user), Some(stay));
        Ok(Appended { members_version, ..appended(&head) })
    }

    fn bytes(&self) -> usize {
        self.0.nickname.len()
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![ConversationId::Group(self.0.group)]
    }
}

impl SetNickname {
    fn entry(&self) -> NewMessage {
        self.0.clone().entry()
    }
}

impl NicknameChange {
    /// As it stands in the log, with what makes it the same in a retry.
    pub(crate) fn entry(self) -> NewMessage {
        let Self { group, member, client_msg_id, nickname, client_time_ms, login_version } = self;
        NewMessage {
            conversation: ConversationId::Group(group),
            from: member,
            client_msg_id,
            kind: Type::Nickname.into(),
            content: nickname,
            attachment: Default::default(),
            client_time_ms,
            counted: false,
            reply_to: 0,
            mentions: Default::default(),
            change: None,
            login_version,
        }
    }
}
