//! What was said changes: what each push and page does to what is kept, and what becomes of changes made offline.

use anser_client::{
    Act, ConversationId, Edit, GroupId, Status, Target, UserId,
    engine::{Change, Effect, Input},
};
use anser_proto::v1;
use v1::{client_frame::Request, error::Code, message::State, server_frame::Body};

use crate::{
    Action, World,
    line::{Line, line, request},
};

fn ours() -> ConversationId {
    ConversationId::single(UserId(7), UserId(8))
}

/// The eighth user's; each counts.
fn message(id: u64) -> v1::Message {
    let conversation_id = ours().to_string();
    let (client_msg_id, content) = (id.to_string(), format!("text of {id}"));
    let r#type = v1::message::Type::Text.into();
    let said = v1::Message { conversation_id, server_msg_id: id, client_msg_id, content, ..Default::default() };
    v1::Message { r#type, from_id: 8, count: id, server_time_ms: id, ..said }
}

fn edited(id: u64, changed: u64) -> v1::Message {
    v1::Message { changed, content: format!("{id} as of {changed}"), edits: 1, ..message(id) }
}

fn recalled(id: u64, changed: u64) -> v1::Message {
    v1::Message { changed, content: String::new(), state: State::Recalled.into(), ..message(id) }
}

fn row(head: u64, unread: u64, mailbox_seq: u64) -> v1::Session {
    let conversation_id = ours().to_string();
    v1::Session { conversation_id, head, unread, peer: Some(v1::User::default()), mailbox_seq, ..Default::default() }
}

/// Logged in, and told that there are messages up to this one: with the pull that follows.
fn told_of(head: u64) -> (Line, v1::ClientFrame) {
    let mut line = line();
    line.log_in_with(1_000_000);
    let session = Some(row(head, head, 1));
    let effects = line.receive(0, Body::SessionChanged(v1::SessionChanged { session }));
    (line, request(&effects))
}

/// The newest messages up to `head` are here, from `first` on.
fn with_messages(first: u64, head: u64) -> Line {
    let (mut line, pull) = told_of(head);
    let after = first - 1;
    let messages = (first..=head).map(message).collect();
    let page = v1::Messages { messages, after, through: head, head, more: after > 0, ..page() };
    line.receive(pull.request_id, Body::Messages(page));
    line
}

fn page() -> v1::Messages {
    v1::Messages { conversation_id: ours().to_string(), ..v1::Messages::default() }
}

fn push(line: &mut Line, after: u64, through: u64, changed: Vec<v1::Message>) -> Vec<Effect> {
    let (conversation_id, mailbox_seq) = (ours().to_string(), 0);
    let event = v1::MessagesChanged { conversation_id, after, through, changed, mailbox_seq, nicknames: Vec::new() };
    line.receive(0, Body::MessagesChanged(event))
}

fn pulls(effects: &[Effect]) -> Vec<(u32, v1::Pull)> {
    let pull = |effect: &Effect| match effect {
        Effect::Transmit(v1::ClientFrame { request_id, request: Some(Request::Pull(pull)) }) => {
            Some((*request_id, pull.clone()))
        }
        _ => None,
    };
    effects.iter().filter_map(pull).collect()
}

/// `(server_msg_id, changed)` of what is told to have changed.
fn changes(effects: &[Effect]) -> Vec<(u64, u64)> {
    let change = |effect: &Effect| match effect {
        Effect::Changed(message) => Some((message.server_msg_id, message.changed)),
        _ => None,
    };
    effects.iter().filter_map(change).collect()
}

/// The entry of the list as it was told last.
fn entry(effects: &[Effect]) -> &v1::Session {
    let session = |effect: &&Effect| matches!(effect, Effect::Session(_));
    let Some(Effect::Session(session)) = effects.iter().rev().find(session) else { panic!("no entry: {effects:?}") };
    session
}

#[test]
fn a_push_that_continues_the_position_moves_it_and_one_beyond_is_pulled() {
    let mut line = with_messages(1, 3);
    let effects = push(&mut line, 3, 5, vec![edited(2, 5)]);
    assert_eq!((changes(&effects), pulls(&effects)), (vec![(2, 5)], vec![]));
    // What continues from there is the next.
    let next = v1::MessageEvent { message: Some(message(6)), ..Default::default() };
    let effects = line.receive(0, Body::Message(next));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Show(message) if message.server_msg_id == 6)));

    let effects = push(&mut line, 8, 9, vec![edited(1, 9)]);
    assert_eq!(changes(&effects), [(1, 9)]);
    let [(asked, pull)] = &pulls(&effects)[..] else { panic!("no pull: {effects:?}") };
    assert_eq!(pull.after, Some(6));
    let answer = v1::Messages { after: 6, through: 9, head: 9, changed: vec![recalled(3, 7), edited(1, 9)], ..page() };
    let effects = line.receive(*asked, Body::Messages(answer));
    assert_eq!((changes(&effects), pulls(&effects)), (vec![(3, 7), (1, 9)], vec![]));
}

