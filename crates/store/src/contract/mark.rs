//! Cases of [`Store::mark`](crate::Store::mark), and of the marks that a message moves: forward only, unread exact.

use super::room::*;
use crate::{Error, Mark, MarkKind, Refusal};

pub(super) async fn a_message_takes_its_senders_marks_along(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for to in [single(ADA, BOB), crowd] {
        room.say(BOB, to).await;
        room.say(BOB, to).await;
        assert_eq!((room.entry(ADA, to).await.unread, room.entry(BOB, to).await.unread), (2, 0));
        let place = room.say_uncounted(ADA, to).await.server_msg_id;
        let (ada, bob) = (room.entry(ADA, to).await, room.entry(BOB, to).await);
        assert_eq!((ada.read_mark, ada.delivered_mark, ada.unread), (place, place, 0));
        assert_eq!((bob.read_mark, bob.delivered_mark, bob.unread), (place - 1, place - 1, 0));
    }
    let pair = room.entry(BOB, single(ADA, BOB)).await;
    assert_eq!((pair.peer_read_mark, pair.peer_delivered_mark), (3, 3));
}

pub(super) async fn a_mark_moves_forward_and_never_back(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for to in [single(ADA, BOB), crowd] {
        for _ in 0..5 {
            room.say(ADA, to).await;
        }
        for (id, now, moved) in [(3, 3, true), (2, 3, false), (3, 3, false), (0, 3, false), (5, 5, true), (1, 5, false)]
        {
            let marked = room.read(BOB, to, id).await;
            assert_eq!((marked.read_mark, marked.moved), (now, moved), "read to {id}");
            assert_eq!(marked.mailbox_seq > 0, moved);
        }
        assert_eq!(room.entry(BOB, to).await.read_mark, 5);
    }
}

pub(super) async fn a_mark_beyond_the_head_stops_there(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for to in [single(ADA, BOB), crowd] {
        for beyond in [100, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
            let place = room.say(ADA, to).await.server_msg_id;
            let marked = room.deliver(BOB, to, beyond).await;
            assert_eq!((marked.delivered_mark, marked.read_mark < place, marked.moved), (place, true, true));
            let marked = room.read(BOB, to, beyond).await;
            assert_eq!((marked.read_mark, marked.unread, marked.moved), (place, 0, true));
            assert!(!room.read(BOB, to, beyond).await.moved);
        }
    }
}

pub(super) async fn the_read_mark_takes_the_delivered_mark_along(room: &mut Room) {
    let pair = single(ADA, BOB);
    for _ in 0..4 {
        room.say(ADA, pair).await;
    }
    let marks = |marked: crate::Marked| (marked.read_mark, marked.delivered_mark, marked.unread);
    assert_eq!(marks(room.deliver(BOB, pair, 2).await), (0, 2, 4));
    assert_eq!(marks(room.read(BOB, pair, 1).await), (1, 2, 3));
    assert_eq!(marks(room.read(BOB, pair, 3).await), (3, 3, 1));
    let entry = room.entry(ADA, pair).await;
    assert_eq!((entry.peer_read_mark, entry.peer_delivered_mark), (3, 3));
}

pub(super) async fn unread_is_exactly_what_counts_behind_the_read_mark(room: &mut Room) {
    let pair = single(ADA, BOB);
    let counted = [true, false, true, true, false, true];
    for counts in counted {
        if counts {
            room.say(ADA, pair).await
        } else {
            room.say_uncounted(ADA, pair).await
        };
    }
    for mark in 0..=6 {
        let expected = counted[mark..].iter().filter(|counts| **counts).count() as u64;
        assert_eq!(room.read(BOB, pair, mark as u64).await.unread, expected, "read to {mark}");
        assert_eq!(room.entry(BOB, pair).await.unread, expected);
    }
}

