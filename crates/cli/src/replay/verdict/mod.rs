//! The judge: compares what was handed in, what the server has and what every device showed, by the promises of the
//! guarantees. Pure; it takes nothing from the SDK or the server but their records.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use anser_proto::{
    ConversationId, UserId,
    v1::{self, message::Type, notice::Kind},
};

use super::{
    record::{DeviceRecord, Handed, Truth},
    stage::Conditions,
};

mod device;
mod pushes;

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
    fn find(&mut self, fault: Fault, witness: impl FnOnce() -> String) {
        let count = match fault {
            Fault::Duplicate => &mut self.duplicates,
            Fault::Misordered => &mut self.misordered,
            Fault::Missing => &mut self.missing,
            Fault::Ghost => &mut self.ghosts,
            Fault::Unread => &mut self.unread_errors,
            Fault::OnlyOnDevice => &mut self.only_on_devices,
            Fault::Unpushed => &mut self.unpushed,
        };
        *count += 1;
        if *count <= WITNESSES_MAX {
            self.witnesses.push(format!("{fault:?}: {}", witness()).to_lowercase());
        }
    }
}

pub fn judge(conditions: Conditions, handed: &[Handed], devices: &[DeviceRecord], truth: &Truth) -> Verdict {
    let mut verdict = Verdict::default();
    let logs = judge_logs(&mut verdict, truth);
    judge_handed(&mut verdict, handed, &logs);
    judge_fifo(&mut verdict, handed, &logs);
    judge_sessions(&mut verdict, truth, &logs);
    for device in devices {
        device::judge_device(&mut verdict, device, &logs, truth);
    }
    if conditions == Conditions::Calm {
        pushes::judge_pushes(&mut verdict, handed, devices, &logs);
    }
    verdict
}

type Logs<'a> = BTreeMap<ConversationId, &'a [v1::Message]>;

/// Ids are dense, and both parties read the same log.
fn judge_logs<'a>(verdict: &mut Verdict, truth: &'a Truth) -> Logs<'a> {
    let mut logs = Logs::new();
    for view in &truth.views {
        let conversation = view.conversation;
        for (place, message) in (1..).zip(&view.messages) {
            if message.server_msg_id != place {
                verdict.find(Fault::Missing, || {
                    format!("{conversation}: id {} stands at place {place} of the log", message.server_msg_id)
                });
                break;
            }
        }
        let log = *logs.entry(conversation).or_insert(&view.messages);
        if log != view.messages {
            verdict.find(Fault::Ghost, || {
                let (one, other) = (log.len(), view.messages.len());
                format!(
                    "{conversation}: user {} reads another log ({other} entries) than the first reader ({one})",
                    view.reader
                )
            });
        }
    }
    logs
}

