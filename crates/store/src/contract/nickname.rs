//! Cases of members' own names in a group.

use anser_proto::{ConversationId, GroupId, UserId};

use super::room::*;
use crate::{Appended, Error, GroupNickname, NicknameChange, Refusal, Stretch};

const NOT_MEMBER: Error = Error::Refused(Refusal::NotMember);

impl Room {
    async fn call(&self, user: UserId, of: ConversationId, id: &str, nickname: &str) -> Result<Appended, Error> {
        let (group, client_msg_id) = (id_of(of), id.parse().expect("the tests use good ids"));
        let (member, nickname) = (sender(user), nickname.into());
        let change = NicknameChange { group, member, client_msg_id, nickname, client_time_ms: 1, login_version: 0 };
        self.set_nickname(change).await
    }

    async fn nicknames(&self, asker: UserId, of: ConversationId) -> Vec<GroupNickname> {
        let page = ok(self.members(asker, id_of(of), UserId(0), 99).await);
        page.rows.into_iter().map(|member| member.nickname).collect()
    }
}

fn named(user: UserId, nickname: &str, changed: u64) -> GroupNickname {
    GroupNickname { user, nickname: nickname.into(), changed }
}

pub(super) async fn a_members_own_name_is_told_by_a_silent_entry(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, crowd).await; // 2
    let (entry, mailbox_seq) = (room.entry(ADA, crowd).await, room.mailbox_seq(BOB).await);
    let place = ok(room.call(BOB, crowd, "a", "Bobby").await);
    assert_eq!((place.server_msg_id, place.count, place.duplicate, place.sender_mailbox_seq), (3, 1, false, 0));
    assert_eq!(room.nicknames(ADA, crowd).await, [named(BOB, "Bobby", 3), named(ADA, "", 0)]);
    let after = room.entry(ADA, crowd).await;
    assert_eq!((after.head, after.unread, &after.last, after.read_mark), (3, entry.unread, &entry.last, 2));
    assert_eq!((room.mailbox_seq(BOB).await, room.visible(ADA, crowd).await), (mailbox_seq, vec![1, 2]));
    room.reopen().await;
    ok(room.call(BOB, crowd, "b", "").await);
    assert_eq!(room.nicknames(ADA, crowd).await[0], named(BOB, "", 4));
}

pub(super) async fn a_page_tells_whose_own_names_changed_in_it(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.call(BOB, crowd, "a", "x").await); // 2
    ok(room.call(CYD, crowd, "a", "y").await); // 3
    ok(room.call(BOB, crowd, "b", "z").await); // 4
    room.say(ADA, crowd).await; // 5
    let page = async |after| ok(room.read_log(ADA, crowd, Stretch { after, ..WHOLE }).await);
    let of_all = page(Some(1)).await;
    assert_eq!(of_all.nicknames, [named(BOB, "z", 4), named(CYD, "y", 3)], "as they are now, each once");
    assert_eq!((of_all.changed, of_all.messages.len(), of_all.through), (vec![], 1, 5));
    assert_eq!(page(Some(2)).await.nicknames, [named(BOB, "z", 4), named(CYD, "y", 3)]);
    assert_eq!(page(Some(4)).await.nicknames, []);
    assert_eq!(page(None).await.nicknames, [], "backward nothing is told of before");
    let one = ok(room.read_log(ADA, crowd, Stretch { after: Some(1), limit: 1, ..WHOLE }).await);
    assert_eq!((one.nicknames, one.through, one.more), (vec![named(BOB, "z", 4)], 2, true), "they take room");
    ok(room.leave(CYD, crowd).await);
    assert_eq!(page(Some(1)).await.nicknames, [named(BOB, "z", 4)]);
}

pub(super) async fn a_retry_of_a_name_gets_its_first_place(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let first = ok(room.call(BOB, crowd, "a", "x").await);
    ok(room.call(BOB, crowd, "b", "y").await);
    let again = ok(room.call(BOB, crowd, "a", "x").await);
    assert_eq!((again.server_msg_id, again.duplicate), (first.server_msg_id, true));
    let conflict = Err(Error::Refused(Refusal::Conflict("client_msg_id")));
    assert_eq!(room.call(BOB, crowd, "a", "z").await, conflict);
    assert_eq!(room.send(text(BOB, crowd, "a")).await, conflict, "it is one of their messages");
    assert_eq!(room.nicknames(ADA, crowd).await[0], named(BOB, "y", 3));
    let same = ok(room.call(BOB, crowd, "c", "y").await);
    assert_eq!((same.server_msg_id, same.duplicate), (3, true), "what changes nothing makes no entry");
    ok(room.leave(BOB, crowd).await);
    assert!(ok(room.call(BOB, crowd, "b", "y").await).duplicate);
}

pub(super) async fn who_is_muted_or_no_member_keeps_the_name_they_have(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    assert_eq!(room.call(CYD, crowd, "a", "x").await, Err(NOT_MEMBER));
    assert_eq!(room.call(CYD, group(9), "a", "x").await, Err(NOT_MEMBER));
    ok(room.mute(ADA, crowd, &[BOB], NOON + 9).await);
    assert_eq!(room.call(BOB, crowd, "a", "x").await, Err(Error::Refused(Refusal::Forbidden)));
    room.set_time(NOON + 9);
    ok(room.call(BOB, crowd, "a", "x").await);
    ok(room.leave(BOB, crowd).await);
    ok(room.invite(ADA, crowd, &[BOB]).await);
    assert_eq!(room.nicknames(ADA, crowd).await[0], named(BOB, "", 0), "who comes back has none");
    ok(room.dissolve(ADA, crowd).await);
    assert_eq!(room.call(ADA, crowd, "a", "x").await, Err(NOT_MEMBER));
    assert_eq!(ok(room.member_ids(GroupId(1)).await).members.len(), 2);
}
