//! Cases of the mailbox: its numbers, and [`Store::positions`](crate::Store::positions),
//! [`Store::changes`](crate::Store::changes) and [`Store::moved_groups`](crate::Store::moved_groups).

use std::collections::BTreeMap;

use anser_proto::{ConversationId, GroupId, UserId, digest::groups_digest};

use super::room::*;
use crate::{Error, ProfileChange, Refusal, Session};

pub(super) async fn a_one_to_one_message_takes_the_next_number_of_both_mailboxes(room: &mut Room) {
    let pair = single(ADA, BOB);
    room.say(ADA, single(ADA, CYD)).await;
    for n in 1..=3 {
        let place = room.say(ADA, pair).await;
        assert_eq!((place.sender_mailbox_seq, place.receiver_mailbox_seq), (n + 1, n));
        assert_eq!((room.mailbox_seq(ADA).await, room.mailbox_seq(BOB).await), (n + 1, n));
        assert_eq!((room.entry(ADA, pair).await.mailbox_seq, room.entry(BOB, pair).await.mailbox_seq), (n + 1, n));
    }
    assert_eq!(room.entry(ADA, single(ADA, CYD)).await.mailbox_seq, 1);
}

pub(super) async fn each_message_of_a_batch_takes_its_own_number(room: &mut Room) {
    let (with_bob, with_cyd) = (single(ADA, BOB), single(ADA, CYD));
    let batch = [(with_bob, "a"), (with_cyd, "b"), (with_bob, "c")].map(|(to, id)| text(ADA, to, id)).to_vec();
    let places = all_ok(room.append(batch).await).into_iter();
    let seqs: Vec<_> = places.map(|place| (place.sender_mailbox_seq, place.receiver_mailbox_seq)).collect();
    assert_eq!(seqs, [(1, 1), (2, 1), (3, 2)]);
    assert_eq!((room.entry(ADA, with_cyd).await.mailbox_seq, room.entry(ADA, with_bob).await.mailbox_seq), (2, 3));
}

pub(super) async fn a_message_to_oneself_takes_one_number(room: &mut Room) {
    let own = single(ADA, ADA);
    for n in 1..=3 {
        let place = room.say(ADA, own).await;
        assert_eq!((place.sender_mailbox_seq, place.receiver_mailbox_seq), (n, n));
        assert_eq!((room.mailbox_seq(ADA).await, room.entry(ADA, own).await.mailbox_seq), (n, n));
    }
}

pub(super) async fn a_group_message_touches_no_mailbox(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let place = room.say(ADA, crowd).await;
    assert_eq!((place.sender_mailbox_seq, place.receiver_mailbox_seq), (0, 0));
    for user in [ADA, BOB] {
        assert_eq!((room.mailbox_seq(user).await, room.entry(user, crowd).await.mailbox_seq), (1, 1));
    }
}

pub(super) async fn every_change_takes_the_next_number(room: &mut Room) {
    let (pair, nickname) = (single(ADA, BOB), Some("Bob".into()));
    room.say(ADA, pair).await;
    let read = room.read(BOB, pair, 1).await.mailbox_seq;
    let (_, renamed) = ok(room.update_profile(BOB, ProfileChange { nickname, ..ProfileChange::default() }).await);
    let created = ok(room.create_group(new_group(1, ADA, &[BOB])).await);
    let left = ok(room.leave(BOB, group(1)).await);
    let invited = ok(room.invite(ADA, group(1), &[BOB]).await);
    let of_bob = |stamped: &[(UserId, u64)]| stamped.iter().find(|(user, _)| *user == BOB).map(|(_, seq)| *seq);
    let numbers = [created, left, invited].map(|changed| of_bob(&changed.stamped));
    assert_eq!((read, renamed, numbers), (2, 3, [Some(4), Some(5), Some(6)]));
    assert_eq!(room.mailbox_seq(BOB).await, 6);
}

pub(super) async fn positions_tell_the_digest_of_the_groups_and_their_heads(room: &mut Room) {
    let digest = async |user| ok(room.positions(user).await).groups_digest;
    assert_eq!(digest(BOB).await, groups_digest([]));
    let (one, _) = (room.found(1, ADA, &[BOB]).await, room.found(2, ADA, &[]).await);
    assert_eq!(digest(BOB).await, groups_digest([(GroupId(1), 1)]));
    assert_eq!(digest(ADA).await, groups_digest([(GroupId(1), 1), (GroupId(2), 1)]));
    room.say(ADA, one).await;
    ok(room.invite(ADA, group(2), &[BOB]).await);
    assert_eq!(digest(BOB).await, groups_digest([(GroupId(1), 2), (GroupId(2), 2)]));
    ok(room.leave(BOB, one).await);
    room.say(ADA, one).await;
    assert_eq!(digest(BOB).await, groups_digest([(GroupId(2), 2)]));
    assert_eq!(digest(ADA).await, groups_digest([(GroupId(1), 4), (GroupId(2), 2)]));
    ok(room.invite(ADA, one, &[BOB]).await);
    assert_eq!(digest(BOB).await, groups_digest([(GroupId(1), 5), (GroupId(2), 2)]));
}

