//! Cases of [`Store::who_read`](crate::Store::who_read): who has read what was said in a group.

use anser_proto::{ConversationId, GroupId, UserId, limits::RECEIPT_MEMBERS_MAX};

use super::room::*;
use crate::{Error, PrivacyChange, READERS_OF_A_GROUP, Rank, Refusal};

type Told = (u64, Vec<UserId>, Vec<UserId>);

fn id_of(group: ConversationId) -> GroupId {
    match group {
        ConversationId::Group(group) => group,
        ConversationId::Single { .. } => panic!("{group} is no group"),
    }
}

async fn ask(room: &Room, asker: UserId, of: ConversationId, places: &[u64]) -> Result<Vec<Told>, Error> {
    let readers = room.who_read(asker, id_of(of), places.to_vec()).await?;
    Ok(readers.into_iter().map(|one| (one.server_msg_id, one.read, one.unread)).collect())
}

async fn hide_reads(room: &Room, user: UserId, hides_reads: bool) {
    ok(room.update_privacy(user, PrivacyChange { hides_reads: Some(hides_reads), ..Default::default() }).await);
}

pub(super) async fn who_read_follows_from_the_marks(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let first = room.say(ADA, crowd).await.server_msg_id;
    let second = room.say(ADA, crowd).await.server_msg_id;
    room.read(BOB, crowd, first).await;
    room.deliver(CYD, crowd, second).await;
    let told = ok(ask(room, ADA, crowd, &[second, first, first]).await);
    assert_eq!(told, [(first, vec![BOB], vec![CYD]), (second, vec![], vec![BOB, CYD])]);
    // Who writes has read.
    room.say(CYD, crowd).await;
    assert_eq!(ok(ask(room, ADA, crowd, &[second]).await), [(second, vec![CYD], vec![BOB])]);
}

pub(super) async fn the_audience_is_who_was_there_and_still_is(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let said = room.say(ADA, crowd).await.server_msg_id;
    room.read(BOB, crowd, said).await;
    ok(room.invite(ADA, crowd, &[DAN]).await);
    assert_eq!(ok(ask(room, ADA, crowd, &[said]).await), [(said, vec![BOB], vec![CYD])]);
    ok(room.leave(BOB, crowd).await);
    assert_eq!(ok(ask(room, ADA, crowd, &[said]).await), [(said, vec![], vec![CYD])]);
    ok(room.invite(ADA, crowd, &[BOB]).await);
    let again = room.say(ADA, crowd).await.server_msg_id;
    let told = ok(ask(room, ADA, crowd, &[said, again]).await);
    assert_eq!(told, [(said, vec![], vec![CYD]), (again, vec![], sorted(vec![BOB, CYD, DAN]))]);
}

pub(super) async fn members_ask_about_their_own_and_admins_about_all(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let adas = room.say(ADA, crowd).await.server_msg_id;
    let bobs = room.say(BOB, crowd).await.server_msg_id;
    let all = [1, adas, bobs, bobs + 1];
    let asked =
        async |asker| ok(ask(room, asker, crowd, &all).await).into_iter().map(|(id, ..)| id).collect::<Vec<_>>();
    assert_eq!((asked(ADA).await, asked(BOB).await, asked(CYD).await), (vec![adas, bobs], vec![bobs], vec![]));
    ok(room.set_role(ADA, crowd, &[CYD], Rank::Admin).await);
    assert_eq!(asked(CYD).await, [adas, bobs]);
    for nobody in [DAN, EVE] {
        assert_eq!(ask(room, nobody, crowd, &all).await, Err(Refusal::NotMember.into()));
    }
    ok(room.leave(BOB, crowd).await);
    assert_eq!(ask(room, BOB, crowd, &all).await, Err(Refusal::NotMember.into()));
    assert_eq!(ask(room, ADA, group(99), &all).await, Err(Refusal::NotMember.into()));
}

pub(super) async fn whoever_hides_their_marks_is_told_as_not_having_read(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    hide_reads(room, BOB, true).await;
    let said = room.say(ADA, crowd).await.server_msg_id;
    room.read(CYD, crowd, said).await;
    room.say(BOB, crowd).await;
    assert_eq!(ok(ask(room, ADA, crowd, &[said]).await), [(said, vec![CYD], vec![BOB])]);
    let bobs = room.say(BOB, crowd).await.server_msg_id;
    room.read(CYD, crowd, bobs).await;
    assert_eq!(ok(ask(room, BOB, crowd, &[bobs]).await), [(bobs, vec![], sorted(vec![ADA, CYD]))]);
    // Shown again is what moves from then on.
    hide_reads(room, BOB, false).await;
    assert_eq!(ok(ask(room, ADA, crowd, &[said]).await), [(said, vec![CYD], vec![BOB])]);
    room.say(BOB, crowd).await;
    assert_eq!(ok(ask(room, ADA, crowd, &[said]).await), [(said, sorted(vec![BOB, CYD]), vec![])]);
}

pub(super) async fn in_a_large_group_nobody_is_told_who_read(room: &mut Room) {
    room.reopen_with(|options| {
        let max = RECEIPT_MEMBERS_MAX + 1;
        (options.group_members_max, options.unanswered_groups_per_inviter_max) = (max, max);
    })
    .await;
    let many: Vec<_> = (1_000..1_000 + u64::from(RECEIPT_MEMBERS_MAX)).map(UserId).collect();
    for user in &many {
        room.user(*user).await;
    }
    let crowd = room.found(1, ADA, &many).await;
    let said = room.say(ADA, crowd).await.server_msg_id;
    let limit = Refusal::Limit { what: READERS_OF_A_GROUP, max: RECEIPT_MEMBERS_MAX };
    assert_eq!(ask(room, ADA, crowd, &[said]).await, Err(limit.into()));
    ok(room.leave(many[0], crowd).await);
    assert_eq!(ok(ask(room, ADA, crowd, &[said]).await)[0].2.len(), many.len() - 1);
}
