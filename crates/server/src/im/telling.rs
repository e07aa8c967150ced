//! Telling whom stored messages concern, behind their sender's answer. Stored messages enter; pushes leave.
//!
//! Whatever happens to it, nobody stays untold without being told to sync: not when it panics, and not when it is dropped.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use anser_proto::GroupId;
use anser_store::{NewMessage, PIN_NOTICE};
use futures_util::poll;
use tokio::sync::Semaphore;

use super::{
    change,
    deliver::missed,
    members::{Before, MemberList},
    stored, wire,
};
use crate::{accepted::ConnId, cluster::calls::Outcomes, ctx::Ctx, outbox::Wave};

/// What one connection's messages are told by, a batch after the other. Their sender is no further ahead than by one: the next is answered when
/// those before it are told.
pub struct Telling(Arc<Semaphore>);

impl Telling {
    /// Returns when all before it are told, and this is begun. What takes long is done by a task of its own.
    pub async fn begin(&self, stored: Stored) {
        let turn = Arc::clone(&self.0).acquire_owned().await;
        let mut telling = Box::pin(async move {
            stored.tell().await;
            drop(turn);
        });
        if poll!(&mut telling).is_pending() {
            tokio::spawn(telling);
        }
    }

    /// Returns when all that was begun is told.
    pub async fn done(&self) {
        let _ = self.0.acquire().await;
    }
}

impl Default for Telling {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// Messages that a store was given, what became of them, and who was in their groups before.
pub struct Stored {
    pub cx: Arc<Ctx>,
    /// The connection that sent them, here or elsewhere.
    pub from: ConnId,
    pub batch: Vec<NewMessage>,
    pub outcomes: Outcomes,
    pub before: Before,
}

impl Stored {
    /// Tells whom they concern; a panic on the way is lost, and told as lost, alone.
    pub async fn tell(self) {
        let watch = self.cx.peers.counts.watch.clone();
        let _ = watch.piece("fan_out", self.tell_each()).await;
    }

    async fn tell_each(mut self) {
        let cx = Arc::clone(&self.cx);
        let (_lasting, mut wave) = (cx.metrics.fan_out(), Wave::default());
        let mut groups: HashMap<GroupId, (RangeInclusive<u64>, MemberList)> = HashMap::new();
        // Of what was stored before, the last of each conversation: who lacks those before it sees so by it.
        let mut stored_before = HashMap::new();
        for (new, outcome) in self.batch.iter().zip(&self.outcomes) {
            match outcome {
                Ok(appended) if appended.duplicate => _ = stored_before.insert(new.conversation, (new, appended)),
                Ok(appended) if let Some(target) = &appended.changed => {
                    let shown = (new.kind == PIN_NOTICE).then(|| wire::new_message(new, appended));
                    change::tell(&cx, &mut wave, new.from.user, appended, shown, target).await;
                }
                Ok(appended) => {
                    if let Some((group, members)) = stored::tell(&cx, &mut wave, self.from, new, appended).await {
                        let id = appended.server_msg_id;
                        let first = groups.get(&group).map_or(id, |(ids, _)| *ids.start());
                        groups.insert(group, (first..=id, members));
                    }
                }
                Err(_) => {}
            }
        }
        wave.wake();
        for (group, (ids, members)) in groups {
            if let Some(before) = self.before.get(&group) {
                stored::tell_gone(&cx, group, ids, &before.members, &members, &[]).await;
            }
        }
        for (new, appended) in stored_before.into_values() {
            stored::tell_again(&cx, self.from, new, appended).await;
        }
        self.outcomes.clear();
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        for (new, outcome) in self.batch.iter().zip(&self.outcomes) {
            if let Ok(appended) = outcome {
                missed(&self.cx, new.conversation, appended.members_version);
            }
        }
    }
}
