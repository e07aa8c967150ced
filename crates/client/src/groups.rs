//! Requests about groups and users: asked of the server, answered or refused while connected.

use anser_proto::{
    GroupId, UserId,
    limits::PAGE_MAX,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    client::{Client, Error},
    view::{Group, HistoryShown, Join, Members, User},
};

/// A group to be made. The user is its owner and first member.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct NewGroup {
    /// Makes a retry harmless: the same id never makes a second group. One is made up if it is empty.
    pub client_group_id: String,
    /// 1 to 64 characters.
    pub name: String,
    /// An address, at most 512 bytes.
    pub avatar: String,
    /// Members from the start, at most 500.
    pub members: Vec<UserId>,
}

/// What to change of the user's own profile; what is `None` stays.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct Changed {
    /// At most 64 characters.
    pub nickname: Option<String>,
    /// An address, at most 512 bytes.
    pub avatar: Option<String>,
    /// A line about themself, at most 140 characters.
    pub signature: Option<String>,
    /// The app's own: JSON, at most 2 048 bytes; empty: nothing.
    pub custom: Option<String>,
}

/// What to change of a group; what is `None` stays.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct GroupUpdate {
    /// 1 to 64 characters.
    pub name: Option<String>,
    /// An address, at most 512 bytes.
    pub avatar: Option<String>,
    /// At most 2 048 characters.
    pub announcement: Option<String>,
    /// The owner and admins alone write.
    pub mute_all: Option<bool>,
    pub join: Option<Join>,
    pub members_mention_all: Option<bool>,
    /// What newcomers see of what was said before they come.
    pub history: Option<HistoryShown>,
}

/// All of these go to the server: they fail with [`Error::Offline`] while there is no connection, with
/// [`Error::Lost`] when it breaks before the answer, and with [`Error::Refused`] when the server says no.
impl Client {
    pub async fn create_group(&self, new: NewGroup) -> Result<Group, Error> {
        let client_group_id = match new.client_group_id {
            id if id.is_empty() => uuid::Uuid::now_v7().to_string(),
            id => id,
        };
        let user_ids = numbers(&new.members);
        let request = v1::CreateGroup { client_group_id, name: new.name, avatar: new.avatar, user_ids };
        self.call_for_group(Request::CreateGroup(request)).await
    }

    /// At most 500 at once. Who is a member already is left as they are.
    pub async fn invite(&self, group: GroupId, users: &[UserId]) -> Result<Group, Error> {
        let request = v1::InviteMembers { group_id: group.0, user_ids: numbers(users) };
        self.call_for_group(Request::InviteMembers(request)).await
    }

    /// At most 500 at once. Who is no member is left out.
    pub async fn remove(&self, group: GroupId, users: &[UserId]) -> Result<Group, Error> {
        let request = v1::RemoveMembers { group_id: group.0, user_ids: numbers(users), ban: false };
        self.call_for_group(Request::RemoveMembers(request)).await
    }

    /// Makes members admins; the owner alone may. At most 500 at once. Who is no member is left out.
    pub async fn promote(&self, group: GroupId, users: &[UserId]) -> Result<Group, Error> {
        self.set_role(group, users, v1::group::Role::Admin).await
    }

    /// Makes admins plain members; the owner alone may.
    pub async fn demote(&self, group: GroupId, users: &[UserId]) -> Result<Group, Error> {
        self.set_role(group, users, v1::group::Role::Member).await
    }

    async fn set_role(&self, group: GroupId, users: &[UserId], role: v1::group::Role) -> Result<Group, Error> {
        let request = v1::SetRole { group_id: group.0, user_ids: numbers(users), role: role.into() };
        self.call_for_group(Request::SetRole(request)).await
    }

    /// Makes another member owner. The user is an admin then.
    pub async fn transfer(&self, group: GroupId, to: UserId) -> Result<Group, Error> {
        self.call_for_group(Request::TransferGroup(v1::TransferGroup { group_id: group.0, user_id: to.0 })).await
    }

    /// Those named may not write until a time, in milliseconds since 1970 as the server's clock has them; a time that is past lets them again.
    /// At most 500 at once.
    pub async fn mute(&self, group: GroupId, users: &[UserId], until_ms: u64) -> Result<Group, Error> {
        let request = v1::MuteMembers { group_id: group.0, user_ids: numbers(users), until_ms };
        self.call_for_group(Request::MuteMembers(request)).await
    }

