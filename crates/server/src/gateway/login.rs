//! The first frame: version, credential, device; then into the hub.

use std::{net::IpAddr, sync::Arc, time::Duration};

use anser_proto::{
    CloseCode, ErrorCode, UserId, VERSION,
    codec::Malformed,
    ids::check_ascii_id,
    limits::NAME_CHARS_MAX,
    v1::{self, client_frame::Request, hello::Credential, server_frame::Body},
};
use anser_store::{self as store, Device, NewUser, Refusal, User};
use bytes::Bytes;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::arrival::Arrival;
use crate::{
    accepted::Accepted,
    cluster::{
        envelope::{Kick, PresentDevice},
        relay::Told,
    },
    ctx::Ctx,
    error::Error,
    framing::Framing,
    guesses::Guess,
    hub::{Connected, Newcomer},
    im::{self, Caller, name::check_name, wire},
    outbox::Outbox,
    password::{self, Mark},
};

/// How long a token holds that is given for a password.
const PASSWORD_TOKEN_S: u64 = 30 * 24 * 3600;

pub struct LoggedIn {
    pub caller: Box<Caller>,
    pub connected: Connected,
    pub place: OwnedSemaphorePermit,
    pub outbox: Arc<Outbox>,
    /// Encoded.
    pub welcome: Bytes,
    /// By the wall clock.
    pub token_expires_ms: Option<u64>,
}

/// What the first frame says, and the id of its request. Refuses with that id, where there is one.
pub fn open(framing: Framing, frame: Bytes) -> Result<(u32, v1::Hello), (u32, Error)> {
    let frame: v1::ClientFrame = framing.format.decode(&frame).map_err(|error| match error {
        Malformed::Field { request_id, message } => (request_id, Error::bad_field(message)),
        Malformed::Frame(_) => (0, Error::new(ErrorCode::BadFrame, error.to_string())),
    })?;
    match frame.request {
        Some(Request::Hello(hello)) => Ok((frame.request_id, hello)),
        _ => Err((frame.request_id, Error::new(ErrorCode::LoginRequired, "the first frame must be `hello`"))),
    }
}

/// Lets a connection in. Safe to drop: what is left of it then is a device that was seen.
pub async fn let_in(
    cx: &Arc<Ctx>,
    arrival: &Arrival,
    framing: Framing,
    request_id: u32,
    hello: v1::Hello,
) -> Result<LoggedIn, Error> {
    if hello.version != VERSION {
        let message = format!("version {} is not spoken here: speak {VERSION}", hello.version);
        return Err(Error::new(ErrorCode::UnsupportedVersion, message));
    }
    let device = check_device(hello.device.unwrap_or_default())?;
    // All of it before it takes a place from anybody: a token that is worth nothing any more is none of the user's.
    let Identified { user, token, password_mark, expires_s } = identify(cx, arrival.address, hello.credential).await?;
    check_enabled(&user)?;
    cx.logins.admit(user.user, Instant::now()).map_err(too_often)?;
    let (platform, device_id) = (device.platform, Arc::clone(&device.device_id));
    let place = find_place(cx, arrival, user.user, &device_id).await?;
    cx.store.touch_device(user.user, device).await?;

    // Into the hub before the positions are read: what is stored in between is pushed, and nothing falls between.
    let outbox = Arc::new(Outbox::new(cx.config.limits.outbox_bytes));
    let newcomer = Newcomer {
        accepted: arrival.accepted,
        user: user.user,
        device_id: Arc::clone(&device_id),
        framing,
        outbox: Arc::clone(&outbox),
    };
    let mut connected = cx.hub.attach(newcomer);
    cx.peers.directory().settled().await;
    let positions = cx.store.positions(user.user).await?;
    // Read again behind it: whoever is disabled or renamed or gets another password in between is either kicked out of
    // the hub or seen here.
    let user = look_up(cx, &user.account, password_mark.as_ref()).await?;
    check_enabled(&user)?;
    if password_mark.is_some() {
        cx.credentials.passwords.guesses.know(Guess { account: &user.account, address: arrival.address });
    }
    connected.nickname.set(&user.nickname, positions.mailbox_seq);
    // Nothing but the want of a place can refuse it now: only from here on others make way for it.
    log_in(cx, arrival.accepted, &mut connected, positions.login_version, &device_id);
    let place = place.take(arrival).await?;
    let known = known(cx, hello.positions, positions.mailbox_seq);
    let welcome = v1::Welcome {
        version: VERSION,
        user: Some(wire::user(&user)),
        server_time_ms: (cx.clock)(),
        log_id: cx.store.log_id(),
        mailbox_seq: positions.mailbox_seq,
        mailbox_behind: known.map_or(0, |known| known.mailbox_seq) != positions.mailbox_seq,
        // A device without positions learns of its groups from its mailbox.
        groups_behind: known.is_some_and(|known| known.groups_digest != positions.groups_digest),
        heartbeat_min_ms: cx.config.limits.heartbeat_min_ms,
        heartbeat_max_ms: cx.config.limits.heartbeat_max_ms,
        token: token.unwrap_or_default(),
    };
    tracing::debug!(user = %user.user, device = %device_id, client = %hello.client.escape_default(), "logged in");
    cx.metrics.logins.inc();
    arrival.stranger.is_welcome();
    let welcome = v1::ServerFrame { request_id, body: Some(Body::Welcome(welcome)) };
    Ok(LoggedIn {
        caller: Box::new(Caller::new(&connected, platform, device_id)),
        connected,
        place,
        outbox,
        welcome: framing.encode(&welcome),
        token_expires_ms: expires_s.map(|expires_s| expires_s.saturating_mul(1000)),
    })
}

