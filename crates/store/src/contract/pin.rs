//! Cases of [`Store::append`](crate::Store::append), [`Store::pins`](crate::Store::pins) and [`Store::reactions`](crate::Store::reactions): what is
//! pinned in a conversation, and who reacted to what is said there.

use anser_proto::{ConversationId, UserId, limits::PINS_MAX};
use bytes::Bytes;

use super::{
    change::{FORWARD, at, changing, edit, page, react, recall, refused},
    lists::{clear, hide},
    room::*,
};
use crate::{
    Error, GroupChange, NewMessage, PIN_NOTICE, PINS_OF_A_CONVERSATION, Page, PeopleAction, PeopleChange, Pin, Rank,
    ReactionsOfUser, Refusal, Stretch, What,
};

const UNPIN: i32 = 63;

fn pin(by: UserId, conversation: ConversationId, id: &str, target: u64) -> NewMessage {
    let pin = changing(by, conversation, id, (PIN_NOTICE, What::Pin), target, "");
    NewMessage { attachment: Bytes::from(format!("pinned {target}")), ..pin }
}

fn unpin(by: UserId, conversation: ConversationId, id: &str, target: u64) -> NewMessage {
    changing(by, conversation, id, (UNPIN, What::Unpin), target, "")
}

async fn list(room: &Room, reader: UserId, conversation: ConversationId) -> Vec<Pin> {
    let Page { rows, more } = ok(room.pins(reader, conversation, 0, 200, usize::MAX).await);
    assert!(!more);
    rows
}

/// The places, pinned last first.
async fn pinned(room: &Room, reader: UserId, conversation: ConversationId) -> Vec<u64> {
    list(room, reader, conversation).await.iter().map(|pin| pin.message.server_msg_id).collect()
}

async fn reactions(room: &Room, reader: UserId, of: ConversationId, place: u64) -> Result<Vec<(u64, String)>, Error> {
    let page = room.reactions(reader, of, place, UserId(0), 200).await?;
    let line = |ReactionsOfUser { user, emojis }: ReactionsOfUser| (user.0, emojis.join(" "));
    Ok(page.rows.into_iter().map(line).collect())
}

pub(super) async fn a_pin_is_a_notice_that_is_shown_and_does_not_count(room: &mut Room) {
    for to in [single(ADA, BOB), single(ADA, ADA), room.found(1, ADA, &[BOB]).await] {
        let said = room.say(ADA, to).await;
        let before = room.entry(ADA, to).await;
        let appended = ok(room.send(pin(ADA, to, "p", said.server_msg_id)).await);
        assert_eq!((appended.server_msg_id, appended.count), (said.server_msg_id + 1, said.count));
        for reader in [ADA, BOB].into_iter().filter(|reader| to != single(ADA, ADA) || *reader == ADA) {
            let notice = at(room, reader, to, appended.server_msg_id).await;
            assert_eq!((notice.kind, notice.counted, notice.from), (PIN_NOTICE, false, sender(ADA)));
            assert_eq!(notice.attachment, format!("pinned {}", said.server_msg_id));
            let shown = at(room, reader, to, said.server_msg_id).await;
            assert_eq!(Some(&shown), appended.changed.as_deref());
            assert_eq!((shown.revision.pinned, shown.revision.changed), (notice.server_msg_id, notice.server_msg_id));
            let [only] = &list(room, reader, to).await[..] else { panic!("one is pinned") };
            assert_eq!((&only.message, only.pinned_by), (&shown, ADA));
            assert_eq!(room.entry(reader, to).await.last.expect("it is shown").server_msg_id, notice.server_msg_id);
        }
        let after = room.entry(ADA, to).await;
        assert_eq!((after.read_mark, after.unread), (before.read_mark, before.unread), "no mark moves");
    }
}

