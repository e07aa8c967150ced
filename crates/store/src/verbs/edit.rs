//! Editing a message: its author gives it another body.

use anser_proto::{Attachment, ConversationId, limits::EDITS_MAX, v1::message::Type};

use crate::{
    EDITS_OF_A_MESSAGE, NewMessage, Refusal,
    facts::{Facts, Stop},
    rows::StandingMessage,
};

/// None: it has this body already.
pub(super) fn edit(
    facts: &mut Facts<'_>,
    message: &NewMessage,
    mut standing: StandingMessage,
    if_changed: Option<u64>,
) -> Result<Option<StandingMessage>, Stop> {
    let target = &standing.message;
    if target.from.user != message.from.user {
        return Err(Refusal::Forbidden.into());
    }
    if standing.is_recalled() {
        return Err(Refusal::Gone.into());
    }
    if if_changed.is_some_and(|changed| changed != target.revision.changed) {
        return Err(Refusal::Outdated.into());
    }
    if target.content == message.content
        && target.attachment == message.attachment
        && target.mentions == message.mentions
    {
        return Ok(None);
    }
    // What was sent is of its type, and stays so.
    let kind = Type::try_from(target.kind).unwrap_or_default();
    Attachment::parse(kind, &message.attachment).map_err(|bad| Refusal::BadAttachment(bad.to_string()))?;
    let now_ms = facts.now_ms();
    if !facts.options.edit.is_open(target.server_time_ms, now_ms) {
        return Err(Refusal::TooLate.into());
    }
    if target.revision.edits >= EDITS_MAX {
        return Err(Refusal::Limit { what: EDITS_OF_A_MESSAGE, max: EDITS_MAX }.into());
    }
    if !target.mentions.all() {
        check_all(facts, message)?;
    }
    standing.keep_digest(facts);
    let target = &mut standing.message;
    (target.content, target.attachment) = (message.content.clone(), message.attachment.clone());
    target.mentions = message.mentions.clone();
    target.revision.edited_ms = now_ms.max(target.server_time_ms);
    target.revision.edits += 1;
    Ok(Some(standing))
}

/// Who names all anew must be one who may.
fn check_all(facts: &mut Facts<'_>, message: &NewMessage) -> Result<(), Stop> {
    let ConversationId::Group(group) = message.conversation else { return Ok(message.mentions.check_all(None)?) };
    let (stay, row) = (facts.membership(group, message.from.user)?, facts.group(group)?);
    Ok(message.mentions.check_all(stay.as_ref().zip(row.as_ref()))?)
}
