//! What the chat does, in words of the person who uses it.

use anser_client::{Act, Edit, Error, Event as Said, NoticeKind, Place, State, Status};
use anser_proto::{ErrorCode, limits::BODY_BYTES_MAX, v1};
use crossterm::event::Event as Key;
use std::sync::Arc;

use super::{
    fixture::{BOB, Chatting, MINUTE, NOW, group, message, page, user, with},
    model::{Focus, Overlay, Tick},
    update::{Answer, Effect, Event, OwnAct},
};
use crate::lang::Lang;

fn alice() -> Chatting {
    Chatting::new(Lang::En, (80, 12))
}

fn with_bob() -> Chatting {
    let mut chat = alice();
    chat.open_bob().asked();
    chat
}

fn note(chat: &Chatting) -> &str {
    chat.model.note.as_ref().map_or("", |note| note.words.as_str())
}

fn sends(effects: &[Effect]) -> Vec<&str> {
    let contents = effects.iter().filter_map(|effect| match effect {
        Effect::Send { content, .. } => Some(content.as_str()),
        _ => None,
    });
    contents.collect()
}

#[test]
fn enter_sends_and_shows_the_message_at_once() {
    let mut chat = with_bob();
    chat.write("hello");
    assert_eq!(sends(&chat.asked()), ["hello"]);
    assert!(chat.model.input.is_empty());
    assert_eq!(chat.model.outgoing[0].tick(), Tick::Waiting);
}

#[test]
fn a_sent_message_is_shown_once_whatever_comes_first() {
    let place = Place { server_msg_id: 1, server_time_ms: NOW };
    for shown_first in [true, false] {
        let mut chat = with_bob();
        chat.write("hello");
        let mut stored = message(with(BOB), 1, chat.me(), NOW, "hello");
        stored.client_msg_id = "own-1".into();
        if !shown_first {
            chat.status(1, Status::Sent(place));
            assert_eq!(chat.model.outgoing[0].tick(), Tick::Sent);
        }
        chat.receive(Said::Message(Arc::new(stored))).status(1, Status::Sent(place));
        assert!(chat.model.outgoing.is_empty());
        assert_eq!(chat.model.open.as_ref().map(|timeline| timeline.messages.len()), Some(1));
    }
}

#[test]
fn a_new_line_is_written_with_alt_enter_and_nothing_is_sent_for_spaces() {
    let mut chat = with_bob();
    chat.key("a").key("Alt-Enter").key("b").key("Enter");
    assert_eq!(sends(&chat.asked()), ["a\nb"]);
    chat.write("   ");
    assert!(sends(&chat.asked()).is_empty());
}

#[test]
fn what_is_pasted_is_not_sent_by_its_line_ends() {
    let mut chat = with_bob();
    chat.happen(Event::Terminal(Key::Paste("one\r\ntwo\n".into())));
    assert!(sends(&chat.asked()).is_empty());
    chat.key("Enter");
    assert_eq!(sends(&chat.asked()), ["one\ntwo"]);
}

#[test]
fn a_message_over_the_limit_stays_in_the_input() {
    let mut chat = with_bob();
    chat.happen(Event::Terminal(Key::Paste("鸿".repeat(BODY_BYTES_MAX / 3 + 1)))).key("Enter");
    assert!(sends(&chat.asked()).is_empty() && note(&chat).contains("too long"));
    assert!(!chat.model.input.is_empty());
}

#[test]
fn what_could_not_be_queued_goes_back_into_the_input() {
    let mut chat = with_bob();
    chat.write("hello");
    let client_msg_id = chat.model.outgoing[0].client_msg_id.clone();
    chat.answer(Answer::NotSent { client_msg_id, error: Error::Busy });
    assert_eq!((chat.model.input.text(), chat.model.outgoing.len()), ("hello", 0));
}

