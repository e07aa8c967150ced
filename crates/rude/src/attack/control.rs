//! Frames of the WebSocket itself: control frames, fragments, and headers that lie.

use std::io;

use anser_proto::{Format, limits::CLIENT_FRAME_BYTES_MAX};
use bytes::Bytes;
use tokio::{io::AsyncWriteExt as _, time::Instant};

use super::{crowd, member, outlast};
use crate::{
    peer::Came,
    site::Site,
    toll::Toll,
    web_socket::{BINARY, CLOSE, CONTINUATION, FIN, Form, Frame, PING, PONG, TEXT},
};

/// Frames that are written at once.
const AT_ONCE: usize = 256;

pub async fn pings_unread(site: Site, until: Instant) -> io::Result<Toll> {
    let mut mallory = site.login_deaf(Format::Protobuf, "mallory", "phone").await?;
    mallory.pour(&many(&Frame::new(FIN | PING, &[b'x'; 125])), until).await;
    Ok(mallory.end().await)
}

pub async fn pings(site: Site, until: Instant) -> io::Result<Toll> {
    flood(site, &[], &Frame::new(FIN | PING, &[b'x'; 125]), until).await
}

pub async fn pongs(site: Site, until: Instant) -> io::Result<Toll> {
    flood(site, &[], &Frame::new(FIN | PONG, b""), until).await
}

pub async fn empty_messages(site: Site, until: Instant) -> io::Result<Toll> {
    flood(site, &[], &Frame::new(FIN | BINARY, b""), until).await
}

pub async fn fragments_without_end(site: Site, until: Instant) -> io::Result<Toll> {
    flood(site, &Frame::new(BINARY, b"x").bytes(), &Frame::new(CONTINUATION, &[b'x'; 1024]), until).await
}

pub async fn fragments_of_a_byte(site: Site, until: Instant) -> io::Result<Toll> {
    flood(site, &Frame::new(BINARY, b"x").bytes(), &Frame::new(CONTINUATION, b"x"), until).await
}

/// They have no length that could be bounded.
pub async fn empty_fragments(site: Site, until: Instant) -> io::Result<Toll> {
    flood(site, &Frame::new(BINARY, b"").bytes(), &Frame::new(CONTINUATION, b""), until).await
}

async fn flood(site: Site, first: &[u8], again: &Frame<'_>, until: Instant) -> io::Result<Toll> {
    let mut mallory = site.login("mallory", "phone").await?;
    mallory.stream.write_all(first).await?;
    Ok(mallory.flood(&many(again), until).await)
}

fn many(frame: &Frame<'_>) -> Bytes {
    frame.bytes().repeat(AT_ONCE).into()
}

/// A close is answered with a close (RFC 6455, 5.5.1), whatever it says.
pub async fn closes_of_every_code(site: Site, _until: Instant) -> io::Result<Toll> {
    let mut toll = Toll::default();
    for code in [
        0, 1, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1011, 1015, 1016, 2999, 3000, 4504, 4999, 5000,
        65535,
    ] {
        let payload = [&u16::to_be_bytes(code)[..], b"because"].concat();
        toll = toll.and(close(&site, &payload).await?);
    }
    let long = [&[0x03, 0xe8][..], &[b'x'; 123]].concat();
    for payload in [&b""[..], b"\x03", b"\x03\xe8\xff\xfe", &long] {
        toll = toll.and(close(&site, payload).await?);
    }
    Ok(toll)
}

async fn close(site: &Site, payload: &[u8]) -> io::Result<Toll> {
    let mut mallory = site.login("mallory", "phone").await?;
    mallory.stream.write_all(&Frame::new(FIN | CLOSE, payload).bytes()).await?;
    loop {
        match mallory.came().await {
            Came::Closed(None) if payload.len() >= 2 => {
                return Ok(Toll::one(format!("gone after {:?} and {} bytes", &payload[..2], payload.len() - 2)));
            }
            Came::Closed(_) => return Ok(Toll::one("closed")),
            Came::Frame(_) | Came::Control(..) => {}
        }
    }
}

pub async fn broken_frames(site: Site, until: Instant) -> io::Result<Toll> {
    let good = || Frame::new(FIN | TEXT, b"{}");
    let mut broken = vec![
        Frame { mask: None, ..good() },
        Frame { form: Form::Short, ..good() },
        Frame { form: Form::Long, ..good() },
        Frame { length: CLIENT_FRAME_BYTES_MAX as u64 + 1, ..good() },
        Frame { length: 1 << 62, ..good() },
        Frame { length: u64::MAX, form: Form::Long, ..good() },
        // A control frame is whole, and short.
        Frame::new(PING, b"half"),
        Frame::new(FIN | PING, &[b'x'; 126]),
        // Nothing goes on here.
        Frame::new(FIN | CONTINUATION, b"x"),
        Frame::new(FIN | TEXT, b"{\"request_id\": 1, \"ping\": {}, \"x\": \"\xff\xfe\"}"),
        Frame::new(FIN | BINARY, b"{}"),
    ];
    broken.extend([0x10, 0x20, 0x40].map(|reserved| Frame { first: FIN | TEXT | reserved, ..good() }));
    broken.extend([3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(|opcode| Frame { first: FIN | opcode, ..good() }));
    // A message within another one that has not ended.
    let within = [Frame::new(TEXT, b"{").bytes(), Frame::new(FIN | TEXT, b"}").bytes()].concat();
    let all: Vec<Bytes> = broken.iter().map(Frame::bytes).chain([within.into()]).collect();
    crowd(all.len(), |number| {
        let (site, broken) = (site.clone(), all[number].clone());
        async move {
            let mut mallory = site.login_as(Format::Json, &member(number), "phone").await?;
            mallory.stream.write_all(&broken).await?;
            let toll = outlast(&mut mallory, until).await;
            let is_ended = toll.kinds().any(|kind| kind.starts_with("45") || kind.starts_with("100"));
            Ok(if is_ended { toll } else { Toll::one(format!("{toll:?} to {:x?}", &broken[..broken.len().min(16)])) })
        }
    })
    .await
}
