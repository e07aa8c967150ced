//! Cases of [`Store::append`](crate::Store::append) and [`Store::read_log`](crate::Store::read_log): messages that are changed where they stand.

use anser_proto::{
    ConversationId, UserId,
    limits::{EDITS_MAX, EMOJIS_MAX},
};

use super::room::*;
use crate::{
    Appended, EDITS_OF_A_MESSAGE, EMOJIS_OF_A_MESSAGE, Error, LogPage, Message, MessageChange, NewMessage,
    PeopleAction, PeopleChange, Refusal, Role, Stretch, Target, What,
};

const RECALL: i32 = 60;
const EDIT: i32 = 61;
const REACTION: i32 = 62;
pub(super) const FORWARD: Stretch = Stretch { after: Some(0), before: 0, limit: 200, bytes_max: usize::MAX };

pub(super) fn changing(
    by: UserId,
    conversation: ConversationId,
    id: &str,
    (kind, what): (i32, What),
    target: u64,
    content: &str,
) -> NewMessage {
    let change = Some(MessageChange { target: Target::Place(target), what });
    NewMessage { kind, change, content: content.into(), counted: false, ..text(by, conversation, id) }
}

pub(super) fn recall(by: UserId, conversation: ConversationId, id: &str, target: u64) -> NewMessage {
    changing(by, conversation, id, (RECALL, What::Recall), target, "")
}

pub(super) fn edit(by: UserId, conversation: ConversationId, id: &str, target: u64, content: &str) -> NewMessage {
    changing(by, conversation, id, (EDIT, What::Edit { if_changed: None }), target, content)
}

pub(super) fn react(by: UserId, conversation: ConversationId, id: &str, target: u64, emojis: &str) -> NewMessage {
    changing(by, conversation, id, (REACTION, What::React), target, emojis)
}

pub(super) async fn at(room: &Room, reader: UserId, conversation: ConversationId, place: u64) -> Message {
    let log = room.log(reader, conversation).await;
    log.into_iter().find(|message| message.server_msg_id == place).expect("it is shown")
}

pub(super) async fn page(room: &Room, reader: UserId, conversation: ConversationId, stretch: Stretch) -> LogPage {
    ok(room.read_log(reader, conversation, stretch).await)
}

pub(super) fn refused(answer: Result<Appended, Error>) -> Refusal {
    match answer {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("it was to be refused: {other:?}"),
    }
}

/// Below a message: emoji, number, users.
fn below(message: &Message) -> Vec<(String, u32, Vec<u64>)> {
    let reactions = message.revision.reactions.0.iter();
    reactions
        .map(|reaction| {
            (reaction.emoji.to_string(), reaction.count, reaction.users.iter().map(|user| user.0).collect())
        })
        .collect()
}

pub(super) async fn changes_that_come_together_are_all_made(room: &mut Room) {
    const MANY: u64 = 12;
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let said: Vec<_> = (0..MANY).map(|number| text(ADA, to, &format!("said-{number}"))).collect();
        let last = ids(&all_ok(room.append(said.clone()).await)).into_iter().max().expect("some");
        // Each names its message by what only the log knows.
        let edits = said.iter().map(|said| (said, edit(ADA, to, &format!("{}-edit", said.client_msg_id), 0, "better")));
        let recalls = said.iter().map(|said| (said, recall(ADA, to, &format!("{}-recall", said.client_msg_id), 0)));
        let own = |(said, change): (&NewMessage, NewMessage)| {
            let what = change.change.as_ref().expect("a change").what;
            let target = Target::Own(said.client_msg_id.clone());
            NewMessage { change: Some(MessageChange { target, what }), ..change }
        };
        let changes = all_ok(room.append(edits.chain(recalls).map(own).collect()).await);
        assert_eq!(ids(&changes), Vec::from_iter(last + 1..=last + 2 * MANY));
    }
}