/// Where the device was before, here or on another node, it is no longer.
fn log_in(cx: &Ctx, accepted: Accepted, connected: &mut Connected, login_version: u64, device_id: &Arc<str>) {
    let id = cx.ids.create();
    if connected.log_in(login_version, id) {
        // Others find the device here by now: of two nodes to which it comes at once, one finds the other.
        let (device_id, code) = (Some(Arc::clone(device_id)), CloseCode::Replaced);
        cx.peers.tell(Told::Kick(Kick { id, user: connected.user, device_id, code, before: accepted }));
    }
}

fn too_often(wait: Duration) -> Error {
    let retry_after_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1);
    Error { retry_after_ms, ..Error::new(ErrorCode::RateLimited, "the user logs in again and again") }
}

fn check_enabled(user: &User) -> Result<(), Error> {
    if user.disabled { Err(Error::new(ErrorCode::UserDisabled, "this user may not log in")) } else { Ok(()) }
}

/// The user as the store has them now; with a mark only while their password is still the marked one.
async fn look_up(cx: &Ctx, account: &str, password_mark: Option<&Mark>) -> Result<User, Error> {
    let Some(mark) = password_mark else { return Ok(cx.store.user_by_account(account).await?) };
    let (user, kept) = cx.store.user_with_password(account).await?;
    if password::is_marked(kept.as_ref(), mark) {
        return Ok(user);
    }
    Err(Error::new(ErrorCode::TokenExpired, "the password was changed since this token was given for it"))
}

/// Among the users' connections.
enum Place {
    Free(OwnedSemaphorePermit),
    /// That of the device's older connection, which ends once this one has logged in.
    OfOlder,
}

impl Place {
    /// Once the older connection was told to end.
    async fn take(self, arrival: &Arrival) -> Result<OwnedSemaphorePermit, Error> {
        match self {
            Self::Free(place) => Ok(place),
            Self::OfOlder => arrival.stranger.door().place(REPLACED_PATIENCE).await.ok_or_else(full),
        }
    }
}

