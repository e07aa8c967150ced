//! A model of the server: the promises of the store and the answers of the wire, in the simplest form that can be right.
//! Everything is a plain list; what a user may see, what is unread and what changed is found by looking at all of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anser_client::{ConversationId, GroupId, UserId};
use anser_proto::{digest::groups_digest, v1};
use v1::{client_frame::Request, error::Code, message::State, notice::Kind, server_frame::Body};

#[path = "server/changing.rs"]
mod changing;
#[path = "server/lists.rs"]
mod lists;

/// Sessions of a page, so that syncs have several.
const SYNC_PAGE: usize = 2;
/// Messages of a page.
const PULL_PAGE: usize = 8;
/// Entries that are looked at for a page.
const SCAN_MAX: usize = 12;

/// What to say to whom; the connection that asked is told of a message by its answer instead.
pub(crate) struct Push {
    pub(crate) to: u64,
    pub(crate) body: Body,
}

#[derive(Clone, Default)]
struct Entry {
    stamp: u64,
    read_mark: u64,
    delivered_mark: u64,
    cleared: u64,
    /// Messages that the user hid, and the change of their mailbox with which they did.
    hidden: BTreeMap<u64, u64>,
    marked_unread: bool,
}

#[derive(Clone, Default)]
struct Group {
    /// For each user who ever was a member, the stretches of the log that they may see; the last may be open.
    stays: BTreeMap<u64, Vec<(u64, Option<u64>)>>,
}

#[derive(Clone, Default)]
pub(crate) struct Server {
    pub(crate) log_id: u64,
    /// Silent entries included, and every message as it is now.
    pub(crate) logs: BTreeMap<ConversationId, Vec<v1::Message>>,
    /// What each silent entry changed.
    targets: BTreeMap<(ConversationId, u64), u64>,
    /// Changes that changed nothing and made no entry.
    pub(crate) unchanged: BTreeSet<String>,
    groups: BTreeMap<GroupId, Group>,
    mailboxes: BTreeMap<u64, u64>,
    entries: BTreeMap<(u64, ConversationId), Entry>,
    /// Of each connection, the message of a conversation that failed and must come again first.
    failed: HashMap<(u64, ConversationId), String>,
    /// Messages that fail whenever they come.
    pub(crate) poisoned: BTreeSet<String>,
    /// Messages that were refused for good at least once: whoever was not told so tries them again.
    pub(crate) refused: BTreeSet<String>,
    /// What becomes of the next sends.
    pub(crate) faults: Vec<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Refused for now; nothing was stored.
    Overloaded,
    /// Stored, but the answer says that nobody knows.
    UnknownOutcome,
    /// Not stored, and nobody knows, now and whenever it comes again.
    Poison,
}

pub(crate) struct Asker {
    pub(crate) connection: u64,
    pub(crate) user: u64,
    pub(crate) device_id: String,
}

impl Server {
    pub(crate) fn new(log_id: u64) -> Self {
        Self { log_id, ..Self::default() }
    }

    /// A backup that is the server's store from now on.
    pub(crate) fn restored(self) -> Self {
        Self { log_id: self.log_id + 1, ..self }
    }

