//! What one device showed and keeps, beside what its user may see and what there is at all.

use std::collections::{BTreeSet, HashMap, HashSet};

use anser_proto::ConversationId;

use super::{
    super::record::{DeviceRecord, Run, Seen, Truth},
    Fault, Logs, Verdict, differing_sessions,
    logs::{Log, untold},
    told,
};

pub fn judge_device(verdict: &mut Verdict, device: &DeviceRecord, logs: &Logs<'_>, truth: &Truth) {
    for (conversation, log) in logs {
        judge_conversation(verdict, device, *conversation, log);
    }
    judge_what_is_only_here(verdict, device, logs, truth);
    judge_sessions(verdict, device, logs, truth);
}

/// Places that no log has, and entries of the list that the server does not have. Of what others said to this user in earlier plays,
/// the server's list tells how far it goes.
fn judge_what_is_only_here(verdict: &mut Verdict, device: &DeviceRecord, logs: &Logs<'_>, truth: &Truth) {
    let sessions = truth.sessions.get(&device.user);
    let head = |conversation| match logs.get(&conversation) {
        Some(log) => log.head,
        None => sessions.and_then(|sessions| Some(sessions.get(&conversation)?.head)).unwrap_or(0),
    };
    let stores = device.runs.iter().map(|run| &run.kept).chain([&device.kept]).flatten();
    let kept = stores.flat_map(|(conversation, seen)| seen.iter().map(|seen| (*conversation, seen.server_msg_id)));
    let shown =
        device.runs.iter().flat_map(|run| &run.shown).map(|(conversation, seen)| (*conversation, seen.server_msg_id));
    let places: BTreeSet<_> = kept.chain(shown).collect();
    for (conversation, place) in
        places.into_iter().filter(|(conversation, place)| !(1..=head(*conversation)).contains(place))
    {
        verdict.find(Fault::OnlyOnDevice, || {
            format!("{} in {conversation} at {place}: the log ends at {}", device.name, head(conversation))
        });
    }
    for session in &device.sessions {
        let known = session.conversation_id.parse().is_ok_and(|id| sessions.is_some_and(|all| all.contains_key(&id)));
        if !known {
            verdict.find(Fault::OnlyOnDevice, || {
                format!("{}: {} is in its list alone", device.name, session.conversation_id)
            });
        }
    }
}

/// What a device showed, over all its runs, is what its user may see: all of it, once, in order, and nothing else. What it keeps and
/// shows in the end is all of it as it is now.
fn judge_conversation(verdict: &mut Verdict, device: &DeviceRecord, conversation: ConversationId, log: &Log<'_>) {
    let sight = log.sight(conversation, device.user);
    let expected = sight.rows.iter().map(|message| (message.server_msg_id, Seen::of(message))).collect();
    let lost = (1..=log.head).filter(|place| log.is_lost(conversation, *place)).collect();
    let log = Known { expected, lost, head: log.head, told_up_to: sight.head() };
    let place = |id: u64| format!("{} in {conversation} at {id}", device.name);
    let mut told = HashSet::new();
    let mut shown = HashSet::new();
    for (number, run) in device.runs.iter().enumerate() {
        let place = |id| format!("{}, run {number}", place(id));
        let kept = run.kept.get(&conversation).map_or(&[][..], Vec::as_slice);
        judge_kept(verdict, &log, kept, &mut shown, place);
        judge_told(verdict, &log, run, conversation, &mut told, place);
        judge_changed(verdict, &log, run, conversation, place);
    }
    shown.extend(&told);
    let kept = device.kept.get(&conversation).map_or(&[][..], Vec::as_slice);
    let mut in_store = HashSet::new();
    judge_kept(verdict, &log, kept, &mut in_store, place);
    let screen = device.runs.last().map(|run| run.screen(conversation)).unwrap_or_default();
    for (what, seen) in kept.iter().map(|seen| ("kept", seen)).chain(screen.values().map(|seen| ("shown", seen))) {
        let id = seen.server_msg_id;
        if sight.is_away(id) {
            verdict.find(Fault::Returned, || format!("{}: {what}, and its user put it away", place(id)));
        } else if log.is_behind(seen) {
            verdict.find(Fault::Stale, || {
                let now = log.expected[&id].changed;
                format!("{}: {what} as of {}, and {now} changed it", place(id), seen.changed)
            });
        }
    }
    for id in sight.shown().map(|message| message.server_msg_id) {
        let (was_shown, is_kept) = (shown.contains(&id), in_store.contains(&id));
        if !was_shown || !is_kept {
            verdict.find(Fault::Missing, || format!("{}: shown {was_shown}, kept {is_kept}", place(id)));
        }
    }
}

/// What a user may see of a log.
struct Known {
    expected: HashMap<u64, Seen>,
    /// There was something, of which nobody can say any more what.
    lost: HashSet<u64>,
    head: u64,
    /// Whoever left is not told what becomes of what they keep.
    told_up_to: u64,
}

