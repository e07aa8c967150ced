//! Cases of [`Store::change_members`](crate::Store::change_members) that change what members may do.

use anser_proto::{GroupId, UserId, limits::ADMINS_MAX, v1::notice::Kind};

use super::room::*;
use crate::{ADMINS_OF_A_GROUP, Error, MembersAction, MembersChange, Rank, Refusal, Role};

const FORBIDDEN: Error = Error::Refused(Refusal::Forbidden);

pub(super) async fn the_owner_alone_says_who_is_an_admin(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    let changed = ok(room.set_role(ADA, crowd, &[CYD, BOB, EVE, CYD], Rank::Admin).await);
    assert_eq!(changed.notices.len(), 1, "one notice for all of one call");
    assert_eq!(told(&changed.notices[0]), (Kind::Promoted, ADA, vec![BOB, CYD]));
    assert_eq!((changed.role, changed.group.member_count), (Some(Role::Owner), 4));
    assert_eq!(sorted(changed.stamped), [(BOB, 2), (CYD, 2)]);
    assert_eq!(room.log(DAN, crowd).await.pop(), changed.notices.last().cloned());
    assert_eq!((room.role(BOB, crowd).await, room.mailbox_seq(DAN).await), (Some(Role::Admin), 1));
    let picture = room.picture().await;
    for (by, whom) in [(BOB, DAN), (BOB, CYD), (DAN, DAN), (ADA, ADA)] {
        for rank in [Rank::Admin, Rank::Member] {
            assert_eq!(room.set_role(by, crowd, &[whom], rank).await, Err(FORBIDDEN), "{by} {whom} {rank:?}");
        }
    }
    assert_eq!(room.picture().await, picture);
    let changed = ok(room.set_role(ADA, crowd, &[BOB], Rank::Member).await);
    assert_eq!(told(&changed.notices[0]), (Kind::Demoted, ADA, vec![BOB]));
    assert_eq!((changed.stamped, room.role(BOB, crowd).await), (vec![(BOB, 3)], Some(Role::Member)));
}

pub(super) async fn a_role_that_is_there_already_is_passed_over(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    let picture = room.picture().await;
    for (users, rank) in [(&[BOB][..], Rank::Admin), (&[CYD, EVE], Rank::Member), (&[], Rank::Admin)] {
        let changed = ok(room.set_role(ADA, crowd, users, rank).await);
        assert_eq!((changed.notices, changed.stamped), (vec![], vec![]));
    }
    assert_eq!(room.picture().await, picture);
    let changed = ok(room.set_role(ADA, crowd, &[BOB, CYD], Rank::Admin).await);
    assert_eq!((told(&changed.notices[0]).2, changed.stamped), (vec![CYD], vec![(CYD, 2)]));
}

/// A group of which so many are admins: all of these, and the owner is Ada.
async fn led_by_many(room: &Room, others: &[UserId]) -> Vec<UserId> {
    let admins: Vec<_> = (100..100 + u64::from(ADMINS_MAX)).map(UserId).collect();
    for user in &admins {
        room.user(*user).await;
    }
    let crowd = room.found(1, ADA, &[&admins, others].concat()).await;
    ok(room.set_role(ADA, crowd, &admins, Rank::Admin).await);
    admins
}

fn too_many<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    let limit = Refusal::Limit { what: ADMINS_OF_A_GROUP, max: ADMINS_MAX };
    assert_eq!(outcome.err(), Some(limit.into()));
}

pub(super) async fn a_group_has_no_more_admins_than_it_may(room: &mut Room) {
    let admins = led_by_many(room, &[BOB]).await;
    let picture = room.picture().await;
    too_many(room.set_role(ADA, group(1), &[admins[0], BOB], Rank::Admin).await);
    assert_eq!(room.picture().await, picture);
    ok(room.leave(admins[0], group(1)).await);
    ok(room.set_role(ADA, group(1), &[BOB], Rank::Admin).await);
}

pub(super) async fn an_admin_removes_plain_members_alone(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN, EVE]).await;
    ok(room.set_role(ADA, crowd, &[BOB, CYD], Rank::Admin).await);
    let picture = room.picture().await;
    for users in [&[ADA][..], &[CYD], &[DAN, CYD], &[BOB]] {
        assert_eq!(room.remove(BOB, crowd, users).await, Err(FORBIDDEN), "{users:?}");
    }
    assert_eq!(room.picture().await, picture);
    assert_eq!(told(&ok(room.remove(BOB, crowd, &[DAN, EVE]).await).notices[0]).2, [DAN, EVE]);
}

pub(super) async fn the_owner_transfers_the_group_and_is_an_admin_then(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let changed = ok(room.transfer(ADA, crowd, CYD).await);
    assert_eq!(changed.notices.len(), 1);
    assert_eq!(told(&changed.notices[0]), (Kind::OwnerChanged, ADA, vec![CYD]));
    assert_eq!((changed.group.owner, changed.role), (CYD, Some(Role::Admin)));
    assert_eq!(sorted(changed.stamped), [(ADA, 2), (CYD, 2)]);
    assert_eq!((room.role(CYD, crowd).await, room.role(BOB, crowd).await), (Some(Role::Owner), Some(Role::Member)));
    ok(room.set_role(CYD, crowd, &[ADA], Rank::Member).await);
}