pub(super) async fn a_recalled_message_has_no_body_for_anybody(room: &mut Room) {
    for to in [single(ADA, BOB), single(ADA, ADA), room.found(1, ADA, &[BOB]).await] {
        let sent = ok(room.send(NewMessage { attachment: b"secret"[..].into(), ..text(ADA, to, "m") }).await);
        ok(room.send(react(ADA, to, "r", sent.server_msg_id, "x")).await);
        let recalled = ok(room.send(recall(ADA, to, "gone", sent.server_msg_id)).await);
        assert_eq!(recalled.server_msg_id, sent.server_msg_id + 2);
        let now = recalled.changed.expect("it was changed");
        for reader in [ADA, BOB].into_iter().filter(|reader| to != single(ADA, ADA) || *reader == ADA) {
            let shown = at(room, reader, to, sent.server_msg_id).await;
            assert_eq!(shown, *now);
            assert_eq!((&*shown.content, &shown.attachment[..], below(&shown)), ("", &b""[..], vec![]));
            assert_eq!((shown.revision.recalled_by, shown.revision.changed), (Some(ADA), recalled.server_msg_id));
            assert_eq!((shown.from, shown.count), (sender(ADA), sent.count), "its line stays");
        }
    }
}

pub(super) async fn an_edited_message_has_its_new_body_in_both_copies(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let sent = ok(room.send(text(ADA, to, "m")).await);
        room.set_time(NOON + 5);
        let changed = ok(room.send(edit(ADA, to, "e", sent.server_msg_id, "better")).await);
        for reader in [ADA, BOB] {
            let shown = at(room, reader, to, sent.server_msg_id).await;
            assert_eq!(Some(&shown), changed.changed.as_deref());
            assert_eq!((&*shown.content, shown.revision.edits, shown.revision.edited_ms), ("better", 1, NOON + 5));
            assert_eq!(shown.server_time_ms, NOON, "when it was sent stays");
        }
        room.set_time(NOON);
    }
}

pub(super) async fn reactions_are_the_whole_set_of_each_user(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let place = room.say(ADA, to).await.server_msg_id;
        let (ada, bob) = (ADA.0, BOB.0);
        ok(room.send(react(BOB, to, "r1", place, "🪿 👍")).await);
        ok(room.send(react(ADA, to, "r2", place, "👍")).await);
        let shown = at(room, BOB, to, place).await;
        assert_eq!(below(&shown), [("🪿".into(), 1, vec![bob]), ("👍".into(), 2, vec![bob, ada])]);
        let mine = |message: &Message| message.revision.reactions.0.iter().map(|one| one.mine).collect::<Vec<_>>();
        assert_eq!((mine(&shown), mine(&at(room, ADA, to, place).await)), (vec![true, true], vec![false, true]));
        ok(room.send(react(BOB, to, "r3", place, "❤")).await);
        let shown = at(room, ADA, to, place).await;
        assert_eq!(below(&shown), [("👍".into(), 1, vec![ada]), ("❤".into(), 1, vec![bob])]);
        ok(room.send(react(BOB, to, "r4", place, "")).await);
        assert_eq!(below(&at(room, ADA, to, place).await), [("👍".into(), 1, vec![ada])]);
    }
}

pub(super) async fn who_reacted_is_named_as_long_as_they_are_few(room: &mut Room) {
    let users: Vec<_> = (100..121).map(UserId).collect();
    for user in &users {
        room.user(*user).await;
    }
    let crowd = room.found(1, ADA, &users).await;
    let place = room.say(ADA, crowd).await.server_msg_id;
    let named = async |room: &Room| at(room, ADA, crowd, place).await.revision.reactions.0[0].users.len();
    for (n, user) in users.iter().enumerate() {
        ok(room.send(react(*user, crowd, "r", place, "x")).await);
        assert_eq!(named(room).await, if n < 20 { n + 1 } else { 5 });
    }
    // One of those who are named goes: the next takes their place, and all are named again.
    ok(room.send(react(users[2], crowd, "back", place, "")).await);
    let expected: Vec<_> = users.iter().filter(|user| **user != users[2]).map(|user| user.0).collect();
    assert_eq!(below(&at(room, ADA, crowd, place).await), [("x".into(), 20, expected)]);
    ok(room.send(react(users[2], crowd, "again", place, "x")).await);
    ok(room.send(react(users[0], crowd, "y", place, "y")).await);
    let shown = at(room, ADA, crowd, place).await;
    assert_eq!(below(&shown)[0], ("x".into(), 20, vec![101, 103, 104, 105, 106]));
    assert_eq!(below(&shown)[1], ("y".into(), 1, vec![100]));
}

