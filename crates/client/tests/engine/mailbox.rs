//! How a device that stays connected finds out whether it missed anything.

use anser_client::{
    ConversationId, GroupId,
    engine::{Effect, Input},
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
    assert_eq!(asked, v1::Sync { mailbox_seq: 300, groups: Vec::new(), groups_digest: digest });
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
