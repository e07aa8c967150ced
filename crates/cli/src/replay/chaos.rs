//! Faults between a device and its server, by the dice of a seed: what a bad network does to frames. Wraps the SDK's
//! transport; knows frames by their kind alone.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anser_client::transport::{Closed, Dial, Transport};
use anser_proto::v1::{self, ClientFrame, ServerFrame, client_frame::Request, server_frame::Body};
use futures_util::future::BoxFuture;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    harm::{Harm, Harms},
    record::Pushes,
    stage::Conditions,
};

/// Chances for each frame from the server.
const CUT: f64 = 1.0 / 3_000.0;
const STALL: f64 = 1.0 / 8_000.0;
const EAT: f64 = 1.0 / 150.0;
const DOUBLE: f64 = 1.0 / 100.0;
const DELAY: f64 = 1.0 / 50.0;
/// And for each message to the server.
const DOUBLE_SEND: f64 = 1.0 / 20.0;

/// How long a frame is late, and how long a connection takes nothing, at most.
const DELAY_MAX: Duration = Duration::from_millis(400);
const STALL_MAX: Duration = Duration::from_secs(3);

/// Good or bad, for all connections of a play.
#[derive(Default)]
pub struct Weather {
    bad: AtomicBool,
    pub harms: Harms,
}

impl Weather {
    pub fn promise(kinds: impl IntoIterator<Item = Harm>) -> Self {
        Self { bad: AtomicBool::new(false), harms: Harms::promise(kinds) }
    }

    pub fn turn_bad(&self) {
        self.bad.store(true, Ordering::Relaxed);
    }

    pub fn calm_down(&self) {
        self.bad.store(false, Ordering::Relaxed);
    }

    pub fn is_bad(&self) -> bool {
        self.bad.load(Ordering::Relaxed)
    }
}

/// The way from one device to the server.
pub struct Road {
    network: Box<dyn Dial>,
    weather: Arc<Weather>,
    /// Of a calm play.
    pushes: Option<Mutex<Pushes>>,
    /// Nothing passes until then.
    closed_until: Mutex<Instant>,
    closing: Notify,
    dice: Mutex<StdRng>,
}

impl Road {
    pub fn new(network: Box<dyn Dial>, conditions: Conditions, weather: Arc<Weather>, seed: u64) -> Self {
        let dice = Mutex::new(StdRng::seed_from_u64(seed));
        let pushes = (conditions == Conditions::Calm).then(Mutex::default);
        Self { network, weather, pushes, closed_until: Mutex::new(Instant::now()), closing: Notify::new(), dice }
    }

    /// What came to the device by itself so far; nothing but in a calm play.
    pub fn pushes(&self) -> Pushes {
        self.pushes.as_ref().map(|pushes| pushes.lock().expect("nobody panics with it").clone()).unwrap_or_default()
    }

    fn watch(&self, came: &Result<ServerFrame, Closed>) {
        let Some(pushes) = &self.pushes else { return };
        let mut pushes = pushes.lock().expect("nobody panics with it");
        match came {
            Err(_) => pushes.lost += 1,
            Ok(ServerFrame { body: Some(Body::Message(v1::MessageEvent { message: Some(message), .. })), .. }) => {
                pushes.take(message);
            }
            Ok(ServerFrame { body: Some(Body::MessagesChanged(event)), .. }) => pushes.take_changes(event),
            Ok(_) => {}
        }
    }

    /// The device is without network for so long.
    pub fn close_for(&self, time: Duration) {
        self.weather.harms.count(Harm::NetworkAway);
        *self.closed_until.lock().expect("nobody panics with it") = Instant::now() + time;
        self.closing.notify_waiters();
    }

    fn closed_until(&self) -> Option<Instant> {
        let until = *self.closed_until.lock().expect("nobody panics with it");
        (self.weather.is_bad() && until > Instant::now()).then_some(until)
    }

    /// Whether this is to happen now.
    fn roll(&self, harm: Harm, chance: f64) -> bool {
        let Weather { harms, .. } = &*self.weather;
        let happens = self.weather.is_bad()
            && self.dice.lock().expect("nobody panics with it").random_bool(harms.chance(harm, chance));
        if happens {
            harms.count(harm);
        }
        happens
    }

