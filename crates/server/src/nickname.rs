//! A user's name, as their connections know it.

use std::sync::{Arc, Mutex};

/// What a user is called now, shared by all of their connections; and up to which change of their mailbox that is known.
#[derive(Default)]
pub struct Nickname(Mutex<(u64, Arc<str>)>);

impl Nickname {
    pub fn get(&self) -> Arc<str> {
        Arc::clone(&self.0.lock().expect("nothing panics while holding it").1)
    }

    /// Up to which change of the mailbox it is known.
    pub fn mailbox_seq(&self) -> u64 {
        self.0.lock().expect("nothing panics while holding it").0
    }

    /// `mailbox_seq` is that of the change itself, or one that was read before the name was. An older name does not replace
    /// a newer one, whichever arrives last.
    pub fn set(&self, nickname: &Arc<str>, mailbox_seq: u64) {
        let mut known = self.0.lock().expect("nothing panics while holding it");
        if mailbox_seq >= known.0 {
            *known = (mailbox_seq, Arc::clone(nickname));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_name_does_not_replace_a_newer_one() {
        let nickname = Nickname::default();
        for (name, mailbox_seq, now) in [("Ada", 0, "Ada"), ("Lady Ada", 7, "Lady Ada"), ("Ada", 5, "Lady Ada")] {
            nickname.set(&name.into(), mailbox_seq);
            assert_eq!(&*nickname.get(), now);
        }
    }
}
