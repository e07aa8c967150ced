//! Several nodes in one process, with the time of a paused clock and the faults of a seed between them. Whatever the bus and
//! the directory do, the promises hold; and when the weather is good again, so does the speed.
//!
//! `ANSER_SIM_SEED` plays one seed again, `ANSER_SIM_SEEDS` so many. A seed makes the same weather; in which order those run who
//! may run at the same moment is not in its power, so that a rare fault may need several plays.

mod devices;
mod line;
mod lost;
mod person;
mod presence;
mod town;
mod weather;

use std::{collections::HashSet, time::Duration};

use anser_proto::{
    ConversationId, GroupId, UserId,
    v1::{self, client_frame::Request, server_frame::Body},
};
use anser_server::cluster::counts::Dropped;
use anser_store::{Message, Store as _, Stretch};
use person::Person;
use town::Town;
use weather::Sky;

const NODES: usize = 4;
const PEOPLE: usize = 6;
/// How often each person says something in the storm: up to four messages in one go.
const SAID: u32 = 25;

#[test]
fn nothing_is_lost_doubled_or_out_of_order_between_nodes() {
    let mut weathered = Weathered::default();
    let plays = play_seeds(play, |of_seed| weathered.add(&of_seed));
    eprintln!("{weathered:?}");
    let Weathered { pulls, relogins, unanswered, late } = weathered;
    assert!(
        plays == 1 || [pulls, relogins, unanswered, late].iter().all(|count| *count > 0),
        "no storm: {weathered:?}"
    );
}

#[test]
fn a_device_has_one_connection_whichever_nodes_it_came_to() {
    play_seeds(devices::play, |()| {});
}

#[test]
fn nobody_is_online_for_ever_nor_offline_while_another_device_is_on() {
    play_seeds(presence::play, |()| {});
}

#[test]
fn a_node_that_begins_anew_finds_out_who_is_there() {
    play_seeds(presence::begin_again, |()| {});
}

#[test]
fn there_is_no_presence_storm() {
    play_seeds(presence::flap, |()| {});
}

