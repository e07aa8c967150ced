//! Proving that the store takes writes: the transaction itself is the proof.

use crate::{
    facts::{Facts, Stop},
    verb::{Company, Verb, Wants},
};

pub(crate) struct Probe;

impl Verb for Probe {
    type Answer = ();

    fn wants(&self, _: &mut Wants) {}

    fn decide(&self, facts: &mut Facts<'_>) -> Result<(), Stop> {
        facts.must_write = true;
        Ok(())
    }

    fn company(&self) -> Company {
        Company::Everybody
    }
}
