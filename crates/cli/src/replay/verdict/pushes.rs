//! Whether every message came by itself to each device that was there: the rule of a calm play, in which nobody asks for
//! what was missed.

use std::{
    collections::{HashMap, HashSet},
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use anser_proto::{ConversationId, v1};

use super::{
    super::record::{DeviceRecord, Handed},
    Fault, Logs, Verdict,
    present::Present,
};

/// From the acknowledgement to the last device. A bound for load, not for speed: play slowly enough.
pub const PUSH_MAX: Duration = Duration::from_secs(2);
/// A play shows nothing about time when more than one push in so many came at a time that nobody can judge.
const UNTIMED_ONE_IN: u64 = 4;

/// Whoever leaves so many entries behind a change may be no member any more when others are told of it; their leaving brings it.
const LEAVING: u64 = 16;

/// All devices are there from before the first line to the end: in calm weather nobody loses a connection.
pub fn judge_pushes(verdict: &mut Verdict, handed: &[Handed], devices: &[DeviceRecord], logs: &Logs<'_>) {
    let acked: HashMap<_, _> =
        handed.iter().filter_map(|one| Some(((&*one.client_msg_id, one.conversation), one.acked_at?))).collect();
    let said: HashSet<_> = handed.iter().map(|one| &*one.client_msg_id).collect();
    // Others were said in an earlier play on the same server, when these devices were not there.
    let is_of_play = |message: &v1::Message| message.notice.is_some() || said.contains(&*message.client_msg_id);
    for (conversation, log) in logs {
        let stored = stored_by(*conversation, &log.rows, &acked);
        for device in devices {
            for message in log.sight(*conversation, device.user).rows {
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

/// And so does every change of one, also to who made it.
pub fn judge_changes(verdict: &mut Verdict, present: &Present<'_>, devices: &[DeviceRecord], logs: &Logs<'_>) {
    for device in devices {
        for (conversation, log) in logs {
            let sight = log.sight(*conversation, device.user);
            let entries = present.entries.range((*conversation, 0)..=(*conversation, u64::MAX));
            for ((_, place), change) in entries.filter(|((_, place), _)| sight.stays_behind(*place, LEAVING)) {
                let covers = |range: &RangeInclusive<u64>| range.contains(place);
                let pushed = device.pushes.changes.iter().find(|(of, range, _)| of == conversation && covers(range));
                judge_time(verdict, pushed.map(|(_, _, at)| *at), change.acked_at, || {
                    format!("{} in {conversation}, the change at {place}", device.name)
                });
            }
        }
    }
}

/// When each message was stored at the latest. A notice is acknowledged to nobody by its place, but whatever is acknowledged
/// behind it says that it is stored. The last notices of a log, with nothing behind them, have no time.
fn stored_by(
    conversation: ConversationId,
    log: &[&v1::Message],
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
    let what = || format!("{} in {conversation} at {place}", device.name);
    let came = device.pushes.first.get(&(conversation, place)).copied();
    match stored {
        None if came.is_some() => {
            (verdict.pushed, verdict.untimed) = (verdict.pushed + 1, verdict.untimed + 1);
            if message.notice.is_none() {
                verdict.find(Fault::Unpushed, || format!("{}: never acknowledged", what()));
            }
        }
        stored => judge_time(verdict, came, stored.copied(), what),
    }
}

fn judge_time(verdict: &mut Verdict, came: Option<Instant>, stored: Option<Instant>, what: impl Fn() -> String) {
    let Some(came) = came else {
        return verdict.find(Fault::Unpushed, || format!("{}: never came by itself", what()));
    };
    verdict.pushed += 1;
    let Some(stored) = stored else { return };
    let waited = came.saturating_duration_since(stored);
    verdict.slowest_push = verdict.slowest_push.max(waited);
    if waited > PUSH_MAX {
        let ms = waited.as_millis();
        verdict.find(Fault::Unpushed, || format!("{}: came after {ms} ms", what()));
    }
}
