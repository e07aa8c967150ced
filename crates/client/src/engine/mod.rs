//! The sync engine: decides everything a client does, without I/O, clock or global randomness.
//!
//! It is told what happened ([`Input`]) and answers what is to be kept and done ([`Output`]). Its rules are plain enough to be
//! written down again in another language; they stand at the head of each file:
//! `link` (connecting, heartbeat), `login` (credentials), `requests` (answers and events), `mailbox` (what was missed), `conversation` and `pulls` (order and holes),
//! `changes` (of what was said), `counts` (what is unread), `mentions` (what of it names the user), `outgoing` and `sends` (the queue), `marks` (read and delivered). It must not know sockets, files or threads.

mod act;
mod backoff;
mod changes;
mod conversation;
mod counts;
mod heartbeat;
mod link;
mod login;
mod mailbox;
mod marks;
mod mentions;
mod outgoing;
mod page;
mod pulls;
mod requests;
mod sends;
mod terms;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use anser_proto::{ConversationId, UserId, v1};
use rand::{SeedableRng as _, rngs::StdRng};

use conversation::Conversation;
use link::Link;
use login::Login;
use mailbox::Mailbox;
use marks::Marks;
use mentions::Blocks;
use outgoing::Outgoing;
use pulls::Pulls;
use sends::FollowedOf;

pub use act::{Act, Draft, Edit, MessageKey, Queued, Target};
pub use heartbeat::Learned;
pub use mentions::Mentioned;
pub(crate) use page::Page;
pub use terms::*;

/// How long nothing at all may come while an answer is awaited, before the connection is taken for dead.
const SILENCE_MAX_MS: u64 = 10_000;
/// What a request takes to go out on the slowest line that is reckoned with: 9.6 kbit/s. Nothing can come before.
const SENT_BYTES_PER_S: u64 = 1_200;
/// How long one answer may take on a connection on which others come: a slow one makes progress.
const ANSWER_MAX_MS: u64 = 60_000;

pub struct Engine {
    config: Config,
    rng: StdRng,
    user: Option<v1::User>,
    link: Link,
    login: Login,
    mailbox: Mailbox,
    conversations: BTreeMap<ConversationId, Conversation>,
    /// Whom the user blocked.
    blocks: Blocks,
    pulls: Pulls,
    marks: Marks,
    outgoing: Outgoing,
    /// What the server refused for ever, oldest first, until the app discards it.
    refused: VecDeque<MessageKey>,
    /// Own messages whose delivery is told as it happens.
    followed: FollowedOf,
    timers: BTreeSet<(u64, Timer)>,
    /// Conversations whose entry changed in this step.
    touched: BTreeSet<ConversationId>,
}

/// What is to be looked at again at a certain time. Fires once; looking too often does no harm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Timer {
    /// Sends of this conversation were refused for now.
    Sends(ConversationId),
    /// The user was too fast.
    Pace,
    /// Pulls were refused for now.
    Pulls,
    /// Marks of this conversation wait for their turn.
    Marks(ConversationId),
    /// A hole in the mailbox had time to close by itself.
    MailboxHole,
    /// Time to ask whether anything was missed, or to repeat a sync that was refused for now.
    Sync,
}

impl Engine {
    /// `seed` makes the jitter of waits; another one for each client.
    pub fn new(config: Config, saved: Saved, seed: u64) -> Self {
        let mut outgoing = Outgoing::default();
        let (refused, waiting): (Vec<_>, Vec<_>) =
            saved.outgoing.into_iter().partition(|queued| queued.refused.is_some());
        waiting.into_iter().for_each(|queued| outgoing.push(queued));
        let restored = |kept: Kept| (kept.conversation, Conversation::restored(kept));
        Self {
            link: Link::new(saved.heartbeats),
            login: Login::new(config.credential.clone(), saved.token),
            config,
            rng: StdRng::seed_from_u64(seed),
            user: saved.user,
            mailbox: Mailbox::new(saved.log_id, saved.mailbox_seq),
            conversations: saved.conversations.into_iter().map(restored).collect(),
            blocks: Blocks::of(saved.blocked),
            pulls: Pulls::default(),
            marks: Marks::default(),
            outgoing,
            refused: refused.into_iter().map(|queued| queued.key()).collect(),
            followed: FollowedOf::new(),
            timers: BTreeSet::new(),
            touched: BTreeSet::new(),
        }
    }

    /// When to say [`Input::Tick`] at the latest, in the clock of the steps; none: not needed.
    pub fn wake_at(&self) -> Option<u64> {
        // Timers are about what is asked of a server; without one only the next attempt matters.
        let timer = self.timers.first().map(|(at, _)| *at).filter(|_| self.link.is_live());
        [timer, self.link_wake_at()].into_iter().flatten().min()
    }

