//! What happens changes the model and asks for effects: the one way in which anything changes. Pure; `perform` does what is asked.

use anser_client::{
    Act, Attention, Blocked, ClientMsgId, Contact, ConversationId, Device, Error, Group, GroupId, GroupUpdate, History,
    JoinRequests, Members, Pin, Queued, Readers, Session, User, UserId,
};

use super::{
    answers,
    entry::Entry,
    keys,
    model::{Asked, Focus, Model, Note, Tone, Wish},
    received,
    timeline::{Older, Timeline},
    view,
};

/// How long a note stays in the status line.
const NOTE_MS: u64 = 8_000;

/// Something happened.
#[derive(Debug)]
pub enum Event {
    Terminal(crossterm::event::Event),
    Client(anser_client::Event),
    Answer(Answer),
    /// Milliseconds since 1970; comes a few times a second, and before every other event.
    Clock(u64),
}

/// What came of an effect.
#[derive(Debug)]
pub enum Answer {
    Sessions(Vec<Session>),
    Unsent(Vec<Queued>),
    History {
        conversation: ConversationId,
        page: Result<History, Error>,
    },
    Found {
        account: String,
        user: Result<Option<User>, Error>,
    },
    Users(Vec<User>),
    NotSent {
        client_msg_id: ClientMsgId,
        error: Error,
    },
    GroupMade(Box<Group>),
    /// None if it could not be had.
    Group(Option<Box<Group>>),
    Members {
        group: GroupId,
        members: Members,
    },
    Devices(Vec<Device>),
    /// None of the person's devices begins so, or several do.
    NoDevice(String),
    Contacts {
        contacts: Vec<Contact>,
        blocked: Vec<Blocked>,
    },
    Pins(Vec<Pin>),
    Requests(Vec<User>),
    /// None: the person may not ask.
    Readers {
        id: u64,
        readers: Option<Readers>,
        names: Vec<User>,
    },
    Waiting(JoinRequests),
    Done(Deed),
    /// Accounts that nobody has.
    Nobody(Vec<String>),
    Failed(Error),
}

/// What was done, so that it can be said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Deed {
    Invited,
    Removed,
    /// The notice in the log says it.
    Told,
    Left,
    Renamed(String),
    Signed,
    Shown(User),
    Asked,
    Dropped,
    Blocked,
    Unblocked,
    Banned,
    Unbanned,
    Answered,
    /// The token of a new link.
    Linked(String),
    Unlinked,
    /// The person, to be let into a group.
    Waits,
    Revoked,
    Own(OwnAct),
}

/// What a person does with what is theirs alone. Numbers of messages; of times, milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OwnAct {
    Top(bool),
    Snooze(u64),
    MarkUnread,
    Clear(u64),
    Close(u64),
    Hide(u64),
}

/// What is done with members of a group, or those who are to be some.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MembersAct {
    Invite,
    Remove,
    Promote,
    Demote,
    /// To the only one that is named.
    Transfer,
    /// Until this time, in milliseconds since 1970.
    Mute(u64),
}

/// What is done with somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PeopleAct {
    /// Asked to be a contact, or accepted.
    Add(String),
    /// Told no, taken back, or no contact any more.
    Drop,
    Block,
    Unblock,
}

/// What is to be done outside of the model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    Quit,
    Send {
        conversation: ConversationId,
        client_msg_id: ClientMsgId,
        content: String,
        reply_to: Option<u64>,
    },
    Change {
        conversation: ConversationId,
        client_msg_id: ClientMsgId,
        act: Act,
    },
    Discard {
        conversation: ConversationId,
        client_msg_id: ClientMsgId,
    },
    Own {
        conversation: ConversationId,
        act: OwnAct,
    },
    WhoRead {
        group: GroupId,
        id: u64,
    },
    MarkRead {
        conversation: ConversationId,
        server_msg_id: u64,
    },
    LookAt(ConversationId),
    ReadHistory {
        conversation: ConversationId,
        before: Option<u64>,
    },
    ReadSessions,
    ReadUnsent,
    Type(ConversationId),
    Find(String),
    LookUp(Vec<UserId>),
    CreateGroup {
        name: String,
        accounts: Vec<String>,
    },
    Members {
        group: GroupId,
        accounts: Vec<String>,
        act: MembersAct,
    },
    ChangeGroup {
        group: GroupId,
        update: GroupUpdate,
    },
    Enter {
        group: GroupId,
        entry: Entry,
    },
    Join {
        token: String,
        text: String,
    },
    Dissolve(GroupId),
    Leave(GroupId),
    ReadGroup(GroupId),
    ListMembers(GroupId),
    ListContacts,
    ListPins(ConversationId),
    ListDevices,
    /// The device whose id begins so.
    Revoke(String),
    /// Who asks the person to be a contact.
    ReadRequests,
    People {
        account: String,
        act: PeopleAct,
    },
    Rename(String),
    /// The user says this of themself.
    Sign(String),
    /// Who has this account.
    Show(String),
    Attend(Attention),
}

/// What to ask for at the start.
pub fn start(to: Option<Wish>, model: &mut Model) -> Vec<Effect> {
    model.wish = to;
    vec![Effect::ReadSessions, Effect::ReadUnsent, Effect::Attend(Attention::Foreground)]
}

