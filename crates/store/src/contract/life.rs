//! Cases of what holds for every verb: atomic, durable, safe to drop; of the sequencer's lies; of opening and closing.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::Poll,
};

use anser_proto::{ConversationId, GroupId, UserId};
use async_trait::async_trait;
use futures_util::future::{join, join_all};

use super::room::*;
use crate::{Error, Failure, PasswordHash, ProfileChange, Refusal, Sequencer};

pub(super) async fn everything_is_there_after_reopening(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    for to in [single(ADA, BOB), single(ADA, ADA), crowd] {
        room.say(ADA, to).await;
        room.say_uncounted(ADA, to).await;
        room.say(ADA, to).await;
    }
    room.read(BOB, single(ADA, BOB), 1).await;
    room.deliver(BOB, crowd, 3).await;
    ok(room.leave(CYD, crowd).await);
    ok(room
        .update_profile(
            ADA,
            ProfileChange { nickname: Some("Ada".into()), signature: Some("here".into()), ..ProfileChange::default() },
        )
        .await);
    ok(room.set_password(ADA, PasswordHash { argon2: "a".into(), scram: "s".into() }).await);
    ok(room.set_disabled(DAN, true).await);
    ok(room.touch_device(ADA, device("a"), 0).await);
    let (picture, log_id) = (room.picture().await, room.log_id());
    for _ in 0..2 {
        room.reopen().await;
        assert_eq!((room.picture().await, room.log_id()), (picture.clone(), log_id));
    }
    // And what is counted goes on from there.
    let place = room.say(BOB, single(ADA, BOB)).await;
    assert_eq!((place.server_msg_id, place.count), (4, 3));
    assert_eq!((room.say(BOB, crowd).await.server_msg_id, room.entry(ADA, crowd).await.unread), (6, 1));
}

pub(super) async fn another_store_has_another_log_id(room: &mut Room) {
    let other = room.another().await;
    assert_ne!(room.log_id(), other.log_id());
    other.close().await;
}

