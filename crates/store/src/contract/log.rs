//! Cases of [`Store::read_log`](crate::Store::read_log): who sees what, and which page of it.

use bytes::Bytes;

use super::room::*;
use crate::{Error, NewMessage, Refusal, Stretch};

pub(super) async fn both_parties_see_all_of_a_one_to_one_conversation(room: &mut Room) {
    for (one, other) in [(ADA, BOB), (BOB, CYD), (ADA, DAN), (ADA, EVE)] {
        let pair = single(one, other);
        for from in [one, other, other, one, one] {
            room.say(from, pair).await;
        }
        let log = room.log(one, pair).await;
        assert_eq!(log.iter().map(|m| m.from.user).collect::<Vec<_>>(), [one, other, other, one, one]);
        assert_eq!(log.iter().map(|m| m.server_msg_id).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(room.log(other, pair).await, log);
    }
}

pub(super) async fn who_writes_to_himself_sees_each_message_once(room: &mut Room) {
    let own = single(ADA, ADA);
    for _ in 0..3 {
        room.say(ADA, own).await;
    }
    assert_eq!(room.visible(ADA, own).await, [1, 2, 3]);
}

pub(super) async fn conversations_of_one_user_do_not_mix(room: &mut Room) {
    // The groups bear the numbers of users.
    let groups = [room.found(ADA.0, ADA, &[BOB]).await, room.found(BOB.0, ADA, &[BOB]).await];
    let singles = [single(ADA, BOB), single(ADA, ADA), single(ADA, DAN), single(ADA, CYD)];
    for (n, to) in groups.into_iter().chain(singles).enumerate() {
        for _ in 0..=n {
            room.say(ADA, to).await;
        }
    }
    assert_eq!((room.visible(BOB, groups[0]).await.len(), room.visible(BOB, groups[1]).await.len()), (2, 3));
    for (n, to) in singles.into_iter().enumerate() {
        assert_eq!(room.visible(ADA, to).await.len(), n + 3, "{to}");
    }
}

pub(super) async fn a_member_sees_what_was_appended_while_he_was_one(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, crowd).await; // 2
    ok(room.invite(ADA, crowd, &[CYD]).await); // 3
    room.say(ADA, crowd).await; // 4
    ok(room.leave(CYD, crowd).await); // 5
    room.say(ADA, crowd).await; // 6
    ok(room.remove(ADA, crowd, &[BOB]).await); // 7
    room.say(ADA, crowd).await; // 8
    assert_eq!(room.visible(CYD, crowd).await, [3, 4, 5]);
    assert_eq!(room.visible(BOB, crowd).await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(room.visible(ADA, crowd).await, [1, 2, 3, 4, 5, 6, 7, 8]);
    ok(room.invite(ADA, crowd, &[CYD]).await); // 9
    room.say(ADA, crowd).await; // 10
    assert_eq!(room.visible(CYD, crowd).await, [3, 4, 5, 9, 10]);
    assert_eq!(room.visible(BOB, crowd).await, [1, 2, 3, 4, 5, 6, 7]);
}

pub(super) async fn an_owner_who_left_does_not_see_who_took_his_place(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.leave(ADA, crowd).await);
    assert_eq!(room.visible(ADA, crowd).await, [1, 2]);
    assert_eq!(room.visible(BOB, crowd).await, [1, 2, 3]);
}

pub(super) async fn who_joins_again_where_he_left_sees_each_message_once(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for _ in 0..2 {
        ok(room.leave(BOB, crowd).await);
        ok(room.invite(ADA, crowd, &[BOB]).await);
    }
    assert_eq!(room.visible(BOB, crowd).await, [1, 2, 3, 4, 5]);
    assert_eq!(room.entry(BOB, crowd).await.head, 5);
}

pub(super) async fn every_stretch_of_a_one_to_one_conversation_is_the_one_asked_for(room: &mut Room) {
    let pair = single(ADA, BOB);
    for from in [ADA, BOB, BOB, BOB, ADA, ADA, BOB] {
        room.say(from, pair).await;
    }
    check_stretches(room, ADA, pair, &[1, 2, 3, 4, 5, 6, 7]).await;
    check_stretches(room, BOB, pair, &[1, 2, 3, 4, 5, 6, 7]).await;
}

