//! Whether every message came by itself to each device that was there: the rule of a calm play, in which nobody asks for
//! what was missed.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use anser_proto::{ConversationId, v1};

use super::{
    super::record::{DeviceRecord, Handed},
    Fault, Logs, Verdict, visible,
};

/// From the acknowledgement to the last device. A bound for load, not for speed: play slowly enough.
pub const PUSH_MAX: Duration = Duration::from_secs(2);
/// A play shows nothing about time when more than one push in so many came at a time that nobody can judge.
const UNTIMED_ONE_IN: u64 = 4;

/// All devices are there from before the first line to the end: in calm weather nobody loses a connection.
pub fn judge_pushes(verdict: &mut Verdict, handed: &[Handed], devices: &[DeviceRecord], logs: &Logs<'_>) {
    let acked: HashMap<_, _> =
        handed.iter().filter_map(|one| Some(((&*one.client_msg_id, one.conversation), one.acked_at?))).collect();
    let said: HashSet<_> = handed.iter().map(|one| &*one.client_msg_id).collect();
    // Others were said in an earlier play on the same server, when these devices were not there.
    let is_of_play = |message: &v1::Message| message.notice.is_some() || said.contains(&*message.client_msg_id);
    for (conversation, log) in logs {
        let stored = stored_by(*conversation, log, &acked);
        for device in devices {
            for message in visible(*conversation, log, device.user) {
                // Whoever says something is answered.
                if message.from_device_id != device.device_id && is_of_play(message) {
                    judge_push(verdict, device, *conversation, message, stored.get(&message.server_msg_id));
                }
            }
        }
    }
    for device in devices.iter().filter(|device| device.pushes.lost > 0) {
        verdict.find(Fault::Unpushed, || format!("{} lost its connection {} times", device.name, device.pushes.lost));
    }
    let Verdict { pushed, untimed, .. } = *verdict;
    if untimed * UNTIMED_ONE_IN > pushed {
        verdict
            .find(Fault::Unpushed, || format!("{untimed} of {pushed} pushes: nobody knows whether they were in time"));
    }
}

/// When each message was stored at the latest. A notice is acknowledged to nobody by its place, but whatever is acknowledged
/// behind it says that it is stored. The last notices of a log, with nothing behind them, have no time.
fn stored_by(
    conversation: ConversationId,
    log: &[v1::Message],
    acked: &HashMap<(&str, ConversationId), Instant>,
) -> HashMap<u64, Instant> {
    let mut stored = HashMap::new();
    let mut earliest: Option<Instant> = None;
    for message in log.iter().rev() {
        let own = acked.get(&(&*message.client_msg_id, conversation)).copied();
        earliest = [own, earliest].into_iter().flatten().min();
        stored.extend(own.or(earliest).map(|at| (message.server_msg_id, at)));
    }
    stored
}

fn judge_push(
    verdict: &mut Verdict,
    device: &DeviceRecord,
    conversation: ConversationId,
    message: &v1::Message,
    stored: Option<&Instant>,
) {
    let place = message.server_msg_id;
    let Some(came) = device.pushes.first.get(&(conversation, place)) else {
        verdict.find(Fault::Unpushed, || format!("{} in {conversation} at {place}: never came by itself", device.name));
        return;
    };
    verdict.pushed += 1;
    let Some(stored) = stored else {
        verdict.untimed += 1;
        if message.notice.is_none() {
            verdict
                .find(Fault::Unpushed, || format!("{} in {conversation} at {place}: never acknowledged", device.name));
        }
        return;
    };
    let waited = came.saturating_duration_since(*stored);
    verdict.slowest_push = verdict.slowest_push.max(waited);
    if waited > PUSH_MAX {
        let ms = waited.as_millis();
        verdict.find(Fault::Unpushed, || format!("{} in {conversation} at {place}: came after {ms} ms", device.name));
    }
}
