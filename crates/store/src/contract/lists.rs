//! Cases of [`Store::change_session`](crate::Store::change_session) and [`Store::hide_messages`](crate::Store::hide_messages): what is a user's own
//! of a conversation, and nobody else's business.

use anser_proto::{ConversationId, UserId, limits::PINNED_SESSIONS_MAX};

use super::{
    change::{edit, react, recall},
    room::*,
};
use crate::{
    Error, Flags, Hidden, Hide, NewMessage, Now, PINNED_SESSIONS_OF_A_USER, Refusal, SessionAction, SessionChange,
    SessionChanged, Stretch,
};

async fn act(
    room: &Room,
    user: UserId,
    conversation: ConversationId,
    action: SessionAction,
) -> Result<SessionChanged, Error> {
    room.change_session(SessionChange { user, conversation, action, device_id: "device".into(), login_version: 0 })
        .await
}

async fn set(room: &Room, user: UserId, conversation: ConversationId, flags: Flags) -> SessionChanged {
    ok(act(room, user, conversation, SessionAction::Update(flags)).await)
}

pub(super) async fn clear(room: &Room, user: UserId, conversation: ConversationId, through: u64) -> SessionChanged {
    ok(act(room, user, conversation, SessionAction::Clear(through)).await)
}

async fn try_hide(room: &Room, user: UserId, of: ConversationId, places: &[u64]) -> Result<Hidden, Error> {
    room.hide_messages(Hide {
        user,
        conversation: of,
        places: places.to_vec(),
        device_id: "device".into(),
        login_version: 0,
    })
    .await
}

/// The places that were hidden by it.
pub(super) async fn hide(room: &Room, user: UserId, of: ConversationId, places: &[u64]) -> Vec<u64> {
    let before = room.mailbox_seq(user).await;
    let Hidden { changes, mailbox_seq } = ok(try_hide(room, user, of, places).await);
    let stamps: Vec<_> = changes.iter().map(|change| change.mailbox_seq).collect();
    assert_eq!(stamps, (before + 1..).take(changes.len()).collect::<Vec<_>>());
    assert_eq!(mailbox_seq, if changes.is_empty() { 0 } else { before + changes.len() as u64 + 1 });
    let place = |now| match now {
        Now::Hidden(conversation, place) if conversation == of => place,
        other => panic!("{other:?}"),
    };
    changes.into_iter().map(|change| place(change.now)).collect()
}

async fn last(room: &Room, user: UserId, of: ConversationId) -> Option<u64> {
    room.entry(user, of).await.last.map(|last| last.server_msg_id)
}

const UNREAD: Flags = Flags { pinned: None, quiet_until_ms: None, marked_unread: Some(true) };
const PIN: Flags = Flags { pinned: Some(true), quiet_until_ms: None, marked_unread: None };

pub(super) async fn flags_are_changed_one_by_one_and_are_the_users_alone(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        room.say(BOB, to).await;
        let (theirs, before) = (room.entry(BOB, to).await, room.mailbox_seq(ADA).await);
        let quiet = Flags { quiet_until_ms: Some(u64::MAX >> 1), ..Flags::default() };
        for (at, flags) in [PIN, quiet, UNREAD].into_iter().enumerate() {
            let changed = set(room, ADA, to, flags).await;
            assert_eq!(changed, SessionChanged { mailbox_seq: before + at as u64 + 1, marked: None });
            assert_eq!(set(room, ADA, to, flags).await, SessionChanged::default());
        }
        let entry = room.entry(ADA, to).await;
        assert_eq!((entry.pinned, entry.quiet_until_ms, entry.marked_unread), (true, u64::MAX >> 1, true));
        assert_eq!((entry.mailbox_seq, entry.unread), (before + 3, 1));
        set(room, ADA, to, Flags { pinned: Some(false), quiet_until_ms: Some(0), marked_unread: Some(false) }).await;
        let entry = room.entry(ADA, to).await;
        assert_eq!((entry.pinned, entry.quiet_until_ms, entry.marked_unread), (false, 0, false));
        assert_eq!(room.entry(BOB, to).await, theirs);
    }
}

