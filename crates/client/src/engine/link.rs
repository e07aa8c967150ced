//! The connection: opening it, logging in, noticing its death.
//!
//! Rules:
//! - An attempt follows a lost connection after a wait with full jitter; a connection that held for ten seconds begins the
//!   waits anew; the server's `draining` names a time itself. After a close code without reconnect the engine stops, unless
//!   only a token ran out and there is a password to get another one.
//! - Nothing at all for ten seconds while an answer is awaited, or no answer for a minute, means that the connection is
//!   dead. A ping is answered by any frame.
//! - A ping follows when nothing was said for a heartbeat; see `heartbeat`. A connection that died in silence is held against the
//!   heartbeat only once the next attempt got through: an outage teaches nothing, and neither does a sleep.

use std::collections::HashMap;

use anser_proto::{
    CloseCode, UserId,
    codes::Retry,
    v1::{self, hello},
};

use super::{
    Attention, CallError, Change, Credential, Effect, Engine, Request, SILENCE_MAX_MS, State, Step, StopReason,
    backoff::Backoff,
    heartbeat::{Heartbeat, Learned, SLACK_MS},
    requests::{Asked, Requests, retry_of},
};

/// Opening a transport may take this long, handshakes included.
const OPEN_MAX_MS: u64 = 15_000;
/// A connection that held this long was a good one.
const STABLE_MS: u64 = 10_000;

pub(super) struct Link {
    given: Credential,
    /// What the server gave in place of a password.
    token: Option<String>,
    phase: Phase,
    backoff: Backoff,
    pub(super) requests: Requests,
    pub(super) sent_at: u64,
    received_at: u64,
    /// Silence before the ping that is on its way.
    pinged_after: Option<u64>,
    /// Silence in which the last connection seems to have died: a lesson, unless the next attempt fails too.
    suspected: Option<u64>,
    /// Of the network in use.
    heartbeat: Heartbeat,
    network: String,
    learned: HashMap<String, Learned>,
    attention: Attention,
    /// When the server wants the client back.
    reconnect_after: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Phase {
    Stopped,
    Waiting {
        connect_at: u64,
    },
    Opening {
        since: u64,
    },
    Greeting,
    Live {
        since: u64,
        caught_up: bool,
    },
    /// The server stops: what was asked may still be answered, nothing more is asked.
    Draining {
        since: u64,
    },
}

impl Link {
    pub(super) fn new(credential: Credential, learned: Vec<(String, Learned)>) -> Self {
        let learned: HashMap<_, _> = learned.into_iter().collect();
        Self {
            given: credential,
            token: None,
            phase: Phase::Waiting { connect_at: 0 },
            backoff: Backoff::default(),
            requests: Requests::default(),
            sent_at: 0,
            received_at: 0,
            pinged_after: None,
            suspected: None,
            heartbeat: Heartbeat::new(learned.get("").copied().unwrap_or_default()),
            network: String::new(),
            learned,
            attention: Attention::Foreground,
            reconnect_after: None,
        }
    }

    /// Logged in, and the server takes requests.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live { .. })
    }

    /// Frames are listened to: a transport is open and the client said hello.
    pub(super) fn is_listening(&self) -> bool {
        matches!(self.phase, Phase::Greeting | Phase::Live { .. } | Phase::Draining { .. })
    }

    pub(super) fn is_logged_in(&self) -> bool {
        matches!(self.phase, Phase::Live { .. } | Phase::Draining { .. })
    }

    fn credential(&self) -> hello::Credential {
        match (&self.token, &self.given) {
            (Some(token), _) | (None, Credential::Token(token)) => hello::Credential::Token(token.clone()),
            (None, Credential::Password { account, password }) => {
                hello::Credential::Password(v1::Password { account: account.clone(), password: password.clone() })
            }
        }
    }

    /// One ping at a time: while it is on its way, only the end of its patience is waited for.
    fn ping_at(&self) -> Option<u64> {
        let interval = self.heartbeat.interval_ms(self.attention == Attention::Foreground);
        self.pinged_after.is_none().then(|| self.sent_at + interval)
    }
}