/// What was handed in is in the log once, as it was said, and where the server said that it is; and nothing else of ours is.
fn judge_handed(verdict: &mut Verdict, handed: &[Handed], logs: &Logs<'_>) {
    let mut stored: HashMap<(&str, ConversationId), Vec<&v1::Message>> = HashMap::new();
    for (conversation, log) in logs {
        for message in *log {
            stored.entry((&message.client_msg_id, *conversation)).or_default().push(message);
        }
    }
    for one in handed {
        let Handed { client_msg_id, conversation, .. } = one;
        let found = stored.remove(&(client_msg_id, *conversation)).unwrap_or_default();
        let Some((first, again)) = found.split_first() else {
            let fault = if one.acked.is_some() { Fault::OnlyOnDevice } else { Fault::Missing };
            verdict.find(fault, || {
                format!(
                    "{conversation}: {client_msg_id} of {} is not in the log, acked: {:?}",
                    one.device_id, one.acked
                )
            });
            continue;
        };
        for again in again {
            verdict.find(Fault::Duplicate, || {
                let (first, again) = (first.server_msg_id, again.server_msg_id);
                format!("{conversation}: {client_msg_id} is stored at {first} and {again}")
            });
        }
        if one.acked.is_some_and(|acked| acked != first.server_msg_id) {
            verdict.find(Fault::Missing, || {
                format!("{conversation}: {client_msg_id} is at {}, acked at {:?}", first.server_msg_id, one.acked)
            });
        }
        let said = (one.user.0, &one.device_id, &one.content, &one.nickname);
        if said != (first.from_id, &first.from_device_id, &first.content, &first.from_nickname) {
            verdict.find(Fault::Ghost, || {
                format!("{conversation}: {client_msg_id} is stored as {first:?}, said: {one:?}")
            });
        }
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

/// What one device said into one conversation is stored in that order.
fn judge_fifo(verdict: &mut Verdict, handed: &[Handed], logs: &Logs<'_>) {
    let mut places = HashMap::new();
    for (conversation, log) in logs {
        places
            .extend(log.iter().rev().map(|message| ((&*message.client_msg_id, *conversation), message.server_msg_id)));
    }
    let mut last = HashMap::new();
    for one in handed {
        let Some(place) = places.get(&(&*one.client_msg_id, one.conversation)) else { continue };
        let before = last.entry((one.user, &one.device_id, one.conversation)).or_insert(0);
        if place < before {
            verdict.find(Fault::Misordered, || {
                format!(
                    "{}: {} is at {place}, what was said before it at {before}",
                    one.conversation, one.client_msg_id
                )
            });
        }
        *before = *place;
    }
}

/// What the log says that this user may see of it.
fn visible(conversation: ConversationId, log: &[v1::Message], user: UserId) -> Vec<&v1::Message> {
    if matches!(conversation, ConversationId::Single { .. }) {
        return if conversation.peer_of(user).is_some() { log.iter().collect() } else { Vec::new() };
    }
    let mut member = false;
    let mut seen = Vec::new();
    for message in log {
        let notice = message.notice.as_ref().filter(|notice| notice.user_ids.contains(&user.0));
        let kind = notice.map_or(Kind::Unknown, v1::Notice::kind);
        member |= matches!(kind, Kind::Created | Kind::Joined);
        if member {
            seen.push(message);
        }
        member &= !matches!(kind, Kind::Left | Kind::Removed);
    }
    seen
}

/// The last ids that each of these logs has for a user: where their devices must get.
pub fn last_visible(truth: &Truth, user: UserId) -> Vec<(ConversationId, u64)> {
    let logs: Logs<'_> = truth.views.iter().map(|view| (view.conversation, &*view.messages)).collect();
    let last = |(conversation, log): (&ConversationId, &&[v1::Message])| {
        Some((*conversation, visible(*conversation, log, user).last()?.server_msg_id))
    };
    logs.iter().filter_map(last).collect()
}

/// The server's unread counts are what counting gives, its heads the last of what one may see, and both parties of a
/// conversation are told the same marks.
fn judge_sessions(verdict: &mut Verdict, truth: &Truth, logs: &Logs<'_>) {
    for (user, sessions) in &truth.sessions {
        for (conversation, log) in logs {
            let seen = visible(*conversation, log, *user);
            let Some(session) = sessions.get(conversation) else {
                if !seen.is_empty() {
                    verdict.find(Fault::Unread, || format!("{conversation} is not in the list of user {user}"));
                }
                continue;
            };
            let head = seen.last().map_or(0, |message| message.server_msg_id);
            let counted = |message: &&&v1::Message| {
                message.server_msg_id > session.read_mark && !message.settings.unwrap_or_default().uncounted
            };
            let unread = seen.iter().filter(counted).count() as u64;
            if (session.head, session.unread) != (head, unread) {
                verdict.find(Fault::Unread, || {
                    let (told_head, told) = (session.head, session.unread);
                    format!(
                        "{conversation}: user {user} is told {told} unread to {told_head}, counted {unread} to {head}"
                    )
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

type Marks = (u64, u64, u64, u64, u64, u64);

fn marks(session: &v1::Session) -> Marks {
    let v1::Session { head, unread, read_mark, delivered_mark, peer_read_mark, peer_delivered_mark, .. } = session;
    (*head, *unread, *read_mark, *delivered_mark, *peer_read_mark, *peer_delivered_mark)
}

/// Where a device's list says something else than the server's, and what.
pub fn differing_sessions(
    server: &BTreeMap<ConversationId, v1::Session>,
    device: &[v1::Session],
) -> Vec<(ConversationId, Option<Marks>)> {
    let here: HashMap<&str, Marks> = device.iter().map(|session| (&*session.conversation_id, marks(session))).collect();
    let told = server.iter().map(|(id, session)| (*id, marks(session), here.get(&*session.conversation_id).copied()));
    told.filter(|(_, server, device)| *device != Some(*server)).map(|(id, _, device)| (id, device)).collect()
}

#[cfg(test)]
mod tests;