pub(super) async fn what_is_unpinned_is_not_listed(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let (one, other) = (room.say(BOB, to).await.server_msg_id, room.say(ADA, to).await.server_msg_id);
        ok(room.send(pin(ADA, to, "p1", other)).await);
        ok(room.send(pin(ADA, to, "p2", one)).await);
        assert_eq!(pinned(room, BOB, to).await, [one, other]);
        let last = room.entry(BOB, to).await.last;
        let appended = ok(room.send(unpin(ADA, to, "u", one)).await);
        assert_eq!(pinned(room, BOB, to).await, [other]);
        assert_eq!(room.entry(BOB, to).await.last, last, "the entry is a silent one");
        let now = at(room, BOB, to, one).await.revision;
        assert_eq!((now.pinned, now.changed), (0, appended.server_msg_id));
        ok(room.send(pin(ADA, to, "p3", one)).await);
        assert_eq!(pinned(room, BOB, to).await, [one, other]);
    }
}

pub(super) async fn who_pins_what_is_pinned_makes_no_entry(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    let place = room.say(BOB, crowd).await.server_msg_id;
    let nothing = async |room: &Room, message: NewMessage, expected: u64| {
        let picture = room.picture().await;
        let answer = ok(room.send(message).await);
        assert_eq!((answer.server_msg_id, answer.duplicate, answer.changed), (expected, true, None));
        assert_eq!(room.picture().await, picture);
    };
    nothing(room, unpin(ADA, crowd, "u0", place), place).await;
    let by_pin = ok(room.send(pin(ADA, crowd, "p1", place)).await).server_msg_id;
    nothing(room, pin(BOB, crowd, "p2", place), by_pin).await;
    let by_unpin = ok(room.send(unpin(BOB, crowd, "u1", place)).await).server_msg_id;
    nothing(room, unpin(ADA, crowd, "u2", place), by_unpin).await;
}

pub(super) async fn a_retry_of_a_pin_gets_its_first_place(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let (place, other) = (room.say(ADA, to).await.server_msg_id, room.say(ADA, to).await.server_msg_id);
        let first = ok(room.send(pin(ADA, to, "p", place)).await);
        let unpinned = ok(room.send(unpin(ADA, to, "u", place)).await);
        if to != single(ADA, BOB) {
            ok(room.leave(ADA, to).await);
        }
        let picture = room.picture().await;
        for (change, first) in [(pin(ADA, to, "p", place), first), (unpin(ADA, to, "u", place), unpinned)] {
            let again = ok(room.send(change).await);
            assert_eq!((again.server_msg_id, again.duplicate, again.changed), (first.server_msg_id, true, None));
        }
        for message in [pin(ADA, to, "p", other), unpin(ADA, to, "p", place), text(ADA, to, "p")] {
            assert_eq!(refused(room.send(message).await), Refusal::Conflict("client_msg_id"));
        }
        assert_eq!(room.picture().await, picture);
    }
}

pub(super) async fn a_recall_unpins_and_an_edit_does_not(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let place = room.say(ADA, to).await.server_msg_id;
        let entry = ok(room.send(pin(ADA, to, "p", place)).await).server_msg_id;
        ok(room.send(react(BOB, to, "r", place, "x")).await);
        ok(room.send(edit(ADA, to, "e", place, "better")).await);
        let [only] = &list(room, BOB, to).await[..] else { panic!("an edit leaves it pinned") };
        let shown = &only.message;
        assert_eq!((&*shown.content, shown.revision.pinned, shown.revision.edits), ("better", entry, 1));
        assert_eq!(shown.revision.reactions.0.len(), 1, "pins, edits and reactions leave each other alone");
        assert!(shown.revision.reactions.0[0].mine, "as on a page of the reader's");
        ok(room.send(recall(ADA, to, "gone", place)).await);
        assert!(pinned(room, BOB, to).await.is_empty());
        assert_eq!(at(room, BOB, to, place).await.revision.pinned, 0);
        assert_eq!(refused(room.send(pin(ADA, to, "p2", place)).await), Refusal::Gone);
    }
}