pub(super) async fn what_is_marked_unread_is_so_until_the_user_reads_writes_or_clears(room: &mut Room) {
    for to in [single(ADA, BOB), single(ADA, ADA), room.found(1, ADA, &[BOB]).await] {
        let place = room.say(ADA, to).await.server_msg_id;
        set(room, ADA, to, UNREAD).await;
        assert_eq!(room.deliver(ADA, to, place).await.mailbox_seq, 0);
        assert!(room.entry(ADA, to).await.marked_unread);
        let before = room.mailbox_seq(ADA).await;
        let read = room.read(ADA, to, place).await;
        assert_eq!((read.moved, read.mailbox_seq, read.peer), (false, before + 1, None));
        assert!(!room.entry(ADA, to).await.marked_unread);
        assert_eq!(room.read(ADA, to, place).await.mailbox_seq, 0);
        set(room, ADA, to, UNREAD).await;
        if to != single(ADA, ADA) {
            room.say(BOB, to).await;
            assert!(room.entry(ADA, to).await.marked_unread);
        }
        room.say(ADA, to).await;
        assert!(!room.entry(ADA, to).await.marked_unread);
        for through in [place, u64::MAX] {
            set(room, ADA, to, UNREAD).await;
            clear(room, ADA, to, through).await;
            assert!(!room.entry(ADA, to).await.marked_unread);
        }
    }
}

pub(super) async fn pinned_conversations_are_bounded(room: &mut Room) {
    let friends: Vec<_> = (1_000..=1_000 + u64::from(PINNED_SESSIONS_MAX)).map(UserId).collect();
    for friend in &friends {
        room.user(*friend).await;
        room.say(*friend, single(ADA, *friend)).await;
    }
    for friend in &friends[1..] {
        set(room, ADA, single(ADA, *friend), PIN).await;
    }
    let limit = Refusal::Limit { what: PINNED_SESSIONS_OF_A_USER, max: PINNED_SESSIONS_MAX };
    let first = single(ADA, friends[0]);
    assert_eq!(act(room, ADA, first, SessionAction::Update(PIN)).await, Err(limit.into()));
    set(room, ADA, single(ADA, friends[1]), PIN).await;
    set(room, ADA, single(ADA, friends[1]), Flags { pinned: Some(false), ..Flags::default() }).await;
    set(room, ADA, first, PIN).await;
}

pub(super) async fn a_cleared_log_begins_behind_the_last_that_was_cleared(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        for _ in 0..4 {
            room.say(BOB, to).await;
        }
        let (all, theirs) = (room.visible(BOB, to).await, room.entry(BOB, to).await);
        let (head, before) = (*all.last().expect("many"), room.mailbox_seq(ADA).await);
        let cleared = clear(room, ADA, to, head - 1).await;
        let marked = cleared.marked.expect("the read mark went along");
        assert_eq!((cleared.mailbox_seq, marked.read_mark, marked.unread), (before + 1, head - 1, 1));
        assert_eq!(room.visible(ADA, to).await, [head]);
        let entry = room.entry(ADA, to).await;
        assert_eq!((entry.first, entry.head, entry.unread, entry.read_mark), (head, head, 1, head - 1));
        assert_eq!(last(room, ADA, to).await, Some(head));
        // Never back, and no farther than there is something.
        assert_eq!(clear(room, ADA, to, 1).await, SessionChanged::default());
        clear(room, ADA, to, u64::MAX).await;
        assert_eq!((room.visible(ADA, to).await, last(room, ADA, to).await), (vec![], None));
        assert_eq!(room.entry(ADA, to).await.unread, 0);
        let new = room.say(BOB, to).await.server_msg_id;
        assert_eq!((room.visible(ADA, to).await, last(room, ADA, to).await), (vec![new], Some(new)));
        assert_eq!(room.visible(BOB, to).await, [all, vec![new]].concat());
        assert_eq!(room.entry(BOB, to).await.first, theirs.first);
        for stretch in [Stretch { after: Some(0), ..WHOLE }, Stretch { before: new + 1, limit: 1, ..WHOLE }] {
            let page = ok(room.read_log(ADA, to, stretch).await);
            assert_eq!((page.messages.len(), page.more, page.through), (1, false, new));
        }
    }
}

