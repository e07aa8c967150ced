//! More of what is allowed than is allowed.

use std::io;

use anser_proto::{
    ConversationId, Format,
    v1::{self, client_frame::Request, message::Type, server_frame::Body},
};
use bytes::BytesMut;
use tokio::{
    io::AsyncWriteExt as _,
    time::{Duration, Instant, sleep},
};

use super::{crowd, crowd_of_users, outlast};
use crate::{
    peer::{Came, Peer},
    site::Site,
    toll::Toll,
};

/// Written at once.
const AT_ONCE: u32 = 64;
const STRANGERS: usize = 100;
const DEVICES: usize = 8;
/// After a connection that was not accepted.
const PAUSE: Duration = Duration::from_millis(20);
/// Not that of the calm users.
const ADDRESS: [u8; 4] = [127, 66, 0, 1];

pub async fn every_request(site: Site, until: Instant) -> io::Result<Toll> {
    let mallory = site.login("mallory", "first").await?.user;
    let conversation_id = ConversationId::single(mallory, mallory).to_string();
    let requests = [requests(&conversation_id), newer_requests(&conversation_id)].concat();
    crowd(requests.len(), |number| {
        let (site, request) = (site.clone(), requests[number].clone());
        async move {
            let mut mallory = site.login("mallory", &format!("device-{number}")).await?;
            Ok(flood(&mut mallory, |_| request.clone(), until).await)
        }
    })
    .await
}

/// Some of each kind, on as many devices as a user may have.
fn requests(conversation_id: &str) -> Vec<Request> {
    let conversation_id = || conversation_id.to_owned();
    let send = v1::Send {
        conversation_id: conversation_id(),
        client_msg_id: "the-same".into(),
        r#type: Type::Text.into(),
        content: "again".into(),
        ..Default::default()
    };
    vec![
        Request::Ping(v1::Ping {}),
        Request::Hello(v1::Hello::default()),
        Request::Send(send),
        Request::Send(v1::Send::default()),
        Request::Pull(v1::Pull { conversation_id: conversation_id(), limit: 200, ..Default::default() }),
        Request::Sync(v1::Sync::default()),
        Request::MarkRead(v1::MarkRead { conversation_id: conversation_id(), server_msg_id: 1 }),
        Request::MarkDelivered(v1::MarkDelivered { conversation_id: conversation_id(), server_msg_id: 1 }),
        Request::Typing(v1::Typing { conversation_id: conversation_id() }),
        Request::ListSessions(v1::ListSessions { limit: 200, ..Default::default() }),
        Request::GetGroup(v1::GetGroup { group_id: 1 }),
        Request::ListMembers(v1::ListMembers { group_id: 1, limit: 200, ..Default::default() }),
        Request::InviteMembers(v1::InviteMembers { group_id: 1, user_ids: vec![1] }),
        Request::RemoveMembers(v1::RemoveMembers { group_id: 1, user_ids: vec![1], ban: false }),
        Request::LeaveGroup(v1::LeaveGroup { group_id: 1 }),
        Request::GetUsers(v1::GetUsers { user_ids: (1..=200).collect(), ..Default::default() }),
        Request::UpdateProfile(v1::UpdateProfile { nickname: Some("Mallory".into()), ..Default::default() }),
    ]
}

