//! How a device that stays connected finds out whether it missed anything.

use anser_client::{
    ConversationId, GroupId,
    engine::{Change, Effect, Input},
};
use anser_proto::digest::groups_digest;
use anser_proto::v1;
use v1::{client_frame::Request, server_frame::Body};

use crate::line::{Line, line, request};

/// The next sync, once its time has come, and its request id.
fn sync(line: &mut Line) -> (u32, v1::Sync) {
    loop {
        let frame = request(&line.wait());
        match frame.request {
            Some(Request::Sync(sync)) => return (frame.request_id, sync),
            _ => drop(line.receive(frame.request_id, Body::Pong(v1::Pong::default()))),
        }
    }
}

#[test]
fn the_regular_check_sends_a_digest_and_positions_only_if_groups_moved() {
    let mut line = line();
    line.log_in_with(300_000);
    for group in 1..=300 {
        let role = v1::group::Role::Member.into();
        let session = v1::Session {
            conversation_id: ConversationId::Group(GroupId(group)).to_string(),
            group: Some(v1::Group { role, ..v1::Group::default() }),
            mailbox_seq: group,
            ..v1::Session::default()
        };
        line.receive(0, Body::SessionChanged(v1::SessionChanged { session: Some(session) }));
    }
    let digest = Some(groups_digest((1..=300).map(|group| (GroupId(group), 0))));
    let page = |groups_behind| v1::SyncPage { mailbox_seq: 300, caught_up: true, groups_behind, ..Default::default() };
    let (request_id, asked) = sync(&mut line);
    assert_eq!(asked, v1::Sync { mailbox_seq: 300, groups_digest: digest, ..v1::Sync::default() });
    let effects = line.receive(request_id, Body::SyncPage(page(false)));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Transmit(_))), "{effects:?}");

    // What the server says may be missing is asked for in the same way.
    let frame = request(&line.receive(0, Body::Lagged(v1::Lagged {})));
    assert_eq!(frame.request, Some(Request::Sync(asked)));
    let positions = request(&line.receive(frame.request_id, Body::SyncPage(page(true)))).request;
    let Some(Request::Sync(positions)) = positions else { panic!("no sync: {positions:?}") };
    assert_eq!((positions.groups.len(), positions.groups_digest), (200, None));
}

fn log_in_again(line: &mut Line, mailbox_seq: u64) -> (v1::Hello, Vec<Effect>) {
    line.tell(Input::Closed { code: None, reason: String::new() });
    log_in_later(line, mailbox_seq)
}

fn log_in_later(line: &mut Line, mailbox_seq: u64) -> (v1::Hello, Vec<Effect>) {
    line.wait();
    let hello = request(&line.tell(Input::Connected));
    let user = Some(v1::User { user_id: 7, ..v1::User::default() });
    let welcome = v1::Welcome {
        user,
        log_id: 1,
        mailbox_seq,
        mailbox_behind: true,
        heartbeat_min_ms: 300_000,
        heartbeat_max_ms: 300_000,
        ..v1::Welcome::default()
    };
    let effects = line.receive(hello.request_id, Body::Welcome(welcome));
    let Some(Request::Hello(hello)) = hello.request else { panic!("no hello: {:?}", hello.request) };
    (hello, effects)
}

fn group_of(head: u64, mailbox_seq: u64) -> v1::Session {
    let role = v1::group::Role::Member.into();
    v1::Session {
        conversation_id: ConversationId::Group(GroupId(3)).to_string(),
        group: Some(v1::Group { role, ..v1::Group::default() }),
        head,
        mailbox_seq,
        ..v1::Session::default()
    }
}

#[test]
fn a_mailbox_that_is_shorter_than_it_was_makes_the_device_start_anew() {
    let mut line = line();
    line.log_in_with(300_000);
    for (seq, head) in [(1, 4), (2, 5)] {
        line.receive(0, Body::SessionChanged(v1::SessionChanged { session: Some(group_of(head, seq)) }));
    }
    let (hello, effects) = log_in_again(&mut line, 2);
    assert_eq!(hello.positions.map(|known| known.mailbox_seq), Some(2));
    assert!(!effects.contains(&Effect::Forgotten), "{effects:?}");
    let (_, effects) = log_in_again(&mut line, 1);
    assert!(effects.contains(&Effect::Forgotten), "{effects:?}");
    let Some(Request::Sync(asked)) = request(&effects).request else { panic!("no sync: {effects:?}") };
    assert_eq!((asked.mailbox_seq, asked.groups.len()), (0, 0));
}

