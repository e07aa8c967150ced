//! What a group is like beside its members: its name, what is announced, who may do what.

use anser_proto::{
    ConversationId,
    v1::{self, notice::Kind},
};

use super::change_members::{Done, changed, group_row, told};
use crate::{
    GroupChange, GroupUpdate, History, MembersChanged, Refusal, Role,
    facts::{Facts, Stop, Want},
    rows::{AnnouncementRow, GroupRow},
    verb::{Verb, Wants},
};

pub(crate) struct UpdateGroup(pub(crate) GroupUpdate);

impl Verb for UpdateGroup {
    type Answer = MembersChanged;

    fn wants(&self, wants: &mut Wants) {
        let Self(GroupUpdate { group, operator, .. }) = self;
        wants.row(Want::Mailbox(operator.user));
        wants.row(Want::Head(ConversationId::Group(*group)));
        wants.row(Want::Group(*group));
        wants.row(Want::Announcement(*group));
        wants.row(Want::Stay(*group, operator.user));
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<MembersChanged, Stop> {
        let Self(GroupUpdate { group, operator, change, login_version }) = self;
        let (group, user) = (*group, operator.user);
        let stay = facts.membership(group, user)?.ok_or(Refusal::NotMember)?;
        facts.must_be_logged_in(user, &operator.device_id, *login_version)?;
        if stay.role == Role::Member {
            return Err(Refusal::Forbidden.into());
        }
        let before = group_row(facts, group)?;
        let mut announcement = facts.announcement(group)?.map_or("".into(), |row| row.text);
        let another = change.announcement.clone().filter(|text| *text != announcement);
        let mut after = before.changed(change);
        let mut done = Done::default();
        if after != before || another.is_some() {
            let change = v1::GroupChange { announcement: another.is_some(), ..difference(&before, &after) };
            let notice = v1::Notice { change: Some(change), ..told(Kind::GroupChanged, &[]) };
            let notice = facts.append_notice(group, operator, notice)?;
            if let Some(text) = another {
                after.announced = notice.server_msg_id;
                announcement.clone_from(&text);
                facts.tables.announcements.set(group, Some(AnnouncementRow { text }));
            }
            after.members_version = group_row(facts, group)?.members_version;
            facts.tables.groups.set(group, Some(after));
            done.notices.push(notice);
        }
        let mut changed = changed(facts, group, user, done)?;
        changed.group.announcement = Some(announcement);
        Ok(changed)
    }

    fn bytes(&self) -> usize {
        let GroupChange { name, avatar, announcement, .. } = &self.0.change;
        [name, avatar, announcement].into_iter().flatten().map(|text| text.len()).sum()
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![ConversationId::Group(self.0.group)]
    }
}

impl GroupRow {
    fn changed(&self, change: &GroupChange) -> Self {
        Self {
            name: change.name.clone().unwrap_or_else(|| self.name.clone()),
            avatar: change.avatar.clone().unwrap_or_else(|| self.avatar.clone()),
            mute_all: change.mute_all.unwrap_or(self.mute_all),
            join_mode: change.join_mode.unwrap_or(self.join_mode),
            members_mention_all: change.members_mention_all.unwrap_or(self.members_mention_all),
            history: change.history.unwrap_or(self.history),
            ..self.clone()
        }
    }
}

/// What is other than before.
fn difference(before: &GroupRow, after: &GroupRow) -> v1::GroupChange {
    v1::GroupChange {
        name: (before.name != after.name).then(|| after.name.to_string()),
        avatar: (before.avatar != after.avatar).then(|| after.avatar.to_string()),
        announcement: false,
        mute_all: (before.mute_all != after.mute_all).then_some(after.mute_all),
        join: (before.join_mode != after.join_mode).then_some(after.join_mode as i32),
        members_mention_all: (before.members_mention_all != after.members_mention_all)
            .then_some(after.members_mention_all),
        history: (before.history != after.history).then(|| after.history.into()),
    }
}

impl From<History> for v1::History {
    fn from(history: History) -> Self {
        let (kind, last) = match history {
            History::None => (v1::history::Kind::None, 0),
            History::Last(last) => (v1::history::Kind::Last, last),
            History::All => (v1::history::Kind::All, 0),
        };
        Self { kind: kind.into(), last }
    }
}
