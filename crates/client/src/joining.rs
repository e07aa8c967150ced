//! Requests about how users come into a group, and who may not.

use anser_proto::{
    GroupId, UserId,
    limits::PAGE_MAX,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    client::{Client, Error},
    groups::numbers,
    view::{Bans, Group},
};

/// As with other requests about groups.
impl Client {
    /// Those named are removed and may not come back; who is no member may be named too. At most 500 at once.
    pub async fn ban(&self, group: GroupId, users: &[UserId]) -> Result<Group, Error> {
        let request = v1::RemoveMembers { group_id: group.0, user_ids: numbers(users), ban: true };
        self.call_for_group(Request::RemoveMembers(request)).await
    }

    /// At most 500 at once.
    pub async fn unban(&self, group: GroupId, users: &[UserId]) -> Result<Group, Error> {
        let request = v1::UnbanMembers { group_id: group.0, user_ids: numbers(users) };
        self.call_for_group(Request::UnbanMembers(request)).await
    }

    /// A page of who is banned, in order of the users' ids, behind `after`; at most 200. For the owner and admins.
    pub async fn bans(&self, group: GroupId, after: Option<UserId>) -> Result<Bans, Error> {
        let after = after.map_or(0, |user| user.0);
        let request = v1::ListBans { group_id: group.0, after, limit: PAGE_MAX };
        match self.call(Request::ListBans(request)).await? {
            Body::Bans(bans) => Ok(bans.into()),
            other => Err(Error::unexpected(&other)),
        }
    }
}
