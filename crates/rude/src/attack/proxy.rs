//! Who lies about where they come from: as if they were a proxy, and as a proxy that is trusted and talks nonsense.

use std::io;

use anser_proto::Format;
use tokio::{
    io::AsyncWriteExt as _,
    task::JoinSet,
    time::{Duration, Instant, sleep},
};

use super::{crowd, http::exchange, outlast};
use crate::{peer::Peer, site::Site, toll::Toll};

const LIARS: usize = 200;
/// Of one address: `ANSER_LIMITS__STRANGERS_PER_ADDRESS` of this attack.
const STRANGERS: usize = 50;
/// Of those who lie without being a proxy, and of the proxy.
const ADDRESS: [u8; 4] = [127, 66, 0, 1];
const PROXY: [u8; 4] = [127, 77, 0, 1];
const PAUSE: Duration = Duration::from_millis(200);

pub async fn lies(site: Site, until: Instant) -> io::Result<Toll> {
    let headed = crowd(10, |number| lie_in_headers(site.clone(), number, until));
    let (forwarded, headed) = tokio::join!(lie_in_requests(site.from(ADDRESS), until), headed);
    Ok(forwarded?.and(headed?))
}

/// Each names another address. If that were believed, all of them could stay.
async fn lie_in_requests(site: Site, until: Instant) -> io::Result<Toll> {
    let (mut toll, mut peers) = (Toll::default(), Vec::new());
    for number in 0..LIARS {
        let stream = site.dial(site.http).await?;
        let lie = format!("x-forwarded-for: 198.51.100.{number}\r\n");
        match Peer::web_socket_with(stream, Format::Json, &lie).await {
            Ok(peer) => peers.push(peer),
            Err(_) => toll = toll.and(Toll::one("gone")),
        }
    }
    let soon = until.min(Instant::now() + PAUSE);
    let mut waiting: JoinSet<_> =
        peers.into_iter().map(|mut peer| async move { (outlast(&mut peer, soon).await, peer) }).collect();
    let mut standing = Vec::new();
    while let Some(one) = waiting.join_next().await {
        let (told, peer) = one.map_err(io::Error::other)?;
        if told.kinds().next().is_none() {
            standing.push(peer);
        }
        toll = toll.and(told);
    }
    Ok(if standing.len() > STRANGERS { toll.and(Toll::one("believed")) } else { toll })
}

/// Headers of the PROXY protocol from whoever is no proxy; and nonsense from one.
async fn lie_in_headers(site: Site, number: usize, until: Instant) -> io::Result<Toll> {
    let (liar, proxy) = (site.from(ADDRESS), site.from(PROXY));
    let announced = [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", &[0; 8_192][..]].concat();
    let mut toll = Toll::default();
    while Instant::now() < until {
        let from = if number % 4 < 2 { &liar } else { &proxy };
        let bytes: &[u8] = match number % 4 {
            0 => b"PROXY TCP4 198.51.100.1 192.0.2.1 4711 7401\r\n",
            1 => b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x01\xc0\0\x02\x01\x01\x02\x03\x04",
            2 => b"PROXY TCP4 nowhere else",
            _ => &announced,
        };
        let mut peer = Peer::tcp(from.dial(site.tcp).await?, Format::Protobuf);
        // Who is refused in the middle is not listened to any more.
        let _ = peer.stream.write_all(bytes).await;
        toll = toll.and(outlast(&mut peer, until).await);
        let nonsense = b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-forwarded-for: nonsense\r\n\r\n";
        toll = toll.and(exchange(&proxy, nonsense, until).await?);
        sleep(PAUSE).await;
    }
    Ok(toll)
}
