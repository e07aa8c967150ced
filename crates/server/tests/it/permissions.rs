//! Who may what with whom, one to one: every request against everything that another user may be to the caller, as data.

use anser_proto::{
    ConversationId, ErrorCode, UserId,
    v1::{self, client_frame::Request, server_frame::Body},
};

use crate::{
    ask,
    raw::{Raw, TestServer, send},
};

/// What the other one is to the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Other {
    Stranger,
    Contact,
    HasBlockedTheCaller,
    IsBlockedByTheCaller,
    Absent,
}

const OTHERS: [Other; 5] =
    [Other::Stranger, Other::Contact, Other::HasBlockedTheCaller, Other::IsBlockedByTheCaller, Other::Absent];

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// It is answered, and the other one is told something.
    Told,
    /// It is answered, and the other one receives nothing.
    Untold,
    Forbidden,
    NotFound,
}

use Cell::{Forbidden, NotFound, Told, Untold};

/// A request of the caller with this id about the other one with that id.
type Ask = fn(u64, u64) -> Request;
pub type Row = (&'static str, Ask, [Cell; 5]);

/// In the order of [`OTHERS`].
pub const ROWS: &[Row] = &[
    ("send", send_to, [Told, Told, Forbidden, Forbidden, NotFound]),
    ("send: naming them", name, [Told, Told, Forbidden, Forbidden, NotFound]),
    ("pull", pull, [Untold, Untold, Untold, Untold, Untold]),
    ("pin_message", pin_first, [Told, Told, Forbidden, Forbidden, NotFound]),
    ("list_pins", list_pins, [Untold, Untold, Untold, Untold, Untold]),
    ("list_reactions", list_reactions, [Untold, Untold, Untold, Untold, NotFound]),
    ("mark_read", mark_read, [Told, Told, Untold, Untold, Untold]),
    ("mark_delivered", mark_delivered, [Told, Told, Untold, Untold, Untold]),
    ("update_session", pin_session, [Untold, Untold, Untold, Untold, NotFound]),
    ("clear_session", clear_session, [Told, Told, Untold, Untold, NotFound]),
    ("remove_session", remove_session, [Untold, Untold, Untold, Untold, NotFound]),
    ("hide_messages", hide_messages, [Untold, Untold, Untold, Untold, NotFound]),
    ("typing", typing, [Told, Told, Untold, Untold, NotFound]),
    ("signal", signal, [Told, Told, Untold, Untold, NotFound]),
    ("get_presence", get_presence, [Untold, Untold, Untold, Untold, Untold]),
    ("get_users", get_users, [Untold, Untold, Untold, Untold, Untold]),
    ("request_contact", request_contact, [Told, Untold, Untold, Forbidden, NotFound]),
    ("answer_contact: yes", accept, [NotFound, Untold, NotFound, NotFound, NotFound]),
    ("answer_contact: no", reject, [NotFound, Untold, NotFound, NotFound, NotFound]),
    ("set_remark", set_remark, [NotFound, Untold, NotFound, NotFound, NotFound]),
    ("remove_contact", remove_contact, [NotFound, Told, NotFound, NotFound, NotFound]),
    ("block", block, [Untold, Told, Untold, Untold, NotFound]),
    ("unblock", unblock, [Untold, Untold, Untold, Untold, NotFound]),
    ("create_group", create_group, [Told, Told, Untold, Untold, NotFound]),
];

/// Of what changes nothing others are told once more where there are other nodes.
const ROWS_OF_ONE_NODE: &[Row] = &[("unpin_message", unpin_first, [Untold, Untold, Forbidden, Forbidden, NotFound])];

/// Where only contacts may write to each other.
pub const ROWS_AMONG_CONTACTS: &[Row] = &[
    ("send", send_to, [Forbidden, Told, Forbidden, Forbidden, NotFound]),
    ("pin_message", pin_first, [Forbidden, NotFound, Forbidden, Forbidden, NotFound]),
    ("typing", typing, [Forbidden, Told, Untold, Untold, NotFound]),
    ("signal", signal, [Forbidden, Told, Untold, Untold, NotFound]),
];

fn conversation(own: u64, other: u64) -> String {
    ConversationId::single(UserId(own), UserId(other)).to_string()
}

fn send_to(own: u64, other: u64) -> Request {
    send(&conversation(own, other), "asked", "text")
}

fn name(own: u64, other: u64) -> Request {
    let Request::Send(send) = send_to(own, other) else { unreachable!() };
    let mentions = Some(v1::Mentions { user_ids: vec![other], all: false });
    Request::Send(v1::Send { mentions, ..send })
}

fn pull(own: u64, other: u64) -> Request {
    Request::Pull(v1::Pull { conversation_id: conversation(own, other), ..Default::default() })
}

fn pin_first(own: u64, other: u64) -> Request {
    ask::pin(&conversation(own, other), "asked", 1)
}

/// What is not pinned.
fn unpin_first(own: u64, other: u64) -> Request {
    ask::unpin(&conversation(own, other), "asked", 1)
}

fn list_pins(own: u64, other: u64) -> Request {
    ask::list_pins(&conversation(own, other))
}

fn list_reactions(own: u64, other: u64) -> Request {
    ask::list_reactions(&conversation(own, other), 1)
}

fn mark_read(own: u64, other: u64) -> Request {
    Request::MarkRead(v1::MarkRead { conversation_id: conversation(own, other), server_msg_id: 2 })
}

fn mark_delivered(own: u64, other: u64) -> Request {
    Request::MarkDelivered(v1::MarkDelivered { conversation_id: conversation(own, other), server_msg_id: 2 })
}

fn pin_session(own: u64, other: u64) -> Request {
    let update = v1::UpdateSession { conversation_id: conversation(own, other), ..Default::default() };
    Request::UpdateSession(v1::UpdateSession { pinned: Some(true), ..update })
}

fn clear_session(own: u64, other: u64) -> Request {
    Request::ClearSession(v1::ClearSession { conversation_id: conversation(own, other), server_msg_id: 2 })
}

fn remove_session(own: u64, other: u64) -> Request {
    Request::RemoveSession(v1::RemoveSession { conversation_id: conversation(own, other), server_msg_id: 2 })
}

fn hide_messages(own: u64, other: u64) -> Request {
    let (conversation_id, server_msg_ids) = (conversation(own, other), vec![1, 2]);
    Request::HideMessages(v1::HideMessages { conversation_id, server_msg_ids })
}

fn typing(own: u64, other: u64) -> Request {
    Request::Typing(v1::Typing { conversation_id: conversation(own, other) })
}

fn signal(own: u64, other: u64) -> Request {
    let (conversation_id, r#type) = (conversation(own, other), "call".into());
    Request::Signal(v1::Signal { conversation_id, r#type, data: vec![1].into() })
}

fn get_presence(_: u64, other: u64) -> Request {
    Request::GetPresence(v1::GetPresence { user_ids: vec![other] })
}

fn get_users(_: u64, other: u64) -> Request {
    Request::GetUsers(v1::GetUsers { user_ids: vec![other], ..Default::default() })
}

pub fn request_contact(_: u64, user_id: u64) -> Request {
    Request::RequestContact(v1::RequestContact { user_id, text: "it is me".into() })
}

pub fn accept(_: u64, user_id: u64) -> Request {
    Request::AnswerContact(v1::AnswerContact { user_id, accept: true })
}

pub fn reject(_: u64, user_id: u64) -> Request {
    Request::AnswerContact(v1::AnswerContact { user_id, accept: false })
}

pub fn set_remark(_: u64, user_id: u64) -> Request {
    Request::SetRemark(v1::SetRemark { user_id, remark: "B.".into() })
}

pub fn remove_contact(_: u64, user_id: u64) -> Request {
    Request::RemoveContact(v1::RemoveContact { user_id })
}

pub fn block(_: u64, user_id: u64) -> Request {
    Request::Block(v1::Block { user_id })
}

pub fn unblock(_: u64, user_id: u64) -> Request {
    Request::Unblock(v1::Unblock { user_id })
}

fn create_group(_: u64, other: u64) -> Request {
    let (client_group_id, name) = ("g".into(), "Geese".into());
    Request::CreateGroup(v1::CreateGroup { client_group_id, name, user_ids: vec![other], ..Default::default() })
}

/// Every cell. The callers are on one server and the others on another, or the same.
pub async fn check(here: &TestServer, there: &TestServer, rows: &[Row], they_talked: bool) {
    for (n, (what, ask, cells)) in rows.iter().enumerate() {
        // Each types once to each of the others: what they are told before this came before.
        let mut heralds = [here.login(&format!("herald-{n}-1")).await, here.login(&format!("herald-{n}-2")).await];
        for (other, cell) in OTHERS.into_iter().zip(cells) {
            let mut caller = here.login(&format!("caller-{n}-{other:?}")).await;
            let (answer, told) = if other == Other::Absent {
                (caller.ask(ask(caller.user.0, 999_999)).await, false)
            } else {
                let mut peer = there.login(&format!("peer-{n}-{other:?}")).await;
                become_other(&mut caller, &mut peer, other, they_talked).await;
                received_before(&mut heralds[0], &mut peer).await;
                let answer = caller.ask(ask(caller.user.0, peer.user.0)).await;
                (answer, received_before(&mut heralds[1], &mut peer).await)
            };
            let found = match (&answer, told) {
                (Body::Error(error), false) if error.code() == ErrorCode::Forbidden => Forbidden,
                (Body::Error(error), false) if error.code() == ErrorCode::NotFound => NotFound,
                (Body::Error(_), _) => panic!("{what} to {other:?}: {answer:?}, told: {told}"),
                (_, true) => Told,
                (_, false) => Untold,
            };
            assert_eq!(found, *cell, "{what} to {other:?}: {answer:?}");
        }
    }
}

async fn become_other(caller: &mut Raw, peer: &mut Raw, other: Other, they_talked: bool) {
    let (own, their) = (caller.user.0, peer.user.0);
    if they_talked {
        caller.send(&conversation(own, their), "before", "text").await;
        peer.send(&conversation(own, their), "before", "text").await;
    }
    match other {
        Other::Contact => {
            caller.ask(request_contact(own, their)).await;
            peer.ask(accept(their, own)).await;
        }
        Other::HasBlockedTheCaller => drop(peer.ask(block(their, own)).await),
        Other::IsBlockedByTheCaller => drop(caller.ask(block(own, their)).await),
        Other::Stranger | Other::Absent => {}
    }
}

/// Whether the peer receives anything before the herald.
async fn received_before(herald: &mut Raw, peer: &mut Raw) -> bool {
    // Contacts, so that they may type.
    peer.ask(request_contact(peer.user.0, herald.user.0)).await;
    herald.ask(accept(herald.user.0, peer.user.0)).await;
    herald.ask(typing(herald.user.0, peer.user.0)).await;
    let mut received = false;
    loop {
        match peer.event().await {
            Body::Typing(event) if event.user_id == herald.user.0 => return received,
            Body::Changed(changed) if is_about(&changed, herald.user.0) => {}
            Body::Lagged(_) => {}
            _ => received = true,
        }
    }
}

fn is_about(changed: &v1::Changed, user_id: u64) -> bool {
    changed.changes.iter().all(|change| match &change.now {
        Some(v1::change::Now::Contact(contact)) => contact.user.as_ref().is_some_and(|user| user.user_id == user_id),
        _ => false,
    })
}

#[tokio::test]
async fn every_request_to_another_user_is_answered_as_the_table_says() {
    let server = TestServer::start().await;
    check(&server, &server, ROWS, true).await;
    let server = TestServer::start().await;
    check(&server, &server, ROWS_OF_ONE_NODE, true).await;
}

#[tokio::test]
async fn where_only_contacts_may_write_the_table_is_another() {
    let contacts = |config: &mut anser_server::config::Config| {
        config.messages.strangers = anser_server::config::Strangers::Contacts;
    };
    let server = TestServer::start_with(contacts, crate::raw::memory_store).await;
    check(&server, &server, ROWS_AMONG_CONTACTS, false).await;
}
