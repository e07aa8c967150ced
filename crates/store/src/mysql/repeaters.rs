//! Senders who lately sent again what was stored. Nobody looks first whether a message is stored, since hardly any is, and when one is the whole
//! transaction is done again. So that a retry costs its own work and not that of all who share its transaction, messages of these senders
//! are looked for; and for a moment all, since retries come in waves, as when a node was killed.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anser_proto::UserId;
use quick_cache::unsync::Cache;
use tokio::time::Instant;

use crate::NewMessage;

/// Who are remembered, and for how long since the last of it.
const SENDERS_MAX: usize = 10_000;
const REMEMBERED: Duration = Duration::from_secs(600);
/// How long all are looked at after somebody new.
const WAVE: Duration = Duration::from_secs(1);

pub(super) struct Repeaters(Mutex<Inner>);

struct Inner {
    senders: Cache<UserId, Instant>,
    wave_until: Instant,
}

impl Repeaters {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Inner { senders: Cache::new(SENDERS_MAX), wave_until: Instant::now() }))
    }

    pub(super) fn note(&self, senders: impl IntoIterator<Item = UserId>, now: Instant) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in senders {
            if inner.senders.get(&sender).is_none_or(|until| *until < now) {
                inner.wave_until = now + WAVE;
            }
            inner.senders.insert(sender, now + REMEMBERED);
        }
    }

    /// Of these, the messages that are to be looked for.
    pub(super) fn among<'m>(
        &self,
        messages: impl Iterator<Item = &'m NewMessage>,
        now: Instant,
    ) -> Vec<&'m NewMessage> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wave = now < inner.wave_until;
        let repeats = |sender| inner.senders.get(&sender).is_some_and(|until| now < *until);
        messages.filter(|message| is_wave || repeats(message.from.user)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sender;

    fn message(from: u64) -> NewMessage {
        NewMessage {
            conversation: anser_proto::ConversationId::single(UserId(from), UserId(9)),
            from: Sender { user: UserId(from), nickname: "".into(), platform: 0, device_id: "".into() },
            client_msg_id: "m".parse().expect("an id"),
            kind: 1,
            content: "".into(),
            attachment: bytes::Bytes::new(),
            client_time_ms: 0,
            counted: true,
            reply_to: 0,
            mentions: Default::default(),
            change: None,
            login_version: 0,
        }
    }

    #[test]
    fn after_a_repeated_message_all_are_looked_for_for_a_moment_and_its_senders_for_long() {
        let (repeaters, messages, start) = (Repeaters::new(), [message(1), message(2)], Instant::now());
        let among = |now| {
            let found = repeaters.among(messages.iter(), now);
            found.iter().map(|message| message.from.user.0).collect::<Vec<_>>()
        };
        assert_eq!(among(start), [0; 0]);
        repeaters.note([UserId(1)], start);
        assert_eq!(among(start), [1, 2]);
        assert_eq!(among(start + WAVE), [1]);
        // Who is known for it does not make anybody else's messages be looked for.
        repeaters.note([UserId(1)], start + WAVE);
        assert_eq!(among(start + WAVE), [1]);
        assert_eq!(among(start + WAVE + REMEMBERED), [0; 0]);
    }
}
