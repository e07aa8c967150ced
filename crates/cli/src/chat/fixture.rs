//! A chat without terminal and connection, for tests: alice's model, and what happens to it in words.

use std::sync::Arc;

use anser_client::{Event as Said, Group, History, Message, NoticeKind, Pin, Session, State, Status, User};
use anser_proto::{ConversationId, GroupId, UserId, v1};
use crossterm::event::{Event as Key, KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;

use super::{
    model::Model,
    text::Text,
    update::{Answer, Effect, Event, update},
};
use crate::lang::Lang;

/// 2026-11-23 16:30 UTC.
pub const NOW: u64 = 1_795_451_400_000;
pub const MINUTE: u64 = 60_000;
pub const BOB: u64 = 8;
const ALICE: u64 = 7;
pub const CAROL: u64 = 9;
const DAVE: u64 = 10;
pub const GROUP: GroupId = GroupId(3);

pub struct Chatting {
    pub model: Model,
    /// Everything that was asked for.
    pub effects: Vec<Effect>,
}

/// As the server tells of them.
fn user_told(id: u64) -> v1::User {
    let (account, nickname) = match id {
        ALICE => ("alice", "Alice"),
        BOB => ("bob", "Bob"),
        CAROL => ("carol", "Carol"),
        _ => ("dave", "Dave"),
    };
    v1::User { user_id: id, account: account.into(), nickname: nickname.into(), ..Default::default() }
}

pub fn user(id: u64) -> User {
    user_told(id).into()
}

pub fn with(peer: u64) -> ConversationId {
    ConversationId::single(UserId(ALICE), UserId(peer))
}

impl Chatting {
    /// Alice is logged in and has no conversations yet.
    pub fn new(lang: Lang, size: (u16, u16)) -> Self {
        let mut made = 0;
        let next_id = move || {
            made += 1;
            format!("own-{made}").parse().expect("visible ASCII")
        };
        let mut model = Model::new(Text(lang), TimeZone::UTC, "alice".into(), next_id);
        model.size = size;
        let mut chat = Self { model, effects: Vec::new() };
        chat.happen(Event::Clock(NOW));
        chat.receive(Said::Profile(user(ALICE)));
        chat.receive(Said::State(State::CaughtUp));
        chat
    }

    pub fn me(&self) -> u64 {
        ALICE
    }

    pub fn happen(&mut self, event: Event) -> &mut Self {
        self.effects.extend(update(&mut self.model, event));
        self
    }

    pub fn receive(&mut self, said: Said) -> &mut Self {
        self.happen(Event::Client(said))
    }

    pub fn answer(&mut self, answer: Answer) -> &mut Self {
        self.happen(Event::Answer(answer))
    }

    /// Takes what was asked for since the last time.
    pub fn asked(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.happen(Event::Terminal(Key::Resize(columns, rows)))
    }

    /// `Enter`, `Alt-Enter`, `Ctrl-w`, `PageUp` …
    pub fn key(&mut self, name: &str) -> &mut Self {
        let (modifiers, name) = match name.split_once('-') {
            Some(("Ctrl", rest)) => (KeyModifiers::CONTROL, rest),
            Some(("Alt", rest)) => (KeyModifiers::ALT, rest),
            _ => (KeyModifiers::NONE, name),
        };
        let code = match name {
            "Enter" => KeyCode::Enter,
            "Tab" => KeyCode::Tab,
            "Esc" => KeyCode::Esc,
            "F1" => KeyCode::F(1),
            "Up" => KeyCode::Up,
            "Down" => KeyCode::Down,
            "Left" => KeyCode::Left,
            "Home" => KeyCode::Home,
            "End" => KeyCode::End,
            "PageUp" => KeyCode::PageUp,
            "PageDown" => KeyCode::PageDown,
            "Backspace" => KeyCode::Backspace,
            other => KeyCode::Char(other.chars().next().expect("a key has a name")),
        };
        self.happen(Event::Terminal(Key::Key(KeyEvent::new(code, modifiers))))
    }

    /// Types a line or several and sends them.
    pub fn write(&mut self, text: &str) -> &mut Self {
        for char in text.chars() {
            let name = if char == '\n' { "Ctrl-j".to_owned() } else { char.to_string() };
            self.key(&name);
        }
        self.key("Enter")
    }

    pub fn session(&mut self, session: v1::Session) -> &mut Self {
        self.entry(Session::from_wire(session).expect("of a conversation"))
    }

    fn entry(&mut self, session: Session) -> &mut Self {
        self.receive(Said::Session(Arc::new(session)))
    }

    pub fn carol_wrote(&mut self, unread: u64) -> &mut Self {
        let last = preview(CAROL, "Carol", "the geese are back", NOW - 5 * MINUTE);
        let conversation_id = with(CAROL).to_string();
        let (peer, last) = (Some(user_told(CAROL)), Some(last));
        self.session(v1::Session { conversation_id, head: unread, unread, peer, last, ..Default::default() })
    }

    pub fn in_group(&mut self, name: &str, from: &str, content: &str) -> &mut Self {
        let group = v1::Group {
            group_id: GROUP.0,
            name: name.into(),
            member_count: 5,
            role: v1::group::Role::Member.into(),
            ..Default::default()
        };
        let last = Some(preview(DAVE, from, content, NOW - 26 * 60 * MINUTE));
        let conversation_id = ConversationId::Group(GROUP).to_string();
        self.session(v1::Session { conversation_id, head: 9, group: Some(group), last, ..Default::default() })
    }

    /// With nothing said in it.
    pub fn open_bob(&mut self) -> &mut Self {
        self.answer(Answer::Found { account: "bob".into(), user: Ok(Some(user(BOB))) });
        self.history(with(BOB))
    }

    pub fn open_group(&mut self) -> &mut Self {
        self.write("/to group_3");
        self.history(ConversationId::Group(GROUP))
    }

    fn history(&mut self, conversation: ConversationId) -> &mut Self {
        let page = Ok(History::default());
        self.answer(Answer::History { conversation, page })
    }

    /// A message came in the conversation with bob.
    pub fn said(&mut self, id: u64, from: u64, time_ms: u64, content: &str) -> &mut Self {
        let message = message(with(BOB), id, from, time_ms, content);
        let last = preview(from, "Bob", content, time_ms);
        let mut session = (*self.model.sessions[&with(BOB)]).clone();
        (session.head, session.last) = (id, Some(last.into()));
        self.receive(Said::Message(Arc::new(message))).entry(session)
    }

    /// A message in the conversation with bob is another one now.
    pub fn changed(&mut self, id: u64, change: impl FnOnce(&mut v1::Message)) -> &mut Self {
        let mut now = told(with(BOB), id, BOB, NOW, "");
        change(&mut now);
        self.receive(Said::Changed(Arc::new(Message::from_wire(now).expect("in a conversation"))))
    }

    pub fn notice(&mut self, id: u64, kind: NoticeKind, operator: u64, whom: &[u64]) -> &mut Self {
        let mut told = told(ConversationId::Group(GROUP), id, operator, NOW, "");
        told.r#type = v1::message::Type::Notice.into();
        let kind = v1::notice::Kind::from(kind).into();
        told.notice = Some(v1::Notice { kind, operator_id: operator, user_ids: whom.to_vec(), ..Default::default() });
        self.receive(Said::Message(Arc::new(Message::from_wire(told).expect("in a conversation"))))
    }

    /// Bob pins a message of theirs; the notice has this id.
    pub fn pinned(&mut self, id: u64, target: u64) -> &mut Self {
        let mut notice = told(with(BOB), id, BOB, NOW, "");
        notice.r#type = v1::message::Type::Notice.into();
        let kind = v1::notice::Kind::Pinned.into();
        notice.notice = Some(v1::Notice { kind, operator_id: BOB, server_msg_id: target, ..Default::default() });
        self.receive(Said::Message(Arc::new(Message::from_wire(notice).expect("in a conversation"))));
        self.changed(target, |now| {
            (now.changed, now.pinned, now.content) = (id, id, format!("as it is now {target}"));
        })
    }

    /// As it is listed.
    pub fn pin(&self, target: u64) -> Pin {
        let message = told(with(BOB), target, BOB, NOW, &format!("as it is now {target}"));
        Pin::from_wire(v1::Pin { message: Some(message), pinned_by: BOB }).expect("in a conversation")
    }

    /// How far bob has received and read.
    pub fn bob_has(&mut self, delivered: u64, read: u64) -> &mut Self {
        let mut session = (*self.model.sessions[&with(BOB)]).clone();
        (session.peer_delivered_mark, session.peer_read_mark) = (delivered, read);
        self.entry(session)
    }

    /// Of the n-th message that was written here.
    pub fn status(&mut self, nth: u64, status: Status) -> &mut Self {
        let client_msg_id = format!("own-{nth}").parse().expect("visible ASCII");
        let conversation = self.model.outgoing.iter().find(|outgoing| outgoing.client_msg_id == client_msg_id);
        let conversation = conversation.map_or(with(BOB), |outgoing| outgoing.conversation);
        self.receive(Said::Status { conversation, client_msg_id, status })
    }

    pub fn typing(&mut self, user: u64) -> &mut Self {
        self.receive(Said::Typing { conversation: with(user), user: UserId(user) })
    }
}

pub fn message(conversation: ConversationId, id: u64, from: u64, time_ms: u64, content: &str) -> Message {
    Message::from_wire(told(conversation, id, from, time_ms, content)).expect("in a conversation")
}

pub fn group(group: v1::Group) -> Box<Group> {
    Box::new(group.into())
}

pub fn page(messages: Vec<Arc<Message>>, more: bool) -> History {
    let mut page = History::default();
    (page.messages, page.more) = (messages, more);
    page
}

fn told(conversation: ConversationId, id: u64, from: u64, time_ms: u64, content: &str) -> v1::Message {
    v1::Message {
        conversation_id: conversation.to_string(),
        server_msg_id: id,
        client_msg_id: format!("{from}-{id}"),
        from_id: from,
        from_nickname: user_told(from).nickname,
        r#type: v1::message::Type::Text.into(),
        content: content.into(),
        server_time_ms: time_ms,
        ..Default::default()
    }
}

fn preview(from_id: u64, nickname: &str, content: &str, time_ms: u64) -> v1::Preview {
    v1::Preview {
        from_id,
        from_nickname: nickname.into(),
        r#type: v1::message::Type::Text.into(),
        content: content.into(),
        server_time_ms: time_ms,
        ..Default::default()
    }
}
