//! The logs of a play as the server has them, and what each user may see of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use anser_proto::{
    ConversationId, UserId,
    v1::{self, notice::Kind},
};

use super::{
    super::record::{Away, Seen, Truth, View},
    Fault, Verdict,
};

pub type Logs<'a> = BTreeMap<ConversationId, Log<'a>>;

pub struct Log<'a> {
    /// What anybody who was asked may see of it.
    pub rows: Vec<&'a v1::Message>,
    /// The last entry, shown or not.
    pub head: u64,
    away: BTreeMap<UserId, PutAway>,
    /// The first message of this play.
    since: u64,
}

/// What a user does not want to see any more.
#[derive(Clone, Default)]
struct PutAway {
    hidden: BTreeSet<u64>,
    cleared: u64,
}

/// What a user may see of a log.
pub struct Sight<'a> {
    pub rows: Vec<&'a v1::Message>,
    /// Entries of the log from their coming to their going, each time; who is there is there for ever.
    stays: Vec<RangeInclusive<u64>>,
    log_head: u64,
    away: PutAway,
}

impl<'a> Sight<'a> {
    pub fn is_away(&self, place: u64) -> bool {
        self.away.has(place)
    }

    /// Of what they may see, what they did not put away.
    pub fn shown(&self) -> impl DoubleEndedIterator<Item = &'a v1::Message> {
        self.rows.iter().copied().filter(|message| !self.is_away(message.server_msg_id))
    }

    pub fn sees(&self, place: u64) -> bool {
        self.stays.iter().any(|stay| stay.contains(&place))
    }

    /// They see this place, and so many entries behind it, should there be so many.
    pub fn stays_behind(&self, place: u64, entries: u64) -> bool {
        self.stays.iter().any(|stay| stay.contains(&place) && stay.contains(&(place + entries)))
    }

    /// The last entry that concerns them, 0 if none does.
    pub fn head(&self) -> u64 {
        self.stays.last().map_or(0, |stay| self.log_head.min(*stay.end()))
    }
}

impl PutAway {
    fn has(&self, place: u64) -> bool {
        (1..=self.cleared).contains(&place) || self.hidden.contains(&place)
    }
}

impl<'a> Log<'a> {
    pub fn sight(&self, conversation: ConversationId, user: UserId) -> Sight<'a> {
        let away = self.away.get(&user).cloned().unwrap_or_default();
        if matches!(conversation, ConversationId::Single { .. }) {
            let is_party = conversation.peer_of(user).is_some();
            let rows = if is_party { self.rows.clone() } else { Vec::new() };
            let stays = if is_party { vec![1..=u64::MAX] } else { Vec::new() };
            return Sight { rows, stays, log_head: self.head, away };
        }
        let (mut rows, mut stays, mut since) = (Vec::new(), Vec::new(), None);
        for message in self.rows.iter().copied() {
            let (place, kind) = (message.server_msg_id, notice_about(message, user));
            if matches!(kind, Kind::Created | Kind::Joined) {
                since = Some(place);
            }
            let Some(first) = since else { continue };
            rows.push(message);
            if matches!(kind, Kind::Left | Kind::Removed) {
                stays.push(first..=place);
                since = None;
            }
        }
        stays.extend(since.map(|first| first..=u64::MAX));
        Sight { rows, stays, log_head: self.head, away }
    }

    pub fn row(&self, place: u64) -> Option<&'a v1::Message> {
        let at = self.rows.binary_search_by_key(&place, |message| message.server_msg_id).ok()?;
        self.rows.get(at).copied()
    }

    /// Both parties put it away, now or in an earlier play, so that nobody can read it.
    pub fn is_lost(&self, conversation: ConversationId, place: u64) -> bool {
        let ConversationId::Single { small, big } = conversation else { return false };
        let was_lost = place < self.since && self.row(place).is_none();
        was_lost || [small, big].iter().all(|party| self.away.get(party).is_some_and(|away| away.has(place)))
    }

    /// Somebody once told the user so, or told others so of them.
    pub fn tells(&self, user: UserId, kinds: &[Kind]) -> bool {
        self.rows.iter().any(|message| kinds.contains(&notice_about(message, user)))
    }
}

fn notice_about(message: &v1::Message, user: UserId) -> Kind {
    let notice = message.notice.as_ref().filter(|notice| notice.user_ids.contains(&user.0));
    notice.map_or(Kind::Unknown, v1::Notice::kind)
}