#[test]
fn a_refused_message_is_tried_again_with_the_same_id_or_discarded() {
    let forbidden = || v1::Error { code: ErrorCode::Forbidden.into(), ..Default::default() };
    let refused = || Status::Failed(forbidden().into());
    let mut chat = with_bob();
    chat.write("hello").status(1, refused());
    assert!(note(&chat).contains("not sent to Bob"));
    let first = chat.asked().into_iter().find(|effect| matches!(effect, Effect::Send { .. }));
    chat.write("/retry");
    assert_eq!(chat.asked().into_iter().find(|effect| matches!(effect, Effect::Send { .. })), first);
    assert_eq!(chat.model.outgoing[0].tick(), Tick::Waiting);
    chat.status(1, refused()).write("/discard");
    assert!(chat.model.outgoing.is_empty() && matches!(chat.asked().last(), Some(Effect::Discard { .. })));
}

#[test]
fn the_newest_message_is_read_when_it_is_on_the_screen() {
    let mark = |id| Effect::MarkRead { conversation: with(BOB), server_msg_id: id };
    let mut chat = with_bob();
    chat.said(1, BOB, NOW, "hi");
    assert_eq!(chat.asked(), [mark(1)]);
    chat.happen(Event::Terminal(Key::FocusLost)).asked();
    chat.said(2, BOB, NOW, "still there?");
    assert_eq!(chat.asked(), []);
    chat.happen(Event::Terminal(Key::FocusGained));
    assert!(chat.asked().contains(&mark(2)));
}

#[test]
fn nothing_is_read_before_the_history_is_on_the_screen() {
    let mut chat = alice();
    chat.answer(Answer::Found { account: "bob".into(), user: Ok(Some(user(BOB))) }).said(9, BOB, NOW, "hi");
    let marks = |effects: Vec<Effect>| effects.iter().any(|effect| matches!(effect, Effect::MarkRead { .. }));
    assert!(!marks(chat.asked()));
    let messages = vec![Arc::new(message(with(BOB), 8, BOB, NOW, "before"))];
    chat.answer(Answer::History { conversation: with(BOB), page: Ok(page(messages, false)) });
    assert!(marks(chat.asked()));
    assert_eq!(chat.model.open.as_ref().and_then(|timeline| timeline.unread_line()), Some(8));
}

#[test]
fn further_up_nothing_is_marked_as_read_and_nothing_moves() {
    let mut chat = with_bob();
    for id in 1..=20 {
        chat.said(id, BOB, NOW - 30 * MINUTE, "before");
    }
    chat.key("PageUp").asked();
    let scroll = chat.model.open.as_ref().map(|timeline| timeline.scroll);
    chat.said(21, BOB, NOW, "new");
    let timeline = chat.model.open.as_ref().expect("bob is open");
    // The new message and the line before it.
    assert_eq!((Some(timeline.scroll), timeline.new_below), (scroll.map(|scroll| scroll + 2), 1));
    assert_eq!(chat.asked(), []);
    chat.key("Esc");
    assert_eq!(chat.asked(), [Effect::MarkRead { conversation: with(BOB), server_msg_id: 21 }]);
}

#[test]
fn older_messages_come_when_their_end_is_reached() {
    let mut chat = alice();
    chat.answer(Answer::Found { account: "bob".into(), user: Ok(Some(user(BOB))) }).asked();
    let old = |ids: std::ops::Range<u64>| {
        let messages = ids.map(|id| Arc::new(message(with(BOB), id, BOB, NOW, "old"))).collect();
        Ok(page(messages, true))
    };
    let conversation = with(BOB);
    chat.answer(Answer::History { conversation, page: old(100..150) }).asked();
    chat.key("Home");
    assert_eq!(chat.asked(), [Effect::ReadHistory { conversation, before: Some(100) }]);
    chat.key("Up");
    assert_eq!(chat.asked(), [], "they are asked for once");
    chat.answer(Answer::History { conversation, page: old(50..100) }).key("Home");
    assert_eq!(chat.asked(), [Effect::ReadHistory { conversation, before: Some(50) }]);
}