pub(super) async fn every_stretch_of_a_group_is_the_one_asked_for(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    room.say(ADA, crowd).await; // 2
    ok(room.invite(ADA, crowd, &[BOB]).await); // 3
    room.say(BOB, crowd).await; // 4
    ok(room.leave(BOB, crowd).await); // 5
    room.say(ADA, crowd).await; // 6
    room.say(ADA, crowd).await; // 7
    ok(room.invite(ADA, crowd, &[BOB]).await); // 8
    room.say(BOB, crowd).await; // 9
    check_stretches(room, BOB, crowd, &[3, 4, 5, 8, 9]).await;
    ok(room.remove(ADA, crowd, &[BOB]).await); // 10
    room.say(ADA, crowd).await; // 11
    check_stretches(room, BOB, crowd, &[3, 4, 5, 8, 9, 10]).await;
    check_stretches(room, ADA, crowd, &Vec::from_iter(1..=11)).await;
}

pub(super) async fn bounds_as_large_as_a_number_can_be_are_bounds(room: &mut Room) {
    let (pair, crowd) = (single(ADA, BOB), room.found(1, ADA, &[BOB]).await);
    room.say(BOB, pair).await;
    for to in [pair, crowd] {
        for bound in [u64::MAX, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX - 1] {
            let page = ok(room.read_log(ADA, to, Stretch { after: Some(bound), ..WHOLE }).await);
            assert_eq!((page.messages, page.more, page.head), (vec![], false, 1), "behind {bound}");
            let page = ok(room.read_log(ADA, to, Stretch { before: bound, ..WHOLE }).await);
            assert_eq!((page.messages.len(), page.more, page.head), (1, false, 1), "before {bound}");
        }
    }
}

pub(super) async fn a_page_ends_with_the_message_that_reaches_the_bytes(room: &mut Room) {
    let (pair, crowd) = (single(ADA, BOB), room.found(1, ADA, &[BOB]).await);
    // Ten bytes each; in characters the second would be shorter.
    // Ten bytes each: JSON makes six of a control character, and two of a quotation mark.
    let bodies = [("\u{1}\"", "bb"), ("鸿雁", "bbbb"), ("", "bbbbbbbbbb"), ("aaaaaaaaaa", "")];
    for (to, first) in [(pair, 1), (crowd, 2)] {
        for (n, (content, attachment)) in bodies.into_iter().enumerate() {
            let (content, attachment) = (content.into(), Bytes::from_static(attachment.as_bytes()));
            ok(room.send(NewMessage { content, attachment, ..text(ADA, to, &format!("m{n}")) }).await);
        }
        for (bytes_max, count) in [(0, 1), (1, 1), (10, 1), (11, 2), (20, 2), (21, 3), (30, 3), (31, 4), (40, 4)] {
            // Within the four, so that the notice in front of the group's takes no part.
            let (after, before) = (first - 1, first + 4);
            let newest = Stretch { after: None, before, limit: 4, bytes_max };
            let page = ok(room.read_log(BOB, to, newest).await);
            let ids: Vec<_> = page.messages.iter().map(|m| m.server_msg_id).collect();
            assert_eq!(ids, Vec::from_iter(before - count..before), "the newest within {bytes_max} bytes");
            assert_eq!(page.more, count < 4 || to == crowd);
            let page = ok(room.read_log(BOB, to, Stretch { after: Some(after), ..newest }).await);
            let ids: Vec<_> = page.messages.iter().map(|m| m.server_msg_id).collect();
            assert_eq!(ids, Vec::from_iter(first..first + count), "the oldest within {bytes_max} bytes");
            assert_eq!(page.more, count < 4);
        }
    }
}

