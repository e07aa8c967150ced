//! Pinning a message in its conversation, and unpinning it.

use anser_proto::{ConversationId, UserId, limits::PINS_MAX};

use crate::{
    NewMessage, PINS_OF_A_CONVERSATION, Refusal, Role,
    facts::{Facts, Stop, of_each},
    questions,
    rows::{PinRow, Row as _, StandingMessage},
};

/// None: it is pinned already. `entry`: the place that the change will take.
pub(super) fn pin(
    facts: &mut Facts<'_>,
    message: &NewMessage,
    mut standing: StandingMessage,
    entry: u64,
) -> Result<Option<StandingMessage>, Stop> {
    let (conversation, user, place) = (message.conversation, message.from.user, standing.message.server_msg_id);
    if standing.is_recalled() {
        return Err(Refusal::Gone.into());
    }
    if standing.message.revision.pinned > 0 {
        return Ok(None);
    }
    facts.pin(conversation, place)?;
    facts.find_room_for_pin(conversation)?;
    facts.tables.pins.set((conversation, place), Some(PinRow { entry, user_id: user }));
    standing.message.revision.pinned = entry;
    Ok(Some(standing))
}

/// None: it is not pinned.
pub(super) fn unpin(
    facts: &mut Facts<'_>,
    message: &NewMessage,
    mut standing: StandingMessage,
) -> Result<Option<StandingMessage>, Stop> {
    if standing.message.revision.pinned == 0 {
        return Ok(None);
    }
    facts.drop_pin(message.conversation, &mut standing)?;
    Ok(Some(standing))
}

/// In a group the owner and admins may, of two both.
pub(super) fn check_pinner(facts: &mut Facts<'_>, conversation: ConversationId, user: UserId) -> Result<(), Stop> {
    let ConversationId::Group(group) = conversation else { return Ok(()) };
    let stay = facts.membership(group, user)?.ok_or(Refusal::NotMember)?;
    if stay.role > Role::Member { Ok(()) } else { Err(Refusal::Forbidden.into()) }
}

impl Facts<'_> {
    pub(super) fn drop_pin(
        &mut self,
        conversation: ConversationId,
        standing: &mut StandingMessage,
    ) -> Result<(), Stop> {
        if standing.message.revision.pinned > 0 {
            let place = standing.message.server_msg_id;
            self.pin(conversation, place)?;
            self.tables.pins.set((conversation, place), None);
            standing.message.revision.pinned = 0;
        }
        Ok(())
    }

    /// Nobody could unpin what neither of two sees any more: it makes room.
    fn find_room_for_pin(&mut self, conversation: ConversationId) -> Result<(), Stop> {
        let pinned = self.pins_of(conversation)?;
        if pinned.len() < PINS_MAX as usize {
            return Ok(());
        }
        let out_of_sight = of_each(pinned, |place| match self.is_out_of_sight(conversation, place)? {
            true => self.standing(conversation, place),
            false => Ok(None),
        })?;
        let mut has_room = false;
        for mut standing in out_of_sight.into_iter().flatten() {
            let place = standing.message.server_msg_id;
            self.drop_pin(conversation, &mut standing)?;
            self.tables.standing.set((conversation, place), Some(standing));
            has_room = true;
        }
        if has_room { Ok(()) } else { Err(Refusal::Limit { what: PINS_OF_A_CONVERSATION, max: PINS_MAX }.into()) }
    }

    /// What is pinned in a conversation, as it is now.
    fn pins_of(&mut self, conversation: ConversationId) -> Result<Vec<u64>, Stop> {
        let found = self.ask(&questions::pins_of(conversation), |row| Ok((row.get()?, PinRow::take(row)?)))?;
        let rows = &mut self.tables.pins;
        for (place, row) in found {
            rows.learn((conversation, place), Some(row));
        }
        let of_conversation = rows.known().filter(|((of, _), now)| *of == conversation && now.is_some());
        let mut places: Vec<_> = of_conversation.map(|((_, place), _)| *place).collect();
        places.sort_unstable();
        Ok(places)
    }

    /// Both parties of a one-to-one conversation put it away.
    fn is_out_of_sight(&mut self, conversation: ConversationId, place: u64) -> Result<bool, Stop> {
        let ConversationId::Single { small, big } = conversation else { return Ok(false) };
        for party in [small, big] {
            let entry = self.session(party, conversation)?.unwrap_or_default();
            if !self.put_away(party, conversation, &entry, place)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
