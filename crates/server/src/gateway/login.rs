//! The first frame: version, credential, device; then into the hub.

use std::{net::IpAddr, sync::Arc, time::Duration};

use anser_proto::{
    CloseCode, ErrorCode, UserId, VERSION,
    codec::Malformed,
    ids::check_ascii_id,
    limits::NAME_CHARS_MAX,
    v1::{self, client_frame::Request, hello::Credential, server_frame::Body},
};
use anser_store::{self as store, Device, NewUser, Positions, Refusal, User};
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
    im::{self, Caller, name::check_name, people, wire},
    outbox::Outbox,
    password::{self, Mark},
    token::BOUGHT_FOR_S,
};

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
    let identified = identify(cx, arrival.address, hello.credential, &device.device_id).await?;
    let Identified { user, token, password_mark, issued_s, expires_s } = identified;
    check_enabled(&user)?;
    cx.logins.admit(user.user, Instant::now()).map_err(too_often)?;
    let (platform, device_id) = (device.platform, Arc::clone(&device.device_id));
    let place = find_place(cx, arrival, user.user, &device_id).await?;
    let change = cx.store.touch_device(user.user, device, issued_s).await.map_err(is_revoked)?;
    people::tell(cx, user.user, change.as_slice(), None).await;

    // Into the hub before the positions are read: what is stored in between is pushed, and nothing falls between.
    let outbox = Arc::new(Outbox::new(cx.config.limits.outbox_bytes));
    let newcomer = Newcomer {
        accepted: arrival.accepted,
        user: user.user,
        device_id: Arc::clone(&device_id),
        platform,
        framing,
        outbox: Arc::clone(&outbox),
    };
    let mut connected = cx.hub.attach(newcomer);
    cx.peers.directory().settled().await;
    let positions = cx.store.positions(user.user).await?;
    // Read again behind it: whoever is disabled or renamed, gets another password or revokes the device in between is either kicked out of
    // the hub or seen here.
    let user = look_up(cx, &user.account, password_mark.as_ref()).await?;
    check_enabled(&user)?;
    check_not_revoked(cx, user.user, &device_id, issued_s).await?;
    if password_mark.is_some() {
        cx.credentials.passwords.guesses.know(Guess { account: &user.account, address: arrival.address });
    }
    connected.nickname.set(&user.nickname, positions.mailbox_seq);
    cx.hub.set_invisible(user.user, positions.invisible, positions.mailbox_seq);
    // Nothing but the want of a place can refuse it now: only from here on others make way for it.
    log_in(cx, arrival.accepted, &mut connected, positions.login_version, &device_id)?;
    let place = place.take(arrival).await?;
    let known = known(cx, hello.positions, positions.mailbox_seq);
    let welcome = v1::Welcome { token: token.unwrap_or_default(), ..welcome(cx, &user, known, &positions) };
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

fn welcome(cx: &Ctx, user: &User, known: Option<v1::Positions>, positions: &Positions) -> v1::Welcome {
    v1::Welcome {
        version: VERSION,
        user: Some(wire::user(user)),
        server_time_ms: (cx.clock)(),
        log_id: cx.store.log_id(),
        mailbox_seq: positions.mailbox_seq,
        mailbox_behind: known.map_or(0, |known| known.mailbox_seq) != positions.mailbox_seq,
        // A device without positions learns of its groups from its mailbox.
        groups_behind: known.is_some_and(|known| known.groups_digest != positions.groups_digest),
        heartbeat_min_ms: cx.config.limits.heartbeat_min_ms,
        heartbeat_max_ms: cx.config.limits.heartbeat_max_ms,
        token: String::new(),
    }
}

/// Where the device was before, here or on another node, it is no longer.
fn log_in(
    cx: &Ctx,
    accepted: Accepted,
    connected: &mut Connected,
    login_version: u64,
    device_id: &Arc<str>,
) -> Result<(), Error> {
    let id = cx.ids.create();
    match connected.log_in(login_version, id) {
        Ok(()) => {
            // Others find the device here by now: of two nodes to which it comes at once, one finds the other.
            let (device_id, code) = (Some(Arc::clone(device_id)), CloseCode::Replaced);
            cx.peers.tell(Told::Kick(Kick { id, user: connected.user, device_id, code, before: accepted }));
            Ok(())
        }
        Err(CloseCode::DeviceYielded) => {
            let message = "the user has as many devices of this class connected as they may: end one of them first";
            Err(Error::new(ErrorCode::DeviceRefused, message))
        }
        // It is told so once it is let in.
        Err(_) => Ok(()),
    }
}

async fn check_not_revoked(cx: &Ctx, user: UserId, device_id: &Arc<str>, issued_s: u64) -> Result<(), Error> {
    let not_before_s = cx.store.not_before_s(user, Arc::clone(device_id)).await?;
    if issued_s < not_before_s { Err(revoked()) } else { Ok(()) }
}

fn revoked() -> Error {
    let message = "the device was revoked since this token was issued";
    Error::new(ErrorCode::TokenExpired, message)
}

/// The store lets a device that was revoked in by nothing that was issued before.
fn is_revoked(error: store::Error) -> Error {
    if error == store::Error::Refused(Refusal::LoginOver) { revoked() } else { error.into() }
}

fn too_often(wait: Duration) -> Error {
    Error::new(ErrorCode::RateLimited, "the user logs in again and again").after(wait)
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
    /// When that was issued by which they log in.
    issued_s: u64,
    expires_s: Option<u64>,
}

async fn identify(
    cx: &Ctx,
    address: IpAddr,
    credential: Option<Credential>,
    device_id: &Arc<str>,
) -> Result<Identified, Error> {
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
            let (issued_s, expires_s) = (claims.issued_s(), Some(claims.good_until_s()));
            Ok(Identified { user, token: None, password_mark: claims.password_mark, issued_s, expires_s })
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
            // Whoever knows the password is let in on a device that was revoked a moment ago.
            let not_before_s = cx.store.not_before_s(user.user, Arc::clone(device_id)).await?;
            let issued_s = not_before_s.max((cx.clock)() / 1000);
            let (mark, expires_s) = (password::mark(&kept), Some(issued_s + BOUGHT_FOR_S));
            let token = Some(cx.credentials.tokens.mint_for_password(&account, issued_s, mark));
            Ok(Identified { user, token, password_mark: Some(mark), issued_s, expires_s })
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
