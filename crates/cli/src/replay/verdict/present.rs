//! What messages must look like after all that was done to them: the changes applied in the order of the log, by rules of the
//! judge's own. And whether they do, whether nothing else is in the log, and whether what was refused had to be.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anser_proto::{
    ConversationId, ErrorCode, UserId,
    v1::{self, message::State, notice::Kind},
};

use super::{
    super::record::{Act, Handed, Truth},
    Fault, Verdict,
    logs::{Log, Logs, logs_of},
};

/// As the changes leave it.
#[derive(PartialEq, Eq, Debug)]
struct Row<'a> {
    content: &'a str,
    attachment: &'a [u8],
    recalled_by: Option<u64>,
    /// The entry that changed it last.
    changed: u64,
    edits: u32,
    reactions: BTreeMap<&'a str, BTreeSet<u64>>,
}

/// A text that was taken back.
struct Gone<'a> {
    content: &'a str,
    conversation: ConversationId,
    /// The entry that took it back.
    by: u64,
}

#[derive(Default)]
pub struct Present<'a> {
    rows: HashMap<(ConversationId, u64), Row<'a>>,
    /// Changes that have a place in the log.
    pub entries: BTreeMap<(ConversationId, u64), &'a Handed>,
    gone: Vec<Gone<'a>>,
}

impl<'a> Present<'a> {
    pub fn of(handed: &'a [Handed], logs: &Logs<'_>) -> Self {
        let mut present = Self::default();
        let mut places = places_of(logs);
        for one in handed.iter().filter(|one| one.is_message()) {
            // What nobody can read any more was there once, and may have been changed.
            let is_lost =
                |place: &u64| logs.get(&one.conversation).is_some_and(|log| log.is_lost(one.conversation, *place));
            if let Some(place) = one.acked.filter(is_lost) {
                places.entry((&one.client_msg_id, one.conversation)).or_insert(place);
            }
        }
        let mut changes = Vec::new();
        for one in handed {
            match (&one.act, places.get(&(&*one.client_msg_id, one.conversation)), one.acked) {
                (Act::Say { content, manner }, Some(place), _) => {
                    let reactions = BTreeMap::new();
                    let attachment = manner.attachment();
                    let row = Row { content, attachment, recalled_by: None, changed: 0, edits: 0, reactions };
                    present.rows.insert((one.conversation, *place), row);
                }
                (Act::Say { .. }, None, _) | (_, _, None) => {}
                (_, _, Some(place)) => changes.push((place, one)),
            }
        }
        changes.sort_by_key(|(place, _)| *place);
        for (place, change) in changes {
            let target = match &change.act {
                Act::Edit { target, .. } | Act::Recall { target } => {
                    places.get(&(&**target, change.conversation)).copied()
                }
                Act::React { place, .. } => Some(*place),
                Act::Say { .. } => None,
            };
            if let Some(target) = target {
                present.apply(change, place, target);
            }
        }
        present
    }

    fn apply(&mut self, change: &'a Handed, place: u64, target: u64) {
        let conversation = change.conversation;
        let Some(row) = self.rows.get_mut(&(conversation, target)) else { return };
        if row.recalled_by.is_some() {
            return;
        }
        let mut gone = Some(Gone { content: row.content, conversation, by: place });
        match &change.act {
            Act::Edit { content, .. } if content != row.content => {
                (row.content, row.attachment, row.edits) = (content, b"", row.edits + 1);
            }
            Act::Recall { .. } => {
                (row.content, row.attachment, row.recalled_by) = ("", b"", Some(change.user.0));
                row.reactions.clear();
            }
            Act::React { emojis, .. } => {
                gone = None;
                if !row.react(change.user.0, emojis) {
                    return;
                }
            }
            Act::Say { .. } | Act::Edit { .. } => return,
        }
        row.changed = place;
        self.gone.extend(gone);
        self.entries.insert((conversation, place), change);
    }

    /// Where it stands in the log.
    pub fn place_of(&self, one: &Handed) -> Option<u64> {
        let place = one.acked?;
        let entry = self.entries.get(&(one.conversation, place))?;
        (entry.client_msg_id == one.client_msg_id).then_some(place)
    }
}

impl<'a> Row<'a> {
    /// All of the user's. Tells whether anything is other than before.
    fn react(&mut self, user: u64, emojis: &'a [String]) -> bool {
        let before = self.reactions.clone();
        for users in self.reactions.values_mut() {
            users.remove(&user);
        }
        for emoji in emojis {
            self.reactions.entry(emoji).or_default().insert(user);
        }
        self.reactions.retain(|_, users| !users.is_empty());
        self.reactions != before
    }

    fn is(&self, message: &v1::Message) -> bool {
        let recalled_by = (message.state() == State::Recalled).then_some(message.recalled_by);
        let edits = if recalled_by.is_some() { self.edits } else { message.edits };
        let body = (&*message.content, &*message.attachment, recalled_by, message.changed, edits);
        body == (self.content, self.attachment, self.recalled_by, self.changed, self.edits)
            && self.has_reactions_of(message)
    }

    fn has_reactions_of(&self, message: &v1::Message) -> bool {
        let same = |reaction: &v1::Reaction| {
            let Some(users) = self.reactions.get(&*reaction.emoji) else { return false };
            let names = reaction.user_ids.iter().copied().collect::<BTreeSet<_>>();
            let names_all = reaction.user_ids.len() as u64 == u64::from(reaction.count);
            users.len() as u64 == u64::from(reaction.count) && names.is_subset(users) && (!names_all || names == *users)
        };
        message.reactions.len() == self.reactions.len() && message.reactions.iter().all(same)
    }
}