pub(super) async fn an_unknown_user_has_no_positions(room: &mut Room) {
    assert_eq!(room.positions(NOBODY).await, Err(Error::Refused(Refusal::NotFound("user"))));
}

pub(super) async fn changes_are_the_sessions_stamped_behind_since_in_order(room: &mut Room) {
    let (with_bob, with_cyd, with_dan) = (single(ADA, BOB), single(ADA, CYD), single(ADA, DAN));
    for to in [with_dan, with_bob, with_cyd, with_dan] {
        room.say(ADA, to).await;
    }
    let expected = [(with_bob, 2), (with_cyd, 3), (with_dan, 4)];
    for since in 0..=4 {
        let changes = ok(room.changes(ADA, since, 10).await);
        let behind: Vec<_> = expected.iter().copied().filter(|(_, stamp)| *stamp > since).collect();
        assert_eq!(stamps(&changes.sessions), behind, "since {since}");
        assert_eq!((changes.mailbox_seq, changes.caught_up, changes.profile), (4, true, None));
    }
    let sessions = ok(room.changes(ADA, 0, 10).await).sessions;
    assert_eq!(sessions[0], room.entry(ADA, with_bob).await);
}

pub(super) async fn changes_end_exactly_where_nothing_is_behind(room: &mut Room) {
    for to in [BOB, CYD, DAN] {
        room.say(ADA, single(ADA, to)).await;
    }
    for limit in 1..=4 {
        let changes = ok(room.changes(ADA, 0, limit).await);
        let count = u64::from(limit).min(3);
        assert_eq!((changes.sessions.len() as u64, changes.mailbox_seq, changes.caught_up), (count, count, limit >= 3));
    }
}

pub(super) async fn a_page_that_ends_with_the_last_session_is_at_the_mailbox(room: &mut Room) {
    room.say(ADA, single(ADA, BOB)).await;
    let nickname = Some("Ada".into());
    ok(room.update_profile(ADA, ProfileChange { nickname, ..ProfileChange::default() }).await);
    let changes = ok(room.changes(ADA, 0, 1).await);
    assert_eq!((changes.sessions.len(), changes.mailbox_seq, changes.caught_up), (1, 2, true));
}

pub(super) async fn the_profile_comes_if_it_changed_behind_since(room: &mut Room) {
    let rename = |name: &str| ProfileChange { nickname: Some(name.into()), ..ProfileChange::default() };
    assert_eq!(ok(room.changes(ADA, 0, 10).await).profile, None);
    for name in ["first", "second"] {
        ok(room.update_profile(ADA, rename(name)).await);
        room.say(ADA, single(ADA, BOB)).await;
    }
    for since in 0..=4 {
        let profile = ok(room.changes(ADA, since, 10).await).profile.map(|profile| profile.user.nickname);
        assert_eq!(profile, (since < 3).then(|| "second".into()), "since {since}");
    }
    // Whatever the page of sessions.
    room.say(ADA, single(ADA, CYD)).await;
    assert!(ok(room.changes(ADA, 0, 1).await).profile.is_some());
}

pub(super) async fn a_since_beyond_the_mailbox_is_taken_for_0(room: &mut Room) {
    room.say(ADA, single(ADA, BOB)).await;
    let all = ok(room.changes(ADA, 0, 10).await);
    for since in [2, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
        assert_eq!(ok(room.changes(ADA, since, 10).await), all, "since {since}");
    }
    assert_eq!(ok(room.changes(ADA, 1, 10).await).sessions, []);
}

pub(super) async fn joining_and_leaving_are_changes(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    ok(room.invite(ADA, crowd, &[BOB]).await);
    assert_eq!(stamps(&ok(room.changes(BOB, 0, 10).await).sessions), [(crowd, 1)]);
    ok(room.remove(ADA, crowd, &[BOB]).await);
    let changes = ok(room.changes(BOB, 1, 10).await);
    assert_eq!(stamps(&changes.sessions), [(crowd, 2)]);
    assert!(matches!(changes.sessions[0].party, crate::Party::Group(_, None)));
    assert_eq!(stamps(&ok(room.changes(ADA, 0, 10).await).sessions), [(crowd, 1)]);
}