    fn up_to(&self, max: Duration) -> Duration {
        max.mul_f64(self.dice.lock().expect("nobody panics with it").random())
    }
}

/// A road as the SDK asks for it.
pub struct FaultyDial(pub Arc<Road>);

impl Dial for FaultyDial {
    fn dial(&self) -> BoxFuture<'_, io::Result<Box<dyn Transport>>> {
        Box::pin(async {
            if self.0.closed_until().is_some() {
                return Err(io::Error::new(io::ErrorKind::NetworkUnreachable, "no network for now"));
            }
            let inner = self.0.network.dial().await?;
            let road = Arc::clone(&self.0);
            Ok(Box::new(Faulty { road, inner, late: Vec::new(), stalled_until: None }) as Box<dyn Transport>)
        })
    }
}

struct Faulty {
    road: Arc<Road>,
    inner: Box<dyn Transport>,
    /// Frames that are held back, and until when: others may overtake them.
    late: Vec<(Instant, ServerFrame)>,
    /// Takes nothing from the server until then, so that the server's queue fills.
    stalled_until: Option<Instant>,
}

impl Faulty {
    async fn next(&mut self) -> Result<ServerFrame, Closed> {
        loop {
            if self.road.closed_until().is_some() {
                return Err(cut());
            }
            if let Some(until) = self.stalled_until {
                sleep_until(until).await;
                self.stalled_until = None;
            }
            let due = (0..self.late.len()).min_by_key(|at| self.late[*at].0);
            let frame = tokio::select! {
                biased;
                () = sleep_until(due.map_or_else(Instant::now, |at| self.late[at].0)), if due.is_some() => {
                    return Ok(self.late.remove(due.expect("the branch is only taken with one")).1);
                }
                () = self.road.closing.notified() => continue,
                came = self.inner.receive() => {
                    self.road.watch(&came);
                    came?
                }
            };
            if self.road.roll(Harm::ConnectionCut, CUT) {
                return Err(cut());
            }
            if self.road.roll(Harm::ReadingStalled, STALL) {
                self.stalled_until = Some(Instant::now() + self.road.up_to(STALL_MAX));
            }
            if is_hint_or_ack(&frame) {
                if self.road.roll(Harm::FrameLost, EAT) {
                    continue;
                }
                if self.road.roll(Harm::FrameDoubled, DOUBLE) {
                    self.late.push((Instant::now() + self.road.up_to(DELAY_MAX), frame.clone()));
                }
            }
            if !matches!(frame.body, Some(Body::Welcome(_))) && self.road.roll(Harm::FrameDelayed, DELAY) {
                self.late.push((Instant::now() + self.road.up_to(DELAY_MAX), frame));
                continue;
            }
            return Ok(frame);
        }
    }
}

fn cut() -> Closed {
    Closed { code: None, reason: "cut by the replay".to_owned() }
}

/// What the protocol allows to be lost, doubled or late: pushes, and the answers to what is sent.
fn is_hint_or_ack(frame: &ServerFrame) -> bool {
    let hint = matches!(
        frame.body,
        Some(
            Body::Message(_)
                | Body::MessagesChanged(_)
                | Body::Receipt(_)
                | Body::SessionChanged(_)
                | Body::ProfileChanged(_)
                | Body::Changed(_)
        )
    );
    // Some of them are answers, too.
    (hint && frame.request_id == 0) || matches!(frame.body, Some(Body::Sent(_)))
}

/// What has an identity may come twice.
fn is_identified(frame: &ClientFrame) -> bool {
    matches!(frame.request, Some(Request::Send(_) | Request::Edit(_) | Request::Recall(_) | Request::React(_)))
}

impl Transport for Faulty {
    fn send(&mut self, frame: ClientFrame) {
        let doubled = is_identified(&frame) && self.road.roll(Harm::SendDoubled, DOUBLE_SEND);
        if doubled {
            self.inner.send(frame.clone());
        }
        self.inner.send(frame);
    }

    fn receive(&mut self) -> BoxFuture<'_, Result<ServerFrame, Closed>> {
        Box::pin(self.next())
    }

    fn received(&self) -> u64 {
        self.inner.received()
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.inner.close()
    }
}
