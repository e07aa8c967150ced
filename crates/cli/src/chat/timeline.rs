//! The messages of the one conversation that is shown: what of its log is here, and where the person stands in it.

use std::{collections::BTreeMap, sync::Arc};

use anser_client::{ConversationId, History, Kind, Message, MessageState, UserId};

/// Messages that are held; beyond it the oldest are dropped while the newest are looked at.
const MESSAGES_MAX: usize = 2_000;

#[derive(Debug)]
pub struct Timeline {
    pub conversation: ConversationId,
    /// By `server_msg_id`.
    pub messages: BTreeMap<u64, Arc<Message>>,
    pub older: Older,
    /// The first unread message, as far as it is here.
    pub unread_from: Option<u64>,
    /// Rows between the last one shown and the newest. 0: the newest is on the screen.
    pub scroll: usize,
    /// Messages of others that came while the newest was not on the screen.
    pub new_below: usize,
    /// How far the person has read, as far as this screen knows.
    pub marked: u64,
    /// The read mark when this was opened.
    opened_at: u64,
    /// The first page is here.
    begun: bool,
}

/// What lies before the first message held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Older {
    Loading,
    More,
    /// This is the beginning.
    Nothing,
    /// They could not be had now.
    Missing,
}

impl Timeline {
    pub fn new(conversation: ConversationId, read_mark: u64) -> Self {
        Self {
            conversation,
            messages: BTreeMap::new(),
            older: Older::Loading,
            unread_from: None,
            scroll: 0,
            new_below: 0,
            marked: read_mark,
            opened_at: read_mark,
            begun: false,
        }
    }

    /// The id before which older messages lie; none while there are none here.
    pub fn first(&self) -> Option<u64> {
        self.messages.first_key_value().map(|(id, _)| *id)
    }

    pub fn last(&self) -> Option<u64> {
        self.messages.last_key_value().map(|(id, _)| *id)
    }

    pub fn has_client_msg_id(&self, client_msg_id: &str) -> bool {
        self.messages.values().rev().any(|message| message.client_msg_id == client_msg_id)
    }

    /// The newest message is before the person's eyes.
    pub fn shows_newest(&self) -> bool {
        self.begun && self.scroll == 0
    }

    /// The id before which the line "unread from here" stands; none while it is not sure that nothing before is unread.
    pub fn unread_line(&self) -> Option<u64> {
        self.unread_from.filter(|id| self.older == Older::Nothing || self.first().is_some_and(|first| first < *id))
    }

    /// Takes a page of the messages before those that are here, or of the newest. `me` is the person's user id.
    pub fn take_page(&mut self, page: History, me: UserId) {
        let reached = !self.begun || (self.unread_from.is_some() && self.unread_from == self.first());
        self.older = if page.more { Older::More } else { Older::Nothing };
        self.messages.extend(page.messages.into_iter().map(|message| (message.server_msg_id, message)));
        if reached {
            let unread = Unread { read_mark: self.opened_at, me };
            let first = self.messages.values().find(|message| unread.counts(message));
            self.unread_from = first.map(|message| message.server_msg_id);
        }
        self.begun = true;
    }

    /// A message that may be here is another one now.
    pub fn change_message(&mut self, message: Arc<Message>) {
        if let Some(shown) = self.messages.get_mut(&message.server_msg_id) {
            *shown = message;
        }
    }

    pub fn hide_message(&mut self, server_msg_id: u64) {
        self.messages.remove(&server_msg_id);
    }

    /// Takes a message that came now.
    pub fn take_message(&mut self, message: Arc<Message>) {
        self.messages.insert(message.server_msg_id, message);
        if self.scroll == 0 && self.messages.len() > MESSAGES_MAX {
            self.messages.pop_first();
            self.older = Older::More;
        }
    }
}

/// Which messages are unread.
#[derive(Clone, Copy, Debug)]
pub struct Unread {
    pub read_mark: u64,
    pub me: UserId,
}

impl Unread {
    pub fn counts(self, message: &Message) -> bool {
        message.server_msg_id > self.read_mark
            && message.from_id != self.me
            && message.kind != Kind::Notice
            && !message.uncounted
            && message.state == MessageState::Present
    }
}
