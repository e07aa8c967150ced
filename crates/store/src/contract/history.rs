//! Cases of what newcomers of a group see of what was said before.

use anser_proto::v1::message::Type;

use super::room::*;
use crate::{
    Error, GroupChange, HISTORY_LOOKED_AT, History, MessageChange, NewMessage, Refusal, Stretch, Target, What,
};

impl Room {
    async fn show(&self, of: anser_proto::ConversationId, history: History) {
        let change = GroupChange { history: Some(history), ..GroupChange::default() };
        ok(self.update(ADA, of, change).await);
    }
}

fn reaction(from: anser_proto::UserId, to: anser_proto::ConversationId, place: u64, id: &str) -> NewMessage {
    let change = MessageChange { target: Target::Place(place), what: What::React };
    let kind = Type::Reaction.into();
    NewMessage { kind, content: id.into(), change: Some(change), counted: false, ..text(from, to, id) }
}

pub(super) async fn a_newcomer_sees_nothing_all_or_the_last_of_before(room: &mut Room) {
    for (id, history, seen) in [
        (1, History::None, vec![6]),
        (2, History::All, vec![1, 2, 3, 4, 5, 6]),
        (3, History::Last(2), vec![4, 5, 6]),
        (4, History::Last(200), vec![1, 2, 3, 4, 5, 6]),
    ] {
        let crowd = room.found(id, ADA, &[BOB]).await;
        // The change to what it is already makes no entry.
        let update = if history == History::None { History::Last(9) } else { history };
        room.show(crowd, update).await; // 2
        room.say(ADA, crowd).await; // 3
        room.say(BOB, crowd).await; // 4
        match history {
            History::None => room.show(crowd, History::None).await, // 5
            _ => drop(room.say(ADA, crowd).await),
        }
        ok(room.invite(BOB, crowd, &[CYD]).await); // 6
        assert_eq!(room.visible(CYD, crowd).await, seen, "{history:?}");
        let entry = room.entry(CYD, crowd).await;
        assert_eq!((entry.first, entry.head, entry.read_mark, entry.unread), (seen[0], 6, 6, 0), "{history:?}");
        let members = ok(room.member_ids(id_of(crowd)).await).members;
        assert!(members.contains(&(CYD, seen[0])), "{history:?}: {members:?}");
        let shown = ok(room.store().group(CYD, id_of(crowd)).await).0;
        assert_eq!(shown.history, history);
    }
}

pub(super) async fn a_later_change_of_the_setting_moves_nobody(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    room.say(ADA, crowd).await; // 2
    ok(room.invite(ADA, crowd, &[BOB]).await); // 3
    room.show(crowd, History::All).await; // 4
    assert_eq!(room.visible(BOB, crowd).await, [3, 4]);
    ok(room.invite(ADA, crowd, &[CYD]).await); // 5
    room.show(crowd, History::None).await; // 6
    assert_eq!(room.visible(CYD, crowd).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(room.visible(BOB, crowd).await, [3, 4, 5, 6]);
    ok(room.leave(CYD, crowd).await); // 7
    room.say(ADA, crowd).await; // 8
    room.reopen().await;
    assert_eq!(room.visible(CYD, crowd).await, [1, 2, 3, 4, 5, 6, 7], "what they saw they see");
}

pub(super) async fn who_comes_back_sees_by_the_setting_of_then_and_each_message_once(room: &mut Room) {
    for (id, history, seen) in [
        (1, History::None, vec![1, 2, 3, 7, 8]),
        (2, History::Last(1), vec![1, 2, 3, 6, 7, 8]),
        (3, History::Last(4), vec![1, 2, 3, 4, 5, 6, 7, 8]),
        (4, History::All, vec![1, 2, 3, 4, 5, 6, 7, 8]),
    ] {
        let crowd = room.found(id, ADA, &[BOB]).await;
        room.say(BOB, crowd).await; // 2
        ok(room.leave(BOB, crowd).await); // 3
        room.say(ADA, crowd).await; // 4
        let other = if history == History::None { History::All } else { history };
        room.show(crowd, other).await; // 5
        match history {
            History::None => room.show(crowd, History::None).await, // 6
            _ => drop(room.say(ADA, crowd).await),
        }
        ok(room.invite(ADA, crowd, &[BOB]).await); // 7
        room.say(ADA, crowd).await; // 8
        assert_eq!(room.visible(BOB, crowd).await, seen, "{history:?}");
        assert_eq!(room.entry(BOB, crowd).await.unread, 1, "what was said since they came back");
        for (stretch, expected) in [
            (Stretch { after: Some(0), before: 0, limit: 3, bytes_max: usize::MAX }, &seen[..3]),
            (Stretch { after: None, before: 0, limit: 3, bytes_max: usize::MAX }, &seen[seen.len() - 3..]),
        ] {
            let page = ok(room.read_log(BOB, crowd, stretch).await);
            let ids: Vec<_> = page.messages.iter().map(|message| message.server_msg_id).collect();
            assert_eq!((ids, page.more), (expected.to_vec(), true), "{history:?}");
        }
    }
}

pub(super) async fn what_a_newcomer_sees_of_before_they_react_and_reply_to(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    room.say(ADA, crowd).await; // 2
    room.say(ADA, crowd).await; // 3
    room.show(crowd, History::Last(2)).await; // 4
    ok(room.invite(ADA, crowd, &[BOB]).await); // 5
    let not_found = Err(Error::Refused(Refusal::NotFound("message")));
    assert_eq!(room.send(reaction(BOB, crowd, 2, "a")).await, not_found, "3 and 4 are the last two");
    assert_eq!(room.send(NewMessage { reply_to: 2, ..text(BOB, crowd, "b") }).await, not_found);
    let reacted = ok(room.send(reaction(BOB, crowd, 3, "c")).await); // 6
    assert_eq!(reacted.changed.expect("the message").server_msg_id, 3);
    ok(room.send(NewMessage { reply_to: 3, ..text(BOB, crowd, "d") }).await); // 7
    ok(room.send(reaction(ADA, crowd, 2, "e")).await); // 8
    let page = ok(room.read_log(BOB, crowd, Stretch { after: Some(5), ..WHOLE }).await);
    let ids = |messages: &[crate::Message]| messages.iter().map(|one| one.server_msg_id).collect::<Vec<_>>();
    assert_eq!((ids(&page.messages), ids(&page.changed), page.through), (vec![7], vec![3], 8));
    assert_eq!(page.references.iter().map(|of| of.server_msg_id).collect::<Vec<_>>(), [3]);
}

pub(super) async fn silent_entries_are_none_of_the_last_messages(room: &mut Room) {
    let crowd = room.found(1, ADA, &[]).await;
    room.show(crowd, History::Last(2)).await; // 2
    room.say(ADA, crowd).await; // 3
    room.say(ADA, crowd).await; // 4
    let silent = (0..5).map(|n| reaction(ADA, crowd, 3, &format!("r-{n}")));
    all_ok(room.append(silent.collect()).await);
    ok(room.invite(ADA, crowd, &[BOB]).await); // 10
    assert_eq!((room.visible(BOB, crowd).await, room.entry(BOB, crowd).await.first), (vec![3, 4, 10], 3));
    let many = (0..HISTORY_LOOKED_AT).map(|n| reaction(ADA, crowd, 3, &format!("s-{n}")));
    all_ok(room.append(many.collect()).await);
    ok(room.invite(ADA, crowd, &[CYD]).await);
    assert_eq!(room.entry(CYD, crowd).await.first, 11 + HISTORY_LOOKED_AT, "as far as was looked");
}
