//! The local store by itself: what is kept, what makes room, what survives.

use super::{file::MIGRATIONS, *};
use crate::engine::{Act, Draft, Edit, Mentioned, Target};

fn queued(peer: u64) -> Arc<Queued> {
    let conversation = ConversationId::single(anser_proto::UserId(1), anser_proto::UserId(peer));
    Arc::new(Queued::new(conversation, "a".parse().expect("a good id"), Draft::text("hi"), 0))
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
        recalled: BTreeMap::new(),
        recalled_from: 0,
        last_changed: 0,
        read_told: 0,
        told: None,
        has_left: false,
        row_head: 0,
        mentioned: Mentioned::default(),
    };
    vec![Change::Messages(vec![Arc::new(message)]), Change::Conversation(Box::new(kept))]
}

fn state(changed: u64, content: &str, reactions: Vec<v1::Reaction>) -> v1::Message {
    let conversation_id = queued(2).conversation.to_string();
    v1::Message { conversation_id, server_msg_id: 1, changed, content: content.into(), reactions, ..Default::default() }
}

#[tokio::test]
async fn of_two_states_the_newer_one_is_kept_whichever_comes_last() {
    let (store, _) = Store::open(None, Bounds::default()).await.expect("opens");
    store.commit(arrived(2, 1, 1)).await.expect("commits");
    let change = |states: Vec<v1::Message>| vec![Change::Changed(states.into_iter().map(Arc::new).collect())];
    let unknown = v1::Message { server_msg_id: 2, ..state(9, "of what is not kept", Vec::new()) };
    let told = change(vec![state(7, "newer", Vec::new()), state(5, "older", Vec::new()), unknown]);
    let replaced = store.commit(told).await.expect("commits").replaced;
    assert_eq!(replaced.into_values().map(|message| message.changed).collect::<Vec<_>>(), [7]);
    let again = store.commit(change(vec![state(7, "the same", Vec::new())])).await.expect("commits");
    assert!(again.replaced.is_empty());
    let page = store.history(queued(2).conversation, None, 10, Knows::Some).await.expect("reads").messages;
    assert_eq!(page.iter().map(|message| message.content.as_str()).collect::<Vec<_>>(), ["newer"]);
    // What it takes is counted as it is now.
    let usage = "SELECT (SELECT sum(length(message) + 64) FROM messages) - bytes, messages FROM usage";
    let off = store.run(move |file| Ok(file.query_row(usage, [], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?));
    assert_eq!(off.await.expect("reads"), (0, 1));
}

/// Whether these words lie anywhere in the file of a store that was closed.
fn has(file: &std::path::Path, words: &str) -> bool {
    let bytes = std::fs::read(file).expect("a file");
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

#[tokio::test]
async fn no_file_has_the_words_of_what_is_recalled_edited_hidden_or_dropped() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.db");
    let peers = 2..6;
    let conversation_of = |peer: u64| queued(peer).conversation;
    let words = |peer: u64, id: u64| format!("unforgettable {peer}-{id}.");
    // Short, and so long that it lies in pages of its own.
    let content = |peer, id: u64| words(peer, id) + &"x".repeat(if id.is_multiple_of(7) { 9_000 } else { 40 });
    let (store, _) = Store::open(Some(file.clone()), Bounds::NONE).await.expect("opens");
    for id in 1..=60 {
        for peer in peers.clone() {
            let mut changes = arrived(peer, id, 1);
            let conversation_id = conversation_of(peer).to_string();
            let content = content(peer, id);
            let message = v1::Message { conversation_id, server_msg_id: id, content, ..v1::Message::default() };
            changes[0] = Change::Messages(vec![Arc::new(message)]);
            store.commit(changes).await.expect("commits");
        }
    }
    store.close().await;
    assert!(has(&file, &words(3, 14)) && has(&file, &words(5, 60)), "it is looked at the right place");
    let (store, _) = Store::open(Some(file.clone()), Bounds::NONE).await.expect("opens");
    for (peer, id) in peers.clone().flat_map(|peer| (1..=60_u64).map(move |id| (peer, id))) {
        let conversation_id = conversation_of(peer).to_string();
        let content = if id.is_multiple_of(3) { "something else".into() } else { String::new() };
        let now = v1::Message { server_msg_id: id, changed: 100, content, ..state(100, "", Vec::new()) };
        let now = v1::Message { conversation_id: conversation_id.clone(), ..now };
        let change = match (peer, id) {
            (2, _) => Change::DropMessages { conversation: conversation_of(peer), before: id + 1 },
            (3, _) => {
                let hidden = Some(v1::change::Now::Hidden(v1::Hidden { conversation_id, server_msg_id: id }));
                Change::Thing(v1::Change { mailbox_seq: id, now: hidden })
            }
            _ => Change::Changed(vec![Arc::new(now)]),
        };
        store.commit(vec![change]).await.expect("commits");
    }
    store.close().await;
    let left: Vec<_> =
        peers.flat_map(|peer| (1..=60).map(move |id| words(peer, id))).filter(|words| has(&file, words)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_push_that_does_not_name_everybody_leaves_ones_own_reactions() {
    let (store, _) = Store::open(None, Bounds::default()).await.expect("opens");
    store.commit(arrived(2, 1, 1)).await.expect("commits");
    let reaction = |emoji: &str, count, user_ids: &[u64], mine| v1::Reaction {
        emoji: emoji.into(),
        count,
        user_ids: user_ids.to_vec(),
        mine,
    };
    let crowd = [11, 12, 13, 14, 15];
    let first = state(3, "", vec![reaction("👍", 20, &crowd, true), reaction("🎉", 2, &[1, 11], true)]);
    let then = state(4, "", vec![reaction("👍", 21, &crowd, false), reaction("🎉", 1, &[11], false)]);
    for state in [first, then] {
        store.commit(vec![Change::Changed(vec![Arc::new(state)])]).await.expect("commits");
    }
    let message = store.message(queued(2).conversation, 1).await.expect("reads").expect("it is here");
    assert_eq!(message.reactions.iter().map(|reaction| reaction.mine).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn changes_wait_in_the_store_as_messages_do() {
    let (store, _) = Store::open(None, Bounds::default()).await.expect("opens");
    let own = || Target::Own("a".parse().expect("a good id"));
    let (mut edit, mut draft) = (Edit::text("new"), Draft::text("yes"));
    (edit.if_changed, draft.reply_to) = (Some(0), Some(7));
    let acts = [Act::Send(draft), Act::Recall(own()), Act::Edit(own(), edit), Act::Recall(9.into())];
    let acts = acts.into_iter().chain([Act::React(7, vec!["👍".into(), "❤".into()]), Act::React(7, Vec::new())]);
    let queue: Vec<_> = acts
        .zip('a'..)
        .map(|(act, id)| Queued::new(queued(2).conversation, id.to_string().parse().expect("a good id"), act, 5))
        .collect();
    let changes = queue.iter().cloned().map(|queued| Change::Queue(Arc::new(queued))).collect();
    store.commit(changes).await.expect("commits");
    assert_eq!(store.unsent().await.expect("reads"), queue);
}

/// An older version passed over recalls and edits: what it kept may be recalled by now.
#[test]
fn what_was_kept_without_knowing_of_changes_is_asked_for_anew() {
    let mut connection = Connection::open_in_memory().expect("opens");
    let transaction = connection.transaction().expect("begins");
    MIGRATIONS[..6].iter().for_each(|migration| transaction.execute_batch(migration).expect("migrates"));
    let positions = v1::Positions { log_id: 77, mailbox_seq: 300, groups_digest: 0 };
    set_meta(&transaction, "positions", &positions.encode_to_vec()).expect("sets");
    let (id, body) = (queued(2).conversation.to_string(), state(0, "a secret", Vec::new()).encode_to_vec());
    transaction.execute("INSERT INTO messages VALUES (?, 1, 1, ?)", params![id, body]).expect("inserts");
    transaction.execute("INSERT INTO usage VALUES (?, 1, 99, 0)", [&id]).expect("inserts");
    let row = "INSERT INTO conversations VALUES (?, 1, 8, 7, 5, 6, NULL, NULL, NULL, 8, 0, 1, ?)";
    let session = v1::Session { conversation_id: id.clone(), ..v1::Session::default() }.encode_to_vec();
    transaction.execute(row, params![id, session]).expect("inserts");
    MIGRATIONS[6..].iter().for_each(|migration| transaction.execute_batch(migration).expect("migrates"));
    transaction.commit().expect("commits");
    let saved = read_saved(&mut connection).expect("reads");
    assert_eq!((saved.log_id, saved.mailbox_seq), (77, 0));
    let kept = &saved.conversations[0];
    assert_eq!((kept.low, kept.high, kept.high_count, kept.read_count, kept.recalled_from), (9, 8, 7, None, 8));
    assert_eq!(messages::read(&connection, &id, 1).expect("reads"), None);
}

#[tokio::test]
async fn the_longest_unused_conversations_make_room_and_keep_their_newest_page() {
    let bounds = Bounds { messages_max: 80, bytes_max: 200 * 1_100 };
    let (store, _) = Store::open(None, bounds).await.expect("opens");
    let mut low = std::collections::BTreeMap::new();
    for peer in [2, 3, 4] {
        for id in 1..=100 {
            let begins = low.get(&queued(peer).conversation).copied().unwrap_or(1);
            low.extend(store.commit(arrived(peer, id, begins)).await.expect("commits").evicted);
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
        let committed = store.commit(arrived(2, id, 1)).await.expect("commits");
        assert!(committed.evicted.is_empty());
    }
}

#[test]
fn what_an_older_version_queued_keeps_its_conversation() {
    let mut connection = Connection::open_in_memory().expect("opens");
    let transaction = connection.transaction().expect("begins");
    transaction.execute_batch(MIGRATIONS[0]).expect("migrates");
    let v1::client_frame::Request::Send(send) = queued(1_000_000).to_request() else { panic!("no message") };
    let send = send.encode_to_vec();
    transaction.execute("INSERT INTO outgoing (client_msg_id, send) VALUES ('a', ?)", [send]).expect("inserts");
    MIGRATIONS[1..].iter().for_each(|migration| transaction.execute_batch(migration).expect("migrates"));
    transaction.commit().expect("commits");
    apply(&connection, Change::Unqueue(queued(2).key()), &mut Replaced::new()).expect("applies");
    let kept = Queued { transmitted: true, ..Queued::clone(&queued(1_000_000)) };
    assert_eq!(read_outgoing(&connection).expect("reads"), [kept]);
    apply(&connection, Change::Unqueue(queued(1_000_000).key()), &mut Replaced::new()).expect("applies");
    assert_eq!(read_outgoing(&connection).expect("reads"), []);
}

#[tokio::test]
async fn making_room_makes_some_for_later() {
    let bounds = Bounds { bytes_max: 200 * 1_100, ..Bounds::NONE };
    let (store, _) = Store::open(None, bounds).await.expect("opens");
    let (mut low, mut evictions) = (1, 0);
    for id in 1..=400 {
        if let Some((_, begins)) = store.commit(arrived(2, id, low)).await.expect("commits").evicted.pop() {
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

#[tokio::test]
async fn what_is_hidden_goes_and_does_not_come_back_by_what_was_on_its_way() {
    let (store, _) = Store::open(None, Bounds::default()).await.expect("opens");
    let conversation = queued(2).conversation;
    store.commit([arrived(2, 1, 1), arrived(2, 2, 1)].concat()).await.expect("commits");
    let hidden = v1::Hidden { conversation_id: conversation.to_string(), server_msg_id: 2 };
    let hide = Change::Thing(v1::Change { mailbox_seq: 3, now: Some(v1::change::Now::Hidden(hidden)) });
    store.commit([vec![hide], arrived(2, 2, 1)].concat()).await.expect("commits");
    let page = store.history(conversation, None, 9, Knows::All).await.expect("reads");
    assert_eq!(page.messages.iter().map(|message| message.server_msg_id).collect::<Vec<_>>(), [1]);
    assert_eq!(store.message(conversation, 2).await.expect("reads"), None);
}

#[tokio::test]
async fn pinned_conversations_come_first_and_removed_ones_not_at_all() {
    let (store, _) = Store::open(None, Bounds::default()).await.expect("opens");
    for (peer, pinned, removed_at) in [(2, false, 0), (3, true, 0), (4, false, 7), (5, false, 6)] {
        let mut changes = arrived(peer, 7, 1);
        let Some(Change::Conversation(kept)) = changes.last_mut() else { panic!("it is the last") };
        kept.session.peer = Some(v1::User { user_id: peer, ..v1::User::default() });
        let last = v1::Preview { server_msg_id: 7, server_time_ms: peer, ..v1::Preview::default() };
        (kept.session.last, kept.session.pinned, kept.session.removed_at) = (Some(last), pinned, removed_at);
        store.commit(changes).await.expect("commits");
    }
    let listed = store.sessions().await.expect("reads");
    let peers: Vec<_> = listed.iter().filter_map(|session| Some(session.peer.as_ref()?.user_id.0)).collect();
    assert_eq!(peers, [3, 5, 2]);
}
