//! What lies beside a page of a log: messages that were changed in it, what its messages answer, and what of the reactions is the reader's own.

use std::{collections::BTreeSet, ops::ControlFlow};

use anser_proto::{ConversationId, GroupId, UserId};

use super::{log::stays, session::start_of};
use crate::{
    GroupNickname, Message, Reference,
    query::Query,
    questions,
    read::{Snapshot, beside, sound},
    rows::{COLUMNS, Damage, Entry, HiddenRow, ReactionRow, Salvage, Stay, Take, is_silent, take_message},
};

/// Of a conversation, with their entry.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    pub(super) user: UserId,
    pub(super) conversation: ConversationId,
    pub(super) own: Entry,
}

/// Those of the messages that the reader may see, as they are now, ascending.
pub(super) async fn changed<D: Snapshot>(
    db: &mut D,
    reader: Reader,
    mut places: Vec<u64>,
) -> Result<Vec<Message>, D::Error> {
    places.sort_unstable();
    let (damaged, conversation) = (db.damaged(), reader.conversation);
    let questions = questions_for(db, reader, places, COLUMNS).await?;
    let take = |row: &mut dyn Take| {
        let mut row = Salvage::of(row);
        let message = take_message(&mut row, conversation)?;
        match row.damage {
            // What the device has of it stays.
            Some(Damage(what)) => {
                damaged.note(&Damage(format!("message {} of {conversation}: {what}", message.server_msg_id)));
                Ok(None)
            }
            None => Ok(Some(message)),
        }
    };
    let found = db.rows(questions, take).await?;
    let mut changed: Vec<_> = found.into_iter().flatten().filter(|message| !is_silent(message.kind)).collect();
    mark_own(db, reader.user, &mut changed).await?;
    Ok(changed)
}

/// What these messages answer, where it is not among them and the reader may see it.
pub(super) async fn references<D: Snapshot>(
    db: &mut D,
    reader: Reader,
    messages: &[Message],
) -> Result<Vec<Reference>, D::Error> {
    if messages.iter().all(|message| message.reply_to == 0) {
        return Ok(Vec::new());
    }
    let here: BTreeSet<u64> = messages.iter().map(|message| message.server_msg_id).collect();
    let answered = messages.iter().map(|message| message.reply_to).filter(|place| *place > 0 && !here.contains(place));
    let answered: BTreeSet<u64> = answered.collect();
    let content = db.dialect().start_of("content", anser_proto::limits::PREVIEW_CHARS_MAX);
    let columns = format!("server_msg_id, from_id, from_nickname, type, {content}, recalled_by");
    let questions = questions_for(db, reader, answered.into_iter().collect(), &columns).await?;
    let take = |row: &mut dyn Take| {
        Ok(Reference {
            server_msg_id: row.get()?,
            from: row.get()?,
            nickname: row.get()?,
            kind: row.get()?,
            content: start_of(&row.bytes()?)?,
            is_recalled: row.get::<Option<UserId>>()?.is_some(),
        })
    };
    let damaged = db.damaged();
    let found = db.rows(questions, |row| Ok(take(row).map_err(|damage| damaged.note(&damage)).ok())).await?;
    Ok(found.into_iter().flatten().collect())
}

/// The names of these members now, in order of their ids. Of who is none any more, none.
pub(super) async fn nicknames<D: Snapshot>(
    db: &mut D,
    conversation: ConversationId,
    users: BTreeSet<UserId>,
) -> Result<Vec<GroupNickname>, D::Error> {
    let ConversationId::Group(group) = conversation else { return Ok(Vec::new()) };
    let (dialect, damaged) = (db.dialect(), db.damaged());
    let questions = users.iter().map(|user| Query::with_key::<Stay>(dialect, &(group, *user))).collect();
    let found = db.rows(questions, |row| {
        let key: (GroupId, UserId) = row.get()?;
        Ok(sound::<Stay>(row, &key, &damaged).map(|stay| stay.nickname_of(key.1)))
    });
    Ok(found.await?.into_iter().flatten().collect())
}

/// A question for each place that the reader may see; the places ascend.
pub(super) async fn questions_for<D: Snapshot>(
    db: &mut D,
    reader: Reader,
    mut places: Vec<u64>,
    columns: &str,
) -> Result<Vec<Query>, D::Error> {
    let Reader { user, conversation, own } = reader;
    places.retain(|place| *place > own.cleared);
    if let (ConversationId::Group(group), Some(first), Some(last)) = (conversation, places.first(), places.last()) {
        let seen = stays(db, user, group, *first, *last).await?;
        places.retain(|place| seen.iter().any(|(first, last)| (first..=last).contains(&place)));
    }
    let may_be_hidden = |place: &&u64| **place <= own.hidden_top;
    let at = |place: &u64| Query::with_key::<HiddenRow>(db.dialect(), &(user, (conversation, *place)));
    let questions: Vec<_> = places.iter().filter(may_be_hidden).map(at).collect();
    let hidden = db.rows(questions, |row| row.get::<(UserId, (ConversationId, u64))>()).await?;
    places.retain(|place| hidden.iter().all(|(_, (_, hidden))| hidden != place));
    let (dialect, shards) = (db.dialect(), db.shards());
    let at = |place: &u64| questions::message_at(dialect, shards, user, conversation, *place, columns);
    Ok(places.iter().map(at).collect())
}

/// Tells which of the reactions are the reader's.
pub(super) async fn mark_own<D: Snapshot>(
    db: &mut D,
    reader: UserId,
    messages: &mut [Message],
) -> Result<(), D::Error> {
    let reacted: Vec<_> = (0..messages.len()).filter(|at| !messages[*at].revision.reactions.0.is_empty()).collect();
    let key_of = |message: &Message| ((message.conversation, message.server_msg_id), reader);
    let own = |at: &usize| Query::with_key::<ReactionRow>(db.dialect(), &key_of(&messages[*at]));
    let questions: Vec<_> = reacted.iter().map(own).collect();
    let damaged = db.damaged();
    let each = &mut |at: usize, row: &mut dyn Take| {
        let message = &mut messages[reacted[at]];
        let own = beside::<ReactionRow>(row, &key_of(message), &damaged);
        for reaction in &mut message.revision.reactions.0 {
            let is_own = |own: &ReactionRow| own.emojis().any(|(emoji, _)| *emoji == *reaction.emoji);
            reaction.mine = own.as_ref().is_some_and(is_own);
        }
        Ok(ControlFlow::Continue(()))
    };
    db.ask(&questions, each).await
}