fn pinned(id: u64, changed: u64) -> v1::Message {
    v1::Message { changed, pinned: changed, ..message(id) }
}

/// A notice at this place that tells of a pin, which does not count.
fn notice(id: u64, target: u64, count: u64) -> v1::Message {
    let kind = v1::notice::Kind::Pinned.into();
    let notice = v1::Notice { kind, operator_id: 8, server_msg_id: target, ..v1::Notice::default() };
    let (notice, r#type) = (Some(notice), v1::message::Type::Notice.into());
    v1::Message { notice, r#type, content: String::new(), count, ..message(id) }
}

fn push_pin(line: &mut Line, notice: v1::Message, changed: Vec<v1::Message>) -> Vec<Effect> {
    line.receive(0, Body::Message(v1::MessageEvent { message: Some(notice), mailbox_seq: 0, changed }))
}

fn shown(effects: &[Effect]) -> Vec<u64> {
    let show = |effect: &Effect| match effect {
        Effect::Show(message) => Some(message.server_msg_id),
        _ => None,
    };
    effects.iter().filter_map(show).collect()
}

#[test]
fn a_notice_of_a_pin_comes_with_what_it_pinned_and_waits_for_no_hole() {
    let mut line = with_messages(1, 3);
    let effects = push_pin(&mut line, notice(4, 2, 3), vec![pinned(2, 4)]);
    assert_eq!((shown(&effects), changes(&effects), pulls(&effects)), (vec![4], vec![(2, 4)], vec![]));
    // The same again, and late.
    let effects = push_pin(&mut line, notice(4, 2, 3), vec![pinned(2, 4)]);
    assert_eq!(shown(&effects), []);

    // What it pinned lies in the hole: of a page that was read before it, nothing would be known of the pin.
    let effects = push_pin(&mut line, notice(7, 5, 5), vec![pinned(5, 7)]);
    assert_eq!((shown(&effects), changes(&effects)), (vec![], vec![]));
    let [(asked, pull)] = &pulls(&effects)[..] else { panic!("no pull: {effects:?}") };
    assert_eq!((pull.after, pull.before), (Some(4), 0));
    let before = v1::Messages { after: 4, through: 6, head: 6, messages: vec![message(5), message(6)], ..page() };
    let effects = line.receive(*asked, Body::Messages(before));
    assert_eq!(shown(&effects), [5, 6]);
    let [(asked, pull)] = &pulls(&effects)[..] else { panic!("the notice is not asked for: {effects:?}") };
    assert_eq!(pull.after, Some(6));
    let (messages, changed) = (vec![notice(7, 5, 5)], vec![pinned(5, 7)]);
    let effects = line
        .receive(*asked, Body::Messages(v1::Messages { after: 6, through: 7, head: 7, messages, changed, ..page() }));
    assert_eq!((shown(&effects), changes(&effects)), (vec![7], vec![(5, 7)]));
}

#[test]
fn pages_without_a_message_are_followed_to_their_end() {
    let mut line = with_messages(1, 1);
    let effects = push(&mut line, 899, 900, Vec::new());
    let (mut asked, pull) = pulls(&effects)[0].clone();
    assert_eq!(pull.after, Some(1), "what is missed is not so much: {pull:?}");
    for (after, through) in [(1, 400), (400, 800)] {
        let answer =
            v1::Messages { after, through, head: 900, more: true, changed: vec![edited(1, through)], ..page() };
        let effects = line.receive(asked, Body::Messages(answer));
        assert_eq!(changes(&effects), [(1, through)]);
        let (next, pull) = pulls(&effects)[0].clone();
        assert_eq!(pull.after, Some(through));
        asked = next;
    }
}

#[test]
fn a_message_of_a_silent_type_is_not_shown_and_what_it_changed_is_asked_for() {
    let mut line = with_messages(1, 2);
    let silent = v1::Message { r#type: v1::message::Type::Edit.into(), ..message(3) };
    let effects =
        line.receive(0, Body::Message(v1::MessageEvent { message: Some(silent.clone()), ..Default::default() }));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Show(_))), "{effects:?}");
    let (asked, _) = pulls(&effects)[0].clone();
    let answer = v1::Messages { messages: vec![silent], after: 2, through: 3, head: 3, ..page() };
    let effects = line.receive(asked, Body::Messages(answer));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Show(_))), "{effects:?}");
}

