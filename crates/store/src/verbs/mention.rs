//! Whom messages name: who may name all, and the rows by which those who are named find it.

use std::collections::BTreeSet;

use anser_proto::{ConversationId, UserId};

use crate::{
    Mentions, Message, NewMessage, Refusal, Role,
    facts::{Facts, Stop, of_each},
    rows::{EVERYBODY, GroupRow, Head, MentionRow, Stay},
};

impl Mentions {
    /// Members who are no more than that name all where the group lets them. In a conversation of two nobody does.
    pub(super) fn check_all(&self, of: Option<(&Stay, &GroupRow)>) -> Result<(), Refusal> {
        let may_name_all = of.is_some_and(|(stay, group)| stay.role > Role::Member || group.members_mention_all);
        if self.all() && !may_name_all { Err(Refusal::Forbidden) } else { Ok(()) }
    }

    /// For whom a row is kept. Who names all needs no others.
    fn named(&self, conversation: ConversationId, author: UserId) -> BTreeSet<UserId> {
        let peer = conversation.peer_of(author);
        let may_see = |user: &UserId| *user != author && peer.is_none_or(|peer| peer == *user);
        if self.all() { BTreeSet::from([EVERYBODY]) } else { self.users().iter().copied().filter(may_see).collect() }
    }
}

/// Of a message that took its place at the head.
pub(super) fn note_mentions(facts: &mut Facts<'_>, message: &NewMessage, head: &mut Head) {
    if message.mentions.is_empty() || !message.counted {
        return;
    }
    let (conversation, from_id, place) = (message.conversation, message.from.user, head.server_msg_id);
    for user in message.mentions.named(conversation, from_id) {
        let key = (user, (conversation, place));
        facts.tables.mentions.learn(key, None);
        facts.tables.mentions.set(key, Some(MentionRow { from_id }));
        head.mentioned_top = place;
    }
}

/// Rows that are to come and to go since a message is another now.
pub(super) struct MentionsChanged(Vec<(UserId, Option<MentionRow>)>);

impl MentionsChanged {
    /// Reads what it changes.
    pub(super) fn of(facts: &mut Facts<'_>, before: &Mentions, now: &Message) -> Result<Self, Stop> {
        let Message { conversation, server_msg_id, from, mentions, counted, .. } = now;
        if before == mentions || !counted {
            return Ok(Self(Vec::new()));
        }
        let (old, new) = (before.named(*conversation, from.user), mentions.named(*conversation, from.user));
        let changed: Vec<_> = old.symmetric_difference(&new).copied().collect();
        of_each(&changed, |user| facts.mention(*user, *conversation, *server_msg_id))?;
        let row = |user| (user, new.contains(&user).then_some(MentionRow { from_id: from.user }));
        Ok(Self(changed.into_iter().map(row).collect()))
    }

    /// Tells whether somebody is named anew.
    pub(super) fn write(self, facts: &mut Facts<'_>, at: (ConversationId, u64)) -> bool {
        let names_anew = self.0.iter().any(|(_, row)| row.is_some());
        for (user, row) in self.0 {
            facts.tables.mentions.set((user, at), row);
        }
        names_anew
    }
}
