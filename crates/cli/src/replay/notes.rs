//! What a device tells while it is looked at, fact by fact, and who writes it down.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Instant,
};

use anser_proto::ConversationId;
use serde::{Deserialize, Serialize};

use super::{
    ledger::Ledger,
    record::{Run, Seen},
};

#[derive(Serialize, Deserialize, Debug)]
pub enum Fact {
    /// An app drew all that its store holds. A run begins.
    Drawn(Vec<Listed>),
    /// A conversation came new into the list, with what was there of it.
    Listed(Listed),
    Shown {
        #[serde(with = "as_text")]
        conversation: ConversationId,
        seen: Seen,
        client_msg_id: String,
        own: bool,
    },
    /// A message that is shown looks otherwise now.
    Changed {
        #[serde(with = "as_text")]
        conversation: ConversationId,
        seen: Seen,
    },
    /// A message is not shown any more.
    Hidden {
        #[serde(with = "as_text")]
        conversation: ConversationId,
        place: u64,
    },
    Acked {
        client_msg_id: String,
        place: u64,
    },
    /// For good.
    Refused {
        client_msg_id: String,
        code: i32,
    },
    Wrong(String),
}

#[derive(Serialize, Deserialize, Debug)]
pub struct Listed {
    #[serde(with = "as_text")]
    pub conversation: ConversationId,
    pub seen: Vec<Seen>,
}

/// Writes at once: a fact is not lost with the app that told it.
pub trait Scribe: Send + Sync {
    fn write(&self, fact: Fact);
}

/// How far a device has come in each conversation. Read by who waits for it.
#[derive(Default)]
pub struct Reached {
    pub last: HashMap<ConversationId, u64>,
    /// Of each message that was changed: the newest change that the device shows.
    pub changed: HashMap<(ConversationId, u64), u64>,
    /// What it shows.
    pub shown: HashSet<(ConversationId, u64)>,
}

pub type Positions = Arc<Mutex<Reached>>;

impl Reached {
    fn show(&mut self, conversation: ConversationId, seen: &Seen) {
        let last = self.last.entry(conversation).or_default();
        *last = seen.server_msg_id.max(*last);
        self.shown.insert((conversation, seen.server_msg_id));
        self.change(conversation, seen);
    }

    fn change(&mut self, conversation: ConversationId, seen: &Seen) {
        if seen.changed > 0 {
            let changed = self.changed.entry((conversation, seen.server_msg_id)).or_default();
            *changed = seen.changed.max(*changed);
        }
    }
}

/// Of one device, for the judge.
pub struct Notebook {
    ledger: Arc<Ledger>,
    pub positions: Positions,
    opened: Mutex<Instant>,
    runs: Mutex<Vec<Run>>,
}

impl Notebook {
    pub fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger, positions: Arc::default(), opened: Mutex::new(Instant::now()), runs: Mutex::default() }
    }

    pub fn take_runs(&self) -> Vec<Run> {
        std::mem::take(&mut self.runs.lock().expect("nobody panics with it"))
    }

    fn stand_at(&self, Listed { conversation, seen }: &Listed) {
        let mut positions = self.positions.lock().expect("nobody panics with it");
        seen.iter().for_each(|seen| positions.show(*conversation, seen));
    }
}

impl Scribe for Notebook {
    fn write(&self, fact: Fact) {
        let mut runs = self.runs.lock().expect("nobody panics with it");
        match fact {
            Fact::Drawn(store) => {
                *self.opened.lock().expect("nobody panics with it") = Instant::now();
                self.positions.lock().expect("nobody panics with it").shown.clear();
                store.iter().for_each(|listed| self.stand_at(listed));
                let kept = store.into_iter().map(|Listed { conversation, seen }| (conversation, seen)).collect();
                runs.push(Run { kept, ..Run::default() });
            }
            Fact::Listed(listed) => {
                self.stand_at(&listed);
                let Listed { conversation, seen } = listed;
                runs.last_mut().expect("drawing begins a run").kept.insert(conversation, seen);
            }
            Fact::Shown { conversation, seen, client_msg_id, own } => {
                runs.last_mut().expect("drawing begins a run").shown.push((conversation, seen));
                self.positions.lock().expect("nobody panics with it").show(conversation, &seen);
                if own {
                    // Seeing one's own message come back is an acknowledgement too.
                    self.ledger.acked(&client_msg_id, seen.server_msg_id);
                }
                self.ledger.shown(&client_msg_id, own, *self.opened.lock().expect("nobody panics with it"));
            }
            Fact::Changed { conversation, seen } => {
                runs.last_mut().expect("drawing begins a run").changed.push((conversation, seen));
                self.positions.lock().expect("nobody panics with it").change(conversation, &seen);
            }
            Fact::Hidden { conversation, place } => {
                let run = runs.last_mut().expect("drawing begins a run");
                run.hidden.push((conversation, place, run.shown.len()));
                self.positions.lock().expect("nobody panics with it").shown.remove(&(conversation, place));
            }
            Fact::Refused { client_msg_id, code } => self.ledger.refused(&client_msg_id, code),
            Fact::Acked { client_msg_id, place } => self.ledger.acked(&client_msg_id, place),
            Fact::Wrong(what) => self.ledger.refuse(what),
        }
    }
}

mod as_text {
    use anser_proto::ConversationId;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub fn serialize<S: Serializer>(id: &ConversationId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ConversationId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
