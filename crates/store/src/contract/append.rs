//! Cases of [`Store::append`](crate::Store::append): order, once, entitled, time, count.

use std::{collections::BTreeMap, time::Duration};

use anser_proto::ConversationId;
use bytes::Bytes;
use futures_util::future::join_all;

use super::room::*;
use crate::{Appended, Error, Failure, NewMessage, Refusal};

pub(super) async fn ids_are_dense_in_the_order_of_the_batch(room: &mut Room) {
    let (with_bob, with_cyd) = (single(ADA, BOB), single(ADA, CYD));
    let batch = [with_bob, with_cyd, with_bob, with_bob, with_cyd];
    let batch = batch.iter().enumerate().map(|(n, to)| text(ADA, *to, &format!("m{n}"))).collect();
    assert_eq!(ids(&all_ok(room.append(batch).await)), [1, 1, 2, 3, 2]);
    assert_eq!(client_ids(room, with_bob).await, ["m0", "m2", "m3"]);
    assert_eq!(client_ids(room, with_cyd).await, ["m1", "m4"]);
}

pub(super) async fn ids_go_on_from_batch_to_batch(room: &mut Room) {
    let pair = single(ADA, BOB);
    for first in [1, 4, 7] {
        let batch = (first..first + 3).map(|n| text(BOB, pair, &format!("m{n}"))).collect();
        assert_eq!(ids(&all_ok(room.append(batch).await)), [first, first + 1, first + 2]);
    }
}

pub(super) async fn batches_are_stored_in_the_order_in_which_they_were_called(room: &mut Room) {
    let pair = single(ADA, BOB);
    // Called one after the other, none waiting for the answer to the one before: `join_all` of so few starts
    // them in their order.
    let calls = (1..=20).map(|n| room.send(text(ADA, pair, &format!("m{n}"))));
    assert_eq!(ids(&all_ok(join_all(calls).await)), Vec::from_iter(1..=20));
}

pub(super) async fn batches_of_many_tasks_are_dense_and_keep_each_senders_order(room: &mut Room) {
    let users = [ADA, BOB, CYD, DAN];
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    let tasks = users.map(|user| {
        let store = room.store();
        tokio::spawn(async move {
            for round in 0..20 {
                let batch = (0..4).map(|n| text(user, crowd, &format!("{round}-{n}"))).collect();
                all_ok(append(&*store, batch).await);
            }
        })
    });
    for task in tasks {
        task.await.expect("no task panics");
    }
    let log = room.log(ADA, crowd).await;
    assert_eq!(log.iter().map(|message| message.server_msg_id).collect::<Vec<_>>(), Vec::from_iter(1..=321));
    let expected: Vec<_> = (0..20).flat_map(|round| (0..4).map(move |n| format!("{round}-{n}"))).collect();
    for user in users {
        let own = log.iter().skip(1).filter(|message| message.from.user == user);
        assert_eq!(own.map(|message| message.client_msg_id.to_string()).collect::<Vec<_>>(), expected);
    }
}

pub(super) async fn a_large_batch_is_stored_whole(room: &mut Room) {
    let pair = single(ADA, BOB);
    let batch = (1..=600).map(|n| text(ADA, pair, &format!("m{n}"))).collect();
    assert_eq!(ids(&all_ok(room.append(batch).await)), Vec::from_iter(1..=600));
    assert_eq!(room.visible(BOB, pair).await, Vec::from_iter(1..=600));
}

/// 64 of 64 KiB: what one connection can send at a time, and more than a database takes in one packet.
pub(super) async fn a_batch_of_the_largest_bodies_is_stored_whole(room: &mut Room) {
    let pair = single(ADA, BOB);
    let attachment = Bytes::from(vec![0xff; anser_proto::limits::BODY_BYTES_MAX]);
    let large =
        |n| NewMessage { content: "".into(), attachment: attachment.clone(), ..text(ADA, pair, &format!("m{n}")) };
    assert_eq!(ids(&all_ok(room.append((1..=64).map(large).collect()).await)), Vec::from_iter(1..=64));
    assert_eq!(ids(&all_ok(room.append(vec![large(64)]).await)), [64], "a retry");
}

pub(super) async fn an_empty_batch_has_no_answers(room: &mut Room) {
    assert_eq!(room.append(vec![]).await, []);
}