pub(super) async fn the_mark_of_a_clear_is_a_receipt_as_any_other(room: &mut Room) {
    let pair = single(ADA, BOB);
    let head = room.say(BOB, pair).await.server_msg_id;
    let before = room.mailbox_seq(BOB).await;
    let marked = clear(room, ADA, pair, head).await.marked.expect("it moved");
    assert_eq!((marked.peer, marked.shown), (Some((BOB, before + 1)), (head, head)));
    assert_eq!(room.entry(BOB, pair).await.peer_read_mark, head);
    let crowd = room.found(1, ADA, &[BOB]).await;
    let head = room.say(BOB, crowd).await.server_msg_id;
    assert_eq!(clear(room, ADA, crowd, head).await.marked.expect("it moved").peer, None);
}

pub(super) async fn a_removed_conversation_is_so_up_to_a_place(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let place = room.say(BOB, to).await.server_msg_id;
        let remove = async |through| ok(act(room, ADA, to, SessionAction::Remove(through)).await).mailbox_seq > 0;
        assert_eq!((remove(u64::MAX).await, remove(1).await), (true, false));
        let is_listed = async || last(room, ADA, to).await > Some(room.entry(ADA, to).await.removed_at);
        assert!(!is_listed().await);
        assert_eq!(room.entry(ADA, to).await.removed_at, place);
        // Neither a change of what was said nor their own reading brings it back.
        ok(room.send(edit(BOB, to, "other", place, "other words")).await);
        room.read(ADA, to, place).await;
        assert!(!is_listed().await);
        room.say(BOB, to).await;
        assert!(is_listed().await);
    }
}

pub(super) async fn a_hidden_message_is_on_no_page(room: &mut Room) {
    for to in [single(ADA, BOB), single(ADA, ADA), room.found(1, ADA, &[BOB]).await] {
        let places = [room.say(ADA, to).await, room.say(ADA, to).await, room.say(ADA, to).await];
        let [first, second, third] = places.map(|sent| sent.server_msg_id);
        let reply = NewMessage { reply_to: second, ..text(ADA, to, "reply") };
        let reply = ok(room.send(reply).await).server_msg_id;
        assert_eq!(hide(room, ADA, to, &[third, second, second, 99]).await, [second, third]);
        assert_eq!(hide(room, ADA, to, &[second]).await, [0; 0]);
        let seen = room.visible(ADA, to).await;
        assert!(seen.contains(&first) && seen.contains(&reply) && !seen.contains(&second) && !seen.contains(&third));
        let edited = ok(room.send(edit(ADA, to, "again", first, "other words")).await).server_msg_id;
        // What changes is told of those that are seen, and what is answered is shown if it is.
        let behind = Stretch { after: Some(third), ..WHOLE };
        let page = ok(room.read_log(ADA, to, behind).await);
        assert_eq!((page.changed.len(), page.references.len(), page.through), (1, 0, edited));
        let one = ok(room.read_log(ADA, to, Stretch { after: Some(first), limit: 1, ..WHOLE }).await);
        assert_eq!((one.messages[0].server_msg_id, one.more, one.after), (reply, true, first));
        if to != single(ADA, ADA) {
            ok(room.send(react(BOB, to, "like", second, "👍")).await);
            let page = ok(room.read_log(ADA, to, behind).await);
            assert_eq!(page.changed.iter().map(|row| row.server_msg_id).collect::<Vec<_>>(), [first]);
            assert!(room.visible(BOB, to).await.contains(&second));
            assert_eq!(ok(room.read_log(BOB, to, behind).await).references.len(), 1);
        }
    }
}