#[test]
fn who_jumps_to_the_newest_page_drops_what_is_older_and_may_be_out_of_date() {
    // The page touches what is kept, or lies beyond it.
    for after in [8, 2_000] {
        let mut line = with_messages(1, 10);
        let effects = push(&mut line, 2_099, 2_100, Vec::new());
        let (asked, pull) = pulls(&effects)[0].clone();
        assert_eq!(pull.after, None);
        line.changes.clear();
        let messages = if after == 8 { vec![recalled(9, 50), message(10), message(11)] } else { vec![message(2_050)] };
        let answer = v1::Messages { messages, after, through: 2_100, head: 2_100, more: true, ..page() };
        let effects = line.receive(asked, Body::Messages(answer));
        assert!(effects.contains(&Effect::Reset(ours())), "{effects:?}");
        let dropped = Change::DropMessages { conversation: ours(), before: after + 1 };
        assert!(line.changes.contains(&dropped), "{:?}", line.changes);
        assert_eq!(changes(&effects), if after == 8 { vec![(9, 50)] } else { vec![] });
        let shown = effects.iter().filter(|effect| matches!(effect, Effect::Show(_))).count();
        assert_eq!(shown, 1, "what was shown is not shown again: {effects:?}");
    }
}

#[test]
fn an_older_page_that_was_read_before_a_change_is_asked_for_again() {
    let mut line = with_messages(50, 60);
    let effects = line.tell(Input::LoadOlder { conversation: ours(), limit: 10, call: 1 });
    let (asked, _) = pulls(&effects)[0].clone();
    push(&mut line, 60, 61, vec![recalled(45, 61)]);
    let older = |head, messages: Vec<_>| {
        Body::Messages(v1::Messages { messages, after: 39, through: 49, head, more: true, ..page() })
    };
    let before: Vec<_> = (40..50).map(message).collect();
    line.changes.clear();
    let effects = line.receive(asked, older(60, before));
    assert!(!line.changes.iter().any(|change| matches!(change, Change::Messages(_))), "{:?}", line.changes);
    assert_eq!(pulls(&effects), [], "not at once");
    line.now += 1_000;
    let (asked, _) = pulls(&line.tell(Input::Tick))[0].clone();
    let now = (40..50).map(|id| if id == 45 { recalled(45, 61) } else { message(id) }).collect();
    line.receive(asked, older(61, now));
    let kept = line.changes.iter().find_map(|change| match change {
        Change::Messages(messages) => Some(messages.len()),
        _ => None,
    });
    assert_eq!(kept, Some(10));
}

#[test]
fn recalls_are_taken_from_the_unread_once_each_and_whatever_was_marked() {
    let mut line = with_messages(1, 5);
    let recall = |line: &mut Line, id, entry| entry_of(push(line, entry - 1, entry, vec![recalled(id, entry)]));
    assert_eq!(recall(&mut line, 4, 6).unread, 4);
    assert_eq!(recall(&mut line, 4, 6).unread, 4, "the same push again");
    let effects = line.tell(Input::MarkRead { conversation: ours(), server_msg_id: 2, count: Some(2) });
    assert_eq!(entry(&effects).unread, 2);
    assert_eq!(recall(&mut line, 1, 7).unread, 2, "it was read");
    assert_eq!(recall(&mut line, 5, 8).unread, 1);
    // What the server counted at its head is the truth, the recalls up to there included.
    let told = v1::Session { read_mark: 2, ..row(8, 1, 2) };
    let effects = line.receive(0, Body::SessionChanged(v1::SessionChanged { session: Some(told) }));
    assert_eq!(entry(&effects).unread, 1);
    assert_eq!(recall(&mut line, 3, 9).unread, 0);
}

