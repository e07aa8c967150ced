//! Who is there, on several nodes: told to contacts damped, from whichever node, and also when one ends.

use anser_proto::v1::{self, client_frame::Request, presence::State, server_frame::Body};
use anser_store::Store as _;
use tokio::time::Instant;

use crate::{
    line::Line,
    town::{Town, pass},
    weather::Sky,
};

const NODES: usize = 3;

struct Watcher {
    line: Line,
    begun: Instant,
    /// What was told, and after how many seconds.
    told: Vec<(u64, u64, State)>,
}

impl Watcher {
    async fn ask(&mut self, request: Request) -> Body {
        self.line.ask(request).await.unwrap_or_else(|_| panic!("it answers"))
    }

    /// Goes on for so long, and notes what is told.
    async fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 2 {
            pass(500).await;
            self.ask(Request::Ping(v1::Ping {})).await;
            let at = self.begun.elapsed().as_secs();
            let told = self.line.events.drain(..).filter_map(|event| match event {
                Body::Presences(told) => Some(told.presences),
                _ => None,
            });
            self.told.extend(told.flatten().map(|one| (at, one.user_id, one.state())));
            // What nodes say comes twice in this weather.
            self.told.dedup_by_key(|(_, _, state)| *state);
        }
    }

    /// The states that were told since the last time.
    fn states(&mut self) -> Vec<State> {
        self.told.drain(..).map(|(_, _, state)| state).collect()
    }
}

async fn log_in(town: &Town, node: usize, account: &str, device_id: &str) -> (Line, u64) {
    let line = Line::open(town, node).expect("the nodes are up");
    let (line, welcome) = line.log_in(town, account, device_id).await.expect("they may");
    (line, welcome.user.expect("who one is").user_id)
}

async fn say(line: &mut Line, request: Request) -> Body {
    line.ask(request).await.unwrap_or_else(|_| panic!("it answers"))
}

fn set(state: State) -> Request {
    Request::SetPresence(v1::SetPresence { state: state.into() })
}

/// Ada, who watches from the first node, and Bob, who is a contact of hers and not there.
async fn found(seed: u64) -> (Town, Watcher, u64) {
    let town = Town::found(seed, NODES).await;
    town.weather.turn(Sky::Slow);
    let (mut line, ada) = log_in(&town, 0, "ada", "phone").await;
    let (mut bob_line, bob) = log_in(&town, 1, "bob", "first").await;
    let text = String::new();
    say(&mut line, Request::RequestContact(v1::RequestContact { user_id: bob, text })).await;
    say(&mut bob_line, Request::AnswerContact(v1::AnswerContact { user_id: ada, accept: true })).await;
    drop(bob_line);
    pass(120_000).await;
    let Body::Presences(there) = say(&mut line, Request::WatchPresence(v1::WatchPresence {})).await else {
        panic!("not told")
    };
    assert_eq!(there.presences, [], "seed {seed}");
    line.events.clear();
    (town, Watcher { line, begun: Instant::now(), told: Vec::new() }, bob)
}

pub async fn play(seed: u64) {
    let (mut town, mut ada, bob) = found(seed).await;
    let (mut phone, _) = log_in(&town, 1, "bob", "phone").await;
    ada.pass(15).await;
    assert_eq!(ada.states(), [State::Active]);
    // The best of the connections, on whichever nodes.
    let (mut laptop, _) = log_in(&town, 2, "bob", "laptop").await;
    // All nodes know of both.
    ada.pass(15).await;
    say(&mut phone, set(State::Away)).await;
    ada.pass(15).await;
    assert_eq!(ada.states(), []);
    say(&mut laptop, set(State::Away)).await;
    ada.pass(15).await;
    assert_eq!(ada.states(), [State::Away]);
    // A device that comes back within half a minute was never gone.
    drop((phone, laptop));
    ada.pass(15).await;
    let (phone, _) = log_in(&town, 1, "bob", "phone").await;
    ada.pass(60).await;
    assert_eq!(ada.states(), [State::Active]);
    let (laptop, _) = log_in(&town, 0, "bob", "laptop").await;
    ada.pass(5).await;
    drop(phone);
    ada.pass(60).await;
    assert_eq!(ada.states(), [], "another device is there");
    drop(laptop);
    ada.pass(25).await;
    assert_eq!(ada.states(), []);
    // A minute more if a node said before that they are there, and that came last.
    ada.pass(80).await;
    assert_eq!(ada.states(), [State::Offline]);
    let get = Request::GetPresence(v1::GetPresence { user_ids: vec![bob] });
    let Body::Presences(seen) = ada.ask(get).await else { panic!("not told") };
    assert!(seen.presences[0].last_seen_ms > 0 && seen.presences[0].last_seen_ms.is_multiple_of(60_000), "{seen:?}");
    assert_eq!(
        town.store.seen_by(anser_proto::UserId(bob), vec![anser_proto::UserId(bob)]).await.expect("known")[0]
            .last_seen_ms,
        seen.presences[0].last_seen_ms
    );
    // A node ends, and with it their connection.
    let (_phone, _) = log_in(&town, 2, "bob", "phone").await;
    ada.pass(15).await;
    assert_eq!(ada.states(), [State::Active]);
    town.stop(2).await;
    ada.pass(100).await;
    assert_eq!(ada.states(), [State::Offline]);
    for node in 0..NODES {
        town.stop(node).await;
    }
}

/// A node that has just begun knows nothing of who was there before.
pub async fn begin_again(seed: u64) {
    let (mut town, ada, bob) = found(seed).await;
    drop(ada);
    let (phone, _) = log_in(&town, 1, "bob", "phone").await;
    pass(15_000).await;
    town.stop(0).await;
    town.start(0).await;
    let (mut line, _) = log_in(&town, 0, "ada", "phone").await;
    let Body::Presences(there) = say(&mut line, Request::WatchPresence(v1::WatchPresence {})).await else {
        panic!("not told")
    };
    let mut ada = Watcher { line, begun: Instant::now(), told: Vec::new() };
    ada.pass(15).await;
    let at_once = there.presences.iter().map(|one| one.state());
    let states: Vec<_> = at_once.chain(ada.states()).collect();
    assert_eq!(states, [State::Active], "seed {seed}: {bob} was there all the time");
    drop(phone);
    for node in 0..NODES {
        town.stop(node).await;
    }
}

/// However often they come, go, and look away, on whichever node.
pub async fn flap(seed: u64) {
    let (mut town, mut ada, _) = found(seed).await;
    let mut lines = Vec::new();
    for node in [1, 2] {
        lines.push(log_in(&town, node, "bob", &format!("device-{node}")).await.0);
    }
    for turn in 0..600_u64 {
        let line = &mut lines[turn as usize % 2];
        let state = if town.weather.below(2) == 0 { State::Away } else { State::Active };
        say(line, set(state)).await;
        if turn % 10 == 0 {
            ada.pass(1).await;
        }
    }
    let seconds = ada.begun.elapsed().as_secs();
    assert!(ada.told.len() as u64 <= seconds / 10 + 1, "{} in {seconds} s: {:?}", ada.told.len(), ada.told);
    for line in &mut lines {
        say(line, set(State::Away)).await;
    }
    ada.pass(25).await;
    assert_eq!(ada.told.last().map(|(_, _, state)| *state), Some(State::Away), "the last value wins");
    for node in 0..NODES {
        town.stop(node).await;
    }
}
