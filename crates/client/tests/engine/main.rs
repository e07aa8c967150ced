//! The engine against a model of the server, under every interleaving of faults that proptest finds: pushes lost, doubled and
//! out of order, answers eaten, connections cut, clients crashed, sends refused for now, groups left and joined
//! again, messages recalled, edited and reacted to, the server's store restored from a backup, local stores short of room. After the faults stop, every device must show exactly what it may see.

mod changes;
mod device;
mod hostile;
mod judge;
mod line;
mod link;
mod login;
mod mailbox;
mod marks;
mod mentions;
mod sends;
mod server;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anser_client::{
    Act, ConversationId, Draft, Edit, GroupId, Queued, Target, UserId,
    engine::{Input, MessageKey, Withdrawal},
};
use anser_proto::v1;
use device::{Crash, Device, Wires, policy};
use proptest::prelude::*;
use server::{Asker, Fault, Server};
use v1::{client_frame::Request, server_frame::Body};

/// Users 1 and 2 have two devices each, user 3 one.
const DEVICES: [(u64, &str); 5] = [(1, "1a"), (1, "1b"), (2, "2a"), (2, "2b"), (3, "3a")];
const GROUP: GroupId = GroupId(9);

#[derive(Clone, Debug)]
enum Action {
    Send {
        device: usize,
        to: usize,
        uncounted: bool,
    },
    /// Changes a message that is kept, or answers it: one that so many are behind.
    Change {
        device: usize,
        to: usize,
        back: usize,
        how: How,
    },
    /// Changes what waits to be sent.
    ChangeUnsent {
        device: usize,
        recalls: bool,
    },
    MarkRead {
        device: usize,
        to: usize,
        back: u64,
    },
    /// The user hides a message that is kept, clears up to it, or marks the conversation as unread.
    PutAway {
        device: usize,
        to: usize,
        back: usize,
        how: Away,
    },
    /// The user reads what is older than what is kept.
    LoadOlder {
        device: usize,
        to: usize,
        limit: u32,
    },
    /// The store makes room.
    Evict {
        device: usize,
        to: usize,
        stay: usize,
    },
    /// The user takes a message back that waits, `give_up` or not.
    Withdraw {
        device: usize,
        nth: usize,
        how: Withdrawal,
    },
    /// All is well for a while.
    Flow,
    /// Time passes, and everybody whose time has come acts.
    Wait {
        ms: u64,
    },
    Connect {
        device: usize,
    },
    /// The server takes frames of this device.
    Serve {
        device: usize,
        frames: usize,
    },
    /// The device takes frames; `skip` of them are overtaken.
    Deliver {
        device: usize,
        frames: usize,
        skip: usize,
    },
    LosePush {
        device: usize,
    },
    DoublePush {
        device: usize,
    },
    Lag {
        device: usize,
    },
    /// The server may have taken what was sent; its answers are lost.
    Cut {
        device: usize,
        served: usize,
    },
    Crash {
        device: usize,
        crash: Crash,
    },
    Refuse {
        fault: Fault,
    },
    ChangeMember {
        user: u64,
    },
    /// The newest messages are lost, and with them the log's name.
    Restore,
    BackUp,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Recall,
    Edit,
    React(u8),
    Reply,
    Pin,
    Unpin,
}

#[derive(Clone, Copy, Debug)]
enum Away {
    Hide,
    Clear,
    MarkUnread,
}

