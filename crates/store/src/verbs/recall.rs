//! Recalling a message: its body goes, for everybody; its line stays.

use anser_proto::ConversationId;

use crate::{
    Mentions, NewMessage, Reactions, Refusal, Role,
    facts::{Facts, Stop},
    rows::StandingMessage,
};

/// None: it is recalled already.
pub(super) fn recall(
    facts: &mut Facts<'_>,
    message: &NewMessage,
    mut standing: StandingMessage,
) -> Result<Option<StandingMessage>, Stop> {
    if standing.is_recalled() {
        return Ok(None);
    }
    check(facts, message, &standing)?;
    let (conversation, place) = (message.conversation, standing.message.server_msg_id);
    facts.recalled(conversation, place)?;
    facts.drop_pin(conversation, &mut standing)?;
    erase(facts, &mut standing)?;
    standing.message.revision.recalled_by = Some(message.from.user);
    Ok(Some(standing))
}

/// What was said goes, with whom it names and what is below it; a digest stays, by which it is known when it comes again.
pub(super) fn erase(facts: &mut Facts<'_>, standing: &mut StandingMessage) -> Result<(), Stop> {
    facts.drop_reactions(standing.message.conversation, standing)?;
    standing.keep_digest(facts);
    let message = &mut standing.message;
    (message.content, message.attachment, message.reply_to) = ("".into(), Default::default(), 0);
    (message.mentions, message.revision.reactions) = (Mentions::default(), Reactions::default());
    Ok(())
}

/// In a group whoever stands above the author may, at any time, and the owner their own ones too. The author may for a while.
fn check(facts: &mut Facts<'_>, message: &NewMessage, standing: &StandingMessage) -> Result<(), Stop> {
    let (user, author) = (message.from.user, standing.message.from.user);
    if let ConversationId::Group(group) = message.conversation {
        let role = facts.membership(group, user)?.map(|stay| stay.role);
        let of_author = facts.membership(group, author)?.map(|stay| stay.role);
        if role == Some(Role::Owner) || (role > Some(Role::Member) && role > of_author) {
            return Ok(());
        }
    }
    match facts.options.recall.is_open(standing.message.server_time_ms, facts.now_ms()) {
        _ if user != author => Err(Refusal::Forbidden.into()),
        true => Ok(()),
        false => Err(Refusal::TooLate.into()),
    }
}