pub(super) async fn a_transfer_is_to_a_member_and_by_the_owner(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    ok(room.leave(DAN, crowd).await);
    let picture = room.picture().await;
    for (by, heir) in [(BOB, BOB), (BOB, CYD), (CYD, CYD), (CYD, EVE)] {
        assert_eq!(room.transfer(by, crowd, heir).await, Err(FORBIDDEN));
    }
    for nobody in [DAN, EVE, NOBODY] {
        assert_eq!(room.transfer(ADA, crowd, nobody).await, Err(Error::Refused(Refusal::NotFound("member"))));
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn a_transfer_to_who_is_owner_changes_nothing(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.transfer(ADA, crowd, BOB).await);
    let picture = room.picture().await;
    for by in [ADA, BOB] {
        let again = ok(room.transfer(by, crowd, BOB).await);
        assert_eq!((again.notices, again.stamped), (vec![], vec![]));
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn a_transfer_makes_no_admin_too_many(room: &mut Room) {
    let admins = led_by_many(room, &[BOB]).await;
    let picture = room.picture().await;
    too_many(room.transfer(ADA, group(1), BOB).await);
    assert_eq!(room.picture().await, picture);
    ok(room.transfer(ADA, group(1), admins[0]).await);
}

pub(super) async fn when_the_owner_leaves_the_longest_standing_admin_comes_first(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for user in [DAN, CYD] {
        ok(room.invite(ADA, crowd, &[user]).await);
        ok(room.set_role(ADA, crowd, &[user], Rank::Admin).await);
    }
    let changed = ok(room.leave(ADA, crowd).await);
    assert_eq!(told(&changed.notices[1]), (Kind::OwnerChanged, ADA, vec![DAN]));
    assert_eq!((changed.group.owner, room.role(DAN, crowd).await), (DAN, Some(Role::Owner)));
}

pub(super) async fn an_heir_who_is_disabled_comes_after_a_plain_member(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    ok(room.set_disabled(BOB, true).await);
    assert_eq!(ok(room.leave(ADA, crowd).await).group.owner, CYD);
}

pub(super) async fn who_joins_again_is_a_plain_member(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    ok(room.leave(BOB, crowd).await);
    ok(room.invite(ADA, crowd, &[BOB]).await);
    assert_eq!(room.role(BOB, crowd).await, Some(Role::Member));
}

/// What each does at the same time as the others.
async fn at_once(room: &Room, acts: Vec<(UserId, MembersAction)>) -> Vec<Result<usize, Error>> {
    let tasks = acts.into_iter().map(|(user, action)| {
        let store = room.store();
        tokio::spawn(async move {
            let change = MembersChange { group: GroupId(1), operator: sender(user), action, login_version: 0 };
            store.change_members(change).await.map(|changed| changed.notices.len())
        })
    });
    let mut outcomes = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        outcomes.push(task.await.expect("no task panics"));
    }
    outcomes
}

pub(super) async fn of_transfers_at_once_each_rests_on_the_one_before(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    let heirs = [BOB, CYD, DAN, BOB, CYD, DAN];
    let outcomes = at_once(room, heirs.map(|heir| (ADA, MembersAction::Transfer(heir))).into()).await;
    let owner = ok(room.store().group(ADA, GroupId(1)).await).0.owner;
    for (heir, outcome) in heirs.into_iter().zip(&outcomes) {
        match outcome {
            Ok(1 | 0) => assert_eq!(heir, owner, "the first was the last"),
            other => assert_eq!((heir != owner, other), (true, &Err(FORBIDDEN))),
        }
    }
    assert_eq!((outcomes.contains(&Ok(1)), room.log(BOB, crowd).await.len()), (true, 2));
}

pub(super) async fn a_group_has_one_owner_whatever_happens_at_once(room: &mut Room) {
    for _ in 0..8 {
        let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
        let acts = vec![
            (ADA, MembersAction::Transfer(BOB)),
            (BOB, MembersAction::Leave),
            (ADA, MembersAction::Leave),
            (ADA, MembersAction::SetRole(vec![CYD], Rank::Admin)),
            (BOB, MembersAction::Transfer(CYD)),
        ];
        at_once(room, acts).await;
        let members = ok(room.members(DAN, GroupId(1), UserId(0), 9).await).rows;
        let owner = ok(room.store().group(DAN, GroupId(1)).await).0.owner;
        let owners: Vec<_> = members.iter().filter(|one| one.role == Role::Owner).map(|one| one.user.user).collect();
        assert_eq!(owners, [owner]);
        // Each change is told where it happened: who is owner now was named last, or nobody was.
        let log = room.log(DAN, crowd).await;
        let last = log.iter().map(told).filter(|(kind, ..)| *kind == Kind::OwnerChanged).last();
        assert_eq!(last.map_or(vec![ADA], |(_, _, named)| named), [owner]);
        *room = room.another().await;
    }
}