pub(super) async fn a_silent_entry_takes_a_place_and_is_not_shown(room: &mut Room) {
    let pair = single(ADA, BOB);
    let first = room.say(ADA, pair).await;
    let entry = ok(room.send(edit(ADA, pair, "e", 1, "better")).await);
    assert_eq!((entry.server_msg_id, entry.count), (2, first.count));
    assert_eq!(room.say(BOB, pair).await.server_msg_id, 3);
    assert_eq!(room.visible(BOB, pair).await, [1, 3]);
}

pub(super) async fn a_silent_entry_moves_no_marks_and_stamps_both_sessions(room: &mut Room) {
    let pair = single(ADA, BOB);
    let own = room.say(ADA, pair).await;
    for _ in 0..3 {
        room.say(BOB, pair).await;
    }
    let (ada, bob) = (room.mailbox_seq(ADA).await, room.mailbox_seq(BOB).await);
    let entry = ok(room.send(recall(ADA, pair, "gone", own.server_msg_id)).await);
    assert_eq!((entry.sender_mailbox_seq, entry.receiver_mailbox_seq), (ada + 1, bob + 1));
    let session = room.entry(ADA, pair).await;
    assert_eq!((session.mailbox_seq, session.head, session.unread, session.read_mark), (ada + 1, 5, 3, 1));
    assert_eq!(room.entry(BOB, pair).await.mailbox_seq, bob + 1);
}

pub(super) async fn ones_own_mark_over_a_silent_entry_tells_nobody_else(room: &mut Room) {
    let own = single(ADA, ADA);
    let place = room.say(ADA, own).await.server_msg_id;
    let first = ok(room.send(edit(ADA, own, "other", place, "other words")).await).server_msg_id;
    let second = ok(room.send(recall(ADA, own, "gone", place)).await).server_msg_id;
    let before = room.mailbox_seq(ADA).await;
    let (delivered, read) = (room.deliver(ADA, own, first).await, room.read(ADA, own, second).await);
    assert_eq!([delivered.mailbox_seq, read.mailbox_seq], [before + 1, before + 2]);
    assert_eq!([delivered.peer, read.peer], [None, None]);
}

pub(super) async fn a_silent_entry_leaves_the_last_message_of_the_list(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let first = room.say(ADA, to).await.server_msg_id;
        let last = room.say(ADA, to).await.server_msg_id;
        let preview = async |room: &Room| room.entry(BOB, to).await.last.expect("something was said");
        ok(room.send(react(BOB, to, "r", first, "x")).await);
        ok(room.send(edit(ADA, to, "e", first, "better")).await);
        assert_eq!(preview(room).await.server_msg_id, last);
        ok(room.send(edit(ADA, to, "e2", last, "newest")).await);
        assert_eq!(&*preview(room).await.content, "newest");
        ok(room.send(recall(ADA, to, "gone", last)).await);
        let shown = preview(room).await;
        assert_eq!((shown.server_msg_id, shown.is_recalled, &*shown.content), (last, true, ""));
        let next = room.say(BOB, to).await.server_msg_id;
        assert_eq!(preview(room).await.server_msg_id, next);
    }
}

pub(super) async fn what_is_recalled_is_not_unread(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let mut places = Vec::new();
        for _ in 0..4 {
            places.push(room.say(ADA, to).await.server_msg_id);
        }
        let before = room.entry(BOB, to).await.unread;
        assert_eq!(before, 4);
        ok(room.send(recall(ADA, to, "g2", places[1])).await);
        ok(room.send(recall(ADA, to, "g3", places[2])).await);
        assert_eq!(room.entry(BOB, to).await.unread, 2);
        assert_eq!(room.read(BOB, to, places[0]).await.unread, 1);
        assert_eq!(room.read(BOB, to, places[1]).await.unread, 1);
        assert_eq!(room.entry(BOB, to).await.unread, 1);
        assert_eq!(room.read(BOB, to, u64::MAX >> 1).await.unread, 0);
        let uncounted = room.say_uncounted(ADA, to).await.server_msg_id;
        room.say(ADA, to).await;
        ok(room.send(recall(ADA, to, "g5", uncounted)).await);
        assert_eq!(room.entry(BOB, to).await.unread, 1, "it had not counted");
    }
}

