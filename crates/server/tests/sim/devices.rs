//! A user's devices, which move between nodes and leave their old connections open. Nodes learn late, twice and in any order what
//! the others say of it, but they learn it.

use std::collections::BTreeMap;

use anser_proto::v1::{self, client_frame::Request, server_frame::Body};
use futures_util::future::join_all;

use crate::{
    line::Line,
    town::{Town, pass},
    weather::{LATE_MAX_MS, Sky},
};

const NODES: usize = 3;
const DEVICES: usize = 3;
/// How often each device logs in.
const LOGINS: usize = 6;
/// From the connection to `hello`.
const SLOW_LOGIN_MS: u64 = 1_000;
/// Longer than a kick, the answer to it and the kick because of that, each of them as late as may be.
const ALL_HAS_COME_MS: u64 = 3 * LATE_MAX_MS + SLOW_LOGIN_MS;

/// All connections that a device has made, by its id.
type Lines = BTreeMap<String, Vec<Line>>;

pub async fn play(seed: u64) {
    let mut town = Town::found_with(seed, NODES, |config| config.limits.devices_per_user = DEVICES as u32).await;
    town.weather.turn(Sky::Slow);
    let mut lines: Lines = (0..DEVICES).map(|device| (format!("device-{device}"), Vec::new())).collect();
    let moving = lines.iter_mut().map(|(device_id, lines)| wander(&town, device_id, lines));
    join_all(moving).await;
    pass(ALL_HAS_COME_MS).await;
    assert_eq!(left(&mut lines).await, [1; DEVICES], "each device has one connection, and none had to go");
    // One more than they may have: one goes.
    let more = log_in(&town, open(&town, any_node(&town)), "one-more").await;
    lines.insert("one-more".into(), vec![more]);
    pass(ALL_HAS_COME_MS).await;
    let left = left(&mut lines).await;
    assert_eq!(left.iter().sum::<usize>(), DEVICES, "{left:?}");
    assert_eq!(left.last(), Some(&1), "not the one that came last: {left:?}");
    for node in 0..NODES {
        town.stop(node).await;
    }
}

/// A device that loses its way, and says goodbye now and then. In the end it comes to two nodes at once.
async fn wander(town: &Town, device_id: &str, lines: &mut Vec<Line>) {
    for _ in 0..LOGINS {
        let line = open(town, any_node(town));
        if town.weather.below(2) == 0 {
            pass(town.weather.below(SLOW_LOGIN_MS)).await;
        }
        let mut line = log_in(town, line, device_id).await;
        pass(town.weather.below(2_000)).await;
        if town.weather.below(3) == 0 {
            let _ = line.ask(Request::Bye(v1::Bye {})).await;
        }
        lines.push(line);
    }
    let node = any_node(town);
    let both = [node, (node + 1) % NODES].map(|node| log_in(town, open(town, node), device_id));
    lines.extend(join_all(both).await);
}

fn any_node(town: &Town) -> usize {
    town.weather.below(NODES as u64) as usize
}

fn open(town: &Town, node: usize) -> Line {
    Line::open(town, node).expect("the nodes are up")
}

async fn log_in(town: &Town, line: Line, device_id: &str) -> Line {
    line.log_in(town, "ada", device_id).await.expect("they may").0
}

/// How many connections of each device answer.
async fn left(lines: &mut Lines) -> Vec<usize> {
    let mut left = Vec::new();
    for lines in lines.values_mut() {
        let answers = join_all(lines.iter_mut().map(|line| line.ask(Request::Ping(v1::Ping {})))).await;
        left.push(answers.iter().filter(|answer| matches!(answer, Ok(Body::Pong(_)))).count());
    }
    left
}
