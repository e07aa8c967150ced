//! What is pinned in a conversation, and who reacted to a message: made of the messages as they are now.

use anser_proto::{ConversationId, UserId};

use super::{
    beside::{Reader, changed, questions_for},
    group::must_be_member,
    log::{Asked, PlanLog, ReadLog},
};
use crate::{
    Page, Pin, Reactions, ReactionsOfUser, Refusal, Stretch,
    query::bound,
    questions,
    read::{Read, Snapshot, cut, sound},
    rows::{Entry, PinRow, ReactionRow, is_notice, is_silent},
};

/// Pinned messages that are loaded at once: the page may have no room for more.
const LOADED_AT_ONCE: usize = 16;

pub(crate) struct PinsOf {
    pub(crate) reader: UserId,
    pub(crate) conversation: ConversationId,
    /// Pinned before this entry; 0: no bound.
    pub(crate) before: u64,
    pub(crate) limit: u32,
    pub(crate) bytes_max: usize,
}

impl Read for PinsOf {
    type Answer = Page<Pin>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Page<Pin>, D::Error> {
        let Self { reader, conversation, before, limit, bytes_max } = *self;
        match conversation {
            ConversationId::Group(group) => drop(must_be_member(db, reader, group).await?),
            ConversationId::Single { .. } => drop(conversation.peer_of(reader).ok_or(Refusal::NotMember)?),
        }
        let own = db.find::<Entry>(&(reader, conversation)).await?.unwrap_or_default();
        let reader = Reader { user: reader, conversation, own };
        let damaged = db.damaged();
        let pinned = db.rows(vec![questions::pins_of(conversation)], |row| {
            let place = row.get()?;
            Ok(sound::<PinRow>(row, &(conversation, place), &damaged).map(|pin| (place, pin)))
        });
        let mut pinned: Vec<_> = pinned.await?.into_iter().flatten().collect();
        pinned.retain(|(_, pin)| before == 0 || pin.entry < before);
        let (mut rows, mut bytes) = (Vec::new(), 0);
        for some in pinned.chunks(LOADED_AT_ONCE) {
            let mut messages = changed(db, reader, some.iter().map(|(place, _)| *place).collect()).await?;
            for (place, PinRow { user_id: pinned_by, .. }) in some {
                let Some(at) = messages.iter().position(|message| message.server_msg_id == *place) else { continue };
                if rows.len() == limit as usize || (bytes >= bytes_max && !rows.is_empty()) {
                    return Ok(Page { rows, more: true });
                }
                let message = messages.swap_remove(at);
                bytes += message.body_bytes();
                rows.push(Pin { message, pinned_by: *pinned_by });
            }
        }
        Ok(Page { rows, more: false })
    }
}

pub(crate) struct ReactionsTo {
    pub(crate) reader: UserId,
    pub(crate) conversation: ConversationId,
    pub(crate) place: u64,
    pub(crate) after: UserId,
    pub(crate) limit: u32,
}

impl Read for ReactionsTo {
    type Answer = Page<ReactionsOfUser>;

    async fn read<D: Snapshot>(&self, db: &mut D) -> Result<Page<ReactionsOfUser>, D::Error> {
        let Self { reader, conversation, place, after, limit } = *self;
        let stretch = Stretch { after: Some(place), before: 0, limit: 1, bytes_max: 0 };
        let asked = ReadLog { reader, conversation, stretch, asked: Asked::ByReader };
        let reader = PlanLog(asked).read(db).await?.reader();
        let questions = questions_for(db, reader, vec![place], "type, reactions").await?;
        let found = db.rows(questions, |row| Ok((row.small()?, row.get::<Reactions>()?))).await?.pop();
        let said = found.filter(|(kind, _)| !is_silent(*kind) && !is_notice(*kind));
        let (_, Reactions(below)) = said.ok_or(Refusal::NotFound("message"))?;
        let nth = |emoji: &str| below.iter().position(|reaction| *reaction.emoji == *emoji);
        let question = questions::reactions_behind(conversation, place, bound(after.0), u64::from(limit) + 1);
        let damaged = db.damaged();
        let reactions = db.rows(vec![question], |row| {
            let user = row.get()?;
            let Some(row) = sound::<ReactionRow>(row, &((conversation, place), user), &damaged) else {
                return Ok(None);
            };
            let mut emojis: Vec<_> = row.emojis().map(|(emoji, _)| emoji).collect();
            emojis.sort_by_key(|emoji| nth(emoji));
            Ok(Some(ReactionsOfUser { user, emojis: emojis.into_iter().map(Into::into).collect() }))
        });
        Ok(cut(reactions.await?, limit).sound())
    }
}
