//! Everything that the terminal client knows, and the questions that the screen asks of it. No terminal, no connection.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use anser_client::{
    Act, Blocked, ClientMsgId, Contact, ConversationId, Device, Group, Member, Pin, Queued, Session, State, Status,
    User, UserId,
};
use anser_server::snowflake::made_at_ms;
use jiff::tz::TimeZone;

use super::{input::Input, text::Text, timeline::Timeline, wash};

pub struct Model {
    pub text: Text,
    pub zone: TimeZone,
    /// Makes the id of the next message.
    pub next_id: Box<dyn FnMut() -> ClientMsgId + Send>,
    /// Milliseconds since 1970, as of the last event.
    pub now_ms: u64,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The terminal's window has the focus.
    pub looking: bool,

    pub account: String,
    /// When this chat began, in milliseconds since 1970. Who was made since then is new.
    pub began_ms: u64,
    /// The file of the local store; none: nothing is kept.
    pub store: Option<PathBuf>,
    pub me: Option<User>,
    pub link: State,
    pub sessions: HashMap<ConversationId, Arc<Session>>,
    /// The conversation that is shown.
    pub open: Option<Timeline>,
    /// Own messages that are not in a log yet, in the order in which they were written.
    pub outgoing: Vec<Outgoing>,
    /// Own changes of messages that are on their way.
    pub changing: HashSet<ClientMsgId>,
    /// Names of users that notices speak of.
    pub nicknames: HashMap<UserId, String>,
    /// Whose names were asked for in this connection.
    pub asked: HashSet<UserId>,
    /// Whether the open group is asked for.
    pub group_asked: Asked,
    /// Who asks the person to be a contact, as far as they were told.
    pub requests: HashSet<UserId>,
    /// Who is writing, and until when that is believed.
    pub typing: BTreeMap<(ConversationId, UserId), u64>,
    /// With whom to talk as soon as the server can be asked who that is.
    pub wish: Option<Wish>,

    pub focus: Focus,
    pub selected: Option<ConversationId>,
    pub overlay: Option<Overlay>,
    /// Rows of the overlay that are scrolled out at the top.
    pub overlay_top: usize,
    pub input: Input,
    /// What was begun in other conversations.
    pub drafts: HashMap<ConversationId, Input>,
    pub note: Option<Note>,
    pub typing_told_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Focus {
    List,
    Input,
}

/// A question to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    No,
    Once,
    /// What it is about changed while the answer is on its way.
    Again,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Overlay {
    Help,
    Members { title: String, members: Vec<Member>, more: bool },
    Devices(Vec<Device>),
    Pins(Vec<Pin>),
    Contacts { contacts: Vec<Contact>, blocked: Vec<Blocked> },
}

/// An own message on its way.
#[derive(Clone, PartialEq, Debug)]
pub struct Outgoing {
    pub conversation: ConversationId,
    pub client_msg_id: ClientMsgId,
    pub content: String,
    pub reply_to: Option<u64>,
    pub client_time_ms: u64,
    pub status: Status,
}

impl Outgoing {
    /// None for what is no message.
    pub fn of(queued: Queued) -> Option<Self> {
        let Act::Send(draft) = queued.act else { return None };
        Some(Self {
            conversation: queued.conversation,
            client_msg_id: queued.client_msg_id,
            content: draft.content,
            reply_to: draft.reply_to,
            client_time_ms: queued.client_time_ms,
            status: queued.refused.map_or(Status::Queued, Status::Failed),
        })
    }
}

/// Whom the user wants to talk to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    Account(String),
    Conversation(ConversationId),
}

impl Wish {
    /// An account, or `group_ID`.
    pub fn parse(word: &str) -> Self {
        match word.parse() {
            Ok(conversation @ ConversationId::Group(_)) => Self::Conversation(conversation),
            _ => Self::Account(word.to_owned()),
        }
    }
}

/// Something to say in the status line for a while.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    pub words: String,
    pub tone: Tone,
    pub until_ms: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    Plain,
    Trouble,
}

/// How far an own message has come, as the person sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tick {
    Waiting,
    Sent,
    Delivered,
    Read,
    Failed,
}

impl Model {
    pub fn new(
        text: Text,
        zone: TimeZone,
        account: String,
        next_id: impl FnMut() -> ClientMsgId + Send + 'static,
    ) -> Self {
        Self {
            text,
            zone,
            next_id: Box::new(next_id),
            now_ms: 0,
            size: (80, 24),
            looking: true,
            account,
            began_ms: u64::MAX,
            store: None,
            me: None,
            link: State::Connecting,
            sessions: HashMap::new(),
            open: None,
            outgoing: Vec::new(),
            changing: HashSet::new(),
            nicknames: HashMap::new(),
            asked: HashSet::new(),
            group_asked: Asked::No,
            requests: HashSet::new(),
            typing: BTreeMap::new(),
            wish: None,
            focus: Focus::List,
            selected: None,
            overlay: None,
            overlay_top: 0,
            input: Input::default(),
            drafts: HashMap::new(),
            note: None,
            typing_told_ms: 0,
        }
    }

    /// 0 until the server told it.
    pub fn my_id(&self) -> UserId {
        self.me.as_ref().map_or(UserId(0), |me| me.user_id)
    }

    /// The person did not exist before this chat logged them in.
    pub fn is_new_here(&self) -> bool {
        self.me.as_ref().is_some_and(|me| is_newer(me, self.began_ms))
    }

