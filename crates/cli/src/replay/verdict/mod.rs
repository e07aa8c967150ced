//! The judge: compares what was handed in, what the server has and what every device showed, by the promises of the
//! guarantees. Pure; it takes nothing from the SDK or the server but their records.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use anser_proto::{
    ConversationId,
    limits::PREVIEW_CHARS_MAX,
    v1::{
        self,
        message::{State, Type},
    },
};

use super::{
    record::{DeviceRecord, Handed, Truth},
    stage::Conditions,
};

mod device;
mod logs;
mod present;
mod pushes;

pub use logs::{Goal, goals_of, logs_of, untold};
use logs::{Logs, judge_logs};
use present::Present;
pub use present::TakenBack;
pub use pushes::PUSH_MAX;

/// Witnesses of a kind that are kept; the counts go on.
const WITNESSES_MAX: u64 = 4;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Duplicate,
    Misordered,
    Missing,
    Ghost,
    Unread,
    OnlyOnDevice,
    /// Not as it is now.
    Stale,
    /// What was taken back, and is there.
    Leaked,
    /// What its user put away, and is shown to them.
    Returned,
    /// A refusal.
    Unexplained,
    Unpushed,
}

#[derive(Default, Debug)]
pub struct Verdict {
    pub duplicates: u64,
    pub misordered: u64,
    pub missing: u64,
    /// Stored, but never said so, or shown to who may not see it.
    pub ghosts: u64,
    pub unread_errors: u64,
    /// Shown, kept or acknowledged on a device, and nowhere in the store.
    pub only_on_devices: u64,
    /// Messages that do not look as the changes leave them: in the store, in a device's store, on its screen.
    pub stale: u64,
    /// Words that were taken back and are in a file all the same.
    pub leaked: u64,
    /// What users put away and was shown to them all the same.
    pub returned: u64,
    /// Refusals without a reason.
    pub unexplained: u64,
    /// What the server refused for good, with a reason or without.
    pub refused: u64,
    /// Those of it that are messages.
    pub unsaid: u64,
    /// Of a calm play: pushes that did not come or came late, those that came, those of them of which nobody knows whether they
    /// were in time, and the longest wait for one of the others.
    pub unpushed: u64,
    pub pushed: u64,
    pub untimed: u64,
    pub slowest_push: Duration,
    /// The first few of what was found, for people.
    pub witnesses: Vec<String>,
}

impl Verdict {
    pub fn find(&mut self, fault: Fault, witness: impl FnOnce() -> String) {
        let count = match fault {
            Fault::Duplicate => &mut self.duplicates,
            Fault::Misordered => &mut self.misordered,
            Fault::Missing => &mut self.missing,
            Fault::Ghost => &mut self.ghosts,
            Fault::Unread => &mut self.unread_errors,
            Fault::OnlyOnDevice => &mut self.only_on_devices,
            Fault::Stale => &mut self.stale,
            Fault::Leaked => &mut self.leaked,
            Fault::Returned => &mut self.returned,
            Fault::Unexplained => &mut self.unexplained,
            Fault::Unpushed => &mut self.unpushed,
        };
        *count += 1;
        if *count <= WITNESSES_MAX {
            self.witnesses.push(format!("{}: {}", format!("{fault:?}").to_lowercase(), witness()));
        }
    }
}

pub fn judge(conditions: Conditions, handed: &[Handed], devices: &[DeviceRecord], truth: &Truth) -> Verdict {
    let mut verdict = Verdict::default();
    let logs = judge_logs(&mut verdict, truth);
    let present = Present::of(handed, &logs);
    judge_handed(&mut verdict, handed, &logs);
    present::judge_present(&mut verdict, &present, &logs);
    present::judge_refusals(&mut verdict, handed, &logs);
    judge_fifo(&mut verdict, handed, &present, &logs);
    judge_sessions(&mut verdict, truth, &logs);
    for device in devices {
        device::judge_device(&mut verdict, device, &logs, truth);
    }
    if conditions == Conditions::Calm {
        pushes::judge_pushes(&mut verdict, handed, devices, &logs);
        pushes::judge_changes(&mut verdict, &present, devices, &logs);
    }
    verdict
}

