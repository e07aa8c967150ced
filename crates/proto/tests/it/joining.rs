//! Samples of how users come into a group, and who may not.

use anser_proto::v1::{
    AnswerJoinRequests, Ban, Bans, Change, Changed, CreateLink, Group, GroupChange, GroupNickname, GroupPreview,
    History, JoinGroup, JoinRequest, JoinRequestCount, JoinRequests, Joined, Link, Links, ListBans, ListJoinRequests,
    ListLinks, Member, Members, Message, MessageEvent, Messages, MessagesChanged, Notice, PreviewLink, RemoveMembers,
    RevokeLink, ServerFrame, SetGroupNickname, UnbanMembers, UpdateGroup, User, change, client_frame::Request, group,
    history, message, notice, server_frame::Body,
};

use crate::samples::{BIG, NOON_MS};

const TOKEN: &str = "kD3vQ8m1Zy5xT0aR7cW2_g";

pub(crate) fn requests() -> Vec<Request> {
    vec![
        Request::UnbanMembers(UnbanMembers { group_id: 3, user_ids: vec![1009, BIG] }),
        Request::ListBans(ListBans { group_id: 3, after: 1008, limit: 50 }),
        Request::ListJoinRequests(ListJoinRequests { group_id: 3, after: 1008, limit: 50 }),
        Request::AnswerJoinRequests(AnswerJoinRequests { group_id: 3, user_ids: vec![1009, BIG], accept: true }),
        Request::CreateLink(CreateLink { group_id: 3, max_uses: 5, expires_ms: NOON_MS, approval: true }),
        Request::RevokeLink(RevokeLink { group_id: 3, link_id: BIG }),
        Request::ListLinks(ListLinks { group_id: 3 }),
        Request::PreviewLink(PreviewLink { token: TOKEN.into() }),
        Request::JoinGroup(JoinGroup { token: TOKEN.into(), text: "it is me, 鸿雁".into() }),
        Request::SetGroupNickname(SetGroupNickname {
            group_id: 3,
            client_msg_id: "0190c2f0-named".into(),
            nickname: "雁子".into(),
            client_time_ms: NOON_MS,
        }),
    ]
}

pub(crate) fn answers() -> Vec<Body> {
    let request = JoinRequest { user: Some(bob()), proposed_by: 1008, text: "it is me".into(), since_ms: NOON_MS };
    vec![
        Body::Bans(Bans { bans: vec![Ban { user: Some(bob()), banned_by: 1008, since_ms: NOON_MS }], more: true }),
        Body::JoinRequests(JoinRequests { requests: vec![request], more: true }),
        Body::Links(Links { links: vec![link(String::new())] }),
        Body::Link(link(TOKEN.into())),
        Body::GroupPreview(GroupPreview {
            name: "鸿雁".into(),
            avatar: "https://img.example/g.png".into(),
            member_count: 4,
            approval: true,
        }),
        Body::Joined(Joined { group: Some(Group { group_id: 3, ..Group::default() }), user_ids: vec![1009, BIG] }),
    ]
}

/// Requests with what older samples of them do not bear.
pub(crate) fn newer_requests() -> Vec<(&'static str, Request)> {
    let join = Some(group::Join::Approval.into());
    let history = Some(History { kind: history::Kind::Last.into(), last: 200 });
    vec![
        ("remove_members-ban", Request::RemoveMembers(RemoveMembers { group_id: 4, user_ids: vec![1012], ban: true })),
        ("update_group-approval", Request::UpdateGroup(UpdateGroup { group_id: 3, join, ..UpdateGroup::default() })),
        ("update_group-history", Request::UpdateGroup(UpdateGroup { group_id: 3, history, ..UpdateGroup::default() })),
    ]
}

/// The same of what the server says.
pub(crate) fn newer_frames() -> Vec<(&'static str, ServerFrame)> {
    let all = History { kind: history::Kind::All.into(), last: 0 };
    let with_history = Group { group_id: 3, history: Some(all), ..Group::default() };
    let of_group = GroupChange { history: Some(all), ..GroupChange::default() };
    let notice = Notice {
        kind: notice::Kind::GroupChanged.into(),
        operator_id: 1008,
        change: Some(of_group),
        ..Default::default()
    };
    let message = Message { r#type: message::Type::Notice.into(), notice: Some(notice), ..Message::default() };
    let count = JoinRequestCount { group_id: 3, open: 12 };
    let change = Change { mailbox_seq: BIG, now: Some(change::Now::JoinRequests(count)) };
    let changed = Changed { changes: vec![change] };
    let nicknames = vec![GroupNickname { user_id: 1009, nickname: "雁子".into(), changed: BIG }];
    let member = Member { user: Some(bob()), nickname: "雁子".into(), nickname_changed: BIG, ..Member::default() };
    let members = Members { members: vec![member], more: false };
    let page = Messages { conversation_id: "group_3".into(), nicknames: nicknames.clone(), ..Messages::default() };
    let renamed = MessagesChanged {
        conversation_id: "group_3".into(),
        after: BIG - 1,
        through: BIG,
        nicknames,
        ..MessagesChanged::default()
    };
    let event = MessageEvent { message: Some(message), mailbox_seq: 0, changed: Vec::new() };
    vec![
        ("changed-join_requests", ServerFrame { request_id: 0, body: Some(Body::Changed(changed)) }),
        ("members-nickname", ServerFrame { request_id: 1, body: Some(Body::Members(members)) }),
        ("messages-nicknames", ServerFrame { request_id: 1, body: Some(Body::Messages(page)) }),
        ("messages_changed-nicknames", ServerFrame { request_id: 0, body: Some(Body::MessagesChanged(renamed)) }),
        ("group-history", ServerFrame { request_id: 1, body: Some(Body::Group(with_history)) }),
        ("message-history", ServerFrame { request_id: 0, body: Some(Body::Message(event)) }),
    ]
}

fn link(token: String) -> Link {
    Link {
        link_id: BIG,
        created_by: 1008,
        created_ms: NOON_MS,
        expires_ms: NOON_MS + 1,
        max_uses: 5,
        uses: 4,
        approval: true,
        token,
    }
}

fn bob() -> User {
    let avatar = "https://img.example/b.png".into();
    User { user_id: 1009, account: "bob".into(), nickname: "Bob".into(), avatar, ..User::default() }
}
