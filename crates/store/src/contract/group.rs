//! Cases of [`Store::create_group`](crate::Store::create_group) and of reading groups and their members.

use anser_proto::{GroupId, UserId, v1::notice::Kind};

use super::room::*;
use crate::{Error, Group, Member, MemberIds, NewGroup, Refusal, Role};

pub(super) async fn a_group_is_told_in_its_log(room: &mut Room) {
    let made = ok(room.create_group(new_group(1, BOB, &[CYD, ADA])).await);
    assert_eq!(made.notices.len(), 1);
    let notice = &made.notices[0];
    assert_eq!(told(notice), (Kind::Created, BOB, vec![BOB, ADA, CYD]));
    assert_eq!((notice.conversation, notice.server_msg_id, notice.count), (group(1), 1, 0));
    assert_eq!((notice.server_time_ms, &notice.from), (NOON, &sender(BOB)));
    for user in [BOB, ADA, CYD] {
        assert_eq!(room.log(user, group(1)).await, made.notices);
        let entry = room.entry(user, group(1)).await;
        assert_eq!((entry.first, entry.head, entry.unread, entry.read_mark), (1, 1, 0, 1));
    }
}

pub(super) async fn the_creator_is_the_owner(room: &mut Room) {
    let new = NewGroup { avatar: "a.png".into(), ..new_group(1, BOB, &[CYD, ADA]) };
    let made = ok(room.create_group(new).await);
    let expected = Group {
        group: GroupId(1),
        name: "name 1".into(),
        avatar: "a.png".into(),
        owner: BOB,
        member_count: 3,
        created_ms: NOON,
        members_version: made.group.members_version,
        ..Group::unreadable(GroupId(1))
    };
    assert_eq!((made.role, &made.group), (Some(Role::Owner), &expected));
    let expected = Group { announcement: Some("".into()), ..expected };
    assert_eq!(room.store().group(BOB, GroupId(1)).await, Ok((expected.clone(), Role::Owner)));
    assert_eq!(room.store().group(ADA, GroupId(1)).await, Ok((expected, Role::Member)));
}

pub(super) async fn a_new_group_stamps_the_sessions_of_all(room: &mut Room) {
    room.say(ADA, single(ADA, DAN)).await;
    let made = ok(room.create_group(new_group(1, BOB, &[CYD, ADA])).await);
    assert_eq!(sorted(made.stamped), [(BOB, 1), (ADA, 2), (CYD, 1)]);
    for (user, seq) in [(BOB, 1), (ADA, 2), (CYD, 1)] {
        assert_eq!((room.mailbox_seq(user).await, room.entry(user, group(1)).await.mailbox_seq), (seq, seq));
    }
}

pub(super) async fn the_creator_and_who_is_named_twice_count_once(room: &mut Room) {
    room.reopen_with(|options| options.group_members_max = 3).await;
    let made = ok(room.create_group(new_group(1, BOB, &[CYD, BOB, ADA, CYD, ADA])).await);
    assert_eq!(told(&made.notices[0]).2, [BOB, ADA, CYD]);
    assert_eq!((made.group.member_count, sorted(made.stamped)), (3, vec![(BOB, 1), (ADA, 1), (CYD, 1)]));
}