    /// The owner and admins may.
    pub async fn update_group(&self, group: GroupId, update: GroupUpdate) -> Result<Group, Error> {
        let GroupUpdate { name, avatar, announcement, mute_all, join, members_mention_all, history } = update;
        let request = v1::UpdateGroup {
            group_id: group.0,
            name,
            avatar,
            announcement,
            mute_all,
            join: join.map(|join| v1::group::Join::from(join).into()),
            members_mention_all,
            history: history.map(v1::History::from),
        };
        self.call_for_group(Request::UpdateGroup(request)).await
    }

    /// Ends the group for all; the owner alone may. What was said stays readable.
    pub async fn dissolve(&self, group: GroupId) -> Result<(), Error> {
        self.call(Request::DissolveGroup(v1::DissolveGroup { group_id: group.0 })).await.map(drop)
    }

    /// What was said until now stays readable.
    pub async fn leave(&self, group: GroupId) -> Result<(), Error> {
        self.call(Request::LeaveGroup(v1::LeaveGroup { group_id: group.0 })).await.map(drop)
    }

    /// The user's own name in the group, at most 64 characters; empty: none. Tells members by [`Event::Nicknames`](crate::Event::Nicknames).
    pub async fn set_group_nickname(&self, group: GroupId, nickname: impl Into<String>) -> Result<(), Error> {
        let (client_msg_id, nickname) = (uuid::Uuid::now_v7().to_string(), nickname.into());
        let client_time_ms = 0;
        let request = v1::SetGroupNickname { group_id: group.0, client_msg_id, nickname, client_time_ms };
        self.call(Request::SetGroupNickname(request)).await.map(drop)
    }

    /// The group as it is now, with the user's role.
    pub async fn group(&self, group: GroupId) -> Result<Group, Error> {
        self.call_for_group(Request::GetGroup(v1::GetGroup { group_id: group.0 })).await
    }

    /// A page of members in order of their ids, behind `after`; at most 200.
    pub async fn members(&self, group: GroupId, after: Option<UserId>) -> Result<Members, Error> {
        let after = after.map_or(0, |user| user.0);
        let request = v1::ListMembers { group_id: group.0, after, limit: PAGE_MAX };
        match self.call(Request::ListMembers(request)).await? {
            Body::Members(members) => Ok(members.into()),
            other => Err(Error::unexpected(&other)),
        }
    }

    /// Looks users up, at most 200. Unknown ones are left out.
    pub async fn users(&self, users: &[UserId]) -> Result<Vec<User>, Error> {
        self.call_for_users(Request::GetUsers(v1::GetUsers { user_ids: numbers(users), ..Default::default() })).await
    }

    /// Of these users, at most 200, those whose profile has another version by now.
    pub async fn changed_users(&self, known: &[(UserId, u64)]) -> Result<Vec<User>, Error> {
        let known = known
            .iter()
            .map(|(user, profile_version)| v1::KnownProfile { user_id: user.0, profile_version: *profile_version });
        self.call_for_users(Request::GetUsers(v1::GetUsers { known: known.collect(), ..Default::default() })).await
    }

    /// Looks users up by the app's own ids, at most 200. Unknown ones are left out.
    pub async fn users_by_account(&self, accounts: &[&str]) -> Result<Vec<User>, Error> {
        let accounts = accounts.iter().map(|account| (*account).to_owned()).collect();
        self.call_for_users(Request::GetUsers(v1::GetUsers { accounts, ..Default::default() })).await
    }

    /// Tells the user as they are now.
    pub async fn update_profile(&self, change: Changed) -> Result<User, Error> {
        let Changed { nickname, avatar, signature, custom } = change;
        let request = v1::UpdateProfile { nickname, avatar, signature, custom };
        let users = self.call_for_users(Request::UpdateProfile(request)).await?;
        users.into_iter().next().ok_or_else(|| Error::unexpected(&Body::Users(v1::Users::default())))
    }

    pub(crate) async fn call_for_group(&self, request: Request) -> Result<Group, Error> {
        match self.call(request).await? {
            Body::Group(group) => Ok(group.into()),
            other => Err(Error::unexpected(&other)),
        }
    }

    async fn call_for_users(&self, request: Request) -> Result<Vec<User>, Error> {
        match self.call(request).await? {
            Body::Users(users) => Ok(users.users.into_iter().map(User::from).collect()),
            other => Err(Error::unexpected(&other)),
        }
    }
}

pub(crate) fn numbers(users: &[UserId]) -> Vec<u64> {
    users.iter().map(|user| user.0).collect()
}