    pub(crate) fn visible(&self, user: u64, id: ConversationId) -> Vec<&v1::Message> {
        let all = self.logs.get(&id).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|message| self.may_see(user, id, message.server_msg_id)).collect()
    }

    fn may_see(&self, user: u64, id: ConversationId, at: u64) -> bool {
        match id {
            ConversationId::Single { .. } => id.peer_of(UserId(user)).is_some(),
            ConversationId::Group(group) => self
                .groups
                .get(&group)
                .and_then(|group| group.stays.get(&user))
                .is_some_and(|stays| stays.iter().any(|(from, to)| *from <= at && to.is_none_or(|to| at <= to))),
        }
    }

    /// Of the present stay; of those before no push knows.
    fn stay_begins(&self, user: u64, id: ConversationId) -> u64 {
        let ConversationId::Group(group) = id else { return 0 };
        let stays = self.groups.get(&group).and_then(|group| group.stays.get(&user));
        stays.and_then(|stays| stays.last()).map_or(0, |(from, _)| *from)
    }

    pub(crate) fn is_member(&self, user: u64, group: GroupId) -> bool {
        let stays = self.groups.get(&group).and_then(|group| group.stays.get(&user));
        stays.and_then(|stays| stays.last()).is_some_and(|(_, to)| to.is_none())
    }

    fn head(&self, user: u64, id: ConversationId) -> u64 {
        self.visible(user, id).last().map_or(0, |message| message.server_msg_id)
    }

    pub(crate) fn conversations_of(&self, user: u64) -> Vec<ConversationId> {
        self.entries.keys().filter(|(owner, _)| *owner == user).map(|(_, id)| *id).collect()
    }

    pub(crate) fn heads(&self, user: u64) -> BTreeMap<ConversationId, u64> {
        self.conversations_of(user).into_iter().map(|id| (id, self.head(user, id))).collect()
    }

    pub(crate) fn row(&self, user: u64, id: ConversationId) -> v1::Session {
        let entry = &self.entries[&(user, id)];
        let shown = self.shown(user, id);
        let counted = |message: &&&v1::Message| {
            message.server_msg_id > entry.read_mark && counts(message) && message.state() == State::Present
        };
        let is_there = match id {
            ConversationId::Group(group) => self.is_member(user, group),
            ConversationId::Single { .. } => true,
        };
        let names = |message: &&&v1::Message| {
            let named = message.mentions.as_ref().is_some_and(|named| named.all || named.user_ids.contains(&user));
            is_there && counted(message) && named && message.from_id != user
        };
        let naming: Vec<_> = shown.iter().filter(names).map(|message| message.server_msg_id).collect();
        let last = shown.last();
        let peer = id.peer_of(UserId(user));
        let of_peer = peer.and_then(|peer| self.entries.get(&(peer.0, id))).cloned().unwrap_or_default();
        let group = match id {
            ConversationId::Group(group) => {
                let role = if self.is_member(user, group) { v1::group::Role::Member } else { v1::group::Role::None };
                Some(v1::Group { group_id: group.0, role: role.into(), ..v1::Group::default() })
            }
            ConversationId::Single { .. } => None,
        };
        v1::Session {
            conversation_id: id.to_string(),
            head: self.head(user, id),
            unread: shown.iter().filter(counted).count() as u64,
            mentions: naming.len() as u64,
            mentioned_at: naming.first().copied().unwrap_or(0),
            read_mark: entry.read_mark,
            delivered_mark: entry.delivered_mark,
            peer_read_mark: if peer.is_some() { of_peer.read_mark } else { 0 },
            peer_delivered_mark: if peer.is_some() { of_peer.delivered_mark } else { 0 },
            first: self.first(user, id),
            last: last.map(|message| preview(message)),
            peer: peer.map(|peer| profile(peer.0)),
            group,
            mailbox_seq: entry.stamp,
            marked_unread: entry.marked_unread,
            hidden_top: entry.hidden.keys().next_back().copied().unwrap_or(0),
            ..v1::Session::default()
        }
    }

    fn stamp(&mut self, user: u64, id: ConversationId) -> u64 {
        let seq = self.mailboxes.entry(user).or_default();
        *seq += 1;
        self.entries.entry((user, id)).or_default().stamp = *seq;
        *seq
    }

    fn append(&mut self, id: ConversationId, mut message: v1::Message) -> v1::Message {
        let log = self.logs.entry(id).or_default();
        message.conversation_id = id.to_string();
        message.server_msg_id = log.len() as u64 + 1;
        message.server_time_ms = message.server_msg_id;
        message.count = log.last().map_or(0, |last| last.count) + u64::from(counts(&message));
        log.push(message.clone());
        message
    }

    fn members(&self, group: GroupId) -> Vec<u64> {
        let users = self.groups[&group].stays.keys().copied();
        users.filter(|user| self.is_member(*user, group)).collect()
    }

    /// Somebody joins or leaves, whichever they can.
    pub(crate) fn change_member(&mut self, group: GroupId, user: u64) -> Vec<Push> {
        let id = ConversationId::Group(group);
        let leaves = self.groups.contains_key(&group) && self.is_member(user, group);
        let kind = if leaves { Kind::Left } else { Kind::Joined };
        let notice = v1::Notice { kind: kind.into(), operator_id: user, user_ids: vec![user], ..Default::default() };
        let message = v1::Message {
            r#type: v1::message::Type::Notice.into(),
            from_id: user,
            client_msg_id: "notice".into(),
            notice: Some(notice),
            ..v1::Message::default()
        };
        let message = self.append(id, message);
        let at = message.server_msg_id;
        let stays = self.groups.entry(group).or_default().stays.entry(user).or_default();
        let mut receivers = BTreeSet::from([user]);
        if leaves {
            stays.last_mut().expect("a member has a stay").1 = Some(at);
        } else {
            stays.push((at, None));
            let entry = self.entries.entry((user, id)).or_default();
            entry.read_mark = entry.read_mark.max(at);
            entry.delivered_mark = entry.delivered_mark.max(at);
            entry.marked_unread = false;
        }
        self.stamp(user, id);
        receivers.extend(self.members(group));
        let changed = v1::SessionChanged { session: Some(self.row(user, id)) };
        let mut pushes = vec![Push { to: user, body: Body::SessionChanged(changed) }];
        pushes.extend(receivers.into_iter().map(|to| message_push(to, &message, 0)));
        pushes
    }

    fn groups_digest(&self, user: u64) -> u64 {
        let groups = self.groups.keys().filter(|group| self.is_member(user, **group));
        groups_digest(groups.map(|group| (*group, self.head(user, ConversationId::Group(*group)))))
    }

    pub(crate) fn welcome(&self, user: u64, hello: &v1::Hello) -> Body {
        let seq = self.mailboxes.get(&user).copied().unwrap_or_default();
        let known = hello.positions.unwrap_or_default();
        let same_log = known.log_id == self.log_id;
        Body::Welcome(v1::Welcome {
            version: 1,
            user: Some(profile(user)),
            log_id: self.log_id,
            mailbox_seq: seq,
            mailbox_behind: !same_log || known.mailbox_seq != seq,
            groups_behind: !same_log || known.groups_digest != self.groups_digest(user),
            heartbeat_min_ms: 4_000,
            heartbeat_max_ms: 60_000,
            ..v1::Welcome::default()
        })
    }

    pub(crate) fn answer(&mut self, asker: &Asker, request: Request) -> (Option<Body>, Vec<Push>) {
        match request {
            Request::Hello(hello) => (Some(self.welcome(asker.user, &hello)), Vec::new()),
            Request::Ping(_) => (Some(Body::Pong(v1::Pong::default())), Vec::new()),
            Request::Send(v1::Send { ref conversation_id, ref client_msg_id, .. })
            | Request::Recall(v1::Recall { ref conversation_id, ref client_msg_id, .. })
            | Request::Edit(v1::Edit { ref conversation_id, ref client_msg_id, .. })
            | Request::React(v1::React { ref conversation_id, ref client_msg_id, .. })
            | Request::PinMessage(v1::PinMessage { ref conversation_id, ref client_msg_id, .. })
            | Request::UnpinMessage(v1::UnpinMessage { ref conversation_id, ref client_msg_id, .. }) => {
                let id = conversation_id.parse().expect("a good conversation id");
                let client_msg_id = client_msg_id.clone();
                self.take(asker, id, client_msg_id, request)
            }
            Request::Pull(pull) => (Some(self.pull(asker.user, &pull)), Vec::new()),
            Request::Sync(sync) => (Some(self.sync(asker.user, &sync)), Vec::new()),
            Request::MarkRead(mark) => self.mark(asker, &mark.conversation_id, mark.server_msg_id, true),
            Request::MarkDelivered(mark) => self.mark(asker, &mark.conversation_id, mark.server_msg_id, false),
            request => self.put_away(asker, request),
        }
    }

    /// Messages, and changes of them: in the order in which a connection said them.
    fn take(
        &mut self,
        asker: &Asker,
        id: ConversationId,
        client_msg_id: String,
        request: Request,
    ) -> (Option<Body>, Vec<Push>) {
        let lane = (asker.connection, id);
        if self.failed.get(&lane).is_some_and(|failed| *failed != client_msg_id) {
            return (refusal(Code::BehindFailed), Vec::new());
        }
        self.failed.remove(&lane);
        let fault = match self.faults.pop() {
            Some(Fault::Poison) => {
                self.poisoned.insert(client_msg_id.clone());
                Some(Fault::Poison)
            }
            _ if self.poisoned.contains(&client_msg_id) => Some(Fault::Poison),
            fault => fault,
        };
        if fault.is_some() {
            self.failed.insert(lane, client_msg_id.clone());
        }
        if fault == Some(Fault::Overloaded) {
            return (refusal(Code::Overloaded), Vec::new());
        }
        if fault == Some(Fault::Poison) {
            return (refusal(Code::UnknownOutcome), Vec::new());
        }
        let known = |message: &&v1::Message| message.from_id == asker.user && message.client_msg_id == client_msg_id;
        let (answer, pushes) = match self.logs.get(&id).and_then(|log| log.iter().find(known)) {
            Some(first) => (Ok(sent(first, 0)), Vec::new()),
            None => match self.perform(asker, id, request) {
                Ok((answer, pushes)) => (Ok(answer), pushes),
                Err(code) => (Err(code), Vec::new()),
            },
        };
        match answer {
            // Refused for good: nothing waits for it.
            Err(code) => {
                self.refused.insert(client_msg_id);
                self.failed.remove(&lane);
                (refusal(code), pushes)
            }
            Ok(_) if fault == Some(Fault::UnknownOutcome) => (refusal(Code::UnknownOutcome), pushes),
            Ok(answer) => (Some(answer), pushes),
        }
    }

    fn send(&mut self, asker: &Asker, id: ConversationId, send: v1::Send) -> (Body, Vec<Push>) {
        let message = self.append(
            id,
            v1::Message {
                client_msg_id: send.client_msg_id.clone(),
                from_id: asker.user,
                from_device_id: asker.device_id.clone(),
                r#type: send.r#type,
                content: send.content,
                settings: send.settings,
                reply_to: send.reply_to,
                mentions: send.mentions,
                ..v1::Message::default()
            },
        );
        let entry = self.entries.entry((asker.user, id)).or_default();
        entry.read_mark = message.server_msg_id;
        entry.delivered_mark = message.server_msg_id;
        entry.marked_unread = false;
        let (own_seq, pushes) = self.tell_all(asker.user, id, &message);
        (sent(&message, own_seq), pushes)
    }

    fn tell_all(&mut self, sender: u64, id: ConversationId, message: &v1::Message) -> (u64, Vec<Push>) {
        match id {
            ConversationId::Group(group) => {
                (0, self.members(group).into_iter().map(|to| message_push(to, message, 0)).collect())
            }
            ConversationId::Single { .. } => {
                let peer = id.peer_of(UserId(sender)).expect("a sender is a party").0;
                let own = self.stamp(sender, id);
                let mut pushes = vec![message_push(sender, message, own)];
                if peer != sender {
                    let seq = self.stamp(peer, id);
                    pushes.push(message_push(peer, message, seq));
                }
                (own, pushes)
            }
        }
    }

    fn pull(&self, user: u64, pull: &v1::Pull) -> Body {
        let id: ConversationId = pull.conversation_id.parse().expect("a good conversation id");
        let limit = PULL_PAGE.min(pull.limit as usize);
        let head = self.head(user, id);
        let end = if pull.before == 0 { head } else { head.min(pull.before - 1) };
        let mut page = v1::Messages { conversation_id: id.to_string(), head, through: end, ..v1::Messages::default() };
        let log = self.logs.get(&id).map(Vec::as_slice).unwrap_or_default();
        let is_shown = |message: &v1::Message| !is_silent(message) && self.sees(user, id, message.server_msg_id);
        let (after, mut scanned) = (pull.after.unwrap_or(0), 0);
        let stretch = log.iter().filter(|message| (after + 1..=end).contains(&message.server_msg_id));
        if pull.after.is_none() {
            for message in stretch.rev() {
                if page.messages.len() == limit || scanned == SCAN_MAX {
                    (page.after, page.more) = (message.server_msg_id, true);
                    break;
                }
                scanned += 1;
                page.messages.extend(is_shown(message).then(|| message.clone()));
            }
            page.messages.reverse();
            return Body::Messages(page);
        }
        page.after = after;
        for message in stretch {
            if page.messages.len() + page.changed.len() >= limit || scanned == SCAN_MAX {
                (page.through, page.more) = (message.server_msg_id - 1, true);
                break;
            }
            scanned += 1;
            let target = self.targets.get(&(id, message.server_msg_id));
            let is_news = |target: &&u64| {
                self.may_see(user, id, message.server_msg_id)
                    && **target <= after
                    && self.sees(user, id, **target)
                    && page.changed.iter().all(|known| known.server_msg_id != **target)
            };
            let target = target.filter(is_news).map(|target| log[*target as usize - 1].clone());
            page.changed.extend(target);
            page.messages.extend(is_shown(message).then(|| message.clone()));
        }
        Body::Messages(page)
    }

    fn sync(&self, user: u64, sync: &v1::Sync) -> Body {
        let seq = self.mailboxes.get(&user).copied().unwrap_or_default();
        let since = if sync.mailbox_seq > seq { 0 } else { sync.mailbox_seq };
        let mut changed: Vec<_> = self.conversations_of(user).into_iter().map(|id| self.row(user, id)).collect();
        changed.retain(|row| row.mailbox_seq > since);
        let mut hidden = self.hidden_since(user, since);
        let mut stamps: Vec<_> = changed.iter().map(|row| row.mailbox_seq).collect();
        stamps.extend(hidden.iter().map(|change| change.mailbox_seq));
        stamps.sort_unstable();
        let caught_up = stamps.len() <= SYNC_PAGE;
        let mailbox_seq = if caught_up { seq } else { stamps[SYNC_PAGE - 1] };
        changed.retain(|row| row.mailbox_seq <= mailbox_seq);
        hidden.retain(|change| change.mailbox_seq <= mailbox_seq);
        for known in &sync.groups {
            let (group, id) = (GroupId(known.group_id), ConversationId::Group(GroupId(known.group_id)));
            if self.head(user, id) != known.server_msg_id || !self.is_member(user, group) {
                changed.push(self.row(user, id));
            }
        }
        let groups_behind = sync.groups_digest.is_some_and(|known| known != self.groups_digest(user));
        let page = v1::SyncPage { sessions: changed, changes: hidden, ..v1::SyncPage::default() };
        Body::SyncPage(v1::SyncPage { mailbox_seq, caught_up, groups_behind, ..page })
    }

    fn mark(&mut self, asker: &Asker, id: &str, at: u64, read: bool) -> (Option<Body>, Vec<Push>) {
        let id: ConversationId = id.parse().expect("a good conversation id");
        let at = at.min(self.head(asker.user, id));
        let entry = self.entries.entry((asker.user, id)).or_default();
        let before = (entry.read_mark, entry.delivered_mark);
        entry.delivered_mark = entry.delivered_mark.max(at);
        let ends_flag = read && std::mem::take(&mut entry.marked_unread);
        if read {
            entry.read_mark = entry.read_mark.max(at);
        }
        let (read_mark, delivered_mark) = (entry.read_mark, entry.delivered_mark);
        let (mut mailbox_seq, mut pushes) = (0, Vec::new());
        if read_mark > before.0 || ends_flag {
            mailbox_seq = self.stamp(asker.user, id);
            let changed = v1::SessionChanged { session: Some(self.row(asker.user, id)) };
            pushes.push(Push { to: asker.user, body: Body::SessionChanged(changed) });
        }
        let peer = id.peer_of(UserId(asker.user)).filter(|peer| peer.0 != asker.user);
        if let Some(peer) = peer.filter(|_| (read_mark, delivered_mark) != before) {
            let seq = self.stamp(peer.0, id);
            let (conversation_id, user_id) = (id.to_string(), asker.user);
            let receipt = v1::Receipt { conversation_id, user_id, read_mark, delivered_mark, mailbox_seq: seq };
            pushes.push(Push { to: peer.0, body: Body::Receipt(receipt) });
        }
        let unread = self.row(asker.user, id).unread;
        (Some(Body::Marked(v1::Marked { read_mark, delivered_mark, unread, mailbox_seq })), pushes)
    }
}