pub(super) async fn a_second_call_returns_the_first_group(room: &mut Room) {
    let first = ok(room.create_group(new_group(1, ADA, &[BOB])).await);
    let picture = room.picture().await;
    // Whatever else it says: another id, another name, other members, even some who do not exist.
    let again = NewGroup { client_group_id: "group-1".into(), ..new_group(2, ADA, &[CYD, NOBODY]) };
    let again = ok(room.create_group(again).await);
    assert_eq!((again.group, again.role), (first.group, Some(Role::Owner)));
    assert_eq!((again.notices, again.stamped), (vec![], vec![]));
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn a_second_call_after_reopening_and_leaving_returns_the_first_group(room: &mut Room) {
    room.found(1, ADA, &[BOB]).await;
    ok(room.leave(ADA, group(1)).await);
    room.reopen().await;
    let again = ok(room.create_group(new_group(1, ADA, &[BOB])).await);
    assert_eq!((again.group.group, again.group.owner, again.role), (GroupId(1), BOB, None));
    assert_eq!((again.notices, again.stamped), (vec![], vec![]));
}

pub(super) async fn a_client_group_id_is_one_group_per_creator(room: &mut Room) {
    room.found(1, ADA, &[BOB]).await;
    for (id, creator, client_group_id) in [(2, BOB, "group-1"), (3, ADA, "GROUP-1")] {
        let other = NewGroup { client_group_id: client_group_id.into(), ..new_group(id, creator, &[]) };
        assert_eq!(ok(room.create_group(other).await).group.group, GroupId(id));
    }
}

pub(super) async fn the_id_of_another_group_is_refused(room: &mut Room) {
    room.found(1, ADA, &[BOB]).await;
    let picture = room.picture().await;
    let other = NewGroup { client_group_id: "other".into(), ..new_group(1, CYD, &[DAN]) };
    assert_eq!(room.create_group(other).await, Err(Error::Refused(Refusal::Conflict("group_id"))));
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn unknown_users_are_refused_as_first_members(room: &mut Room) {
    for new in [new_group(1, ADA, &[BOB, NOBODY]), new_group(1, NOBODY, &[ADA])] {
        assert_eq!(room.create_group(new).await, Err(Error::Refused(Refusal::NotFound("user"))));
    }
    assert_eq!((room.all_sessions(ADA).await, room.mailbox_seq(BOB).await), (vec![], 0));
    room.found(1, ADA, &[BOB]).await;
}

pub(super) async fn a_group_has_no_more_members_than_it_may(room: &mut Room) {
    room.reopen_with(|options| options.group_members_max = 3).await;
    let made = room.create_group(new_group(1, ADA, &[BOB, CYD, DAN])).await;
    assert!(
        matches!(made, Err(Error::Refused(Refusal::Limit { what: crate::MEMBERS_OF_A_GROUP, max: 3 }))),
        "{made:?}"
    );
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let picture = room.picture().await;
    let invited = room.invite(BOB, crowd, &[ADA, DAN]).await;
    assert!(
        matches!(invited, Err(Error::Refused(Refusal::Limit { what: crate::MEMBERS_OF_A_GROUP, max: 3 }))),
        "{invited:?}"
    );
    assert_eq!(room.picture().await, picture);
    // Who is a member already takes no place, and who left gave theirs back.
    ok(room.invite(BOB, crowd, &[ADA, CYD]).await);
    ok(room.leave(CYD, crowd).await);
    ok(room.invite(BOB, crowd, &[ADA, DAN]).await);
}

pub(super) async fn a_user_has_no_more_groups_than_he_may(room: &mut Room) {
    room.reopen_with(|options| options.groups_per_user_max = 2).await;
    for id in [1, 2] {
        room.found(id, ADA, &[BOB]).await;
    }
    for new in [new_group(3, ADA, &[]), new_group(3, CYD, &[DAN, BOB])] {
        let made = room.create_group(new).await;
        assert!(
            matches!(made, Err(Error::Refused(Refusal::Limit { what: crate::GROUPS_OF_A_USER, max: 2 }))),
            "{made:?}"
        );
    }
    let own = room.found(3, CYD, &[]).await;
    let invited = room.invite(CYD, own, &[DAN, BOB]).await;
    assert!(
        matches!(invited, Err(Error::Refused(Refusal::Limit { what: crate::GROUPS_OF_A_USER, max: 2 }))),
        "{invited:?}"
    );
    assert_eq!(room.all_sessions(DAN).await, []);
    // Only those whose member they are.
    ok(room.leave(BOB, group(1)).await);
    ok(room.invite(CYD, own, &[DAN, BOB]).await);
}

pub(super) async fn only_present_members_see_a_group_and_its_members(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.leave(BOB, crowd).await);
    for (asker, id) in [(BOB, GroupId(1)), (CYD, GroupId(1)), (ADA, GroupId(2))] {
        assert_eq!(room.store().group(asker, id).await, Err(Error::Refused(Refusal::NotMember)));
        assert_eq!(room.members(asker, id, UserId(0), 9).await, Err(Error::Refused(Refusal::NotMember)));
    }
}

pub(super) async fn pages_of_members_lead_through_all(room: &mut Room) {
    let crowd = room.found(1, DAN, &[EVE, BOB]).await;
    ok(room.invite(BOB, crowd, &[CYD, ADA]).await);
    ok(room.leave(BOB, crowd).await);
    let (member, owner) = (Role::Member, Role::Owner);
    for limit in 1..=5 {
        let next = async |last: Option<&Member>| {
            let after = last.map_or(UserId(0), |member| member.user.user);
            ok(room.members(EVE, GroupId(1), after, limit).await)
        };
        let listed = follow(4, limit, next).await.into_iter().map(|one| (one.user.user, one.role, one.joined));
        assert_eq!(Vec::from_iter(listed), [(ADA, member, 2), (DAN, owner, 1), (CYD, member, 2), (EVE, member, 1)]);
    }
}

pub(super) async fn a_member_is_shown_as_the_user_he_is_now(room: &mut Room) {
    room.found(1, ADA, &[]).await;
    let change = crate::ProfileChange { nickname: Some("Ada".into()), ..Default::default() };
    let (ada, _) = ok(room.update_profile(ADA, change).await);
    assert_eq!(ok(room.members(ADA, GroupId(1), UserId(0), 9).await).rows[0].user, ada.user);
}

pub(super) async fn member_ids_are_the_present_members_and_where_each_joined_with_the_version(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.invite(ADA, crowd, &[CYD]).await);
    ok(room.leave(BOB, crowd).await);
    let MemberIds { version, members: ids, .. } = ok(room.member_ids(GroupId(1)).await);
    assert_eq!(ids.to_vec(), [(ADA, 1), (CYD, 2)]);
    assert_eq!(version, ok(room.store().group(ADA, GroupId(1)).await).0.members_version);
    assert!(ok(room.member_ids(GroupId(2)).await).members.is_empty());
    ok(room.invite(ADA, crowd, &[BOB]).await);
    let ids = ok(room.member_ids(GroupId(1)).await).members;
    assert_eq!(ids.to_vec(), [(BOB, 4), (ADA, 1), (CYD, 2)], "in order of their ids");
    for user in [ADA, BOB, CYD] {
        ok(room.leave(user, crowd).await);
    }
    let MemberIds { version: last, members: ids, .. } = ok(room.member_ids(GroupId(1)).await);
    assert!(last > version && ids.is_empty());
}