/// Whoever reads a log reads the same as others, in order, but what they may not see or put away.
pub fn judge_logs<'a>(verdict: &mut Verdict, truth: &'a Truth) -> Logs<'a> {
    let logs = logs_of(truth);
    for View { reader, conversation, messages, head } in &truth.views {
        for pair in messages.windows(2).filter(|pair| pair[0].server_msg_id >= pair[1].server_msg_id) {
            let (before, after) = (pair[0].server_msg_id, pair[1].server_msg_id);
            verdict.find(Fault::Misordered, || format!("{conversation}: the log has {after} behind {before}"));
        }
        let sight = logs[conversation].sight(*conversation, *reader);
        for message in messages.iter().filter(|message| sight.is_away(message.server_msg_id)) {
            let place = message.server_msg_id;
            verdict.find(Fault::Returned, || {
                format!("{conversation} at {place}: user {reader} put it away, and the server shows it")
            });
        }
        let read = messages.iter().filter(|message| !sight.is_away(message.server_msg_id));
        if sight.head() != *head || !sight.shown().map(Seen::of).eq(read.map(Seen::of)) {
            verdict.find(Fault::Ghost, || {
                let (may, shown, read) = (sight.head(), sight.shown().count(), messages.len());
                format!(
                    "{conversation}: user {reader} reads another log ({read} messages up to {head}) than they are to see \
                     ({shown} up to {may})"
                )
            });
        }
    }
    logs
}

/// Each of them as all who read it see it together.
pub fn logs_of<'a>(truth: &'a Truth) -> Logs<'a> {
    let mut all: BTreeMap<ConversationId, (BTreeMap<u64, &'a v1::Message>, u64)> = BTreeMap::new();
    for View { conversation, messages, head, .. } in &truth.views {
        let (rows, last) = all.entry(*conversation).or_default();
        *last = (*last).max(*head);
        for message in messages {
            rows.entry(message.server_msg_id).or_insert(message);
        }
    }
    let log = |(conversation, (rows, head)): (ConversationId, (BTreeMap<u64, &'a v1::Message>, u64))| {
        let mut away: BTreeMap<UserId, PutAway> = BTreeMap::new();
        for (user, _, what) in truth.away.iter().filter(|(_, of, _)| *of == conversation) {
            let away = away.entry(*user).or_default();
            match what {
                Away::Hide(place) => _ = away.hidden.insert(*place),
                Away::Clear(up_to) => away.cleared = away.cleared.max(*up_to),
            }
        }
        let here =
            |view: &&View| view.conversation == conversation && matches!(conversation, ConversationId::Single { .. });
        for View { reader, messages, .. } in truth.views.iter().filter(here) {
            // What an earlier play on the same server put away is not known to this one.
            let read: BTreeSet<_> = messages.iter().map(|message| message.server_msg_id).collect();
            let earlier = rows
                .iter()
                .filter(|(_, message): &(_, &&'a v1::Message)| !message.client_msg_id.starts_with(&truth.play));
            let unread = earlier.map(|(place, _)| *place).filter(|place| !read.contains(place));
            away.entry(*reader).or_default().hidden.extend(unread);
        }
        let ours = rows.iter().find(|(_, message)| message.client_msg_id.starts_with(&truth.play));
        let since = ours.map_or(head + 1, |(place, _)| *place);
        (conversation, Log { rows: rows.into_values().collect(), head, away, since })
    };
    all.into_iter().map(log).collect()
}

/// How far a device must come in a conversation.
pub struct Goal {
    pub conversation: ConversationId,
    /// The last message.
    pub last: u64,
    /// Of each message that was changed: the last change that its user is told of.
    pub changed: Vec<(u64, u64)>,
    /// What its user put away.
    pub away: Vec<u64>,
}

/// What the devices of this user must come to.
pub fn goals_of(logs: &Logs<'_>, user: UserId) -> Vec<Goal> {
    let goal = |(conversation, log): (&ConversationId, &Log<'_>)| {
        let sight = log.sight(*conversation, user);
        let is_told = |message: &&v1::Message| (1..=sight.head()).contains(&message.changed);
        let changed = sight.shown().filter(is_told).map(|message| (message.server_msg_id, message.changed));
        let places = sight.rows.iter().map(|message| message.server_msg_id);
        Some(Goal {
            conversation: *conversation,
            last: sight.shown().last()?.server_msg_id,
            changed: changed.collect(),
            away: places.filter(|place| sight.is_away(*place)).collect(),
        })
    };
    logs.iter().filter_map(goal).collect()
}

/// Groups that this user left, and in which something that they saw was changed after that: nobody tells their devices.
pub fn untold(logs: &Logs<'_>, user: UserId) -> BTreeSet<ConversationId> {
    let is_untold = |(conversation, log): &(&ConversationId, &Log<'_>)| {
        let sight = log.sight(**conversation, user);
        sight.rows.iter().any(|message| message.changed > sight.head())
    };
    logs.iter().filter(is_untold).map(|(conversation, _)| *conversation).collect()
}
