//! Cases of [`Store::append`](crate::Store::append) and [`Store::session`](crate::Store::session): whom messages name, and what of that is unread.

use anser_proto::{ConversationId, UserId, limits::MENTIONS_COUNTED_MAX};

use super::{
    change::{edit, recall},
    room::*,
};
use crate::{
    Error, GroupChange, Hide, Mentions, NewMessage, PeopleAction, PeopleChange, Rank, Refusal, SessionAction,
    SessionChange,
};

fn naming(message: NewMessage, users: &[UserId]) -> NewMessage {
    NewMessage { mentions: Mentions::new(users.to_vec(), false), ..message }
}

fn naming_all(message: NewMessage) -> NewMessage {
    NewMessage { mentions: Mentions::new(Vec::new(), true), ..message }
}

async fn name(room: &Room, from: UserId, to: ConversationId, id: &str, users: &[UserId]) -> u64 {
    ok(room.send(naming(text(from, to, id), users)).await).server_msg_id
}

/// How many unread messages name the user, and the first of them.
async fn of(room: &Room, user: UserId, conversation: ConversationId) -> (u64, u64) {
    let session = room.entry(user, conversation).await;
    assert!(session.mentions <= session.unread);
    (session.mentions, session.mentioned_at)
}

async fn people(room: &Room, user: UserId, peer: UserId, action: PeopleAction) {
    let change = PeopleChange { user, peer, action, device_id: "device".into(), login_version: 0 };
    ok(room.change_people(change).await);
}

async fn lets_members_name_all(room: &Room, by: UserId, to: ConversationId, lets: bool) {
    ok(room.update(by, to, GroupChange { members_mention_all: Some(lets), ..GroupChange::default() }).await);
}

pub(super) async fn who_is_named_finds_it_in_their_list_until_they_read_it(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB, CYD]).await] {
        room.say(ADA, to).await;
        let first = name(room, ADA, to, "first", &[BOB]).await;
        room.say(ADA, to).await;
        let second = name(room, ADA, to, "second", &[BOB, DAN]).await;
        assert_eq!(of(room, BOB, to).await, (2, first));
        assert_eq!(of(room, ADA, to).await, (0, 0));
        room.deliver(BOB, to, second).await;
        assert_eq!(of(room, BOB, to).await, (2, first));
        room.read(BOB, to, first).await;
        assert_eq!(of(room, BOB, to).await, (1, second));
        room.read(BOB, to, second).await;
        assert_eq!(of(room, BOB, to).await, (0, 0));
    }
    assert_eq!(of(room, CYD, group(1)).await, (0, 0));
}

pub(super) async fn a_message_comes_out_with_whom_it_names(room: &mut Room) {
    for to in [single(ADA, BOB), single(ADA, ADA), room.found(1, ADA, &[BOB]).await] {
        let sent = naming(text(ADA, to, "m"), &[EVE, BOB, EVE, ADA]);
        let place = ok(room.send(sent.clone()).await).server_msg_id;
        let plain = room.say(ADA, to).await.server_msg_id;
        for reader in [ADA, BOB].into_iter().filter(|reader| to != single(ADA, ADA) || *reader == ADA) {
            let log = room.log(reader, to).await;
            let shown = |at| log.iter().find(|message| message.server_msg_id == at).expect("it is shown");
            assert_eq!(shown(place).mentions.users(), [BOB, ADA, EVE]);
            assert_eq!(shown(place).mentions, sent.mentions);
            assert!(shown(plain).mentions.is_empty());
        }
    }
}

pub(super) async fn all_are_named_by_those_who_may(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    let refused = Err(Error::Refused(Refusal::Forbidden));
    let before = room.picture().await;
    assert_eq!(room.send(naming_all(text(CYD, crowd, "all"))).await, refused);
    assert_eq!(room.send(naming_all(text(ADA, single(ADA, BOB), "all"))).await, refused);
    assert_eq!(room.picture().await, before, "nothing of it is stored");
    for (n, by) in [ADA, BOB].into_iter().enumerate() {
        ok(room.send(naming_all(text(by, crowd, &format!("all {n}").replace(' ', "-")))).await);
    }
    lets_members_name_all(room, ADA, crowd, true).await;
    ok(room.send(naming_all(text(CYD, crowd, "all"))).await);
    assert_eq!(of(room, DAN, crowd).await.0, 3);
    assert_eq!(of(room, CYD, crowd).await, (0, 0), "whoever speaks has read");
    lets_members_name_all(room, ADA, crowd, false).await;
    // The retry of what was let through gets its place.
    assert!(ok(room.send(naming_all(text(CYD, crowd, "all"))).await).duplicate);
    assert_eq!(room.send(naming_all(text(CYD, crowd, "other"))).await, refused);
}

pub(super) async fn who_is_named_with_all_is_named_once(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let both = NewMessage { mentions: Mentions::new(vec![BOB], true), ..text(ADA, crowd, "m") };
    let place = ok(room.send(both).await).server_msg_id;
    assert_eq!(of(room, BOB, crowd).await, (1, place));
    ok(room.send(naming(edit(ADA, crowd, "e", place, "words"), &[BOB])).await);
    assert_eq!(of(room, BOB, crowd).await, (1, place));
}

