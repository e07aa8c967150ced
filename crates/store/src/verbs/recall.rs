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
    facts.drop_reactions(conversation, &standing)?;
    facts.drop_pin(conversation, &mut standing)?;
    standing.keep_digest(facts);
    let target = &mut standing.message;
    (target.content, target.attachment, target.reply_to) = ("".into(), Default::default(), 0);
    target.mentions = Mentions::default();
    target.revision.recalled_by = Some(message.from.user);
    target.revision.reactions = Reactions::default();
    Ok(Some(standing))
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
