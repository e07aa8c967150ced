//! What came of a play, in figures: for people, and as one line of JSON whose names are those of the fields.

use std::{collections::BTreeMap, fmt::Write as _, sync::atomic::Ordering};

use anser_proto::v1::notice::Kind;
use serde::Serialize;

use super::{
    harm::Harm,
    record::{Act, Away, Handed, Manner, Truth},
    stage::{Conditions, Stage},
    verdict::Verdict,
};

#[derive(Serialize)]
pub struct Summary {
    pub users: usize,
    pub devices: usize,
    sent: u64,
    acked: u64,
    delivered: u64,
    duplicates: u64,
    misordered: u64,
    missing: u64,
    ghosts: u64,
    unread_errors: u64,
    only_on_devices: u64,
    stale: u64,
    leaked: u64,
    returned: u64,
    unexplained: u64,
    restarts: u64,
    /// What was done beside talking, by kind.
    acts: Acts,
    /// Of a calm play.
    pushes: Option<Pushes>,
    /// Of a play with chaos: what was done, by kind.
    faults: Option<BTreeMap<Harm, u64>>,
    /// Messages a second that were sent and acknowledged.
    rate: f64,
    ack_p50_ms: f64,
    ack_p99_ms: f64,
    delivery_p50_ms: f64,
    delivery_p99_ms: f64,
}

#[derive(Default, Serialize)]
struct Acts {
    edits: u64,
    recalls: u64,
    reactions: u64,
    hides: u64,
    clears: u64,
    mutes: u64,
    actions: u64,
    topics: u64,
    /// Of these and of messages: for good, and for a reason.
    refused: u64,
    /// Messages of those: of who was muted, or had left.
    unsaid: u64,
}

impl Acts {
    fn of(handed: &[Handed], truth: &Truth, verdict: &Verdict) -> Self {
        let mut acts =
            Self { refused: verdict.refused - verdict.unexplained, unsaid: verdict.unsaid, ..Self::default() };
        for one in handed {
            match one.act {
                Act::Say { manner, .. } => acts.actions += u64::from(manner == Manner::Action),
                Act::Edit { .. } => acts.edits += 1,
                Act::Recall { .. } => acts.recalls += 1,
                Act::React { .. } => acts.reactions += 1,
            }
        }
        for (_, _, away) in &truth.away {
            match away {
                Away::Hide(_) => acts.hides += 1,
                Away::Clear(_) => acts.clears += 1,
            }
        }
        for message in truth.notices() {
            match message.kind() {
                Kind::Muted => acts.mutes += 1,
                Kind::GroupChanged => acts.topics += 1,
                _ => {}
            }
        }
        acts
    }
}

#[derive(Serialize)]
struct Pushes {
    came: u64,
    /// Not at all, or too late.
    failed: u64,
    /// Of those that came: last notices of a log, of which nobody knows when they were stored.
    untimed: u64,
    /// Of the others, from the acknowledgement.
    max_ms: f64,
}

/// What only the play itself knows.
pub struct Course {
    pub users: usize,
    pub devices: usize,
    pub seconds: f64,
}

impl Summary {
    pub fn of(stage: &Stage, course: &Course, (handed, truth): (&[Handed], &Truth), verdict: &Verdict) -> Self {
        let ledger = &stage.ledger;
        let [ack, delivery] = ledger.percentiles();
        let acked = ledger.acked.load(Ordering::Relaxed);
        let faults = stage.weather.as_ref().map(|weather| weather.harms.all());
        let pushes = Pushes {
            came: verdict.pushed,
            failed: verdict.unpushed,
            untimed: verdict.untimed,
            max_ms: (verdict.slowest_push.as_secs_f64() * 10_000.0).round() / 10.0,
        };
        Self {
            users: course.users,
            devices: course.devices,
            sent: ledger.sent(),
            acked,
            delivered: ledger.delivered.load(Ordering::Relaxed),
            duplicates: verdict.duplicates,
            misordered: verdict.misordered,
            missing: verdict.missing,
            ghosts: verdict.ghosts,
            unread_errors: verdict.unread_errors,
            only_on_devices: verdict.only_on_devices,
            stale: verdict.stale,
            leaked: verdict.leaked,
            returned: verdict.returned,
            unexplained: verdict.unexplained,
            acts: Acts::of(handed, truth, verdict),
            restarts: faults.as_ref().and_then(|faults| faults.get(&Harm::ServerKilled).copied()).unwrap_or(0),
            faults,
            pushes: (stage.conditions == Conditions::Calm).then_some(pushes),
            rate: (acked as f64 / course.seconds * 10.0).round() / 10.0,
            ack_p50_ms: ack.0,
            ack_p99_ms: ack.1,
            delivery_p50_ms: delivery.0,
            delivery_p99_ms: delivery.1,
        }
    }

    /// What a play with chaos promises and did not do: it was too short for it.
    pub fn absent(&self) -> Vec<Harm> {
        self.faults.iter().flatten().filter(|(_, count)| **count == 0).map(|(kind, _)| *kind).collect()
    }

    pub fn for_people(&self) -> String {
        let Self { users, devices, sent, acked, delivered, restarts, rate, .. } = self;
        let Self { duplicates, misordered, missing, ghosts, unread_errors, only_on_devices, .. } = self;
        let Self { stale, leaked, returned, unexplained, acts, .. } = self;
        let Acts { edits, recalls, reactions, hides, clears, mutes, actions, topics, refused, unsaid } = acts;
        let Self { ack_p50_ms, ack_p99_ms, delivery_p50_ms, delivery_p99_ms, .. } = self;
        let pushes = self.pushes.as_ref().map_or_else(String::new, |Pushes { came, failed, untimed, max_ms }| {
            format!(
                "pushes: {came} came, the slowest within {max_ms} ms, {untimed} at a time that cannot be judged; \
                 {failed} did not come in time\n"
            )
        });
        let mut faults = String::new();
        for (kind, count) in self.faults.iter().flatten() {
            let _ = write!(faults, "{} {count} {kind:?}", if faults.is_empty() { "faults:" } else { "," });
        }
        faults.extend((!faults.is_empty()).then_some('\n'));
        format!(
            "{users} users on {devices} devices; the server was killed {restarts} times\n\
             {sent} messages sent, {acked} acknowledged, {rate} a second; shown {delivered} times\n\
             duplicates {duplicates}, misordered {misordered}, missing {missing}, ghosts {ghosts}, unread errors {unread_errors}, \
             only on devices {only_on_devices}, stale {stale}, leaked {leaked}, returned {returned}, unexplained refusals {unexplained}\n\
             {edits} edits, {recalls} recalls, {reactions} reactions, {hides} hides, {clears} clears, {mutes} mutes, {actions} actions, {topics} topics; \
             {refused} refused for a reason, {unsaid} messages of them\n\
             {pushes}{faults}\
             acknowledged within {ack_p50_ms} ms (half) and {ack_p99_ms} ms (99 of 100), \
             delivered within {delivery_p50_ms} ms and {delivery_p99_ms} ms\n"
        )
    }
}