pub(super) async fn a_recall_takes_the_mentions_back(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB, CYD]).await] {
        let first = name(room, ADA, to, "first", &[BOB]).await;
        let second = name(room, ADA, to, "second", &[BOB]).await;
        let gone = ok(room.send(recall(ADA, to, "gone", first)).await).changed.expect("it was changed");
        assert!(gone.mentions.is_empty());
        assert_eq!(of(room, BOB, to).await, (1, second));
    }
    let all = ok(room.send(naming_all(text(ADA, group(1), "all"))).await).server_msg_id;
    assert_eq!(of(room, CYD, group(1)).await, (1, all));
    ok(room.send(recall(ADA, group(1), "none", all)).await);
    assert_eq!(of(room, CYD, group(1)).await, (0, 0));
}

pub(super) async fn an_edit_names_others_in_place_of_those_before(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    let place = name(room, ADA, crowd, "m", &[BOB]).await;
    let now = ok(room.send(naming(edit(ADA, crowd, "e1", place, "words"), &[CYD, DAN])).await);
    assert_eq!(now.changed.expect("it was changed").mentions.users(), [DAN, CYD]);
    for (user, expected) in [(BOB, (0, 0)), (CYD, (1, place)), (DAN, (1, place))] {
        assert_eq!(of(room, user, crowd).await, expected);
    }
    // Other mentions alone are another body too, and the same ones are none.
    let again = ok(room.send(naming(edit(ADA, crowd, "e2", place, "words"), &[DAN])).await);
    assert!(!again.duplicate);
    assert_eq!((of(room, CYD, crowd).await, of(room, DAN, crowd).await), ((0, 0), (1, place)));
    assert!(ok(room.send(naming(edit(ADA, crowd, "e3", place, "words"), &[DAN])).await).duplicate);
    ok(room.send(edit(ADA, crowd, "e4", place, "words")).await);
    assert_eq!(of(room, DAN, crowd).await, (0, 0));
}

pub(super) async fn an_added_mention_counts_for_who_has_not_read_the_message(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB, CYD]).await] {
        let read = room.say(ADA, to).await.server_msg_id;
        let unread = room.say(ADA, to).await.server_msg_id;
        room.read(BOB, to, read).await;
        ok(room.send(naming(edit(ADA, to, "e1", read, "words"), &[BOB])).await);
        assert_eq!(of(room, BOB, to).await, (0, 0));
        ok(room.send(naming(edit(ADA, to, "e2", unread, "words"), &[BOB])).await);
        assert_eq!(of(room, BOB, to).await, (1, unread));
    }
}

pub(super) async fn an_edit_names_all_anew_by_those_who_may(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let plain = room.say(BOB, crowd).await.server_msg_id;
    let all = |id: &str, place| naming_all(edit(BOB, crowd, id, place, id));
    assert_eq!(room.send(all("e1", plain)).await, Err(Error::Refused(Refusal::Forbidden)));
    lets_members_name_all(room, ADA, crowd, true).await;
    let named = ok(room.send(naming_all(text(BOB, crowd, "m"))).await).server_msg_id;
    lets_members_name_all(room, ADA, crowd, false).await;
    // It names them already.
    ok(room.send(all("e2", named)).await);
    assert_eq!(of(room, CYD, crowd).await, (1, named));
    let pair = single(ADA, BOB);
    let said = room.say(BOB, pair).await.server_msg_id;
    let of_two = naming_all(edit(BOB, pair, "e3", said, "words"));
    assert_eq!(room.send(of_two).await, Err(Error::Refused(Refusal::Forbidden)));
}

pub(super) async fn what_is_put_away_names_nobody(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let mut places = Vec::new();
        for n in 0..4 {
            places.push(name(room, ADA, to, &format!("m{n}"), &[BOB]).await);
        }
        let (conversation, device_id) = (to, "device".into());
        let hide = Hide { user: BOB, conversation, places: vec![places[2]], device_id, login_version: 0 };
        ok(room.hide_messages(hide).await);
        assert_eq!(of(room, BOB, to).await, (3, places[0]));
        let (action, device_id) = (SessionAction::Clear(places[1]), "device".into());
        ok(room.change_session(SessionChange { user: BOB, conversation, action, device_id, login_version: 0 }).await);
        assert_eq!(of(room, BOB, to).await, (1, places[3]));
    }
}

pub(super) async fn whom_one_blocked_names_one_in_vain(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let by_cyd = name(room, CYD, crowd, "m", &[BOB]).await;
    let by_ada = ok(room.send(naming_all(text(ADA, crowd, "m"))).await).server_msg_id;
    let pair = name(room, CYD, single(BOB, CYD), "m", &[BOB]).await;
    people(room, BOB, CYD, PeopleAction::Block).await;
    assert_eq!(of(room, BOB, crowd).await, (1, by_ada));
    assert_eq!(of(room, BOB, single(BOB, CYD)).await, (0, 0));
    people(room, BOB, CYD, PeopleAction::Unblock).await;
    assert_eq!(of(room, BOB, crowd).await, (2, by_cyd));
    assert_eq!(of(room, BOB, single(BOB, CYD)).await, (1, pair));
}