/// Tells how many there were.
fn play_seeds<T, F: Future<Output = T>>(play: impl Fn(u64) -> F, mut done: impl FnMut(T)) -> u64 {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("ANSER_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ANSER_SIM_SEEDS").unwrap_or(25),
    };
    for seed in seeds.clone() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        let playing = std::panic::AssertUnwindSafe(|| runtime.expect("a runtime").block_on(play(seed)));
        match std::panic::catch_unwind(playing) {
            Ok(of_seed) => done(of_seed),
            Err(panic) => {
                eprintln!("again: ANSER_SIM_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    seeds.end - seeds.start
}

/// What was gone through, of all seeds together: a play without it proves nothing.
#[derive(Default, Debug)]
struct Weathered {
    /// Because of a push that was lost or overtaken.
    pulls: u64,
    relogins: u64,
    /// Appends whose home did not answer.
    unanswered: u64,
    /// Appends that came when nobody waited any more.
    late: u64,
}

impl Weathered {
    fn add(&mut self, other: &Self) {
        self.pulls += other.pulls;
        self.relogins += other.relogins;
        self.unanswered += other.unanswered;
        self.late += other.late;
    }
}

async fn play(seed: u64) -> Weathered {
    let mut town = Town::found(seed, NODES).await;
    let (mut people, group) = gather(&town).await;
    town.weather.turn(Sky::Storm);
    for turn in 0..SAID {
        trouble(&mut town, &mut people, turn).await;
        let ids: Vec<UserId> = people.iter().map(|person| person.user).collect();
        let town = &town;
        let talks = people.iter_mut().enumerate().map(|(index, person)| {
            let peer = ids[(index + 1 + turn as usize) % ids.len()];
            let single = ConversationId::single(person.user, peer);
            let conversation = if town.weather.below(3) == 0 { single } else { group };
            let count = 1 + town.weather.below(4);
            insist(town, person, conversation, count)
        });
        futures_util::future::join_all(talks).await;
    }
    town.weather.turn(Sky::Clear);
    for node in 0..NODES {
        if town.nodes[node].server.is_none() {
            town.start(node).await;
        }
    }
    judge(&town, &mut people).await;
    let logins: u64 = people.iter().map(|person| u64::from(person.logins)).sum();
    let weathered = Weathered {
        pulls: people.iter().map(|person| u64::from(person.pulls)).sum(),
        relogins: logins - PEOPLE as u64,
        unanswered: town.counts.unanswered_by("home"),
        late: town.counts.dropped_for(Dropped::Late),
    };
    pushes_are_quick_again(&town, &mut people, group).await;
    weathered
}

/// Everybody is connected to some node and a member of one group.
async fn gather(town: &Town) -> (Vec<Person>, ConversationId) {
    let mut people = Vec::new();
    for index in 0..PEOPLE {
        let mut person = Person::new(&format!("p{index}"));
        assert!(person.connect(town, index % NODES).await, "the nodes are up");
        people.push(person);
    }
    let create = v1::CreateGroup {
        client_group_id: "g".into(),
        name: "all".into(),
        user_ids: people.iter().map(|person| person.user.0).collect(),
        ..Default::default()
    };
    let Some(Body::Group(made)) = people[0].ask(Request::CreateGroup(create)).await else { panic!("no group") };
    let group = ConversationId::Group(GroupId(made.group_id));
    for person in &mut people {
        person.shown.insert(group, Vec::new());
        person.catch_up(group).await;
    }
    (people, group)
}

/// Nodes that are cut off or restarted, people who lose their connections.
async fn trouble(town: &mut Town, people: &mut [Person], turn: u32) {
    let weather = std::sync::Arc::clone(&town.weather);
    match weather.below(6) {
        0 | 1 => {
            let cut: HashSet<_> =
                town.nodes.iter().filter(|_| weather.roll(Sky::Storm, 0.4)).map(|node| node.id).collect();
            weather.cut_off(cut);
        }
        2 => weather.cut_off(HashSet::new()),
        3 if turn.is_multiple_of(2) => {
            let node = weather.below(NODES as u64) as usize;
            let running = town.nodes.iter().filter(|node| node.server.is_some()).count();
            if town.nodes[node].server.is_some() && running > 1 {
                town.stop(node).await;
            } else if town.nodes[node].server.is_none() {
                town.start(node).await;
            }
        }
        _ => {}
    }
    for person in people.iter_mut().filter(|_| weather.roll(Sky::Storm, 0.1)) {
        person.disconnect();
    }
    let listening = people.iter_mut().map(|person| {
        let time = Duration::from_millis(weather.below(1_500));
        person.listen(time)
    });
    futures_util::future::join_all(listening).await;
}

/// Until all of it is acknowledged, on whichever node.
async fn insist(town: &Town, person: &mut Person, conversation: ConversationId, mut count: u64) {
    for _ in 0..1_000 {
        if !person.is_connected() {
            let node = town.weather.below(NODES as u64) as usize;
            person.connect(town, node).await;
        }
        count -= person.say(conversation, count).await;
        if count == 0 {
            return;
        }
        town::pass(100).await;
    }
    panic!("{} is never answered", person.account);
}

/// P1 to P5, from what the store has and what each device shows.
async fn judge(town: &Town, people: &mut [Person]) {
    for person in people.iter_mut() {
        assert!(person.connect(town, 0).await, "the nodes are up");
        for conversation in person.acked.iter().map(|acked| acked.conversation).collect::<HashSet<_>>() {
            person.catch_up(conversation).await;
        }
    }
    for person in people.iter() {
        for (conversation, shown) in &person.shown {
            let log = read(town, person.user, *conversation).await;
            let ids: Vec<u64> = log.iter().map(|message| message.server_msg_id).collect();
            assert_eq!(ids, (1..=log.len() as u64).collect::<Vec<_>>(), "{conversation} has holes");
            let told: HashSet<_> =
                log.iter().map(|message| (message.from.user, message.client_msg_id.clone())).collect();
            let said = log.iter().filter(|message| message.kind == i32::from(v1::message::Type::Text));
            assert_eq!(
                said.clone().count(),
                told.len() - usize::from(matches!(conversation, ConversationId::Group(_)))
            );
            let own = said.filter(|message| message.from.user == person.user);
            let numbers = own.map(|message| number(message.client_msg_id.as_str()));
            assert!(numbers.is_sorted(), "{} was put out of order in {conversation}", person.account);
            let shown: Vec<_> = shown.iter().map(|message| (message.server_msg_id, &*message.content)).collect();
            let kept: Vec<_> = log.iter().map(|message| (message.server_msg_id, &*message.content)).collect();
            assert_eq!(shown, kept, "{} does not show {conversation} as it is", person.account);
        }
        for acked in &person.acked {
            let log = read(town, person.user, acked.conversation).await;
            let message = &log[acked.server_msg_id as usize - 1];
            assert_eq!(message.client_msg_id, acked.client_msg_id, "{acked:?} is not where it was said to be");
        }
    }
}

/// Without waiting for a pull, once everything that was late has come.
async fn pushes_are_quick_again(town: &Town, people: &mut [Person], group: ConversationId) {
    for (index, person) in people.iter_mut().enumerate() {
        assert!(person.connect(town, index % NODES).await, "the nodes are up");
    }
    let settled = people.iter_mut().map(|person| person.listen(Duration::from_secs(10)));
    futures_util::future::join_all(settled).await;
    let pulls: u32 = people.iter().map(|person| person.pulls).sum();
    assert_eq!(people[0].say(group, 1).await, 1, "everything works again");
    let listening = people.iter_mut().map(|person| person.listen(Duration::from_millis(100)));
    futures_util::future::join_all(listening).await;
    let last = people[0].acked.last().expect("it was said").server_msg_id;
    for person in people.iter() {
        let shown = person.shown[&group].last().expect("they talked").server_msg_id;
        assert_eq!(shown, last, "{} was not told", person.account);
    }
    assert_eq!(people.iter().map(|person| person.pulls).sum::<u32>(), pulls, "a push came out of order");
}

async fn read(town: &Town, reader: UserId, conversation: ConversationId) -> Vec<Message> {
    let mut log: Vec<Message> = Vec::new();
    loop {
        let after = Some(log.last().map_or(0, |message| message.server_msg_id));
        let stretch = Stretch { after, before: 0, limit: 1_000, bytes_max: usize::MAX };
        let page = town.store.read_log(reader, conversation, stretch).await.expect("a party");
        let done = page.messages.is_empty();
        log.extend(page.messages);
        if done {
            return log;
        }
    }
}

fn number(client_msg_id: &str) -> u64 {
    client_msg_id.rsplit('-').next().and_then(|number| number.parse().ok()).expect("a number")
}
