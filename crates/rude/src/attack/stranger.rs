//! Who never logs in.

use std::{io, time::Duration};

use anser_proto::{Format, limits::HELLO_FRAME_BYTES_MAX, v1::client_frame::Request};
use bytes::Bytes;
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, sleep},
};

use super::{crowd, member, outlast};
use crate::{
    peer::Peer,
    site::Site,
    toll::Toll,
    web_socket::{FIN, Frame, TEXT},
};

const STRANGERS: usize = 1_000;
const SLOW: usize = 200;
/// Between two bytes.
const PAUSE: Duration = Duration::from_millis(100);
/// Not that of the calm users.
const ADDRESS: [u8; 4] = [127, 66, 0, 1];

/// They come again as soon as they are ended.
pub async fn silent(site: Site, until: Instant) -> io::Result<Toll> {
    crowd(STRANGERS, |_| {
        let site = site.from(ADDRESS);
        async move {
            let mut toll = Toll::default();
            while Instant::now() < until {
                let Ok(stream) = site.dial(site.tcp).await else {
                    toll = toll.and(Toll::one("gone"));
                    continue;
                };
                toll = toll.and(outlast(&mut Peer::tcp(stream, Format::Protobuf), until).await);
                sleep(PAUSE).await;
            }
            Ok(toll)
        }
    })
    .await
}

pub async fn first_frame_announced(site: Site, until: Instant) -> io::Result<Toll> {
    begun(site, HELLO_FRAME_BYTES_MAX, until).await
}

pub async fn first_frame_too_large(site: Site, until: Instant) -> io::Result<Toll> {
    begun(site, HELLO_FRAME_BYTES_MAX + 1, until).await
}

/// A frame that says it has so many bytes, and brings half of what a first frame may have.
async fn begun(site: Site, length: usize, until: Instant) -> io::Result<Toll> {
    crowd(SLOW, |number| {
        let site = site.from(ADDRESS);
        async move {
            let payload = vec![b'{'; HELLO_FRAME_BYTES_MAX / 2];
            let (mut peer, bytes) = if number % 2 == 0 {
                let peer = Peer::tcp(site.dial(site.tcp).await?, Format::Protobuf);
                (peer, [&(length as u32).to_be_bytes()[..], &payload].concat().into())
            } else {
                let frame = Frame { length: length as u64, ..Frame::new(FIN | TEXT, &payload) };
                (site.web_socket(Format::Json).await?, frame.bytes())
            };
            peer.stream.write_all(&bytes).await?;
            Ok(outlast(&mut peer, until).await)
        }
    })
    .await
}

/// There is one time for the whole login, and not one for each byte.
pub async fn hello_byte_by_byte(site: Site, until: Instant) -> io::Result<Toll> {
    crowd(SLOW, |_| {
        let site = site.from(ADDRESS);
        async move {
            let mut peer = Peer::tcp(site.dial(site.tcp).await?, Format::Protobuf);
            let (_, hello) = peer.wire(Request::Hello(site.hello("slow", "phone")));
            drip(&mut peer, hello, until).await
        }
    })
    .await
}

pub async fn headers_byte_by_byte(site: Site, until: Instant) -> io::Result<Toll> {
    crowd(SLOW, |_| {
        let site = site.from(ADDRESS);
        async move {
            let mut peer = Peer::tcp(site.dial(site.http).await?, Format::Protobuf);
            let headers = format!("GET /v1/ws HTTP/1.1\r\nx-slow: {}", "x".repeat(1_000));
            drip(&mut peer, headers.into(), until).await
        }
    })
    .await
}

/// A byte now and then, until nobody takes it.
async fn drip(peer: &mut Peer, bytes: Bytes, until: Instant) -> io::Result<Toll> {
    let mut toll = Toll::default();
    for byte in bytes.chunks(1) {
        if Instant::now() >= until || peer.stream.write_all(byte).await.is_err() {
            break;
        }
        let (more, ended) = peer.say_and_read(&[], (Instant::now() + PAUSE).min(until)).await;
        toll = toll.and(more);
        if ended {
            return Ok(toll);
        }
    }
    Ok(toll.and(outlast(peer, until).await))
}

pub async fn half_closed(site: Site, until: Instant) -> io::Result<Toll> {
    crowd(SLOW, |number| {
        let site = site.from(ADDRESS);
        async move {
            let mut peer = match number % 4 {
                0 => Peer::tcp(site.dial(site.tcp).await?, Format::Protobuf),
                1 => site.web_socket(Format::Json).await?,
                2 => site.login(&member(number), "half").await?,
                _ => site.login_tcp(&member(number), "half").await?,
            };
            peer.stream.shutdown().await?;
            Ok(outlast(&mut peer, until).await)
        }
    })
    .await
}
