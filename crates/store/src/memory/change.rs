//! Recalls, edits, reactions and pins: plainly, on the one copy that there is.

use anser_proto::{
    Attachment, ConversationId, UserId,
    limits::{EDITS_MAX, EMOJIS_MAX, REACTIONS_NAMED_MAX, REACTORS_NAMED_MAX},
    v1::message::Type,
};

use super::{Reacted, State};
use crate::{
    Appended, EDITS_OF_A_MESSAGE, EMOJIS_OF_A_MESSAGE, Mentions, Message, MessageChange, NewMessage, PIN_NOTICE,
    Reaction, Reactions, Refusal, Role, Target, What,
};

pub(super) fn is_silent(kind: i32) -> bool {
    [Type::Recall, Type::Edit, Type::Reaction, Type::Unpin, Type::Nickname]
        .into_iter()
        .any(|silent| silent as i32 == kind)
}

pub(super) fn is_notice(kind: i32) -> bool {
    kind == Type::Notice as i32 || kind == PIN_NOTICE
}

impl State {
    /// What an entry changed; 0: it is no silent one.
    pub(super) fn target(&self, entry: &Message) -> u64 {
        self.targets.get(&(entry.conversation, entry.server_msg_id)).copied().unwrap_or(0)
    }

    /// A message that somebody sent and that the user sees.
    pub(super) fn said(&self, user: UserId, conversation: ConversationId, place: u64) -> Result<&Message, Refusal> {
        let seen = self.kept(user, conversation)?;
        let is_said = |kind| !is_silent(kind) && !is_notice(kind);
        let said = seen.into_iter().find(|message| message.server_msg_id == place && is_said(message.kind));
        said.ok_or(Refusal::NotFound("message"))
    }

    pub(super) fn change(
        &mut self,
        new: NewMessage,
        change: &MessageChange,
        members_version: u64,
    ) -> Result<Appended, Refusal> {
        let (conversation, from) = (new.conversation, new.from.user);
        if change.what != What::Recall {
            self.may_write(from, conversation)?;
        }
        if matches!(change.what, What::Pin | What::Unpin) {
            self.may_pin(from, conversation)?;
        }
        let place = match &change.target {
            Target::Place(place) => *place,
            Target::Own(id) => {
                let own = self.places.get(&(conversation, from, id.clone()));
                own.ok_or(Refusal::NotFound("message"))?.0
            }
        };
        let before = self.said(from, conversation, place)?.clone();
        let mut now = before.clone();
        match change.what {
            What::Recall => self.recall(from, &mut now)?,
            What::Edit { if_changed } => self.edit(&new, if_changed, &mut now)?,
            What::React => self.react(&new, &mut now)?,
            What::Pin => self.pin(&new, &mut now)?,
            What::Unpin => now.revision.pinned = 0,
        }
        let head = self.logs[&conversation].last().expect("a message is in it");
        if now == before {
            let last_change = before.revision.changed.max(place);
            return Ok(Appended::first(last_change, head.server_time_ms, head.count));
        }
        now.revision.changed = head.server_msg_id + 1;
        let mut entry = NewMessage { mentions: Mentions::default(), counted: false, ..new.clone() };
        if change.what != What::Pin {
            (entry.content, entry.attachment) = Default::default();
        }
        let stored = self.push(entry);
        self.targets.insert((conversation, stored.server_msg_id), place);
        self.places.insert((conversation, from, new.client_msg_id.clone()), (stored.server_msg_id, new));
        let log = self.logs.get_mut(&conversation).expect("a message is in it");
        log[place as usize - 1] = now.clone();
        self.stats.appended += 1;
        self.answer(from, conversation);
        Ok(Appended { changed: Some(now.into()), ..self.appended(&stored, from, members_version) })
    }