pub(super) async fn what_changes_nothing_makes_no_entry(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let place = ok(room.send(text(ADA, crowd, "m")).await).server_msg_id;
    let nothing = async |room: &Room, message: NewMessage, expected: u64| {
        let picture = room.picture().await;
        let answer = ok(room.send(message).await);
        assert_eq!((answer.server_msg_id, answer.duplicate, answer.changed), (expected, true, None));
        assert_eq!(room.picture().await, picture);
    };
    nothing(room, edit(ADA, crowd, "e0", place, "text of m"), place).await;
    nothing(room, react(BOB, crowd, "r0", place, ""), place).await;
    let edited = ok(room.send(edit(ADA, crowd, "e1", place, "better")).await).server_msg_id;
    nothing(room, edit(ADA, crowd, "e2", place, "better"), edited).await;
    let reacted = ok(room.send(react(BOB, crowd, "r1", place, "x y")).await).server_msg_id;
    nothing(room, react(BOB, crowd, "r2", place, "y x"), reacted).await;
    let recalled = ok(room.send(recall(ADA, crowd, "g1", place)).await).server_msg_id;
    nothing(room, recall(ADA, crowd, "g2", place), recalled).await;
    nothing(room, recall(BOB, crowd, "g3", place), recalled).await;
}

pub(super) async fn a_retry_of_a_change_gets_its_first_place(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let place = room.say(BOB, crowd).await.server_msg_id;
    let changes = [
        react(BOB, crowd, "r", place, "x"),
        edit(BOB, crowd, "e", place, "better"),
        edit(BOB, crowd, "e2", place, "best"),
        recall(BOB, crowd, "g", place),
    ];
    let mut firsts = Vec::new();
    for change in &changes {
        firsts.push(ok(room.send(change.clone()).await));
    }
    ok(room.leave(BOB, crowd).await);
    room.set_time(NOON + 400 * DAY);
    let picture = room.picture().await;
    for (change, first) in changes.into_iter().zip(firsts) {
        let again = ok(room.send(change).await);
        assert_eq!((again.server_msg_id, again.duplicate), (first.server_msg_id, true));
        assert_eq!((again.server_time_ms, again.changed), (first.server_time_ms, None));
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn a_retry_of_a_message_that_is_gone_gets_its_first_place(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let first = ok(room.send(text(ADA, to, "m")).await);
        ok(room.send(edit(ADA, to, "e", first.server_msg_id, "better")).await);
        for _ in 0..2 {
            assert_eq!(ok(room.send(text(ADA, to, "m")).await).server_msg_id, first.server_msg_id);
            let other = NewMessage { content: "better".into(), ..text(ADA, to, "m") };
            assert_eq!(refused(room.send(other).await), Refusal::Conflict("client_msg_id"));
            ok(room.send(recall(ADA, to, "g", first.server_msg_id)).await);
        }
    }
}

pub(super) async fn another_change_under_a_known_client_msg_id_is_refused(room: &mut Room) {
    let pair = single(ADA, BOB);
    let (one, other) = (room.say(ADA, pair).await.server_msg_id, room.say(ADA, pair).await.server_msg_id);
    ok(room.send(edit(ADA, pair, "e", one, "better")).await);
    let others = [
        edit(ADA, pair, "e", other, "better"),
        edit(ADA, pair, "e", one, "best"),
        react(ADA, pair, "e", one, "better"),
        text(ADA, pair, "e"),
    ];
    for message in others {
        assert_eq!(refused(room.send(message).await), Refusal::Conflict("client_msg_id"));
    }
}

pub(super) async fn only_the_author_edits(room: &mut Room) {
    let (pair, crowd) = (single(ADA, BOB), room.found(1, ADA, &[BOB]).await);
    for to in [pair, crowd] {
        let place = room.say(BOB, to).await.server_msg_id;
        assert_eq!(refused(room.send(edit(ADA, to, "e", place, "words")).await), Refusal::Forbidden);
    }
}

pub(super) async fn who_stands_above_the_author_recalls(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let (of_bob, of_ada) = (room.say(BOB, crowd).await.server_msg_id, room.say(ADA, crowd).await.server_msg_id);
    assert_eq!(refused(room.send(recall(CYD, crowd, "g", of_bob)).await), Refusal::Forbidden);
    assert_eq!(refused(room.send(recall(CYD, crowd, "g", of_ada)).await), Refusal::Forbidden);
    room.set_time(NOON + DAY);
    let by_owner = ok(room.send(recall(ADA, crowd, "g", of_bob)).await);
    assert_eq!(by_owner.changed.expect("it is recalled").revision.recalled_by, Some(ADA));
    ok(room.send(recall(ADA, crowd, "g-own", of_ada)).await);
    assert_eq!(ok(room.group(ADA, id_of(crowd)).await).1, Role::Owner);
    let pair = single(ADA, BOB);
    let place = room.say(BOB, pair).await.server_msg_id;
    assert_eq!(refused(room.send(recall(ADA, pair, "g", place)).await), Refusal::Forbidden);
}

/// The stores of the suite have a minute, and ten seconds that are not told.
pub(super) async fn the_time_for_changes_ends(room: &mut Room) {
    let pair = single(ADA, BOB);
    let (one, other) = (room.say(ADA, pair).await.server_msg_id, room.say(ADA, pair).await.server_msg_id);
    room.set_time(NOON + 70_001);
    assert_eq!(refused(room.send(edit(ADA, pair, "e", one, "better")).await), Refusal::TooLate);
    assert_eq!(refused(room.send(recall(ADA, pair, "g", one)).await), Refusal::TooLate);
    ok(room.send(react(ADA, pair, "r", one, "x")).await);
    room.set_time(NOON + 70_000);
    ok(room.send(edit(ADA, pair, "e", one, "better")).await);
    ok(room.send(recall(ADA, pair, "g", other)).await);
}

pub(super) async fn a_message_is_edited_a_bounded_number_of_times(room: &mut Room) {
    let pair = single(ADA, BOB);
    room.say(ADA, pair).await;
    for n in 0..EDITS_MAX {
        ok(room.send(edit(ADA, pair, &format!("e{n}"), 1, &format!("{n}"))).await);
    }
    let limit = Refusal::Limit { what: EDITS_OF_A_MESSAGE, max: EDITS_MAX };
    assert_eq!(refused(room.send(edit(ADA, pair, "more", 1, "more")).await), limit);
    ok(room.send(recall(ADA, pair, "g", 1)).await);
}

pub(super) async fn different_emojis_are_bounded(room: &mut Room) {
    let pair = single(ADA, BOB);
    room.say(ADA, pair).await;
    let emojis = |n: std::ops::Range<usize>| n.map(|n| format!("e{n}")).collect::<Vec<_>>().join(" ");
    ok(room.send(react(ADA, pair, "r1", 1, &emojis(0..EMOJIS_MAX))).await);
    ok(room.send(react(BOB, pair, "r2", 1, "e3")).await);
    let limit = Refusal::Limit { what: EMOJIS_OF_A_MESSAGE, max: EMOJIS_MAX as u32 };
    assert_eq!(refused(room.send(react(BOB, pair, "r3", 1, "one-more")).await), limit);
    ok(room.send(react(ADA, pair, "r4", 1, &emojis(0..EMOJIS_MAX - 1))).await);
    ok(room.send(react(BOB, pair, "r3", 1, "one-more")).await);
}

pub(super) async fn an_edit_of_what_was_changed_since_is_refused(room: &mut Room) {
    let pair = single(ADA, BOB);
    room.say(ADA, pair).await;
    let based_on = |id: &str, changed| NewMessage {
        change: Some(MessageChange { target: Target::Place(1), what: What::Edit { if_changed: Some(changed) } }),
        ..edit(ADA, pair, id, 1, id)
    };
    let first = ok(room.send(based_on("e1", 0)).await).server_msg_id;
    assert_eq!(refused(room.send(based_on("e2", 0)).await), Refusal::Outdated);
    ok(room.send(based_on("e3", first)).await);
    assert_eq!(ok(room.send(based_on("e1", 0)).await).server_msg_id, first, "a retry");
}

pub(super) async fn a_recalled_message_is_gone_for_edits_reactions_and_replies(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let place = room.say(BOB, crowd).await.server_msg_id;
    let reply = |id: &str| NewMessage { reply_to: place, ..text(ADA, crowd, id) };
    let answered = ok(room.send(reply("before")).await);
    ok(room.send(recall(BOB, crowd, "g", place)).await);
    for message in [edit(BOB, crowd, "e", place, "again"), react(ADA, crowd, "r", place, "x"), reply("behind")] {
        assert_eq!(refused(room.send(message).await), Refusal::Gone);
    }
    assert_eq!(ok(room.send(reply("before")).await).server_msg_id, answered.server_msg_id, "a retry");
    assert_eq!(at(room, BOB, crowd, answered.server_msg_id).await.reply_to, place);
}

pub(super) async fn what_one_may_not_see_cannot_be_changed_or_answered(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let first = room.say(BOB, crowd).await.server_msg_id;
    let silent = ok(room.send(react(BOB, crowd, "r", first, "x")).await).server_msg_id;
    ok(room.invite(ADA, crowd, &[CYD]).await);
    let none = Refusal::NotFound("message");
    // Before they came, a notice, a silent entry, beyond the head, no place at all.
    for place in [first, 1, silent, 99, u64::MAX] {
        let reply = NewMessage { reply_to: place, ..text(CYD, crowd, "m") };
        for message in [reply, recall(CYD, crowd, "g", place), react(CYD, crowd, "r", place, "x")] {
            assert_eq!(refused(room.send(message).await), none, "{place}");
        }
    }
    ok(room.leave(CYD, crowd).await);
    assert_eq!(refused(room.send(react(CYD, crowd, "r", first, "x")).await), Refusal::NotMember);
    assert_eq!(refused(room.send(react(DAN, crowd, "r", first, "x")).await), Refusal::NotMember);
    assert_eq!(refused(room.send(react(DAN, single(ADA, BOB), "r", 1, "x")).await), Refusal::NotMember);
    // Who comes again sees what they saw.
    ok(room.leave(BOB, crowd).await);
    let between = room.say(ADA, crowd).await.server_msg_id;
    ok(room.invite(ADA, crowd, &[BOB]).await);
    ok(room.send(edit(BOB, crowd, "e", first, "better")).await);
    assert_eq!(refused(room.send(react(BOB, crowd, "r2", between, "x")).await), none);
}

pub(super) async fn an_own_message_is_named_by_its_client_msg_id(room: &mut Room) {
    let own = |message: NewMessage, id: &str| {
        let what = message.change.as_ref().expect("a change").what;
        NewMessage {
            change: Some(MessageChange { target: Target::Own(id.parse().expect("a good id")), what }),
            ..message
        }
    };
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        // In one batch: nobody knows its place yet.
        let batch = vec![text(ADA, to, "m"), own(edit(ADA, to, "e", 0, "better"), "m")];
        let places = all_ok(room.append(batch).await);
        assert_eq!(places[1].server_msg_id, places[0].server_msg_id + 1);
        assert_eq!(&*at(room, BOB, to, places[0].server_msg_id).await.content, "better");
        let none = Refusal::NotFound("message");
        assert_eq!(refused(room.send(own(recall(ADA, to, "g", 0), "other")).await), none);
        assert_eq!(refused(room.send(own(recall(BOB, to, "g", 0), "m")).await), none, "it is another's");
    }
}

