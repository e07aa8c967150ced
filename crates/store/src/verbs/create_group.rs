//! Creating a group.

use anser_proto::{ConversationId, v1::notice::Kind};

use super::{
    change_members::{Done, changed, told},
    joining::{Comer, join, may_be_put, may_join, want_pair},
};
use crate::{
    History, JoinMode, MEMBERS_OF_A_GROUP, MembersChanged, NewGroup, Refusal, Role,
    facts::{Facts, Stop, Want},
    questions::{self, Counted},
    rows::GroupRow,
    steps::distinct,
    verb::{Verb, Wants},
};

pub(crate) struct CreateGroup(pub(crate) NewGroup);

impl Verb for CreateGroup {
    type Answer = MembersChanged;

    fn wants(&self, wants: &mut Wants) {
        let Self(new) = self;
        let conversation = ConversationId::Group(new.group);
        wants.row(Want::Head(conversation));
        wants.row(Want::Group(new.group));
        wants.ask(questions::group_created_by(new.creator.user, &new.client_group_id));
        for user in distinct(new.members.iter().chain([&new.creator.user])) {
            wants.row(Want::Mailbox(user));
            wants.row(Want::Session(user, conversation));
            wants.row(Want::Stay(new.group, user));
            want_pair(wants, new.creator.user, user);
            wants.ask(questions::groups_of_user(wants.dialect, user, new.creator.user, Counted::All));
        }
    }

    fn decide(&self, facts: &mut Facts<'_>) -> Result<MembersChanged, Stop> {
        let Self(new) = self;
        let creator = new.creator.user;
        let query = questions::group_created_by(creator, &new.client_group_id);
        if let Some(known) = facts.ask(&query, |row| row.get())?.first() {
            return changed(facts, *known, creator, Done::default());
        }
        let mut members = Vec::new();
        for member in distinct(new.members.iter().chain([&creator])) {
            facts.must_exist(member)?;
            if may_be_put(facts, creator, member)? {
                members.push(member);
            }
        }
        facts.must_be_logged_in(creator, &new.creator.device_id, new.login_version)?;
        let max = facts.options.group_members_max;
        if members.len() > max as usize {
            return Err(Refusal::Limit { what: MEMBERS_OF_A_GROUP, max }.into());
        }
        let comers: Vec<_> = members.iter().map(|member| Comer::put_by(creator, *member)).collect();
        may_join(facts, &comers)?;
        if facts.group(new.group)?.is_some() {
            return Err(Refusal::Conflict("group_id").into());
        }

        let notice = facts.append_notice(new.group, &new.creator, told(Kind::Created, &members))?;
        let row = GroupRow {
            creator_id: creator,
            client_group_id: new.client_group_id.clone(),
            name: new.name.clone(),
            avatar: new.avatar.clone(),
            owner_id: creator,
            member_count: 0,
            created_ms: notice.server_time_ms,
            members_version: notice.server_msg_id,
            mute_all: false,
            join_mode: JoinMode::Free,
            members_mention_all: false,
            announced: 0,
            dissolved_at: None,
            history: History::None,
        };
        facts.tables.groups.set(new.group, Some(row));
        let stamped = join(facts, new.group, &comers, notice.place())?;
        facts.set_role(new.group, creator, Role::Owner)?;
        changed(facts, new.group, creator, Done { notices: vec![notice], stamped, ..Done::default() })
    }

    fn weight(&self) -> usize {
        1 + self.0.members.len()
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.0.members)
    }

    fn conversations(&self) -> Vec<ConversationId> {
        vec![ConversationId::Group(self.0.group)]
    }
}
