//! A database that is killed at any moment: what was acknowledged is there, what a reader saw too, and nodes go on by
//! themselves.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use anser_proto::{ConversationId, UserId};
use anser_services::{MariaDb, Place};
use anser_store::{Error, Store, Stretch};
use futures_util::future::join_all;
use tokio::sync::watch;

use super::{make_database, open};
use crate::talk::{found, group, send, settle, single, text};

const KILLS: u64 = 6;
const USERS: u64 = 4;

/// What is said while the database dies and comes back.
struct Talk {
    over: AtomicBool,
    /// Places, by sender, conversation and id.
    acknowledged: Mutex<HashMap<(u64, ConversationId, String), u64>>,
    count: watch::Sender<u64>,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_or_seen_survives_kills_of_the_database() {
    let mut server = MariaDb::start(Place::Tests).expect("MariaDB starts");
    let url = make_database(&server.url(), "anser").await;
    let nodes = [open(&url).await, open(&url).await];
    settle(&*nodes[0], USERS).await;
    found(&*nodes[0], 9, 1, &[2, 3, 4]).await;

    let (count, mut acks) = watch::channel(0);
    let talk = Arc::new(Talk { over: AtomicBool::new(false), acknowledged: Mutex::default(), count });
    let writers: Vec<_> =
        (1..=USERS).map(|user| tokio::spawn(write(nodes[user as usize % 2].clone(), user, talk.clone()))).collect();
    let reader = tokio::spawn(read(nodes[1].clone(), talk.clone()));
    for round in 0..=KILLS {
        let wanted = *acks.borrow() + 50 + 37 * round;
        acks.wait_for(|acks| *acks >= wanted).await.expect("the writers go on");
        if round < KILLS {
            server.kill();
            server.start_again().expect("it comes back");
        }
    }
    talk.over.store(true, Ordering::Relaxed);
    for writer in join_all(writers).await {
        writer.expect("no writer panics");
    }
    reader.await.expect("nobody saw a ghost");

    let acknowledged = talk.acknowledged.lock().expect("nobody panics").clone();
    let mut places: HashMap<ConversationId, Vec<u64>> = HashMap::new();
    for ((user, conversation, id), place) in acknowledged {
        let again = send(&*nodes[0], text(user, conversation, &id)).await.expect("it is known");
        assert_eq!((again.server_msg_id, again.duplicate), (place, true), "{id} of {user} in {conversation}");
        places.entry(conversation).or_default().push(place);
    }
    for (conversation, mut ids) in places {
        ids.sort_unstable();
        let first = if conversation == group(9) { 2 } else { 1 };
        assert_eq!(ids, Vec::from_iter(first..first + ids.len() as u64), "{conversation}");
    }
}

/// As a client does: one after the other, each again until it is acknowledged.
async fn write(node: Arc<dyn Store>, user: u64, talk: Arc<Talk>) {
    for n in 1.. {
        let conversation = if n % 2 == 0 { group(9) } else { single(user, user % USERS + 1) };
        let id = format!("{user}-{n}");
        let place = loop {
            match send(&*node, text(user, conversation, &id)).await {
                Ok(place) => break place.server_msg_id,
                Err(error) => assert!(matches!(error, Error::Failed(_)), "{error}"),
            }
        };
        talk.acknowledged.lock().expect("nobody panics").insert((user, conversation, id), place);
        talk.count.send_modify(|count| *count += 1);
        if talk.over.load(Ordering::Relaxed) {
            return;
        }
    }
}

async fn read(node: Arc<dyn Store>, talk: Arc<Talk>) {
    let mut seen: HashMap<ConversationId, u64> = HashMap::new();
    while !talk.over.load(Ordering::Relaxed) {
        for conversation in [group(9), single(1, 2)] {
            let stretch = Stretch { after: None, before: 0, limit: 1, bytes_max: 1 << 20 };
            // It may be away for longer than a reader waits.
            let Ok(page) = node.read_log(UserId(1), conversation, stretch).await else { continue };
            let head = page.messages.last().map_or(0, |message| message.server_msg_id);
            let before = seen.insert(conversation, head).unwrap_or(0);
            assert!(head >= before, "{before} messages of {conversation} were seen, and {head} are left");
        }
    }
}
