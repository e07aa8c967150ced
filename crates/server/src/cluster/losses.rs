//! What may have been lost between nodes, until those whom it concerns are told to sync.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard},
};

use anser_proto::UserId;

/// Users whom losses concern by name; when they are more, it is everybody.
const USERS_MAX: usize = 1_000;

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
    Users(HashSet<UserId>),
    Everybody,
}

impl Lost {
    pub fn add(&self, concerned: Concerned) {
        let mut lost = self.lock();
        let all = match (lost.take(), concerned) {
            (None, concerned) => concerned,
            (Some(Concerned::Users(mut users)), Concerned::Users(more)) => {
                users.extend(more);
                Concerned::Users(users)
            }
            _ => Concerned::Everybody,
        };
        *lost = Some(match all {
            Concerned::Users(users) if users.len() <= USERS_MAX => Concerned::Users(users),
            _ => Concerned::Everybody,
        });
    }

    pub fn take(&self) -> Option<Concerned> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Concerned>> {
        self.0.lock().expect("nothing panics while holding it")
    }
}

impl Concerned {
    pub fn these(users: &[UserId]) -> Self {
        Self::Users(users.iter().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(ids: impl Iterator<Item = u64>) -> Concerned {
        Concerned::Users(ids.map(UserId).collect())
    }

    #[test]
    fn losses_add_up_until_they_are_asked_for() {
        let lost = Lost::default();
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
    }
}
