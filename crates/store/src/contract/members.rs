//! Cases of [`Store::change_members`](crate::Store::change_members): who may, who is told, who is stamped.

use std::collections::BTreeSet;

use anser_proto::{GroupId, UserId, v1::notice::Kind};

use super::room::*;
use crate::{Error, Rank, Refusal, Role};

pub(super) async fn every_member_may_invite(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let changed = ok(room.invite(BOB, crowd, &[DAN, CYD]).await);
    assert_eq!(changed.notices.len(), 1, "one notice for all of one call");
    assert_eq!(told(&changed.notices[0]), (Kind::Joined, BOB, vec![DAN, CYD]));
    assert_eq!((changed.notices[0].server_msg_id, &changed.notices[0].from), (2, &sender(BOB)));
    assert_eq!((changed.group.member_count, changed.role), (4, Some(Role::Member)));
    assert_eq!(sorted(changed.stamped), [(DAN, 1), (CYD, 1)]);
    assert_eq!(room.log(ADA, crowd).await.pop(), changed.notices.last().cloned());
    ok(room.invite(CYD, crowd, &[EVE]).await);
}

pub(super) async fn who_is_a_member_already_is_passed_over(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, crowd).await;
    let changed = ok(room.invite(ADA, crowd, &[BOB, CYD, ADA, CYD]).await);
    assert_eq!(told(&changed.notices[0]).2, [CYD]);
    assert_eq!((changed.group.member_count, changed.stamped), (3, vec![(CYD, 1)]));
    // They keep their place and what they have not read.
    assert_eq!((room.entry(BOB, crowd).await.unread, room.visible(BOB, crowd).await), (1, vec![1, 2, 3]));
}

pub(super) async fn when_nobody_is_left_to_change_nothing_is_appended_and_nothing_stamped(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let picture = room.picture().await;
    let nothing = [room.invite(BOB, crowd, &[ADA, BOB]).await, room.invite(BOB, crowd, &[]).await]
        .map(|changed| (changed, Role::Member));
    let neither = [room.remove(ADA, crowd, &[CYD, NOBODY]).await, room.remove(ADA, crowd, &[]).await]
        .map(|changed| (changed, Role::Owner));
    for (changed, role) in nothing.into_iter().chain(neither) {
        let changed = ok(changed);
        assert_eq!((changed.notices, changed.stamped, changed.role), (vec![], vec![], Some(role)));
        assert_eq!(changed.group.member_count, 2);
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn who_joins_does_not_see_what_was_said_before(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    room.say(ADA, crowd).await;
    ok(room.invite(ADA, crowd, &[BOB]).await);
    assert_eq!(room.visible(BOB, crowd).await, [3]);
    let entry = room.entry(BOB, crowd).await;
    assert_eq!((entry.first, entry.head, entry.read_mark, entry.delivered_mark, entry.unread), (3, 3, 3, 3, 0));
    assert_eq!(entry.last.expect("they see that they joined").server_msg_id, 3);
}

pub(super) async fn who_joins_again_joins_anew(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.leave(BOB, crowd).await); // 2
    room.say(ADA, crowd).await; // 3
    let changed = ok(room.invite(ADA, crowd, &[BOB]).await); // 4
    assert_eq!((told(&changed.notices[0]).2, changed.stamped), (vec![BOB], vec![(BOB, 3)]));
    let members = ok(room.members(BOB, GroupId(1), UserId(0), 9).await).rows;
    assert_eq!((members[0].user.user, members[0].joined), (BOB, 4));
    assert_eq!(room.visible(BOB, crowd).await, [1, 2, 4]);
}

pub(super) async fn inviting_moves_nobody_elses_marks(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, crowd).await;
    ok(room.invite(BOB, crowd, &[CYD]).await);
    let entry = room.entry(BOB, crowd).await;
    assert_eq!((entry.read_mark, entry.delivered_mark, entry.unread, entry.head), (1, 1, 1, 3));
}

