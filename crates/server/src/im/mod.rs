//! The domain: what a user may ask, one noun a file. Rules first and pure, then the store, then delivery.
//! Knows neither sockets nor SQL nor how nodes reach each other.

mod actor;
mod append;
mod change;
mod cost;
mod deliver;
mod device;
mod fifo;
mod group;
pub mod heal;
mod hint;
mod joining;
mod lane;
pub mod logins;
mod members;
mod message;
pub mod name;
pub mod operator;
mod page;
pub mod peer;
pub mod people;
mod pin;
pub mod presence;
mod read;
mod session;
mod stored;
mod sync;
mod telling;
mod user;
pub mod wire;

pub use members::Members;
pub use user::create_user;

use std::sync::Arc;

use anser_proto::{
    ErrorCode,
    limits::{PAGE_DEFAULT, PAGE_MAX},
    v1::{self, ClientFrame, Done, Pong, ServerFrame, client_frame::Request, server_frame::Body},
};
use anser_store::PeopleAction;
use tokio::time::Instant;

pub use self::message::Entry;
use self::{actor::Actor, lane::Lane};
use crate::{ctx::Ctx, error::Error, hub::Connected};

/// A frame, or the id of the request in it and why it cannot be read.
pub type Asked = Result<ClientFrame, (u32, Error)>;

/// Who asks on a connection, and how.
pub struct Caller {
    pub actor: Actor,
    pub lane: Lane,
}

impl Caller {
    pub fn new(connected: &Connected, platform: i32, device_id: Arc<str>) -> Self {
        Self { actor: Actor::new(connected, platform, device_id), lane: Lane::new(connected) }
    }
}

/// Answers the requests that a connection took up together, in their order. What becomes an entry of a log and stands side by side is
/// stored together: it waits for one commit instead of one each.
pub async fn turn(
    cx: &Arc<Ctx>,
    mut caller: Box<Caller>,
    frames: Vec<Asked>,
    now: Instant,
) -> (Box<Caller>, Vec<ServerFrame>) {
    let mut answers = Vec::with_capacity(frames.len());
    let mut entries = Vec::new();
    for mut frame in frames {
        let kind = frame.as_ref().map_or("malformed", |frame| kind(frame.request.as_ref()));
        if let Ok(ClientFrame { request_id, request }) = &mut frame
            && let Some(entry) = Entry::take(request)
        {
            entries.push(message::Queued { request_id: *request_id, kind, entry });
            continue;
        }
        message::store(cx, &mut caller, std::mem::take(&mut entries), now, &mut answers).await;
        answers.push(match frame {
            Ok(ClientFrame { request_id, request }) => {
                // What it tells others comes behind what was sent before it.
                caller.lane.telling.done().await;
                let body = handle(cx, &mut caller, request_id, request, now).await;
                answer(cx, kind, request_id, body)
            }
            Err((request_id, error)) => {
                // It counts, but is answered the same however often it comes: nobody is to send it again.
                let _ = caller.lane.admit(1, now);
                answer(cx, kind, request_id, Err(error))
            }
        });
    }
    message::store(cx, &mut caller, entries, now, &mut answers).await;
    (caller, answers)
}

fn answer(cx: &Ctx, kind: &'static str, request_id: u32, body: Result<Body, Error>) -> ServerFrame {
    cx.metrics.request(kind, body.as_ref().err().map(|error| error.code));
    let body = body.unwrap_or_else(|error| Body::Error(error.to_wire()));
    ServerFrame { request_id, body: Some(body) }
}

