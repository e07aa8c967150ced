//! Changes of what was said, which come as messages in their present state and never as operations.
//!
//! Rules:
//! - Of two states of a message the one with the greater `changed` is the newer; the store compares, so that a push that is lost, doubled
//!   or late does no harm.
//! - Silent entries have places in the log: a push that continues the position moves it, one beyond is a hole and is pulled.
//! - A notice of a pin is shown, and changes a message all the same: both come together.
//! - Of what is not kept here only the newest change is noted, so that an older page that was read before it is not kept.

use std::sync::Arc;

use anser_proto::{ConversationId, UserId, v1};

use super::{
    Effect, Engine, Step,
    conversation::{Conversation, Placed, preview},
    page::is_silent,
};

/// What such a notice changed is told with it.
pub(super) fn is_pin(message: &v1::Message) -> bool {
    message.notice.as_ref().is_some_and(|notice| notice.kind() == v1::notice::Kind::Pinned)
}

impl Engine {
    pub(super) fn messages_changed(&mut self, cx: &mut Step<'_>, event: v1::MessagesChanged) {
        let Ok(id) = event.conversation_id.parse::<ConversationId>() else { return };
        let is_ours = |message: &v1::Message| message.conversation_id == event.conversation_id && !is_silent(message);
        let changed = event.changed.into_iter().filter(is_ours).map(Arc::new).collect();
        if !event.nicknames.is_empty() {
            cx.effect(Effect::Nicknames(id, event.nicknames));
        }
        let me = self.me();
        let placed = self.conversation(id).change(event.after, event.through, changed, me);
        self.present(cx, id, placed);
        self.note_change_of(cx, id, event.mailbox_seq);
    }
}

impl Conversation {
    /// Silent entries behind `after` up to `through` changed these messages.
    fn change(&mut self, after: u64, through: u64, changed: Vec<Arc<v1::Message>>, me: UserId) -> Placed {
        let mut placed = Placed::default();
        self.kept.session.head = self.kept.session.head.max(through);
        // A push knows the present stay alone: what is kept of earlier ones is asked for.
        let is_told = !changed.is_empty() || !self.kept.has_left;
        self.take_changed(changed, me, &mut placed);
        if is_told && !self.is_fresh() && after <= self.kept.high {
            self.reach(through, me, &mut placed);
        }
        placed
    }

    /// A notice that changed these messages. It does not wait for a hole before it: what it changed would be forgotten until then, and that is pulled with it.
    pub(super) fn place_pin(&mut self, notice: Arc<v1::Message>, changed: Vec<Arc<v1::Message>>, me: UserId) -> Placed {
        let mut placed = Placed::default();
        let id = notice.server_msg_id;
        self.kept.session.head = self.kept.session.head.max(id);
        // As of a silent entry.
        let is_told = !changed.is_empty() || !self.kept.has_left;
        self.take_changed(changed, me, &mut placed);
        if is_told && !self.is_fresh() && id == self.kept.high.saturating_add(1) {
            let Placed { shown, changed, dropped_before } = self.place(notice, me);
            placed.shown = shown;
            placed.changed.extend(changed);
            placed.dropped_before = dropped_before;
        }
        placed
    }

    /// Messages as they are now: of those that are kept, or wait, the newer states.
    pub(super) fn take_changed(&mut self, changed: Vec<Arc<v1::Message>>, me: UserId, placed: &mut Placed) {
        for message in changed.into_iter().filter(|message| message.changed > 0) {
            let id = message.server_msg_id;
            if let Some(waiting) = self.window.get_mut(&id).filter(|waiting| waiting.changed < message.changed) {
                *waiting = message;
            } else if id <= self.kept.high && !self.is_fresh() {
                self.note_recalled(&message);
                self.note_mentions(&message, me);
                self.follow_preview(&message);
                if id >= self.kept.low {
                    placed.changed.push(message);
                } else {
                    self.changed_before = self.changed_before.max(message.changed);
                }
            }
        }
    }

    fn follow_preview(&mut self, message: &v1::Message) {
        let last = self.kept.session.last.as_mut().filter(|last| last.server_msg_id == message.server_msg_id);
        if let Some(last) = last.filter(|_| message.changed > self.kept.last_changed) {
            *last = preview(message);
            self.kept.last_changed = message.changed;
        }
    }
}