pub fn places_of<'a>(logs: &Logs<'a>) -> HashMap<(&'a str, ConversationId), u64> {
    let mut places = HashMap::new();
    for (conversation, log) in logs {
        let ids = log.rows.iter().rev().map(|message| (&*message.client_msg_id, message.server_msg_id));
        places.extend(ids.map(|(id, place)| ((id, *conversation), place)));
    }
    places
}

/// Texts that were taken back.
pub struct TakenBack<'a> {
    gone: Vec<Gone<'a>>,
    logs: Logs<'a>,
}

impl<'a> TakenBack<'a> {
    pub fn of(handed: &'a [Handed], truth: &'a Truth) -> Self {
        let logs = logs_of(truth);
        Self { gone: Present::of(handed, &logs).gone, logs }
    }

    pub fn all(&self) -> Vec<&'a str> {
        self.gone.iter().map(|gone| gone.content).collect()
    }

    /// As far as the user was told. Whoever left a group keeps what they had of it.
    pub fn told_to(&self, user: UserId) -> Vec<&'a str> {
        let is_told = |gone: &&Gone<'_>| {
            let log = self.logs.get(&gone.conversation);
            log.is_some_and(|log| gone.by <= log.sight(gone.conversation, user).head())
        };
        self.gone.iter().filter(is_told).map(|gone| gone.content).collect()
    }
}

/// Every message of the play is as the changes leave it, and every place of a log is that of a message or of a change.
pub fn judge_present(verdict: &mut Verdict, present: &Present<'_>, logs: &Logs<'_>) {
    for (conversation, log) in logs {
        for message in log.rows.iter().copied() {
            let place = message.server_msg_id;
            let row = present.rows.get(&(*conversation, place));
            if let Some(row) = row.filter(|row| (row.changed, message.changed) != (0, 0) && !row.is(message)) {
                verdict.find(Fault::Stale, || {
                    format!("{conversation} at {place}: the log has {message:?}, the changes make {row:?}")
                });
            }
        }
        judge_places(verdict, present, *conversation, log);
    }
}

/// Before the first message of this play there may be changes that an earlier play made in the same conversation.
fn judge_places(verdict: &mut Verdict, present: &Present<'_>, conversation: ConversationId, log: &Log<'_>) {
    let places: BTreeSet<_> = log.rows.iter().map(|message| message.server_msg_id).collect();
    let first = match conversation {
        ConversationId::Group(_) => 1,
        ConversationId::Single { .. } => {
            let ours = places.iter().copied().filter(|place| present.rows.contains_key(&(conversation, *place)));
            ours.min().unwrap_or(log.head + 1)
        }
    };
    for place in first..=log.head {
        let is_entry = present.entries.contains_key(&(conversation, place));
        if places.contains(&place) == is_entry && !log.is_lost(conversation, place) {
            let what = if is_entry { "a message and a change" } else { "nothing" };
            verdict.find(Fault::Missing, || format!("{conversation}: at {place} of {} stands {what}", log.head));
        }
    }
    let entries = present.entries.range((conversation, log.head + 1)..=(conversation, u64::MAX));
    for place in entries.map(|((_, place), _)| *place).chain(places.range(log.head + 1..).copied()) {
        verdict
            .find(Fault::Missing, || format!("{conversation}: {place} lies behind the end of the log, {}", log.head));
    }
}

/// The server has a reason for each refusal, in the log.
pub fn judge_refusals(verdict: &mut Verdict, handed: &[Handed], logs: &Logs<'_>) {
    let places = places_of(logs);
    let refused: BTreeSet<_> =
        handed.iter().filter(|one| one.refused.is_some()).map(|one| &*one.client_msg_id).collect();
    for one in handed.iter().filter(|one| one.is_refused()) {
        verdict.refused += 1;
        verdict.unsaid += u64::from(one.is_message());
        let target = match &one.act {
            Act::Edit { target, .. } | Act::Recall { target } => {
                if refused.contains(&**target) {
                    continue;
                }
                places.get(&(&**target, one.conversation)).copied()
            }
            Act::React { place, .. } => Some(*place),
            Act::Say { .. } => None,
        };
        let log = logs.get(&one.conversation);
        let row = log.and_then(|log| log.row(target?));
        let code = one.refused.and_then(|code| ErrorCode::try_from(code).ok());
        let tells = |kinds| log.is_some_and(|log| log.tells(one.user, kinds));
        let is_explained = match code {
            Some(ErrorCode::Gone) => row.is_some_and(|row| row.state() == State::Recalled),
            Some(ErrorCode::Muted) => tells(&[Kind::Muted]),
            Some(ErrorCode::NotMember) => tells(&[Kind::Left, Kind::Removed]),
            Some(ErrorCode::NotFound) => target.is_some_and(|target| {
                let sight = log.map(|log| log.sight(one.conversation, one.user));
                sight.is_none_or(|sight| !sight.sees(target) || sight.is_away(target))
            }),
            _ => false,
        };
        if !is_explained {
            let Handed { client_msg_id, conversation, device_id, act, .. } = one;
            verdict.find(Fault::Unexplained, || {
                format!("{conversation}: {client_msg_id} of {device_id} was refused with {code:?}: {act:?}")
            });
        }
    }
}
