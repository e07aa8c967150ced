//! Which of the unread messages name the user. Pure rules on what is kept of a conversation.
//!
//! Rules: as with what is unread, nothing is counted up. Of the messages behind the read mark that are shown here, those that name the user are known
//! one by one, each with the state that told so: of two states the newer one says whether it does. What lies before them, in a gap, only the server's
//! row can tell: of its number those are taken off that are known here. Whoever the user blocked names nobody.

use std::collections::BTreeMap;

use anser_proto::{UserId, limits::MENTIONS_COUNTED_MAX, v1};

use super::{
    conversation::Conversation,
    counts::{is_countable, is_there},
    terms::Told,
};

/// Messages behind the read mark that are known one by one.
const KNOWN_MAX: usize = 256;

/// What is known of the messages behind the read mark that name the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mentioned {
    /// Those that do, and those that did, or were changed otherwise.
    known: BTreeMap<u64, Naming>,
    /// `known` has all behind this id.
    from: u64,
    /// Of those up to there, as the server told it. None: it has not.
    before: Option<Number>,
    /// What the server's last row said, as long as that is kept.
    told: Number,
    /// The newest change of a message from before `from`: rows of before do not know of it.
    doubted: u64,
}

/// Whom the user blocked, and whom no more: each by the newest change that told so.
#[derive(Default)]
pub(super) struct Blocks(BTreeMap<u64, Block>);

struct Block {
    mailbox_seq: u64,
    stands: bool,
}

impl Blocks {
    pub(super) fn of(users: Vec<UserId>) -> Self {
        Self(users.into_iter().map(|user| (user.0, Block { mailbox_seq: 0, stands: true })).collect())
    }

    /// Tells whether something is other than before.
    pub(super) fn take(&mut self, mailbox_seq: u64, blocked: &v1::Blocked) -> bool {
        let (user, stands) = (blocked.user.as_ref().map_or(0, |user| user.user_id), blocked.since_ms > 0);
        if self.0.get(&user).is_some_and(|known| known.mailbox_seq > mailbox_seq) {
            return false;
        }
        let before = self.0.insert(user, Block { mailbox_seq, stands });
        before.map_or(stands, |before| before.stands != stands)
    }

    fn stand_against(&self, user: u64) -> bool {
        self.0.get(&user).is_some_and(|block| block.stands)
    }
}

/// How many, and the first of them; 0: there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Number {
    count: u64,
    first: u64,
}

/// A message by its newest state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Naming {
    changed: u64,
    /// The author, if it names the user; else 0.
    by: u64,
}

/// Nothing was said.
impl Default for Mentioned {
    fn default() -> Self {
        let (before, told) = (Some(Number::default()), Number::default());
        Self { known: BTreeMap::new(), from: 0, before, told, doubted: 0 }
    }
}

impl Number {
    fn add(&mut self, id: u64) {
        self.count += 1;
        self.first = if self.first == 0 { id } else { self.first.min(id) };
    }

    fn take_off(self, known: u64) -> Self {
        let count = self.count.saturating_sub(known);
        Self { count, first: if count > 0 { self.first } else { 0 } }
    }
}

impl Conversation {
    /// A message behind everything, or a newer state of one that was shown.
    pub(super) fn note_mentions(&mut self, message: &v1::Message, me: UserId) {
        let (id, changed) = (message.server_msg_id, message.changed);
        if id <= self.kept.session.read_mark {
            return;
        }
        let by = if names(message, me) { message.from_id } else { 0 };
        let row_head = self.kept.row_head;
        let mentioned = &mut self.kept.mentioned;
        if id <= mentioned.from {
            let concerns = by > 0 || mentioned.before.is_none_or(|before| before.count > 0);
            if changed > row_head.max(mentioned.doubted) && concerns {
                mentioned.doubted = changed;
                mentioned.before = None;
                self.row_wanted = true;
            }
            return;
        }
        let is_newer = mentioned.known.get(&id).is_none_or(|known| known.changed <= changed);
        if is_newer && (by > 0 || changed > 0) {
            mentioned.known.insert(id, Naming { changed, by });
        }
        mentioned.bound();
    }

    /// The user does not see it any more, whatever is still told of it.
    pub(super) fn forget_mentions(&mut self, id: u64) {
        if id > self.kept.session.read_mark.max(self.kept.mentioned.from) {
            self.kept.mentioned.known.insert(id, Naming { changed: u64::MAX, by: 0 });
            self.kept.mentioned.bound();
        }
    }