impl Engine {
    pub(super) fn link_wake_at(&self) -> Option<u64> {
        let late_at = self.link.requests.late_at(self.link.received_at);
        match self.link.phase {
            Phase::Stopped => None,
            Phase::Waiting { connect_at } => Some(connect_at),
            Phase::Opening { since } => Some(since + OPEN_MAX_MS),
            Phase::Greeting => late_at,
            Phase::Live { .. } => [self.link.ping_at(), late_at].into_iter().flatten().min(),
            Phase::Draining { since } => Some(since + SILENCE_MAX_MS),
        }
    }

    /// Follows the clock: connects, pings, and notices what took too long.
    pub(super) fn watch_link(&mut self, cx: &mut Step<'_>) {
        let late_at = self.link.requests.late_at(self.link.received_at);
        let late = late_at.is_some_and(|at| at <= cx.now);
        match self.link.phase {
            Phase::Waiting { connect_at } if connect_at <= cx.now => {
                self.link.phase = Phase::Opening { since: cx.now };
                cx.effect(Effect::State(State::Connecting));
                cx.effect(Effect::Connect);
            }
            Phase::Opening { since } if since + OPEN_MAX_MS <= cx.now => self.lose(cx),
            Phase::Greeting | Phase::Live { .. } if late => {
                // A device that slept meanwhile cannot tell what became of the answer.
                let slept = late_at.is_some_and(|at| at + SLACK_MS < cx.now);
                self.link.suspected = self.link.pinged_after.filter(|_| !slept);
                self.lose(cx);
            }
            Phase::Live { .. } if self.link.ping_at().is_some_and(|at| at <= cx.now) => {
                self.link.pinged_after = Some(cx.now - self.link.sent_at.max(self.link.received_at));
                self.transmit(cx, Request::Ping(v1::Ping {}), Asked::Ping);
            }
            Phase::Draining { since } if self.link.requests.is_empty() || since + SILENCE_MAX_MS <= cx.now => {
                self.lose(cx);
            }
            _ => {}
        }
    }

    /// A frame came: the connection lives.
    pub(super) fn heard(&mut self, cx: &mut Step<'_>) {
        self.link.received_at = cx.now;
        if let Some(silence) = self.link.pinged_after.take() {
            self.link.requests.forget_ping();
            self.link.heartbeat.survived(cx.now, silence);
            self.keep_heartbeat(cx);
        }
    }

    /// The server stops: nothing more is asked, and it says when to come back.
    pub(super) fn drain(&mut self, cx: &mut Step<'_>, draining: v1::Draining) {
        self.link.reconnect_after = Some(draining.reconnect_after_ms.into());
        self.link.phase = Phase::Draining { since: cx.now };
    }

    /// Says hello with the digest of what is here.
    pub(super) fn greet(&mut self, cx: &mut Step<'_>) {
        if !matches!(self.link.phase, Phase::Opening { .. }) {
            return;
        }
        self.link.phase = Phase::Greeting;
        let (log_id, mailbox_seq) = self.mailbox.position();
        let positions = v1::Positions { log_id, mailbox_seq, groups_digest: self.groups_digest() };
        let hello = v1::Hello {
            version: anser_proto::VERSION,
            device: Some(self.config.device.clone()),
            positions: (log_id != 0).then_some(positions),
            client: self.config.client.clone(),
            credential: Some(self.link.credential()),
        };
        self.transmit(cx, Request::Hello(hello), Asked::Hello);
    }