pub(super) async fn a_page_tells_what_was_changed_before_it(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let one = room.say(ADA, to).await.server_msg_id;
        let other = room.say(ADA, to).await.server_msg_id;
        let from = other;
        ok(room.send(react(BOB, to, "r1", one, "x")).await);
        ok(room.send(react(ADA, to, "r2", one, "x")).await);
        let edited = ok(room.send(edit(ADA, to, "e", other, "better")).await);
        let new = room.say(BOB, to).await.server_msg_id;
        ok(room.send(edit(BOB, to, "e2", new, "new as it is")).await);
        let forward = Stretch { after: Some(from), ..FORWARD };
        let now = page(room, BOB, to, forward).await;
        let ids = |messages: &[Message]| messages.iter().map(|one| one.server_msg_id).collect::<Vec<_>>();
        assert_eq!((ids(&now.messages), ids(&now.changed), now.more), (vec![new], vec![one, other], false));
        assert_eq!((now.after, now.through, now.head), (from, new + 1, new + 1));
        assert_eq!(&*now.messages[0].content, "new as it is");
        assert_eq!((&*now.changed[1].content, now.changed[1].revision.changed), ("better", edited.server_msg_id));
        assert!(now.changed[0].revision.reactions.0[0].mine);
        // They take places of the limit.
        let mut seen = (Vec::new(), Vec::new(), from);
        loop {
            let next = page(room, BOB, to, Stretch { after: Some(seen.2), limit: 1, ..FORWARD }).await;
            assert!(next.messages.len() + next.changed.len() <= 1);
            seen.0.extend(ids(&next.messages));
            seen.1.extend(ids(&next.changed));
            seen.2 = next.through;
            if !next.more {
                break;
            }
        }
        assert_eq!((seen.0, seen.2), (vec![new], new + 1));
        assert_eq!(seen.1.iter().collect::<std::collections::BTreeSet<_>>(), [one, other, new].iter().collect());
    }
}

