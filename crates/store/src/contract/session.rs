//! Cases of [`Store::sessions`](crate::Store::sessions) and [`Store::session`](crate::Store::session).

use anser_proto::{ConversationId, limits::PREVIEW_CHARS_MAX};

use super::room::*;
use crate::{Error, NewMessage, Party, ProfileChange, Refusal, Role, Session};

pub(super) async fn sessions_come_in_order_of_conversation_ids(room: &mut Room) {
    let groups = [room.found(9, ADA, &[]).await, room.found(10, ADA, &[]).await, room.found(3, ADA, &[]).await];
    let singles = [EVE, CYD, BOB, ADA, DAN].map(|peer| single(ADA, peer));
    for to in singles {
        room.say(ADA, to).await;
    }
    let listed: Vec<_> = room.all_sessions(ADA).await.iter().map(|session| session.conversation).collect();
    assert_eq!(listed, sorted(singles.into_iter().chain(groups).collect()));
    // One-to-one first, by the smaller id and then by the larger; groups by their ids.
    let spelled: Vec<_> = listed.iter().map(ToString::to_string).collect();
    let expected = ["single_2_7", "single_7_7", "single_7_11", "single_7_30", "single_7_9223372036854775807"];
    assert_eq!(spelled, [&expected[..], &["group_3", "group_9", "group_10"]].concat());
}

pub(super) async fn pages_of_sessions_lead_through_the_list(room: &mut Room) {
    for id in [10, 9, 3] {
        room.found(id, ADA, &[BOB]).await;
    }
    for peer in PEOPLE {
        room.say(ADA, single(ADA, peer)).await;
        room.say(BOB, single(BOB, peer)).await;
    }
    let whole = room.all_sessions(ADA).await;
    for limit in 1..=9 {
        let next = async |last: Option<&Session>| {
            ok(room.sessions(ADA, last.map(|session| session.conversation), limit).await)
        };
        assert_eq!(follow(8, limit, next).await, whole, "by {limit}");
    }
}

pub(super) async fn a_page_of_sessions_begins_behind_what_is_not_in_the_list_too(room: &mut Room) {
    room.found(5, ADA, &[]).await;
    room.say(ADA, single(ADA, DAN)).await;
    let behind = async |after| -> Vec<ConversationId> {
        ok(room.sessions(ADA, Some(after), 9).await).rows.iter().map(|session| session.conversation).collect()
    };
    assert_eq!(behind(single(ADA, BOB)).await, [single(ADA, DAN), group(5)]);
    assert_eq!(behind(single(ADA, CYD)).await, [group(5)]);
    assert_eq!(behind(single(EVE, EVE)).await, [group(5)]);
    assert_eq!(behind(group(4)).await, [group(5)]);
    assert_eq!(behind(group(6)).await, []);
}

pub(super) async fn groups_that_one_left_are_in_the_list(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.leave(BOB, crowd).await);
    room.say(ADA, crowd).await;
    let sessions = room.all_sessions(BOB).await;
    assert_eq!(sessions.len(), 1);
    assert!(matches!(&sessions[0].party, Party::Group(_, None)));
    assert_eq!((sessions[0].conversation, sessions[0].head, sessions[0].first), (crowd, 2, 1));
    assert_eq!(sessions[0].last.as_ref().map(|last| last.server_msg_id), Some(2));
}

pub(super) async fn a_conversation_in_which_nothing_was_said_is_not_in_the_list(room: &mut Room) {
    room.read(ADA, single(ADA, BOB), 1).await;
    assert_eq!(room.send(text(ADA, single(ADA, NOBODY), "a")).await, Err(Error::Refused(Refusal::NotFound("user"))));
    for user in PEOPLE {
        assert_eq!(room.all_sessions(user).await, []);
    }
}

pub(super) async fn what_is_not_in_the_list_is_not_found(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    room.say(ADA, single(ADA, BOB)).await;
    for conversation in [crowd, group(2), single(ADA, BOB), single(CYD, ADA), single(CYD, CYD)] {
        assert_eq!(room.session(CYD, conversation).await, Err(Error::Refused(Refusal::NotFound("conversation"))));
    }
}

