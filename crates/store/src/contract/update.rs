//! Cases of [`Store::update_group`](crate::Store::update_group).

use anser_proto::{GroupId, v1, v1::notice::Kind};
use prost::Message as _;

use super::room::*;
use crate::{Error, GroupChange, GroupUpdate, History, JoinMode, Message, Rank, Refusal};

const FORBIDDEN: Error = Error::Refused(Refusal::Forbidden);

fn named(name: &str) -> GroupChange {
    GroupChange { name: Some(name.into()), ..GroupChange::default() }
}

fn announced(text: &str) -> GroupChange {
    GroupChange { announcement: Some(text.into()), ..GroupChange::default() }
}

fn change_told(notice: &Message) -> v1::GroupChange {
    assert_eq!(told(notice).0, Kind::GroupChanged);
    let notice = v1::Notice::decode(notice.attachment.clone()).expect("a notice");
    notice.change.expect("a change")
}

pub(super) async fn the_owner_and_admins_change_a_group(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    let picture = room.picture().await;
    assert_eq!(room.update(CYD, crowd, named("mine")).await, Err(FORBIDDEN));
    for (user, of) in [(DAN, crowd), (ADA, group(2))] {
        assert_eq!(room.update(user, of, named("mine")).await, Err(Error::Refused(Refusal::NotMember)));
    }
    assert_eq!(room.picture().await, picture);
    for user in [ADA, BOB] {
        let changed = ok(room.update(user, crowd, named(&format!("of {user}"))).await);
        assert_eq!((&*changed.group.name, changed.stamped), (&*format!("of {user}"), vec![]));
    }
    let entry = room.entry(CYD, crowd).await;
    let crate::Party::Group(shown, _) = entry.party else { panic!("no group") };
    assert_eq!((&*shown.name, entry.unread, room.mailbox_seq(CYD).await), (&*format!("of {BOB}"), 0, 1));
}

pub(super) async fn one_notice_tells_what_is_other_than_before(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let change = GroupChange {
        name: Some("geese".into()),
        avatar: Some("".into()),
        announcement: Some("honk".into()),
        mute_all: Some(true),
        join_mode: Some(JoinMode::Closed),
        members_mention_all: Some(true),
        history: Some(History::Last(3)),
    };
    let changed = ok(room.update(ADA, crowd, change).await);
    assert_eq!((changed.notices.len(), told(&changed.notices[0]).1), (1, ADA));
    let expected = v1::GroupChange {
        name: Some("geese".into()),
        avatar: None,
        announcement: true,
        mute_all: Some(true),
        join: Some(v1::group::Join::Closed.into()),
        members_mention_all: Some(true),
        history: Some(v1::History { kind: v1::history::Kind::Last.into(), last: 3 }),
    };
    assert_eq!(change_told(&changed.notices[0]), expected, "it had no avatar before");
    assert_eq!(room.log(BOB, crowd).await.pop(), changed.notices.last().cloned());
    let now = ok(room.store().group(BOB, GroupId(1)).await).0;
    assert_eq!(
        (now.announced, now.mute_all, now.join_mode, now.members_mention_all),
        (2, true, JoinMode::Closed, true)
    );
    assert_eq!(now, changed.group);
}

pub(super) async fn an_announcement_is_told_to_who_asks_for_the_group(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let changed = ok(room.update(ADA, crowd, announced("no honking")).await);
    assert_eq!(changed.group.announcement.as_deref(), Some("no honking"));
    assert!(change_told(&changed.notices[0]).announcement && changed.notices[0].content.is_empty());
    room.reopen().await;
    let group = ok(room.store().group(BOB, GroupId(1)).await).0;
    assert_eq!((group.announcement.as_deref(), group.announced), (Some("no honking"), 2));
    let crate::Party::Group(listed, _) = room.entry(BOB, crowd).await.party else { panic!("no group") };
    assert_eq!((listed.announcement, listed.announced), (None, 2), "a list of hundreds of groups has no room for it");
    let changed = ok(room.update(ADA, crowd, announced("")).await);
    assert_eq!((changed.group.announcement.as_deref(), changed.group.announced), (Some(""), 3));
}

pub(super) async fn a_change_that_changes_nothing_is_told_nobody(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.update(ADA, crowd, GroupChange { mute_all: Some(true), ..announced("honk") }).await);
    let picture = room.picture().await;
    for change in [
        GroupChange::default(),
        named("name 1"),
        GroupChange { mute_all: Some(true), join_mode: Some(JoinMode::Free), ..announced("honk") },
    ] {
        let changed = ok(room.update(ADA, crowd, change).await);
        assert_eq!((changed.notices, changed.group.announcement.as_deref()), (vec![], Some("honk")));
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn into_a_closed_group_members_invite_nobody(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    let join = |mode| GroupChange { join_mode: Some(mode), ..GroupChange::default() };
    ok(room.update(ADA, crowd, join(JoinMode::Closed)).await);
    let picture = room.picture().await;
    assert_eq!(room.invite(CYD, crowd, &[DAN]).await, Err(FORBIDDEN));
    assert_eq!(room.picture().await, picture);
    ok(room.invite(BOB, crowd, &[DAN]).await);
    ok(room.update(ADA, crowd, join(JoinMode::Free)).await);
    ok(room.invite(CYD, crowd, &[EVE]).await);
}

pub(super) async fn of_changes_at_once_the_last_notice_is_how_it_is(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let tasks = (0..8).map(|n| {
        let store = room.store();
        tokio::spawn(async move {
            let (operator, change) = (sender(ADA), named(&format!("name of {n}")));
            ok(store.update_group(GroupUpdate { group: GroupId(1), operator, change, login_version: 0 }).await);
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no task panics");
    }
    let log = room.log(BOB, crowd).await;
    assert_eq!(log.len(), 9, "each was another name");
    let last = change_told(log.last().expect("a notice")).name.expect("a name");
    assert_eq!(*ok(room.store().group(BOB, GroupId(1)).await).0.name, *last);
}
