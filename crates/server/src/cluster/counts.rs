//! What the cluster's parts count: all that was dropped, refused or not answered, since none of it stops anything.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use super::losses::{Concerned, Losses};
use crate::watch::Watch;

/// Handles: a clone counts into the same.
#[derive(Clone, Default)]
pub struct Counts {
    /// Who keeps the tasks of the cluster's parts.
    pub watch: Watch,
    pub losses: Losses,
    dropped: Family<ReasonLabels, Counter<u64, AtomicU64>>,
    unanswered: Family<PartLabels, Counter<u64, AtomicU64>>,
    /// A node found that its entries in the directory were not as it had left them, and wrote them anew.
    pub reasserted: Counter,
    /// Batches that another node appended for this one.
    pub forwarded: Counter,
    /// Times that clients were told to sync because of a loss.
    pub healed: Counter,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct PartLabels {
    part: &'static str,
}

/// Why a message between nodes came to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dropped {
    /// There was no connection to send it on.
    Unconnected,
    /// More wait to be sent than may.
    OutgoingFull,
    /// More came than were taken.
    IncomingFull,
    TooLarge,
    /// It cannot be read.
    Garbage,
    /// Of a version that this node does not know.
    Newer,
    /// Of another cluster.
    Foreign,
    /// An append for which there was no place.
    Busy,
    /// As much waits for the answers of homes as may.
    TooManyAsked,
    /// It came when nobody waited for its answer any more.
    Late,
}

impl Dropped {
    fn word(self) -> &'static str {
        match self {
            Self::Unconnected => "unconnected",
            Self::OutgoingFull => "outgoing_full",
            Self::IncomingFull => "incoming_full",
            Self::TooLarge => "too_large",
            Self::Garbage => "garbage",
            Self::Newer => "newer",
            Self::Foreign => "foreign",
            Self::Busy => "busy",
            Self::TooManyAsked => "too_many_asked",
            Self::Late => "late",
        }
    }
}

impl Counts {
    pub fn register(&self, registry: &mut Registry) {
        self.watch.register(registry);
        registry.register("cluster_dropped", "Messages between nodes that were dropped", self.dropped.clone());
        registry.register(
            "cluster_unanswered",
            "Questions to Redis or to a home that failed or were not answered in time",
            self.unanswered.clone(),
        );
        let help = "Times that clients were told to sync, since something may have been lost between nodes";
        registry.register("cluster_healed", help, self.healed.clone());
        let help = "Batches of messages that another node appended for this one";
        registry.register("cluster_forwarded", help, self.forwarded.clone());
        registry.register("cluster_reasserted", "Times that a directory was written anew", self.reasserted.clone());
    }

    /// Something found no room on its way here.
    pub fn incoming_full(&self) {
        self.dropped(Dropped::IncomingFull);
        self.losses.here.add(Concerned::Everybody);
    }

    pub fn dropped(&self, reason: Dropped) {
        self.dropped.get_or_create(&ReasonLabels { reason: reason.word() }).inc();
    }

    pub fn dropped_for(&self, reason: Dropped) -> u64 {
        self.dropped.get_or_create(&ReasonLabels { reason: reason.word() }).get()
    }

    /// `part` is who asked: `directory`, `sequencer`, …
    pub fn unanswered(&self, part: &'static str) {
        self.unanswered.get_or_create(&PartLabels { part }).inc();
    }

    pub fn unanswered_by(&self, part: &'static str) -> u64 {
        self.unanswered.get_or_create(&PartLabels { part }).get()
    }
}