    /// Takes one input and adds what it brings about to `out`. `now` never goes back.
    ///
    /// The outputs of several steps may be carried out together: first all changes, then all effects, in order.
    pub fn step(&mut self, now: u64, input: Input, out: &mut Output) {
        let cx = &mut Step { now, out };
        match input {
            Input::Connected => self.greet(cx),
            Input::Frame(frame) => self.take_frame(cx, frame),
            Input::Closed { code, reason } => self.connection_closed(cx, code, reason),
            Input::Tick => {}
            Input::Progress => self.received(cx),
            Input::NetworkChanged(network) => self.change_network(cx, network),
            Input::Attention(attention) => self.pay_attention(cx, attention),
            Input::Woke => self.wake_up(cx),
            Input::Queue { conversation, client_msg_id, act, client_time_ms, call } => {
                self.queue(cx, Queued::new(conversation, client_msg_id, act, client_time_ms), call);
            }
            Input::Withdraw { key, how, call } => self.withdraw(cx, &key, how, call),
            Input::MarkRead { conversation, server_msg_id, count } => {
                self.mark_read(conversation, server_msg_id, count);
            }
            Input::Open(conversation) => self.pulls.open(conversation),
            Input::LoadOlder { conversation, limit, call } => self.load_older(cx, conversation, limit, call),
            Input::Typing(conversation) => self.type_in(cx, conversation),
            Input::Call { request, call } => self.call(cx, request, call),
            Input::Login(credential) => self.log_in(cx, credential),
            Input::Fetched(token) => self.token_fetched(cx, token),
            Input::Stop => self.stop(cx, StopReason::Asked),
        }
        self.fire_timers(cx);
        self.keep_touched(cx);
        self.go_on(cx);
    }

    /// The local store made room: of this conversation it keeps nothing before `low` any more. Said right after a commit, before what it
    /// brings about is acted on.
    pub fn evicted(&mut self, conversation: ConversationId, low: u64) {
        if let Some(known) = self.conversations.get_mut(&conversation) {
            known.kept.low = known.kept.low.max(low);
        }
    }

    /// Does whatever may be done now. Called after every step, so that no rule must remember what it unblocks.
    fn go_on(&mut self, cx: &mut Step<'_>) {
        self.watch_link(cx);
        if !self.link.is_live() {
            return;
        }
        self.go_on_syncing(cx);
        self.go_on_sending(cx);
        self.go_on_pulling(cx);
        self.go_on_marking(cx);
        self.tell_caught_up(cx);
    }

    fn fire_timers(&mut self, cx: &mut Step<'_>) {
        while let Some((at, timer)) = self.timers.first().copied().filter(|(at, _)| *at <= cx.now) {
            self.timers.remove(&(at, timer));
            match timer {
                Timer::Sends(conversation) => self.outgoing.unblock(conversation, cx.now),
                // Looked at after every step anyway.
                Timer::Pulls | Timer::Pace => {}
                Timer::Marks(conversation) => self.marks.due(conversation),
                Timer::MailboxHole => self.mailbox.hole_stays(),
                Timer::Sync => self.mailbox.check(cx.now),
            }
        }
    }

    /// Keeps and tells the entries that changed.
    fn keep_touched(&mut self, cx: &mut Step<'_>) {
        for id in std::mem::take(&mut self.touched) {
            let Some(conversation) = self.conversations.get_mut(&id) else { continue };
            conversation.recount();
            conversation.recount_mentions(&self.blocks);
            if std::mem::take(&mut conversation.row_wanted) {
                self.mailbox.want_row(id);
            }
            let kept = conversation.kept.clone();
            if conversation.is_listed() {
                cx.effect(Effect::Session(Arc::new(kept.session.clone())));
            }
            cx.keep(Change::Conversation(Box::new(kept)));
        }
    }

    /// The conversation, made if it is new; its entry is kept at the end of the step.
    fn conversation(&mut self, id: ConversationId) -> &mut Conversation {
        self.touched.insert(id);
        self.conversations.entry(id).or_insert_with(|| Conversation::new(id))
    }

    /// The user's id. Frames come only after a login told it.
    fn me(&self) -> UserId {
        UserId(self.user.as_ref().map_or(0, |user| user.user_id))
    }
}

/// One step's time and output.
struct Step<'a> {
    now: u64,
    out: &'a mut Output,
}

impl Step<'_> {
    fn keep(&mut self, change: Change) {
        self.out.changes.push(change);
    }

    fn effect(&mut self, effect: Effect) {
        self.out.effects.push(effect);
    }
}
