//! Remembering when users were last there.

use anser_proto::UserId;

use crate::{
    facts::{Facts, Stop, Want, of_each},
    rows::LastSeenRow,
    verb::{Company, Verb, Wants},
};

const MINUTE_MS: u64 = 60_000;

/// Each with the time, in milliseconds since 1970.
pub(crate) struct SeeUsers(pub(crate) Vec<(UserId, u64)>);

impl Verb for SeeUsers {
    type Answer = ();

    fn wants(&self, wants: &mut Wants) {
        self.0.iter().for_each(|(user, _)| wants.row(Want::LastSeen(*user)));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<(), Stop> {
        of_each(&self.0, |(user, seen_ms)| {
            let last_seen_ms = seen_ms / MINUTE_MS * MINUTE_MS;
            if facts.last_seen(*user)?.is_none_or(|known| known.last_seen_ms < last_seen_ms) {
                facts.tables.last_seen.set(*user, Some(LastSeenRow { last_seen_ms }));
            }
            Ok(())
        })?;
        Ok(())
    }

    fn weight(&self) -> usize {
        self.0.len()
    }

    fn company(&self) -> Company {
        Company::Everybody
    }
}