pub(super) async fn a_one_to_one_session_tells_of_the_other_party(room: &mut Room) {
    let pair = single(ADA, BOB);
    room.say(BOB, pair).await;
    let change =
        ProfileChange { nickname: Some("Robert".into()), avatar: Some("a.png".into()), ..ProfileChange::default() };
    ok(room.update_profile(BOB, change).await);
    let bob = ok(room.user_by_account("account-2").await);
    let entry = room.entry(ADA, pair).await;
    assert_eq!((entry.conversation, entry.first, entry.head, entry.unread), (pair, 1, 1, 1));
    assert_eq!((entry.read_mark, entry.peer_read_mark, entry.peer_delivered_mark), (0, 1, 1));
    assert_eq!(entry.party, Party::Peer(bob));
    // The message keeps the name under which it was sent.
    assert_eq!(entry.last.expect("something was said").nickname.as_ref(), "nick 2");
}

pub(super) async fn who_writes_to_himself_is_his_own_peer(room: &mut Room) {
    room.say(ADA, single(ADA, ADA)).await;
    let entry = room.entry(ADA, single(ADA, ADA)).await;
    assert_eq!((entry.read_mark, entry.peer_read_mark, entry.peer_delivered_mark, entry.unread), (1, 1, 1, 0));
    assert!(matches!(entry.party, Party::Peer(peer) if peer.user == ADA));
}

pub(super) async fn a_group_session_tells_of_the_group_and_ones_role(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    ok(room.invite(ADA, crowd, &[BOB]).await);
    let (of_ada, of_bob) = (room.entry(ADA, crowd).await, room.entry(BOB, crowd).await);
    let info = crate::Group { announcement: None, ..ok(room.group(ADA, id_of(crowd)).await).0 };
    assert_eq!(of_ada.party, Party::Group(info.clone(), Some(Role::Owner)));
    assert_eq!(of_bob.party, Party::Group(info, Some(Role::Member)));
    assert_eq!((of_ada.first, of_bob.first, of_bob.head), (1, 2, 2));
    assert_eq!((of_bob.peer_read_mark, of_bob.peer_delivered_mark), (0, 0));
}

pub(super) async fn the_first_that_one_may_see_stays_after_joining_again(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    ok(room.invite(ADA, crowd, &[BOB]).await);
    ok(room.leave(BOB, crowd).await);
    ok(room.invite(ADA, crowd, &[BOB]).await);
    assert_eq!((room.entry(BOB, crowd).await.first, room.visible(BOB, crowd).await), (2, vec![2, 3, 4]));
}

pub(super) async fn the_preview_is_of_the_last_message_that_one_may_see(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    for to in [single(ADA, BOB), crowd] {
        room.say(BOB, to).await;
        room.set_time(NOON + 9);
        let sent = NewMessage { kind: 7, content: "the last".into(), counted: false, ..text(ADA, to, "m") };
        let place = ok(room.send(sent).await);
        let last = room.entry(BOB, to).await.last.expect("something was said");
        assert_eq!((last.server_msg_id, last.server_time_ms), (place.server_msg_id, NOON + 9));
        assert_eq!((last.from, last.nickname.as_ref(), last.kind), (ADA, "nick 7", 7));
        assert_eq!(last.content.as_ref(), "the last");
    }
    ok(room.leave(BOB, crowd).await);
    room.say(ADA, crowd).await;
    let last = room.entry(BOB, crowd).await.last.expect("they saw something");
    assert_eq!((last.server_msg_id, last.kind, last.from), (4, NOTICE, BOB));
}

pub(super) async fn a_preview_is_cut_by_characters(room: &mut Room) {
    let pair = single(ADA, BOB);
    for (n, length) in [PREVIEW_CHARS_MAX - 1, PREVIEW_CHARS_MAX, PREVIEW_CHARS_MAX + 1, 1000].into_iter().enumerate() {
        let content = "鸿🪿".chars().cycle().take(length).collect::<String>();
        let preview = content.chars().take(PREVIEW_CHARS_MAX).collect::<String>();
        ok(room.send(NewMessage { content: content.into(), ..text(ADA, pair, &format!("m{n}")) }).await);
        let last = room.entry(BOB, pair).await.last.expect("something was said");
        assert_eq!(*last.content, preview, "of {length} characters");
    }
}

pub(super) async fn a_preview_goes_on_behind_a_zero_character(room: &mut Room) {
    let pair = single(ADA, BOB);
    ok(room.send(NewMessage { content: "a\0b".into(), ..text(ADA, pair, "m") }).await);
    assert_eq!(*room.entry(BOB, pair).await.last.expect("something was said").content, *"a\0b");
}