/// Where all are taken, a device that is here gets its own again: it does not know yet that its older connection is dead, and
/// neither did the server.
async fn find_place(cx: &Ctx, arrival: &Arrival, user: UserId, device_id: &str) -> Result<Place, Error> {
    if let Some(place) = arrival.stranger.door().place(Duration::ZERO).await {
        return Ok(Place::Free(place));
    }
    let is_older = |device: &PresentDevice| *device.device_id == *device_id && device.accepted < arrival.accepted;
    if cx.hub.devices(user).iter().any(is_older) { Ok(Place::OfOlder) } else { Err(full()) }
}

fn full() -> Error {
    Error {
        retry_after_ms: FULL_RETRY_MS,
        ..Error::new(ErrorCode::Overloaded, "the server has as many connections as limits.connections allows")
    }
}

/// So long a connection that is replaced may take to end.
const REPLACED_PATIENCE: Duration = Duration::from_secs(4);
/// When all places are taken, another one may be free by then.
const FULL_RETRY_MS: u32 = 5_000;

struct Identified {
    user: User,
    /// For the next connection.
    token: Option<String>,
    /// Of the password that it rests on.
    password_mark: Option<Mark>,
    expires_s: Option<u64>,
}

async fn identify(cx: &Ctx, address: IpAddr, credential: Option<Credential>) -> Result<Identified, Error> {
    match credential {
        Some(Credential::Token(token)) => {
            let claims = cx.credentials.tokens.check(&token, (cx.clock)() / 1000)?;
            let may_create = claims.may_create(cx.config.auth.create_users);
            let user = match look_up(cx, &claims.sub, claims.password_mark.as_ref()).await {
                Err(error) if error.code == ErrorCode::NotFound && may_create => {
                    create_user(cx, claims.sub.as_str().into()).await?
                }
                found => found?,
            };
            let expires_s = Some(claims.good_until_s());
            Ok(Identified { user, token: None, password_mark: claims.password_mark, expires_s })
        }
        Some(Credential::Password(v1::Password { account, password })) => {
            check_ascii_id("account", &account)?;
            let look_up = async {
                match cx.store.user_with_password(&account).await {
                    Ok((user, kept)) => Ok(kept.map(|kept| (user, kept))),
                    Err(store::Error::Refused(Refusal::NotFound(_))) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            };
            let guess = Guess { account: &account, address };
            let (user, kept) = cx.credentials.passwords.check(guess, password, look_up).await?;
            let expires_s = (cx.clock)() / 1000 + PASSWORD_TOKEN_S;
            let mark = password::mark(&kept);
            let token = cx.credentials.tokens.mint_for_password(&account, expires_s, mark);
            Ok(Identified { user, token: Some(token), password_mark: Some(mark), expires_s: Some(expires_s) })
        }
        None => Err(Error::bad_field("hello.credential is missing: send a token or a password")),
    }
}

/// The app's server vouches for the account: the user is created at the first login.
async fn create_user(cx: &Ctx, account: Arc<str>) -> Result<User, Error> {
    let nickname = Arc::clone(&account);
    let new = NewUser { user: UserId(0), nickname, account: Arc::clone(&account), password: None };
    match im::create_user(&*cx.store, &cx.ids, new).await {
        // Two devices of a new user log in at the same time: one of them creates the user.
        Err(store::Error::Refused(Refusal::Conflict("account"))) => Ok(cx.store.user_by_account(&account).await?),
        made => Ok(made?),
    }
}

/// What the device knows of this store, whose mailbox of the user is there.
fn known(cx: &Ctx, known: Option<v1::Positions>, mailbox_seq: u64) -> Option<v1::Positions> {
    let known = known.filter(|known| known.log_id == cx.store.log_id())?;
    if known.mailbox_seq > mailbox_seq {
        cx.metrics.devices_ahead.inc();
    }
    Some(known)
}

fn check_device(device: v1::Device) -> Result<Device, Error> {
    check_ascii_id("device_id", &device.device_id)?;
    check_name("device.name", &device.name, 0..=NAME_CHARS_MAX)?;
    Ok(Device {
        // A platform that only newer clients know is kept as unknown.
        platform: device.platform().into(),
        device_id: device.device_id.into(),
        name: device.name.into(),
    })
}
