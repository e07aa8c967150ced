//! Requests about how users come into a group, and who may not.

use anser_proto::{
    GroupId, UserId,
    limits::PAGE_MAX,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    client::{Client, Error},
    groups::numbers,
    view::{Bans, Group, GroupPreview, JoinRequests, Link, NewLink, Waiting},
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

    /// How many wait to be let into which groups of the user's, as it is here. [`Event::People`](crate::Event::People) tells of a change.
    pub async fn waiting(&self) -> Result<Vec<Waiting>, Error> {
        Ok(self.store.waiting().await?)
    }

    /// A page of who waits to be let in, in order of the users' ids, behind `after`; at most 200. For the owner and admins.
    pub async fn join_requests(&self, group: GroupId, after: Option<UserId>) -> Result<JoinRequests, Error> {
        let after = after.map_or(0, |user| user.0);
        let request = v1::ListJoinRequests { group_id: group.0, after, limit: PAGE_MAX };
        match self.call(Request::ListJoinRequests(request)).await? {
            Body::JoinRequests(requests) => Ok(requests.into()),
            other => Err(Error::unexpected(&other)),
        }
    }

    /// Lets in who waits, or turns them away; at most 500 at once. Tells who of them is a member now, by whichever answer.
    pub async fn answer_join_requests(
        &self,
        group: GroupId,
        users: &[UserId],
        accept: bool,
    ) -> Result<Vec<UserId>, Error> {
        let request = v1::AnswerJoinRequests { group_id: group.0, user_ids: numbers(users), accept };
        match self.call(Request::AnswerJoinRequests(request)).await? {
            Body::Joined(joined) => Ok(joined.user_ids.into_iter().map(UserId).collect()),
            other => Err(Error::unexpected(&other)),
        }
    }

    /// A link by which users come into the group. Its token is told here and never again.
    pub async fn create_link(&self, group: GroupId, new: NewLink) -> Result<Link, Error> {
        let NewLink { max_uses, expires_ms, approval } = new;
        let request = v1::CreateLink { group_id: group.0, max_uses, expires_ms, approval };
        match self.call(Request::CreateLink(request)).await? {
            Body::Link(link) => Ok(link.into()),
            other => Err(Error::unexpected(&other)),
        }
    }

    /// The link leads nowhere any more.
    pub async fn revoke_link(&self, group: GroupId, link_id: u64) -> Result<(), Error> {
        self.call(Request::RevokeLink(v1::RevokeLink { group_id: group.0, link_id })).await.map(drop)
    }

    /// The links that the user may revoke, without their tokens.
    pub async fn links(&self, group: GroupId) -> Result<Vec<Link>, Error> {
        match self.call(Request::ListLinks(v1::ListLinks { group_id: group.0 })).await? {
            Body::Links(links) => Ok(links.links.into_iter().map(Link::from).collect()),
            other => Err(Error::unexpected(&other)),
        }
    }

    /// Where a link leads, for whoever is no member yet.
    pub async fn preview_link(&self, token: &str) -> Result<GroupPreview, Error> {
        match self.call(Request::PreviewLink(v1::PreviewLink { token: token.into() })).await? {
            Body::GroupPreview(preview) => Ok(preview.into()),
            other => Err(Error::unexpected(&other)),
        }
    }

    /// Joins a group by a link. None: the user waits to be let in, with at most 200 characters of their own.
    pub async fn join(&self, token: &str, text: impl Into<String>) -> Result<Option<Group>, Error> {
        let request = v1::JoinGroup { token: token.into(), text: text.into() };
        match self.call(Request::JoinGroup(request)).await? {
            Body::Joined(joined) => Ok(joined.group.map(Group::from)),
            other => Err(Error::unexpected(&other)),
        }
    }
}