pub(super) async fn pages_by_one_lead_through_the_whole_log(room: &mut Room) {
    let (pair, crowd) = (single(ADA, BOB), room.found(1, ADA, &[BOB]).await);
    for to in [pair, crowd] {
        for n in 0..5 {
            room.say(if n % 2 == 0 { ADA } else { BOB }, to).await;
        }
        let (whole, mut forward, mut backward) = (room.visible(BOB, to).await, vec![], vec![]);
        for end in 1..=whole.len() {
            let after = Some(end as u64 - 1);
            let page = ok(room.read_log(BOB, to, Stretch { after, limit: 1, ..WHOLE }).await);
            forward.extend(page.messages.iter().map(|m| m.server_msg_id));
            assert_eq!((&forward[..], page.more), (&whole[..end], end < whole.len()));
        }
        for end in (0..whole.len()).rev() {
            let before = backward.first().copied().unwrap_or(0);
            let page = ok(room.read_log(BOB, to, Stretch { before, limit: 1, ..WHOLE }).await);
            backward.splice(..0, page.messages.iter().map(|m| m.server_msg_id));
            assert_eq!((&backward[..], page.more), (&whole[end..], end > 0));
        }
    }
}

pub(super) async fn the_head_is_the_last_that_the_reader_may_see(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, crowd).await;
    ok(room.leave(BOB, crowd).await);
    room.say(ADA, crowd).await;
    let old = Stretch { before: 2, ..WHOLE };
    assert_eq!(ok(room.read_log(BOB, crowd, old).await).head, 3);
    assert_eq!(ok(room.read_log(ADA, crowd, old).await).head, 4);
}

pub(super) async fn a_conversation_in_which_nothing_was_said_is_empty(room: &mut Room) {
    for to in [single(ADA, BOB), single(ADA, ADA), single(ADA, NOBODY)] {
        let page = ok(room.read_log(ADA, to, WHOLE).await);
        assert_eq!((page.messages, page.more, page.head), (vec![], false, 0));
    }
}

pub(super) async fn what_one_may_not_see_cannot_be_told_from_what_is_not_there(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, single(ADA, BOB)).await;
    for to in [single(ADA, BOB), single(ADA, DAN), single(ADA, NOBODY), crowd, group(2)] {
        assert_eq!(room.read_log(CYD, to, WHOLE).await, Err(Error::Refused(Refusal::NotMember)), "{to}");
    }
}

pub(super) async fn who_was_acknowledged_sees_his_message_while_others_write(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let tasks = [ADA, BOB, CYD].map(|user| {
        let store = room.store();
        tokio::spawn(async move {
            for n in 0..30 {
                let place = ok(send(&*store, text(user, crowd, &format!("m{n}"))).await).server_msg_id;
                let page = ok(store.read_log(user, crowd, Stretch { after: Some(place - 1), ..WHOLE }).await);
                assert_eq!((page.messages[0].server_msg_id, page.messages[0].from.user), (place, user));
                // And all before it: what is visible is dense.
                assert!(page.messages.iter().map(|m| m.server_msg_id).eq(place..=page.head));
                assert!(ok(store.session(user, crowd).await).head >= place);
            }
        })
    });
    for task in tasks {
        task.await.expect("no task panics");
    }
}

/// Compares every stretch with what it means, word by word, for a reader who may see these.
async fn check_stretches(
    room: &Room,
    reader: anser_proto::UserId,
    conversation: anser_proto::ConversationId,
    visible: &[u64],
) {
    let head = *visible.last().expect("something is visible");
    for after in std::iter::once(None).chain((0..head + 2).map(Some)) {
        for before in 0..head + 3 {
            for limit in 1..=visible.len() + 1 {
                let within =
                    visible.iter().copied().filter(|id| *id > after.unwrap_or(0) && (before == 0 || *id < before));
                let within: Vec<u64> = within.collect();
                let left_out = within.len().saturating_sub(limit);
                let expected = if after.is_some() { &within[..within.len() - left_out] } else { &within[left_out..] };
                let stretch = Stretch { after, before, limit: limit as u32, ..WHOLE };
                let page = ok(room.read_log(reader, conversation, stretch).await);
                let ids: Vec<_> = page.messages.iter().map(|m| m.server_msg_id).collect();
                assert_eq!((ids.as_slice(), page.more, page.head), (expected, left_out > 0, head), "{stretch:?}");
            }
        }
    }
}
