//! A foreign page in the browsers of others.

use std::io;

use tokio::time::{Duration, Instant, sleep};

use super::{crowd, http::exchange};
use crate::{peer::upgrade, site::Site, toll::Toll};

const BROWSERS: usize = 20;
const PAUSE: Duration = Duration::from_millis(20);
const ADDRESS: [u8; 4] = [127, 66, 0, 1];

pub async fn foreign_origins(site: Site, until: Instant) -> io::Result<Toll> {
    let lies = ["https://evil.example", "null", "http://localhost:1", "http://localhost.evil.example", "\u{e9}"];
    crowd(BROWSERS, |number| {
        let site = site.from(ADDRESS);
        async move {
            let request = upgrade(anser_proto::Format::Json, &format!("origin: {}\r\n", lies[number % lies.len()]));
            let mut toll = Toll::default();
            while Instant::now() < until {
                toll = toll.and(exchange(&site, request.as_bytes(), until).await?);
                sleep(PAUSE).await;
            }
            Ok(toll)
        }
    })
    .await
}