pub(super) async fn notices_and_silent_entries_cannot_be_pinned(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let place = room.say(ADA, crowd).await.server_msg_id;
    let notice = ok(room.send(pin(ADA, crowd, "p", place)).await).server_msg_id;
    let silent = ok(room.send(edit(ADA, crowd, "e", place, "better")).await).server_msg_id;
    for (n, target) in [1, notice, silent, silent + 7, 0].into_iter().enumerate() {
        let none = Refusal::NotFound("message");
        assert_eq!(refused(room.send(pin(ADA, crowd, &format!("p{n}"), target)).await), none);
        assert_eq!(refused(room.send(unpin(ADA, crowd, &format!("u{n}"), target)).await), none);
    }
    for what in [edit(ADA, crowd, "e2", notice, "x"), react(ADA, crowd, "r", notice, "x")] {
        assert_eq!(refused(room.send(what).await), Refusal::NotFound("message"));
    }
}

pub(super) async fn the_owner_and_admins_of_a_group_pin(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD, DAN]).await;
    ok(room.set_role(ADA, crowd, &[BOB], Rank::Admin).await);
    let place = room.say(CYD, crowd).await.server_msg_id;
    let refuses = async |room: &Room, by: UserId, why: Refusal| {
        assert_eq!(refused(room.send(pin(by, crowd, "p", place)).await), why);
        assert_eq!(refused(room.send(unpin(by, crowd, "u", place)).await), why);
    };
    refuses(room, CYD, Refusal::Forbidden).await;
    refuses(room, EVE, Refusal::NotMember).await;
    ok(room.mute(ADA, crowd, &[BOB, DAN], NOON + 7).await);
    refuses(room, BOB, Refusal::Muted { for_ms: 7 }).await;
    refuses(room, DAN, Refusal::Muted { for_ms: 7 }).await;
    ok(room.mute(ADA, crowd, &[BOB, DAN], 0).await);
    ok(room.update(ADA, crowd, GroupChange { mute_all: Some(true), ..GroupChange::default() }).await);
    refuses(room, CYD, Refusal::Muted { for_ms: 0 }).await;
    ok(room.send(pin(BOB, crowd, "by-admin", place)).await);
    ok(room.send(unpin(ADA, crowd, "by-owner", place)).await);
    ok(room.remove(ADA, crowd, &[DAN]).await);
    refuses(room, DAN, Refusal::NotMember).await;
    ok(room.dissolve(ADA, crowd).await);
    refuses(room, ADA, Refusal::NotMember).await;
}

pub(super) async fn both_of_two_pin_unless_one_blocks_the_other(room: &mut Room) {
    let pair = single(ADA, BOB);
    let place = room.say(ADA, pair).await.server_msg_id;
    ok(room.send(pin(BOB, pair, "p", place)).await);
    ok(room.send(unpin(ADA, pair, "u", place)).await);
    let change = PeopleChange {
        user: ADA,
        peer: BOB,
        action: PeopleAction::Block,
        device_id: "device".into(),
        login_version: 0,
    };
    ok(room.change_people(change).await);
    for by in [ADA, BOB] {
        assert_eq!(refused(room.send(pin(by, pair, "p2", place)).await), Refusal::Forbidden);
        assert_eq!(refused(room.send(unpin(by, pair, "u2", place)).await), Refusal::Forbidden);
    }
    assert_eq!(refused(room.send(pin(CYD, pair, "p", place)).await), Refusal::NotMember);
}

pub(super) async fn pins_of_a_conversation_are_bounded(room: &mut Room) {
    let (pair, crowd) = (single(ADA, BOB), room.found(1, ADA, &[BOB]).await);
    for to in [pair, crowd] {
        let said: Vec<_> = (0..=PINS_MAX).map(|n| text(ADA, to, &format!("m{n}"))).collect();
        let places = ids(&all_ok(room.append(said).await));
        let pins = places.iter().enumerate().map(|(n, place)| pin(ADA, to, &format!("p{n}"), *place));
        // All in one batch: those before are counted.
        let mut answers = room.append(pins.collect()).await;
        let limit = Refusal::Limit { what: PINS_OF_A_CONVERSATION, max: PINS_MAX };
        assert_eq!(refused(answers.pop().expect("the last is one too many")), limit);
        all_ok(answers);
        assert_eq!(list(room, BOB, to).await.len() as u32, PINS_MAX);
        let unpinned = unpin(ADA, to, "u", places[3]);
        all_ok(room.append(vec![unpinned, pin(ADA, to, "again", places[PINS_MAX as usize])]).await);
        assert_eq!(list(room, BOB, to).await.len() as u32, PINS_MAX);
    }
    let next = room.say(ADA, pair).await.server_msg_id;
    clear(room, ADA, pair, next - 1).await;
    let limit = Refusal::Limit { what: PINS_OF_A_CONVERSATION, max: PINS_MAX };
    assert_eq!(refused(room.send(pin(ADA, pair, "full", next)).await), limit, "the other one sees them");
    clear(room, BOB, pair, next - 1).await;
    ok(room.send(pin(ADA, pair, "room", next)).await);
    assert_eq!(pinned(room, BOB, pair).await, [next]);
}

