//! Examines a database while nodes write to it: [`crate::doctor`] in one snapshot, which locks nothing.

use std::{sync::Arc, time::Duration};

use mysql_async::prelude::Queryable as _;

use super::{
    fault::Fault,
    migrate,
    open::{Database, OpenError, Role, within},
    reader::OneMoment,
};
use crate::{
    Failure,
    damaged::Damaged,
    doctor::{self, Patient, Progress, Repair, Report},
    query::Query,
};

const BEGIN_MAX: Duration = Duration::from_secs(60);

/// Tells what is wrong with the store as it is now. Changes nothing, and may be led to a database that repeats the nodes' own.
pub async fn examine(url: &str, progress: Progress<'_>) -> Result<Report, OpenError> {
    let mut db = Database::new(url)?.reach(Role::Examiner).await?;
    let identity = migrate::known_identity(&mut db).await?;
    within(BEGIN_MAX, db.query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")).await?;
    let mut patient = OneMoment { db: &mut db, shards: identity.shards, damaged: &Arc::<Damaged>::default() };
    let examined = doctor::examine(&mut patient, Repair::Nothing, Report::default(), progress).await;
    let report = examined.map_err(|fault| OpenError::Unexamined(Failure::from(fault).to_string()))?;
    db.disconnect().await?;
    Ok(report)
}

impl Patient for OneMoment<'_> {
    async fn repair(&mut self, _: &Query) -> Result<u64, Fault> {
        Err(Fault::failed("a database that nodes share is only examined"))
    }
}
