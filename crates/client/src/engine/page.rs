//! The answer to a pull, as the rules may believe it: the stretch it covers, and only what was asked for.

use std::sync::Arc;

use anser_proto::{ConversationId, SILENT_TYPES, v1};

pub(super) fn is_silent(message: &v1::Message) -> bool {
    SILENT_TYPES.contains(&message.r#type)
}

/// All that is shown behind `after` up to `through`.
pub(crate) struct Page {
    pub(crate) after: u64,
    pub(crate) through: u64,
    pub(crate) messages: Vec<Arc<v1::Message>>,
    /// Messages from before the stretch, as they are now.
    pub(crate) changed: Vec<Arc<v1::Message>>,
    pub(crate) more: bool,
    /// Of the moment at which it was read.
    pub(crate) head: u64,
}

impl Page {
    /// Drops what was not asked for, whatever made the server send it.
    pub(crate) fn new(id: ConversationId, asked_after: Option<u64>, before: u64, answer: v1::Messages) -> Self {
        let name = id.to_string();
        let is_ours = |message: &v1::Message| message.conversation_id == name && !is_silent(message);
        let floor = asked_after.unwrap_or(0);
        let is_asked = |at: u64| at > floor && (before == 0 || at < before);
        let v1::Messages { mut messages, mut changed, more, head, .. } = answer;
        messages.retain(|message| is_asked(message.server_msg_id) && is_ours(message));
        changed.retain(|message| message.server_msg_id <= floor && is_ours(message));
        let ends = messages.first().zip(messages.last()).map(|(first, last)| (first.server_msg_id, last.server_msg_id));
        let (after, through) = match answer.through {
            0 => stretch_of_before(asked_after, before, ends, more),
            through if before == 0 => (answer.after, through),
            through => (answer.after, through.min(before - 1)),
        };
        let through = ends.map_or(through, |(_, last)| last.max(through));
        let after = ends.map_or(after, |(first, _)| after.min(first - 1));
        let at_beginning = asked_after.is_none() && !more;
        let after = if at_beginning { 0 } else { after.max(floor).min(through) };
        let shared = |messages: Vec<v1::Message>| messages.into_iter().map(Arc::new).collect();
        Self { after, through, messages: shared(messages), changed: shared(changed), more, head }
    }

    /// Following it leads nowhere, and at once again: it covers nothing, and yet there is more.
    pub(crate) fn is_stuck(&self) -> bool {
        self.more && self.after == self.through
    }
}

/// A server that knows no silent entries does not tell the stretch.
fn stretch_of_before(after: Option<u64>, before: u64, ends: Option<(u64, u64)>, more: bool) -> (u64, u64) {
    let after = after.or(ends.filter(|_| more).map(|(first, _)| first - 1));
    let through = match ends {
        _ if before != 0 && !more => before - 1,
        Some((_, last)) => last,
        None => after.unwrap_or(0),
    };
    (after.unwrap_or(0), through)
}