pub(super) async fn pins_are_listed_to_who_sees_them(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let (one, other) = (room.say(ADA, crowd).await.server_msg_id, room.say(ADA, crowd).await.server_msg_id);
    ok(room.send(pin(ADA, crowd, "p1", one)).await);
    ok(room.invite(ADA, crowd, &[CYD]).await);
    ok(room.send(pin(ADA, crowd, "p2", other)).await);
    let third = room.say(ADA, crowd).await.server_msg_id;
    ok(room.send(pin(ADA, crowd, "p3", third)).await);
    assert_eq!(pinned(room, CYD, crowd).await, [third], "what was said before they came is not shown to them");
    assert_eq!(pinned(room, BOB, crowd).await, [third, other, one]);
    hide(room, BOB, crowd, &[other]).await;
    assert_eq!(pinned(room, BOB, crowd).await, [third, one]);
    clear(room, BOB, crowd, one).await;
    assert_eq!(pinned(room, BOB, crowd).await, [third]);
    assert_eq!(pinned(room, ADA, crowd).await, [third, other, one]);
    assert_eq!(refused_list(room, EVE, crowd).await, Refusal::NotMember);
    ok(room.leave(BOB, crowd).await);
    assert_eq!(refused_list(room, BOB, crowd).await, Refusal::NotMember);
    assert_eq!(refused_list(room, BOB, group(9)).await, Refusal::NotMember);
    assert_eq!(refused_list(room, CYD, single(ADA, BOB)).await, Refusal::NotMember);
    assert!(pinned(room, ADA, single(ADA, BOB)).await.is_empty());
    ok(room.dissolve(ADA, crowd).await);
    assert_eq!(refused_list(room, ADA, crowd).await, Refusal::NotMember);
}

async fn refused_list(room: &Room, reader: UserId, conversation: ConversationId) -> Refusal {
    match room.pins(reader, conversation, 0, 200, usize::MAX).await {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("it was to be refused: {other:?}"),
    }
}

pub(super) async fn pages_of_pins_lead_through_all(room: &mut Room) {
    let pair = single(ADA, BOB);
    let mut expected = Vec::new();
    for n in 0..7 {
        let place = room.say(ADA, pair).await.server_msg_id;
        ok(room.send(pin(BOB, pair, &format!("p{n}"), place)).await);
        expected.insert(0, place);
    }
    hide(room, ADA, pair, &[expected.pop().expect("there are some")]).await;
    for (limit, bytes_max) in [(1, usize::MAX), (2, usize::MAX), (6, usize::MAX), (200, 1), (200, 25)] {
        let next = async |last: Option<&Pin>| {
            let before = last.map_or(0, |pin| pin.message.revision.pinned);
            ok(room.pins(ADA, pair, before, limit, bytes_max).await)
        };
        let rows = follow(expected.len(), limit, next).await;
        assert_eq!(rows.iter().map(|pin| pin.message.server_msg_id).collect::<Vec<_>>(), expected);
    }
}