pub(super) async fn what_is_hidden_does_not_count_and_is_not_the_last(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        room.read(ADA, to, u64::MAX).await;
        let mut places = Vec::new();
        for _ in 0..5 {
            places.push(room.say(BOB, to).await.server_msg_id);
        }
        let uncounted = room.say_uncounted(BOB, to).await.server_msg_id;
        let state = async || (room.entry(ADA, to).await.unread, last(room, ADA, to).await);
        hide(room, ADA, to, &[uncounted]).await;
        assert_eq!(state().await, (5, Some(places[4])));
        hide(room, ADA, to, &[places[4], places[1]]).await;
        assert_eq!(state().await, (3, Some(places[3])));
        // Recalled and hidden, in either order, is gone once.
        ok(room.send(recall(BOB, to, "gone", places[1])).await);
        assert_eq!(state().await, (3, Some(places[3])));
        ok(room.send(recall(BOB, to, "gone-too", places[3])).await);
        assert_eq!(state().await, (2, Some(places[3])));
        hide(room, ADA, to, &[places[3]]).await;
        assert_eq!(state().await, (2, Some(places[2])));
        // What is read counts no more, whatever became of it.
        assert_eq!(room.read(ADA, to, places[0]).await.unread, 1);
        assert_eq!(room.deliver(ADA, to, places[4]).await.unread, 1);
        assert_eq!(room.read(ADA, to, places[2]).await.unread, 0);
        assert_eq!(room.entry(BOB, to).await.last.map(|last| last.server_msg_id), Some(uncounted));
    }
}

/// More than a page looks up.
pub(super) async fn thousands_of_hidden_messages_are_passed_over(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let many: Vec<_> = (0..2_200).map(|n| text(ADA, crowd, &format!("m-{n}"))).collect();
    let places: Vec<u64> = all_ok(room.append(many).await).iter().map(|sent| sent.server_msg_id).collect();
    let (shown, hidden): (Vec<u64>, Vec<u64>) = places.iter().partition(|place| *place % 1_000 == 0);
    for some in hidden.chunks(200) {
        hide(room, BOB, crowd, some).await;
    }
    let expected = [&[1], &shown[..]].concat();
    let mut forward = Stretch { after: Some(0), limit: 10, ..WHOLE };
    let mut back = Stretch { after: None, ..forward };
    let (mut found, mut pages) = ([Vec::new(), Vec::new()], 0);
    for (stretch, found) in [&mut forward, &mut back].into_iter().zip(&mut found) {
        loop {
            let page = ok(room.read_log(BOB, crowd, *stretch).await);
            found.extend(page.messages.iter().map(|message| message.server_msg_id));
            pages += 1;
            if !page.more {
                break;
            }
            if stretch.after.is_some() { stretch.after = Some(page.through) } else { stretch.before = page.after + 1 }
        }
        found.sort_unstable();
    }
    assert_eq!(found, [expected.clone(), expected]);
    assert!(pages <= 8, "{pages}");
}

pub(super) async fn what_is_hidden_or_cleared_cannot_be_changed_or_answered(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let places = [room.say(ADA, to).await, room.say(ADA, to).await].map(|sent| sent.server_msg_id);
        clear(room, ADA, to, places[0]).await;
        hide(room, ADA, to, &[places[1]]).await;
        let none = Err(Refusal::NotFound("message").into());
        for place in places {
            assert_eq!(room.send(edit(ADA, to, "e", place, "other words")).await, none);
            assert_eq!(room.send(recall(ADA, to, "r", place)).await, none);
            assert_eq!(room.send(react(ADA, to, "x", place, "👍")).await, none);
            assert_eq!(room.send(NewMessage { reply_to: place, ..text(ADA, to, "a") }).await, none);
        }
        let theirs = room.say(BOB, to).await.server_msg_id;
        ok(room.send(react(ADA, to, "x", theirs, "👍")).await);
    }
}

