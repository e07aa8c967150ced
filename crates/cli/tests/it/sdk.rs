//! What the SDK asks of a real server, beyond what `anser chat` and the plays ask.

use anser_client::{Changed, Client, Config, Credential, Draft, Keep, Mentions};

use crate::process::Machine;

async fn open(machine: &Machine, account: &str) -> Client {
    let made = machine.run(&["token", "make", account], "");
    let token = String::from_utf8(made.stdout).expect("text").trim().to_owned();
    let mut config = Config::new(machine.url(), Credential::Token(token));
    config.store = Keep::Memory;
    let client = Client::open(config).await.expect("opens");
    client.caught_up().await.expect("let in");
    client
}

#[tokio::test]
async fn who_reacted_whom_a_message_names_and_whose_profile_changed_can_be_asked() {
    let machine = Machine::with_users(&["alice", "bob"]);
    let (alice, bob) = (open(&machine, "alice").await, open(&machine, "bob").await);
    let me = |client: &Client| client.me().expect("let in");
    let (a, b) = (me(&alice).user_id, me(&bob).user_id);
    let ours = anser_client::ConversationId::single(a, b);

    let mut draft = Draft::text("hello");
    draft.mentions = Mentions::of([b]);
    let place = alice.send(ours, draft).await.expect("queued").sent().await.expect("stored").server_msg_id;
    bob.react(ours, place, ["👍", "🪿"]).await.expect("queued").sent().await.expect("stored");
    let reactions = alice.reactions(ours, place, None).await.expect("told");
    let users: Vec<_> = reactions.users.iter().map(|one| (one.user_id, one.emojis.clone())).collect();
    assert_eq!(users, [(b, vec!["👍".to_owned(), "🪿".to_owned()])]);
    assert!(!reactions.more && alice.reactions(ours, place, Some(b)).await.expect("told").users.is_empty());

    let message = bob.message(ours, place).await.expect("read").expect("it is there");
    let named = &message.mentions;
    assert!(named.names(b) && !named.names(a) && !named.has_all());

    let known = alice.users(&[b]).await.expect("found").pop().expect("bob").profile_version;
    assert_eq!(alice.changed_users(&[(b, known)]).await.expect("told"), []);
    let mut change = Changed::default();
    change.signature = Some("On the road".into());
    bob.update_profile(change).await.expect("changed");
    let changed = alice.changed_users(&[(a, me(&alice).profile_version), (b, known)]).await.expect("told");
    assert_eq!(changed.iter().map(|user| (user.user_id, &*user.signature)).collect::<Vec<_>>(), [(b, "On the road")]);
}