pub(crate) fn is_silent(message: &v1::Message) -> bool {
    (60..80).contains(&message.r#type)
}

fn preview(message: &v1::Message) -> v1::Preview {
    let v1::Message { server_msg_id, from_id, ref from_nickname, server_time_ms, state, r#type, .. } = *message;
    let (from_nickname, content) = (from_nickname.clone(), message.content.clone());
    v1::Preview { server_msg_id, from_id, from_nickname, r#type, content, server_time_ms, state }
}

fn counts(message: &v1::Message) -> bool {
    !is_silent(message) && message.notice.is_none() && !message.settings.is_some_and(|settings| settings.uncounted)
}

fn sent(message: &v1::Message, mailbox_seq: u64) -> Body {
    let (server_msg_id, server_time_ms, count) = (message.server_msg_id, message.server_time_ms, message.count);
    Body::Sent(v1::Sent { server_msg_id, server_time_ms, count, mailbox_seq })
}

fn message_push(to: u64, message: &v1::Message, mailbox_seq: u64) -> Push {
    Push {
        to,
        body: Body::Message(v1::MessageEvent { message: Some(message.clone()), mailbox_seq, changed: Vec::new() }),
    }
}

fn refusal(code: Code) -> Option<Body> {
    Some(Body::Error(v1::Error { code: code.into(), ..v1::Error::default() }))
}

fn profile(user: u64) -> v1::User {
    v1::User { user_id: user, account: format!("user{user}"), ..v1::User::default() }
}
