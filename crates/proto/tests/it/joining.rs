//! Samples of how users come into a group, and who may not.

use anser_proto::v1::{
    Ban, Bans, Group, GroupChange, History, ListBans, Message, MessageEvent, Notice, RemoveMembers, ServerFrame,
    UnbanMembers, UpdateGroup, User, client_frame::Request, history, message, notice, server_frame::Body,
};

use crate::samples::{BIG, NOON_MS};

pub(crate) fn requests() -> Vec<Request> {
    vec![
        Request::UnbanMembers(UnbanMembers { group_id: 3, user_ids: vec![1009, BIG] }),
        Request::ListBans(ListBans { group_id: 3, after: 1008, limit: 50 }),
    ]
}

pub(crate) fn answers() -> Vec<Body> {
    vec![Body::Bans(Bans { bans: vec![Ban { user: Some(bob()), banned_by: 1008, since_ms: NOON_MS }], more: true })]
}

/// Requests with what older samples of them do not bear.
pub(crate) fn newer_requests() -> Vec<(&'static str, Request)> {
    let history = Some(History { kind: history::Kind::Last.into(), last: 200 });
    vec![
        ("remove_members-ban", Request::RemoveMembers(RemoveMembers { group_id: 4, user_ids: vec![1012], ban: true })),
        ("update_group-history", Request::UpdateGroup(UpdateGroup { group_id: 3, history, ..UpdateGroup::default() })),
    ]
}

/// The same of what the server says.
pub(crate) fn newer_frames() -> Vec<(&'static str, ServerFrame)> {
    let all = History { kind: history::Kind::All.into(), last: 0 };
    let group = Group { group_id: 3, history: Some(all.clone()), ..Group::default() };
    let change = GroupChange { history: Some(all), ..GroupChange::default() };
    let notice = Notice {
        kind: notice::Kind::GroupChanged.into(),
        operator_id: 1008,
        change: Some(change),
        ..Default::default()
    };
    let message = Message { r#type: message::Type::Notice.into(), notice: Some(notice), ..Message::default() };
    let event = MessageEvent { message: Some(message), mailbox_seq: 0 };
    vec![
        ("group-history", ServerFrame { request_id: 1, body: Some(Body::Group(group)) }),
        ("message-history", ServerFrame { request_id: 0, body: Some(Body::Message(event)) }),
    ]
}

fn bob() -> User {
    User { user_id: 1009, account: "bob".into(), nickname: "Bob".into(), avatar: "https://img.example/b.png".into() }
}
