//! One engine and a server that says what a test puts into its mouth.

use anser_client::engine::{Change, Config, Credential, Effect, Engine, Input, Output, Policy, Saved};
use anser_proto::v1;
use v1::{error::Code, server_frame::Body};

/// An engine and its clock.
pub(crate) struct Line {
    pub(crate) engine: Engine,
    pub(crate) now: u64,
    pub(crate) changes: Vec<Change>,
}

impl Line {
    pub(crate) fn new(credential: Credential) -> Self {
        Self::restored(credential, Saved::default())
    }

    pub(crate) fn restored(credential: Credential, saved: Saved) -> Self {
        let mut policy = Policy::default();
        policy.check_every_ms = 1_000_000;
        let config = Config { credential, device: v1::Device::default(), client: String::new(), policy };
        Self { engine: Engine::new(config, saved, 1), now: 1_000, changes: Vec::new() }
    }

    pub(crate) fn tell(&mut self, input: Input) -> Vec<Effect> {
        let mut out = Output::default();
        self.engine.step(self.now, input, &mut out);
        self.changes.extend(out.changes);
        out.effects
    }

    pub(crate) fn receive(&mut self, request_id: u32, body: Body) -> Vec<Effect> {
        self.tell(Input::Frame(v1::ServerFrame { request_id, body: Some(body) }))
    }

    /// Lets time pass until the engine wants to act.
    pub(crate) fn wait(&mut self) -> Vec<Effect> {
        self.now = self.engine.wake_at().expect("it waits for something");
        self.tell(Input::Tick)
    }

    pub(crate) fn log_in(&mut self) -> Vec<Effect> {
        self.log_in_with(30_000)
    }

    pub(crate) fn log_in_with(&mut self, heartbeat_min_ms: u32) -> Vec<Effect> {
        self.tell(Input::Tick);
        let hello = request(&self.tell(Input::Connected));
        let user = Some(v1::User { user_id: 7, ..v1::User::default() });
        let heartbeat_max_ms = 300_000;
        let welcome = v1::Welcome { user, log_id: 1, heartbeat_min_ms, heartbeat_max_ms, ..v1::Welcome::default() };
        self.receive(hello.request_id, Body::Welcome(welcome))
    }
}

pub(crate) fn line() -> Line {
    Line::new(Credential::Token("token".into()))
}

pub(crate) fn request(effects: &[Effect]) -> v1::ClientFrame {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Transmit(frame) => Some(frame.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("nothing was asked: {effects:?}"))
}

pub(crate) fn error(code: Code) -> Body {
    Body::Error(v1::Error { code: code.into(), ..v1::Error::default() })
}