pub fn update(model: &mut Model, event: Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    let stays = rows_when_scrolled(model);
    let appends = matches!(event, Event::Client(_));
    match event {
        Event::Clock(now_ms) => pass_time(model, now_ms),
        Event::Terminal(event) => keys::press(model, event, &mut effects),
        Event::Client(event) => received::receive(model, event, &mut effects),
        Event::Answer(answer) => answers::take(model, answer, &mut effects),
    }
    if appends {
        hold_still(model, stays);
    }
    settle(model, &mut effects);
    effects
}

/// Shows a conversation, and keeps for later what was begun in the one before.
pub fn open(model: &mut Model, conversation: ConversationId, effects: &mut Vec<Effect>) {
    model.focus = Focus::Input;
    model.selected = Some(conversation);
    if model.open_id() == Some(conversation) {
        return;
    }
    let input = model.drafts.remove(&conversation).unwrap_or_default();
    let begun = std::mem::replace(&mut model.input, input);
    if let Some(before) = model.open_id().filter(|_| !begun.is_empty()) {
        model.drafts.insert(before, begun);
    }
    let read_mark = model.sessions.get(&conversation).map_or(0, |session| session.read_mark);
    model.open = Some(Timeline::new(conversation, read_mark));
    effects.push(Effect::LookAt(conversation));
    effects.push(Effect::ReadHistory { conversation, before: None });
    read_group(model, effects);
}

/// Who joins or goes changes the group, but not the others' entries of it: how many they are is asked anew, once at a
/// time however many come.
pub fn read_group(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(ConversationId::Group(group)) = model.open_id().filter(|_| model.is_online()) else { return };
    if model.group_asked == Asked::No {
        effects.push(Effect::ReadGroup(group));
        model.group_asked = Asked::Once;
    } else {
        model.group_asked = Asked::Again;
    }
}

pub fn say(model: &mut Model, words: impl Into<String>) {
    model.note = Some(Note { words: words.into(), tone: Tone::Plain, until_ms: model.now_ms + NOTE_MS });
}

pub fn complain(model: &mut Model, words: impl Into<String>) {
    model.note = Some(Note { words: words.into(), tone: Tone::Trouble, until_ms: model.now_ms + NOTE_MS });
}

fn pass_time(model: &mut Model, now_ms: u64) {
    model.now_ms = now_ms;
    model.typing.retain(|_, until_ms| *until_ms > now_ms);
    if model.note.as_ref().is_some_and(|note| note.until_ms <= now_ms) {
        model.note = None;
    }
}

/// Counted only while the person reads further up: it costs a layout.
fn rows_when_scrolled(model: &Model) -> Option<usize> {
    model.open.as_ref().filter(|timeline| timeline.scroll > 0).map(|_| view::rows_in_all(model))
}

/// What the person reads stays where it is when something is appended below it.
fn hold_still(model: &mut Model, rows_before: Option<usize>) {
    if let (Some(before), Some(after)) = (rows_before, rows_when_scrolled(model))
        && let Some(timeline) = &mut model.open
    {
        timeline.scroll += after.saturating_sub(before);
    }
}

/// What follows from the state that things are in, whatever brought them there.
fn settle(model: &mut Model, effects: &mut Vec<Effect>) {
    grant_wish(model, effects);
    ask_for_older(model, effects);
    mark_read(model, effects);
    model.overlay_top = model.overlay_top.min(view::overlay_overflow(model));
}

fn grant_wish(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(wish) = model.wish.clone() else { return };
    let known = match &wish {
        Wish::Conversation(conversation) => Some(*conversation).filter(|id| model.sessions.contains_key(id)),
        Wish::Account(account) => model.conversation_with(account),
    };
    match (known, wish) {
        (Some(conversation), _) => {
            model.wish = None;
            // Only the own notes are known before anything was said in them.
            model.list_new(conversation, model.me.clone(), None);
            open(model, conversation, effects);
        }
        (None, Wish::Account(account)) if model.is_online() && model.me.is_some() => {
            model.wish = None;
            effects.push(Effect::Find(account));
        }
        // Everything is here, so a group that is not here is none of this user's.
        (None, Wish::Conversation(_)) if model.link == anser_client::State::CaughtUp => {
            model.wish = None;
            complain(model, model.text.no_such_group());
        }
        _ => {}
    }
}

/// When the beginning of what is here comes into sight.
fn ask_for_older(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(timeline) = &model.open else { return };
    let height = view::messages_height(model);
    if timeline.scroll == 0 && timeline.messages.len() > height {
        return;
    }
    let rows = view::rows_in_all(model);
    let Some(timeline) = &mut model.open else { return };
    timeline.scroll = timeline.scroll.min(rows.saturating_sub(height));
    if timeline.scroll == 0 {
        timeline.new_below = 0;
    }
    if timeline.older == Older::More && rows < timeline.scroll + 2 * height {
        timeline.older = Older::Loading;
        let (conversation, before) = (timeline.conversation, timeline.first());
        effects.push(Effect::ReadHistory { conversation, before });
    }
}

/// When the person has the newest message before their eyes.
fn mark_read(model: &mut Model, effects: &mut Vec<Effect>) {
    let shown = model.looking && model.overlay.is_none() && view::shows_messages(model);
    let Some(timeline) = model.open.as_mut().filter(|timeline| shown && timeline.shows_newest()) else { return };
    let conversation = timeline.conversation;
    let read_mark = model.sessions.get(&conversation).map_or(0, |session| session.read_mark);
    if let Some(last) = timeline.last().filter(|last| *last > read_mark.max(timeline.marked)) {
        timeline.marked = last;
        effects.push(Effect::MarkRead { conversation, server_msg_id: last });
    }
}
