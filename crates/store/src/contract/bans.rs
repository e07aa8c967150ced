//! Cases of users who may not come back into a group.

use anser_proto::{GroupId, UserId, limits::BANS_MAX, v1::notice::Kind};
use futures_util::future::join_all;

use super::room::*;
use crate::{BANS_OF_A_GROUP, Error, Hide, Mark, MarkKind, Rank, Refusal, SessionAction, SessionChange};

const NOT_MEMBER: Error = Error::Refused(Refusal::NotMember);
const FORBIDDEN: Error = Error::Refused(Refusal::Forbidden);

impl Room {
    async fn banned(&self, asker: UserId, group: u64) -> Vec<(UserId, UserId)> {
        let page = ok(self.bans(asker, GroupId(group), UserId(0), 99).await);
        page.rows.iter().map(|ban| (ban.user.user, ban.banned_by)).collect()
    }
}

pub(super) async fn who_is_banned_is_removed_and_cannot_be_invited(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let changed = ok(room.ban(ADA, crowd, &[BOB]).await);
    assert_eq!((changed.notices.len(), told(&changed.notices[0])), (1, (Kind::Removed, ADA, vec![BOB])));
    assert_eq!((changed.group.member_count, changed.stamped), (2, vec![(BOB, 2)]));
    room.reopen().await;
    let picture = room.picture().await;
    assert_eq!(ok(room.invite(CYD, crowd, &[BOB]).await).notices, []);
    assert_eq!(ok(room.ban(ADA, crowd, &[BOB]).await).notices, [], "they are banned already");
    assert_eq!(room.picture().await, picture);
    let changed = ok(room.invite(CYD, crowd, &[BOB, DAN]).await);
    assert_eq!(told(&changed.notices[0]).2, [DAN], "left out without a word");
    assert_eq!(ok(room.unban(ADA, crowd, &[BOB, EVE]).await).notices, []);
    assert_eq!(told(&ok(room.invite(CYD, crowd, &[BOB]).await).notices[0]).2, [BOB]);
}

pub(super) async fn for_who_is_banned_it_is_as_if_the_group_were_not_there(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    room.say(ADA, crowd).await; // 2
    ok(room.leave(CYD, crowd).await); // 3
    assert_eq!((room.visible(CYD, crowd).await, room.entry(CYD, crowd).await.unread), (vec![1, 2, 3], 1));
    let stamp = room.mailbox_seq(CYD).await + 1;
    let changed = ok(room.ban(ADA, crowd, &[BOB, CYD]).await); // 4
    assert_eq!(sorted(changed.stamped), [(BOB, 2), (CYD, stamp)], "nothing of it is unread any more");
    for user in [BOB, CYD] {
        assert_eq!(room.read_log(user, crowd, WHOLE).await, Err(NOT_MEMBER));
        let mark = |kind| Mark {
            user,
            conversation: crowd,
            kind,
            server_msg_id: 9,
            device_id: "device".into(),
            login_version: 0,
        };
        assert_eq!(room.mark(mark(MarkKind::Read)).await, Err(NOT_MEMBER));
        assert_eq!(room.mark(mark(MarkKind::Delivered)).await, Err(NOT_MEMBER));
        assert_eq!(room.leave(user, crowd).await, Err(NOT_MEMBER));
        let own =
            |action| SessionChange { user, conversation: crowd, action, device_id: "device".into(), login_version: 0 };
        assert_eq!(room.change_session(own(SessionAction::Clear(9))).await, Err(NOT_MEMBER));
        let hide = Hide { user, conversation: crowd, places: vec![1], device_id: "device".into(), login_version: 0 };
        assert_eq!(room.hide_messages(hide).await, Err(NOT_MEMBER));
        assert_eq!(room.send(text(user, crowd, "x")).await, Err(NOT_MEMBER));
        assert_eq!(room.bans(user, GroupId(1), UserId(0), 9).await, Err(NOT_MEMBER));
        let entry = room.entry(user, crowd).await;
        assert_eq!((entry.unread, entry.read_mark), (0, entry.head), "their list tells that they went");
        ok(room.change_session(own(SessionAction::Remove(9))).await);
        assert_eq!(room.entry(user, crowd).await.removed_at, entry.head, "and they take it off their list");
    }
    ok(room.unban(ADA, crowd, &[CYD]).await);
    assert_eq!(room.visible(CYD, crowd).await, [1, 2, 3]);
}

