//! Who asks and does not listen, or begins and does not end.

use std::io;

use anser_proto::{
    ConversationId, Format, GroupId,
    limits::{BODY_BYTES_MAX, CLIENT_FRAME_BYTES_MAX},
    v1::{self, client_frame::Request, message::Type, server_frame::Body},
};
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, sleep_until},
};

use super::{crowd, crowd_of_users, member};
use crate::{
    peer::Peer,
    site::Site,
    toll::Toll,
    web_socket::{BINARY, FIN, Frame},
};

/// Who do not listen, and how many devices each of them has.
const DEAF: usize = 20;
const DEVICES: usize = 16;
/// Members of a group in which much is said.
const MEMBERS: usize = 100;
/// A page of 512 KiB is full with so many of the largest bodies.
const BODIES: usize = 9;
const IDLE: usize = 200;
const BEGUN: usize = 300;
/// Each of these costs the server nearly the largest frame.
const NEARLY_WHOLE: usize = 100;

pub async fn pages_unread(site: Site, until: Instant) -> io::Result<Toll> {
    pull_unread(site, "x", Format::Protobuf, DEVICES, until).await
}

/// In JSON each of them takes six bytes, and much time to encode.
pub async fn pages_of_control_characters_unread(site: Site, until: Instant) -> io::Result<Toll> {
    pull_unread(site, "\u{1}", Format::Json, 2, until).await
}

async fn pull_unread(site: Site, letter: &str, format: Format, devices: usize, until: Instant) -> io::Result<Toll> {
    let conversation_id = page(&site, DEAF, letter).await?;
    crowd(DEAF * devices, |number| {
        let (site, conversation_id) = (site.clone(), conversation_id.clone());
        async move {
            let (account, device_id) = (member(number % DEAF), format!("deaf-{number}"));
            let mut mallory = site.login_deaf(format, &account, &device_id).await?;
            let (_, pull) = mallory.wire(newest(&conversation_id));
            mallory.pour(&pull.repeat(100), until).await;
            sleep_until(until).await;
            Ok(Toll::default())
        }
    })
    .await
}

pub async fn pages_and_then_idle(site: Site, until: Instant) -> io::Result<Toll> {
    let conversation_id = page(&site, IDLE, "x").await?;
    crowd(IDLE, |number| {
        let (site, conversation_id) = (site.clone(), conversation_id.clone());
        async move {
            let mut mallory = site.login(&member(number), "idle").await?;
            let read = mallory.ask(newest(&conversation_id)).await?;
            sleep_until(until).await;
            Ok(Toll::one(if matches!(read, Body::Messages(_)) { "answered" } else { "refused" }))
        }
    })
    .await
}

pub async fn busy_group_unread(site: Site, until: Instant) -> io::Result<Toll> {
    let (mut owner, conversation_id) = group(&site, MEMBERS).await?;
    let mut deaf = Vec::new();
    for number in 0..MEMBERS {
        deaf.push(site.login_deaf(Format::Json, &member(number), "deaf").await?);
    }
    for number in 0.. {
        if Instant::now() >= until {
            break;
        }
        owner.ask(text(&conversation_id, number, "\u{1}".repeat(BODY_BYTES_MAX))).await?;
    }
    Ok(Toll::default())
}

pub async fn frames_announced(site: Site, until: Instant) -> io::Result<Toll> {
    begun(site, BEGUN, 16, until).await
}

pub async fn frames_nearly_whole(site: Site, until: Instant) -> io::Result<Toll> {
    begun(site, NEARLY_WHOLE, CLIENT_FRAME_BYTES_MAX - 1, until).await
}

/// The header of the largest frame, and so many bytes of it.
async fn begun(site: Site, count: usize, bytes: usize, until: Instant) -> io::Result<Toll> {
    crowd(count, |number| {
        let site = site.clone();
        async move {
            let mut mallory = site.login(&member(number), "slow").await?;
            let payload = vec![b'x'; bytes];
            let begun = Frame { length: CLIENT_FRAME_BYTES_MAX as u64, ..Frame::new(FIN | BINARY, &payload) };
            mallory.stream.write_all(&begun.bytes()).await?;
            sleep_until(until).await;
            Ok(Toll::default())
        }
    })
    .await
}

/// A group with a page of the largest bodies.
async fn page(site: &Site, members: usize, letter: &str) -> io::Result<String> {
    let (mut owner, conversation_id) = group(site, members).await?;
    for number in 0..BODIES {
        owner.ask(text(&conversation_id, number, letter.repeat(BODY_BYTES_MAX))).await?;
    }
    Ok(conversation_id)
}

/// A group of so many members, none of whom is connected.
async fn group(site: &Site, members: usize) -> io::Result<(Peer, String)> {
    let user_ids = crowd_of_users(site, members).await?;
    let mut owner = site.login("owner", "phone").await?;
    let create =
        v1::CreateGroup { client_group_id: "crowd".into(), name: "Crowd".into(), user_ids, ..Default::default() };
    let Body::Group(group) = owner.ask(Request::CreateGroup(create)).await? else {
        return Err(io::Error::other("no group was created"));
    };
    Ok((owner, ConversationId::Group(GroupId(group.group_id)).to_string()))
}

fn newest(conversation_id: &str) -> Request {
    Request::Pull(v1::Pull { conversation_id: conversation_id.into(), limit: 200, ..Default::default() })
}

fn text(conversation_id: &str, number: usize, content: String) -> Request {
    Request::Send(v1::Send {
        conversation_id: conversation_id.into(),
        client_msg_id: format!("text-{number}"),
        r#type: Type::Text.into(),
        content,
        ..Default::default()
    })
}