pub(super) async fn unread_leaves_out_what_was_said_before_and_after_ones_time(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    room.say(ADA, crowd).await; // 2
    ok(room.invite(ADA, crowd, &[BOB]).await); // 3
    assert_eq!(room.entry(BOB, crowd).await.unread, 0);
    for _ in 0..3 {
        room.say(ADA, crowd).await; // 4, 5, 6
    }
    assert_eq!(room.read(BOB, crowd, 4).await.unread, 2);
    ok(room.remove(ADA, crowd, &[BOB]).await); // 7
    room.say(ADA, crowd).await; // 8
    assert_eq!(room.entry(BOB, crowd).await.unread, 2);
    assert_eq!(room.read(BOB, crowd, 5).await.unread, 1);
}

pub(super) async fn who_was_a_member_may_still_mark_what_he_saw(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, crowd).await; // 2
    ok(room.leave(BOB, crowd).await); // 3
    room.say(ADA, crowd).await; // 4
    let marked = room.read(BOB, crowd, 4).await;
    assert_eq!((marked.read_mark, marked.delivered_mark, marked.unread, marked.moved), (3, 3, 0, true));
}

pub(super) async fn who_joins_again_has_nothing_unread(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, crowd).await; // 2
    ok(room.leave(BOB, crowd).await); // 3
    room.say(ADA, crowd).await; // 4
    ok(room.invite(ADA, crowd, &[BOB]).await); // 5
    let entry = room.entry(BOB, crowd).await;
    assert_eq!((entry.read_mark, entry.delivered_mark, entry.unread, entry.head), (5, 5, 0, 5));
    room.say(ADA, crowd).await; // 6
    room.say_uncounted(ADA, crowd).await; // 7
    assert_eq!(room.entry(BOB, crowd).await.unread, 1);
    // Positions from before they joined again lie behind the mark.
    for id in [2, 4, 5] {
        assert!(!room.read(BOB, crowd, id).await.moved, "read to {id}");
    }
    assert_eq!(room.read(BOB, crowd, 6).await.unread, 0);
}

pub(super) async fn unread_is_exact_through_leaving_and_joining_again(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    for round in 0..3 {
        for n in 0..4 {
            if n % 2 == 0 {
                room.say(ADA, crowd).await
            } else {
                room.say_uncounted(CYD, crowd).await
            };
            check_unread(room, crowd).await;
        }
        room.read(BOB, crowd, room.entry(BOB, crowd).await.head - 3).await;
        check_unread(room, crowd).await;
        ok(if round % 2 == 0 { room.leave(BOB, crowd).await } else { room.remove(ADA, crowd, &[BOB]).await });
        room.say(ADA, crowd).await;
        check_unread(room, crowd).await;
        ok(room.invite(CYD, crowd, &[BOB]).await);
        check_unread(room, crowd).await;
    }
}

pub(super) async fn a_read_mark_stamps_both_parties(room: &mut Room) {
    let pair = single(ADA, BOB);
    room.say(ADA, pair).await;
    room.say(ADA, pair).await;
    let marked = room.read(BOB, pair, 1).await;
    assert_eq!((marked.mailbox_seq, marked.peer), (3, Some((ADA, 3))));
    assert_eq!((room.entry(BOB, pair).await.mailbox_seq, room.entry(ADA, pair).await.mailbox_seq), (3, 3));
    assert_eq!((room.mailbox_seq(BOB).await, room.mailbox_seq(ADA).await), (3, 3));
}

pub(super) async fn a_delivered_mark_stamps_the_peer_alone(room: &mut Room) {
    let pair = single(ADA, BOB);
    room.say(ADA, pair).await;
    let marked = room.deliver(BOB, pair, 1).await;
    assert_eq!((marked.moved, marked.mailbox_seq, marked.peer), (true, 0, Some((ADA, 2))));
    assert_eq!((room.entry(BOB, pair).await.mailbox_seq, room.entry(ADA, pair).await.mailbox_seq), (1, 2));
    assert_eq!((room.mailbox_seq(BOB).await, room.mailbox_seq(ADA).await), (1, 2));
    assert_eq!(room.entry(ADA, pair).await.peer_delivered_mark, 1);
}