pub(super) async fn changed_messages_take_room_of_a_page(room: &mut Room) {
    let pair = single(ADA, BOB);
    for n in 0..5 {
        let long = NewMessage { content: "x".repeat(1_000).into(), ..text(ADA, pair, &format!("m{n}")) };
        ok(room.send(long).await);
    }
    for place in 1..=5 {
        ok(room.send(react(BOB, pair, &format!("r{place}"), place, "x")).await);
    }
    room.say(BOB, pair).await;
    let (mut after, mut seen, mut pages) = (5, Vec::new(), 0);
    loop {
        let next = page(room, ADA, pair, Stretch { after: Some(after), bytes_max: 2_500, ..FORWARD }).await;
        let bytes: usize = next.messages.iter().chain(&next.changed).map(Message::body_bytes).sum();
        assert!(bytes <= 2_500 && next.through > after, "{bytes} bytes, up to {}", next.through);
        seen.extend(next.changed.iter().chain(&next.messages).map(|message| message.server_msg_id));
        (after, pages) = (next.through, pages + 1);
        if !next.more {
            break;
        }
    }
    assert_eq!((seen, pages), (vec![1, 2, 3, 4, 5, 11], 3));
    // What is larger than a page comes alone.
    let next = page(room, ADA, pair, Stretch { after: Some(5), bytes_max: 10, ..FORWARD }).await;
    assert_eq!((next.changed.len(), next.messages.len(), next.through, next.more), (1, 0, 6, true));
}