#[test]
fn the_unread_line_waits_until_the_first_unread_message_is_here() {
    let mut chat = alice();
    let peer = Some(v1::User { user_id: BOB, account: "bob".into(), ..Default::default() });
    let conversation = with(BOB);
    let conversation_id = conversation.to_string();
    chat.session(v1::Session { conversation_id, head: 99, read_mark: 30, peer, ..Default::default() }).key("Enter");
    let line = |chat: &Chatting| chat.model.open.as_ref().and_then(|timeline| timeline.unread_line());
    for (ids, expected) in [(70..100, None), (40..70, None), (10..40, Some(31)), (1..10, Some(31))] {
        let more = ids.start > 1;
        let messages = ids.map(|id| Arc::new(message(conversation, id, BOB, NOW, "old"))).collect();
        chat.answer(Answer::History { conversation, page: Ok(page(messages, more)) });
        assert_eq!(line(&chat), expected);
    }
}

#[test]
fn what_could_not_be_loaded_offline_is_loaded_once_connected() {
    let mut chat = alice();
    chat.answer(Answer::Found { account: "bob".into(), user: Ok(Some(user(BOB))) }).asked();
    let conversation = with(BOB);
    chat.answer(Answer::History { conversation, page: Err(Error::Offline) });
    assert_eq!(chat.asked(), []);
    chat.receive(Said::State(State::CaughtUp));
    assert_eq!(chat.asked(), [Effect::ReadHistory { conversation, before: None }]);
}

#[test]
fn somebody_new_is_looked_up_as_soon_as_there_is_a_connection() {
    let mut chat = alice();
    chat.receive(Said::State(State::Offline { retry_at_ms: NOW + 1_000 })).asked();
    chat.write("/to bob");
    assert_eq!((chat.asked(), note(&chat)), (vec![], "bob opens once connected"));
    chat.receive(Said::State(State::Connected));
    assert_eq!(chat.asked(), [Effect::Find("bob".into())]);
    chat.answer(Answer::Found { account: "bob".into(), user: Ok(None) });
    assert_eq!(note(&chat), "there is no user bob");
}

#[test]
fn a_new_name_is_shown_as_soon_as_it_is_received() {
    let mut chat = with_bob();
    let title = |chat: &Chatting| chat.model.title(with(BOB));
    let mut renamed = message(with(BOB), 1, BOB, NOW, "guess who");
    renamed.from_nickname = "Robert".into();
    chat.receive(Said::Message(Arc::new(renamed))).bob_has(0, 0);
    assert_eq!(title(&chat), "Robert", "the entry of the list still says Bob");
    let peer = Some(v1::User { user_id: BOB, account: "bob".into(), nickname: "Bobby".into(), ..Default::default() });
    let conversation_id = with(BOB).to_string();
    chat.session(v1::Session { conversation_id, head: 1, peer, ..Default::default() });
    assert_eq!(title(&chat), "Bobby");
}

#[test]
fn ones_own_account_opens_the_own_notes() {
    let mut chat = alice();
    chat.write("/to alice");
    let conversation = chat.model.open_id().expect("it is open");
    assert_eq!(chat.model.title(conversation), "Notes to myself");
}

#[test]
fn a_group_is_made_and_opened() {
    let mut chat = alice();
    chat.write("/group Geese bob carol");
    let accounts = vec!["bob".into(), "carol".into()];
    assert_eq!(chat.asked(), [Effect::CreateGroup { name: "Geese".into(), accounts }]);
    let geese = v1::Group { group_id: 3, name: "Geese".into(), member_count: 3, ..Default::default() };
    chat.answer(Answer::GroupMade(group(geese)));
    assert_eq!(chat.model.title(chat.model.open_id().expect("it is open")), "Geese");
    chat.asked();
    chat.write("/leave");
    assert!(chat.asked().contains(&Effect::Leave(anser_proto::GroupId(3))));
}