    /// Last spoken in first; conversations in which nothing was said yet before all.
    pub fn list(&self) -> Vec<(ConversationId, &Arc<Session>)> {
        let open = self.open_id();
        let is_listed = |(id, session): &(&ConversationId, &Arc<Session>)| !session.removed || Some(**id) == open;
        let mut list: Vec<_> = self.sessions.iter().filter(is_listed).map(|(id, session)| (*id, session)).collect();
        list.sort_by_key(|(id, session)| {
            let said = session.last.as_ref().map_or(u64::MAX, |last| last.server_time_ms);
            (!session.pinned, std::cmp::Reverse(said), *id)
        });
        list
    }

    pub fn open_id(&self) -> Option<ConversationId> {
        self.open.as_ref().map(|timeline| timeline.conversation)
    }

    /// What a conversation is called.
    pub fn title(&self, conversation: ConversationId) -> String {
        let session = self.sessions.get(&conversation);
        if let ConversationId::Single { small, big } = conversation
            && small == big
        {
            return self.text.own_notes().into();
        }
        if let Some(group) = session.and_then(|session| session.group.as_ref()) {
            return wash::line(&group.name);
        }
        match session.and_then(|session| session.peer.as_ref()) {
            Some(peer) => self.nicknames.get(&peer.user_id).cloned().unwrap_or_else(|| display_name(peer)),
            None => conversation.to_string(),
        }
    }

    /// Of a user that a notice names.
    pub fn nickname(&self, user: UserId) -> String {
        if user == self.my_id() {
            return self.text.you().into();
        }
        self.nicknames.get(&user).cloned().unwrap_or_else(|| self.text.somebody().into())
    }

    /// Own messages of a conversation that are not in its log yet.
    pub fn outgoing_of(&self, conversation: ConversationId) -> impl Iterator<Item = &Outgoing> {
        self.outgoing.iter().filter(move |outgoing| outgoing.conversation == conversation)
    }

    pub fn tick_of(&self, conversation: ConversationId, server_msg_id: u64) -> Tick {
        let alone = matches!(conversation, ConversationId::Single { small, big } if small == big);
        match (conversation, self.sessions.get(&conversation)) {
            (ConversationId::Single { .. }, Some(session)) if !alone => {
                if server_msg_id <= session.peer_read_mark {
                    Tick::Read
                } else if server_msg_id <= session.peer_delivered_mark {
                    Tick::Delivered
                } else {
                    Tick::Sent
                }
            }
            _ => Tick::Sent,
        }
    }

    /// Names of those who write in this conversation now.
    pub fn writers(&self, conversation: ConversationId) -> Vec<String> {
        let writing = self.typing.iter().filter(|((place, _), until)| *place == conversation && **until > self.now_ms);
        writing.map(|((_, user), _)| self.nickname(*user)).collect()
    }

    pub fn peer_of(&self, conversation: ConversationId) -> Option<&User> {
        self.sessions.get(&conversation)?.peer.as_ref()
    }

    /// The server can be asked.
    pub fn is_online(&self) -> bool {
        matches!(self.link, State::Connected | State::CaughtUp)
    }

    /// What is selected in the list; its first entry when nothing is.
    pub fn selected_or_first(&self) -> Option<ConversationId> {
        let selected = self.selected.filter(|id| self.sessions.contains_key(id));
        selected.or_else(|| self.list().first().map(|(id, _)| *id))
    }

    /// The conversation with this account, if it is known without asking the server.
    pub fn conversation_with(&self, account: &str) -> Option<ConversationId> {
        if let Some(me) = self.me.as_ref().filter(|me| me.account == account) {
            return Some(ConversationId::single(me.user_id, me.user_id));
        }
        let with = |session: &Session| session.peer.as_ref().is_some_and(|peer| peer.account == account);
        self.sessions.iter().find(|(_, session)| with(session)).map(|(id, _)| *id)
    }

    /// Takes an entry of the conversation list.
    pub fn take_session(&mut self, session: Arc<Session>) {
        let conversation = session.conversation_id;
        let before = self.sessions.get(&conversation).and_then(|session| session.peer.as_ref());
        if let Some(peer) = &session.peer {
            // An entry may be older than the name that came with the last message, unless it brings another one itself.
            if before.is_some_and(|before| before.nickname != peer.nickname) {
                self.nicknames.remove(&peer.user_id);
            }
            self.nicknames.entry(peer.user_id).or_insert_with(|| display_name(peer));
        }
        self.sessions.insert(conversation, session);
    }

    /// Puts a conversation in which nothing was said yet into the list.
    pub fn list_new(&mut self, conversation: ConversationId, peer: Option<User>, group: Option<Group>) {
        if !self.sessions.contains_key(&conversation) {
            let mut session = Session::empty(conversation);
            (session.peer, session.group) = (peer, group);
            self.take_session(Arc::new(session));
        }
    }

    pub fn learn_name(&mut self, user: UserId, nickname: &str) {
        if !nickname.is_empty() && user != self.my_id() {
            self.nicknames.insert(user, wash::line(nickname));
        }
    }

    /// Unread messages in all conversations.
    pub fn unread(&self) -> u64 {
        self.sessions.values().filter(|session| !session.removed).map(|session| session.unread).sum()
    }
}

impl Outgoing {
    pub fn tick(&self) -> Tick {
        match self.status {
            Status::Sent(_) => Tick::Sent,
            Status::Delivered(_) => Tick::Delivered,
            Status::Read(_) => Tick::Read,
            Status::Failed(_) => Tick::Failed,
            _ => Tick::Waiting,
        }
    }
}

/// Whoever is let in with an account that nobody had becomes a user at once, and the time is in their id.
pub fn is_newer(user: &User, began_ms: u64) -> bool {
    made_at_ms(user.user_id.0) >= began_ms
}

/// The nickname, or the account of one who has none.
pub fn display_name(user: &User) -> String {
    wash::line(if user.nickname.is_empty() { &user.account } else { &user.nickname })
}