pub(super) async fn unknown_users_are_refused_by_an_invitation(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    let picture = room.picture().await;
    assert_eq!(room.invite(ADA, crowd, &[BOB, NOBODY]).await, Err(Error::Refused(Refusal::NotFound("user"))));
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn the_owner_may_remove_anyone(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    let changed = ok(room.remove(ADA, crowd, &[DAN, EVE, BOB, DAN]).await);
    assert_eq!(changed.notices.len(), 1, "one notice for all of one call");
    assert_eq!(told(&changed.notices[0]), (Kind::Removed, ADA, vec![BOB, DAN]));
    assert_eq!((changed.group.member_count, changed.role), (2, Some(Role::Owner)));
    assert_eq!(sorted(changed.stamped), [(BOB, 2), (DAN, 2)]);
    let entry = room.entry(BOB, crowd).await;
    assert_eq!((entry.mailbox_seq, entry.head, room.mailbox_seq(CYD).await), (2, 2, 1));
}

pub(super) async fn nobody_may_remove_himself(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let picture = room.picture().await;
    assert_eq!(room.remove(ADA, crowd, &[BOB, ADA]).await, Err(Error::Refused(Refusal::Forbidden)));
    assert_eq!(room.remove(BOB, crowd, &[BOB]).await, Err(Error::Refused(Refusal::Forbidden)));
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn a_plain_member_may_remove_nobody(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let picture = room.picture().await;
    for whom in [ADA, CYD, DAN] {
        assert_eq!(room.remove(BOB, crowd, &[whom]).await, Err(Error::Refused(Refusal::Forbidden)));
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn a_member_may_leave(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let changed = ok(room.leave(BOB, crowd).await);
    assert_eq!(changed.notices.len(), 1);
    assert_eq!(told(&changed.notices[0]), (Kind::Left, BOB, vec![BOB]));
    assert_eq!((changed.group.owner, changed.group.member_count, changed.role), (ADA, 2, None));
    assert_eq!(changed.stamped, [(BOB, 2)]);
}

pub(super) async fn when_the_owner_leaves_the_longest_standing_member_takes_his_place(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.invite(ADA, crowd, &[EVE]).await);
    ok(room.invite(ADA, crowd, &[CYD]).await);
    // They came first, but not this time.
    ok(room.leave(BOB, crowd).await);
    ok(room.invite(ADA, crowd, &[BOB]).await);
    let changed = ok(room.leave(ADA, crowd).await);
    assert_eq!(changed.notices.len(), 2);
    assert_eq!(told(&changed.notices[0]), (Kind::Left, ADA, vec![ADA]));
    assert_eq!(told(&changed.notices[1]), (Kind::OwnerChanged, ADA, vec![EVE]));
    assert_eq!((changed.notices[0].server_msg_id, changed.notices[1].server_msg_id), (6, 7));
    assert_eq!((changed.group.owner, changed.role), (EVE, None));
    assert_eq!(sorted(changed.stamped), [(ADA, 2), (EVE, 2)]);
    assert_eq!(ok(room.store().group(EVE, GroupId(1)).await).1, Role::Owner);
    ok(room.remove(EVE, crowd, &[CYD]).await);
}

pub(super) async fn of_members_who_came_together_the_smallest_id_becomes_owner(room: &mut Room) {
    let crowd = room.found(1, BOB, &[CYD, DAN, EVE, ADA]).await;
    assert_eq!(ok(room.leave(BOB, crowd).await).group.owner, ADA);
}

pub(super) async fn the_heir_of_a_group_is_not_disabled(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.invite(ADA, crowd, &[DAN]).await);
    ok(room.set_disabled(BOB, true).await);
    let changed = ok(room.leave(ADA, crowd).await);
    assert_eq!(told(&changed.notices[1]), (Kind::OwnerChanged, ADA, vec![CYD]));
    assert_eq!(changed.group.owner, CYD);
}

pub(super) async fn the_heir_takes_the_place_of_an_owner_who_is_disabled(room: &mut Room) {
    let crowds = [room.found(1, ADA, &[BOB]).await, room.found(2, ADA, &[BOB]).await];
    for crowd in crowds {
        ok(room.invite(ADA, crowd, &[CYD]).await);
        ok(room.invite(ADA, crowd, &[DAN]).await);
    }
    for (crowd, removed) in crowds.into_iter().zip([ADA, DAN]) {
        // The owner is disabled, and so is who would follow them.
        for user in [ADA, BOB] {
            ok(room.set_disabled(user, true).await);
        }
        let picture = room.picture().await;
        assert_eq!(room.remove(DAN, crowd, &[CYD]).await, Err(Error::Refused(Refusal::Forbidden)));
        assert_eq!(room.remove(CYD, crowd, &[DAN, CYD]).await, Err(Error::Refused(Refusal::Forbidden)));
        assert_eq!(ok(room.remove(CYD, crowd, &[EVE]).await).role, Some(Role::Member), "there was nobody to remove");
        assert_eq!(room.picture().await, picture);
        let changed = ok(room.remove(CYD, crowd, &[removed]).await);
        assert_eq!(changed.notices.len(), 2);
        assert_eq!(told(&changed.notices[0]), (Kind::OwnerChanged, CYD, vec![CYD]));
        assert_eq!(told(&changed.notices[1]), (Kind::Removed, CYD, vec![removed]));
        assert_eq!((changed.group.owner, changed.role), (CYD, Some(Role::Owner)));
        let stamped = changed.stamped.iter().map(|(user, _)| *user).collect::<BTreeSet<_>>();
        assert_eq!((changed.stamped.len(), stamped), (if removed == ADA { 2 } else { 3 }, [ADA, CYD, removed].into()));
        // Whatever becomes of who was it before.
        for user in [ADA, BOB] {
            ok(room.set_disabled(user, false).await);
        }
        let members = ok(room.members(CYD, id_of(crowd), UserId(0), 9).await).rows;
        let owners = members.iter().filter(|member| member.role == Role::Owner);
        assert_eq!(owners.map(|member| member.user.user).collect::<Vec<_>>(), [CYD]);
    }
}

pub(super) async fn an_owner_who_is_enabled_before_somebody_took_his_place_keeps_it(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.set_disabled(ADA, true).await);
    ok(room.invite(BOB, crowd, &[DAN]).await);
    ok(room.set_disabled(ADA, false).await);
    assert_eq!(room.remove(BOB, crowd, &[CYD]).await, Err(Error::Refused(Refusal::Forbidden)));
    assert_eq!(ok(room.store().group(ADA, GroupId(1)).await).1, Role::Owner);
}

pub(super) async fn a_group_of_disabled_members_has_an_owner_too(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    for user in [BOB, CYD] {
        ok(room.set_disabled(user, true).await);
    }
    let changed = ok(room.leave(ADA, crowd).await);
    assert_eq!(told(&changed.notices[1]), (Kind::OwnerChanged, ADA, vec![BOB]));
    ok(room.set_disabled(CYD, false).await);
    let (operator, action) = (sender(CYD), crate::MembersAction::Remove(vec![BOB]));
    let change = crate::MembersChange { group: GroupId(1), operator, action, login_version: 1 };
    let changed = ok(room.change_members(change).await);
    assert_eq!(told(&changed.notices[0]), (Kind::OwnerChanged, CYD, vec![CYD]));
    assert_eq!((changed.group.owner, changed.group.member_count), (CYD, 1));
}

pub(super) async fn an_owner_who_comes_back_is_a_plain_member(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.leave(ADA, crowd).await);
    ok(room.invite(BOB, crowd, &[ADA]).await);
    let (info, role) = ok(room.store().group(ADA, GroupId(1)).await);
    assert_eq!((info.owner, role, info.member_count), (BOB, Role::Member, 2));
    assert_eq!(room.remove(ADA, crowd, &[BOB]).await, Err(Error::Refused(Refusal::Forbidden)));
}