pub(super) async fn in_a_group_a_read_mark_stamps_its_user_alone(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, crowd).await;
    let delivered = room.deliver(BOB, crowd, 2).await;
    assert_eq!((delivered.moved, delivered.mailbox_seq, delivered.peer), (true, 0, None));
    let read = room.read(BOB, crowd, 2).await;
    assert_eq!((read.moved, read.mailbox_seq, read.peer), (true, 2, None));
    assert_eq!((room.mailbox_seq(BOB).await, room.mailbox_seq(ADA).await), (2, 1));
    assert_eq!(room.entry(BOB, crowd).await.mailbox_seq, 2);
}

pub(super) async fn a_mark_that_does_not_move_changes_nothing(room: &mut Room) {
    let (pair, own) = (single(ADA, BOB), single(ADA, ADA));
    let crowd = room.found(1, ADA, &[BOB]).await;
    for to in [pair, own, crowd] {
        room.say(ADA, to).await;
    }
    room.read(BOB, pair, 1).await;
    let picture = room.picture().await;
    for (user, to) in [(BOB, pair), (ADA, pair), (ADA, own), (ADA, crowd)] {
        for marked in [room.read(user, to, 1).await, room.deliver(user, to, u64::MAX).await] {
            assert_eq!((marked.moved, marked.mailbox_seq, marked.peer), (false, 0, None));
        }
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn a_conversation_without_messages_has_nothing_to_mark(room: &mut Room) {
    for to in [single(ADA, BOB), single(ADA, ADA)] {
        let marked = room.read(ADA, to, 7).await;
        assert_eq!((marked.read_mark, marked.delivered_mark, marked.unread), (0, 0, 0));
        assert_eq!((marked.moved, marked.mailbox_seq, marked.peer), (false, 0, None));
    }
    assert_eq!((room.all_sessions(ADA).await, room.mailbox_seq(ADA).await), (vec![], 0));
}

pub(super) async fn who_never_was_a_party_or_member_cannot_mark(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, single(ADA, BOB)).await;
    for conversation in [single(ADA, BOB), single(ADA, DAN), crowd, group(2)] {
        for kind in [MarkKind::Read, MarkKind::Delivered] {
            let mark =
                Mark { user: CYD, conversation, kind, server_msg_id: 1, device_id: "device".into(), login_version: 0 };
            assert_eq!(room.mark(mark).await, Err(Error::Refused(Refusal::NotMember)), "{conversation}");
        }
    }
}

pub(super) async fn marks_of_many_tasks_end_at_the_farthest(room: &mut Room) {
    let pair = single(ADA, BOB);
    all_ok(room.append((0..40).map(|n| text(ADA, pair, &format!("m{n}"))).collect()).await);
    let tasks = [7, 11, 13].map(|step| {
        let store = room.store();
        tokio::spawn(async move {
            for n in 1..40 {
                let mark = Mark {
                    user: BOB,
                    conversation: pair,
                    kind: MarkKind::Read,
                    server_msg_id: n * step % 39,
                    device_id: "device".into(),
                    login_version: 0,
                };
                let marked = ok(store.mark(mark.clone()).await);
                assert!(marked.read_mark >= mark.server_msg_id && marked.unread == 40 - marked.read_mark);
            }
        })
    });
    for task in tasks {
        task.await.expect("no task panics");
    }
    // 38, and never 39 or 40.
    let entry = room.entry(BOB, pair).await;
    assert_eq!((entry.read_mark, entry.unread), (38, 2));
}

/// What everybody's entry says, against counting the messages that they see behind their mark.
async fn check_unread(room: &Room, conversation: anser_proto::ConversationId) {
    for user in [ADA, BOB, CYD] {
        let (entry, log) = (room.entry(user, conversation).await, room.log(user, conversation).await);
        let behind = log.iter().filter(|message| message.counted && message.server_msg_id > entry.read_mark);
        assert_eq!(entry.unread, behind.count() as u64, "of {user} behind {}", entry.read_mark);
        assert_eq!(Some(entry.head), log.last().map(|message| message.server_msg_id));
    }
}