/// What was handed in is in the log once, as it was said, and where the server said that it is; and nothing else of ours is.
fn judge_handed(verdict: &mut Verdict, handed: &[Handed], logs: &Logs<'_>) {
    let mut stored: HashMap<(&str, ConversationId), Vec<&v1::Message>> = HashMap::new();
    for (conversation, log) in logs {
        for message in log.rows.iter().copied() {
            stored.entry((&message.client_msg_id, *conversation)).or_default().push(message);
        }
    }
    for one in handed {
        let found = stored.remove(&(&*one.client_msg_id, one.conversation)).unwrap_or_default();
        let is_lost = |place| logs.get(&one.conversation).is_some_and(|log| log.is_lost(one.conversation, place));
        if found.is_empty() && one.acked.is_some_and(is_lost) {
            continue;
        }
        judge_one(verdict, one, &found);
    }
    // In one-to-one logs there may be messages of an earlier play on the same server: those have other ids.
    let ours = handed.first().and_then(|one| one.client_msg_id.rsplit_once('-')).map_or("-", |(play, _)| play);
    for ((client_msg_id, conversation), messages) in stored {
        let is_ours = client_msg_id.starts_with(ours) || matches!(conversation, ConversationId::Group(_));
        for message in messages.into_iter().filter(|message| is_ours && message.r#type() != Type::Notice) {
            verdict.find(Fault::Ghost, || format!("{conversation}: nobody said {message:?}"));
        }
    }
}

fn judge_one(verdict: &mut Verdict, one: &Handed, found: &[&v1::Message]) {
    let Handed { client_msg_id, conversation, .. } = one;
    let (first, again) = match (found.split_first(), one.is_message()) {
        (Some(found), true) => found,
        (None, true) if one.is_refused() => return,
        // A change has no message of its own, and a place if it was not refused.
        (None, false) if !one.is_open() => return,
        (Some((first, _)), false) => {
            return verdict.find(Fault::Ghost, || format!("{conversation}: a change is shown as {first:?}"));
        }
        (None, _) => {
            let fault = if one.acked.is_some() { Fault::OnlyOnDevice } else { Fault::Missing };
            return verdict.find(fault, || {
                format!(
                    "{conversation}: {client_msg_id} of {} is not in the log, acked: {:?}",
                    one.device_id, one.acked
                )
            });
        }
    };
    for again in again {
        verdict.find(Fault::Duplicate, || {
            let (first, again) = (first.server_msg_id, again.server_msg_id);
            format!("{conversation}: {client_msg_id} is stored at {first} and {again}")
        });
    }
    if one.is_refused() || one.acked.is_some_and(|acked| acked != first.server_msg_id) {
        verdict.find(Fault::Missing, || {
            format!("{conversation}: {client_msg_id} is at {}, acked at {:?}", first.server_msg_id, one.acked)
        });
    }
    // What it says after a change is judged with the changes.
    let content = if first.changed == 0 { one.act.content() } else { Some(&*first.content) };
    let said = (one.user.0, &one.device_id, content, &one.nickname, one.kind());
    let kind = first.r#type();
    if said != (first.from_id, &first.from_device_id, Some(&*first.content), &first.from_nickname, Some(kind)) {
        verdict.find(Fault::Ghost, || format!("{conversation}: {client_msg_id} is stored as {first:?}, said: {one:?}"));
    }
}

/// What one device said and changed in one conversation is stored in that order. What was refused once has no place in it.
fn judge_fifo(verdict: &mut Verdict, handed: &[Handed], present: &Present<'_>, logs: &Logs<'_>) {
    let places = present::places_of(logs);
    let mut last = HashMap::new();
    for one in handed.iter().filter(|one| one.refused.is_none()) {
        let message = places.get(&(&*one.client_msg_id, one.conversation)).copied();
        let Some(place) = message.or_else(|| present.place_of(one)) else { continue };
        let before = last.entry((one.user, &one.device_id, one.conversation)).or_insert(0);
        if place < *before {
            verdict.find(Fault::Misordered, || {
                format!(
                    "{}: {} is at {place}, what was said before it at {before}",
                    one.conversation, one.client_msg_id
                )
            });
        }
        *before = place;
    }
}

