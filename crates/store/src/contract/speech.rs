//! Cases of who may speak in a group: what [`Store::append`](crate::Store::append) and
//! [`Store::change_members`](crate::Store::change_members) say of it.

use anser_proto::{GroupId, v1, v1::notice::Kind};
use prost::Message as _;

use super::room::*;
use crate::{Error, GroupChange, Rank, Refusal};

const HOUR: u64 = 3_600_000;
const FORBIDDEN: Error = Error::Refused(Refusal::Forbidden);

fn muted(for_ms: u64) -> Error {
    Refusal::Muted { for_ms }.into()
}

pub(super) async fn who_is_muted_writes_nothing_until_their_time_is_over(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let changed = ok(room.mute(ADA, crowd, &[BOB, DAN], NOON + HOUR).await);
    assert_eq!(told(&changed.notices[0]), (Kind::Muted, ADA, vec![BOB]));
    let notice = v1::Notice::decode(changed.notices[0].attachment.clone()).expect("a notice");
    assert_eq!((notice.muted_until_ms, changed.stamped), (NOON + HOUR, vec![(BOB, 2)]));
    assert_eq!(ok(room.store().group(BOB, GroupId(1)).await).0.muted_until_ms, NOON + HOUR);
    let picture = room.picture().await;
    assert_eq!(room.send(text(BOB, crowd, "a")).await, Err(muted(HOUR)));
    assert_eq!(room.picture().await, picture);
    room.say(CYD, crowd).await;
    room.set_time(NOON + HOUR - 1);
    assert_eq!(room.send(text(BOB, crowd, "a")).await, Err(muted(1)));
    room.set_time(NOON + HOUR);
    ok(room.send(text(BOB, crowd, "a")).await);
    ok(room.mute(ADA, crowd, &[BOB], NOON + 2 * HOUR).await);
    let changed = ok(room.mute(ADA, crowd, &[BOB], 0).await);
    assert_eq!(told(&changed.notices[0]), (Kind::Unmuted, ADA, vec![BOB]));
    ok(room.send(text(BOB, crowd, "b")).await);
}

pub(super) async fn a_retry_of_what_was_stored_before_a_mute_gets_the_first_place_again(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let first = ok(room.send(text(BOB, crowd, "a")).await);
    ok(room.mute(ADA, crowd, &[BOB], NOON + HOUR).await);
    let again = ok(room.send(text(BOB, crowd, "a")).await);
    assert_eq!((again.server_msg_id, again.duplicate), (first.server_msg_id, true));
    let mut outcomes = room.append(vec![text(BOB, crowd, "a"), text(BOB, crowd, "b")]).await;
    assert_eq!((outcomes.pop(), outcomes.pop().map(|first| first.is_ok())), (Some(Err(muted(HOUR))), Some(true)));
}

pub(super) async fn muting_acts_downwards_in_rank(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    ok(room.set_role(ADA, crowd, &[BOB, CYD], Rank::Admin).await);
    let picture = room.picture().await;
    for (by, whom) in [(BOB, ADA), (BOB, CYD), (BOB, BOB), (ADA, ADA), (DAN, BOB), (DAN, EVE)] {
        assert_eq!(room.mute(by, crowd, &[whom], NOON + HOUR).await, Err(FORBIDDEN), "{by} {whom}");
    }
    assert_eq!(room.picture().await, picture);
    ok(room.mute(BOB, crowd, &[DAN], NOON + HOUR).await);
    ok(room.mute(ADA, crowd, &[BOB], NOON + HOUR).await);
    assert_eq!(room.send(text(BOB, crowd, "a")).await, Err(muted(HOUR)), "an admin too");
    assert_eq!(room.mute(EVE, crowd, &[DAN], 0).await, Err(Error::Refused(Refusal::NotMember)));
}

