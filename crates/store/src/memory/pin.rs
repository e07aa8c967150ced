//! What is pinned, and who reacted: looked up in the logs.

use anser_proto::{ConversationId, UserId, limits::PINS_MAX};

use super::{State, page};
use crate::{Message, NewMessage, PINS_OF_A_CONVERSATION, Page, Pin, ReactionsOfUser, Refusal, Role};

impl State {
    pub(super) fn may_pin(&self, user: UserId, conversation: ConversationId) -> Result<(), Refusal> {
        let ConversationId::Group(group) = conversation else { return Ok(()) };
        match self.groups[&group].present(user).map(|own| own.role) {
            Some(Role::Owner | Role::Admin) => Ok(()),
            _ => Err(Refusal::Forbidden),
        }
    }

    pub(super) fn pin(&mut self, new: &NewMessage, target: &mut Message) -> Result<(), Refusal> {
        if target.revision.recalled_by.is_some() {
            return Err(Refusal::Gone);
        }
        if target.revision.pinned > 0 {
            return Ok(());
        }
        if self.pinned(new.conversation).len() >= PINS_MAX as usize && !self.drop_unseen_pins(new.conversation) {
            return Err(Refusal::Limit { what: PINS_OF_A_CONVERSATION, max: PINS_MAX });
        }
        target.revision.pinned = self.head(new.conversation) + 1;
        Ok(())
    }

    /// The places, pinned last first.
    fn pinned(&self, conversation: ConversationId) -> Vec<u64> {
        let log = self.logs.get(&conversation).map_or(&[][..], Vec::as_slice);
        let mut pinned: Vec<&Message> = log.iter().filter(|message| message.revision.pinned > 0).collect();
        pinned.sort_by_key(|message| std::cmp::Reverse(message.revision.pinned));
        pinned.into_iter().map(|message| message.server_msg_id).collect()
    }

    /// What both of two put away does not stay pinned where room is needed. Tells whether there is some now.
    fn drop_unseen_pins(&mut self, conversation: ConversationId) -> bool {
        let ConversationId::Single { small, big } = conversation else { return false };
        let mut unseen = self.pinned(conversation);
        unseen.retain(|place| [small, big].iter().all(|party| self.is_put_away(*party, conversation, *place)));
        let log = self.logs.get_mut(&conversation).expect("something in it is pinned");
        unseen.iter().for_each(|place| log[*place as usize - 1].revision.pinned = 0);
        !unseen.is_empty()
    }

    pub(super) fn pins(
        &self,
        reader: UserId,
        conversation: ConversationId,
        before: u64,
        limit: u32,
        bytes_max: usize,
    ) -> Result<Page<Pin>, Refusal> {
        if let ConversationId::Group(group) = conversation {
            self.as_member(reader, group)?;
        }
        let seen = self.kept(reader, conversation)?;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for place in self.pinned(conversation) {
            let Some(message) = seen.iter().find(|message| message.server_msg_id == place) else { continue };
            let entry = message.revision.pinned;
            if before > 0 && entry >= before {
                continue;
            }
            if rows.len() >= limit as usize || (bytes >= bytes_max && !rows.is_empty()) {
                return Ok(Page { rows, more: true });
            }
            let mut message = (*message).clone();
            self.mark_own(reader, &mut message);
            bytes += message.body_bytes();
            rows.push(Pin { message, pinned_by: self.logs[&conversation][entry as usize - 1].from.user });
        }
        Ok(Page { rows, more: false })
    }

    pub(super) fn reactions(
        &self,
        reader: UserId,
        conversation: ConversationId,
        place: u64,
        after: UserId,
        limit: u32,
    ) -> Result<Page<ReactionsOfUser>, Refusal> {
        self.said(reader, conversation, place)?;
        let below = self.reactions.get(&(conversation, place)).map_or(&[][..], Vec::as_slice);
        let mut users: Vec<UserId> = below.iter().flat_map(|(_, users)| users.iter().copied()).collect();
        users.retain(|user| *user > after);
        users.sort();
        users.dedup();
        let of = |user: UserId| {
            let theirs = below.iter().filter(|(_, users)| users.contains(&user));
            ReactionsOfUser { user, emojis: theirs.map(|(emoji, _)| emoji.clone()).collect() }
        };
        Ok(page(users.into_iter().map(of), limit))
    }
}
