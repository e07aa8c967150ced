//! Who guesses passwords.

use std::{io, time::Duration};

use anser_proto::{
    Format, VERSION,
    v1::{self, client_frame::Request, hello::Credential},
};
use tokio::time::{Instant, sleep};

use super::crowd;
use crate::{
    peer::{Came, Peer},
    site::Site,
    toll::Toll,
};

const ACCOUNT: &str = "owner";
const PASSWORD: &str = "correct horse battery";
/// More than may guess at one account together, and each with more connections than may be checked at one time.
const ADDRESSES: usize = 30;
const CONNECTIONS: usize = 10;
/// Between two logins of the owner.
const PAUSE: Duration = Duration::from_millis(200);

/// At the owner's account and at those of nobody. Meanwhile the owner logs in again and again: from where they were before, and
/// from a new address each time, as after a restart that forgot where they were.
pub async fn wrong_passwords(site: Site, until: Instant) -> io::Result<Toll> {
    site.add_user(ACCOUNT, PASSWORD).await?;
    let first = log_in(&site).await?;
    let guesses = crowd(ADDRESSES * CONNECTIONS, |number| {
        guess(site.from([127, 66, 0, (number % ADDRESSES) as u8]), number, until)
    });
    let owner = async {
        let mut toll = first;
        for number in 0.. {
            if Instant::now() >= until {
                break;
            }
            sleep(PAUSE).await;
            let elsewhere = site.from([127, 77, (number / 250) as u8, (number % 250) as u8]);
            toll = toll.and(log_in(&site).await?).and(log_in(&elsewhere).await?);
        }
        Ok(toll)
    };
    let (guesses, owner): (_, io::Result<Toll>) = tokio::join!(guesses, owner);
    Ok(guesses?.and(owner?))
}

async fn guess(site: Site, number: usize, until: Instant) -> io::Result<Toll> {
    let mut toll = Toll::default();
    for turn in 0.. {
        if Instant::now() >= until {
            break;
        }
        let account = if turn % 2 == 0 { ACCOUNT.to_owned() } else { format!("nobody-{number}-{turn}") };
        let mut peer = Peer::tcp(site.dial(site.tcp).await?, Format::Protobuf);
        peer.say(hello(&account, "wrong")).await?;
        toll = toll.and(peer.end().await);
    }
    Ok(toll)
}

async fn log_in(site: &Site) -> io::Result<Toll> {
    let mut peer = Peer::tcp(site.dial(site.tcp).await?, Format::Protobuf);
    peer.say(hello(ACCOUNT, PASSWORD)).await?;
    Ok(match peer.came().await {
        Came::Frame(frame) if matches!(frame.body, Some(v1::server_frame::Body::Welcome(_))) => Toll::one("answered"),
        other => Toll::one(format!("the owner is shut out: {other:?}")),
    })
}

fn hello(account: &str, password: &str) -> Request {
    let credential = Credential::Password(v1::Password { account: account.into(), password: password.into() });
    Request::Hello(v1::Hello {
        version: VERSION,
        credential: Some(credential),
        device: Some(v1::Device { device_id: "phone".into(), ..Default::default() }),
        ..Default::default()
    })
}
