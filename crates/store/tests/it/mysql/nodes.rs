//! Several nodes on one database, which believe what they like of each other: one order, nothing twice.

use std::collections::HashSet;

use anser_proto::UserId;
use anser_store::{Mark, MarkKind, MembersAction, MembersChange, Store, Stretch};
use futures_util::future::join_all;

use super::{SERVER, fresh_name, make_database, open};
use crate::talk::{found, group, send, sender, settle, single, text};

const NODES: usize = 3;
const EACH: u64 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn many_nodes_write_one_order() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let nodes = join_all((0..NODES).map(|_| open(&url))).await;
    settle(&*nodes[0], 4).await;
    found(&*nodes[0], 9, 1, &[2, 3, 4]).await;
    let conversations = [single(1, 2), single(2, 3), group(9)];
    let mut tasks = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        for conversation in conversations {
            let node = node.clone();
            tasks.push(tokio::spawn(async move {
                let mut places = Vec::new();
                for n in 0..EACH {
                    let message = text(2, conversation, &format!("{at}-{n}"));
                    places.push(send(&*node, message).await.expect("stored"));
                }
                assert!(places.is_sorted_by_key(|place| place.server_msg_id), "{places:?}");
                (conversation, places)
            }));
        }
    }
    for conversation in conversations {
        let page = Stretch { after: None, before: 0, limit: 1000, bytes_max: 1 << 30 };
        drop(nodes[0].read_log(UserId(2), conversation, page).await.expect("they may"));
    }
    let mut all: std::collections::HashMap<_, Vec<u64>> = std::collections::HashMap::new();
    for task in tasks {
        let (conversation, places) = task.await.expect("no task panics");
        all.entry(conversation).or_default().extend(places.iter().map(|place| place.server_msg_id));
    }
    for (conversation, mut ids) in all {
        ids.sort_unstable();
        let first = if conversation == group(9) { 2 } else { 1 };
        assert_eq!(ids, Vec::from_iter(first..first + NODES as u64 * EACH), "{conversation}");
    }
    // A retry on any node gets the first place again.
    for node in &nodes {
        let again = send(&**node, text(2, single(1, 2), "1-7")).await.expect("it is known");
        assert!(again.duplicate);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_message_on_all_nodes_at_once_is_stored_once() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let nodes = join_all((0..NODES).map(|_| open(&url))).await;
    settle(&*nodes[0], 2).await;
    for n in 0..40 {
        let id = format!("id-{n}");
        let answers = join_all(nodes.iter().map(|node| send(&**node, text(1, single(1, 2), &id)))).await;
        let places: HashSet<_> = answers.iter().map(|answer| answer.as_ref().expect("stored").server_msg_id).collect();
        assert_eq!(places, HashSet::from([n + 1]));
        let first = answers.iter().filter(|answer| !answer.as_ref().expect("stored").duplicate).count();
        assert_eq!(first, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn coming_going_and_marks_on_all_nodes_fall_into_one_order() {
    let url = make_database(&SERVER.url(), &fresh_name()).await;
    let nodes = join_all((0..NODES).map(|_| open(&url))).await;
    settle(&*nodes[0], 6).await;
    found(&*nodes[0], 9, 1, &[]).await;
    let tasks = (0..NODES).map(|at| {
        let node = nodes[at].clone();
        tokio::spawn(async move {
            for n in 0..30 {
                let user = 2 + (at as u64 * 2 + n) % 5;
                let invite = MembersAction::Invite(vec![UserId(user)]);
                node.change_members(MembersChange {
                    group: anser_proto::GroupId(9),
                    operator: sender(1),
                    action: invite,
                    login_version: 0,
                })
                .await
                .expect("the owner may");
                drop(send(&*node, text(user, group(9), &format!("{at}-{n}"))).await);
                drop(
                    node.mark(Mark {
                        user: UserId(1),
                        conversation: group(9),
                        kind: MarkKind::Read,
                        server_msg_id: n,
                        device_id: "device".into(),
                        login_version: 0,
                    })
                    .await,
                );
                let leave = MembersChange {
                    group: anser_proto::GroupId(9),
                    operator: sender(user),
                    action: MembersAction::Leave,
                    login_version: 0,
                };
                drop(node.change_members(leave).await);
            }
        })
    });
    for task in join_all(tasks).await {
        task.expect("no task panics");
    }
    let stretch = Stretch { after: Some(1), before: 0, limit: 1000, bytes_max: 1 << 30 };
    let page = nodes[0].read_log(UserId(1), group(9), stretch).await.expect("the owner may");
    let ids: Vec<_> = page.messages.iter().map(|message| message.server_msg_id).collect();
    assert_eq!(ids, Vec::from_iter(2..=page.head));
    let counts: Vec<_> = page.messages.iter().map(|message| message.count).collect();
    assert!(counts.is_sorted(), "{counts:?}");
    let (seen, _) = nodes[1].group(UserId(1), anser_proto::GroupId(9)).await.expect("they are a member");
    let present = nodes[2].member_ids(anser_proto::GroupId(9)).await.expect("a group").members;
    assert_eq!(seen.member_count as usize, present.len());
}
