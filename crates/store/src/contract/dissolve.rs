//! Cases of a group that is dissolved: what stays of it, and for whom.

use anser_proto::{GroupId, UserId, v1::notice::Kind};

use super::room::*;
use crate::{Error, GroupChange, MembersAction, MembersChange, Party, Rank, Refusal, UNANSWERED_GROUPS_OF_AN_INVITER};

const NOT_MEMBER: Error = Error::Refused(Refusal::NotMember);

pub(super) async fn a_dissolved_group_ends_with_its_last_notice(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    for user in [BOB, CYD] {
        assert_eq!(room.dissolve(user, crowd).await, Err(Error::Refused(Refusal::Forbidden)));
    }
    assert_eq!(room.dissolve(DAN, crowd).await, Err(NOT_MEMBER));
    room.say(CYD, crowd).await;
    let before = room.mailbox_seq(CYD).await;
    let changed = ok(room.dissolve(ADA, crowd).await);
    assert_eq!(told(&changed.notices[0]), (Kind::Dissolved, ADA, vec![]));
    assert_eq!((changed.group.dissolved_at, changed.role, changed.stamped), (4, None, vec![]));
    assert_eq!(
        (room.log(CYD, crowd).await.pop(), room.mailbox_seq(CYD).await),
        (changed.notices.last().cloned(), before)
    );
    let ids = ok(room.member_ids(GroupId(1)).await);
    assert_eq!((ids.members.len(), ids.silence.dissolved), (3, true), "those who are told of its end");
}

pub(super) async fn a_dissolved_group_is_read_and_marked_by_who_saw_it(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.leave(CYD, crowd).await); // 2
    room.say(ADA, crowd).await; // 3
    ok(room.dissolve(ADA, crowd).await); // 4
    let entry = room.entry(BOB, crowd).await;
    let Party::Group(shown, role) = entry.party else { panic!("no group") };
    assert_eq!((shown.dissolved_at, role, entry.head, entry.unread, entry.read_mark), (4, None, 4, 1, 1));
    assert_eq!(entry.last.expect("the notice").server_msg_id, 4);
    assert_eq!((room.visible(BOB, crowd).await, room.visible(CYD, crowd).await), (vec![1, 2, 3, 4], vec![1, 2]));
    assert_eq!(room.entry(CYD, crowd).await.head, 2);
    let marked = room.read(BOB, crowd, 9).await;
    assert_eq!((marked.read_mark, marked.unread, room.entry(BOB, crowd).await.unread), (4, 0, 0));
    // It is no group of theirs any more, also where nobody told them.
    let digest = ok(room.positions(BOB).await).groups_digest;
    assert_eq!(digest, anser_proto::digest::groups_digest([]));
    let moved = ok(room.moved_groups(BOB, vec![(GroupId(1), 4)]).await);
    assert_eq!(moved.iter().map(|one| one.conversation).collect::<Vec<_>>(), [crowd]);
}

pub(super) async fn nobody_acts_in_a_dissolved_group(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let said = ok(room.send(text(BOB, crowd, "a")).await);
    ok(room.dissolve(ADA, crowd).await);
    let picture = room.picture().await;
    for user in [ADA, BOB] {
        assert_eq!(room.send(text(user, crowd, "b")).await, Err(NOT_MEMBER));
        assert_eq!(room.invite(user, crowd, &[DAN]).await, Err(NOT_MEMBER));
        assert_eq!(room.remove(user, crowd, &[CYD]).await, Err(NOT_MEMBER));
        assert_eq!(room.set_role(user, crowd, &[CYD], Rank::Admin).await, Err(NOT_MEMBER));
        assert_eq!(room.transfer(user, crowd, BOB).await, Err(NOT_MEMBER));
        assert_eq!(room.mute(user, crowd, &[CYD], u64::MAX >> 1).await, Err(NOT_MEMBER));
        let change = GroupChange { name: Some("again".into()), ..GroupChange::default() };
        assert_eq!(room.update(user, crowd, change).await, Err(NOT_MEMBER));
        assert_eq!(room.store().group(user, GroupId(1)).await, Err(NOT_MEMBER));
        assert_eq!(room.members(user, GroupId(1), UserId(0), 9).await, Err(NOT_MEMBER));
        assert_eq!(ok(room.leave(user, crowd).await).notices, []);
    }
    let again = ok(room.send(text(BOB, crowd, "a")).await);
    assert_eq!((again.server_msg_id, again.duplicate), (said.server_msg_id, true));
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn whoever_dissolved_a_group_does_so_again_without_a_change(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.dissolve(ADA, crowd).await);
    room.reopen().await;
    let picture = room.picture().await;
    let again = ok(room.dissolve(ADA, crowd).await);
    assert_eq!((again.notices, again.group.dissolved_at, again.role), (vec![], 2, None));
    assert_eq!(room.dissolve(BOB, crowd).await, Err(NOT_MEMBER));
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn a_dissolved_group_takes_no_place_of_a_user(room: &mut Room) {
    room.reopen_with(|options| {
        (options.groups_per_user_max, options.unanswered_groups_per_inviter_max) = (2, 1);
    })
    .await;
    let first = room.found(1, EVE, &[BOB]).await;
    let refused = room.create_group(new_group(2, EVE, &[BOB])).await;
    let limit = Refusal::Limit { what: UNANSWERED_GROUPS_OF_AN_INVITER, max: 1 };
    assert_eq!(refused, Err(limit.into()));
    ok(room.dissolve(EVE, first).await);
    room.found(2, EVE, &[BOB]).await;
    room.found(3, EVE, &[]).await;
    let full = room.create_group(new_group(4, EVE, &[])).await;
    assert_eq!(full, Err(Refusal::Limit { what: crate::GROUPS_OF_A_USER, max: 2 }.into()));
    ok(room.dissolve(EVE, group(3)).await);
    room.found(4, EVE, &[]).await;
}

pub(super) async fn nobody_writes_behind_the_end_of_a_group(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    let writers = [BOB, CYD, DAN].map(|user| {
        let store = room.store();
        tokio::spawn(async move {
            let mut stored = Vec::new();
            for n in 0..20 {
                match send(&*store, text(user, crowd, &format!("m-{n}"))).await {
                    Ok(place) => stored.push(place.server_msg_id),
                    Err(refused) => assert_eq!(refused, NOT_MEMBER),
                }
            }
            stored
        })
    });
    let action = MembersAction::Dissolve;
    let change = MembersChange { group: GroupId(1), operator: sender(ADA), action, login_version: 0 };
    let end = ok(room.change_members(change).await).group.dissolved_at;
    for writer in writers {
        let stored = writer.await.expect("no task panics");
        assert!(stored.iter().all(|id| *id < end), "{stored:?} and the end at {end}");
    }
    assert_eq!(room.log(BOB, crowd).await.last().map(|last| last.server_msg_id), Some(end));
}