/// The match over all requests, which goes on below.
async fn handle(
    cx: &Arc<Ctx>,
    caller: &mut Caller,
    request_id: u32,
    request: Option<Request>,
    now: Instant,
) -> Result<Body, Error> {
    let Caller { actor, lane } = caller;
    let admitted = lane.admit(cost::of(request.as_ref()), now);
    // A heartbeat counts, but is answered all the same: to refuse it would end the connection.
    if !matches!(request, Some(Request::Ping(_) | Request::Bye(_))) {
        admitted?;
    }
    check_request_id(request_id)?;
    if let Some((kind, count)) = cost::kind_of(request.as_ref()) {
        lane.admit_kind(kind, count, now)?;
    }
    let from = lane.conn;
    match request {
        Some(Request::Ping(_)) => Ok(Body::Pong(Pong { server_time_ms: (cx.clock)() })),
        Some(Request::Bye(_)) => {
            lane.said_bye = true;
            Ok(done())
        }
        Some(Request::Hello(_)) => Err(Error::new(ErrorCode::AlreadyLoggedIn, "this connection is logged in already")),

        Some(request) if Entry::is(&request) => unreachable!("entries of a log are taken together by turn()"),
        Some(Request::Pull(pull)) => message::pull(cx, actor, lane, pull, now).await.map(Body::Messages),
        Some(Request::Sync(sync)) => sync::sync(cx, actor, lane, sync).await.map(Body::SyncPage),
        Some(Request::MarkRead(mark)) => read::mark_read(cx, actor, from, mark).await.map(Body::Marked),
        Some(Request::MarkDelivered(mark)) => read::mark_delivered(cx, actor, from, mark).await.map(Body::Marked),
        Some(Request::Typing(typing)) => hint::typing(cx, actor, lane, &typing, now).await.map(|()| done()),
        Some(Request::ListSessions(list)) => session::list(cx, actor, lane, list).await.map(Body::Sessions),
        Some(Request::UpdateSession(update)) => {
            session::update(cx, actor, from, update).await.map(Body::SessionChanged)
        }
        Some(Request::ClearSession(clear)) => session::clear(cx, actor, from, clear).await.map(Body::SessionChanged),
        Some(Request::RemoveSession(remove)) => {
            session::remove(cx, actor, from, remove).await.map(Body::SessionChanged)
        }
        Some(Request::HideMessages(hide)) => session::hide(cx, actor, from, hide).await.map(Body::Changed),
        Some(Request::WhoRead(who)) => read::who_read(cx, actor, lane, who).await.map(Body::Readers),
        Some(Request::ListPins(list)) => pin::list(cx, actor, lane, list, now).await.map(Body::Pins),
        Some(Request::ListReactions(list)) => pin::list_reactions(cx, actor, lane, list).await.map(Body::Reactions),
        Some(request) => about_groups(cx, actor, lane, request, now).await,
        None => Err(unknown()),
    }
}

/// What is left of the match: requests about groups.
async fn about_groups(
    cx: &Arc<Ctx>,
    actor: &Actor,
    lane: &mut Lane,
    request: Request,
    now: Instant,
) -> Result<Body, Error> {
    match request {
        Request::CreateGroup(create) => group::create(cx, actor, create).await.map(Body::Group),
        Request::GetGroup(get) => group::get(cx, actor, get).await.map(Body::Group),
        Request::ListMembers(list) => group::list_members(cx, actor, lane, list).await.map(Body::Members),
        Request::InviteMembers(invite) => group::invite(cx, actor, invite).await.map(Body::Group),
        Request::RemoveMembers(remove) => group::remove(cx, actor, remove).await.map(Body::Group),
        Request::LeaveGroup(leave) => group::leave(cx, actor, leave).await.map(|()| done()),
        Request::SetRole(set) => group::set_role(cx, actor, set).await.map(Body::Group),
        Request::UpdateGroup(update) => group::update(cx, actor, update).await.map(Body::Group),
        Request::MuteMembers(mute) => group::mute(cx, actor, mute).await.map(Body::Group),
        Request::DissolveGroup(dissolve) => group::dissolve(cx, actor, dissolve).await.map(|()| done()),
        Request::TransferGroup(transfer) => group::transfer(cx, actor, transfer).await.map(Body::Group),
        Request::UnbanMembers(unban) => joining::unban(cx, actor, unban).await.map(Body::Group),
        Request::ListBans(list) => joining::list_bans(cx, actor, lane, list).await.map(Body::Bans),
        Request::ListJoinRequests(list) => joining::list_requests(cx, actor, lane, list).await.map(Body::JoinRequests),
        Request::AnswerJoinRequests(answer) => joining::answer_requests(cx, actor, answer).await.map(Body::Joined),
        Request::CreateLink(create) => joining::create_link(cx, actor, create).await.map(Body::Link),
        Request::RevokeLink(revoke) => joining::revoke_link(cx, actor, revoke).await.map(|()| done()),
        Request::ListLinks(list) => joining::list_links(cx, actor, list).await.map(Body::Links),
        Request::PreviewLink(preview) => joining::preview_link(cx, actor, preview).await.map(Body::GroupPreview),
        Request::JoinGroup(join) => joining::join(cx, actor, join).await.map(Body::Joined),
        Request::SetGroupNickname(set) => group::set_nickname(cx, actor, set).await.map(Body::Sent),
        request => about_people(cx, actor, lane, request, now).await,
    }
}

