//! The attacks, each under its name, with what the server is to answer. One file for each kind of attacker.
//!
//! An attack lasts until a given moment or until the server has ended it, leaves nothing open, and returns what it was told.

mod control;
mod deaf;
mod flood;
mod garbage;
mod guess;
mod handshake;
mod http;
mod page;
mod proxy;
mod stranger;

use std::{io, pin::Pin};

use tokio::{task::JoinSet, time::Instant};

use crate::{peer::Peer, secure, site::Site, toll::Toll};

pub struct Attack {
    pub name: &'static str,
    /// What the server may answer, one of these at least: names of errors, closes, `answered`, `gone`; see [`Toll`].
    pub told: &'static [&'static str],
    /// Of the server, from the environment, where its defaults are too wide for one machine to reach.
    pub settings: &'static [(&'static str, &'static str)],
    pub run: fn(Site, Instant) -> Running,
}

type Running = Pin<Box<dyn Future<Output = io::Result<Toll>> + Send>>;

macro_rules! attacks {
    ($($room:ident::$name:ident $({ $($key:literal: $value:expr),* })? => [$($told:literal),*];)*) => {
        pub const ALL: &[Attack] = &[$(Attack {
            name: stringify!($name),
            told: &[$($told),*],
            settings: &[$($(($key, $value)),*)?],
            run: |site, until| Box::pin($room::$name(site, until)),
        }),*];
    };
}

attacks! {
    control::pings_unread => ["4504 FLOODING", "4001 LAGGING", "gone"];
    control::pings => ["4504 FLOODING", "gone"];
    control::pongs => ["4504 FLOODING", "gone"];
    control::empty_messages => ["BAD_FIELD", "RATE_LIMITED", "4504 FLOODING", "gone"];
    control::fragments_without_end => ["FRAME_TOO_LARGE", "4503 FRAME_OVER_LIMIT"];
    control::fragments_of_a_byte => ["FRAME_TOO_LARGE", "4503 FRAME_OVER_LIMIT", "4504 FLOODING", "gone"];
    control::empty_fragments => ["4504 FLOODING", "gone"];
    control::closes_of_every_code => ["closed"];
    control::broken_frames => ["1002", "1007", "BAD_FRAME", "4502 BAD_FRAMES", "FRAME_TOO_LARGE", "4503 FRAME_OVER_LIMIT"];

    deaf::pages_unread => [];
    deaf::pages_of_control_characters_unread => [];
    deaf::busy_group_unread => [];
    deaf::pages_and_then_idle => ["answered"];
    deaf::frames_announced => [];
    deaf::frames_nearly_whole => [];

    stranger::silent { "ANSER_LIMITS__CONNECTIONS": "300" } => ["LOGIN_TIMEOUT", "4100 LOGIN_TIMED_OUT", "gone"];
    stranger::first_frame_announced => ["LOGIN_TIMEOUT", "4100 LOGIN_TIMED_OUT", "gone"];
    stranger::first_frame_too_large => ["FRAME_TOO_LARGE", "4503 FRAME_OVER_LIMIT"];
    stranger::hello_byte_by_byte => ["LOGIN_TIMEOUT", "4100 LOGIN_TIMED_OUT"];
    stranger::headers_byte_by_byte => ["gone"];
    stranger::half_closed => ["gone"];

    handshake::half_handshakes {
        "ANSER_TLS__CERT_FILE": secure::CERT_FILE, "ANSER_TLS__KEY_FILE": secure::KEY_FILE,
        "ANSER_LIMITS__ATTEMPTS_PER_S": "20"
    } => ["a handshake", "gone"];
    proxy::lies {
        "ANSER_LISTEN__TRUSTED_PROXIES": "[\"127.77.0.1\"]", "ANSER_LISTEN__PROXY_PROTOCOL": "[\"tcp\"]",
        "ANSER_LIMITS__STRANGERS_PER_ADDRESS": "50"
    } => ["gone", "LOGIN_TIMEOUT", "4100 LOGIN_TIMED_OUT", "FRAME_TOO_LARGE", "4503 FRAME_OVER_LIMIT", "HTTP 400"];
    page::foreign_origins { "ANSER_LIMITS__ATTEMPTS_PER_S": "20" } => ["HTTP 403", "gone"];

    flood::every_request => [
        "answered", "NOT_MEMBER", "NOT_FOUND", "ALREADY_LOGGED_IN", "BAD_FIELD", "RATE_LIMITED", "BEHIND_FAILED",
        "4504 FLOODING", "gone"
    ];
    flood::groups_of_strangers {
        "ANSER_LIMITS__UNANSWERED_GROUPS_PER_USER": "3", "ANSER_LIMITS__UNANSWERED_GROUPS_PER_INVITER": "2"
    } => ["answered", "LIMIT_REACHED", "RATE_LIMITED", "4504 FLOODING", "gone"];
    flood::typing_nowhere => ["answered", "NOT_MEMBER", "RATE_LIMITED", "4504 FLOODING", "gone"];
    flood::pulls_nowhere => ["NOT_MEMBER", "RATE_LIMITED", "4504 FLOODING", "gone"];
    flood::reconnects => ["answered", "OVERLOADED", "RATE_LIMITED", "4003 SERVER_BUSY", "gone"];
    flood::after_the_kick => ["4501 REPLACED", "gone"];

    guess::wrong_passwords => [
        "answered", "BAD_PASSWORD", "4500 LOGIN_REFUSED", "TOO_MANY_ATTEMPTS", "OVERLOADED", "4003 SERVER_BUSY",
        "LOGIN_TIMEOUT", "4100 LOGIN_TIMED_OUT"
    ];

    garbage::wrong_values => ["BAD_FIELD", "answered"];
    garbage::json_without_bottom => ["BAD_FRAME", "4502 BAD_FRAMES"];
    garbage::no_frames_at_all => ["1007", "BAD_FRAME", "4502 BAD_FRAMES", "FRAME_TOO_LARGE", "4503 FRAME_OVER_LIMIT"];

    http::huge_headers => ["HTTP 431"];
    http::bodies_without_end => ["gone"];
    http::pipelined_unread => [];
    http::pipelined_read { "ANSER_LIMITS__ATTEMPTS_PER_S": "20" } => ["HTTP 200", "HTTP 429", "gone"];
    http::no_http_at_all => ["HTTP 200", "HTTP 400", "HTTP 404", "HTTP 405", "gone"];
}

/// Does the same so often at once, each with its number, and adds up what came.
async fn crowd<F>(count: usize, one: impl Fn(usize) -> F) -> io::Result<Toll>
where
    F: Future<Output = io::Result<Toll>> + Send + 'static,
{
    let mut all: JoinSet<_> = (0..count).map(one).collect();
    let mut toll = Toll::default();
    while let Some(one) = all.join_next().await {
        toll = toll.and(one.map_err(io::Error::other)??);
    }
    Ok(toll)
}

/// Creates so many users by their first login, and tells their ids.
async fn crowd_of_users(site: &Site, count: usize) -> io::Result<Vec<u64>> {
    let mut ids = Vec::with_capacity(count);
    for number in 0..count {
        ids.push(site.login_tcp(&member(number), "first").await?.user.0);
    }
    Ok(ids)
}

fn member(number: usize) -> String {
    format!("member-{number}")
}

/// What comes of a connection until it is ended or time is over.
async fn outlast(peer: &mut Peer, until: Instant) -> Toll {
    peer.flood(&[], until).await
}