    pub(super) fn welcome(&mut self, cx: &mut Step<'_>, welcome: v1::Welcome) {
        let given = welcome.user.clone().unwrap_or_default();
        // Another store may know the same account under another id: then its log begins anew, as with any other store.
        let replaced = |kept: &v1::User| kept.account == given.account && welcome.log_id != self.mailbox.position().0;
        if let Some(kept) = self.user.as_ref().filter(|kept| kept.user_id != given.user_id && !replaced(kept)) {
            let (kept, given) = (UserId(kept.user_id), UserId(given.user_id));
            return self.stop(cx, StopReason::OtherUser { kept, given });
        }
        self.link.phase = Phase::Live { since: cx.now, caught_up: false };
        if !welcome.token.is_empty() {
            self.link.token = Some(welcome.token.clone());
        }
        if let Some(silence) = self.link.suspected.take() {
            // The server is there, and so is the network.
            self.link.heartbeat.lost(cx.now, silence);
            self.keep_heartbeat(cx);
        }
        self.link.heartbeat.set_bounds(welcome.heartbeat_min_ms.into(), welcome.heartbeat_max_ms.into());
        self.take_profile(cx, given);
        cx.effect(Effect::State(State::Connected));
        self.begin_syncing(cx, &welcome);
        self.begin_marking();
    }

    pub(super) fn take_profile(&mut self, cx: &mut Step<'_>, user: v1::User) {
        if self.user.as_ref() != Some(&user) {
            self.user = Some(user.clone());
            cx.keep(Change::User(user.clone()));
            cx.effect(Effect::Profile(user));
        }
    }

    /// When the user changed his profile here, this answer alone tells of it.
    pub(super) fn take_users(&mut self, cx: &mut Step<'_>, users: v1::Users) {
        if let Some(user) = users.users.into_iter().find(|user| user.user_id == self.me().0) {
            self.profile_changed(cx, user, users.mailbox_seq);
        }
    }

    /// Behind the mailbox's position, or behind a newer change of the profile, it is old news.
    pub(super) fn profile_changed(&mut self, cx: &mut Step<'_>, user: v1::User, mailbox_seq: u64) {
        if self.mailbox.is_news_of_profile(mailbox_seq) {
            self.take_profile(cx, user);
        }
        self.note_change(cx, mailbox_seq);
    }

    pub(super) fn login_refused(&mut self, cx: &mut Step<'_>, error: v1::Error) {
        if retry_of(&error) != Retry::No {
            self.link.reconnect_after = (error.retry_after_ms > 0).then_some(error.retry_after_ms.into());
            return self.lose(cx);
        }
        // A token that the server once gave for a password may be past its time: the password is still there.
        if self.link.token.take().is_some() {
            return self.lose(cx);
        }
        self.stop(cx, StopReason::Refused(error));
    }

    pub(super) fn connection_closed(&mut self, cx: &mut Step<'_>, code: Option<u16>, reason: String) {
        if matches!(self.link.phase, Phase::Stopped | Phase::Waiting { .. }) {
            return;
        }
        // Only the client's own `bye` makes a normal close final; any other comes from something in between.
        let normal = CloseCode::Normal as i32;
        // A token that the server once gave for a password is past its time: the password is still there.
        let has_password = matches!(self.link.given, Credential::Password { .. });
        let renews = has_password && code.map(i32::from) == Some(CloseCode::TokenRanOut as i32);
        if renews {
            self.link.token = None;
        }
        let is_final = |code: &u16| !renews && !CloseCode::reconnects(*code) && i32::from(*code) != normal;
        match code.filter(is_final) {
            Some(code) => self.stop(cx, StopReason::Closed { code, reason }),
            None => {
                // A code came over a connection that lived.
                self.link.suspected = self.link.pinged_after.filter(|_| code.is_none());
                self.ground(cx);
                self.retry_later(cx);
            }
        }
    }

    /// Gives the connection up and plans the next attempt.
    pub(super) fn lose(&mut self, cx: &mut Step<'_>) {
        cx.effect(Effect::Disconnect);
        self.ground(cx);
        self.retry_later(cx);
    }

    fn retry_later(&mut self, cx: &mut Step<'_>) {
        if matches!(self.link.phase, Phase::Opening { .. } | Phase::Greeting) {
            self.link.suspected = None;
        }
        if let Phase::Live { since, .. } = self.link.phase
            && cx.now >= since + STABLE_MS
        {
            self.link.backoff.reset();
        }
        let wait = match self.link.reconnect_after.take() {
            Some(wait) => wait,
            None => self.link.backoff.next_ms(&mut self.rng),
        };
        // Never at once, so that time passes between two attempts.
        let retry_at_ms = cx.now + wait.max(1);
        self.link.phase = Phase::Waiting { connect_at: retry_at_ms };
        cx.effect(Effect::State(State::Offline { retry_at_ms }));
    }