pub(super) async fn pages_give_every_session_that_changed_while_others_write(room: &mut Room) {
    let peers: Vec<_> = (100..120).map(UserId).collect();
    for peer in &peers {
        room.user(*peer).await;
        room.say(ADA, single(ADA, *peer)).await;
    }
    let (mut seen, mut since) = (BTreeMap::new(), 0);
    // Between two pages a session behind and one before the position are written to.
    for n in 0.. {
        assert!(n < 40, "paging comes to an end when the writing does");
        let changes = ok(room.changes(ADA, since, 3).await);
        assert!(changes.mailbox_seq >= since);
        since = changes.mailbox_seq;
        seen.extend(changes.sessions.into_iter().map(|session| (session.conversation, session)));
        if changes.caught_up {
            break;
        }
        if n < 5 {
            room.say(peers[n], single(ADA, peers[n])).await;
            room.say(peers[19 - n], single(ADA, peers[19 - n])).await;
        }
    }
    assert_eq!(since, room.mailbox_seq(ADA).await);
    assert_eq!(seen.into_values().collect::<Vec<_>>(), room.all_sessions(ADA).await);
}

pub(super) async fn a_device_that_syncs_beside_many_writers_misses_nothing(room: &mut Room) {
    let tasks = [BOB, CYD, DAN, EVE].map(|user| {
        let store = room.store();
        tokio::spawn(async move {
            for n in 0..25 {
                ok(send(&*store, text(user, single(ADA, user), &format!("m{n}"))).await);
            }
        })
    });
    let (mut heads, mut since) = (BTreeMap::new(), 0);
    while since < 100 {
        let changes = ok(room.changes(ADA, since, 2).await);
        for session in &changes.sessions {
            // No half of a change: the entry, its preview and its count are of one moment.
            assert_eq!(session.last.as_ref().map(|last| last.server_msg_id), Some(session.head));
            assert_eq!(session.unread, session.head - session.read_mark);
            assert!(session.mailbox_seq > since && session.mailbox_seq <= changes.mailbox_seq);
            assert!(heads.insert(session.conversation, session.head).is_none_or(|before| before < session.head));
        }
        since = changes.mailbox_seq;
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.expect("no task panics");
    }
    assert_eq!((heads.len(), heads.values().all(|head| *head == 25), since), (4, true, 100));
}

pub(super) async fn groups_with_another_head_have_moved(room: &mut Room) {
    let (one, two) = (room.found(1, ADA, &[BOB]).await, room.found(2, ADA, &[BOB]).await);
    room.say(ADA, one).await;
    assert_eq!(moved(room, BOB, &[(1, 2), (2, 1)]).await, []);
    assert_eq!(moved(room, BOB, &[(1, 1), (2, 1)]).await, [one]);
    assert_eq!(moved(room, BOB, &[(1, 0), (2, 7)]).await, [one, two]);
    assert_eq!(moved(room, BOB, &[(2, u64::MAX)]).await, [two]);
    assert_eq!(moved(room, BOB, &[]).await, []);
    let sessions = ok(room.moved_groups(BOB, vec![(GroupId(1), 1)]).await);
    assert_eq!(sessions, [room.entry(BOB, one).await]);
}

pub(super) async fn groups_that_one_left_have_moved(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.leave(BOB, crowd).await);
    room.say(ADA, crowd).await;
    for known in 0..4 {
        assert_eq!(moved(room, BOB, &[(1, known)]).await, [crowd], "known to {known}");
    }
    ok(room.invite(ADA, crowd, &[BOB]).await);
    assert_eq!(moved(room, BOB, &[(1, 4)]).await, []);
}

pub(super) async fn groups_of_others_are_left_out_of_those_that_moved(room: &mut Room) {
    room.found(1, ADA, &[BOB]).await;
    assert_eq!(moved(room, CYD, &[(1, 0), (2, 0)]).await, []);
}

async fn moved(room: &Room, user: UserId, known: &[(u64, u64)]) -> Vec<ConversationId> {
    let known = known.iter().map(|(group, head)| (GroupId(*group), *head)).collect();
    sorted(ok(room.moved_groups(user, known).await).iter().map(|session| session.conversation).collect())
}

fn stamps(sessions: &[Session]) -> Vec<(ConversationId, u64)> {
    sessions.iter().map(|session| (session.conversation, session.mailbox_seq)).collect()
}