impl Known {
    /// There is something at this place, and not this for this user, or never in this state.
    fn contradicts(&self, seen: &Seen) -> bool {
        let Some(expected) = self.expected.get(&seen.server_msg_id) else {
            return (1..=self.head).contains(&seen.server_msg_id) && !self.lost.contains(&seen.server_msg_id);
        };
        let is_now = seen.changed == expected.changed;
        expected.print != seen.print || seen.changed > expected.changed || (is_now && seen.state != expected.state)
    }

    /// A state of before, although its user was told of the newer one.
    fn is_behind(&self, seen: &Seen) -> bool {
        let expected = self.expected.get(&seen.server_msg_id);
        expected.is_some_and(|expected| seen.changed < expected.changed && expected.changed <= self.told_up_to)
    }
}

impl Run {
    /// What a person sees who looked at all of it.
    fn screen(&self, conversation: ConversationId) -> HashMap<u64, Seen> {
        let drawn = self.kept.get(&conversation).into_iter().flatten();
        let told = self.shown.iter().chain(&self.changed).filter(|(of, _)| *of == conversation).map(|(_, seen)| seen);
        let mut screen: HashMap<u64, Seen> = HashMap::new();
        for seen in drawn.chain(told) {
            let shown = screen.entry(seen.server_msg_id).or_insert(*seen);
            if seen.changed > shown.changed {
                *shown = *seen;
            }
        }
        for (_, place, at) in self.hidden.iter().filter(|(of, _, _)| *of == conversation) {
            let comes_back = |told: &(ConversationId, Seen)| (told.0, told.1.server_msg_id) == (conversation, *place);
            if !self.shown.iter().skip(*at).any(comes_back) {
                screen.remove(place);
            }
        }
        screen
    }
}

/// What an app draws from its store.
fn judge_kept(
    verdict: &mut Verdict,
    log: &Known,
    kept: &[Seen],
    shown: &mut HashSet<u64>,
    place: impl Fn(u64) -> String,
) {
    for seen in kept {
        if log.contradicts(seen) {
            verdict.find(Fault::Ghost, || {
                format!("{}: kept, but the log has another message for this user, or none", place(seen.server_msg_id))
            });
        }
        shown.insert(seen.server_msg_id);
    }
    for pair in kept.windows(2).filter(|pair| pair[0].server_msg_id >= pair[1].server_msg_id) {
        let fault = if pair[0].server_msg_id == pair[1].server_msg_id { Fault::Duplicate } else { Fault::Misordered };
        verdict.find(fault, || format!("{}: kept behind {}", place(pair[1].server_msg_id), pair[0].server_msg_id));
    }
}

/// What an app is told while it runs. `told` holds what it was told in all runs: each message is told once for ever.
fn judge_told(
    verdict: &mut Verdict,
    log: &Known,
    run: &Run,
    conversation: ConversationId,
    told: &mut HashSet<u64>,
    place: impl Fn(u64) -> String,
) {
    let mut last = 0;
    for (_, seen) in run.shown.iter().filter(|(shown_in, _)| *shown_in == conversation) {
        let id = seen.server_msg_id;
        if log.contradicts(seen) {
            verdict.find(Fault::Ghost, || format!("{}: shown, but not for this user in the log", place(id)));
        }
        if !told.insert(id) {
            verdict.find(Fault::Duplicate, || format!("{}: shown again", place(id)));
        } else if id < last {
            verdict.find(Fault::Misordered, || format!("{}: shown after {last}", place(id)));
        }
        last = last.max(id);
    }
}

/// Each state that an app is told of is newer than those before it.
fn judge_changed(
    verdict: &mut Verdict,
    log: &Known,
    run: &Run,
    conversation: ConversationId,
    place: impl Fn(u64) -> String,
) {
    let here = |told: &&(ConversationId, Seen)| told.0 == conversation;
    let mut newest: HashMap<u64, u64> =
        run.shown.iter().filter(here).map(|(_, seen)| (seen.server_msg_id, seen.changed)).collect();
    for (_, seen) in run.changed.iter().filter(here) {
        let (id, changed) = (seen.server_msg_id, seen.changed);
        if log.contradicts(seen) {
            verdict.find(Fault::Ghost, || format!("{}: changed by {changed}, but not so in the log", place(id)));
        }
        if let Some(before) = newest.insert(id, changed).filter(|before| *before >= changed) {
            let fault = if before == changed { Fault::Duplicate } else { Fault::Misordered };
            verdict.find(fault, || format!("{}: the change by {changed} is told after that by {before}", place(id)));
        }
    }
}

/// What a device says of the conversations is what the server says.
fn judge_sessions(verdict: &mut Verdict, device: &DeviceRecord, logs: &Logs<'_>, truth: &Truth) {
    let Some(sessions) = truth.sessions.get(&device.user) else { return };
    for (conversation, here) in differing_sessions(sessions, &device.sessions, &untold(logs, device.user)) {
        verdict.find(Fault::Unread, || {
            let expected = sessions.get(&conversation).map(told);
            format!("{} in {conversation}: {here:?}, the server says {expected:?}", device.name)
        });
    }
}