    pub(super) fn stop(&mut self, cx: &mut Step<'_>, reason: StopReason) {
        match self.link.phase {
            Phase::Stopped => return,
            Phase::Waiting { .. } => {}
            Phase::Live { .. } if reason == StopReason::Asked => {
                self.transmit(cx, Request::Bye(v1::Bye {}), Asked::Bye);
                cx.effect(Effect::Disconnect);
            }
            _ => cx.effect(Effect::Disconnect),
        }
        self.ground(cx);
        self.link.phase = Phase::Stopped;
        cx.effect(Effect::State(State::Stopped(reason)));
    }

    /// Nothing is under way any more.
    fn ground(&mut self, cx: &mut Step<'_>) {
        for asked in self.link.requests.drain() {
            if let Asked::Call(call) = asked {
                cx.effect(Effect::Answer { call, answer: Err(CallError::Lost) });
            }
        }
        self.link.pinged_after = None;
        self.outgoing.ground(cx.now);
        self.mailbox.ground();
        self.marks.ground();
        self.ground_pulls(cx);
    }

    pub(super) fn login(&mut self, cx: &mut Step<'_>, credential: Credential) {
        self.link.given = credential;
        self.link.token = None;
        if self.link.phase == Phase::Stopped {
            self.link.backoff.reset();
            self.link.phase = Phase::Waiting { connect_at: cx.now };
        }
    }

    /// The old network's connection is as good as dead, even if nothing says so yet.
    pub(super) fn change_network(&mut self, cx: &mut Step<'_>, network: String) {
        if self.link.network == network {
            return;
        }
        let learned = self.link.learned.get(&network).copied().unwrap_or_default();
        self.link.heartbeat = Heartbeat::new(learned);
        self.link.suspected = None;
        self.link.network = network;
        match self.link.phase {
            Phase::Stopped => return,
            Phase::Waiting { .. } => {}
            _ => {
                cx.effect(Effect::Disconnect);
                self.ground(cx);
            }
        }
        self.link.backoff.reset();
        self.link.phase = Phase::Waiting { connect_at: cx.now };
    }

    pub(super) fn pay_attention(&mut self, cx: &mut Step<'_>, attention: Attention) {
        let before = std::mem::replace(&mut self.link.attention, attention);
        if (before, attention) == (Attention::Background, Attention::Foreground) {
            self.wake_up(cx);
        }
    }

    /// Whatever the connection is, it has not been looked at for a while: an attempt is made, or life asked for, at once.
    /// The time in between teaches nothing.
    pub(super) fn wake_up(&mut self, cx: &mut Step<'_>) {
        self.link.suspected = None;
        match &mut self.link.phase {
            Phase::Waiting { connect_at } => *connect_at = (*connect_at).min(cx.now),
            Phase::Live { .. } if self.link.pinged_after.replace(0).is_none() => {
                self.transmit(cx, Request::Ping(v1::Ping {}), Asked::Ping);
            }
            _ => {}
        }
    }

    fn keep_heartbeat(&mut self, cx: &mut Step<'_>) {
        let learned = self.link.heartbeat.learned();
        if self.link.learned.insert(self.link.network.clone(), learned) != Some(learned) {
            cx.keep(Change::Heartbeat { network: self.link.network.clone(), learned });
        }
    }

    /// Tells when everything that happened is here, and when something is looked for again.
    pub(super) fn tell_caught_up(&mut self, cx: &mut Step<'_>) {
        let settled = self.mailbox.is_settled() && self.pulls.is_settled();
        if let Phase::Live { caught_up, .. } = &mut self.link.phase
            && *caught_up != settled
        {
            *caught_up = settled;
            cx.effect(Effect::State(if settled { State::CaughtUp } else { State::Connected }));
        }
    }
}