pub(super) async fn mentions_that_do_not_count_are_shown_and_not_unread(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    ok(room.send(NewMessage { counted: false, ..naming(text(ADA, crowd, "m"), &[BOB]) }).await);
    assert_eq!(of(room, BOB, crowd).await, (0, 0));
    ok(room.send(naming(text(ADA, crowd, "own"), &[ADA])).await);
    assert_eq!(of(room, ADA, crowd).await, (0, 0));
}

pub(super) async fn who_is_no_member_is_named_without_effect(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let before = name(room, ADA, crowd, "before", &[BOB, CYD, NOBODY]).await;
    ok(room.send(naming_all(text(ADA, crowd, "all"))).await);
    ok(room.update(ADA, crowd, GroupChange { history: Some(crate::History::All), ..GroupChange::default() }).await);
    ok(room.invite(ADA, crowd, &[CYD]).await);
    assert_eq!(of(room, CYD, crowd).await, (0, 0), "what was said before they came is not unread");
    let after = name(room, ADA, crowd, "after", &[CYD]).await;
    assert_eq!((of(room, BOB, crowd).await, of(room, CYD, crowd).await), ((2, before), (1, after)));
    ok(room.leave(CYD, crowd).await);
    assert_eq!(of(room, CYD, crowd).await, (0, 0), "they are none any more");
    let gone = name(room, ADA, crowd, "gone", &[CYD]).await;
    ok(room.invite(ADA, crowd, &[CYD]).await);
    // Not even by an edit of what was said before they came back.
    ok(room.send(naming(edit(ADA, crowd, "e", gone, "words"), &[CYD, BOB])).await);
    assert_eq!(of(room, CYD, crowd).await, (0, 0));
    ok(room.dissolve(ADA, crowd).await);
    assert_eq!(of(room, BOB, crowd).await, (3, before), "what was said until the end stays");
}

pub(super) async fn mentions_are_part_of_what_makes_a_retry_the_same(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB, CYD]).await] {
        let sent = |users: &[UserId]| naming(text(ADA, to, "m"), users);
        let place = ok(room.send(sent(&[BOB, CYD])).await).server_msg_id;
        let conflict = Err(Error::Refused(Refusal::Conflict("client_msg_id")));
        let changed = ok(room.send(naming(edit(ADA, to, "e", place, "words"), &[BOB])).await).server_msg_id;
        // Also once the first body is gone.
        for then in 0..3 {
            assert_eq!(ok(room.send(sent(&[CYD, BOB])).await).server_msg_id, place, "{then}");
            assert_eq!(room.send(sent(&[BOB])).await, conflict, "{then}");
            assert_eq!(room.send(text(ADA, to, "m")).await, conflict, "{then}");
            let again = |users: &[UserId]| naming(edit(ADA, to, "e", place, "words"), users);
            assert_eq!(ok(room.send(again(&[BOB])).await).server_msg_id, changed, "{then}");
            assert_eq!(room.send(again(&[CYD])).await, conflict, "{then}");
            match then {
                0 => drop(ok(room.send(recall(ADA, to, "gone", place)).await)),
                _ => room.reopen().await,
            }
        }
    }
}

pub(super) async fn what_is_changed_in_the_batch_in_which_it_was_sent_names_whom_it_names_then(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let batch = vec![
        naming(text(ADA, crowd, "a"), &[BOB]),
        naming(text(ADA, crowd, "b"), &[BOB]),
        naming(edit(ADA, crowd, "e", 2, "words"), &[CYD]),
        recall(ADA, crowd, "gone", 3),
    ];
    all_ok(room.append(batch).await);
    assert_eq!((of(room, BOB, crowd).await, of(room, CYD, crowd).await), ((0, 0), (1, 2)));
}

pub(super) async fn mentions_are_counted_up_to_a_bound(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let batch = (0..=MENTIONS_COUNTED_MAX).map(|n| naming(text(ADA, crowd, &format!("m{n}")), &[BOB])).collect();
    all_ok(room.append(batch).await);
    let session = room.entry(BOB, crowd).await;
    assert_eq!((session.unread, session.mentions, session.mentioned_at), (101, MENTIONS_COUNTED_MAX, 2));
}

pub(super) async fn mentions_outlive_reopening(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let place = name(room, ADA, crowd, "m", &[BOB]).await;
    ok(room.send(naming_all(text(ADA, crowd, "all"))).await);
    let before = room.picture().await;
    room.reopen().await;
    assert_eq!(room.picture().await, before);
    assert_eq!((of(room, BOB, crowd).await, of(room, CYD, crowd).await), ((2, place), (1, place + 1)));
}
