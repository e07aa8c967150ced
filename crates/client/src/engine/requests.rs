//! Requests and their answers, and events: which rule each frame is for.

use std::collections::BTreeMap;

use anser_proto::{ConversationId, UserId, v1};
use prost::Message as _;

use super::{
    ANSWER_MAX_MS, Body, CallError, CallId, Effect, Engine, MessageKey, Request, SENT_BYTES_PER_S, SILENCE_MAX_MS,
    Step, StopReason, conversation::Stretch,
};
use crate::view::{Refusal, Signal};

/// Requests that wait for answers; beyond it calls are refused.
const REQUESTS_MAX: usize = 1_024;

/// What waits for an answer, by its request id: the oldest first.
#[derive(Default)]
pub(super) struct Requests {
    waiting: BTreeMap<u32, Pending>,
    last: u32,
}

struct Pending {
    what: Asked,
    /// When it has gone out even on a slow line.
    sent_at: u64,
}

/// What a request was for.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Asked {
    Hello,
    Ping,
    Sync,
    Row(ConversationId),
    Pull(ConversationId, Stretch),
    Act(MessageKey),
    MarkRead(ConversationId, u64),
    MarkDelivered(ConversationId, u64),
    Typing,
    Bye,
    Call(CallId),
}

impl Requests {
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < REQUESTS_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The id that the next request will bear.
    pub(super) fn next_id(&self) -> u32 {
        self.last.checked_add(1).unwrap_or(1)
    }

    /// When the connection is to be taken for dead, if nothing comes after `received_at`; none while nothing is awaited.
    pub(super) fn late_at(&self, received_at: u64) -> Option<u64> {
        let oldest = self.waiting.values().next()?.sent_at;
        Some((oldest.max(received_at) + SILENCE_MAX_MS).min(oldest + ANSWER_MAX_MS))
    }

    /// A ping only asks for life, and something came.
    pub(super) fn forget_ping(&mut self) {
        self.waiting.retain(|_, pending| pending.what != Asked::Ping);
    }

    /// No answer will come any more.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Asked> + use<> {
        std::mem::take(&mut self.waiting).into_values().map(|pending| pending.what)
    }
}

impl Engine {
    pub(super) fn transmit(&mut self, cx: &mut Step<'_>, request: Request, asked: Asked) {
        let request_id = self.link.requests.next_id();
        self.link.requests.last = request_id;
        self.link.sent_at = cx.now;
        let frame = v1::ClientFrame { request_id, request: Some(request) };
        let sent_at = cx.now + frame.encoded_len() as u64 / SENT_BYTES_PER_S * 1_000;
        self.link.requests.waiting.insert(request_id, Pending { what: asked, sent_at });
        cx.effect(Effect::Transmit(frame));
    }

    pub(super) fn take_frame(&mut self, cx: &mut Step<'_>, frame: v1::ServerFrame) {
        if !self.link.is_listening() {
            return;
        }
        self.received(cx);
        if frame.request_id == 0 {
            return self.take_event(cx, frame.body);
        }
        let Some(asked) = self.link.requests.waiting.remove(&frame.request_id) else { return };
        let answer = match frame.body {
            Some(Body::Error(error)) => Err(Refusal::from(error)),
            Some(body) => Ok(body),
            // A body that this version does not know is as bad as a fault of the server.
            None => Err(Refusal::internal("the answer is empty")),
        };
        self.take_answer(cx, asked.what, frame.request_id, answer);
    }

    fn take_answer(&mut self, cx: &mut Step<'_>, asked: Asked, request_id: u32, answer: Result<Body, Refusal>) {
        match (asked, answer) {
            (Asked::Call(call), Err(refusal)) => {
                cx.effect(Effect::Answer { call, answer: Err(CallError::Refused(refusal)) });
            }
            (Asked::Call(call), Ok(body)) => {
                if let Body::Users(users) = &body {
                    self.take_users(cx, users.clone());
                }
                if let Body::Changed(changed) = &body {
                    self.take_changed(cx, changed.clone());
                }
                if let Body::SessionChanged(changed) = &body {
                    self.session_changed(cx, changed.clone());
                }
                cx.effect(Effect::Answer { call, answer: Ok(body) });
            }
            (Asked::Hello, Ok(Body::Welcome(welcome))) => self.welcome(cx, welcome),
            (Asked::Hello, Err(refusal)) => self.login_refused(cx, refusal),
            (Asked::Sync, Ok(Body::SyncPage(page))) => self.take_page(cx, page),
            (Asked::Row(wanted), Ok(Body::SyncPage(page))) => self.take_rows(cx, wanted, page),
            (Asked::Pull(conversation, stretch), Ok(Body::Messages(answer))) => {
                self.pulled(cx, conversation, stretch, answer);
            }
            (Asked::Act(key), answer) if !self.outgoing.is_carried_by(&key, request_id) => {
                self.withdrawn_answered(cx, key.conversation, &answer);
            }
            (Asked::Act(key), Ok(Body::Sent(sent))) => self.sent(cx, &key, &sent),
            (Asked::MarkRead(conversation, id), Ok(Body::Marked(marked))) => {
                self.read_marked(cx, conversation, id, &marked);
            }
            (Asked::MarkDelivered(conversation, id), Ok(Body::Marked(marked))) => {
                self.delivered_marked(cx, conversation, id, &marked);
            }
            (Asked::Ping | Asked::Typing | Asked::Bye, _) => {}
            (Asked::Hello, _) => self.lose(cx),
            (asked, Err(refusal)) => self.refused(cx, asked, request_id, refusal),
            (asked, Ok(other)) => self.refused(cx, asked, request_id, Refusal::unexpected(&other)),
        }
    }