fn newer_requests(conversation_id: &str) -> Vec<Request> {
    let conversation_id = || conversation_id.to_owned();
    let react = v1::React {
        conversation_id: conversation_id(),
        client_msg_id: "the-same-again".into(),
        server_msg_id: 1,
        emojis: vec!["+1".into()],
        ..Default::default()
    };
    let hide = v1::HideMessages { conversation_id: conversation_id(), server_msg_ids: (1..=200).collect() };
    let update = v1::UpdateSession { conversation_id: conversation_id(), pinned: Some(true), ..Default::default() };
    let signal = v1::Signal { conversation_id: conversation_id(), r#type: "again".into(), ..Default::default() };
    vec![
        Request::React(react),
        Request::HideMessages(hide),
        Request::UpdateSession(update),
        Request::Signal(signal),
        Request::WhoRead(v1::WhoRead { group_id: 1, server_msg_ids: (1..=50).collect() }),
        Request::GetPresence(v1::GetPresence { user_ids: (1..=200).collect() }),
        Request::WatchPresence(v1::WatchPresence {}),
        Request::ListDevices(v1::ListDevices {}),
        Request::PreviewLink(v1::PreviewLink { token: "A".repeat(22) }),
        Request::ListContacts(v1::ListContacts { limit: 200, ..Default::default() }),
        Request::Block(v1::Block { user_id: 1 }),
        Request::GetSettings(v1::GetSettings {}),
        Request::ListBans(v1::ListBans { group_id: 1, limit: 200, ..Default::default() }),
        Request::ListJoinRequests(v1::ListJoinRequests { group_id: 1, limit: 200, ..Default::default() }),
        Request::ListLinks(v1::ListLinks { group_id: 1 }),
    ]
}

/// Puts everybody into groups that nobody wants, and then sees whether they find room in one that a friend creates.
pub async fn groups_of_strangers(site: Site, until: Instant) -> io::Result<Toll> {
    let user_ids = crowd_of_users(&site, STRANGERS).await?;
    let create = |number: u32| {
        Request::CreateGroup(v1::CreateGroup {
            client_group_id: format!("unwanted-{number}"),
            name: "Unwanted".into(),
            user_ids: user_ids.clone(),
            ..Default::default()
        })
    };
    let mut mallory = site.login("mallory", "phone").await?;
    let toll = flood(&mut mallory, create, until).await;
    let mut friend = site.login("friend", "phone").await?;
    match friend.ask(create(0)).await? {
        Body::Group(group) if group.member_count as usize == STRANGERS + 1 => Ok(toll),
        other => Ok(toll.and(Toll::one(format!("the friend got {other:?}")))),
    }
}

pub async fn typing_nowhere(site: Site, until: Instant) -> io::Result<Toll> {
    nowhere(site, |conversation_id| Request::Typing(v1::Typing { conversation_id }), until).await
}

pub async fn pulls_nowhere(site: Site, until: Instant) -> io::Result<Toll> {
    nowhere(site, |conversation_id| Request::Pull(v1::Pull { conversation_id, ..Default::default() }), until).await
}

/// Names another group each time, on several connections.
async fn nowhere(site: Site, ask: fn(String) -> Request, until: Instant) -> io::Result<Toll> {
    crowd(DEVICES, |number| {
        let site = site.clone();
        async move {
            let mut mallory = site.login("mallory", &format!("device-{number}")).await?;
            let from = 1_000_000 * (number as u32 + 1);
            Ok(flood(&mut mallory, |number| ask(format!("group_{}", from + number)), until).await)
        }
    })
    .await
}

/// The request of each number, one after the other, for as long as the server takes them.
async fn flood(peer: &mut Peer, request: impl Fn(u32) -> Request, until: Instant) -> Toll {
    let mut toll = Toll::default();
    let mut number = 0;
    while Instant::now() < until {
        let mut bytes = BytesMut::new();
        for _ in 0..AT_ONCE {
            bytes.extend_from_slice(&peer.wire(request(number)).1);
            number += 1;
        }
        let (more, ended) = peer.say_and_read(&bytes, until).await;
        toll = toll.and(more);
        if ended {
            break;
        }
    }
    toll
}

/// Comes and goes as fast as it can.
pub async fn reconnects(site: Site, until: Instant) -> io::Result<Toll> {
    crowd(DEVICES, |number| {
        let site = site.from(ADDRESS);
        async move {
            let mut toll = Toll::default();
            while Instant::now() < until {
                match hello_again(&site, number).await {
                    Ok(came) => toll.count(&came),
                    // Logins that were refused are attempts of the address, and those have a limit too.
                    Err(_) => {
                        toll = toll.and(Toll::one("gone"));
                        sleep(PAUSE).await;
                    }
                }
            }
            Ok(toll)
        }
    })
    .await
}

async fn hello_again(site: &Site, number: usize) -> io::Result<Came> {
    let mut mallory = site.web_socket(Format::Protobuf).await?;
    mallory.say(Request::Hello(site.hello("mallory", &format!("device-{number}")))).await?;
    Ok(mallory.came().await)
}

/// Whoever is told to go and does not.
pub async fn after_the_kick(site: Site, until: Instant) -> io::Result<Toll> {
    crowd(DEVICES, |number| {
        let site = site.clone();
        async move {
            let device_id = format!("device-{number}");
            let mut mallory = site.login("mallory", &device_id).await?;
            let _younger = site.login("mallory", &device_id).await?;
            let (_, ping) = mallory.wire(Request::Typing(v1::Typing::default()));
            mallory.pour(&ping, until).await;
            mallory.stream.flush().await?;
            Ok(outlast(&mut mallory, until).await)
        }
    })
    .await
}
