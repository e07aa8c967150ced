//! What the screen shows, in both languages, as text. Colours carry nothing that the words and signs do not say too.

use anser_client::{Event as Said, NoticeKind, State, Status, StopReason};
use anser_proto::{ConversationId, UserId, v1};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer};

use crate::{
    chat::{
        fixture::{BOB, CAROL, Chatting, GROUP, MINUTE, NOW, with},
        model::Overlay,
        update::Answer,
        view,
    },
    lang::Lang,
};

fn screen(chat: &Chatting) -> String {
    let (columns, rows) = chat.model.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a terminal in memory");
    terminal.draw(|frame| view::draw(&chat.model, frame)).expect("drawing in memory");
    words(terminal.backend().buffer())
}

/// The cells as a person sees them: behind a wide character its second cell is no space.
fn words(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut hidden = 0;
        let mut row = String::new();
        for x in 0..buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            if hidden == 0 {
                row.push_str(symbol);
                hidden = crate::chat::input::cells(symbol).saturating_sub(1);
            } else {
                hidden -= 1;
            }
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

/// Bob answered; of alice's messages one was read, one delivered, one waits, one failed. Carol wrote twice.
fn busy(lang: Lang) -> Chatting {
    let mut chat = Chatting::new(lang, (84, 20));
    chat.carol_wrote(2).in_group("街坊", "Dave", "see you at eight 🎉").open_bob();
    chat.said(1, BOB, NOW - 24 * 60 * MINUTE, "hi alice");
    chat.said(2, chat.me(), NOW - 9 * MINUTE, "hello bob, how are you? 你好！");
    chat.said(
        3,
        BOB,
        NOW - 8 * MINUTE,
        "我很好，谢谢。今天天气不错，我们去看大雁吧，它们从北方飞回来了，正在湖边休息。",
    );
    chat.said(4, chat.me(), NOW - 2 * MINUTE, "let's go");
    chat.bob_has(4, 3);
    chat.write("two\nlines");
    chat.write("never");
    let failed = v1::Error { code: v1::error::Code::StoreFull.into(), ..Default::default() };
    chat.status(2, Status::Failed(failed.into()));
    chat
}

#[test]
fn a_conversation_with_all_its_ticks() {
    insta::assert_snapshot!("ticks_en", screen(&busy(Lang::En)));
    insta::assert_snapshot!("ticks_zh", screen(&busy(Lang::Zh)));
}

#[test]
fn what_was_changed_is_shown_as_it_is_now() {
    for (lang, name) in [(Lang::En, "changed_en"), (Lang::Zh, "changed_zh")] {
        let mut chat = Chatting::new(lang, (84, 16));
        chat.open_bob();
        for (id, from) in [(1, BOB), (2, chat.me()), (3, BOB), (4, chat.me())] {
            chat.said(id, from, NOW - 9 * MINUTE, &format!("as it was {id}"));
        }
        chat.changed(1, |now| (now.changed, now.content, now.edits) = (5, "geese 大雁".into(), 2));
        let reaction = |emoji: &str, users: &[u64]| v1::Reaction {
            emoji: emoji.into(),
            count: users.len() as u32,
            user_ids: users.to_vec(),
            mine: false,
        };
        let reactions = vec![reaction("👍", &[chat.me(), BOB]), reaction("🎉", &[BOB])];
        chat.changed(2, |now| {
            (now.changed, now.from_id, now.content) = (6, 7, "where?".into());
            (now.reply_to, now.reactions) = (1, reactions);
        });
        let recalled = v1::message::State::Recalled.into();
        chat.changed(3, |now| (now.changed, now.state, now.recalled_by) = (7, recalled, BOB));
        chat.changed(4, |now| (now.changed, now.from_id, now.content, now.reply_to) = (8, 7, "why?".into(), 3));
        chat.write("/reply #1 yes");
        for key in "/reply".chars() {
            chat.key(&key.to_string());
        }
        insta::assert_snapshot!(name, screen(&chat));
    }
}

#[test]
fn a_small_window_shows_one_pane() {
    let mut chat = busy(Lang::En);
    chat.resize(40, 10);
    insta::assert_snapshot!("small_messages", screen(&chat));
    chat.key("Tab");
    insta::assert_snapshot!("small_list", screen(&chat));
    chat.resize(19, 10);
    assert!(screen(&chat).starts_with("The window is too"));
}

#[test]
fn no_size_is_too_strange_to_draw() {
    let mut chat = busy(Lang::Zh);
    for overlay in [None, Some(Overlay::Help)] {
        chat.model.overlay = overlay;
        for (columns, rows) in (0..64).step_by(3).flat_map(|columns| (0..12).map(move |rows| (columns, rows))) {
            chat.resize(columns, rows);
            screen(&chat);
        }
    }
}

#[test]
fn the_connection_is_told_with_what_helps() {
    let status = |lang: Lang, state: State| {
        let mut chat = Chatting::new(lang, (84, 8));
        chat.receive(Said::State(state));
        let screen = screen(&chat);
        let starts = screen.find(['●', '○', '×']).expect("a status line");
        screen[starts..].to_owned()
    };
    let replaced = || State::Stopped(StopReason::Closed { code: 4501, reason: String::new() });
    let offline = || State::Offline { retry_at_ms: NOW + 2_300 };
    insta::assert_snapshot!(
        "status",
        [
            status(Lang::En, offline()),
            status(Lang::Zh, offline()),
            status(Lang::En, State::CaughtUp),
            status(Lang::Zh, State::CaughtUp),
            status(Lang::En, replaced()),
            status(Lang::Zh, replaced()),
        ]
        .join("")
    );
}

#[test]
fn the_store_of_another_user_is_named() {
    for lang in [Lang::En, Lang::Zh] {
        let mut chat = Chatting::new(lang, (84, 8));
        chat.model.store = Some("/home/alice/chat.db".into());
        let other = StopReason::OtherUser { kept: UserId(BOB), given: UserId(chat.me()) };
        chat.receive(Said::State(State::Stopped(other)));
        assert!(screen(&chat).contains("/home/alice/chat.db"), "{}", screen(&chat));
    }
}

#[test]
fn unread_messages_are_counted_and_have_a_line() {
    let mut chat = Chatting::new(Lang::En, (70, 14));
    chat.carol_wrote(2).open_bob();
    chat.said(1, BOB, NOW - 3 * MINUTE, "read before");
    chat.model.looking = false;
    chat.said(2, BOB, NOW - 2 * MINUTE, "while you were away");
    chat.typing(BOB);
    insta::assert_snapshot!("unread_en", screen(&chat));
}

#[test]
fn pinned_quiet_and_marked_conversations_are_told_apart() {
    let mut chat = Chatting::new(Lang::En, (70, 10));
    chat.carol_wrote(0).open_bob();
    chat.said(1, BOB, NOW, "here");
    let carol = chat.model.sessions[&with(CAROL)].clone();
    let mut carol = (*carol).clone();
    (carol.pinned, carol.marked_unread, carol.quiet_until_ms) = (true, true, u64::MAX);
    chat.receive(Said::Session(std::sync::Arc::new(carol)));
    insta::assert_snapshot!("own_flags_en", screen(&chat));
}

#[test]
fn a_conversation_with_unread_mentions_is_marked() {
    let mut chat = Chatting::new(Lang::En, (70, 10));
    chat.in_group("Geese", "Dave", "@alice?");
    let group = chat.model.sessions[&ConversationId::Group(GROUP)].clone();
    let mut named = (*group).clone();
    (named.unread, named.mentions, named.mentioned_at) = (3, 1, 8);
    chat.receive(Said::Session(std::sync::Arc::new(named)));
    assert!(screen(&chat).contains("@(3)"), "{}", screen(&chat));
    chat.receive(Said::Session(group));
    assert!(!screen(&chat).contains("@("), "{}", screen(&chat));
}

#[test]
fn further_up_a_hint_tells_of_new_messages() {
    let mut chat = Chatting::new(Lang::Zh, (70, 10));
    chat.open_bob();
    for id in 1..=20 {
        chat.said(id, BOB, NOW - 30 * MINUTE + id * MINUTE, &format!("第 {id} 条"));
    }
    chat.key("PageUp");
    let before = screen(&chat);
    chat.said(21, BOB, NOW, "新的");
    let after = screen(&chat);
    assert_eq!(before.lines().nth(3), after.lines().nth(3), "what is read stays where it is");
    insta::assert_snapshot!("further_up_zh", after);
}

#[test]
fn help_is_there_in_both_languages() {
    for (lang, name) in [(Lang::En, "help_en"), (Lang::Zh, "help_zh")] {
        let mut chat = Chatting::new(lang, (84, 30));
        chat.key("F1");
        insta::assert_snapshot!(name, screen(&chat));
    }
}

#[test]
fn in_a_small_window_the_help_can_be_scrolled() {
    let mut chat = Chatting::new(Lang::En, (40, 10));
    chat.key("F1");
    insta::assert_snapshot!("help_small", screen(&chat));
    for _ in 0..200 {
        chat.key("Down");
    }
    assert!(screen(&chat).contains("quit; what waits is kept"));
    chat.key("Up").key("Esc");
    assert!(chat.model.overlay.is_none());
}

#[test]
fn a_group_tells_in_words_what_happened() {
    use NoticeKind::{Created, Demoted, Joined, Left, OwnerChanged, Promoted, Removed};
    for (lang, name) in [(Lang::En, "notices_en"), (Lang::Zh, "notices_zh")] {
        let mut chat = Chatting::new(lang, (84, 16));
        chat.in_group("Geese", "Dave", "welcome").open_group();
        for (at, kind) in [Created, Joined, Removed, Left, OwnerChanged, Promoted, Demoted].into_iter().enumerate() {
            chat.notice(at as u64 + 1, kind, BOB, &[chat.me()]);
        }
        insta::assert_snapshot!(name, screen(&chat));
    }
}

#[test]
fn what_is_pinned_is_told_marked_and_listed() {
    for (lang, name) in [(Lang::En, "pins_en"), (Lang::Zh, "pins_zh")] {
        let mut chat = Chatting::new(lang, (84, 10));
        chat.open_bob();
        chat.said(1, BOB, NOW - 9 * MINUTE, "the pond at noon");
        chat.pinned(2, 1);
        let mut screens = screen(&chat);
        for pins in [Vec::new(), vec![chat.pin(1)]] {
            chat.answer(Answer::Pins(pins));
            screens += &screen(&chat);
        }
        insta::assert_snapshot!(name, screens);
    }
}
