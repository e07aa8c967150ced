//! What is recalled is gone: its words are in no file of the store.

use std::fs;

use anser_store::{Hide, MessageChange, NewMessage, Target, What};

use super::*;

/// A change of the user's own message in this conversation.
fn change(to: ConversationId, id: &str, (kind, what): (i32, What), own: &str, content: &str) -> NewMessage {
    let change = Some(MessageChange { target: Target::Own(own.parse().expect("a good id")), what });
    NewMessage { kind, change, content: content.into(), counted: false, ..text(1, to, id) }
}

fn has(folder: &Path, words: &str) -> bool {
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("an entry").path());
    let mut contents = files.filter(|path| path.is_file()).map(|path| fs::read(path).expect("a file"));
    contents.any(|bytes| bytes.windows(words.len()).any(|window| window == words.as_bytes()))
}

#[tokio::test]
async fn no_file_has_the_words_of_a_recalled_message() {
    let home = tempfile::tempdir().expect("a folder");
    let store = open(home.path());
    settle(&*store, 2).await;
    found(&*store, 10, 1, &[2]).await;
    // Short, and so long that it lies in pages of its own.
    let lengths = [("short", ""), ("long", &"long ".repeat(10_000))];
    let revisions = ["first", "second", "third"];
    let all = || [single(1, 2), group(10)].into_iter().flat_map(|to| lengths.map(|(own, tail)| (to, own, tail)));
    for (to, own, tail) in all() {
        let words = |revision: &str| format!("unforgettable {revision} {own} {tail}");
        let said = NewMessage { content: words("first").into(), ..text(1, to, own) };
        send(&*store, said).await.expect("stored");
        for revision in &revisions[1..] {
            let edit = (61, What::Edit { if_changed: None });
            let edit = change(to, &format!("{own}-{revision}"), edit, own, &words(revision));
            send(&*store, edit).await.expect("stored");
        }
    }
    store.close().await;
    for (own, _) in lengths {
        assert!(has(home.path(), &format!("unforgettable third {own}")), "it is looked at the right place");
    }
    let store = open(home.path());
    for (to, own, _) in all() {
        let recall = change(to, &format!("{own}-gone"), (60, What::Recall), own, "");
        send(&*store, recall).await.expect("stored");
    }
    store.close().await;
    for (own, _) in lengths {
        for revision in revisions {
            assert!(!has(home.path(), &format!("unforgettable {revision} {own}")), "{revision} {own}");
        }
    }
}

#[tokio::test]
async fn no_file_has_the_words_of_a_message_that_neither_of_two_sees() {
    let home = tempfile::tempdir().expect("a folder");
    let store = open(home.path());
    settle(&*store, 2).await;
    let to = single(1, 2);
    let said = NewMessage { content: "unforgettable".into(), ..text(1, to, "said") };
    let place = send(&*store, said).await.expect("stored").server_msg_id;
    for user in [1, 2] {
        store.close().await;
        assert!(has(home.path(), "unforgettable"), "the other one sees it");
        let store = open(home.path());
        let hide = Hide {
            user: UserId(user),
            conversation: to,
            places: vec![place],
            device_id: "device".into(),
            login_version: 0,
        };
        store.hide_messages(hide).await.expect("hidden");
        store.close().await;
    }
    assert!(!has(home.path(), "unforgettable"));
}