pub(super) async fn what_nobody_waits_for_any_more_is_not_stored(room: &mut Room) {
    let pair = single(ADA, BOB);
    let late = room.store().append_within(vec![text(ADA, pair, "late")], Duration::ZERO).await;
    assert_eq!(late, Err(Failure::Overloaded.into()));
    let in_time = room.store().append_within(vec![text(ADA, pair, "in-time")], Duration::from_secs(60)).await;
    assert!(matches!(&in_time.expect("it was begun")[..], [Ok(Appended { server_msg_id: 1, .. })]));
    assert_eq!(client_ids(room, pair).await, ["in-time"]);
}

pub(super) async fn a_message_comes_out_as_it_went_in(room: &mut Room) {
    let (pair, crowd) = (single(ADA, EVE), room.found(1, ADA, &[EVE]).await);
    for to in [pair, crowd] {
        let sent = NewMessage {
            kind: 1_000_000,
            content: "línea\0 鸿雁 🪿\n'\"%".into(),
            attachment: Bytes::from_static(&[0, 255, 0, 10]),
            client_time_ms: u64::MAX,
            ..text(EVE, to, "!~x")
        };
        let place = ok(room.send(sent.clone()).await);
        let message = room.log(ADA, to).await.pop().expect("it is in the log");
        assert_eq!((message.conversation, message.server_msg_id), (to, place.server_msg_id));
        assert_eq!((message.server_time_ms, message.count), (NOON, place.count));
        assert_eq!((message.from, message.kind, message.counted), (sent.from, sent.kind, true));
        assert_eq!((message.client_msg_id, message.content), (sent.client_msg_id, sent.content));
        assert_eq!((message.attachment, message.client_time_ms), (sent.attachment, sent.client_time_ms));
    }
}

pub(super) async fn a_retry_gets_the_first_place_again(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for to in [single(ADA, BOB), single(ADA, ADA), crowd] {
        let first = ok(room.send(text(ADA, to, "once")).await);
        let picture = room.picture().await;
        room.set_time(NOON + 400 * DAY);
        let mut retry = text(ADA, to, "once");
        (retry.client_time_ms, retry.from.platform, retry.from.device_id) = (77, 1, "another".into());
        retry.from.nickname = "renamed".into();
        let again = ok(room.send(retry).await);
        assert!(!first.duplicate && again.duplicate);
        assert_eq!((again.server_msg_id, again.server_time_ms), (first.server_msg_id, first.server_time_ms));
        assert_eq!(again.count, first.count);
        assert_eq!((again.sender_mailbox_seq, again.receiver_mailbox_seq), (0, 0));
        assert_eq!(room.picture().await, picture);
        room.set_time(NOON);
    }
}

pub(super) async fn a_retry_within_the_batch_gets_the_first_place_again(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for to in [single(ADA, BOB), crowd] {
        let batch = ["a", "b", "a", "c", "b"].map(|id| text(ADA, to, id)).to_vec();
        let places = all_ok(room.append(batch).await);
        let first = places[0].server_msg_id;
        let ids: Vec<_> = places.iter().map(|place| (place.server_msg_id - first, place.duplicate)).collect();
        assert_eq!(ids, [(0, false), (1, false), (0, true), (2, false), (1, true)]);
        assert_eq!(room.entry(BOB, to).await.unread, 3);
    }
}

pub(super) async fn a_retry_after_reopening_gets_the_first_place_again(room: &mut Room) {
    let (pair, crowd) = (single(ADA, BOB), room.found(1, ADA, &[BOB]).await);
    let first = [room.send(text(ADA, pair, "once")).await, room.send(text(ADA, crowd, "once")).await].map(ok);
    room.reopen().await;
    let again = [room.send(text(ADA, pair, "once")).await, room.send(text(ADA, crowd, "once")).await].map(ok);
    for (first, again) in first.iter().zip(&again) {
        assert!(again.duplicate);
        assert_eq!((again.server_msg_id, again.server_time_ms), (first.server_msg_id, first.server_time_ms));
    }
}

pub(super) async fn a_retry_after_leaving_gets_the_first_place_again(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let first = ok(room.send(text(BOB, crowd, "once")).await);
    ok(room.leave(BOB, crowd).await);
    let again = ok(room.send(text(BOB, crowd, "once")).await);
    assert!(again.duplicate);
    assert_eq!(again.server_msg_id, first.server_msg_id);
}

