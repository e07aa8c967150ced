//! Cases of links by which users come into a group, and of what races with that.

use std::collections::{BTreeMap, BTreeSet};

use anser_proto::{
    ConversationId, GroupId, UserId,
    limits::LINKS_MAX,
    v1::{self, notice::Kind},
};
use futures_util::future::join_all;
use prost::Message as _;

use super::room::*;
use crate::{
    Error, JoinMode, LINKS_OF_A_GROUP, Link, LinkPreview, LinkRevocation, LinkUse, MembersAction, MembersChange,
    MembersChanged, NewLink, Rank, Refusal, Role, TokenHash,
};

const NO_LINK: Error = Error::Refused(Refusal::NotFound("link"));
const NOT_MEMBER: Error = Error::Refused(Refusal::NotMember);
const FORBIDDEN: Error = Error::Refused(Refusal::Forbidden);

/// Of the token of the link with this id.
pub(super) fn hash(link_id: u64) -> TokenHash {
    [link_id as u8; 16]
}

fn coming(user: UserId, token_hash: TokenHash, text: &str) -> LinkUse {
    LinkUse { token_hash, user: sender(user), text: text.into(), login_version: 0 }
}

impl Room {
    pub(super) async fn link(
        &self,
        creator: UserId,
        to: ConversationId,
        link_id: u64,
        change: impl FnOnce(&mut NewLink),
    ) -> Result<Link, Error> {
        let (group, token_hash) = (id_of(to), hash(link_id));
        let mut new = NewLink {
            group,
            creator,
            link_id,
            token_hash,
            expires_ms: 0,
            max_uses: 0,
            approval: false,
            device_id: "device".into(),
            login_version: 0,
        };
        change(&mut new);
        self.create_link(new).await
    }

    pub(super) async fn come(&self, user: UserId, token: TokenHash, text: &str) -> Result<MembersChanged, Error> {
        self.join_by_link(coming(user, token, text)).await
    }

    async fn revoke(&self, user: UserId, of: ConversationId, link_id: u64) -> Result<(), Error> {
        self.revoke_link(LinkRevocation {
            group: id_of(of),
            user,
            link_id,
            device_id: "device".into(),
            login_version: 0,
        })
        .await
    }
}

pub(super) async fn who_comes_by_a_link_joins_by_themselves(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let link = ok(room.link(ADA, crowd, 1, |new| new.max_uses = 9).await);
    let Link { link_id, created_by, created_ms, max_uses, uses, approval, .. } = link;
    assert_eq!((link_id, created_by, created_ms, max_uses, uses, approval), (1, ADA, NOON, 9, 0, false));
    let preview = LinkPreview { name: "name 1".into(), avatar: "".into(), member_count: 2, approval: false };
    assert_eq!(room.preview_link(CYD, hash(1)).await, Ok(preview));
    room.reopen().await;
    let changed = ok(room.come(CYD, hash(1), "hello").await);
    assert_eq!(told(&changed.notices[0]), (Kind::Joined, CYD, vec![CYD]));
    assert_eq!((changed.role, changed.group.member_count, &changed.stamped), (Some(Role::Member), 3, &vec![(CYD, 1)]));
    assert_eq!(changed.changes, vec![]);
    assert_eq!((room.visible(CYD, crowd).await, room.entry(CYD, crowd).await.unread), (vec![2], 0));
    assert_eq!(ok(room.links(ADA, GroupId(1)).await)[0].uses, 1);
    // A group by which nobody was asked is no unanswered one of theirs.
    room.reopen_with(|options| options.unanswered_groups_per_user_max = 1).await;
    room.found(2, BOB, &[CYD]).await;
}

pub(super) async fn a_members_use_counts_nothing(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.link(ADA, crowd, 1, |new| new.max_uses = 1).await);
    ok(room.come(CYD, hash(1), "").await);
    let picture = room.picture().await;
    for user in [ADA, BOB, CYD] {
        let changed = ok(room.come(user, hash(1), "").await);
        assert_eq!((changed.notices, changed.stamped), (vec![], vec![]), "also where it is used up");
        assert!(changed.role.is_some());
    }
    assert_eq!((room.picture().await, room.come(DAN, hash(1), "").await), (picture, Err(NO_LINK)));
}