pub(super) async fn a_refused_batch_changes_nothing(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let picture = room.picture().await;
    let refused = [text(CYD, crowd, "a"), text(CYD, single(ADA, BOB), "b"), text(CYD, single(CYD, NOBODY), "c")];
    assert!(
        room.append(refused.to_vec())
            .await
            .iter()
            .all(|answer| answer.as_ref().is_err_and(|error| matches!(error, Error::Refused(_))))
    );
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn an_id_as_large_as_a_number_can_be_is_only_unknown(room: &mut Room) {
    let (crowd, not_found) = (room.found(1, ADA, &[BOB]).await, Error::Refused(Refusal::NotFound("user")));
    let picture = room.picture().await;
    for id in [i64::MAX as u64 + 1, u64::MAX] {
        let (user, no_group) = (UserId(id), GroupId(id));
        assert_eq!(room.invite(ADA, crowd, &[CYD, user]).await, Err(not_found.clone()));
        assert_eq!(room.create_group(new_group(2, ADA, &[user])).await, Err(not_found.clone()));
        assert_eq!(room.send(text(ADA, single(ADA, user), "a")).await, Err(not_found.clone()));
        assert_eq!(room.send(text(ADA, group(id), "a")).await, Err(Error::Refused(Refusal::NotMember)));
        assert_eq!(ok(room.remove(ADA, crowd, &[user]).await).notices, []);
        assert_eq!(room.positions(user).await, Err(not_found.clone()));
        assert_eq!(ok(room.users(vec![user, ADA], vec![]).await).len(), 1);
        assert_eq!(ok(room.list_users(user, 9).await).rows, []);
        assert_eq!(ok(room.members(ADA, id_of(crowd), user, 9).await).rows, []);
        assert_eq!(room.members(ADA, no_group, UserId(0), 9).await, Err(Error::Refused(Refusal::NotMember)));
        assert_eq!(ok(room.member_ids(no_group).await).members.len(), 0);
        assert_eq!(ok(room.moved_groups(ADA, vec![(no_group, id)]).await), []);
        assert_eq!(ok(room.sessions(ADA, Some(group(id)), 9).await).rows, []);
        assert_eq!(room.session(ADA, single(ADA, user)).await, Err(Error::Refused(Refusal::NotFound("conversation"))));
        assert_eq!(room.read_log(ADA, group(id), WHOLE).await, Err(Error::Refused(Refusal::NotMember)));
        assert_eq!(ok(room.read_log(ADA, single(ADA, user), WHOLE).await).messages, []);
        assert!(!room.read(ADA, single(ADA, user), id).await.moved);
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn a_dropped_append_is_stored_whole_or_not_at_all(room: &mut Room) {
    let pair = single(ADA, BOB);
    for polls in 0..8 {
        let batch = ["a", "b"].map(|id| text(ADA, pair, &format!("{id}{polls}"))).to_vec();
        abandon(room.append(batch.clone()), polls).await;
        let places = all_ok(room.append(batch).await);
        let first = 2 * polls as u64 + 1;
        assert_eq!((places[0].server_msg_id, places[1].server_msg_id), (first, first + 1));
        assert_eq!(places[0].duplicate, places[1].duplicate);
        assert_eq!((room.entry(BOB, pair).await.unread, room.mailbox_seq(BOB).await), (first + 1, first + 1));
    }
}

pub(super) async fn a_dropped_change_of_members_is_done_whole_or_not_at_all(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    for polls in 0..8 {
        abandon(room.invite(ADA, crowd, &[BOB, CYD]), polls).await;
        // Goes behind the dropped one, and finds it done or does it.
        ok(room.invite(ADA, crowd, &[BOB, CYD]).await);
        assert_eq!(room.visible(ADA, crowd).await.len(), 2 * polls + 2);
        ok(room.remove(ADA, crowd, &[BOB, CYD]).await);
        assert_eq!(room.mailbox_seq(BOB).await, 2 * polls as u64 + 2);
    }
}

pub(super) async fn a_probe_changes_nothing(room: &mut Room) {
    room.say(ADA, single(ADA, BOB)).await;
    let (picture, appended) = (room.picture().await, room.stats().appended);
    ok(room.probe().await);
    assert_eq!((room.picture().await, room.stats().appended), (picture, appended));
}

pub(super) async fn stats_tell_what_was_stored(room: &mut Room) {
    let before = room.stats();
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.invite(ADA, crowd, &[CYD]).await);
    assert_eq!(room.stats().appended, before.appended, "notices are the store's own");
    let batch = ["a", "b", "a"].map(|id| text(ADA, single(ADA, BOB), id)).to_vec();
    all_ok(room.append(batch).await);
    assert_eq!(room.send(text(CYD, single(ADA, BOB), "c")).await, Err(Error::Refused(Refusal::NotMember)));
    let stats = room.stats();
    assert_eq!((stats.appended - before.appended, stats.proposals_refused, stats.queued), (2, 0, 0));
    assert!(stats.commits > before.commits);
    room.reopen().await;
    assert_eq!(room.stats().appended, 0);
}

pub(super) async fn after_closing_everything_is_refused(room: &mut Room) {
    room.say(ADA, single(ADA, BOB)).await;
    room.close().await;
    room.close().await;
    let closed = Err(Error::Failed(Failure::Closed));
    let batch = vec![text(ADA, single(ADA, BOB), "a"), text(ADA, single(CYD, BOB), "b")];
    assert_eq!(room.append(batch).await, [closed.clone(), closed]);
    assert_eq!(room.read_log(ADA, single(ADA, BOB), WHOLE).await, Err(Error::Failed(Failure::Closed)));
    assert_eq!(room.positions(ADA).await, Err(Error::Failed(Failure::Closed)));
    assert_eq!(room.create_user(new_user(UserId(50))).await, Err(Error::Failed(Failure::Closed)));
    assert_eq!(room.invite(ADA, group(1), &[BOB]).await, Err(Error::Failed(Failure::Closed)));
    assert_eq!(room.probe().await, Err(Error::Failed(Failure::Closed)));
}

pub(super) async fn closing_ends_the_work_that_was_taken(room: &mut Room) {
    let pair = single(ADA, BOB);
    let calls = (0..25).map(|n| room.send(text(ADA, pair, &format!("m{n}"))));
    let (answers, ()) = join(join_all(calls), room.close()).await;
    // Those taken before it closed are stored, and only those.
    let stored: Vec<_> = answers.iter().map_while(|answer| answer.as_ref().ok()).map(|p| p.server_msg_id).collect();
    assert!(answers[stored.len()..].iter().all(|answer| *answer == Err(Error::Failed(Failure::Closed))));
    room.reopen().await;
    assert_eq!(room.visible(BOB, pair).await, stored);
}

pub(super) async fn a_wiped_sequencer_costs_attempts_and_never_a_hole(room: &mut Room) {
    check_lies(room, |_, _| Ok(1)).await;
}

pub(super) async fn a_sequencer_that_runs_ahead_costs_attempts_and_never_a_hole(room: &mut Room) {
    check_lies(room, |call, last| Ok(last + 2 + call * 1000)).await;
}

pub(super) async fn a_sequencer_that_falls_behind_costs_attempts_and_never_a_double(room: &mut Room) {
    check_lies(room, |_, last| Ok(last)).await;
}

pub(super) async fn a_sequencer_of_absurd_numbers_costs_attempts_and_never_a_hole(room: &mut Room) {
    check_lies(room, |call, _| Ok([0, u64::MAX, i64::MAX as u64, u64::MAX - 1][call as usize % 4])).await;
}

pub(super) async fn a_sequencer_that_fails_costs_attempts_and_never_a_message(room: &mut Room) {
    check_lies(room, |_, _| Err(Failure::Failed("the sequencer is away".into()))).await;
}

pub(super) async fn the_sequencer_is_not_asked_of_logs_to_which_nothing_comes(room: &mut Room) {
    let (pair, of_others) = (single(ADA, BOB), room.found(1, BOB, &[CYD]).await);
    let asked = Arc::new(Recorder::default());
    room.reopen_on(asked.clone()).await;
    let nowhere = [group(9), of_others, single(ADA, NOBODY), single(BOB, CYD), single(NOBODY, NOBODY)];
    let batch = [pair].iter().chain(&nowhere).enumerate().map(|(at, to)| text(ADA, *to, &format!("m-{at}"))).collect();
    let answers = room.append(batch).await;
    assert!(answers[0].is_ok() && answers[1..].iter().all(Result::is_err), "{answers:?}");
    assert!(room.invite(ADA, of_others, &[ADA]).await.is_err());
    let asked = asked.0.lock().expect("nobody panicked");
    assert!(asked.iter().all(|conversation| *conversation == pair), "{asked:?}");
}

#[derive(Default)]
struct Recorder(Mutex<Vec<ConversationId>>);

#[async_trait]
impl Sequencer for Recorder {
    async fn reserve(&self, conversation: ConversationId, _: u32) -> Result<u64, Failure> {
        self.0.lock().expect("nobody panicked").push(conversation);
        Ok(1)
    }

    async fn reset(&self, conversation: ConversationId, _: u64) -> Result<(), Failure> {
        self.0.lock().expect("nobody panicked").push(conversation);
        Ok(())
    }
}

/// Stores over a sequencer that never tells the truth: from the number of the call and where it was told the head is.
async fn check_lies(room: &mut Room, lie: fn(u64, u64) -> Result<u64, Failure>) {
    let (pair, crowd) = (single(ADA, BOB), room.found(1, ADA, &[BOB]).await);
    for to in [pair, crowd] {
        room.say(ADA, to).await;
    }
    let liar = Liar { lie, calls: AtomicU64::new(0), last: AtomicU64::new(0) };
    room.reopen_on(Arc::new(liar)).await;
    for n in 2..6 {
        let batch = ["a", "b", "c"].map(|id| text(ADA, pair, &format!("{id}{n}"))).to_vec();
        assert_eq!(ids(&all_ok(room.append(batch).await)), Vec::from_iter(3 * n - 4..3 * n - 1));
    }
    assert_eq!(room.say(BOB, crowd).await.server_msg_id, 3);
    assert_eq!(ok(room.invite(ADA, crowd, &[CYD]).await).notices[0].server_msg_id, 4);
    assert_eq!(ok(room.create_group(new_group(2, ADA, &[])).await).notices[0].server_msg_id, 1);
    assert_eq!(room.visible(BOB, pair).await, Vec::from_iter(1..=13));
    assert_eq!((room.visible(BOB, crowd).await, room.entry(BOB, pair).await.unread), (vec![1, 2, 3, 4], 13));
}

struct Liar {
    lie: fn(u64, u64) -> Result<u64, Failure>,
    calls: AtomicU64,
    last: AtomicU64,
}

#[async_trait]
impl Sequencer for Liar {
    async fn reserve(&self, _: ConversationId, _: u32) -> Result<u64, Failure> {
        (self.lie)(self.calls.fetch_add(1, Relaxed), self.last.load(Relaxed))
    }

    async fn reset(&self, _: ConversationId, last: u64) -> Result<(), Failure> {
        self.last.store(last, Relaxed);
        Ok(())
    }
}

/// Drops the future after so many polls.
async fn abandon<T>(future: impl Future<Output = T>, polls: usize) {
    let mut future = pin!(future);
    for _ in 0..polls {
        if poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await {
            return;
        }
        tokio::task::yield_now().await;
    }
}
