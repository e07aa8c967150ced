//! Proving who the user is: which credential the next hello bears, and what follows when it is refused.
//!
//! Rules:
//! - A token that the server gave for a password takes its place from then on, and is kept. Refused or run out, it is
//!   forgotten, and the password is said again.
//! - A provider is asked before the first connection and whenever its last token was refused or ran out. What it does not
//!   answer in time, or answers with an error, is asked again after a wait, as a connection that failed.
//! - What the server says of a credential holds for the newest one only: where the app gave another one meanwhile, a refusal is
//!   not final, and a token that was bought is not taken.

use anser_proto::{
    CloseCode,
    codes::Retry,
    v1::{self, hello},
};

use super::{
    Change, Credential, Effect, Engine, Request, Secret, State, Step, StopReason, link::Phase, requests::Asked,
};
use crate::view::Refusal;

/// How long a provider may take for a token.
pub(super) const FETCH_MAX_MS: u64 = 30_000;

pub(super) struct Login {
    given: Credential,
    /// What is said in place of the given one: bought by a password, fetched, or kept.
    token: Option<Secret>,
    /// The server has not accepted what is said, nor what it stands for.
    is_new: bool,
    /// The app gave another one since the last hello.
    is_newer: bool,
}

/// What the next connection begins with.
enum Next {
    Say(hello::Credential),
    Fetch,
    Nothing,
}

impl Login {
    /// `kept`: the token that is kept here, of use if nothing else is given.
    pub(super) fn new(given: Credential, kept: Option<Secret>) -> Self {
        let token = kept.filter(|_| given == Credential::Kept);
        Self { given, token, is_new: true, is_newer: false }
    }

    fn next(&self) -> Next {
        match (&self.token, &self.given) {
            (Some(Secret(token)), _) | (None, Credential::Token(token)) => {
                Next::Say(hello::Credential::Token(token.clone()))
            }
            (None, Credential::Password { account, password }) => {
                Next::Say(hello::Credential::Password(v1::Password {
                    account: account.clone(),
                    password: password.clone(),
                }))
            }
            (None, Credential::Provider) => Next::Fetch,
            (None, Credential::Kept) => Next::Nothing,
        }
    }

    /// Forgets the token that was refused. Tells whether there is something else to say.
    fn falls_back(&mut self, cx: &mut Step<'_>) -> bool {
        if self.is_newer {
            return true;
        }
        let had_token = self.token.take().is_some();
        if had_token && self.given != Credential::Provider {
            cx.keep(Change::Token(None));
        }
        match self.given {
            Credential::Password { .. } => had_token,
            Credential::Provider => had_token && !self.is_new,
            Credential::Token(_) | Credential::Kept => false,
        }
    }
}

impl Engine {
    /// The time of the next attempt has come.
    pub(super) fn begin_attempt(&mut self, cx: &mut Step<'_>) {
        let (phase, effect) = match self.login.next() {
            Next::Say(_) => (Phase::Opening { since: cx.now }, Effect::Connect),
            Next::Fetch => (Phase::Fetching { since: cx.now }, Effect::FetchToken),
            Next::Nothing => return self.stop(cx, StopReason::NoCredential),
        };
        self.link.phase = phase;
        cx.effect(Effect::State(State::Connecting));
        cx.effect(effect);
    }

    pub(super) fn token_fetched(&mut self, cx: &mut Step<'_>, token: Option<Secret>) {
        if !matches!(self.link.phase, Phase::Fetching { .. }) {
            return;
        }
        match token {
            Some(token) => {
                self.login.token = Some(token);
                self.login.is_new = true;
                self.link.phase = Phase::Opening { since: cx.now };
                cx.effect(Effect::Connect);
            }
            None => self.retry_later(cx),
        }
    }

    /// Says hello with the digest of what is here.
    pub(super) fn greet(&mut self, cx: &mut Step<'_>) {
        let (Phase::Opening { .. }, Next::Say(credential)) = (self.link.phase, self.login.next()) else { return };
        self.link.phase = Phase::Greeting;
        self.login.is_newer = false;
        let (log_id, mailbox_seq) = self.mailbox.position();
        let positions = v1::Positions { log_id, mailbox_seq, groups_digest: self.groups_digest() };
        let hello = v1::Hello {
            version: anser_proto::VERSION,
            device: Some(self.config.device.clone()),
            positions: (log_id != 0).then_some(positions),
            client: self.config.client.clone(),
            credential: Some(credential),
        };
        self.transmit(cx, Request::Hello(hello), Asked::Hello);
    }

    /// The server accepted what was said, and gave a token for a password.
    pub(super) fn login_accepted(&mut self, cx: &mut Step<'_>, token: String) {
        // What `Kept` asks for is what was bought last.
        if self.login.is_newer && self.login.given != Credential::Kept {
            return;
        }
        self.login.is_new = false;
        if !token.is_empty() {
            let token = Secret(token);
            cx.keep(Change::Token(Some(token.clone())));
            self.login.token = Some(token);
        }
    }

    pub(super) fn login_refused(&mut self, cx: &mut Step<'_>, error: Refusal) {
        if error.retry() != Retry::No {
            self.link.reconnect_after = (error.retry_after_ms > 0).then_some(error.retry_after_ms.into());
            return self.lose(cx);
        }
        if self.login.falls_back(cx) {
            return self.lose(cx);
        }
        self.stop(cx, StopReason::Refused(error));
    }

    /// Whether a connection that the server ended with this code is worth another login: its credential is no longer good, and
    /// there is another one.
    pub(super) fn logs_in_anew(&mut self, cx: &mut Step<'_>, code: Option<u16>) -> bool {
        match code.and_then(|code| CloseCode::try_from(i32::from(code)).ok()) {
            Some(CloseCode::TokenRanOut) => self.login.falls_back(cx),
            Some(CloseCode::LoginRefused) => self.login.is_newer,
            _ => false,
        }
    }

    /// The app gave another credential: said at once if the engine had stopped, else with the next hello.
    pub(super) fn log_in(&mut self, cx: &mut Step<'_>, credential: Credential) {
        let kept = self.login.token.take();
        if credential != Credential::Kept && kept.is_some() {
            cx.keep(Change::Token(None));
        }
        self.login = Login { is_newer: true, ..Login::new(credential, kept) };
        match self.link.phase {
            Phase::Stopped => {}
            // What is being fetched was asked of the one before; what is to be fetched is needed before a hello.
            Phase::Fetching { .. } | Phase::Opening { .. } => cx.effect(Effect::Disconnect),
            _ => return,
        }
        self.link.backoff.reset();
        self.link.phase = Phase::Waiting { connect_at: cx.now };
    }
}
