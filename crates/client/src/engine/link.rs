//! The connection: opening it, noticing its death, coming back.
//!
//! Rules:
//! - An attempt follows a lost connection after a wait with full jitter; a connection that held for ten seconds begins the
//!   waits anew; the server's `draining` names a time itself. After a close code without reconnect the engine stops, unless
//!   another credential may do; see `login`.
//! - Nothing at all for ten seconds while an answer is awaited, or no answer for a minute, means that the connection is
//!   dead. A ping is answered by any frame.
//! - A ping follows when nothing was said for a heartbeat; see `heartbeat`. A connection that died in silence is held against the
//!   heartbeat only once the next attempt got through: an outage teaches nothing, and neither does a sleep.

use std::collections::HashMap;

use anser_proto::{CloseCode, UserId, v1};

use super::{
    Attention, CallError, Change, Effect, Engine, Request, SILENCE_MAX_MS, State, Step, StopReason,
    backoff::Backoff,
    heartbeat::{Heartbeat, Learned, SLACK_MS},
    login::FETCH_MAX_MS,
    requests::{Asked, Requests},
};

/// Opening a transport may take this long, handshakes included.
const OPEN_MAX_MS: u64 = 15_000;
/// A connection that held this long was a good one.
const STABLE_MS: u64 = 10_000;

pub(super) struct Link {
    pub(super) phase: Phase,
    pub(super) backoff: Backoff,
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
    pub(super) reconnect_after: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Phase {
    Stopped,
    Waiting {
        connect_at: u64,
    },
    /// A token is asked for.
    Fetching {
        since: u64,
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
    pub(super) fn new(learned: Vec<(String, Learned)>) -> Self {
        let learned: HashMap<_, _> = learned.into_iter().collect();
        Self {
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

    fn has_caught_up(&self) -> bool {
        matches!(self.phase, Phase::Live { caught_up: true, .. })
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
            Phase::Fetching { since } => Some(since + FETCH_MAX_MS),
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
            Phase::Waiting { connect_at } if connect_at <= cx.now => self.begin_attempt(cx),
            Phase::Fetching { since } if since + FETCH_MAX_MS <= cx.now => self.lose(cx),
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
    pub(super) fn received(&mut self, cx: &mut Step<'_>) {
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

    pub(super) fn welcome(&mut self, cx: &mut Step<'_>, mut welcome: v1::Welcome) {
        let given = welcome.user.clone().unwrap_or_default();
        // Another store may know the same account under another id: then its log begins anew, as with any other store.
        let replaced = |kept: &v1::User| kept.account == given.account && welcome.log_id != self.mailbox.position().0;
        if let Some(kept) = self.user.as_ref().filter(|kept| kept.user_id != given.user_id && !replaced(kept)) {
            let (kept, given) = (UserId(kept.user_id), UserId(given.user_id));
            return self.stop(cx, StopReason::OtherUser { kept, given });
        }
        self.link.phase = Phase::Live { since: cx.now, caught_up: false };
        self.login_accepted(cx, std::mem::take(&mut welcome.token));
        if let Some(silence) = self.link.suspected.take() {
            // The server is there, and so is the network.
            self.link.heartbeat.lost(cx.now, silence);
            self.keep_heartbeat(cx);
        }
        self.link.heartbeat.set_bounds(welcome.heartbeat_min_ms.into(), welcome.heartbeat_max_ms.into());
        self.take_names(cx, given);
        cx.effect(Effect::State(State::Connected));
        self.begin_syncing(cx, &welcome);
        self.begin_marking();
    }

    /// The welcome says no more of the user than lists do.
    fn take_names(&mut self, cx: &mut Step<'_>, given: v1::User) {
        let kept = self.user.clone().filter(|kept| kept.user_id == given.user_id).unwrap_or_default();
        let v1::User { signature, custom, profile_version, .. } = kept;
        self.take_profile(cx, v1::User { signature, custom, profile_version, ..given });
    }

    pub(super) fn take_profile(&mut self, cx: &mut Step<'_>, user: v1::User) {
        if self.user.as_ref() != Some(&user) {
            self.user = Some(user.clone());
            cx.keep(Change::User(user.clone()));
            cx.effect(Effect::Profile(user));
        }
    }

    /// When the user changed their profile here, this answer alone tells of it.
    pub(super) fn take_users(&mut self, cx: &mut Step<'_>, users: v1::Users) {
        if let Some(user) = users.users.into_iter().find(|user| user.user_id == self.me().0) {
            self.profile_changed(cx, user, users.mailbox_seq);
        }
    }

    /// Behind the mailbox's position, or behind a newer change of the profile, it is old news.
    pub(super) fn profile_changed(&mut self, cx: &mut Step<'_>, user: v1::User, mailbox_seq: u64) {
        if mailbox_seq == 0 && user.user_id != self.me().0 {
            return cx.effect(Effect::ContactProfile(user));
        }
        if self.mailbox.is_news_of_profile(mailbox_seq) {
            self.take_profile(cx, user);
        }
        self.note_change(cx, mailbox_seq);
    }

    pub(super) fn connection_closed(&mut self, cx: &mut Step<'_>, code: Option<u16>, reason: String) {
        if matches!(self.link.phase, Phase::Stopped | Phase::Waiting { .. }) {
            return;
        }
        // Only the client's own `bye` makes a normal close final; any other comes from something in between.
        let normal = CloseCode::Normal as i32;
        let renews = self.logs_in_anew(cx, code);
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

    pub(super) fn retry_later(&mut self, cx: &mut Step<'_>) {
        if matches!(self.link.phase, Phase::Fetching { .. } | Phase::Opening { .. } | Phase::Greeting) {
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
        let is_whole = self.has_pulled_all();
        // Who has caught up waits a moment for what they changed themselves without telling it.
        let stays = self.link.has_caught_up() && self.awaits_pushes_only(cx.now);
        let settled = self.mailbox.is_settled() && (is_whole || stays);
        if let Phase::Live { caught_up, .. } = &mut self.link.phase
            && *caught_up != settled
        {
            *caught_up = settled;
            cx.effect(Effect::State(if settled { State::CaughtUp } else { State::Connected }));
        }
    }
}
