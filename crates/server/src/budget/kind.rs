//! The kinds of what a user does, and how often each may be done.

use std::time::Duration;

use crate::{config::Limits, rate::Rate};

/// Who is refused more often than this, at once and then a second, does not listen.
const REFUSALS_BURST: u32 = 2_000;
const REFUSALS_PER_S: u32 = 20;
/// Signals that are passed on, as many at once as in a second.
const SIGNALS_PER_S: u32 = 10;
/// What comes together when somebody pastes, forwards, or comes back with what they wrote: as much as in so many seconds.
pub(super) const BURST_S: u32 = 5;
/// A device that comes back marks all that it received: as much as in so many seconds.
const MARKS_BURST_S: u32 = 20;
/// One request may name as many.
const ACCOUNT_LOOKUPS_BURST: u32 = anser_proto::limits::PAGE_MAX;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// Of what a user may have so much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Requests,
    Refusals,
    ContactRequests,
    LinkUses,
    Signals,
    Sends,
    Reactions,
    Edits,
    Marks,
    AccountLookups,
    NewGroups,
}

impl Kind {
    pub(super) const COUNT: usize = Self::NewGroups as usize + 1;

    /// In their order.
    const ALL: [Self; Self::COUNT] = [
        Self::Requests,
        Self::Refusals,
        Self::ContactRequests,
        Self::LinkUses,
        Self::Signals,
        Self::Sends,
        Self::Reactions,
        Self::Edits,
        Self::Marks,
        Self::AccountLookups,
        Self::NewGroups,
    ];

    pub(super) fn rates(limits: &Limits) -> [Rate; Self::COUNT] {
        Self::ALL.map(|kind| kind.rate(limits))
    }

    fn rate(self, limits: &Limits) -> Rate {
        let in_a_second = |count: u32, burst_s: u32| Rate::new(count, count.saturating_mul(burst_s));
        match self {
            Self::Requests => Rate::new(limits.requests_per_s, limits.requests_burst),
            Self::Refusals => Rate::new(REFUSALS_PER_S, REFUSALS_BURST),
            Self::ContactRequests => {
                Rate::within(MINUTE, limits.contact_requests_per_min, limits.contact_requests_per_min)
            }
            Self::LinkUses => Rate::within(MINUTE, limits.link_uses_per_min, limits.link_uses_per_min),
            Self::Signals => in_a_second(SIGNALS_PER_S, 1),
            Self::Sends => in_a_second(limits.sends_per_s, BURST_S),
            Self::Reactions => in_a_second(limits.reactions_per_s, BURST_S),
            Self::Edits => in_a_second(limits.edits_per_s, BURST_S),
            Self::Marks => in_a_second(limits.marks_per_s, MARKS_BURST_S),
            Self::AccountLookups => Rate::within(MINUTE, limits.account_lookups_per_min, ACCOUNT_LOOKUPS_BURST),
            Self::NewGroups => Rate::within(HOUR, limits.new_groups_per_h, limits.new_groups_per_h),
        }
    }

    /// What is told to whoever is over it: what they do too much of, by the setting that says how much they may.
    pub fn too_much(self) -> &'static str {
        match self {
            Self::Requests => "the user asks for more than limits.requests_per_s",
            Self::Refusals => "the user does not listen to refusals",
            Self::ContactRequests => "the user asks more people than limits.contact_requests_per_min",
            Self::LinkUses => "the user uses more links than limits.link_uses_per_min",
            Self::Signals => "the user signals too often",
            Self::Sends => "the user sends more than limits.sends_per_s",
            Self::Reactions => "the user reacts to more than limits.reactions_per_s",
            Self::Edits => "the user edits more than limits.edits_per_s",
            Self::Marks => "the user moves more marks than limits.marks_per_s",
            Self::AccountLookups => "the user looks for more accounts than limits.account_lookups_per_min",
            Self::NewGroups => "the user creates more groups than limits.new_groups_per_h",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_stands_at_its_place() {
        assert!(Kind::ALL.iter().enumerate().all(|(at, kind)| *kind as usize == at));
    }
}