pub(super) async fn a_page_tells_what_its_messages_answer(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let long = NewMessage { content: "鸿雁".repeat(100).into(), ..text(ADA, to, "long") };
        let first = ok(room.send(long).await).server_msg_id;
        let gone = room.say(BOB, to).await.server_msg_id;
        let mut replies = Vec::new();
        for (n, place) in [first, gone].into_iter().enumerate() {
            let reply = NewMessage { reply_to: place, ..text(BOB, to, &format!("reply-{n}")) };
            replies.push(ok(room.send(reply).await).server_msg_id);
        }
        ok(room.send(recall(BOB, to, "g", gone)).await);
        let now = page(room, ADA, to, Stretch { after: Some(gone), ..FORWARD }).await;
        let told: Vec<_> = now.references.iter().map(|one| (one.server_msg_id, one.from, one.is_recalled)).collect();
        assert_eq!(told, [(first, ADA, false), (gone, BOB, true)]);
        let texts = (&*now.references[0].content, &*now.references[1].content);
        assert_eq!(texts, ("鸿雁".repeat(64).as_str(), ""));
        assert_eq!(page(room, ADA, to, FORWARD).await.references, [], "they are in the page");
    }
}

pub(super) async fn a_newcomer_is_told_nothing_of_what_was_before(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let before = room.say(ADA, crowd).await.server_msg_id;
    ok(room.invite(ADA, crowd, &[CYD]).await);
    let joined = ok(room.positions(CYD).await);
    ok(room.send(edit(ADA, crowd, "e", before, "secret")).await);
    ok(room.send(NewMessage { reply_to: before, ..text(BOB, crowd, "reply") }).await);
    let now = page(room, CYD, crowd, FORWARD).await;
    assert_eq!((now.changed, now.references), (vec![], vec![]));
    assert_eq!(now.messages.last().map(|message| message.reply_to), Some(before), "the id tells nothing");
    assert_ne!(ok(room.positions(CYD).await).groups_digest, joined.groups_digest, "their position moves all the same");
}

