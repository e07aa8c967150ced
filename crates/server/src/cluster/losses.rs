//! What may have been lost between nodes, until those whom it concerns are told to sync.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};

use anser_proto::{GroupId, UserId};

/// Users and groups whom losses concern by name; when they are more, it is everybody.
const USERS_MAX: usize = 1_000;
const GROUPS_MAX: usize = 100;

/// Handles: a clone marks the same.
#[derive(Clone, Default)]
pub struct Losses {
    /// On its way here: it concerns who is connected to this node.
    pub here: Lost,
    /// On its way out: the others have to be told yet.
    pub elsewhere: Lost,
}

/// What was lost since that was asked last.
#[derive(Clone, Default)]
pub struct Lost(Arc<Mutex<Option<Concerned>>>);

/// Whom a loss concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Concerned {
    Named {
        users: HashSet<UserId>,
        /// Their members, no older than this version.
        groups: HashMap<GroupId, u64>,
    },
    Everybody,
}

impl Lost {
    pub fn add(&self, concerned: Concerned) {
        if matches!(&concerned, Concerned::Named { users, groups } if users.is_empty() && groups.is_empty()) {
            return;
        }
        let mut lost = self.lock();
        let all = match (lost.take(), concerned) {
            (None, concerned) => concerned,
            (Some(Concerned::Named { mut users, mut groups }), Concerned::Named { users: more, groups: others }) => {
                users.extend(more);
                for (group, version) in others {
                    groups.entry(group).and_modify(|known| *known = version.max(*known)).or_insert(version);
                }
                Concerned::Named { users, groups }
            }
            _ => Concerned::Everybody,
        };
        *lost = Some(if all.is_bounded() { all } else { Concerned::Everybody });
    }

    pub fn take(&self) -> Option<Concerned> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Concerned>> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

impl Concerned {
    pub fn users(users: &[UserId]) -> Self {
        Self::Named { users: users.iter().copied().collect(), groups: HashMap::new() }
    }

    /// The members of a group, no older than this version.
    pub fn members(group: GroupId, version: u64) -> Self {
        Self::Named { users: HashSet::new(), groups: [(group, version)].into() }
    }

    fn is_bounded(&self) -> bool {
        match self {
            Self::Named { users, groups } => users.len() <= USERS_MAX && groups.len() <= GROUPS_MAX,
            Self::Everybody => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(ids: impl Iterator<Item = u64>) -> Concerned {
        Concerned::users(&ids.map(UserId).collect::<Vec<_>>())
    }

    #[test]
    fn losses_add_up_until_they_are_asked_for() {
        let lost = Lost::default();
        assert_eq!(lost.take(), None);
        lost.add(users(1..1));
        assert_eq!(lost.take(), None);
        lost.add(users(1..3));
        lost.add(users(2..4));
        assert_eq!((lost.take(), lost.take()), (Some(users(1..4)), None));
        lost.add(users(1..2));
        lost.add(Concerned::Everybody);
        lost.add(users(1..2));
        assert_eq!(lost.take(), Some(Concerned::Everybody));
    }

    #[test]
    fn more_than_can_be_named_are_everybody() {
        let lost = Lost::default();
        let max = USERS_MAX as u64;
        lost.add(users(0..max));
        assert_eq!(lost.take(), Some(users(0..max)));
        lost.add(users(0..max));
        lost.add(users(max..max + 1));
        assert_eq!(lost.take(), Some(Concerned::Everybody));
        (0..=GROUPS_MAX as u64).for_each(|group| lost.add(Concerned::members(GroupId(group), 1)));
        assert_eq!(lost.take(), Some(Concerned::Everybody));
    }

    #[test]
    fn of_a_group_the_newest_version_is_asked_for() {
        let lost = Lost::default();
        [3, 5, 4].into_iter().for_each(|version| lost.add(Concerned::members(GroupId(7), version)));
        assert_eq!(lost.take(), Some(Concerned::members(GroupId(7), 5)));
    }
}
