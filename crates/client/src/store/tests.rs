//! The local store by itself: what is kept, what makes room, what survives.

use super::{file::MIGRATIONS, *};

fn queued(peer: u64) -> Arc<Queued> {
    let conversation = ConversationId::single(anser_proto::UserId(1), anser_proto::UserId(peer));
    let (client_msg_id, draft) = ("a".parse().expect("a good id"), Draft::text("hi"));
    Arc::new(Queued { conversation, client_msg_id, draft, client_time_ms: 0, transmitted: false, refused: None })
}

#[tokio::test]
async fn the_same_id_in_two_conversations_is_two_messages() {
    let (store, _) = Store::open(None, Bounds::default()).await.expect("opens");
    let queue = [2, 3].map(|peer| Change::Queue(queued(peer)));
    store.commit(queue.into()).await.expect("commits");
    assert_eq!(store.unsent().await.expect("reads"), [2, 3].map(|peer| Queued::clone(&queued(peer))));
    store.commit(vec![Change::Unqueue(queued(2).key())]).await.expect("commits");
    assert_eq!(store.unsent().await.expect("reads"), [Queued::clone(&queued(3))]);
}

/// A message in the conversation with this peer, of which what is kept begins at `low`.
fn arrived(peer: u64, server_msg_id: u64, low: u64) -> Vec<Change> {
    let conversation = queued(peer).conversation;
    let conversation_id = conversation.to_string();
    let session = v1::Session { conversation_id: conversation_id.clone(), ..v1::Session::default() };
    let content = "x".repeat(1_000);
    let message = v1::Message { conversation_id, server_msg_id, content, ..v1::Message::default() };
    let kept = Kept {
        conversation,
        session,
        low,
        high: server_msg_id,
        high_count: 0,
        read_count: None,
        read_told: 0,
        told: None,
        row_head: 0,
    };
    vec![Change::Messages(vec![Arc::new(message)]), Change::Conversation(Box::new(kept))]
}

#[tokio::test]
async fn the_longest_unused_conversations_make_room_and_keep_their_newest_page() {
    let bounds = Bounds { messages_max: 80, bytes_max: 200 * 1_100 };
    let (store, _) = Store::open(None, bounds).await.expect("opens");
    let mut low = std::collections::BTreeMap::new();
    for peer in [2, 3, 4] {
        for id in 1..=100 {
            let begins = low.get(&queued(peer).conversation).copied().unwrap_or(1);
            low.extend(store.commit(arrived(peer, id, begins)).await.expect("commits"));
        }
        // The first one is looked at again and again.
        store.note_use(queued(2).conversation).await.expect("notes");
    }
    let left = |peer| store.history(queued(peer).conversation, None, 200, Knows::Some);
    for (peer, least, most) in [(2, 80, 80), (3, 50, 50), (4, 51, 79)] {
        let (left, low) = (left(peer).await.expect("reads"), low[&queued(peer).conversation]);
        let ids: Vec<_> = left.messages.iter().map(|message| message.server_msg_id).collect();
        assert!((least..=most).contains(&ids.len()), "{} of {peer} are left", ids.len());
        assert_eq!((ids, left.more), ((low..=100).collect(), true), "one stretch up to the newest");
    }
    let saved = store.run(read_saved).await.expect("reads");
    assert!(saved.conversations.iter().all(|kept| kept.low == low[&kept.conversation]));
}

#[tokio::test]
async fn a_wipe_that_fails_leaves_a_store_that_works() {
    let (store, _) = Store::open(None, Bounds::default()).await.expect("opens");
    let breaks = "CREATE TRIGGER breaks BEFORE DELETE ON outgoing BEGIN SELECT RAISE(ABORT, 'a test said so'); END";
    store.commit(vec![Change::Queue(queued(2))]).await.expect("commits");
    store.commit(arrived(2, 1, 1)).await.expect("commits");
    store.run(|connection| Ok(connection.execute_batch(breaks)?)).await.expect("executes");
    store.wipe().await.expect_err("a test said so");
    store.commit(arrived(2, 2, 1)).await.expect("commits");
    let history = store.history(queued(2).conversation, None, 10, Knows::Some).await.expect("reads");
    assert_eq!(history.messages.len(), 2, "all of it or nothing");
}

#[tokio::test]
async fn without_bounds_everything_stays() {
    let (store, _) = Store::open(None, Bounds::NONE).await.expect("opens");
    for id in 1..=10 {
        let evicted = store.commit(arrived(2, id, 1)).await.expect("commits");
        assert!(evicted.is_empty());
    }
}