#[test]
fn a_group_whose_log_ends_before_what_is_known_makes_the_device_start_anew() {
    let mut line = line();
    line.log_in_with(300_000);
    line.receive(0, Body::SessionChanged(v1::SessionChanged { session: Some(group_of(5, 1)) }));
    // A row that was written before what has come meanwhile says nothing.
    line.receive(0, Body::SessionChanged(v1::SessionChanged { session: Some(group_of(4, 1)) }));
    let digest = request(&line.receive(0, Body::Lagged(v1::Lagged {})));
    assert!(matches!(digest.request, Some(Request::Sync(_))), "{digest:?}");
    let behind = v1::SyncPage { mailbox_seq: 1, caught_up: true, groups_behind: true, ..Default::default() };
    let positions = request(&line.receive(digest.request_id, Body::SyncPage(behind)));
    let Some(Request::Sync(asked)) = &positions.request else { panic!("no sync: {positions:?}") };
    assert_eq!(asked.groups, [v1::GroupPosition { group_id: 3, server_msg_id: 5 }]);
    let page =
        v1::SyncPage { mailbox_seq: 1, caught_up: true, sessions: vec![group_of(4, 1)], ..v1::SyncPage::default() };
    let effects = line.receive(positions.request_id, Body::SyncPage(page));
    assert!(effects.contains(&Effect::Disconnect), "{effects:?}");
    let (hello, effects) = log_in_later(&mut line, 1);
    assert_eq!(hello.positions, None);
    assert!(effects.contains(&Effect::Forgotten), "{effects:?}");
}

fn contact(user_id: u64, mailbox_seq: u64) -> v1::Change {
    let user = Some(v1::User { user_id, ..v1::User::default() });
    let contact = v1::Contact { user, state: v1::contact::State::Contact.into(), ..v1::Contact::default() };
    v1::Change { mailbox_seq, now: Some(v1::change::Now::Contact(contact)) }
}

/// What was kept of things that change seldom since it was last asked.
fn kept(line: &mut Line) -> Vec<Change> {
    let changes = std::mem::take(&mut line.changes);
    changes.into_iter().filter(|change| matches!(change, Change::Thing(_) | Change::ForgetThings)).collect()
}

#[test]
fn a_contact_that_changed_is_kept_and_moves_the_position_once() {
    let mut line = line();
    line.log_in_with(300_000);
    kept(&mut line);
    let changed = |changes| Body::Changed(v1::Changed { changes });
    let effects = line.receive(0, changed(vec![contact(8, 1), contact(9, 2)]));
    assert!(effects.contains(&Effect::People), "{effects:?}");
    assert_eq!(kept(&mut line), [Change::Thing(contact(8, 1)), Change::Thing(contact(9, 2))]);
    // Late and doubled it is old news.
    assert!(line.receive(0, changed(vec![contact(8, 1)])).is_empty());
    assert_eq!(kept(&mut line), []);
    // So is the answer to what this device asked for.
    line.tell(Input::Call { request: Request::Block(v1::Block { user_id: 9 }), call: 1 });
    let (hello, _) = log_in_again(&mut line, 2);
    assert_eq!(hello.positions.map(|known| known.mailbox_seq), Some(2));
}

#[test]
fn what_a_device_was_away_from_for_too_long_is_forgotten_and_taken_anew_to_its_end() {
    let mut line = line();
    line.log_in_with(300_000);
    let (_, effects) = log_in_again(&mut line, 9);
    let first = request(&effects);
    kept(&mut line);
    let page = |changes, mailbox_seq, caught_up, reset| {
        Body::SyncPage(v1::SyncPage { changes, mailbox_seq, caught_up, reset, ..v1::SyncPage::default() })
    };
    let second = request(&line.receive(first.request_id, page(vec![contact(8, 4)], 4, false, true)));
    assert_eq!(kept(&mut line), [Change::ForgetThings, Change::Thing(contact(8, 4))]);
    let Some(Request::Sync(asked)) = &second.request else { panic!("no sync: {second:?}") };
    assert_eq!((asked.mailbox_seq, asked.resetting), (4, true));
    line.receive(second.request_id, page(vec![contact(9, 9)], 9, true, false));
    assert_eq!(kept(&mut line), [Change::Thing(contact(9, 9))]);
    let next = request(&line.receive(0, Body::Lagged(v1::Lagged {})));
    let Some(Request::Sync(asked)) = &next.request else { panic!("no sync: {next:?}") };
    assert!(!asked.resetting);
}
