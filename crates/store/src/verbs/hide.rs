//! Hiding messages from oneself.

use anser_proto::ConversationId;

use super::{mention::MentionsChanged, recall::erase};
use crate::{
    Change, Hidden, Hide, Now,
    facts::{Facts, Stop, Want, of_each},
    rows::{Entry, HiddenRow, StandingMessage, Thing, is_silent},
    steps::distinct,
    verb::{Company, Verb, Wants},
};

pub(crate) struct HideMessages(pub(crate) Hide);

impl Verb for HideMessages {
    type Answer = Hidden;

    fn wants(&self, wants: &mut Wants) {
        let Hide { user, conversation, places, .. } = &self.0;
        let peer = conversation.peer_of(*user).filter(|peer| peer != user);
        wants.row(Want::Mailbox(*user));
        wants.row(Want::Session(*user, *conversation));
        match conversation {
            ConversationId::Group(group) => {
                wants.look_at_head(*conversation);
                wants.row(Want::Stay(*group, *user));
            }
            // Bodies may go.
            ConversationId::Single { .. } => wants.row(Want::Head(*conversation)),
        }
        if let Some(peer) = peer {
            wants.row(Want::Session(peer, *conversation));
        }
        for place in distinct(places) {
            wants.row(Want::Standing(*conversation, place));
            for reader in peer.iter().chain([user]) {
                wants.row(Want::Hidden(*reader, *conversation, place));
            }
            wants.row(Want::Change(*user, Thing::Hidden(*conversation, place)));
        }
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<Hidden, Stop> {
        let Hide { user, conversation, places, device_id, login_version } = &self.0;
        let before = facts.listed_entry(*user, *conversation)?;
        facts.must_not_be_banned(*user, *conversation)?;
        facts.must_be_logged_in(*user, device_id, *login_version)?;
        let seen = of_each(distinct(places), |place| self.seen(facts, &before, place))?;
        let mut top = before.hidden_top;
        let changes = of_each(seen.into_iter().flatten(), |standing| {
            let (place, counted) = (standing.message.server_msg_id, standing.message.counted);
            facts.tables.hidden.set((*user, (*conversation, place)), Some(HiddenRow { counted }));
            let mailbox_seq = facts.stamp_thing(*user, Thing::Hidden(*conversation, place))?;
            top = top.max(place);
            self.erase_if_gone(facts, standing)?;
            Ok(Change { mailbox_seq, now: Now::Hidden(*conversation, place) })
        })?;
        if changes.is_empty() {
            return Ok(Hidden::default());
        }
        let mailbox_seq = facts.stamp(*user, *conversation, |entry| entry.hidden_top = top)?;
        Ok(Hidden { changes, mailbox_seq })
    }

    fn weight(&self) -> usize {
        self.0.places.len()
    }

    fn company(&self) -> Company {
        Company::Everybody
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![self.0.conversation]
    }
}

impl HideMessages {
    /// What is shown to the user at this place.
    fn seen(&self, facts: &mut Facts<'_>, own: &Entry, place: u64) -> Result<Option<StandingMessage>, Stop> {
        let Hide { user, conversation, .. } = self.0;
        if facts.put_away(user, conversation, own, place)? || !facts.was_there(user, conversation, place)? {
            return Ok(None);
        }
        facts.change(user, Thing::Hidden(conversation, place))?;
        facts.hidden(user, conversation, place)?;
        if let Some(peer) = conversation.peer_of(user).filter(|peer| *peer != user) {
            facts.session(peer, conversation)?;
            facts.hidden(peer, conversation, place)?;
        }
        Ok(facts.standing(conversation, place)?.filter(|standing| !is_silent(standing.message.kind)))
    }

    /// A body that neither of two sees any more is in nobody's way but ours.
    fn erase_if_gone(&self, facts: &mut Facts<'_>, mut standing: StandingMessage) -> Result<(), Stop> {
        let Hide { user, conversation, .. } = self.0;
        let (place, Some(peer)) = (standing.message.server_msg_id, conversation.peer_of(user)) else { return Ok(()) };
        if peer != user {
            let of_peer = facts.session(peer, conversation)?.unwrap_or_default();
            if !facts.put_away(peer, conversation, &of_peer, place)? {
                return Ok(());
            }
        }
        let named = standing.message.mentions.clone();
        erase(facts, &mut standing)?;
        MentionsChanged::of(facts, &named, &standing.message)?.write(facts, (conversation, place));
        facts.tables.standing.set((conversation, place), Some(standing));
        Ok(())
    }
}