    /// Messages in front of those that are known, ascending: all behind `after`.
    pub(super) fn note_older_mentions<'m>(
        &mut self,
        messages: impl DoubleEndedIterator<Item = &'m v1::Message>,
        after: u64,
        me: UserId,
    ) {
        let (read_mark, row_head) = (self.kept.session.read_mark, self.kept.row_head);
        let mentioned = &mut self.kept.mentioned;
        for message in messages.rev() {
            let (id, changed) = (message.server_msg_id, message.changed);
            if id <= read_mark || id > mentioned.from {
                continue;
            }
            let by = if names(message, me) { message.from_id } else { 0 };
            // The row was told before it was changed.
            mentioned.before = mentioned.before.filter(|_| changed <= row_head);
            mentioned.before = mentioned.before.map(|before| before.take_off(u64::from(by > 0)));
            if by > 0 || changed > 0 {
                mentioned.known.insert(id, Naming { changed, by });
            }
        }
        mentioned.from = mentioned.from.min(after);
        mentioned.bound();
        self.mentions_are_read();
    }

    /// What lies before this id is not looked at one by one.
    pub(super) fn skip_mentions(&mut self, through: u64) {
        let read_mark = self.kept.session.read_mark;
        let mentioned = &mut self.kept.mentioned;
        if read_mark < through {
            mentioned.before = None;
            mentioned.known.retain(|id, _| *id > through);
        }
        mentioned.from = mentioned.from.max(through);
    }

    /// The read mark is where it is now.
    pub(super) fn mentions_are_read(&mut self) {
        let read_mark = self.kept.session.read_mark;
        let mentioned = &mut self.kept.mentioned;
        mentioned.known.retain(|id, _| *id > read_mark);
        if read_mark >= mentioned.from {
            mentioned.before = Some(Number::default());
        } else {
            mentioned.before = mentioned.before.filter(|before| before.count == 0 || before.first > read_mark);
        }
    }

    /// Only the server's row can tell how many there are.
    pub(super) fn mentions_are_unknown(&self) -> bool {
        self.kept.mentioned.before.is_none()
    }

    /// The server's row, whose read mark is no older than the one here.
    pub(super) fn mentions_are_told(&mut self, (count, first): (u64, u64)) {
        self.kept.mentioned.told = Number { count, first };
    }

    /// Everything up to the head of the row is here: what is not known of its number lies before.
    pub(super) fn settle_mentions(&mut self, told: Told) {
        self.mentions_are_read();
        let is_read = self.kept.session.read_mark >= self.kept.mentioned.from;
        let has_left = has_left(&self.kept.session);
        let mentioned = &mut self.kept.mentioned;
        if is_read || has_left {
            // And the row of who left knows of no change since.
            mentioned.before = Some(Number::default());
            return;
        }
        let counted = || mentioned.known.iter().filter(|(id, _)| **id <= told.head);
        let is_late = mentioned.doubted > told.head
            || counted().any(|(_, naming)| naming.changed > told.head && naming.changed < u64::MAX);
        let known = counted().filter(|(_, naming)| naming.by > 0).count() as u64;
        mentioned.before = (!is_late).then(|| mentioned.told.take_off(known));
        self.row_wanted |= is_late;
    }

    /// Brings the entry up to date with everything that is known.
    pub(super) fn recount_mentions(&mut self, blocks: &Blocks) {
        let (kept, session) = (&self.kept, &self.kept.session);
        let mentioned = &kept.mentioned;
        let is_told = kept.told.is_some_and(|told| told.read_mark == session.read_mark);
        let mut number = match mentioned.before {
            _ if has_left(session) || session.read_mark >= session.head => Number::default(),
            _ if is_told => mentioned.told,
            Some(mut number) => {
                let naming = mentioned.known.iter().filter(|(_, one)| one.by > 0 && !blocks.stand_against(one.by));
                naming.for_each(|(id, _)| number.add(*id));
                number
            }
            None => Number { count: session.mentions, first: session.mentioned_at },
        };
        number.count = number.count.min(MENTIONS_COUNTED_MAX);
        (self.kept.session.mentions, self.kept.session.mentioned_at) = (number.count, number.first);
    }

    /// The user blocked somebody, or does so no more: what the server told is not so any more. Tells whether it makes a difference.
    pub(super) fn doubt_mentions(&mut self) -> bool {
        let mentioned = &self.kept.mentioned;
        let is_told = mentioned.before.is_none_or(|before| before.count > 0) || self.kept.told.is_some();
        self.row_wanted |= is_told && self.is_listed();
        is_told || !mentioned.known.is_empty()
    }
}

impl Mentioned {
    fn bound(&mut self) {
        while self.known.len() > KNOWN_MAX
            && let Some((id, naming)) = self.known.pop_first()
        {
            self.from = self.from.max(id);
            if let Some(before) = self.before.as_mut().filter(|_| naming.by > 0) {
                before.add(id);
            }
        }
    }

    /// For the local store.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Self { known, from, before, told, doubted } = self;
        let unknown = Number { count: u64::MAX, first: 0 };
        let before = before.unwrap_or(unknown);
        let head = [*from, *doubted, before.count, before.first, told.count, told.first];
        let each = known.iter().flat_map(|(id, naming)| [*id, naming.changed, naming.by]);
        head.into_iter().chain(each).flat_map(u64::to_le_bytes).collect()
    }

    /// Of a store that knew of no mentions: there were none.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        let numbers: Vec<u64> = bytes.as_chunks::<8>().0.iter().map(|number| u64::from_le_bytes(*number)).collect();
        let Some((&[from, doubted, count, first, told_count, told_first], each)) = numbers.split_first_chunk() else {
            return Self::default();
        };
        let known =
            each.as_chunks::<3>().0.iter().map(|[id, changed, by]| (*id, Naming { changed: *changed, by: *by }));
        let before = (count < u64::MAX).then_some(Number { count, first });
        let told = Number { count: told_count, first: told_first };
        Self { known: known.collect(), from, before, told, doubted }
    }
}

/// They are no member any more, and nothing that they see of it names them.
pub(super) fn has_left(session: &v1::Session) -> bool {
    let group = session.group.as_ref();
    group.is_some_and(|group| group.role() == v1::group::Role::None && group.dissolved_at == 0)
}

/// It counts as unread, and names the user.
fn names(message: &v1::Message, me: UserId) -> bool {
    let named = message.mentions.as_ref().filter(|_| is_countable(message) && is_there(message));
    message.from_id != me.0 && named.is_some_and(|named| named.all || named.user_ids.contains(&me.0))
}