pub(super) async fn what_lets_nobody_in_looks_alike(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let gone = room.found(2, ADA, &[]).await;
    ok(room.link(ADA, crowd, 1, |new| new.expires_ms = NOON + 1).await);
    ok(room.link(ADA, crowd, 2, |new| new.max_uses = 1).await);
    ok(room.link(ADA, crowd, 3, |_| ()).await);
    ok(room.link(ADA, gone, 4, |_| ()).await);
    ok(room.link(ADA, crowd, 5, |_| ()).await);
    ok(room.link(BOB, crowd, 6, |_| ()).await);
    ok(room.link(CYD, crowd, 7, |_| ()).await);
    room.set_time(NOON + 1);
    ok(room.come(DAN, hash(2), "").await);
    ok(room.revoke(ADA, crowd, 3).await);
    ok(room.dissolve(ADA, gone).await);
    ok(room.leave(BOB, crowd).await);
    for link in [1, 2, 3, 4, 6, 99] {
        assert_eq!(room.come(EVE, hash(link), "").await, Err(NO_LINK), "link {link}");
        assert_eq!(room.preview_link(EVE, hash(link)).await, Err(NO_LINK), "link {link}");
    }
    room.let_in_by(crowd, JoinMode::Closed).await;
    assert_eq!(room.come(EVE, hash(7), "").await, Err(NO_LINK), "its creator may create none any more");
    ok(room.ban(ADA, crowd, &[EVE]).await);
    assert_eq!(room.come(EVE, hash(5), "").await, Err(NO_LINK));
    assert_eq!(room.preview_link(EVE, hash(5)).await, Err(NO_LINK));
    ok(room.unban(ADA, crowd, &[EVE]).await);
    assert!(ok(room.come(EVE, hash(5), "").await).role.is_some());
}

pub(super) async fn whoever_may_let_others_in_has_links(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    ok(room.mute(ADA, crowd, &[DAN], NOON + 9).await);
    assert_eq!(room.link(EVE, crowd, 1, |_| ()).await, Err(NOT_MEMBER));
    assert_eq!(room.link(DAN, crowd, 1, |_| ()).await, Err(FORBIDDEN));
    for (link, user) in [(1, ADA), (2, BOB), (3, CYD)] {
        ok(room.link(user, crowd, link, |_| ()).await);
    }
    let ids = |links: Result<Vec<Link>, Error>| links.map(|all| all.iter().map(|one| one.link_id).collect::<Vec<_>>());
    assert_eq!(ids(room.links(BOB, GroupId(1)).await), Ok(vec![1, 2, 3]));
    assert_eq!(ids(room.links(CYD, GroupId(1)).await), Ok(vec![3]), "their own");
    assert_eq!(ids(room.links(DAN, GroupId(1)).await), Err(FORBIDDEN));
    assert_eq!(ids(room.links(EVE, GroupId(1)).await), Err(NOT_MEMBER));
    assert_eq!(room.revoke(CYD, crowd, 1).await, Err(FORBIDDEN));
    assert_eq!(room.revoke(DAN, crowd, 3).await, Err(FORBIDDEN));
    ok(room.revoke(BOB, crowd, 3).await);
    ok(room.revoke(BOB, crowd, 3).await);
    room.let_in_by(crowd, JoinMode::Closed).await;
    assert_eq!(room.link(CYD, crowd, 4, |_| ()).await, Err(FORBIDDEN));
    assert_eq!(ids(room.links(CYD, GroupId(1)).await), Err(FORBIDDEN));
    ok(room.link(BOB, crowd, 4, |_| ()).await);
}

pub(super) async fn a_group_has_as_many_living_links_as_it_may(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    for link in 1..=LINKS_MAX as u64 {
        ok(room.link(ADA, crowd, link, |new| new.expires_ms = if link == 1 { NOON + 1 } else { 0 }).await);
    }
    let refused = Err(Error::Refused(Refusal::Limit { what: LINKS_OF_A_GROUP, max: LINKS_MAX as u32 }));
    assert_eq!(room.link(ADA, crowd, 11, |_| ()).await, refused);
    room.set_time(NOON + 1);
    ok(room.link(ADA, crowd, 11, |_| ()).await);
    let ids: Vec<_> = ok(room.links(ADA, GroupId(1)).await).iter().map(|link| link.link_id).collect();
    assert_eq!(ids, (2..=11).collect::<Vec<_>>(), "what is past its time is forgotten");
}

pub(super) async fn a_link_bears_the_limits_of_group_and_user(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.link(ADA, crowd, 1, |_| ()).await);
    room.reopen_with(|options| options.group_members_max = 2).await;
    assert!(matches!(room.come(CYD, hash(1), "").await, Err(Error::Refused(Refusal::Limit { max: 2, .. }))));
    room.reopen_with(|options| options.groups_per_user_max = 1).await;
    room.found(2, CYD, &[]).await;
    assert!(matches!(room.come(CYD, hash(1), "").await, Err(Error::Refused(Refusal::Limit { max: 1, .. }))));
    assert_eq!(ok(room.links(ADA, GroupId(1)).await)[0].uses, 0);
}

