//! Members who may not speak for some time.

use anser_proto::{
    UserId,
    v1::{self, notice::Kind},
};

use super::change_members::{Done, Operation, told};
use crate::{
    facts::{Facts, Stop},
    rows::Stay,
};

/// Until this time, or not at all any more if it is past.
pub(super) fn mute(
    facts: &mut Facts<'_>,
    operation: &Operation<'_>,
    users: &[UserId],
    until_ms: u64,
) -> Result<Done, Stop> {
    let (group, now_ms) = (operation.group, facts.now_ms());
    let ahead = |time_ms: u64| if time_ms > now_ms { time_ms } else { 0 };
    let muted_until_ms = ahead(until_ms);
    let mut others = operation.below(facts, operation.stay.role, users)?;
    others.retain(|(_, stay)| ahead(stay.muted_until_ms) != muted_until_ms);
    if others.is_empty() {
        return Ok(Done::default());
    }
    let kind = if muted_until_ms > 0 { Kind::Muted } else { Kind::Unmuted };
    let named: Vec<_> = others.iter().map(|(user, _)| *user).collect();
    let notice = v1::Notice { muted_until_ms, ..told(kind, &named) };
    let notice = facts.append_notice(group, operation.operator, notice)?;
    for (user, stay) in others {
        facts.tables.stays.set((group, user), Some(Stay { muted_until_ms, ..stay }));
    }
    Done { notices: vec![notice], ..Done::default() }.stamp(facts, group, named)
}
