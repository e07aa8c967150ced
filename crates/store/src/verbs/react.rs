//! Reacting to a message: a user says what all of their emojis below it are.

use std::collections::BTreeMap;

use anser_proto::{
    ConversationId, UserId,
    limits::{EMOJIS_MAX, REACTIONS_NAMED_MAX, REACTORS_NAMED_MAX},
};

use crate::{
    EMOJIS_OF_A_MESSAGE, NewMessage, Reaction, Reactions, Refusal,
    facts::{Facts, Stop},
    questions,
    rows::{ReactionRow, StandingMessage},
};

/// None: they are these already. `entry`: the place that the change will take.
pub(super) fn react(
    facts: &mut Facts<'_>,
    message: &NewMessage,
    mut standing: StandingMessage,
    entry: u64,
) -> Result<Option<StandingMessage>, Stop> {
    let (conversation, user, place) = (message.conversation, message.from.user, standing.message.server_msg_id);
    if standing.is_recalled() {
        return Err(Refusal::Gone.into());
    }
    let before = facts.reaction(conversation, place, user)?;
    let old: BTreeMap<&str, u64> = before.iter().flat_map(ReactionRow::emojis).collect();
    let new: Vec<&str> = message.content.split(' ').filter(|emoji| !emoji.is_empty()).collect();
    if old.len() == new.len() && new.iter().all(|emoji| old.contains_key(emoji)) {
        return Ok(None);
    }
    let reactions = &mut standing.message.revision.reactions;
    reactions.take_back(user, old.keys().copied().filter(|emoji| !new.contains(emoji)));
    reactions.add(user, new.iter().copied().filter(|emoji| !old.contains_key(emoji)));
    if reactions.0.len() > EMOJIS_MAX {
        return Err(Refusal::Limit { what: EMOJIS_OF_A_MESSAGE, max: EMOJIS_MAX as u32 }.into());
    }
    let now = ReactionRow::of(new.iter().map(|emoji| (*emoji, old.get(emoji).copied().unwrap_or(entry))));
    if !reactions.cut() {
        let mut all = facts.reactions_to(conversation, place)?;
        all.remove(&user);
        all.extend(now.clone().map(|row| (user, row)));
        reactions.name(&all);
    }
    facts.tables.reactions.set(((conversation, place), user), now);
    Ok(Some(standing))
}

impl Reactions {
    fn take_back<'e>(&mut self, user: UserId, emojis: impl Iterator<Item = &'e str>) {
        for emoji in emojis {
            if let Some(reaction) = self.0.iter_mut().find(|reaction| *reaction.emoji == *emoji) {
                reaction.count = reaction.count.saturating_sub(1);
                reaction.users.retain(|other| *other != user);
            }
        }
        self.0.retain(|reaction| reaction.count > 0);
    }

    fn add<'e>(&mut self, user: UserId, emojis: impl Iterator<Item = &'e str>) {
        for emoji in emojis {
            let Some(reaction) = self.0.iter_mut().find(|reaction| *reaction.emoji == *emoji) else {
                self.0.push(Reaction { emoji: emoji.into(), count: 1, users: vec![user], mine: false });
                continue;
            };
            // Where those before are not all named, neither is the next.
            if reaction.users.len() as u32 == reaction.count {
                reaction.users.push(user);
            }
            reaction.count += 1;
        }
    }

    /// How many of each emoji are named.
    fn named_max(&self) -> usize {
        let total: usize = self.0.iter().map(|reaction| reaction.count as usize).sum();
        if total <= REACTIONS_NAMED_MAX { REACTIONS_NAMED_MAX } else { REACTORS_NAMED_MAX }
    }

    /// Leaves those out who are too many to be named. Tells whether all who are to be named are.
    fn cut(&mut self) -> bool {
        let max = self.named_max();
        self.0.iter_mut().for_each(|reaction| reaction.users.truncate(max));
        self.0.iter().all(|reaction| reaction.users.len() == max.min(reaction.count as usize))
    }

    /// Names anew, by all that is below the message.
    fn name(&mut self, all: &BTreeMap<UserId, ReactionRow>) {
        let max = self.named_max();
        for reaction in &mut self.0 {
            let since = |(user, row): (&UserId, &ReactionRow)| {
                let (_, since) = row.emojis().find(|(emoji, _)| *emoji == &*reaction.emoji)?;
                Some((since, *user))
            };
            let mut theirs: Vec<_> = all.iter().filter_map(since).collect();
            theirs.sort_unstable();
            reaction.users = theirs.into_iter().map(|(_, user)| user).take(max).collect();
        }
    }
}

impl Facts<'_> {
    /// Everybody's below a message, as they are now.
    pub(super) fn reactions_to(
        &mut self,
        conversation: ConversationId,
        place: u64,
    ) -> Result<BTreeMap<UserId, ReactionRow>, Stop> {
        let query = questions::reactions_to(conversation, place);
        let found = self.ask(&query, |row| Ok((row.get()?, ReactionRow { emojis: row.get()? })))?;
        let rows = &mut self.tables.reactions;
        for (user, row) in found {
            rows.learn(((conversation, place), user), Some(row));
        }
        let of_message = rows.known().filter(|((target, _), _)| *target == (conversation, place));
        Ok(of_message.filter_map(|((_, user), now)| Some((*user, now.clone()?))).collect())
    }

    pub(super) fn drop_reactions(
        &mut self,
        conversation: ConversationId,
        standing: &StandingMessage,
    ) -> Result<(), Stop> {
        let place = standing.message.server_msg_id;
        if !standing.message.revision.reactions.0.is_empty() {
            for user in self.reactions_to(conversation, place)?.into_keys() {
                self.tables.reactions.set(((conversation, place), user), None);
            }
        }
        Ok(())
    }
}