    fn recall(&mut self, by: UserId, target: &mut Message) -> Result<(), Refusal> {
        if target.revision.recalled_by.is_some() {
            return Ok(());
        }
        let author = target.from.user;
        let role = |user| match target.conversation {
            ConversationId::Group(group) => self.groups[&group].present(user).map(|one| one.role),
            ConversationId::Single { .. } => None,
        };
        let stands_above = match role(by) {
            Some(Role::Owner) => true,
            Some(Role::Admin) => matches!(role(author), None | Some(Role::Member)),
            _ => false,
        };
        if !stands_above && by != author {
            return Err(Refusal::Forbidden);
        }
        if !stands_above && !self.options.recall.is_open(target.server_time_ms, (self.options.clock)()) {
            return Err(Refusal::TooLate);
        }
        (target.content, target.attachment, target.reply_to) = ("".into(), Default::default(), 0);
        target.mentions = Mentions::default();
        target.revision.recalled_by = Some(by);
        target.revision.reactions = Reactions::default();
        target.revision.pinned = 0;
        self.reactions.remove(&(target.conversation, target.server_msg_id));
        Ok(())
    }

    fn edit(&self, new: &NewMessage, if_changed: Option<u64>, target: &mut Message) -> Result<(), Refusal> {
        let now_ms = (self.options.clock)();
        if target.from.user != new.from.user {
            return Err(Refusal::Forbidden);
        }
        if target.revision.recalled_by.is_some() {
            return Err(Refusal::Gone);
        }
        if if_changed.is_some_and(|changed| changed != target.revision.changed) {
            return Err(Refusal::Outdated);
        }
        if (&target.content, &target.attachment, &target.mentions) == (&new.content, &new.attachment, &new.mentions) {
            return Ok(());
        }
        if let Ok(kind) = Type::try_from(target.kind)
            && let Err(bad) = Attachment::parse(kind, &new.attachment)
        {
            return Err(Refusal::BadAttachment(bad.to_string()));
        }
        if !self.options.edit.is_open(target.server_time_ms, now_ms) {
            return Err(Refusal::TooLate);
        }
        if target.revision.edits == EDITS_MAX {
            return Err(Refusal::Limit { what: EDITS_OF_A_MESSAGE, max: EDITS_MAX });
        }
        if !target.mentions.all() {
            self.may_name_all(new.from.user, new)?;
        }
        (target.content, target.attachment) = (new.content.clone(), new.attachment.clone());
        target.mentions = new.mentions.clone();
        target.revision.edits += 1;
        target.revision.edited_ms = now_ms.max(target.server_time_ms);
        Ok(())
    }

    fn react(&mut self, new: &NewMessage, target: &mut Message) -> Result<(), Refusal> {
        if target.revision.recalled_by.is_some() {
            return Err(Refusal::Gone);
        }
        let (user, key) = (new.from.user, (target.conversation, target.server_msg_id));
        let named: Vec<&str> = new.content.split(' ').filter(|emoji| !emoji.is_empty()).collect();
        let mut all = self.reactions.get(&key).cloned().unwrap_or_default();
        for (emoji, users) in &mut all {
            users.retain(|other| *other != user || named.contains(&&**emoji));
        }
        all.retain(|(_, users)| !users.is_empty());
        for emoji in named {
            match all.iter_mut().find(|(other, _)| **other == *emoji) {
                Some((_, users)) if users.contains(&user) => {}
                Some((_, users)) => users.push(user),
                None => all.push((emoji.into(), vec![user])),
            }
        }
        if all.len() > EMOJIS_MAX {
            return Err(Refusal::Limit { what: EMOJIS_OF_A_MESSAGE, max: EMOJIS_MAX as u32 });
        }
        target.revision.reactions = summed(&all);
        self.reactions.insert(key, all);
        Ok(())
    }

    pub(super) fn mark_own(&self, reader: UserId, message: &mut Message) {
        let Some(all) = self.reactions.get(&(message.conversation, message.server_msg_id)) else { return };
        for (reaction, (_, users)) in message.revision.reactions.0.iter_mut().zip(all) {
            reaction.mine = users.contains(&reader);
        }
    }
}

fn summed(all: &[Reacted]) -> Reactions {
    let total: usize = all.iter().map(|(_, users)| users.len()).sum();
    let named = if total <= REACTIONS_NAMED_MAX { usize::MAX } else { REACTORS_NAMED_MAX };
    let sum = |(emoji, users): &Reacted| Reaction {
        emoji: emoji.clone(),
        count: users.len() as u32,
        users: users.iter().copied().take(named).collect(),
        mine: false,
    };
    Reactions(all.iter().map(sum).collect())
}