pub(super) async fn a_message_that_neither_of_two_sees_is_known_when_it_comes_again(room: &mut Room) {
    let pair = single(ADA, BOB);
    let (one, other) = (text(ADA, pair, "one"), text(ADA, pair, "other"));
    let first = ok(room.send(one.clone()).await);
    let second = ok(room.send(other.clone()).await);
    ok(room.send(react(BOB, pair, "like", first.server_msg_id, "👍")).await);
    hide(room, ADA, pair, &[first.server_msg_id]).await;
    assert!(room.visible(BOB, pair).await.contains(&first.server_msg_id));
    hide(room, BOB, pair, &[first.server_msg_id]).await;
    clear(room, BOB, pair, second.server_msg_id).await;
    hide(room, ADA, pair, &[second.server_msg_id]).await;
    for (message, first) in [(one, first), (other, second)] {
        let again = ok(room.send(message.clone()).await);
        assert_eq!((again.server_msg_id, again.duplicate), (first.server_msg_id, true));
        let other = NewMessage { content: "else".into(), ..message };
        assert_eq!(room.send(other).await, Err(Refusal::Conflict("client_msg_id").into()));
    }
}

pub(super) async fn who_left_puts_away_what_they_saw(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let seen = room.say(ADA, crowd).await.server_msg_id;
    ok(room.leave(BOB, crowd).await);
    let unseen = room.say(ADA, crowd).await.server_msg_id;
    assert_eq!(hide(room, BOB, crowd, &[seen, unseen]).await, [seen]);
    assert_eq!(room.entry(BOB, crowd).await.unread, 0);
    clear(room, BOB, crowd, u64::MAX).await;
    assert_eq!((room.visible(BOB, crowd).await, last(room, BOB, crowd).await), (vec![], None));
    ok(room.invite(ADA, crowd, &[BOB]).await);
    // Between two stays there is nothing to hide, and the second one is shown.
    assert_eq!(hide(room, BOB, crowd, &[unseen]).await, [0; 0]);
    assert_eq!(room.visible(BOB, crowd).await, [unseen + 1]);
}

pub(super) async fn who_has_no_part_in_it_puts_nothing_away(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, single(ADA, BOB)).await;
    for (to, refusal) in [
        (crowd, Refusal::NotMember),
        (group(99), Refusal::NotMember),
        (single(ADA, BOB), Refusal::NotMember),
        (single(ADA, CYD), Refusal::NotFound("conversation")),
    ] {
        for action in [SessionAction::Update(PIN), SessionAction::Clear(9), SessionAction::Remove(9)] {
            assert_eq!(act(room, CYD, to, action).await, Err(refusal.clone().into()));
        }
        assert_eq!(try_hide(room, CYD, to, &[1]).await, Err(refusal.into()));
    }
}

pub(super) async fn another_device_is_told_what_was_put_away(room: &mut Room) {
    let pair = single(ADA, BOB);
    let places = [room.say(BOB, pair).await, room.say(BOB, pair).await].map(|sent| sent.server_msg_id);
    let since = room.mailbox_seq(ADA).await;
    hide(room, ADA, pair, &places[..1]).await;
    set(room, ADA, pair, PIN).await;
    let changes = ok(room.changes(ADA, since, 9).await);
    assert_eq!(changes.things.iter().map(|thing| &thing.now).collect::<Vec<_>>(), [&Now::Hidden(pair, places[0])]);
    assert_eq!(changes.sessions, [room.entry(ADA, pair).await]);
    room.reopen().await;
    assert_eq!(room.visible(ADA, pair).await, places[1..]);
    assert!(room.entry(ADA, pair).await.pinned);
}