pub(super) async fn two_tasks_with_one_client_msg_id_get_one_place(room: &mut Room) {
    let pair = single(ADA, BOB);
    for n in 1..=20 {
        let tasks = [(); 4].map(|()| {
            let store = room.store();
            tokio::spawn(async move { ok(send(&*store, text(ADA, pair, &format!("m{n}"))).await) })
        });
        let places = join_all(tasks).await.into_iter().map(|place| place.expect("no task panics"));
        let (retries, first): (Vec<_>, Vec<_>) = places.partition(|place| place.duplicate);
        assert_eq!((first.len(), retries.len()), (1, 3));
        assert!(retries.iter().chain(&first).all(|place| place.server_msg_id == n));
    }
}

pub(super) async fn a_client_msg_id_is_one_message_per_conversation_and_sender(room: &mut Room) {
    let (one, other) = (room.found(1, ADA, &[BOB]).await, room.found(2, ADA, &[BOB]).await);
    for to in [single(ADA, BOB), single(ADA, CYD), single(ADA, ADA), one, other] {
        assert!(!ok(room.send(text(ADA, to, "same")).await).duplicate, "in {to}");
    }
    for to in [single(ADA, BOB), one] {
        assert!(!ok(room.send(text(BOB, to, "same")).await).duplicate, "of another sender in {to}");
    }
}

pub(super) async fn client_msg_ids_that_differ_in_case_are_two(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for to in [single(ADA, BOB), crowd] {
        let both = [text(ADA, to, "case"), text(ADA, to, "CASE")].to_vec();
        let (first, again) = (all_ok(room.append(both.clone()).await), all_ok(room.append(both).await));
        assert!(first.iter().all(|place| !place.duplicate) && again.iter().all(|place| place.duplicate));
        assert_eq!(ids(&first), ids(&again));
    }
}

pub(super) async fn another_body_under_a_known_client_msg_id_is_refused(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for to in [single(ADA, BOB), crowd] {
        let first = text(ADA, to, "once");
        ok(room.send(first.clone()).await);
        let picture = room.picture().await;
        for other in [
            NewMessage { kind: TEXT + 1, ..first.clone() },
            NewMessage { content: "another".into(), ..first.clone() },
            NewMessage { attachment: Bytes::from_static(b"x"), ..first.clone() },
            // Moving a byte from one to the other does not make it the same.
            NewMessage { content: "text of onc".into(), attachment: Bytes::from_static(b"e"), ..first.clone() },
        ] {
            assert_eq!(room.send(other).await, Err(Error::Refused(Refusal::Conflict("client_msg_id"))));
        }
        assert_eq!(room.picture().await, picture);
    }
}

pub(super) async fn another_body_within_the_batch_is_refused(room: &mut Room) {
    let pair = single(ADA, BOB);
    let other = NewMessage { content: "another".into(), ..text(ADA, pair, "a") };
    let answers = room.append(vec![text(ADA, pair, "a"), other, text(ADA, pair, "b")]).await;
    let ids: Vec<_> = answers.into_iter().map(|answer| answer.map(|place| place.server_msg_id)).collect();
    assert_eq!(ids, [Ok(1), Err(Error::Refused(Refusal::Conflict("client_msg_id"))), Ok(2)]);
}

pub(super) async fn who_is_no_party_is_refused(room: &mut Room) {
    let pair = single(ADA, BOB);
    assert_eq!(room.send(text(CYD, pair, "a")).await, Err(Error::Refused(Refusal::NotMember)));
    assert_eq!(room.send(text(CYD, single(ADA, NOBODY), "a")).await, Err(Error::Refused(Refusal::NotMember)));
    assert!(room.visible(ADA, pair).await.is_empty());
}

pub(super) async fn who_is_no_member_is_refused(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.leave(BOB, crowd).await);
    ok(room.remove(ADA, crowd, &[CYD]).await);
    for user in [BOB, CYD, DAN] {
        assert_eq!(room.send(text(user, crowd, "a")).await, Err(Error::Refused(Refusal::NotMember)));
    }
    assert_eq!(room.visible(ADA, crowd).await, [1, 2, 3]);
    ok(room.invite(ADA, crowd, &[BOB, DAN]).await);
    assert_eq!((room.say(DAN, crowd).await.server_msg_id, room.say(BOB, crowd).await.server_msg_id), (5, 6));
}