pub(super) async fn the_last_member_leaves_an_empty_group(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    let changed = ok(room.leave(ADA, crowd).await);
    assert_eq!((changed.notices.len(), changed.group.member_count), (1, 0));
    assert_eq!(told(&changed.notices[0]), (Kind::Left, ADA, vec![ADA]));
    assert_eq!(room.visible(ADA, crowd).await, [1, 2]);
    assert_eq!(room.invite(ADA, crowd, &[ADA]).await, Err(Error::Refused(Refusal::NotMember)));
    assert_eq!(room.send(text(ADA, crowd, "a")).await, Err(Error::Refused(Refusal::NotMember)));
}

pub(super) async fn who_is_no_member_changes_no_members(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.leave(BOB, crowd).await);
    let picture = room.picture().await;
    for (user, of) in [(BOB, crowd), (DAN, crowd), (ADA, group(2))] {
        assert_eq!(room.invite(user, of, &[EVE]).await, Err(Error::Refused(Refusal::NotMember)));
        assert_eq!(room.remove(user, of, &[CYD]).await, Err(Error::Refused(Refusal::NotMember)));
        assert_eq!(room.set_role(user, of, &[CYD], Rank::Admin).await, Err(Error::Refused(Refusal::NotMember)));
        assert_eq!(room.transfer(user, of, CYD).await, Err(Error::Refused(Refusal::NotMember)));
    }
    for (user, of) in [(DAN, crowd), (ADA, group(2))] {
        assert_eq!(room.leave(user, of).await, Err(Error::Refused(Refusal::NotMember)));
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn who_has_left_leaves_again_without_a_change(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.leave(BOB, crowd).await);
    ok(room.remove(ADA, crowd, &[CYD]).await);
    let picture = room.picture().await;
    for user in [BOB, CYD] {
        let again = ok(room.leave(user, crowd).await);
        assert_eq!((again.notices, again.stamped, again.role), (vec![], vec![], None));
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn notices_do_not_count_as_unread(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    assert_eq!(room.say(ADA, crowd).await.count, 1);
    let changed = ok(room.invite(ADA, crowd, &[CYD]).await);
    assert_eq!((changed.notices[0].count, room.entry(BOB, crowd).await.unread), (1, 1));
    assert_eq!(room.say(ADA, crowd).await.count, 2);
    assert_eq!(room.entry(CYD, crowd).await.unread, 1);
}

pub(super) async fn a_notice_takes_no_client_msg_id_from_its_operator(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let taken = ok(room.invite(ADA, crowd, &[CYD]).await).notices.remove(0).client_msg_id;
    for n in 3..6 {
        // Whatever the store calls its notices, a user may call their messages so.
        let id = if n == 3 { taken.to_string() } else { taken.to_string().replace('2', &n.to_string()) };
        let place = room.send(text(ADA, crowd, &id)).await;
        assert!(place.is_ok_and(|place| !place.duplicate || n > 3));
    }
    ok(room.invite(ADA, crowd, &[DAN]).await);
    ok(room.leave(ADA, crowd).await);
}

pub(super) async fn one_invited_by_many_at_once_joins_once(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let tasks = [ADA, BOB, CYD].map(|user| {
        let store = room.store();
        tokio::spawn(async move {
            let action = crate::MembersAction::Invite(vec![DAN]);
            let change = crate::MembersChange { group: GroupId(1), operator: sender(user), action, login_version: 0 };
            ok(store.change_members(change).await).notices.len()
        })
    });
    let mut notices = 0;
    for task in tasks {
        notices += task.await.expect("no task panics");
    }
    assert_eq!((notices, room.visible(ADA, crowd).await, room.mailbox_seq(DAN).await), (1, vec![1, 2], 1));
}
