//! Reading: every verb that reads stands once, for every database that can answer questions of one moment.

use std::{ops::ControlFlow, sync::Arc};

use crate::{
    Page, Refusal,
    damaged::Damaged,
    query::{Dialect, Query},
    rows::{Damage, Row, Take},
};

/// A verb that reads. It may be asked again from the beginning, on another connection.
pub(crate) trait Read: Send + Sync + 'static {
    type Answer: Send + 'static;

    fn read<D: Snapshot>(&self, db: &mut D) -> impl Future<Output = Result<Self::Answer, D::Error>> + Send;
}

/// Takes a row of the answer to the question with this number, and may want no more of them.
pub(crate) type Each<'e> = &'e mut (dyn FnMut(usize, &mut dyn Take) -> Result<ControlFlow<()>, Damage> + Send);

/// A store as it was at one moment.
pub(crate) trait Snapshot: Send {
    type Error: From<Refusal> + From<Damage> + Send;

    fn dialect(&self) -> Dialect;

    fn shards(&self) -> u32;

    /// Who is told of a row that is left out, or shown without what is damaged in it.
    fn damaged(&self) -> Arc<Damaged>;

    /// Where a question is a round trip, this is one for all of them.
    fn ask(&mut self, questions: &[Query], each: Each<'_>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// What `take` makes of each row of the answers.
    fn rows<T: Send>(
        &mut self,
        questions: Vec<Query>,
        take: impl Fn(&mut dyn Take) -> Result<T, Damage> + Send + Sync,
    ) -> impl Future<Output = Result<Vec<T>, Self::Error>> + Send {
        async move {
            let mut found = Vec::new();
            let each = &mut |_, row: &mut dyn Take| {
                found.push(take(row)?);
                Ok(ControlFlow::Continue(()))
            };
            self.ask(&questions, each).await?;
            Ok(found)
        }
    }

    /// What `take` makes of the only row of the answer, if there is one.
    fn row<T: Send>(
        &mut self,
        question: Query,
        take: impl Fn(&mut dyn Take) -> Result<T, Damage> + Send + Sync,
    ) -> impl Future<Output = Result<Option<T>, Self::Error>> + Send {
        async move { Ok(self.rows(vec![question], take).await?.pop()) }
    }

    /// The row with this key.
    fn find<R: Row + Send>(&mut self, key: &R::Key) -> impl Future<Output = Result<Option<R>, Self::Error>> + Send {
        let (question, key) = (Query::with_key::<R>(self.dialect(), key), key.clone());
        async move { self.row(question, move |row| keyed(row, &key)).await }
    }
}

/// A row with its key, which is known.
pub(crate) fn keyed<R: Row>(row: &mut dyn Take, key: &R::Key) -> Result<R, Damage> {
    row.skip(R::KEY.len());
    R::take(row).map_err(|damage| damage.of::<R>(key))
}

/// The columns of a row whose key was read: none if they are damaged, of which the log tells. Then nothing behind them can be read.
pub(crate) fn sound<R: Row>(row: &mut dyn Take, key: &R::Key, damaged: &Damaged) -> Option<R> {
    R::take(row).map_err(|damage| damaged.note(&damage.of::<R>(key))).ok()
}

/// The same of a row with its key that must be there.
pub(crate) fn beside<R: Row>(row: &mut dyn Take, key: &R::Key, damaged: &Damaged) -> Option<R> {
    if row.null() {
        damaged.note(&Damage("it is missing".into()).of::<R>(key));
        return None;
    }
    row.skip(R::KEY.len());
    sound(row, key, damaged)
}

impl<T> Page<Option<T>> {
    /// What is damaged is left out, and counted: the page ends where it would.
    pub(crate) fn sound(self) -> Page<T> {
        Page { rows: self.rows.into_iter().flatten().collect(), more: self.more }
    }
}

/// A page out of rows of which one more was read.
pub(crate) fn cut<T>(mut rows: Vec<T>, limit: u32) -> Page<T> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    Page { rows, more }
}