pub(super) async fn a_page_tells_what_was_pinned_before_it(room: &mut Room) {
    for to in [single(ADA, BOB), room.found(1, ADA, &[BOB]).await] {
        let place = ok(room.send(text(ADA, to, "words")).await).server_msg_id;
        let notice = ok(room.send(pin(ADA, to, "p", place)).await).server_msg_id;
        // However little room there is, the notice comes with what it pinned.
        for bytes_max in [1, usize::MAX] {
            let stretch = Stretch { after: Some(place), limit: 1, bytes_max, ..FORWARD };
            let forward = page(room, BOB, to, stretch).await;
            assert_eq!(forward.changed, [at(room, BOB, to, place).await]);
            assert_eq!(forward.messages, [at(room, BOB, to, notice).await]);
            assert_eq!((forward.through, forward.more), (notice, false));
        }
        hide(room, BOB, to, &[notice]).await;
        let forward = page(room, BOB, to, Stretch { after: Some(place), ..FORWARD }).await;
        assert_eq!((forward.messages.len(), forward.changed.len()), (0, 1), "who hid the notice is told all the same");
    }
}

pub(super) async fn pins_outlive_reopening(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB]).await;
    let place = room.say(BOB, crowd).await.server_msg_id;
    ok(room.send(pin(ADA, crowd, "p", place)).await);
    let picture = room.picture().await;
    room.reopen().await;
    assert_eq!(room.picture().await, picture);
    assert_eq!(ok(room.send(pin(ADA, crowd, "p", place)).await).server_msg_id, place + 1);
}

pub(super) async fn who_sees_a_message_sees_who_reacted(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    let place = room.say(ADA, crowd).await.server_msg_id;
    ok(room.send(react(CYD, crowd, "r", place, "x y")).await);
    ok(room.send(react(BOB, crowd, "r", place, "z y x")).await);
    let notice = ok(room.send(pin(ADA, crowd, "p", place)).await).server_msg_id;
    let all = vec![(BOB.0, "x y z".to_owned()), (CYD.0, "x y".to_owned())];
    for reader in [ADA, BOB, CYD] {
        assert_eq!(ok(reactions(room, reader, crowd, place).await), all);
    }
    for none in [0, 1, notice, notice + 1, u64::MAX >> 1] {
        assert_eq!(reactions(room, ADA, crowd, none).await, Err(Refusal::NotFound("message").into()));
    }
    ok(room.invite(ADA, crowd, &[DAN]).await);
    assert_eq!(reactions(room, DAN, crowd, place).await, Err(Refusal::NotFound("message").into()));
    assert_eq!(reactions(room, EVE, crowd, place).await, Err(Refusal::NotMember.into()));
    hide(room, CYD, crowd, &[place]).await;
    assert_eq!(reactions(room, CYD, crowd, place).await, Err(Refusal::NotFound("message").into()));
    ok(room.leave(BOB, crowd).await);
    assert_eq!(ok(reactions(room, BOB, crowd, place).await), all, "who left sees what they saw");
    ok(room.send(recall(ADA, crowd, "gone", place)).await);
    assert_eq!(ok(reactions(room, ADA, crowd, place).await), []);
    ok(room.ban(ADA, crowd, &[BOB]).await);
    assert_eq!(reactions(room, BOB, crowd, place).await, Err(Refusal::NotMember.into()));
    assert_eq!(reactions(room, CYD, single(ADA, BOB), 1).await, Err(Refusal::NotMember.into()));
}

pub(super) async fn pages_of_reactions_lead_through_all(room: &mut Room) {
    let users: Vec<_> = (100..107).map(UserId).collect();
    for user in &users {
        room.user(*user).await;
    }
    let crowd = room.found(1, ADA, &users).await;
    let place = room.say(ADA, crowd).await.server_msg_id;
    for user in users.iter().rev() {
        ok(room.send(react(*user, crowd, "r", place, "x")).await);
    }
    for limit in [1, 3, 7, 9] {
        let next = async |last: Option<&ReactionsOfUser>| {
            ok(room.reactions(ADA, crowd, place, last.map_or(UserId(0), |row| row.user), limit).await)
        };
        let rows = follow(users.len(), limit, next).await;
        assert_eq!(rows.iter().map(|row| row.user).collect::<Vec<_>>(), users);
    }
}
