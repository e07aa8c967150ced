//! Cases of who waits to be let into a group.

use anser_proto::{ConversationId, GroupId, UserId, limits::JOIN_REQUESTS_MAX, v1::notice::Kind};
use futures_util::future::join_all;

use super::{links::hash, room::*};
use crate::{
    Change, Error, GroupChange, JOIN_REQUESTS_OF_A_GROUP, JoinMode, JoinRequest, MembersChanged, Now, PeopleAction,
    PeopleChange, Rank, Refusal, Role,
};

const FORBIDDEN: Error = Error::Refused(Refusal::Forbidden);

impl Room {
    pub(super) async fn let_in_by(&self, of: ConversationId, join_mode: JoinMode) {
        let change = GroupChange { join_mode: Some(join_mode), ..GroupChange::default() };
        ok(self.update(ADA, of, change).await);
    }

    /// Ada's, with Bob as an admin and Cyd as a member, who proposes.
    async fn found_with_approval(&self) -> ConversationId {
        let crowd = self.found(1, ADA, &[BOB, CYD]).await;
        ok(self.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
        self.let_in_by(crowd, JoinMode::Approval).await;
        crowd
    }

    /// Who waits, and by whom they were proposed.
    pub(super) async fn waiting(&self, asker: UserId, of: ConversationId) -> Vec<(UserId, Option<UserId>)> {
        let page = ok(self.join_requests(asker, id_of(of), UserId(0), 99).await);
        page.rows.iter().map(|request| (request.user.user, request.proposed_by)).collect()
    }
}

/// Who is told how many wait.
pub(super) fn told_waiting(changed: &MembersChanged) -> Vec<(UserId, u32)> {
    let told = |(user, change): &(UserId, Change)| match change.now {
        Now::JoinRequests(_, open) => (*user, open),
        ref other => panic!("{other:?}"),
    };
    changed.changes.iter().map(told).collect()
}

pub(super) async fn whom_a_member_names_waits_for_approval(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    let before = room.mailbox_seq(ADA).await;
    let changed = ok(room.invite(CYD, crowd, &[DAN, EVE, BOB]).await);
    assert_eq!((&changed.notices, &changed.stamped, changed.group.member_count), (&vec![], &vec![], 3));
    assert_eq!(told_waiting(&changed), [(BOB, 2), (ADA, 2)]);
    assert_eq!(room.mailbox_seq(ADA).await, before + 1);
    assert_eq!(room.waiting(ADA, crowd).await, [(DAN, Some(CYD)), (EVE, Some(CYD))]);
    let again = ok(room.invite(CYD, crowd, &[DAN]).await);
    assert_eq!(told_waiting(&again), [], "one open request of a user");
    assert_eq!(room.join_requests(CYD, GroupId(1), UserId(0), 9).await, Err(FORBIDDEN));
    room.reopen().await;
    let changed = ok(room.approve(BOB, crowd, &[DAN, EVE]).await);
    assert_eq!(told(&changed.notices[0]), (Kind::Joined, BOB, vec![DAN, EVE]));
    assert_eq!(told_waiting(&changed), [(BOB, 0), (ADA, 0)]);
    assert_eq!((changed.group.member_count, room.role(DAN, crowd).await), (5, Some(Role::Member)));
    assert_eq!(room.waiting(ADA, crowd).await, []);
}

pub(super) async fn admins_put_users_in_where_members_propose(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    ok(room.invite(CYD, crowd, &[DAN]).await);
    let changed = ok(room.invite(BOB, crowd, &[DAN, EVE]).await);
    assert_eq!(told(&changed.notices[0]), (Kind::Joined, BOB, vec![DAN, EVE]));
    assert_eq!(told_waiting(&changed), [(BOB, 0), (ADA, 0)], "who came another way waits no more");
}

pub(super) async fn the_second_answer_finds_what_the_first_one_did(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    ok(room.invite(CYD, crowd, &[DAN, EVE]).await);
    assert_eq!(room.approve(CYD, crowd, &[DAN]).await, Err(FORBIDDEN));
    assert_eq!(room.reject(CYD, crowd, &[DAN]).await, Err(FORBIDDEN));
    ok(room.approve(ADA, crowd, &[DAN]).await);
    let rejected = ok(room.reject(ADA, crowd, &[EVE]).await);
    assert_eq!((&rejected.notices, told_waiting(&rejected)), (&vec![], vec![(BOB, 0), (ADA, 0)]));
    let picture = room.picture().await;
    for later in [
        room.approve(BOB, crowd, &[DAN]).await,
        room.reject(BOB, crowd, &[DAN]).await,
        room.approve(BOB, crowd, &[EVE]).await,
    ] {
        let later = ok(later);
        assert_eq!((later.notices, later.stamped, later.changes), (vec![], vec![], vec![]));
    }
    assert_eq!(room.picture().await, picture);
    assert_eq!((room.role(DAN, crowd).await, room.role(EVE, crowd).await), (Some(Role::Member), None));
}

pub(super) async fn many_answers_at_once_let_each_in_once(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    ok(room.invite(CYD, crowd, &[DAN, EVE]).await);
    let answers = (0..8).map(|n| {
        let by = if n % 2 == 0 { ADA } else { BOB };
        let (store, users) = (room.store(), [DAN, EVE]);
        async move {
            let action = crate::MembersAction::Approve(users.to_vec());
            let change = crate::MembersChange { group: GroupId(1), operator: sender(by), action, login_version: 0 };
            ok(store.change_members(change).await).notices.len()
        }
    });
    assert_eq!(join_all(answers).await.iter().sum::<usize>(), 1, "one of them let them in");
    let log = room.log(ADA, crowd).await;
    assert_eq!(told(&log[log.len() - 1]).2, [DAN, EVE]);
    assert_eq!(ok(room.store().group(ADA, GroupId(1)).await).0.member_count, 5);
}

pub(super) async fn who_becomes_an_admin_while_some_wait_is_told(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    ok(room.invite(CYD, crowd, &[DAN]).await);
    assert_eq!(told_waiting(&ok(room.set_role(ADA, crowd, &[CYD], Rank::Admin).await)), [(CYD, 1)]);
    assert_eq!(told_waiting(&ok(room.set_role(ADA, crowd, &[CYD], Rank::Member).await)), []);
    let changes = ok(room.changes(CYD, 0, 99).await).things;
    assert_eq!(changes.iter().map(|change| &change.now).collect::<Vec<_>>(), [&Now::JoinRequests(GroupId(1), 0)]);
    let changes = ok(room.changes(BOB, 0, 99).await).things;
    assert_eq!(changes.iter().map(|change| &change.now).collect::<Vec<_>>(), [&Now::JoinRequests(GroupId(1), 1)]);
    assert_eq!(told_waiting(&ok(room.leave(ADA, crowd).await)), [(BOB, 1)], "the heir is told once more");
    ok(room.dissolve(BOB, crowd).await);
    let changes = ok(room.changes(BOB, 0, 99).await).things;
    assert_eq!(changes.last().map(|change| &change.now), Some(&Now::JoinRequests(GroupId(1), 0)));
}

pub(super) async fn who_is_banned_waits_no_more(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    ok(room.invite(CYD, crowd, &[DAN, EVE]).await);
    assert_eq!(told_waiting(&ok(room.ban(BOB, crowd, &[DAN]).await)), [(BOB, 1), (ADA, 1)]);
    assert_eq!(room.waiting(BOB, crowd).await, [(EVE, Some(CYD))]);
    assert_eq!(ok(room.approve(ADA, crowd, &[DAN]).await).notices, []);
    assert_eq!(told_waiting(&ok(room.invite(CYD, crowd, &[DAN]).await)), [], "left out without a word");
}

pub(super) async fn whom_the_proposer_may_not_put_there_any_more_does_not_join(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    ok(room.invite(CYD, crowd, &[DAN, EVE]).await);
    let block = PeopleChange {
        user: DAN,
        peer: CYD,
        action: PeopleAction::Block,
        device_id: "device".into(),
        login_version: 0,
    };
    ok(room.change_people(block).await);
    let changed = ok(room.approve(ADA, crowd, &[DAN, EVE]).await);
    assert_eq!((told(&changed.notices[0]).2, told_waiting(&changed)), (vec![EVE], vec![(BOB, 0), (ADA, 0)]));
}

pub(super) async fn approval_bears_the_limit_of_members(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    ok(room.invite(CYD, crowd, &[DAN, EVE]).await);
    room.reopen_with(|options| options.group_members_max = 4).await;
    let picture = room.picture().await;
    assert!(matches!(
        room.approve(ADA, crowd, &[DAN, EVE]).await,
        Err(Error::Refused(Refusal::Limit { what: crate::MEMBERS_OF_A_GROUP, max: 4 }))
    ));
    assert_eq!((room.picture().await, room.waiting(ADA, crowd).await.len()), (picture, 2));
    ok(room.approve(ADA, crowd, &[EVE]).await);
    let link = ok(room.link(ADA, crowd, 1, |_| ()).await);
    assert_eq!((link.uses, room.waiting(ADA, crowd).await.len()), (0, 1));
}

pub(super) async fn who_asks_by_a_link_is_told_with_their_words(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    ok(room.link(ADA, crowd, 1, |_| ()).await);
    let changed = ok(room.come(EVE, hash(1), "it is me").await);
    assert_eq!((changed.role, &changed.notices, told_waiting(&changed)), (None, &vec![], vec![(BOB, 1), (ADA, 1)]));
    room.set_time(NOON + 9);
    assert_eq!(told_waiting(&ok(room.come(EVE, hash(1), "Eve").await)), []);
    let requests = ok(room.join_requests(ADA, GroupId(1), UserId(0), 9).await).rows;
    let JoinRequest { user, proposed_by, text, since_ms } = &requests[0];
    assert_eq!((user.user, *proposed_by, &**text, *since_ms), (EVE, None, "Eve", NOON));
    let changed = ok(room.approve(BOB, crowd, &[EVE]).await);
    assert_eq!(told(&changed.notices[0]), (Kind::Joined, BOB, vec![EVE]));
    assert_eq!(ok(room.links(ADA, GroupId(1)).await)[0].uses, 1, "counted where they joined");
}

pub(super) async fn pages_of_requests_lead_through_all(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    let many: Vec<_> = (0..7).map(|n| UserId(100 + n)).collect();
    join_all(many.iter().map(|user| room.user(*user))).await;
    ok(room.invite(CYD, crowd, &many).await);
    for limit in [1, 3, 7, 8] {
        let all = follow(7, limit, async |last: Option<&JoinRequest>| {
            let after = last.map_or(UserId(0), |request| request.user.user);
            ok(room.join_requests(ADA, GroupId(1), after, limit).await)
        });
        assert_eq!(all.await.iter().map(|request| request.user.user).collect::<Vec<_>>(), many);
    }
}

pub(super) async fn as_many_wait_as_may(room: &mut Room) {
    let crowd = room.found_with_approval().await;
    let many: Vec<_> = (0..u64::from(JOIN_REQUESTS_MAX)).map(|n| UserId(10_000 + n)).collect();
    join_all(many.iter().map(|user| room.user(*user))).await;
    ok(room.invite(CYD, crowd, &many[1..]).await);
    let refused = Err(Error::Refused(Refusal::Limit { what: JOIN_REQUESTS_OF_A_GROUP, max: JOIN_REQUESTS_MAX }));
    assert_eq!(room.invite(CYD, crowd, &[DAN, EVE]).await, refused);
    ok(room.invite(CYD, crowd, &[DAN]).await);
    ok(room.link(ADA, crowd, 1, |_| ()).await);
    assert_eq!(room.come(EVE, hash(1), "").await, refused);
}