    fn refused(&mut self, cx: &mut Step<'_>, asked: Asked, request_id: u32, error: Refusal) {
        match asked {
            Asked::Sync => self.sync_refused(cx, &error),
            Asked::Row(conversation) => {
                self.mailbox.want_row(conversation);
                self.sync_refused(cx, &error);
            }
            Asked::Pull(conversation, stretch) => self.pull_refused(cx, conversation, stretch, error),
            Asked::Act(key) => self.send_refused(cx, &key, request_id, error),
            Asked::MarkRead(conversation, id) | Asked::MarkDelivered(conversation, id) => {
                self.mark_refused(cx, conversation, id, &error);
            }
            Asked::Hello | Asked::Ping | Asked::Typing | Asked::Bye | Asked::Call(_) => {}
        }
    }

    fn take_event(&mut self, cx: &mut Step<'_>, event: Option<Body>) {
        match event {
            Some(Body::Close(close)) => {
                let code = u16::try_from(close.code).ok();
                cx.effect(Effect::Disconnect);
                self.connection_closed(cx, code, close.reason);
            }
            Some(Body::Kicked(kicked)) => {
                let code = u16::try_from(kicked.code).unwrap_or_default();
                if self.logs_in_anew(cx, Some(code)) {
                    return self.lose(cx);
                }
                self.stop(cx, StopReason::Closed { code, reason: kicked.reason });
            }
            Some(Body::Error(error)) if !self.link.is_logged_in() => self.login_refused(cx, error.into()),
            Some(Body::Draining(draining)) => self.drain(cx, draining),
            _ if !self.link.is_logged_in() => {}
            Some(Body::Message(event)) => self.message_pushed(cx, event),
            Some(Body::MessagesChanged(event)) => self.messages_changed(cx, event),
            Some(Body::Receipt(receipt)) => self.take_receipt(cx, &receipt),
            Some(Body::SessionChanged(event)) => self.session_changed(cx, event),
            Some(Body::ProfileChanged(event)) => {
                self.profile_changed(cx, event.user.unwrap_or_default(), event.mailbox_seq);
            }
            Some(Body::Changed(changed)) => self.take_changed(cx, changed),
            Some(Body::Typing(event)) => {
                if let Ok(conversation) = event.conversation_id.parse() {
                    cx.effect(Effect::Typing { conversation, user: UserId(event.user_id) });
                }
            }
            Some(Body::Presences(event)) => {
                event.presences.into_iter().for_each(|presence| cx.effect(Effect::Presence(presence)));
            }
            Some(Body::Signal(event)) => {
                if let Some(signal) = Signal::from_wire(event) {
                    cx.effect(Effect::Signal(signal));
                }
            }
            Some(Body::Lagged(_)) => self.mailbox.doubt_everything(),
            _ => {}
        }
    }

    pub(super) fn call(&mut self, cx: &mut Step<'_>, request: Request, call: CallId) {
        let refused = match () {
            () if !self.link.is_live() => CallError::Offline,
            () if !self.link.requests.has_room() => CallError::Busy,
            () => return self.transmit(cx, request, Asked::Call(call)),
        };
        cx.effect(Effect::Answer { call, answer: Err(refused) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Change, Config, Credential, Input, Output, Policy, Saved};

    fn user(nickname: &str) -> v1::User {
        v1::User { user_id: 7, nickname: nickname.into(), ..v1::User::default() }
    }

    fn answer(request_id: u32, body: Body) -> Input {
        Input::Frame(v1::ServerFrame { request_id, body: Some(body) })
    }

    #[test]
    fn a_new_nickname_is_known_as_soon_as_the_server_took_it() {
        let config = Config {
            credential: Credential::Token("token".into()),
            device: v1::Device::default(),
            client: String::new(),
            policy: Policy::default(),
        };
        let saved = Saved { user: Some(user("old")), log_id: 1, mailbox_seq: 5, ..Saved::default() };
        let mut engine = Engine::new(config, saved, 1);
        let mut out = Output::default();
        let welcome = v1::Welcome { user: Some(user("old")), log_id: 1, mailbox_seq: 5, ..v1::Welcome::default() };
        engine.step(0, Input::Tick, &mut out);
        engine.step(0, Input::Connected, &mut out);
        engine.step(0, answer(1, Body::Welcome(welcome)), &mut out);
        let request = Request::UpdateProfile(v1::UpdateProfile { nickname: Some("new".into()), ..Default::default() });
        engine.step(0, Input::Call { request, call: 1 }, &mut out);

        let mut out = Output::default();
        engine.step(0, answer(2, Body::Users(v1::Users { users: vec![user("new")], mailbox_seq: 6 })), &mut out);
        assert!(out.effects.contains(&Effect::Profile(user("new"))), "{:?}", out.effects);
        assert!(out.changes.contains(&Change::Mailbox { log_id: 1, mailbox_seq: 6 }), "{:?}", out.changes);

        // The same from another device: the newest holds, whichever comes last.
        let changed = |nickname: &str, mailbox_seq| {
            answer(0, Body::ProfileChanged(v1::ProfileChanged { user: Some(user(nickname)), mailbox_seq }))
        };
        let mut out = Output::default();
        for (nickname, seq) in [("third", 8), ("second", 7), ("third", 8)] {
            engine.step(0, changed(nickname, seq), &mut out);
        }
        let told = out.effects.iter().filter(|effect| matches!(effect, Effect::Profile(_)));
        assert_eq!(told.collect::<Vec<_>>(), [&Effect::Profile(user("third"))]);
        assert!(out.changes.contains(&Change::Mailbox { log_id: 1, mailbox_seq: 8 }), "{:?}", out.changes);
    }
}
