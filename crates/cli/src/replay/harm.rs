//! What is done to a play on purpose, counted by kind.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::Serialize;

/// The names are those of the line of JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// With `kill -9`.
    ServerKilled,
    /// In the middle of a frame.
    WireCut,
    ConnectionCut,
    /// A device reads nothing for a while.
    ReadingStalled,
    /// A push or an acknowledgement.
    FrameLost,
    FrameDoubled,
    FrameDelayed,
    SendDoubled,
    NetworkAway,
    /// With `kill -9`: a process of its own, which comes back with its store.
    DeviceKilled,
    /// An app that is dropped without a word, and comes back with its store.
    AppCrashed,
    AppClosed,
    /// A user's further one, in the middle of the talk.
    DeviceAdded,
}

impl Harm {
    /// What can be done without having a hand on the server.
    pub const TO_DEVICES: [Self; 11] = [
        Self::ConnectionCut,
        Self::ReadingStalled,
        Self::FrameLost,
        Self::FrameDoubled,
        Self::FrameDelayed,
        Self::SendDoubled,
        Self::NetworkAway,
        Self::DeviceKilled,
        Self::AppCrashed,
        Self::AppClosed,
        Self::DeviceAdded,
    ];
    pub const TO_SERVER: [Self; 2] = [Self::ServerKilled, Self::WireCut];
}

/// The first of its kind is so many times as likely as those that follow, so that a short play has it too.
const FIRST_SOONER: f64 = 15.0;
/// Never certain: a dice that need not be thrown would change all that come after it.
const CHANCE_MAX: f64 = 0.99;

/// How often each kind happened that a play promises. None is promised in good weather.
#[derive(Default)]
pub struct Harms(BTreeMap<Harm, AtomicU64>);

impl Harms {
    pub fn promise(kinds: impl IntoIterator<Item = Harm>) -> Self {
        Self(kinds.into_iter().map(|kind| (kind, AtomicU64::new(0))).collect())
    }

    pub fn count(&self, kind: Harm) {
        if let Some(count) = self.0.get(&kind) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn of(&self, kind: Harm) -> u64 {
        self.0.get(&kind).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// How likely the next of this kind is, of which `usual` is the chance.
    pub fn chance(&self, kind: Harm, usual: f64) -> f64 {
        if self.of(kind) == 0 { (usual * FIRST_SOONER).min(CHANCE_MAX) } else { usual }
    }

    pub fn all(&self) -> BTreeMap<Harm, u64> {
        self.0.keys().map(|kind| (*kind, self.of(*kind))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_promised_is_counted_and_nothing_else() {
        let harms = Harms::promise([Harm::WireCut, Harm::FrameLost]);
        assert!(harms.chance(Harm::WireCut, 0.01) > 0.1 && harms.chance(Harm::FrameLost, 0.5) < 1.0);
        harms.count(Harm::WireCut);
        harms.count(Harm::ServerKilled);
        assert_eq!(harms.chance(Harm::WireCut, 0.01), 0.01);
        assert_eq!(harms.all(), [(Harm::WireCut, 1), (Harm::FrameLost, 0)].into());
    }
}
