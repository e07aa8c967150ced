//! Cases of writes that concern many at once: one write asks for what it needs of all of them, however many they are.

use anser_proto::{
    UserId,
    limits::{BODY_BYTES_MAX, LINKS_MAX},
};
use futures_util::future::join_all;

use super::{
    change::{react, recall},
    links::hash,
    requests::told_waiting,
    room::*,
};
use crate::{Hide, JoinMode, Mark, MarkKind, NewLink, NewMessage, Rank, SessionAction, SessionChange};

const MANY: u64 = 20;
/// As many as a connection asks for together.
const TURN: u64 = 64;

impl Room {
    /// Users of this case alone.
    async fn many(&self, first: u64) -> Vec<UserId> {
        let many: Vec<_> = (first..first + MANY).map(UserId).collect();
        join_all(many.iter().map(|user| self.user(*user))).await;
        many
    }
}

pub(super) async fn all_who_oversee_are_told_and_all_who_wait_are_answered(room: &mut Room) {
    let (admins, proposed) = (room.many(100).await, room.many(200).await);
    let asking = room.many(300).await[..LINKS_MAX].to_vec();
    let crowd = room.found(1, ADA, &[&admins[..], &[BOB, CYD]].concat()).await;
    room.let_in_by(crowd, JoinMode::Approval).await;
    ok(room.set_role(ADA, crowd, &admins, Rank::Admin).await);
    let told = |open| [ADA].iter().chain(&admins).map(|user| (*user, open)).collect::<Vec<_>>();
    let (by_bob, by_cyd) = proposed.split_at(MANY as usize / 2);
    assert_eq!(told_waiting(&ok(room.invite(BOB, crowd, by_bob).await)), told(MANY as u32 / 2));
    assert_eq!(told_waiting(&ok(room.invite(CYD, crowd, by_cyd).await)), told(MANY as u32));
    for (link_id, user) in (1..).zip(&asking) {
        ok(room.link(ADA, crowd, link_id, |new: &mut NewLink| new.max_uses = 2).await);
        ok(room.come(*user, hash(link_id), "").await);
    }
    let changed = ok(room.approve(ADA, crowd, &[proposed.clone(), asking].concat()).await);
    assert_eq!((changed.group.member_count, told_waiting(&changed)), (3 + 2 * MANY as u32 + LINKS_MAX as u32, told(0)));
    let uses = ok(room.links(ADA, id_of(crowd)).await).iter().map(|link| link.uses).collect::<Vec<_>>();
    assert_eq!(uses, [1; LINKS_MAX]);
    ok(room.set_role(ADA, crowd, &admins, Rank::Member).await);
    ok(room.remove(ADA, crowd, &proposed).await);
    ok(room.invite(BOB, crowd, &proposed).await);
    let risen = ok(room.set_role(ADA, crowd, &admins, Rank::Admin).await);
    assert_eq!(sorted(told_waiting(&risen)), told(MANY as u32)[1..]);
    assert_eq!(told_waiting(&ok(room.ban(ADA, crowd, &proposed).await)), told(0));
}

pub(super) async fn all_who_left_are_banned(room: &mut Room) {
    let many = room.many(100).await;
    let crowd = room.found(1, ADA, &many).await;
    for user in &many {
        room.say(ADA, crowd).await;
        ok(room.leave(*user, crowd).await);
    }
    let changed = ok(room.ban(ADA, crowd, &many).await);
    assert_eq!(sorted(changed.stamped).iter().map(|(user, _)| *user).collect::<Vec<_>>(), many);
    for user in many {
        assert_eq!(room.entry(user, crowd).await.unread, 0);
    }
}

pub(super) async fn all_that_neither_of_two_sees_goes_with_what_stands_below_it(room: &mut Room) {
    let pair = single(ADA, BOB);
    let mut places = Vec::new();
    for n in 0..MANY {
        let place = room.say(ADA, pair).await.server_msg_id;
        ok(room.send(react(BOB, pair, &format!("r{n}"), place, "👍")).await);
        places.push(place);
    }
    for user in [ADA, BOB] {
        let hide =
            Hide { user, conversation: pair, places: places.clone(), device_id: "device".into(), login_version: 0 };
        assert_eq!(ok(room.hide_messages(hide).await).changes.len(), places.len());
        assert!(room.visible(user, pair).await.is_empty());
    }
}

/// What is hidden, recalled and read at the same time may come into one transaction.
pub(super) async fn much_that_is_put_away_at_once_is_counted_once(room: &mut Room) {
    let pair = single(ADA, BOB);
    room.say(BOB, pair).await;
    let mut places = Vec::new();
    for _ in 0..MANY {
        places.push(room.say(ADA, pair).await.server_msg_id);
    }
    let (first, last) = (places[0], *places.last().expect("there are many"));
    let hide = Hide { user: BOB, conversation: pair, places: places.clone(), device_id: "d".into(), login_version: 0 };
    let recalls = places.iter().map(|place| recall(ADA, pair, &format!("gone-{place}"), *place)).collect();
    let (kind, device_id) = (MarkKind::Delivered, "d".into());
    let mark = Mark { user: BOB, conversation: pair, kind, server_msg_id: first, device_id, login_version: 0 };
    let (user, conversation, device_id) = (BOB, pair, "d".into());
    let action = SessionAction::Clear(first);
    let clear = SessionChange { user, conversation, action, device_id, login_version: 0 };
    let (hidden, recalled, marked, cleared) =
        tokio::join!(room.hide_messages(hide), room.append(recalls), room.mark(mark), room.change_session(clear));
    assert_eq!((ok(hidden).changes.len(), all_ok(recalled).len()), (places.len(), places.len()));
    ok(marked);
    ok(cleared);
    assert_eq!(room.read(BOB, pair, last).await.unread, 0);
    assert_eq!((room.entry(BOB, pair).await.unread, room.visible(BOB, pair).await), (0, vec![]));
}

/// What a transaction writes is bounded by what comes, and not by what is there.
pub(super) async fn many_of_the_largest_messages_change_at_once(room: &mut Room) {
    let pair = single(ADA, BOB);
    let large = |n: u64| NewMessage {
        content: format!("{n}").into(),
        attachment: vec![n as u8; BODY_BYTES_MAX - 8].into(),
        ..text(ADA, pair, &format!("large-{n}"))
    };
    for n in 0..TURN {
        ok(room.send(large(n)).await);
    }
    let places =
        all_ok(room.append((0..TURN).map(|n| react(BOB, pair, &format!("r-{n}"), n + 1, "+1")).collect()).await);
    assert_eq!(places.len() as u64, TURN);
    let page = ok(room.read_log(BOB, pair, WHOLE).await);
    for (n, message) in (0..).zip(&page.messages) {
        assert_eq!((message.attachment.len(), message.revision.changed), (BODY_BYTES_MAX - 8, TURN + 1 + n));
    }
}
