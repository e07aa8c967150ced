//! Reading: every verb that reads stands once, for every database that can answer questions of one moment.

use std::ops::ControlFlow;

use crate::{
    Page, Refusal,
    query::{Dialect, Query},
    rows::{Column as _, Damage, Row, Take},
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
        let question = Query::with_key::<R>(self.dialect(), key);
        async move { self.row(question, |row| Ok((R::Key::take(row)?, R::take(row)?).1)).await }
    }
}

/// A page out of rows of which one more was read.
pub(crate) fn cut<T>(mut rows: Vec<T>, limit: u32) -> Page<T> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    Page { rows, more }
}