fn how() -> impl Strategy<Value = How> {
    prop_oneof![
        2 => Just(How::Recall),
        2 => Just(How::Edit),
        2 => (0..4u8).prop_map(How::React),
        1 => Just(How::Reply),
        2 => Just(How::Pin),
        1 => Just(How::Unpin),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let device = 0..DEVICES.len();
    prop_oneof![
        8 => (device.clone(), 0..4usize, any::<bool>()).prop_map(|(device, to, uncounted)| Action::Send { device, to, uncounted }),
        8 => (device.clone(), 0..4usize, 0..6usize, how())
            .prop_map(|(device, to, back, how)| Action::Change { device, to, back, how }),
        2 => (device.clone(), any::<bool>()).prop_map(|(device, recalls)| Action::ChangeUnsent { device, recalls }),
        2 => (device.clone(), 0..4usize, 0..4u64).prop_map(|(device, to, back)| Action::MarkRead { device, to, back }),
        3 => (device.clone(), 0..4usize, 0..6usize, prop_oneof![2 => Just(Away::Hide), 1 => Just(Away::Clear), 1 => Just(Away::MarkUnread)])
            .prop_map(|(device, to, back, how)| Action::PutAway { device, to, back, how }),
        2 => (device.clone(), 0..4usize, 1..9u32).prop_map(|(device, to, limit)| Action::LoadOlder { device, to, limit }),
        2 => (device.clone(), 0..4usize, 0..4usize).prop_map(|(device, to, stay)| Action::Evict { device, to, stay }),
        3 => (device.clone(), 0..4usize, prop_oneof![Just(Withdrawal::Cancel), Just(Withdrawal::GiveUp)])
            .prop_map(|(device, nth, how)| Action::Withdraw { device, nth, how }),
        5 => prop_oneof![Just(100u64), Just(1_000), Just(12_000)].prop_map(|ms| Action::Wait { ms }),
        3 => Just(Action::Flow),
        6 => device.clone().prop_map(|device| Action::Connect { device }),
        8 => (device.clone(), 1..12usize).prop_map(|(device, frames)| Action::Serve { device, frames }),
        8 => (device.clone(), 1..12usize, 0..3usize).prop_map(|(device, frames, skip)| Action::Deliver { device, frames, skip }),
        3 => device.clone().prop_map(|device| Action::LosePush { device }),
        2 => device.clone().prop_map(|device| Action::DoublePush { device }),
        1 => device.clone().prop_map(|device| Action::Lag { device }),
        3 => (device.clone(), 0..6usize).prop_map(|(device, served)| Action::Cut { device, served }),
        3 => (device, prop_oneof![Just(Crash::BeforeSaving), Just(Crash::AfterSaving)])
            .prop_map(|(device, crash)| Action::Crash { device, crash }),
        3 => prop_oneof![4 => Just(Fault::Overloaded), 4 => Just(Fault::UnknownOutcome), 1 => Just(Fault::Poison)].prop_map(|fault| Action::Refuse { fault }),
        2 => (1..4u64).prop_map(|user| Action::ChangeMember { user }),
    ]
}

/// Restores are rare and go with their backup.
fn history() -> impl Strategy<Value = Vec<Action>> {
    let rare = prop_oneof![3 => Just(None), 1 => (0..60usize, 0..120usize).prop_map(Some)];
    (prop::collection::vec(action(), 20..160), rare).prop_map(|(mut actions, restore)| {
        if let Some((backup, restore)) = restore {
            actions.insert(backup.min(actions.len()), Action::BackUp);
            actions.insert((backup + restore).min(actions.len()), Action::Restore);
        }
        actions
    })
}

struct World {
    now: u64,
    server: Server,
    backup: Option<Server>,
    devices: Vec<Device>,
    connections: u64,
    connection_of: Vec<u64>,
    /// What was said and saved, of each device and conversation, in order.
    said: BTreeMap<(usize, ConversationId), Vec<String>>,
    /// Acknowledged, then lost with the server's store: nobody can have them any more.
    lost: BTreeSet<String>,
    /// Taken back, perhaps in vain.
    withdrawn: BTreeSet<String>,
    sends: u64,
}

impl World {
    fn new(small: bool) -> Self {
        let mut server = Server::new(77);
        for user in [1, 2, 3] {
            server.change_member(GROUP, user);
        }
        let devices = DEVICES.iter().map(|(user, name)| Device::new(*user, name, policy(small))).collect();
        let connection_of = vec![0; DEVICES.len()];
        let (said, lost, withdrawn) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { now: 1, server, backup: None, devices, connections: 0, connection_of, said, lost, withdrawn, sends: 0 }
    }

    fn conversation(&self, device: usize, to: usize) -> ConversationId {
        match to {
            0 => ConversationId::Group(GROUP),
            peer => ConversationId::single(UserId(self.devices[device].user), UserId(peer as u64)),
        }
    }

    fn step(&mut self, device: usize, input: Input) {
        self.devices[device].step(self.now, &self.server, input);
    }

    fn run(&mut self, action: Action) {
        match action {
            Action::Send { device, to, uncounted } => self.send(device, to, uncounted),
            Action::Change { device, to, back, how } => {
                let (id, target) = self.kept_message(device, to, back);
                target.into_iter().for_each(|target| self.change(device, id, target, how));
            }
            Action::ChangeUnsent { device, recalls } => self.change_unsent(device, recalls),
            Action::MarkRead { device, to, back } => {
                let id = self.conversation(device, to);
                let Some(kept) = self.devices[device].disk.kept.get(&id) else { return };
                let at = kept.high.saturating_sub(back);
                let mine = self.devices[device].disk.messages.get(&id).and_then(|mine| mine.get(&at));
                let count = mine.map(|message| message.count);
                self.step(device, Input::MarkRead { conversation: id, server_msg_id: at, count });
            }
            Action::PutAway { device, to, back, how } => {
                let (id, target) = self.kept_message(device, to, back);
                target.into_iter().for_each(|target| self.put_away(device, id, target, how));
            }
            Action::LoadOlder { device, to, limit } => {
                self.step(device, Input::LoadOlder { conversation: self.conversation(device, to), limit, call: 0 });
            }
            Action::Evict { device, to, stay } => {
                let conversation = self.conversation(device, to);
                self.devices[device].evict(conversation, stay);
            }
            Action::Withdraw { device, nth, how } => {
                let waiting = self.devices[device].disk.outgoing.get(nth).map(|queued| queued.key());
                waiting.into_iter().for_each(|key| self.withdraw(device, key, how));
            }
            Action::Flow => self.flow(),
            Action::Wait { ms } => self.wait(ms),
            Action::Connect { device } => self.connect(device),
            Action::Serve { device, frames } => (0..frames).for_each(|_| self.serve(device)),
            Action::Deliver { device, frames, skip } => (0..frames).for_each(|_| self.deliver(device, skip)),
            Action::LosePush { device } => drop(self.take_push(device)),
            Action::DoublePush { device } => {
                if let Some(push) = self.take_push(device)
                    && let Some(link) = &mut self.devices[device].link
                {
                    link.to_client.extend([push.clone(), push]);
                }
            }
            Action::Lag { device } => {
                while self.take_push(device).is_some() {}
                let lagged = v1::ServerFrame { request_id: 0, body: Some(Body::Lagged(v1::Lagged {})) };
                self.devices[device].link.iter_mut().for_each(|link| link.to_client.push_back(lagged.clone()));
            }
            Action::Cut { device, served } => {
                (0..served).for_each(|_| self.serve(device));
                if self.devices[device].link.take().is_some() {
                    self.step(device, Input::Closed { code: None, reason: String::new() });
                }
            }
            Action::Crash { device, crash } => self.devices[device].crash = Some(crash),
            Action::Refuse { fault } => self.server.faults.push(fault),
            Action::ChangeMember { user } => {
                let pushes = self.server.change_member(GROUP, user);
                self.push(pushes, None);
            }
            Action::BackUp => self.backup = Some(self.server.clone()),
            Action::Restore => self.restore(),
        }
    }

    /// One that so many are behind.
    fn kept_message(&self, device: usize, to: usize, back: usize) -> (ConversationId, Option<u64>) {
        let id = self.conversation(device, to);
        let mine = self.devices[device].disk.messages.get(&id);
        (id, mine.and_then(|mine| mine.keys().rev().nth(back).copied()))
    }

    fn send(&mut self, device: usize, to: usize, uncounted: bool) {
        let id = self.conversation(device, to);
        let mut draft = Draft::text((self.sends + 1).to_string());
        (draft.uncounted, draft.mentions) = (uncounted, mentions::in_turn(self.sends, id));
        self.act(device, id, draft);
    }

    fn act(&mut self, device: usize, id: ConversationId, act: impl Into<Act>) {
        self.sends += 1;
        if self.devices[device].send(self.now, &self.server, id, self.sends, act) {
            let name = format!("{}-{}", self.devices[device].name, self.sends);
            self.said.entry((device, id)).or_default().push(name);
        }
    }

    fn change(&mut self, device: usize, id: ConversationId, target: u64, how: How) {
        match how {
            How::Recall => self.act(device, id, Act::Recall(target.into())),
            How::Edit => {
                let mut edit = Edit::text(format!("edited {}", self.sends));
                edit.mentions = mentions::in_turn(self.sends, id);
                self.act(device, id, Act::Edit(target.into(), edit));
            }
            How::React(emojis) => {
                let emojis = (0..emojis).map(|number| ["👍", "🎉", "❤"][usize::from(number)].to_owned()).collect();
                self.act(device, id, Act::React(target, emojis));
            }
            How::Pin => self.act(device, id, Act::Pin(target)),
            How::Unpin => self.act(device, id, Act::Unpin(target)),
            How::Reply => {
                let mut draft = Draft::text(format!("answers {target}"));
                draft.reply_to = Some(target);
                self.act(device, id, draft);
            }
        }
    }

    fn put_away(&mut self, device: usize, id: ConversationId, target: u64, how: Away) {
        let conversation_id = id.to_string();
        let request = match how {
            Away::Hide => Request::HideMessages(v1::HideMessages { conversation_id, server_msg_ids: vec![target] }),
            Away::Clear => Request::ClearSession(v1::ClearSession { conversation_id, server_msg_id: target }),
            Away::MarkUnread => {
                let marked_unread = Some(true);
                Request::UpdateSession(v1::UpdateSession { conversation_id, marked_unread, ..Default::default() })
            }
        };
        self.step(device, Input::Call { request, call: 0 });
    }

    fn change_unsent(&mut self, device: usize, recalls: bool) {
        let mut waiting = self.devices[device].disk.outgoing.iter();
        let Some(unsent) = waiting.rfind(|queued| matches!(queued.act, Act::Send(_))).cloned() else { return };
        let target = Target::Own(unsent.client_msg_id.clone());
        let edit = Edit::text(format!("edited {}", self.sends));
        let act = if recalls { Act::Recall(target) } else { Act::Edit(target, edit) };
        self.act(device, unsent.conversation, act);
    }

    fn withdraw(&mut self, device: usize, key: MessageKey, how: Withdrawal) {
        self.withdrawn.insert(key.client_msg_id.to_string());
        self.step(device, Input::Withdraw { key, how, call: 0 });
    }

    fn wait(&mut self, ms: u64) {
        self.now += ms;
        for device in 0..self.devices.len() {
            if self.devices[device].wake_at().is_some_and(|at| at <= self.now) {
                self.step(device, Input::Tick);
            }
        }
    }

    fn connect(&mut self, device: usize) {
        self.wait(0);
        let Some(link) = self.devices[device].link.as_mut().filter(|link| !link.open) else { return };
        link.open = true;
        self.connections += 1;
        self.connection_of[device] = self.connections;
        self.step(device, Input::Connected);
    }

    fn serve(&mut self, device: usize) {
        let Some(frame) = self.devices[device].link.as_mut().and_then(|link| link.to_server.pop_front()) else {
            return;
        };
        if matches!(frame.request, Some(Request::Hello(_))) {
            let heads = self.server.heads(self.devices[device].user);
            self.devices[device].link.iter_mut().for_each(|link| link.heads_then.clone_from(&heads));
        }
        let connection = self.connection_of[device];
        let asker = Asker { connection, user: self.devices[device].user, device_id: self.devices[device].name.clone() };
        let (body, pushes) = self.server.answer(&asker, frame.request.expect("a request"));
        // A crash may have ended the connection meanwhile; what the server did stays done.
        if let (Some(link), Some(body)) = (&mut self.devices[device].link, body) {
            link.to_client.push_back(v1::ServerFrame { request_id: frame.request_id, body: Some(body) });
        }
        self.push(pushes, Some(device));
    }

    fn push(&mut self, pushes: Vec<server::Push>, except: Option<usize>) {
        for push in pushes {
            for (at, device) in self.devices.iter_mut().enumerate() {
                // A change is told to who made it, too.
                let is_told = Some(at) != except || matches!(push.body, Body::MessagesChanged(_));
                if device.user == push.to
                    && is_told
                    && let Some(Wires { open: true, to_client, .. }) = &mut device.link
                {
                    to_client.push_back(v1::ServerFrame { request_id: 0, body: Some(push.body.clone()) });
                }
            }
        }
    }

    fn deliver(&mut self, device: usize, skip: usize) {
        let Some(link) = &mut self.devices[device].link else { return };
        let at = skip.min(link.to_client.len().saturating_sub(1));
        if let Some(frame) = link.to_client.remove(at) {
            self.step(device, Input::Frame(frame));
        }
    }

    fn take_push(&mut self, device: usize) -> Option<v1::ServerFrame> {
        let link = self.devices[device].link.as_mut()?;
        let at = link.to_client.iter().position(|frame| frame.request_id == 0)?;
        link.to_client.remove(at)
    }

    /// The server's store is what it was at the backup. Every connection ends with the server.
    fn restore(&mut self) {
        let Some(backup) = self.backup.take() else { return };
        let lost = std::mem::replace(&mut self.server, backup.restored());
        self.server.unchanged.extend(lost.unchanged);
        for message in lost.logs.values().flatten() {
            self.lost.insert(message.client_msg_id.clone());
        }
        for device in 0..self.devices.len() {
            if self.devices[device].link.take().is_some() {
                self.step(device, Input::Closed { code: None, reason: String::new() });
            }
        }
    }

    /// No more faults: everything is delivered, for as long as the longest wait and then some.
    fn settle(&mut self) {
        self.server.faults.clear();
        self.devices.iter_mut().for_each(|device| device.crash = None);
        for _ in 0..180 {
            self.flow();
            self.wait(500);
            self.give_up_poisoned();
        }
        self.flow();
    }

    /// The users see that these messages go nowhere.
    fn give_up_poisoned(&mut self) {
        for device in 0..self.devices.len() {
            let is_poisoned = |queued: &&Arc<Queued>| {
                queued.refused.is_none() && self.server.poisoned.contains(queued.client_msg_id.as_str())
            };
            let stuck = self.devices[device].disk.outgoing.iter().find(is_poisoned).map(|queued| queued.key());
            stuck.into_iter().for_each(|key| self.withdraw(device, key, Withdrawal::GiveUp));
        }
    }

    /// Everything is delivered until nobody has anything to say.
    fn flow(&mut self) {
        (0..self.devices.len()).for_each(|device| self.connect(device));
        for _ in 0..500 {
            let mut links = self.devices.iter().flat_map(|device| &device.link);
            if !links.any(|link| !link.to_client.is_empty() || !link.to_server.is_empty()) {
                return;
            }
            for device in 0..self.devices.len() {
                (0..16).for_each(|_| self.serve(device));
                (0..16).for_each(|_| self.deliver(device, 0));
            }
        }
        panic!("the devices and the server never fall silent");
    }
}

fn check(actions: Vec<Action>, small: bool) {
    let mut world = World::new(small);
    for action in actions {
        world.run(action);
    }
    world.settle();
    world.check();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_faults_every_device_has_the_whole_log(actions in history()) {
        check(actions, false);
    }

    #[test]
    fn after_any_faults_every_device_has_the_newest_stretch(actions in history()) {
        check(actions, true);
    }
}

/// Found by the search above. The user was no member when the first message came, and is one when it comes again: by then the second,
/// which was not refused, has its place.
#[test]
fn a_message_whose_refusal_was_lost_is_tried_again_behind_those_that_were_taken() {
    let send = || Action::Send { device: 4, to: 0, uncounted: false };
    let mut world = World::new(false);
    for action in [
        Action::Flow,
        Action::ChangeMember { user: 3 },
        send(),
        send(),
        Action::Serve { device: 4, frames: 1 },
        Action::ChangeMember { user: 3 },
        Action::Cut { device: 4, served: 1 },
    ] {
        world.run(action);
    }
    world.settle();
    world.check();
    let log = &world.server.logs[&ConversationId::Group(GROUP)];
    let stored: Vec<_> =
        log.iter().filter(|message| message.notice.is_none()).map(|m| m.client_msg_id.as_str()).collect();
    assert_eq!(stored, ["3a-2", "3a-1"]);
}

/// Found by the search above: the wait of a refused message ended while another one was on its way, and then the
/// connection did; nothing was left to wake the queue.
#[test]
fn a_queue_whose_wait_ended_with_its_connection_goes_on() {
    let send = || Action::Send { device: 4, to: 1, uncounted: false };
    let mut history = vec![send(), Action::Connect { device: 4 }, Action::Serve { device: 4, frames: 1 }];
    history.push(Action::Deliver { device: 4, frames: 1, skip: 0 });
    history.push(Action::Refuse { fault: Fault::Overloaded });
    history.push(Action::Serve { device: 4, frames: 2 });
    history.push(send());
    history.push(Action::Deliver { device: 4, frames: 1, skip: 1 });
    history.extend([Action::Wait { ms: 1_000 }, Action::Cut { device: 4, served: 0 }]);
    check(history, false);
}

/// Found by the search above.
#[test]
fn what_was_hidden_behind_a_mark_that_the_server_did_not_know_is_not_unread() {
    let send = || Action::Send { device: 0, to: 0, uncounted: false };
    let mut history = vec![send(), Action::Flow, send()];
    history.push(Action::PutAway { device: 2, to: 0, back: 0, how: Away::Hide });
    history.extend([Action::MarkRead { device: 3, to: 0, back: 1 }, Action::Flow]);
    history.extend((0..5).map(|_| send()));
    check(history, true);
}

/// Found by the search above: a message was recalled that lies before the first page, by an entry behind the row that told what is unread.
#[test]
fn what_is_recalled_before_the_first_page_is_not_unread() {
    let send = |device: usize, to: usize| Action::Send { device, to, uncounted: false };
    let history = vec![
        Action::BackUp,
        Action::Flow,
        Action::Restore,
        send(3, 0),
        Action::Wait { ms: 1_000 },
        Action::Refuse { fault: Fault::Overloaded },
        Action::Flow,
        send(3, 1),
        send(2, 1),
        Action::ChangeUnsent { device: 3, recalls: true },
        Action::Refuse { fault: Fault::UnknownOutcome },
        Action::Serve { device: 3, frames: 1 },
        Action::Crash { device: 1, crash: Crash::BeforeSaving },
        send(2, 1),
        Action::Deliver { device: 3, frames: 1, skip: 0 },
        send(2, 1),
        Action::Wait { ms: 100 },
        send(1, 0),
    ];
    check(history, true);
}