pub(super) async fn the_version_goes_up_with_every_change_of_the_members(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let version = async |room: &Room| ok(room.member_ids(GroupId(1)).await).version;
    let mut last = version(room).await;
    assert_eq!(room.say(BOB, crowd).await.members_version, last);
    for action in [
        room.invite(BOB, crowd, &[CYD, DAN]).await,
        room.remove(ADA, crowd, &[CYD]).await,
        room.leave(DAN, crowd).await,
        room.leave(ADA, crowd).await,
        room.invite(BOB, crowd, &[ADA]).await,
    ] {
        let now = ok(action).group.members_version;
        assert!(now > last);
        last = now;
    }
    assert_eq!((version(room).await, room.say(BOB, crowd).await.members_version), (last, last));
    // Nobody was left to change.
    assert_eq!(ok(room.invite(BOB, crowd, &[ADA]).await).group.members_version, last);
    assert_eq!((version(room).await, room.say(BOB, single(ADA, BOB)).await.members_version), (last, 0));
}

fn few_unanswered(options: &mut crate::Options) {
    options.groups_per_user_max = 6;
    options.unanswered_groups_per_user_max = 3;
    options.unanswered_groups_per_inviter_max = 2;
}

fn limited<T: std::fmt::Debug>(outcome: Result<T, Error>, by: &str) {
    assert!(
        matches!(&outcome, Err(Error::Refused(Refusal::Limit { what, .. })) if *what == by),
        "{outcome:?} and not {by}"
    );
}

pub(super) async fn others_take_a_part_of_a_users_groups_and_no_more(room: &mut Room) {
    room.reopen_with(few_unanswered).await;
    room.found(1, EVE, &[BOB]).await;
    let second = room.found(2, EVE, &[]).await;
    ok(room.invite(EVE, second, &[BOB]).await);
    let picture = room.picture().await;
    limited(room.create_group(new_group(3, EVE, &[BOB])).await, crate::UNANSWERED_GROUPS_OF_AN_INVITER);
    assert_eq!(room.picture().await, picture);
    let cyds = room.found(4, CYD, &[BOB, ADA]).await;
    let dans = room.found(5, DAN, &[]).await;
    limited(room.invite(DAN, dans, &[ADA, BOB]).await, crate::UNANSWERED_GROUPS_OF_A_USER);
    // Who is a member already is no more of one, and the others are not touched.
    ok(room.invite(ADA, cyds, &[BOB, DAN]).await);
    // What they create themselves is none of it.
    for id in 6..9 {
        room.found(id, BOB, &[]).await;
    }
    limited(room.create_group(new_group(9, BOB, &[])).await, crate::GROUPS_OF_A_USER);
}

