//! Who guesses passwords.

use std::{io, time::Duration};

use anser_proto::{
    Format, VERSION,
    v1::{self, client_frame::Request, hello::Credential},
};
use tokio::time::{Instant, interval, sleep};

use super::crowd;
use crate::{
    peer::{Came, Peer},
    site::Site,
    toll::Toll,
};

const ACCOUNT: &str = "owner";
const PASSWORD: &str = "correct horse battery";
/// Guesses a second.
const RATE: usize = 70;
const GUESSERS: usize = 10;
const ADDRESS: [u8; 4] = [127, 66, 0, 1];

/// Meanwhile the owner logs in, again and again.
pub async fn wrong_passwords(site: Site, until: Instant) -> io::Result<Toll> {
    site.add_user(ACCOUNT, PASSWORD).await?;
    let guesses = crowd(GUESSERS, |_| guess(site.from(ADDRESS), until));
    let (guesses, owner) = tokio::join!(guesses, log_in(&site, until));
    Ok(guesses?.and(owner?))
}

async fn guess(site: Site, until: Instant) -> io::Result<Toll> {
    let mut toll = Toll::default();
    let mut due = interval(Duration::from_secs(1) * GUESSERS as u32 / RATE as u32);
    while Instant::now() < until {
        due.tick().await;
        let mut peer = Peer::tcp(site.dial(site.tcp).await?, Format::Protobuf);
        peer.say(hello("wrong")).await?;
        toll = toll.and(peer.end().await);
    }
    Ok(toll)
}

async fn log_in(site: &Site, until: Instant) -> io::Result<Toll> {
    let mut toll = Toll::default();
    while Instant::now() < until {
        sleep(Duration::from_millis(200)).await;
        let mut peer = Peer::tcp(site.dial(site.tcp).await?, Format::Protobuf);
        peer.say(hello(PASSWORD)).await?;
        toll = match peer.came().await {
            Came::Frame(frame) if matches!(frame.body, Some(v1::server_frame::Body::Welcome(_))) => {
                toll.and(Toll::one("answered"))
            }
            other => toll.and(Toll::one(format!("the owner is shut out: {other:?}"))),
        };
    }
    Ok(toll)
}

fn hello(password: &str) -> Request {
    let credential = Credential::Password(v1::Password { account: ACCOUNT.into(), password: password.into() });
    Request::Hello(v1::Hello {
        version: VERSION,
        credential: Some(credential),
        device: Some(v1::Device { device_id: "phone".into(), ..Default::default() }),
        ..Default::default()
    })
}