/// What is left of it then: requests about people.
async fn about_people(
    cx: &Arc<Ctx>,
    actor: &Actor,
    lane: &mut Lane,
    request: Request,
    now: Instant,
) -> Result<Body, Error> {
    let from = lane.conn;
    match request {
        Request::GetUsers(get) => user::get(cx, get).await.map(Body::Users),
        Request::UpdateProfile(update) => user::update_profile(cx, actor, from, update).await.map(Body::Users),
        Request::RequestContact(request) => people::request_contact(cx, actor, from, request).await.map(Body::Changed),
        Request::AnswerContact(answer) => people::answer_contact(cx, actor, from, answer).await.map(Body::Changed),
        Request::SetRemark(set) => people::set_remark(cx, actor, from, set).await.map(Body::Changed),
        Request::RemoveContact(v1::RemoveContact { user_id }) => {
            people::change(cx, actor, from, user_id, PeopleAction::Remove).await.map(Body::Changed)
        }
        Request::ListContacts(list) => people::list_contacts(cx, actor, lane, list).await.map(Body::Contacts),
        Request::Block(v1::Block { user_id }) => {
            people::change(cx, actor, from, user_id, PeopleAction::Block).await.map(Body::Changed)
        }
        Request::Unblock(v1::Unblock { user_id }) => {
            people::change(cx, actor, from, user_id, PeopleAction::Unblock).await.map(Body::Changed)
        }
        Request::ListBlocks(list) => people::list_blocks(cx, actor, lane, list).await.map(Body::Blocks),
        Request::GetSettings(_) => people::settings(cx, actor).await.map(Body::Privacy),
        Request::UpdateSettings(update) => people::update_settings(cx, actor, from, update).await.map(Body::Changed),
        request => about_devices(cx, actor, lane, request, now).await,
    }
}

/// And then requests about devices, and who is there.
async fn about_devices(
    cx: &Arc<Ctx>,
    actor: &Actor,
    lane: &mut Lane,
    request: Request,
    now: Instant,
) -> Result<Body, Error> {
    let from = lane.conn;
    match request {
        Request::ListDevices(_) => device::list(cx, actor).await.map(Body::Devices),
        Request::RenameDevice(rename) => device::rename(cx, actor, from, rename).await.map(Body::Changed),
        Request::RevokeDevice(revoke) => device::revoke(cx, actor, from, revoke).await.map(Body::Changed),
        Request::SetPresence(set) => presence::set(cx, actor, from, set).map(|()| done()),
        Request::WatchPresence(_) => presence::watch(cx, actor, lane).await.map(Body::Presences),
        Request::GetPresence(get) => presence::get(cx, actor, lane, get, now).await.map(Body::Presences),
        Request::Signal(signal) => hint::signal(cx, actor, lane, signal, now).await.map(|()| done()),
        _ => Err(unknown()),
    }
}

fn unknown() -> Error {
    Error::new(ErrorCode::UnknownRequest, "the frame has no request that this server knows")
}

fn check_request_id(request_id: u32) -> Result<(), Error> {
    if request_id == 0 { Err(Error::bad_field("request_id is 0: that is the id of events")) } else { Ok(()) }
}

fn done() -> Body {
    Body::Done(Done {})
}

/// Refuses to name so many in one request.
fn check_named(things: &str, named: usize, max: usize) -> Result<(), Error> {
    if named <= max {
        return Ok(());
    }
    let message = format!("{named} {things} are named: at most {max} at once");
    Err(Error::new(ErrorCode::PageTooLarge, message))
}