fn entry_of(effects: Vec<Effect>) -> v1::Session {
    entry(&effects).clone()
}

#[test]
fn the_last_line_follows_its_message_and_never_back() {
    let mut line = with_messages(1, 3);
    let mut content = |id, changed: u64, after| {
        let session = entry_of(push(&mut line, after, changed, vec![edited(id, changed)]));
        session.last.expect("something was said").content
    };
    assert_eq!(content(3, 5, 3), "3 as of 5");
    assert_eq!(content(3, 4, 3), "3 as of 5", "an older state that comes later");
    assert_eq!(content(2, 6, 5), "3 as of 5");
    let effects = push(&mut line, 6, 7, vec![recalled(3, 7)]);
    let last = entry(&effects).last.clone().expect("the line stays");
    assert_eq!((last.server_msg_id, last.content.as_str(), last.state()), (3, "", State::Recalled));
}

/// A device alone that says something and changes it before it has a place, with every cut in between.
#[test]
fn an_edit_of_an_unsent_message_survives_a_cut_at_each_frame() {
    for (served, delivered, crashes) in cuts() {
        let mut world = World::new(false);
        world.run(Action::Flow);
        world.run(Action::Cut { device: 0, served: 0 });
        world.run(Action::Send { device: 0, to: 2, uncounted: false });
        world.run(Action::ChangeUnsent { device: 0, recalls: false });
        world.wait(20_000);
        world.run(Action::Connect { device: 0 });
        world.run(Action::Serve { device: 0, frames: 2 });
        world.run(Action::Deliver { device: 0, frames: 2, skip: 0 });
        world.run(Action::Serve { device: 0, frames: served });
        if crashes {
            world.run(Action::Crash { device: 0, crash: crate::device::Crash::AfterSaving });
        }
        world.run(Action::Deliver { device: 0, frames: delivered, skip: 0 });
        world.run(Action::Cut { device: 0, served: 0 });
        world.settle();
        world.check();
        let log = &world.server.logs[&ConversationId::single(UserId(1), UserId(2))];
        let texts: Vec<_> = log.iter().map(|message| message.content.as_str()).collect();
        assert_eq!(texts, ["edited 1", ""], "{served} served, {delivered} delivered");
    }
}

fn cuts() -> impl Iterator<Item = (usize, usize, bool)> {
    (0..4).flat_map(|served| (0..4).flat_map(move |delivered| [false, true].map(|crash| (served, delivered, crash))))
}

#[test]
fn an_edit_made_offline_of_what_was_recalled_meanwhile_is_refused_and_revives_nothing() {
    let mut world = World::new(false);
    let ours = ConversationId::single(UserId(1), UserId(2));
    world.run(Action::Send { device: 0, to: 2, uncounted: false });
    world.run(Action::Flow);
    world.run(Action::Cut { device: 0, served: 0 });
    world.change(0, ours, 1, crate::How::Edit);
    // The same user, on their other device.
    world.change(1, ours, 1, crate::How::Recall);
    (0..20).for_each(|_| world.serve(1));
    world.settle();
    world.check();
    let message = &world.server.logs[&ours][0];
    assert_eq!((message.state(), message.content.as_str()), (State::Recalled, ""));
    let kept = &world.devices[0].disk.outgoing[0];
    let why = kept.refused.as_ref().and_then(|refused| refused.error_code());
    assert!(matches!(kept.act, Act::Edit(..)) && why == Some(Code::Gone), "{kept:?}");
}