pub(super) async fn whom_a_user_has_written_to_finds_a_place_whatever_strangers_do(room: &mut Room) {
    room.reopen_with(|options| {
        (options.unanswered_groups_per_user_max, options.unanswered_groups_per_inviter_max) = (2, 2);
    })
    .await;
    for (id, stranger) in [(1, CYD), (2, EVE)] {
        room.found(id, stranger, &[BOB]).await;
    }
    // Each of them may write to the user as much as they like; it is the user who answers.
    room.say(ADA, single(ADA, BOB)).await;
    room.say(DAN, single(DAN, BOB)).await;
    limited(room.create_group(new_group(3, ADA, &[BOB])).await, crate::UNANSWERED_GROUPS_OF_A_USER);
    room.say(BOB, single(ADA, BOB)).await;
    let adas = room.found(3, ADA, &[BOB]).await;
    limited(room.create_group(new_group(4, DAN, &[BOB])).await, crate::UNANSWERED_GROUPS_OF_A_USER);
    let others = room.found(5, ADA, &[]).await;
    ok(room.invite(ADA, others, &[BOB]).await);
    limited(room.create_group(new_group(6, ADA, &[BOB])).await, crate::UNANSWERED_GROUPS_OF_AN_INVITER);
    ok(room.leave(BOB, adas).await);
    ok(room.create_group(new_group(6, ADA, &[BOB])).await);
}

pub(super) async fn many_acquaintances_without_a_place_join_at_once(room: &mut Room) {
    let people: Vec<_> = (100..120).map(UserId).collect();
    for user in &people {
        room.user(*user).await;
    }
    room.reopen_with(|options| options.unanswered_groups_per_user_max = 1).await;
    room.found(1, EVE, &people).await;
    limited(room.create_group(new_group(2, ADA, &people)).await, crate::UNANSWERED_GROUPS_OF_A_USER);
    for user in &people {
        room.say(*user, single(*user, ADA)).await;
    }
    let crowd = room.found(2, ADA, &[]).await;
    ok(room.invite(ADA, crowd, &people).await);
}

pub(super) async fn who_answers_or_leaves_has_a_place_again_at_once(room: &mut Room) {
    room.reopen_with(|options| options.unanswered_groups_per_inviter_max = 1).await;
    let first = room.found(1, EVE, &[BOB]).await;
    let next = async |room: &Room, id| room.create_group(new_group(id, EVE, &[BOB])).await;
    let said = room.say(EVE, first).await.server_msg_id;
    room.deliver(BOB, first, said).await;
    limited(next(room, 2).await, crate::UNANSWERED_GROUPS_OF_AN_INVITER);
    room.read(BOB, first, said).await;
    ok(next(room, 2).await);
    limited(next(room, 3).await, crate::UNANSWERED_GROUPS_OF_AN_INVITER);
    room.say(BOB, group(2)).await;
    ok(next(room, 3).await);
    ok(room.invite(BOB, group(3), &[CYD]).await);
    room.reopen_with(|options| options.unanswered_groups_per_inviter_max = 1).await;
    ok(next(room, 4).await);
    limited(next(room, 5).await, crate::UNANSWERED_GROUPS_OF_AN_INVITER);
    ok(room.leave(BOB, group(4)).await);
    ok(next(room, 5).await);
    ok(room.remove(EVE, group(5), &[BOB]).await);
    ok(next(room, 6).await);
}

pub(super) async fn who_joins_again_has_not_answered(room: &mut Room) {
    room.reopen_with(|options| options.unanswered_groups_per_inviter_max = 1).await;
    let crowd = room.found(1, EVE, &[BOB]).await;
    room.say(BOB, crowd).await;
    ok(room.leave(BOB, crowd).await);
    ok(room.invite(EVE, crowd, &[BOB]).await);
    limited(room.create_group(new_group(2, EVE, &[BOB])).await, crate::UNANSWERED_GROUPS_OF_AN_INVITER);
    room.say(BOB, crowd).await;
    ok(room.create_group(new_group(2, EVE, &[BOB])).await);
}
