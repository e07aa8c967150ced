//! Who begins TLS and does not end it.

use std::io;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Duration, Instant, sleep, timeout_at},
};

use super::crowd;
use crate::{secure, site::Site, toll::Toll};

const AT_ONCE: usize = 200;
const PAUSE: Duration = Duration::from_millis(20);
const ADDRESS: [u8; 4] = [127, 66, 0, 1];

/// One half brings half of its first message, and waits. The other brings all of it, has the server sign, and comes again.
pub async fn half_handshakes(site: Site, until: Instant) -> io::Result<Toll> {
    crowd(AT_ONCE, |number| {
        let site = site.from(ADDRESS);
        async move {
            let hello = secure::client_hello()?;
            let said = if number % 2 == 0 { &hello[..hello.len() / 2] } else { &hello };
            let port = if number % 4 < 2 { site.http } else { site.tcp };
            let mut toll = Toll::default();
            while Instant::now() < until {
                let mut stream = site.dial(port).await?;
                // Who is turned away is not listened to.
                let _ = stream.write_all(said).await;
                let mut first = [0];
                let answer = match timeout_at(until, stream.read(&mut first)).await {
                    Ok(Ok(1..)) => "a handshake",
                    _ => "gone",
                };
                toll = toll.and(Toll::one(answer));
                sleep(PAUSE).await;
            }
            Ok(toll)
        }
    })
    .await
}