pub(super) async fn a_batch_in_which_all_are_refused_is_answered_whole(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.send(text(BOB, crowd, "before")).await.expect("a member");
    ok(room.leave(BOB, crowd).await);
    let batch = (0..64).map(|n| text(BOB, crowd, &format!("m{n}"))).chain([text(BOB, crowd, "before")]);
    let answers = room.append(batch.collect()).await;
    let (retry, refused) = answers.split_last().expect("an answer to each");
    assert!(refused.iter().all(|answer| *answer == Err(Error::Refused(Refusal::NotMember))), "{refused:?}");
    assert!(retry.as_ref().is_ok_and(|place| place.duplicate && place.server_msg_id == 2), "{retry:?}");
}

pub(super) async fn who_writes_while_he_is_removed_and_invited_writes_as_a_member(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let store = room.store();
    let writer = tokio::spawn(async move {
        let mut stored = Vec::new();
        for n in 0..60 {
            match send(&*store, text(BOB, crowd, &format!("m{n}"))).await {
                Ok(place) => stored.push((place.server_msg_id, place.members_version)),
                Err(error) => assert_eq!(error, Error::Refused(Refusal::NotMember)),
            }
        }
        stored
    });
    let mut versions = BTreeMap::from([(1, ok(room.member_ids(id_of(crowd)).await).version)]);
    for _ in 0..10 {
        for changed in [room.remove(ADA, crowd, &[BOB]).await, room.invite(ADA, crowd, &[BOB]).await].map(ok) {
            versions.insert(changed.notices[0].server_msg_id, changed.group.members_version);
        }
    }
    let (stored, visible) = (writer.await.expect("no task panics"), room.visible(BOB, crowd).await);
    for (id, members_version) in stored {
        assert!(visible.contains(&id), "they were a member at {id}");
        let (_, version) = versions.range(..id).next_back().expect("the group was made before");
        assert_eq!(members_version, *version, "at {id}");
    }
}

pub(super) async fn a_peer_who_does_not_exist_is_not_found(room: &mut Room) {
    assert_eq!(room.send(text(ADA, single(ADA, NOBODY), "a")).await, Err(Error::Refused(Refusal::NotFound("user"))));
    assert_eq!(room.send(text(NOBODY, single(ADA, NOBODY), "a")).await, Err(Error::Refused(Refusal::NotFound("user"))));
    assert_eq!(
        room.send(text(NOBODY, single(NOBODY, NOBODY), "a")).await,
        Err(Error::Refused(Refusal::NotFound("user")))
    );
    assert_eq!((room.mailbox_seq(ADA).await, room.all_sessions(ADA).await), (0, vec![]));
}

pub(super) async fn a_group_that_does_not_exist_is_like_one_of_others(room: &mut Room) {
    let of_others = room.found(1, ADA, &[BOB]).await;
    let (others, none) = (text(DAN, of_others, "a"), text(DAN, group(9), "a"));
    assert_eq!(
        (room.send(others).await, room.send(none).await),
        (Err(Error::Refused(Refusal::NotMember)), Err(Error::Refused(Refusal::NotMember)))
    );
    assert_eq!((room.mailbox_seq(DAN).await, room.all_sessions(DAN).await), (0, vec![]));
}

pub(super) async fn the_time_is_that_of_the_clock_and_never_goes_back(room: &mut Room) {
    let (crowd, pair) = (room.found(1, ADA, &[BOB]).await, single(ADA, BOB));
    for to in [pair, crowd] {
        let mut times = Vec::new();
        for now in [NOON + 5, NOON - DAY, NOON + 5, NOON + 6] {
            room.set_time(now);
            times.push(room.say(ADA, to).await.server_time_ms);
        }
        assert_eq!(times, [NOON + 5, NOON + 5, NOON + 5, NOON + 6]);
        let stored: Vec<_> = room.log(BOB, to).await.iter().rev().take(4).rev().map(|m| m.server_time_ms).collect();
        assert_eq!(stored, times);
    }
    // Of a conversation: another one is not held back.
    room.set_time(NOON - DAY);
    assert_eq!(room.say(ADA, single(ADA, CYD)).await.server_time_ms, NOON - DAY);
}