pub(super) async fn a_mute_that_is_there_already_is_passed_over(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.mute(ADA, crowd, &[BOB], NOON + HOUR).await);
    let picture = room.picture().await;
    for (users, until) in [(&[BOB, EVE][..], NOON + HOUR), (&[CYD], 0), (&[CYD], NOON), (&[], NOON + HOUR)] {
        let changed = ok(room.mute(ADA, crowd, users, until).await);
        assert_eq!((changed.notices, changed.stamped), (vec![], vec![]));
    }
    assert_eq!(room.picture().await, picture);
    let changed = ok(room.mute(ADA, crowd, &[BOB, CYD], NOON + HOUR).await);
    assert_eq!(told(&changed.notices[0]).2, [CYD]);
    // What has run out need not be taken back.
    room.set_time(NOON + HOUR);
    assert_eq!(ok(room.mute(ADA, crowd, &[BOB, CYD], 0).await).notices, []);
}

pub(super) async fn who_is_muted_may_leave_and_read_and_invites_nobody(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let said = room.say(ADA, crowd).await.server_msg_id;
    ok(room.mute(ADA, crowd, &[BOB], NOON + HOUR).await);
    assert_eq!(room.invite(BOB, crowd, &[CYD]).await, Err(muted(HOUR)));
    assert_eq!((room.read(BOB, crowd, said).await.read_mark, room.visible(BOB, crowd).await.len()), (said, 3));
    ok(room.leave(BOB, crowd).await);
}

pub(super) async fn who_becomes_owner_is_not_muted(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.mute(ADA, crowd, &[BOB], NOON + HOUR).await);
    ok(room.transfer(ADA, crowd, BOB).await);
    room.say(BOB, crowd).await;
    ok(room.mute(BOB, crowd, &[ADA], NOON + HOUR).await);
    ok(room.leave(BOB, crowd).await);
    room.say(ADA, crowd).await;
}

pub(super) async fn under_mute_all_the_owner_and_admins_alone_write(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    let stored = ok(room.send(text(CYD, crowd, "a")).await);
    let all = |mute_all| GroupChange { mute_all: Some(mute_all), ..GroupChange::default() };
    ok(room.update(BOB, crowd, all(true)).await);
    for user in [ADA, BOB] {
        room.say(user, crowd).await;
    }
    assert_eq!(room.send(text(CYD, crowd, "b")).await, Err(muted(0)));
    assert_eq!(ok(room.send(text(CYD, crowd, "a")).await).server_msg_id, stored.server_msg_id);
    ok(room.invite(CYD, crowd, &[DAN]).await);
    ok(room.mute(ADA, crowd, &[CYD], NOON + HOUR).await);
    assert_eq!(room.send(text(CYD, crowd, "b")).await, Err(muted(HOUR)));
    ok(room.update(BOB, crowd, all(false)).await);
    room.say(DAN, crowd).await;
}

pub(super) async fn member_ids_tell_who_may_not_speak(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    let mut version = 0;
    let mut silence = async || {
        let ids = ok(room.member_ids(GroupId(1)).await);
        assert!(ids.version > version, "nobody takes the list of before for this one");
        version = ids.version;
        ids.silence
    };
    let quiet = silence().await;
    assert_eq!([ADA, BOB, CYD].map(|user| quiet.check(user, NOON)), [Ok(()), Ok(()), Ok(())]);
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    silence().await;
    ok(room.mute(ADA, crowd, &[CYD], NOON + HOUR).await);
    let one = silence().await;
    let refused = Err(Refusal::Muted { for_ms: HOUR });
    assert_eq!([BOB, CYD, DAN].map(|user| one.check(user, NOON)), [Ok(()), refused.clone(), Ok(())]);
    assert_eq!(one.check(CYD, NOON + HOUR), Ok(()));
    ok(room.update(ADA, crowd, GroupChange { mute_all: Some(true), ..GroupChange::default() }).await);
    let all = silence().await;
    let refused_all = Err(Refusal::Muted { for_ms: 0 });
    assert_eq!([ADA, BOB, CYD, DAN].map(|user| all.check(user, NOON)), [Ok(()), Ok(()), refused, refused_all]);
    ok(room.dissolve(ADA, crowd).await);
    let ended = silence().await;
    assert_eq!(ended.check(ADA, NOON), Err(Refusal::NotMember));
}