/// The entries of a page: what was asked for, or what is usual.
fn page_limit(asked: u32) -> Result<u32, Error> {
    match asked {
        0 => Ok(PAGE_DEFAULT),
        1..=PAGE_MAX => Ok(asked),
        _ => {
            let message = format!("limit is {asked}: at most {PAGE_MAX} are given at once");
            Err(Error::new(ErrorCode::PageTooLarge, message))
        }
    }
}

/// The name of a request, for the metrics.
fn kind(request: Option<&Request>) -> &'static str {
    match request {
        Some(Request::Hello(_)) => "hello",
        Some(Request::Ping(_)) => "ping",
        Some(Request::Bye(_)) => "bye",
        Some(Request::Send(_)) => "send",
        Some(Request::Recall(_)) => "recall",
        Some(Request::Edit(_)) => "edit",
        Some(Request::React(_)) => "react",
        Some(Request::Pull(_)) => "pull",
        Some(Request::Sync(_)) => "sync",
        Some(Request::MarkRead(_)) => "mark_read",
        Some(Request::MarkDelivered(_)) => "mark_delivered",
        Some(Request::Typing(_)) => "typing",
        Some(Request::ListSessions(_)) => "list_sessions",
        Some(Request::UpdateSession(_)) => "update_session",
        Some(Request::ClearSession(_)) => "clear_session",
        Some(Request::RemoveSession(_)) => "remove_session",
        Some(Request::HideMessages(_)) => "hide_messages",
        Some(Request::WhoRead(_)) => "who_read",
        Some(Request::PinMessage(_)) => "pin_message",
        Some(Request::UnpinMessage(_)) => "unpin_message",
        Some(Request::ListPins(_)) => "list_pins",
        Some(Request::ListReactions(_)) => "list_reactions",
        Some(Request::CreateGroup(_)) => "create_group",
        Some(Request::GetGroup(_)) => "get_group",
        Some(Request::ListMembers(_)) => "list_members",
        Some(Request::InviteMembers(_)) => "invite_members",
        Some(Request::RemoveMembers(_)) => "remove_members",
        Some(Request::LeaveGroup(_)) => "leave_group",
        Some(Request::SetRole(_)) => "set_role",
        Some(Request::TransferGroup(_)) => "transfer_group",
        Some(Request::UpdateGroup(_)) => "update_group",
        Some(Request::MuteMembers(_)) => "mute_members",
        Some(Request::DissolveGroup(_)) => "dissolve_group",
        Some(Request::UnbanMembers(_)) => "unban_members",
        Some(Request::ListBans(_)) => "list_bans",
        Some(Request::ListJoinRequests(_)) => "list_join_requests",
        Some(Request::AnswerJoinRequests(_)) => "answer_join_requests",
        Some(Request::CreateLink(_)) => "create_link",
        Some(Request::RevokeLink(_)) => "revoke_link",
        Some(Request::ListLinks(_)) => "list_links",
        Some(Request::PreviewLink(_)) => "preview_link",
        Some(Request::JoinGroup(_)) => "join_group",
        Some(Request::SetGroupNickname(_)) => "set_group_nickname",
        Some(Request::GetUsers(_)) => "get_users",
        Some(Request::UpdateProfile(_)) => "update_profile",
        Some(Request::RequestContact(_)) => "request_contact",
        Some(Request::AnswerContact(_)) => "answer_contact",
        Some(Request::SetRemark(_)) => "set_remark",
        Some(Request::RemoveContact(_)) => "remove_contact",
        Some(Request::ListContacts(_)) => "list_contacts",
        Some(Request::Block(_)) => "block",
        Some(Request::Unblock(_)) => "unblock",
        Some(Request::ListBlocks(_)) => "list_blocks",
        Some(Request::GetSettings(_)) => "get_settings",
        Some(Request::UpdateSettings(_)) => "update_settings",
        Some(Request::ListDevices(_)) => "list_devices",
        Some(Request::RenameDevice(_)) => "rename_device",
        Some(Request::RevokeDevice(_)) => "revoke_device",
        Some(Request::SetPresence(_)) => "set_presence",
        Some(Request::WatchPresence(_)) => "watch_presence",
        Some(Request::GetPresence(_)) => "get_presence",
        Some(Request::Signal(_)) => "signal",
        None => "unknown",
    }
}
