//! One transaction, in two round trips, however many messages: the first locks and reads the rows that the writes want, the second writes
//! everything and commits. Nothing is remembered beyond it: other nodes write too.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use mysql_async::{Conn, prelude::Queryable as _};
use tokio::time::Instant;

use super::{
    columns::{NOTHING, Sql},
    fault::Fault,
    message,
    repeaters::Repeaters,
    source::Database,
    statement,
    writer::Counters,
};
use crate::{
    Options, Sequencer,
    damaged::Damaged,
    digest::Digests,
    facts::{Facts, Stop, Tables},
    proposals::{Moved, moved},
    query::Dialect,
    verb::{Wants, Write},
};

/// Round trips for what a write turned out to want: it asks for all that it lacks at once, and for more only by what it learned.
const ROUNDS_MAX: u32 = 8;

/// What every transaction needs and none changes.
pub(super) struct Rules {
    pub(super) common: Options,
    pub(super) sequencer: Arc<dyn Sequencer>,
    pub(super) counters: Arc<Counters>,
    pub(super) damaged: Arc<Damaged>,
    pub(super) digests: Digests,
    pub(super) repeaters: Repeaters,
}

/// Marks a transaction, so that it can be asked for later whether it was committed.
#[derive(Clone, Copy)]
pub(super) struct Stamp {
    pub(super) writer_id: u64,
    pub(super) transaction_no: u64,
}

/// The messages for which is looked before anything is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Those of senders who lately sent some again.
    OfRepeaters,
    All,
}

/// Sets `commits` before anything of it can be committed.
pub(super) async fn transact(
    db: &mut Conn,
    rules: &Rules,
    stamp: Stamp,
    writes: &mut [Box<dyn Write>],
    look: Look,
    commits: &AtomicBool,
) -> Result<Vec<Moved>, Fault> {
    let (stages, begun) = (&rules.counters.stages, Instant::now());
    let shards = rules.common.shards;
    let (mut tables, mut source) = (Tables::default(), Database::new(shards));
    let mut wants = Wants::new(Dialect::Mysql);
    for write in &*writes {
        write.wants(&mut wants);
    }
    let now_ms = (rules.common.clock)();
    let mut number = Sql::new("INSERT INTO im_writer (writer_id, transaction_no, at_ms) VALUES ");
    number.numbers(&[stamp.writer_id, stamp.transaction_no, now_ms]);
    number.push(" ON DUPLICATE KEY UPDATE transaction_no = VALUES(transaction_no), at_ms = VALUES(at_ms)");
    let begin = ["START TRANSACTION".to_owned(), number.as_str().to_owned()];
    source.read(db, &begin, wants, &mut tables).await?;
    let (changes, said): (Vec<_>, Vec<_>) =
        writes.iter().flat_map(|write| write.messages()).partition(|message| message.change.is_some());
    let mut looked_for = match look {
        Look::All => said,
        Look::OfRepeaters => rules.repeaters.among(said.into_iter(), Instant::now()),
    };
    // Whether a change was made before is asked before anything else is.
    looked_for.extend(changes);
    rules.repeaters.note(source.places.look(db, shards, &looked_for).await?, Instant::now());

    let mut decided = Decided::default();
    for write in writes {
        let mut rounds = 0..ROUNDS_MAX;
        while let Err(stop) = decide(write, rules, &mut tables, &mut source, &mut decided) {
            if !matches!(stop, Stop::Missing) || rounds.next().is_none() {
                return Err(stop.into());
            }
            source.read_missing(db, &mut tables).await?;
        }
        source.write_many_copies(db).await?;
    }
    let moved: Vec<_> = moved(&tables.heads).collect();
    let decided_at = Instant::now();
    stages.transaction.note(decided_at - begun);
    #[cfg(test)]
    super::breaks::at("when all is decided");
    commits.store(true, Relaxed);
    let changed = commit(db, source, tables, decided.must_write).await?;
    commits.store(changed, Relaxed);
    stages.commit.note(decided_at.elapsed());
    rules.counters.commits.fetch_add(changed.into(), Relaxed);
    rules.counters.appended.fetch_add(decided.appended, Relaxed);
    Ok(moved)
}

/// What the writes up to here add up to, beside their rows.
#[derive(Default)]
struct Decided {
    appended: u64,
    must_write: bool,
}

fn decide(
    write: &mut Box<dyn Write>,
    rules: &Rules,
    tables: &mut Tables,
    source: &mut Database,
    decided: &mut Decided,
) -> Result<(), Stop> {
    let Decided { appended, must_write } = *decided;
    let (options, damaged) = (&rules.common, &*rules.damaged);
    let mut facts = Facts { options, damaged, digests: &rules.digests, tables, source, appended, must_write };
    write.decide(&mut facts)?;
    *decided = Decided { appended: facts.appended, must_write: facts.must_write };
    Ok(())
}

/// Writes what was changed and commits, in one packet. The server stops at the first statement that fails, before the commit. Tells
/// whether anything was.
async fn commit(db: &mut Conn, mut source: Database, mut tables: Tables, must_write: bool) -> Result<bool, Fault> {
    source.write_many_copies(db).await?;
    #[cfg(test)]
    super::breaks::at("before the commit");
    let mut sql = Sql::new(NOTHING);
    for copies in source.copies.packets() {
        sql.push("; ").push(copies.as_str());
    }
    message::write_changed(&mut sql, &mut tables.standing, source.shards());
    let Ok(()) = tables.each_with_a_table(&mut statement::Write(&mut sql));
    if sql.as_str() == NOTHING && !source.wrote && !must_write {
        db.query_drop("ROLLBACK").await?;
        return Ok(false);
    }
    sql.push("; COMMIT");
    db.query_drop(sql.as_str()).await.map_err(|error| match error.into() {
        Fault::Lost(why) => Fault::Unknown(why),
        fault => fault,
    })?;
    #[cfg(test)]
    super::breaks::at("behind the commit");
    Ok(true)
}
