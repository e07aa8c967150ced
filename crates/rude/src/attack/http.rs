//! What is no handshake on the port of the handshake.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, sleep, timeout_at},
};

use super::crowd;
use crate::{site::Site, toll::Toll};

const AT_ONCE: usize = 50;
/// Between two connections, so that the network is not what is tried.
const PAUSE: Duration = Duration::from_millis(20);
const ADDRESS: [u8; 4] = [127, 66, 0, 1];

pub async fn huge_headers(site: Site, until: Instant) -> io::Result<Toll> {
    let request = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-huge: {}\r\n\r\n", "x".repeat(1 << 20));
    crowd(AT_ONCE, |_| {
        let (site, request) = (site.from(ADDRESS), request.clone());
        async move { exchange(&site, request.as_bytes(), until).await }
    })
    .await
}

/// To a path that wants none.
pub async fn bodies_without_end(site: Site, until: Instant) -> io::Result<Toll> {
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    crowd(AT_ONCE, |number| {
        let (site, chunk) = (site.from(ADDRESS), chunk.clone());
        async move {
            let body = if number % 2 == 0 { "transfer-encoding: chunked" } else { "content-length: 99999999999" };
            let mut stream = site.dial(site.http).await?;
            stream.write_all(format!("POST /healthz HTTP/1.1\r\nhost: x\r\n{body}\r\n\r\n").as_bytes()).await?;
            let pouring = async { while stream.write_all(chunk.as_bytes()).await.is_ok() {} };
            let _ = timeout_at(until, pouring).await;
            Ok(Toll::one("gone"))
        }
    })
    .await
}

pub async fn pipelined_unread(site: Site, until: Instant) -> io::Result<Toll> {
    let requests = "GET /v1/access HTTP/1.1\r\nhost: x\r\n\r\n".repeat(200);
    crowd(AT_ONCE, |_| {
        let (site, requests) = (site.from(ADDRESS), requests.clone());
        async move {
            let mut stream = site.dial_deaf(site.http).await?;
            let pouring = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
            let _ = timeout_at(until, pouring).await;
            Ok(Toll::default())
        }
    })
    .await
}

/// From one address, and as fast as it is answered.
pub async fn pipelined_read(site: Site, until: Instant) -> io::Result<Toll> {
    let requests = "GET /v1/access HTTP/1.1\r\nhost: x\r\n\r\n".repeat(200);
    let mut toll = Toll::default();
    while Instant::now() < until {
        toll = toll.and(exchange(&site.from(ADDRESS), requests.as_bytes(), until).await?);
        sleep(PAUSE).await;
    }
    Ok(toll)
}

pub async fn no_http_at_all(site: Site, until: Instant) -> io::Result<Toll> {
    let mut toll = Toll::default();
    for request in [
        &b"\r\n\r\n\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /v1/ws HTTP/9.9\r\n\r\n",
        b"GET\x00/ HTTP/1.1\r\n\r\n",
        b"GET /../../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"DELETE /v1/ws HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\nconnection: close\r\n\r\nxyz",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
    ] {
        toll = toll.and(exchange(&site.from(ADDRESS), request, until).await?);
    }
    Ok(toll)
}

/// Says it, and reads until the server ends the connection: each status that came.
pub async fn exchange(site: &Site, request: &[u8], until: Instant) -> io::Result<Toll> {
    let mut stream = site.dial(site.http).await?;
    // Who is refused in the middle is not listened to any more.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = timeout_at(until, stream.read_to_end(&mut answer)).await;
    let answer = String::from_utf8_lossy(&answer);
    let statuses = answer.split("HTTP/1.1 ").skip(1).filter_map(|status| status.get(..3));
    let toll = statuses.fold(Toll::default(), |toll, status| toll.and(Toll::one(format!("HTTP {status}"))));
    Ok(if toll.kinds().next().is_some() { toll } else { Toll::one("gone") })
}