pub(super) async fn the_time_never_goes_back_over_notices_and_reopening(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    room.set_time(NOON - DAY);
    assert_eq!(room.say(ADA, crowd).await.server_time_ms, NOON);
    assert_eq!(ok(room.invite(ADA, crowd, &[BOB]).await).notices[0].server_time_ms, NOON);
    room.reopen().await;
    assert_eq!(room.say(ADA, crowd).await.server_time_ms, NOON);
}

pub(super) async fn each_message_bears_the_number_of_counted_ones(room: &mut Room) {
    let (crowd, pair) = (room.found(1, ADA, &[BOB]).await, single(ADA, BOB));
    for to in [pair, crowd] {
        let mut counts = Vec::new();
        for counted in [true, true, false, true, false, false, true] {
            let place = if counted { room.say(BOB, to).await } else { room.say_uncounted(BOB, to).await };
            counts.push(place.count);
        }
        assert_eq!(counts, [1, 2, 2, 3, 3, 3, 4]);
        let stored: Vec<_> = room.log(ADA, to).await.iter().filter(|m| m.kind == TEXT).map(|m| m.count).collect();
        assert_eq!(stored, counts);
    }
}

pub(super) async fn a_refusal_concerns_its_message_alone(room: &mut Room) {
    let (pair, crowd) = (single(ADA, BOB), room.found(1, BOB, &[]).await);
    let batch = vec![
        text(ADA, crowd, "no-member"),
        text(ADA, pair, "a"),
        text(ADA, single(BOB, CYD), "no-party"),
        text(ADA, pair, "b"),
        text(ADA, group(9), "no-group"),
        text(ADA, pair, "c"),
    ];
    let answers = room.append(batch).await.into_iter().map(|answer| answer.map(|place| place.server_msg_id));
    let refused = || Err(Error::Refused(Refusal::NotMember));
    assert_eq!(Vec::from_iter(answers), [refused(), Ok(1), refused(), Ok(2), refused(), Ok(3)]);
}

async fn client_ids(room: &Room, of: ConversationId) -> Vec<String> {
    room.log(ADA, of).await.iter().map(|message| message.client_msg_id.to_string()).collect()
}

pub(super) async fn a_message_of_a_login_that_is_over_is_refused(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for version in 0..2 {
        match version {
            0 => ok(room.set_disabled(ADA, true).await),
            _ => ok(room.set_password(ADA, password("1")).await),
        }
        let say =
            |to, id: &str, login_version| NewMessage { login_version, ..text(ADA, to, &format!("{id}-{version}")) };
        let picture = room.picture().await;
        for to in [single(ADA, BOB), single(ADA, ADA), crowd] {
            assert_eq!(room.send(say(to, "late", version)).await, Err(Error::Refused(Refusal::LoginOver)));
            assert_eq!(
                room.send(say(to, "early", version + 2)).await,
                Err(Error::Refused(Refusal::LoginOver)),
                "of no login that was"
            );
        }
        assert_eq!(room.picture().await, picture);
        room.reopen().await;
        // A refusal concerns its message alone, and others are not touched.
        let answers = room.append(vec![say(crowd, "late", version), say(crowd, "present", version + 1)]).await;
        assert_eq!(answers[0], Err(Error::Refused(Refusal::LoginOver)));
        assert!(answers[1].is_ok(), "{answers:?}");
        room.say(BOB, single(ADA, BOB)).await;
    }
}

pub(super) async fn a_retry_by_a_login_that_is_over_gets_the_first_place_again(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let places = [single(ADA, BOB), crowd];
    let mut firsts = Vec::new();
    for to in places {
        firsts.push(ok(room.send(text(ADA, to, "m-1")).await));
    }
    ok(room.set_disabled(ADA, true).await);
    for (to, first) in places.into_iter().zip(firsts) {
        let again = ok(room.send(text(ADA, to, "m-1")).await);
        assert_eq!((again.server_msg_id, again.server_time_ms), (first.server_msg_id, first.server_time_ms));
        assert!(again.duplicate);
        let other = NewMessage { content: "another".into(), ..text(ADA, to, "m-1") };
        assert_eq!(room.send(other).await, Err(Error::Refused(Refusal::Conflict("client_msg_id"))));
    }
}
