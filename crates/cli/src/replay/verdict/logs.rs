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
    super::record::{Seen, Truth, View},
    Fault, Verdict,
};

pub type Logs<'a> = BTreeMap<ConversationId, Log<'a>>;

pub struct Log<'a> {
    pub rows: &'a [v1::Message],
    /// The last entry, shown or not.
    pub head: u64,
}

/// What a user may see of a log.
pub struct Sight<'a> {
    pub rows: Vec<&'a v1::Message>,
    /// Entries of the log from their coming to their going, each time; who is there is there for ever.
    stays: Vec<RangeInclusive<u64>>,
    log_head: u64,
}

impl Sight<'_> {
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

impl<'a> Log<'a> {
    pub fn sight(&self, conversation: ConversationId, user: UserId) -> Sight<'a> {
        if matches!(conversation, ConversationId::Single { .. }) {
            let is_party = conversation.peer_of(user).is_some();
            let rows = if is_party { self.rows.iter().collect() } else { Vec::new() };
            let stays = if is_party { vec![1..=u64::MAX] } else { Vec::new() };
            return Sight { rows, stays, log_head: self.head };
        }
        let (mut rows, mut stays, mut since) = (Vec::new(), Vec::new(), None);
        for message in self.rows {
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
        Sight { rows, stays, log_head: self.head }
    }

    pub fn row(&self, place: u64) -> Option<&'a v1::Message> {
        let at = self.rows.binary_search_by_key(&place, |message| message.server_msg_id).ok()?;
        self.rows.get(at)
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

/// Both parties read the same log, in order.
pub fn judge_logs<'a>(verdict: &mut Verdict, truth: &'a Truth) -> Logs<'a> {
    let mut logs = Logs::new();
    for View { reader, conversation, messages, head } in &truth.views {
        for pair in messages.windows(2).filter(|pair| pair[0].server_msg_id >= pair[1].server_msg_id) {
            let (before, after) = (pair[0].server_msg_id, pair[1].server_msg_id);
            verdict.find(Fault::Misordered, || format!("{conversation}: the log has {after} behind {before}"));
        }
        let first = logs.entry(*conversation).or_insert(Log { rows: messages, head: *head });
        if first.head != *head || !first.rows.iter().map(Seen::of).eq(messages.iter().map(Seen::of)) {
            verdict.find(Fault::Ghost, || {
                let (one, other) = (first.rows.len(), messages.len());
                format!(
                    "{conversation}: user {reader} reads another log ({other} messages up to {head}) than the first \
                     reader ({one} up to {})",
                    first.head
                )
            });
        }
    }
    logs
}

/// How far a device must come in a conversation.
pub struct Goal {
    pub conversation: ConversationId,
    /// The last message.
    pub last: u64,
    /// Of each message that was changed: the last change that its user is told of.
    pub changed: Vec<(u64, u64)>,
}

/// What the devices of this user must come to.
pub fn goals_of(truth: &Truth, user: UserId) -> Vec<Goal> {
    let logs = judge_logs(&mut Verdict::default(), truth);
    let goal = |(conversation, log): (&ConversationId, &Log<'_>)| {
        let sight = log.sight(*conversation, user);
        let is_told = |message: &&&v1::Message| (1..=sight.head()).contains(&message.changed);
        let changed = sight.rows.iter().filter(is_told).map(|message| (message.server_msg_id, message.changed));
        Some(Goal { conversation: *conversation, last: sight.rows.last()?.server_msg_id, changed: changed.collect() })
    };
    logs.iter().filter_map(goal).collect()
}

/// Groups that this user left, and in which something that they saw was changed after that: nobody tells their devices.
pub fn untold(truth: &Truth, user: UserId) -> BTreeSet<ConversationId> {
    let logs = judge_logs(&mut Verdict::default(), truth);
    let is_untold = |(conversation, log): &(&ConversationId, &Log<'_>)| {
        let sight = log.sight(**conversation, user);
        sight.rows.iter().any(|message| message.changed > sight.head())
    };
    logs.iter().filter(is_untold).map(|(conversation, _)| *conversation).collect()
}
