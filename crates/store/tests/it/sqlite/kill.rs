//! A process that is killed at any moment loses nothing that it acknowledged (P1), nor anything that a reader saw (P5), and
//! leaves no half of anything.

use std::{
    collections::HashMap,
    env,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use anser_store::sqlite::{CheckpointPages, SqliteOptions, SqliteStore};
use anser_store::{MembersAction, MembersChange, Stretch};
use futures_util::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::*;

const KILLS: u64 = 12;
const USERS: u64 = 6;
const GROUP: u64 = 3;

/// Set for the process that is to be killed: its folder, and which one it is.
const FOLDER: &str = "ANSER_TEST_KILL_FOLDER";
const ROUND: &str = "ANSER_TEST_KILL_ROUND";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_acknowledged_is_there() {
    if let (Ok(folder), Ok(round)) = (env::var(FOLDER), env::var(ROUND)) {
        return talk(Path::new(&folder), &round).await;
    }
    let home = tempfile::tempdir().expect("a folder");
    let store = open(home.path());
    settle(&*store, USERS).await;
    found(&*store, GROUP, 1, &[2, 3, 4, 5, 6]).await;
    store.close().await;
    let mut rng = StdRng::seed_from_u64(20);
    for round in 0..KILLS {
        let acks_until_death = rng.random_range(1..600);
        let Told { acknowledged, seen } = kill_after(home.path(), round, acks_until_death);
        assert!(
            !seen.is_empty() && acknowledged.len() >= acks_until_death,
            "the process died too early in round {round}"
        );
        assert_eq!(look(home.path()), [], "after kill {round}, {acks_until_death} acks");
        let store = open(home.path());
        for (id, place) in acknowledged {
            let (from, to, _) = parse(&id);
            let again = send(&*store, text(from, to, &id)).await.expect("it was stored");
            assert!(again.duplicate, "{id} is lost in round {round}");
            assert_eq!((again.server_msg_id, again.server_time_ms), place, "{id}");
        }
        for (conversation, head) in seen {
            let now = read_head(&*store, conversation).await;
            assert!(now >= head, "a reader saw {head} messages of {conversation}, of which {now} are left");
        }
        store.close().await;
    }
}

/// What the process said before it died.
#[derive(Default)]
struct Told {
    /// Places and times, by id.
    acknowledged: HashMap<String, (u64, u64)>,
    /// The last heads that its reader saw.
    seen: HashMap<ConversationId, u64>,
}

/// Starts this test again in a process of its own, and kills it once it has acknowledged so many messages.
fn kill_after(folder: &Path, round: u64, acks: usize) -> Told {
    let mut child = Command::new(env::current_exe().expect("a path"))
        .args(["--exact", "sqlite::kill::what_a_killed_process_acknowledged_is_there", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this binary runs");
    let mut told = Told::default();
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    for line in out.lines().map_while(Result::ok) {
        // A line that was cut off by the death has no point at its end, and says nothing.
        match *line.split(' ').collect::<Vec<_>>() {
            ["ack", id, place, time, "."] => {
                let place = (place.parse().expect("a number"), time.parse().expect("a number"));
                told.acknowledged.insert(id.to_owned(), place);
            }
            ["saw", conversation, head, "."] => {
                let head = head.parse().expect("a number");
                told.seen.insert(conversation.parse().expect("a conversation"), head);
            }
            _ => continue,
        }
        if told.acknowledged.len() == acks {
            child.kill().expect("it runs");
        }
    }
    child.wait().expect("it ended");
    told
}

/// Writes from many tasks, with checkpoints all the time, and says on the standard output what was acknowledged.
async fn talk(folder: &Path, round: &str) {
    let checkpoint = CheckpointPages { start: 32, rest: 8, most: 128 };
    let store = SqliteStore::open(folder, SqliteOptions { checkpoint, ..options() }).expect("the store opens");
    let tasks = (1..=USERS).map(|user| {
        let (store, round) = (store.clone(), round.to_owned());
        tokio::spawn(async move {
            for n in 0..10_000_u64 {
                let peer = (user + n) % USERS + 1;
                let id = format!("{user}-{peer}-{round}-{n}");
                let (from, to, _) = parse(&id);
                let place = send(&*store, text(from, to, &id)).await.expect("stored");
                println!("ack {id} {} {} .", place.server_msg_id, place.server_time_ms);
                let action = match n % 16 {
                    3 if user > 1 => MembersAction::Leave,
                    9 if user == 1 => MembersAction::Invite((2..=USERS).map(UserId).collect()),
                    _ => continue,
                };
                let change = MembersChange {
                    group: anser_proto::GroupId(GROUP),
                    operator: sender(user),
                    action,
                    login_version: 0,
                };
                drop(store.change_members(change).await);
            }
        })
    });
    let reader = tokio::spawn({
        let store = store.clone();
        async move {
            loop {
                for conversation in [group(GROUP), single(1, 2), single(3, 4)] {
                    println!("saw {conversation} {} .", read_head(&*store, conversation).await);
                }
            }
        }
    });
    join_all(tasks).await;
    reader.abort();
}

/// As a party or the member who never leaves sees it.
async fn read_head(store: &dyn Store, conversation: ConversationId) -> u64 {
    let reader = if conversation == single(3, 4) { UserId(3) } else { UserId(1) };
    let stretch = Stretch { after: None, before: 0, limit: 1, bytes_max: 1 << 20 };
    let page = store.read_log(reader, conversation, stretch).await.expect("they may see it");
    page.messages.last().map_or(0, |message| message.server_msg_id)
}

/// Sender and conversation of a message, by its id; user 1, who never leaves, writes to the group too.
fn parse(id: &str) -> (u64, ConversationId, u64) {
    let numbers: Vec<u64> = id.split('-').map(|number| number.parse().expect("a number")).collect();
    let (from, peer, n) = (numbers[0], numbers[1], numbers[3]);
    (from, if from == 1 && n % 2 == 0 { group(GROUP) } else { single(from, peer) }, n)
}