#[test]
fn a_groups_size_is_asked_anew_when_somebody_joins() {
    let mut chat = alice();
    chat.in_group("Geese", "Dave", "hi").open_group().answer(Answer::Group(None)).asked();
    let ask = Effect::ReadGroup(anser_proto::GroupId(3));
    let asked = |chat: &mut Chatting| chat.asked().into_iter().filter(|effect| *effect == ask).count();
    for id in 10..20 {
        chat.notice(id, NoticeKind::Joined, BOB, &[id]);
    }
    assert_eq!(asked(&mut chat), 1, "once at a time");
    let geese = v1::Group { group_id: 3, name: "Geese".into(), member_count: 15, role: 1, ..Default::default() };
    chat.answer(Answer::Group(Some(group(geese))));
    assert_eq!(asked(&mut chat), 1, "and again for those who joined since");
    let conversation = chat.model.open_id().expect("it is open");
    assert_eq!(chat.model.sessions[&conversation].group.as_ref().map(|group| group.member_count), Some(15));
}

#[test]
fn commands_for_groups_say_so_elsewhere() {
    let mut chat = with_bob();
    chat.write("/invite carol");
    assert!(note(&chat).contains("works in a group") && chat.asked().is_empty());
}

#[test]
fn a_wrong_command_is_never_sent_and_stays_to_be_fixed() {
    let mut chat = with_bob();
    chat.write("/invte carol");
    assert!(sends(&chat.asked()).is_empty());
    assert_eq!((chat.model.input.text(), note(&chat).contains("/invite")), ("/invte carol", true));
}

#[test]
fn what_was_begun_waits_in_its_conversation() {
    let mut chat = with_bob();
    chat.carol_wrote(1).key("x").key("y").key("Alt-Down");
    assert_eq!((chat.model.open_id(), chat.model.input.text()), (Some(with(9)), ""));
    chat.key("Alt-Up");
    assert_eq!((chat.model.open_id(), chat.model.input.text()), (Some(with(BOB)), "xy"));
}

#[test]
fn keys_lead_from_list_to_input_and_back() {
    let mut chat = alice();
    chat.carol_wrote(1);
    assert_eq!(chat.model.focus, Focus::List);
    chat.key("Enter");
    assert_eq!((chat.model.focus, chat.model.open_id()), (Focus::Input, Some(with(9))));
    chat.key("Tab").key("?");
    assert_eq!((chat.model.focus, &chat.model.overlay), (Focus::List, &Some(Overlay::Help)));
    chat.key("Esc").key("h").key("i");
    assert_eq!((chat.model.focus, chat.model.input.text()), (Focus::Input, "hi"), "who types means to write");
    chat.asked();
    chat.key("Ctrl-c");
    assert_eq!(chat.asked(), [Effect::Quit]);
}

#[test]
fn typing_is_told_seldom_and_never_of_commands() {
    let mut chat = with_bob();
    chat.key("h").key("e").key("y");
    assert_eq!(chat.asked(), [Effect::Type(with(BOB))]);
    chat.key("Ctrl-u").happen(Event::Clock(NOW + MINUTE)).key("/").key("t");
    assert_eq!(chat.asked(), []);
}

#[test]
fn somebody_who_writes_is_shown_for_a_while() {
    let mut chat = with_bob();
    chat.typing(BOB);
    assert_eq!(chat.model.writers(with(BOB)), ["Bob"]);
    chat.happen(Event::Clock(NOW + 10_000));
    assert!(chat.model.writers(with(BOB)).is_empty());
    chat.typing(BOB).said(1, BOB, NOW, "here it is");
    assert!(chat.model.writers(with(BOB)).is_empty());
}

fn change_of(effects: &[Effect]) -> Option<&Act> {
    effects.iter().find_map(|effect| match effect {
        Effect::Change { act, .. } => Some(act),
        _ => None,
    })
}

