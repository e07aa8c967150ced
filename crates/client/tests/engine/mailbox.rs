//! How a device that stays connected finds out whether it missed anything.

use anser_client::{ConversationId, GroupId, engine::Effect};
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