#[test]
fn what_an_own_change_came_to_is_pulled_if_no_push_tells_it() {
    let mut line = with_messages(1, 3);
    let act = Act::Edit(Target::Own("mine".parse().expect("a good id")), Edit::text("new"));
    let client_msg_id = "an-edit".parse().expect("a good id");
    let effects = line.tell(Input::Queue { conversation: ours(), client_msg_id, act, client_time_ms: 0, call: 1 });
    let asked = request(&effects);
    assert!(matches!(&asked.request, Some(Request::Edit(edit)) if edit.content == "new"), "{asked:?}");
    let effects = line.receive(asked.request_id, Body::Sent(v1::Sent { server_msg_id: 4, ..v1::Sent::default() }));
    let is_stored = |effect: &Effect| matches!(effect, Effect::Status { status: Status::Sent(_), .. });
    assert!(effects.iter().any(is_stored) && effects.iter().any(|effect| matches!(effect, Effect::Unfollow(_))));
    assert_eq!(entry(&effects).read_mark, 0, "a change moves no mark");
    assert_eq!(pulls(&effects), [], "a push is on its way");
    let is_behind = |effect: &Effect| matches!(effect, Effect::State(_));
    assert!(!effects.iter().any(is_behind), "{effects:?}");
    line.now += 300;
    assert_eq!(pulls(&line.tell(Input::Tick))[0].1.after, Some(3));
}

#[test]
fn a_server_that_knows_no_changes_is_understood() {
    let (mut line, pull) = told_of(3);
    let answer = v1::Messages { messages: vec![message(2), message(3)], head: 3, more: true, ..page() };
    line.receive(pull.request_id, Body::Messages(answer));
    let effects = line.tell(Input::LoadOlder { conversation: ours(), limit: 10, call: 1 });
    let (asked, pull) = pulls(&effects)[0].clone();
    assert_eq!(pull.before, 2);
    let effects = line.receive(asked, Body::Messages(v1::Messages { messages: vec![message(1)], head: 3, ..page() }));
    assert!(matches!(effects[0], Effect::Answer { call: 1, answer: Ok(_) }), "{effects:?}");
    let effects = line.tell(Input::LoadOlder { conversation: ours(), limit: 10, call: 2 });
    assert_eq!(pulls(&effects), [], "this is the beginning");
}

/// Whoever left is told of no change; the row and the pages say how it is now.
#[test]
fn what_is_recalled_in_a_group_that_one_left_is_taken_from_the_unread_once() {
    let name = ConversationId::Group(GroupId(3)).to_string();
    let of_group = |message: v1::Message| v1::Message { conversation_id: name.clone(), ..message };
    let (group, read_mark) = (Some(v1::Group { group_id: 3, ..v1::Group::default() }), 1);
    let row = |mailbox_seq| {
        let group = group.clone();
        v1::Session { conversation_id: name.clone(), peer: None, group, read_mark, ..row(5, 3, mailbox_seq) }
    };
    let told = |mailbox_seq| Body::SessionChanged(v1::SessionChanged { session: Some(row(mailbox_seq)) });
    // Of 2 to 5 one is recalled, by an entry that they do not see.
    let all: Vec<_> = (1..=5).map(|id| of_group(if id == 3 { recalled(3, 9) } else { message(id) })).collect();
    for first in [1, 3, 4] {
        let mut line = line();
        line.log_in_with(1_000_000);
        let pull = request(&line.receive(0, told(1)));
        let after = first - 1;
        let page =
            v1::Messages { conversation_id: name.clone(), after, through: 5, head: 5, ..v1::Messages::default() };
        let messages = all[after as usize..].to_vec();
        let effects = line.receive(pull.request_id, Body::Messages(v1::Messages { messages, more: after > 0, ..page }));
        assert_eq!(entry(&effects).unread, 3, "from {first}");
        if after > 0 {
            let load = Input::LoadOlder { conversation: ConversationId::Group(GroupId(3)), limit: 10, call: 1 };
            let (asked, _) = pulls(&line.tell(load))[0].clone();
            let older =
                v1::Messages { conversation_id: name.clone(), through: after, head: 5, ..v1::Messages::default() };
            let messages = all[..after as usize].to_vec();
            line.receive(asked, Body::Messages(v1::Messages { messages, ..older }));
        }
        assert_eq!(entry(&line.receive(0, told(2))).unread, 3, "from {first}, told again");
    }
}
