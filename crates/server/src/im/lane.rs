//! The lane by which requests come: a connection, the order that they keep on it, and what it may ask for.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anser_proto::{CloseCode, ConversationId, ErrorCode};
use tokio::time::Instant;

use super::{
    append::Source,
    cost,
    fifo::Fifo,
    page::{self, MESSAGE_BYTES, PageSize},
    telling::Telling,
};
use crate::{
    accepted::ConnId,
    budget::{Budget, Kind, LargeAnswer, SMALL_ANSWER_BYTES},
    ctx::Ctx,
    error::Error,
    hub::Connected,
};

/// A conversation is told of the user's typing at most this often.
const TYPING_INTERVAL: Duration = Duration::from_secs(1);
/// A connection may ask this often who is there.
const PRESENCE_INTERVAL: Duration = Duration::from_secs(5);
/// About what an entry of a list holds at most, and how many are small together.
const ENTRY_BYTES: usize = 2 * 1024;
const ENTRIES_WITHOUT_ROOM: u32 = (SMALL_ANSWER_BYTES / ENTRY_BYTES) as u32;
/// Conversations whose last typing is remembered.
const TYPING_REMEMBERED: usize = 64;
/// A connection that was refused no more often than this is not the one of its user that floods.
const REFUSALS_BORNE: u32 = 64;

pub struct Lane {
    pub conn: ConnId,
    pub fifo: Fifo,
    /// Whom its messages concern.
    pub telling: Telling,
    pub page_size: PageSize,
    pub said_bye: bool,
    /// For the answer to what is asked now; taken out when it is written.
    pub room: Option<LargeAnswer>,
    /// Shared by all connections of the user.
    budget: Arc<Budget>,
    refusals: u32,
    flooding: bool,
    typed: HashMap<ConversationId, Instant>,
    /// When it may ask again who is there.
    presence_from: Option<Instant>,
}

impl Lane {
    pub fn new(connected: &Connected) -> Self {
        Self {
            conn: connected.conn,
            fifo: Fifo::default(),
            telling: Telling::default(),
            page_size: PageSize::default(),
            said_bye: false,
            room: None,
            budget: Arc::clone(&connected.budget),
            refusals: 0,
            flooding: false,
            typed: HashMap::new(),
            presence_from: None,
        }
    }

    /// Where messages come from.
    pub fn source(&self) -> Source<'_> {
        Source { conn: self.conn, telling: &self.telling }
    }

    /// May ask for what costs so much, or is told when.
    pub fn admit(&mut self, cost: u32, now: Instant) -> Result<(), Error> {
        self.budget.take(Kind::Requests, cost, now).map_err(|wait| {
            self.refusals = self.refusals.saturating_add(1);
            self.flooding |= !self.budget.bear_refusal(now) && self.refusals > REFUSALS_BORNE;
            rate_limited(wait, Kind::Requests.too_much())
        })
    }

    /// May do so much of a kind, or is told when. Whoever does not listen to that is stopped by [`Lane::admit`] soon enough.
    pub fn admit_kind(&self, kind: Kind, count: u32, now: Instant) -> Result<(), Error> {
        self.budget.take(kind, count, now).map_err(|wait| rate_limited(wait, kind.too_much()))
    }

    /// May ask who is there, or is told when.
    pub fn may_get_presence(&mut self, now: Instant) -> Result<(), Error> {
        let wait = self.presence_from.map_or(Duration::ZERO, |from| from.saturating_duration_since(now));
        if wait.is_zero() {
            self.presence_from = Some(now + PRESENCE_INTERVAL);
            return Ok(());
        }
        Err(rate_limited(wait, "the connection asks too often who is there"))
    }

    /// Whether what the user signals shall be passed on now.
    pub fn may_signal(&self, now: Instant) -> bool {
        self.budget.take(Kind::Signals, 1, now).is_ok()
    }

    /// Is charged for what an answer turned out to be.
    pub fn owe(&self, cost: u32, now: Instant) {
        self.budget.owe(cost, now);
    }

    /// Whether there is room for an answer of so many bytes; it is kept for it.
    pub fn find_room(&mut self, bytes: usize) -> bool {
        self.budget.find_room(&mut self.room, bytes)
    }

    /// Finds room for an answer that cannot be made smaller, before it is read.
    pub fn must_find_room(&mut self, cx: &Ctx, bytes: usize) -> Result<(), Error> {
        if self.find_room(bytes) {
            return Ok(());
        }
        cx.metrics.answers_cut.inc();
        Err(Error::no_room())
    }

    /// Bytes of bodies after which a page of at most so many messages ends: as many as suit the line, or fewer when there is no room.
    pub fn page_bytes(&mut self, cx: &Ctx, messages: u32, now: Instant) -> usize {
        let bytes = self.page_size.next(now);
        if self.find_room(bytes + messages as usize * MESSAGE_BYTES) {
            return bytes;
        }
        cx.metrics.answers_cut.inc();
        page::BYTES_MIN
    }

    /// Is charged for the bodies of a page that was read. One message may be larger than all that has room without being asked: then it is not written out
    /// to be thrown away.
    pub fn take_page(&mut self, cx: &Ctx, bodies: usize, now: Instant) -> Result<(), Error> {
        self.owe(cost::of_bodies(bodies), now);
        self.must_find_room(cx, bodies)
    }

    /// How many entries of a list may be answered: so many, or fewer when there is no room.
    pub fn entries(&mut self, wanted: u32) -> u32 {
        if self.find_room(wanted as usize * ENTRY_BYTES) { wanted } else { wanted.min(ENTRIES_WITHOUT_ROOM) }
    }

    /// Why the connection has to end, once what came is answered.
    pub fn ending(&self) -> Option<CloseCode> {
        match () {
            () if self.flooding => Some(CloseCode::Flooding),
            () if self.fifo.has_overflowed() => Some(CloseCode::TooManyFailed),
            () => None,
        }
    }

    /// Whether the conversation shall be told of the typing now.
    pub fn may_tell_typing(&mut self, conversation: ConversationId, now: Instant) -> bool {
        self.typed.retain(|_, told| now < *told + TYPING_INTERVAL);
        if self.typed.len() >= TYPING_REMEMBERED
            || self.typed.contains_key(&conversation)
            || self.budget.take(Kind::Marks, 1, now).is_err()
        {
            return false;
        }
        self.typed.insert(conversation, now);
        true
    }
}

fn rate_limited(wait: Duration, why: &'static str) -> Error {
    Error::new(ErrorCode::RateLimited, why).after(wait)
}
