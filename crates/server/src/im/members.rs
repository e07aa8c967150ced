//! Who is in which group, as far as it was needed lately: read from the store, and remembered within bounds.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use anser_proto::{ConversationId, GroupId, UserId};
use anser_store::{Error, Failure, MemberIds, NewMessage};
use quick_cache::{Weighter, sync::Cache};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{cluster::envelope::MembersVersion, ctx::Ctx};

/// How long the members of a group are waited for: who sent a message to it waits for their answer meanwhile.
const MEMBERS_MAX: Duration = Duration::from_secs(5);
/// Members, of all groups together, who are remembered: 64 MiB.
const MEMBERS_REMEMBERED: u64 = 4 << 20;
/// Lists that are read for hints at one time: few, since the store has better to do.
const LEARNING_MAX: usize = 16;
/// Groups that the cache expects.
const GROUPS_EXPECTED: usize = 10_000;

/// Never believed by itself: every append tells the version of the members at its position, and an older list is read anew.
pub struct Members {
    lists: Cache<GroupId, MemberIds, ByMembers>,
    /// A place for each list that is read for a hint, which nobody waits for.
    learning: Arc<Semaphore>,
}

/// Each with the position at which they joined, in order of their ids.
pub type MemberList = Arc<[(UserId, u64)]>;

/// Members as they were remembered at one moment.
pub type Before = HashMap<GroupId, MemberIds>;

/// A list weighs as many as it has, those twice who are muted, and one for itself.
#[derive(Clone)]
struct ByMembers;

impl Weighter<GroupId, MemberIds> for ByMembers {
    fn weight(&self, _: &GroupId, list: &MemberIds) -> u64 {
        (list.members.len() + list.silence.muted.len()) as u64 + 1
    }
}

impl Members {
    pub fn new() -> Self {
        Self {
            lists: Cache::with_weighter(GROUPS_EXPECTED, MEMBERS_REMEMBERED, ByMembers),
            learning: Arc::new(Semaphore::new(LEARNING_MAX)),
        }
    }

    /// Members no older than `version`, if they are remembered.
    pub fn known(&self, group: GroupId, version: u64) -> Option<MemberList> {
        self.lists.get(&group).filter(|known| known.version >= version).map(|known| known.members)
    }

    /// With who of them may not speak, if it is remembered.
    pub fn whole(&self, group: GroupId) -> Option<MemberIds> {
        self.lists.get(&group)
    }

    /// What is remembered of the groups of these messages: before they are stored, since who leaves a group in the moment behind
    /// a message is told of it, and no later list names them.
    pub fn before(&self, messages: &[NewMessage]) -> Before {
        let group_of = |new: &NewMessage| match new.conversation {
            ConversationId::Group(group) => Some(group),
            ConversationId::Single { .. } => None,
        };
        let groups: HashSet<GroupId> = messages.iter().filter_map(group_of).collect();
        groups.into_iter().filter_map(|group| Some((group, self.lists.get(&group)?))).collect()
    }

    /// What is older than `version` is remembered no more.
    pub fn forget_before(&self, MembersVersion { group, version }: MembersVersion) {
        self.lists.remove_if(&group, |known| known.version < version);
    }

    /// Members no older than `version`. Whoever asks meanwhile waits for the same answer.
    pub async fn at_least(&self, cx: &Ctx, group: GroupId, version: u64) -> Result<MemberList, Error> {
        if let Some(members) = self.known(group, version) {
            return Ok(members);
        }
        let read = async || {
            self.forget_before(MembersVersion { group, version });
            self.remembered_or_read(cx, group).await
        };
        let asked = timeout(MEMBERS_MAX, async {
            match read().await? {
                known if known.version >= version => Ok(known.members),
                // It had been asked before the change. The next answer is of a question from now on, whatever was said.
                _ => Ok(read().await?.members),
            }
        });
        asked.await.map_err(|_| Failure::Failed("the members were not told in time".into()))?
    }

    async fn remembered_or_read(&self, cx: &Ctx, group: GroupId) -> Result<MemberIds, Error> {
        let guard = match self.lists.get_value_or_guard_async(&group).await {
            Ok(known) => return Ok(known),
            Err(guard) => guard,
        };
        let read = cx.store.member_ids(group).await?;
        // A group that does not exist is not remembered: anybody may name as many of these as they like.
        if !read.members.is_empty() {
            // Who was told of a newer list meanwhile has removed the entry.
            let _ = guard.insert(read.clone());
        }
        Ok(read)
    }

    /// A place to read a list for a hint, if there is one.
    pub fn place_to_learn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.learning).try_acquire_owned().ok()
    }

    /// Groups whose members are remembered.
    pub fn remembered(&self) -> usize {
        self.lists.len()
    }
}

impl Default for Members {
    fn default() -> Self {
        Self::new()
    }
}