/// The server's unread counts are what counting gives, its heads the last of what one may see, its last lines the last of what is
/// shown, and both parties of a conversation are told the same marks.
fn judge_sessions(verdict: &mut Verdict, truth: &Truth, logs: &Logs<'_>) {
    for (user, sessions) in &truth.sessions {
        for (conversation, log) in logs {
            let sight = log.sight(*conversation, *user);
            let Some(session) = sessions.get(conversation) else {
                if !sight.rows.is_empty() {
                    verdict.find(Fault::Unread, || format!("{conversation} is not in the list of user {user}"));
                }
                continue;
            };
            let unread = sight.shown().filter(|message| is_unread(message, session.read_mark)).count() as u64;
            if (session.head, session.unread) != (sight.head(), unread) {
                verdict.find(Fault::Unread, || {
                    let (told_head, told, head) = (session.head, session.unread, sight.head());
                    format!(
                        "{conversation}: user {user} is told {told} unread to {told_head}, counted {unread} to {head}"
                    )
                });
            }
            let line = sight.shown().last().map(last_line);
            if session.last.as_ref().map(line_of) != line {
                verdict.find(Fault::Stale, || {
                    format!("{conversation}: the last line of user {user} is {:?}, and not {line:?}", session.last)
                });
            }
            let peer = conversation.peer_of(*user).and_then(|peer| truth.sessions.get(&peer)?.get(conversation));
            if let Some(peer) = peer
                && (session.peer_read_mark, session.peer_delivered_mark) != (peer.read_mark, peer.delivered_mark)
            {
                verdict
                    .find(Fault::Unread, || format!("{conversation}: user {user} is told other marks than their peer"));
            }
        }
    }
}

/// By hand: it counts, nobody took it back, and it lies behind the mark.
fn is_unread(message: &v1::Message, read_mark: u64) -> bool {
    let counts = message.notice.is_none() && !message.settings.unwrap_or_default().uncounted;
    counts && message.state() == State::Present && message.server_msg_id > read_mark
}

type Line = (u64, String, i32);

fn last_line(message: &v1::Message) -> Line {
    let content = message.content.chars().take(PREVIEW_CHARS_MAX).collect();
    (message.server_msg_id, content, message.state)
}

fn line_of(last: &v1::Preview) -> Line {
    (last.server_msg_id, last.content.clone(), last.state)
}

/// What is told of a conversation in a list.
#[derive(PartialEq, Eq, Debug)]
pub struct Told {
    head: u64,
    unread: u64,
    read_mark: u64,
    delivered_mark: u64,
    peer_read_mark: u64,
    peer_delivered_mark: u64,
    last: Option<Line>,
}

fn told(session: &v1::Session) -> Told {
    Told {
        head: session.head,
        unread: session.unread,
        read_mark: session.read_mark,
        delivered_mark: session.delivered_mark,
        peer_read_mark: session.peer_read_mark,
        peer_delivered_mark: session.peer_delivered_mark,
        last: session.last.as_ref().map(line_of),
    }
}

/// Where a device's list says something else than the server's, and what. Of messages that are changed after their reader left, the server
/// says how they are, and the device what it was told: there the counts and last lines may differ.
pub fn differing_sessions(
    server: &BTreeMap<ConversationId, v1::Session>,
    device: &[v1::Session],
    untold: &BTreeSet<ConversationId>,
) -> Vec<(ConversationId, Option<Told>)> {
    let here: HashMap<&str, &v1::Session> = device.iter().map(|session| (&*session.conversation_id, session)).collect();
    let mut differing = Vec::new();
    for (id, session) in server {
        let mut expected = told(session);
        let device = here.get(&*session.conversation_id).map(|session| told(session));
        if let Some(device) = device.as_ref().filter(|_| untold.contains(id)) {
            (expected.unread, expected.last) = (device.unread, device.last.clone());
        }
        if device.as_ref() != Some(&expected) {
            differing.push((*id, device));
        }
    }
    differing
}

#[cfg(test)]
mod tests;