pub(super) async fn silent_entries_take_no_places_of_a_page(room: &mut Room) {
    let pair = single(ADA, BOB);
    for n in 0..6 {
        let place = room.say(ADA, pair).await.server_msg_id;
        for (round, emoji) in ["x", "y", "z"].into_iter().enumerate() {
            ok(room.send(react(BOB, pair, &format!("r-{n}-{round}"), place, emoji)).await);
        }
    }
    let newest = page(room, BOB, pair, Stretch { after: None, before: 0, limit: 3, bytes_max: usize::MAX }).await;
    let ids: Vec<_> = newest.messages.iter().map(|message| message.server_msg_id).collect();
    assert_eq!((ids, newest.more, newest.after, newest.through), (vec![13, 17, 21], true, 12, 24));
    let older = page(room, BOB, pair, Stretch { after: None, before: 13, limit: 3, bytes_max: usize::MAX }).await;
    let ids: Vec<_> = older.messages.iter().map(|message| message.server_msg_id).collect();
    assert_eq!((ids, older.more, older.after, older.through), (vec![1, 5, 9], false, 0, 12));
}

pub(super) async fn many_silent_entries_are_passed_over_in_few_pages(room: &mut Room) {
    let pair = single(ADA, BOB);
    for _ in 0..50 {
        room.say(ADA, pair).await;
    }
    for some in (0..5_000).collect::<Vec<_>>().chunks(500) {
        let reactions = some.iter().map(|n| react(BOB, pair, &format!("r{n}"), 50, if n % 2 == 0 { "x" } else { "y" }));
        all_ok(room.append(reactions.collect()).await);
    }
    let back = page(room, ADA, pair, Stretch { after: None, before: 0, limit: 50, bytes_max: usize::MAX }).await;
    assert_eq!((back.messages.len(), back.more, back.through), (50, false, 5_050));
    let forward = page(room, ADA, pair, Stretch { after: Some(50), ..FORWARD }).await;
    assert_eq!((forward.messages.len(), forward.changed.len(), forward.more), (0, 1, false));
    assert_eq!(forward.through, 5_050);
}

pub(super) async fn who_is_blocked_takes_back_their_words_and_changes_nothing_else(room: &mut Room) {
    let pair = single(ADA, BOB);
    let (own, of_bob) = (room.say(ADA, pair).await.server_msg_id, room.say(BOB, pair).await.server_msg_id);
    let block = PeopleChange {
        user: BOB,
        peer: ADA,
        action: PeopleAction::Block,
        device_id: "device".into(),
        login_version: 0,
    };
    ok(room.change_people(block).await);
    for user in [ADA, BOB] {
        let place = if user == ADA { own } else { of_bob };
        assert_eq!(refused(room.send(edit(user, pair, "e", place, "better")).await), Refusal::Forbidden);
        assert_eq!(refused(room.send(react(user, pair, "r", of_bob, "x")).await), Refusal::Forbidden);
        ok(room.send(recall(user, pair, "g", place)).await);
    }
}

pub(super) async fn changes_outlive_reopening(room: &mut Room) {
    let (pair, crowd) = (single(ADA, BOB), room.found(1, ADA, &[BOB]).await);
    for to in [pair, crowd] {
        let place = ok(room.send(text(ADA, to, "m")).await).server_msg_id;
        let gone = ok(room.send(text(ADA, to, "m2")).await).server_msg_id;
        ok(room.send(react(BOB, to, "r", place, "x")).await);
        ok(room.send(edit(ADA, to, "e", place, "better")).await);
        ok(room.send(recall(ADA, to, "g", gone)).await);
    }
    let picture = room.picture().await;
    room.reopen().await;
    assert_eq!(room.picture().await, picture);
    for to in [pair, crowd] {
        ok(room.send(text(ADA, to, "m2")).await);
        assert_eq!(room.entry(BOB, to).await.unread, 1);
    }
    assert_eq!(room.picture().await, picture, "retries are known by their digests");
}