pub(super) async fn who_is_no_member_may_be_banned(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let picture = room.picture().await;
    let changed = ok(room.ban(ADA, crowd, &[CYD, CYD]).await);
    assert_eq!((changed.notices, changed.stamped), (vec![], vec![]));
    assert_eq!(room.picture().await, picture, "nobody is told");
    assert_eq!(room.banned(ADA, 1).await, [(CYD, ADA)]);
    assert_eq!(ok(room.invite(BOB, crowd, &[CYD]).await).notices, []);
    let refused = Err(Error::Refused(Refusal::NotFound("user")));
    assert_eq!(room.ban(ADA, crowd, &[BOB, NOBODY]).await, refused);
    assert_eq!(room.visible(BOB, crowd).await, [1]);
}

pub(super) async fn whoever_may_remove_may_ban(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    ok(room.set_role(ADA, crowd, &[BOB, CYD], Rank::Admin).await);
    assert_eq!(room.ban(DAN, crowd, &[EVE]).await, Err(FORBIDDEN), "a plain member nobody");
    assert_eq!(room.unban(DAN, crowd, &[EVE]).await, Err(FORBIDDEN));
    assert_eq!(room.ban(BOB, crowd, &[CYD]).await, Err(FORBIDDEN), "an admin no admin");
    assert_eq!(room.ban(BOB, crowd, &[BOB]).await, Err(FORBIDDEN), "nobody themselves");
    assert_eq!(room.ban(EVE, crowd, &[DAN]).await, Err(NOT_MEMBER));
    ok(room.ban(BOB, crowd, &[DAN]).await);
    ok(room.ban(ADA, crowd, &[CYD]).await);
    ok(room.unban(BOB, crowd, &[CYD]).await);
    assert_eq!(room.banned(BOB, 1).await, [(DAN, BOB)]);
}

pub(super) async fn pages_of_bans_lead_through_all(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.set_time(NOON + 5);
    ok(room.ban(ADA, crowd, &[CYD, DAN, EVE]).await);
    assert_eq!(room.bans(BOB, GroupId(1), UserId(0), 9).await, Err(FORBIDDEN));
    for limit in 1..=4 {
        let all = follow(3, limit, async |last: Option<&crate::Ban>| {
            ok(room.bans(ADA, GroupId(1), last.map_or(UserId(0), |ban| ban.user.user), limit).await)
        });
        let all: Vec<_> = all.await.iter().map(|ban| (ban.user.user, ban.banned_by, ban.since_ms)).collect();
        assert_eq!(all, [DAN, CYD, EVE].map(|user| (user, ADA, NOON + 5)));
    }
}

pub(super) async fn a_group_has_a_bounded_number_of_bans(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    let many: Vec<_> = (0..u64::from(BANS_MAX)).map(|n| UserId(10_000 + n)).collect();
    join_all(many.iter().map(|user| room.user(*user))).await;
    ok(room.ban(ADA, crowd, &many[1..]).await);
    let refused = Err(Error::Refused(Refusal::Limit { what: BANS_OF_A_GROUP, max: BANS_MAX }));
    assert_eq!(room.ban(ADA, crowd, &[BOB, CYD]).await, refused);
    ok(room.ban(ADA, crowd, &[BOB, many[1]]).await);
    assert_eq!(room.ban(ADA, crowd, &[CYD]).await, refused);
    ok(room.ban(ADA, crowd, &[BOB]).await);
}