#[test]
fn what_an_older_version_queued_keeps_its_conversation() {
    let mut connection = Connection::open_in_memory().expect("opens");
    let transaction = connection.transaction().expect("begins");
    transaction.execute_batch(MIGRATIONS[0]).expect("migrates");
    let send = queued(1_000_000).to_send().encode_to_vec();
    transaction.execute("INSERT INTO outgoing (client_msg_id, send) VALUES ('a', ?)", [send]).expect("inserts");
    MIGRATIONS[1..].iter().for_each(|migration| transaction.execute_batch(migration).expect("migrates"));
    transaction.commit().expect("commits");
    apply(&connection, Change::Unqueue(queued(2).key())).expect("applies");
    let kept = Queued { transmitted: true, ..Queued::clone(&queued(1_000_000)) };
    assert_eq!(read_outgoing(&connection).expect("reads"), [kept]);
    apply(&connection, Change::Unqueue(queued(1_000_000).key())).expect("applies");
    assert_eq!(read_outgoing(&connection).expect("reads"), []);
}

#[tokio::test]
async fn making_room_makes_some_for_later() {
    let bounds = Bounds { bytes_max: 200 * 1_100, ..Bounds::NONE };
    let (store, _) = Store::open(None, bounds).await.expect("opens");
    let (mut low, mut evictions) = (1, 0);
    for id in 1..=400 {
        if let Some((_, begins)) = store.commit(arrived(2, id, low)).await.expect("commits").pop() {
            (low, evictions) = (begins, evictions + 1);
        }
    }
    assert!((1..=400 / 10).contains(&evictions), "made room {evictions} times");
}

#[tokio::test]
async fn networks_that_taught_something_last_are_remembered() {
    let (store, _) = Store::open(None, Bounds::default()).await.expect("opens");
    let learned = Learned { proven_ms: 30_000, ..Learned::default() };
    let learn = |number: u32| vec![Change::Heartbeat { network: format!("wifi:{number}"), learned }];
    for number in (1..=NETWORKS_MAX).chain([1]).chain([NETWORKS_MAX + 1]) {
        store.commit(learn(number)).await.expect("commits");
    }
    let mut kept: Vec<_> =
        store.run(read_saved).await.expect("reads").heartbeats.into_iter().map(|(network, _)| network).collect();
    let mut expected: Vec<_> =
        (1..=NETWORKS_MAX + 1).filter(|number| *number != 2).map(|number| format!("wifi:{number}")).collect();
    kept.sort();
    expected.sort();
    assert_eq!(kept, expected);
}

fn contact(state: v1::contact::State, text: &str, mailbox_seq: u64) -> Change {
    let user = Some(v1::User { user_id: 9, account: "bob".into(), ..v1::User::default() });
    let contact = v1::Contact { user, state: state.into(), text: text.into(), ..v1::Contact::default() };
    Change::Thing(v1::Change { mailbox_seq, now: Some(v1::change::Now::Contact(contact)) })
}

#[tokio::test]
async fn of_a_contact_the_newest_change_is_kept_whichever_comes_last() {
    use v1::contact::State;
    let (store, _) = Store::open(None, Bounds::default()).await.expect("opens");
    let texts = async |store: &Store| {
        let contacts = store.contacts().await.expect("reads").into_iter();
        contacts.map(|contact| contact.text).collect::<Vec<_>>()
    };
    for (change, left) in [
        (contact(State::Asked, "one", 3), &["one"][..]),
        (contact(State::Asked, "two", 5), &["two"]),
        (contact(State::Asked, "one", 3), &["two"]),
        (contact(State::None, "", 7), &[]),
        (contact(State::Contact, "three", 6), &[]),
        (contact(State::Contact, "four", 8), &["four"]),
        (Change::ForgetThings, &[]),
        (contact(State::Asked, "one", 3), &["one"]),
    ] {
        store.commit(vec![change]).await.expect("commits");
        assert_eq!(texts(&store).await, left);
    }
}

#[tokio::test]
async fn whom_the_user_blocked_is_kept_until_they_are_not() {
    let (store, _) = Store::open(None, Bounds::default()).await.expect("opens");
    for (since_ms, seq) in [(5, 1), (0, 2)] {
        let user = Some(v1::User { user_id: 9, ..v1::User::default() });
        let now = v1::change::Now::Blocked(v1::Blocked { user, since_ms });
        store.commit(vec![Change::Thing(v1::Change { mailbox_seq: seq, now: Some(now) })]).await.expect("commits");
        let blocked: Vec<_> = store.blocked().await.expect("reads").iter().map(|one| one.user.user_id.0).collect();
        assert_eq!(blocked, if since_ms > 0 { vec![9] } else { vec![] });
    }
}