#[test]
fn commands_are_about_the_newest_message_or_the_one_with_the_number() {
    let mut chat = with_bob();
    let me = chat.me();
    chat.said(1, BOB, NOW, "hi").said(2, me, NOW, "hallo").said(3, BOB, NOW, "what?").asked();
    let mut check = |line: &str, act: &Act| {
        chat.write(line);
        assert_eq!(change_of(&chat.asked()), Some(act), "{line}");
    };
    check("/edit hello", &Act::Edit(2.into(), Edit::text("hello")));
    check("/recall", &Act::Recall(2.into()));
    check("/recall #1", &Act::Recall(1.into()));
    check("/react 👍 🎉", &Act::React(3, vec!["👍".into(), "🎉".into()]));
    check("/react #1", &Act::React(1, Vec::new()));
    check("/pin", &Act::Pin(3));
    check("/pin #1", &Act::Pin(1));
    check("/unpin #1", &Act::Unpin(1));
    chat.write("/reply #1 yes");
    let answers = chat.asked().into_iter().find_map(|effect| match effect {
        Effect::Send { content, reply_to, .. } => Some((content, reply_to)),
        _ => None,
    });
    assert_eq!(answers, Some(("yes".into(), Some(1))));
    for (line, why) in [("/recall #9", "no message #9"), ("/edit #3 no", "only your own")] {
        chat.write(line);
        assert!(note(&chat).contains(why) && change_of(&chat.asked()).is_none(), "{line}: {}", note(&chat));
    }
}

#[test]
fn a_change_that_is_refused_is_told_and_forgotten() {
    let mut chat = with_bob();
    let me = chat.me();
    chat.said(1, me, NOW, "hallo").asked();
    chat.write("/edit hello").asked();
    let gone = v1::Error { code: ErrorCode::Gone.into(), ..Default::default() };
    chat.status(1, Status::Failed(gone.into()));
    assert!(note(&chat).contains("not changed in Bob: the message is recalled"), "{}", note(&chat));
    assert!(matches!(&chat.asked()[..], [Effect::Discard { .. }]));
    assert!(chat.model.outgoing.is_empty() && chat.model.changing.is_empty());
}

#[test]
fn after_dropped_events_everything_is_read_anew() {
    let mut chat = with_bob();
    chat.receive(Said::Lagged(9));
    let history = Effect::ReadHistory { conversation: with(BOB), before: None };
    assert_eq!(chat.asked(), [Effect::ReadSessions, Effect::ReadUnsent, history]);
}

#[test]
fn who_asks_to_be_a_contact_is_announced_once() {
    let mut chat = alice();
    chat.asked();
    chat.receive(Said::People);
    assert_eq!(chat.asked(), [Effect::ReadRequests]);
    for told in [true, false] {
        chat.model.note = None;
        chat.answer(Answer::Requests(vec![user(BOB)]));
        assert_eq!(note(&chat).contains("asks to be a contact: /add "), told, "{}", note(&chat));
    }
}

#[test]
fn what_is_ones_own_is_asked_for_the_conversation_that_is_open() {
    let mut chat = with_bob();
    chat.said(1, BOB, NOW, "hi").said(2, BOB, NOW, "there").asked();
    let head = chat.model.sessions[&with(BOB)].head;
    for (line, act) in [
        ("/top on", OwnAct::Top(true)),
        ("/snooze 1", OwnAct::Snooze(chat.model.now_ms + 60_000)),
        ("/unread", OwnAct::MarkUnread),
        ("/clear", OwnAct::Clear(head)),
        ("/close", OwnAct::Close(head)),
        ("/hide", OwnAct::Hide(2)),
        ("/hide #1", OwnAct::Hide(1)),
    ] {
        chat.write(line);
        let own = chat.asked().into_iter().find(|effect| matches!(effect, Effect::Own { .. }));
        assert_eq!(own, Some(Effect::Own { conversation: with(BOB), act }), "{line}");
    }
    chat.write("/read #1");
    assert!(note(&chat).contains("group"), "{}", note(&chat));
    chat.write("/hide #9");
    assert!(note(&chat).contains("no message #9"), "{}", note(&chat));
    chat.receive(Said::Hidden { conversation: with(BOB), server_msg_id: 2 });
    assert_eq!(chat.model.open.as_ref().and_then(|timeline| timeline.last()), Some(1));
}