pub(super) async fn of_fifty_at_once_as_many_join_as_the_link_says(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    ok(room.link(ADA, crowd, 1, |new| new.max_uses = 5).await);
    let many: Vec<_> = (0..50).map(|n| UserId(1_000 + n)).collect();
    join_all(many.iter().map(|user| room.user(*user))).await;
    let coming = many.iter().map(|user| {
        let (store, by) = (room.store(), coming(*user, hash(1), ""));
        tokio::spawn(async move { store.join_by_link(by).await })
    });
    let came = join_all(coming).await.into_iter().map(|came| came.expect("no panic"));
    let (joined, refused): (Vec<_>, Vec<_>) = came.partition(Result::is_ok);
    assert_eq!((joined.len(), refused.len()), (5, 45));
    assert!(refused.iter().all(|one| *one == Err(NO_LINK)));
    assert_eq!(ok(room.store().group(ADA, GroupId(1)).await).0.member_count, 6);
    assert_eq!(room.visible(ADA, crowd).await, (1..=6).collect::<Vec<_>>());
    assert_eq!(ok(room.links(ADA, GroupId(1)).await)[0].uses, 5);
}

/// Judged by the log alone: what it tells in its order must be possible.
pub(super) async fn who_races_with_a_ban_or_the_end_is_judged_by_the_log(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    ok(room.link(ADA, crowd, 1, |_| ()).await);
    let many: Vec<_> = (0..12).map(|n| UserId(1_000 + n)).collect();
    join_all(many.iter().map(|user| room.user(*user))).await;
    let mut acts = Vec::new();
    for round in 0..4 {
        if round == 3 {
            let store = room.store();
            acts.push(tokio::spawn(async move {
                let (operator, action) = (sender(ADA), MembersAction::Dissolve);
                let end = MembersChange { group: GroupId(1), operator, action, login_version: 0 };
                drop(store.change_members(end).await);
            }));
        }
        for (n, user) in many.iter().enumerate() {
            let (store, user, by) = (room.store(), *user, if (n + round) % 2 == 0 { ADA } else { BOB });
            acts.push(tokio::spawn(async move {
                let change = |by: UserId, action| {
                    let change = MembersChange { group: GroupId(1), operator: sender(by), action, login_version: 0 };
                    store.change_members(change)
                };
                match (n + round) % 4 {
                    0 => drop(change(by, MembersAction::Invite(vec![user])).await),
                    1 => drop(store.join_by_link(coming(user, hash(1), "")).await),
                    2 => drop(change(by, MembersAction::Ban(vec![user])).await),
                    _ => drop(change(user, MembersAction::Leave).await),
                }
                drop(store.append(vec![text(user, group(1), &format!("said-{round}"))]).await);
            }));
        }
    }
    for done in join_all(acts).await {
        done.expect("no panic");
    }
    let (mut present, mut went) = (BTreeSet::new(), BTreeMap::new());
    let log = room.log(ADA, crowd).await;
    for message in &log {
        if message.kind != NOTICE {
            assert!(present.contains(&message.from.user), "{message:?} is of a member");
            continue;
        }
        let notice = v1::Notice::decode(message.attachment.clone()).expect("a notice");
        for user in notice.user_ids.iter().copied().map(UserId) {
            match notice.kind() {
                Kind::Created | Kind::Joined => assert!(present.insert(user), "{user} joins once: {notice:?}"),
                Kind::Removed | Kind::Left => {
                    assert!(present.remove(&user), "{user} was there: {notice:?}");
                    went.insert(user, (notice.kind(), message.server_msg_id));
                }
                _ => {}
            }
        }
    }
    assert_eq!(
        log.iter().map(|message| message.server_msg_id).collect::<Vec<_>>(),
        (1..=log.len() as u64).collect::<Vec<_>>()
    );
    let last = log.last().expect("it was created");
    assert_eq!((last.kind, told(last).0), (NOTICE, Kind::Dissolved), "nothing is behind the end");
    for user in many {
        let is_banned = room.read_log(user, crowd, WHOLE).await == Err(NOT_MEMBER) && went.contains_key(&user);
        assert!(!is_banned || !present.contains(&user), "{user} is banned and there");
    }
}
