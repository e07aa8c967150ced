//! A server that says anything at all: the engine may end up with nonsense, but never in a panic or a spin.

use anser_client::{
    Act, ConversationId, Draft, GroupId, UserId,
    engine::{Effect, Input},
};
use anser_proto::v1;
use proptest::prelude::*;
use v1::{client_frame::Request, server_frame::Body};

use crate::line::{line, request};

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0..6u64, 2 => 0..2_000u64, 1 => Just(u64::MAX), 1 => Just(u64::MAX - 1), 1 => any::<u64>()]
}

fn conversation() -> impl Strategy<Value = String> {
    let known = [ConversationId::single(UserId(7), UserId(8)), ConversationId::Group(GroupId(3))];
    let own = ConversationId::single(UserId(7), UserId(7));
    prop_oneof![Just(known[0].to_string()), Just(known[1].to_string()), Just(own.to_string()), ".{0,4}"]
}

fn message() -> impl Strategy<Value = v1::Message> {
    let ids = (conversation(), number(), number(), 6..9u64, any::<u8>());
    let kind = prop_oneof![4 => 0..12i32, 1 => 58..82i32];
    let change = (prop_oneof![Just(0), number()], 0..3i32, number());
    (ids, kind, change, prop::option::of((0..9i32, 6..9u64))).prop_map(|(ids, kind, change, notice)| {
        let (changed, state, reply_to) = change;
        let (conversation_id, server_msg_id, count, from_id, client_msg_id) = ids;
        let notice = notice.map(|(kind, user)| v1::Notice {
            kind,
            operator_id: user,
            user_ids: vec![user],
            ..Default::default()
        });
        let (client_msg_id, r#type) = (format!("{}", client_msg_id % 4), kind);
        v1::Message {
            conversation_id,
            server_msg_id,
            count,
            from_id,
            client_msg_id,
            r#type,
            notice,
            changed,
            state,
            reply_to,
            ..v1::Message::default()
        }
    })
}

fn session() -> impl Strategy<Value = v1::Session> {
    let marks = (number(), number(), number(), number(), number());
    (conversation(), marks, number(), number(), prop::option::of(0..4i32)).prop_map(|(id, marks, unread, seq, role)| {
        let (head, read_mark, delivered_mark, peer_read_mark, peer_delivered_mark) = marks;
        let group = role.map(|role| v1::Group { role, ..v1::Group::default() });
        v1::Session {
            conversation_id: id,
            head,
            unread,
            read_mark,
            delivered_mark,
            peer_read_mark,
            peer_delivered_mark,
            peer: group.is_none().then(v1::User::default),
            group,
            mailbox_seq: seq,
            ..v1::Session::default()
        }
    })
}

fn changes() -> impl Strategy<Value = Vec<v1::Change>> {
    let change = (number(), number(), any::<bool>()).prop_map(|(mailbox_seq, user_id, contact)| {
        let user = Some(v1::User { user_id, ..v1::User::default() });
        let now = match contact {
            true => v1::change::Now::Contact(v1::Contact { user, state: 1, ..v1::Contact::default() }),
            false => v1::change::Now::Blocked(v1::Blocked { user, since_ms: mailbox_seq }),
        };
        v1::Change { mailbox_seq, now: Some(now) }
    });
    prop::collection::vec(change, 0..3)
}

fn body() -> impl Strategy<Value = Body> {
    let some = || prop::collection::vec(message(), 0..6);
    let range = || (number(), number(), some());
    let messages = (conversation(), some(), any::<bool>(), number(), range());
    let page = (prop::collection::vec(session(), 0..4), changes(), number(), any::<bool>(), any::<bool>());
    let marked = (number(), number(), number(), number());
    prop_oneof![
        messages.prop_map(|(conversation_id, messages, more, head, (after, through, changed))| {
            let references = Vec::new();
            Body::Messages(v1::Messages {
                conversation_id,
                messages,
                more,
                head,
                after,
                through,
                changed,
                references,
                nicknames: Vec::new(),
            })
        }),
        (conversation(), range(), number()).prop_map(|(conversation_id, (after, through, changed), mailbox_seq)| {
            Body::MessagesChanged(v1::MessagesChanged {
                conversation_id,
                after,
                through,
                changed,
                mailbox_seq,
                nicknames: Vec::new(),
            })
        }),
        page.prop_map(|(sessions, changes, mailbox_seq, caught_up, reset)| Body::SyncPage(v1::SyncPage {
            sessions,
            mailbox_seq,
            caught_up,
            profile: None,
            groups_behind: mailbox_seq % 2 == 1,
            changes,
            reset
        })),
        changes().prop_map(|changes| Body::Changed(v1::Changed { changes })),
        (message(), number(), prop::collection::vec(message(), 0..3)).prop_map(|(message, mailbox_seq, changed)| {
            Body::Message(v1::MessageEvent { message: Some(message), mailbox_seq, changed })
        }),
        session().prop_map(|session| Body::SessionChanged(v1::SessionChanged { session: Some(session) })),
        marked.prop_map(|(read_mark, delivered_mark, unread, mailbox_seq)| Body::Marked(v1::Marked {
            read_mark,
            delivered_mark,
            unread,
            mailbox_seq
        })),
        (conversation(), number(), number(), number()).prop_map(|(id, read_mark, delivered_mark, mailbox_seq)| {
            let conversation_id = id;
            Body::Receipt(v1::Receipt { conversation_id, user_id: 8, read_mark, delivered_mark, mailbox_seq })
        }),
        (number(), number(), number()).prop_map(|(server_msg_id, count, mailbox_seq)| Body::Sent(v1::Sent {
            server_msg_id,
            count,
            mailbox_seq,
            server_time_ms: count
        })),
        any::<i32>().prop_map(|code| Body::Error(v1::Error { code, message: String::new(), retry_after_ms: u32::MAX })),
        (0..999i32).prop_map(|code| Body::Error(v1::Error { code, ..v1::Error::default() })),
        any::<u32>().prop_map(|reconnect_after_ms| Body::Draining(v1::Draining { reconnect_after_ms })),
        Just(Body::Lagged(v1::Lagged {})),
        Just(Body::Done(v1::Done {})),
    ]
}

#[derive(Clone, Debug)]
enum Said {
    /// In answer to what was asked so many requests ago.
    Answer(u32, Body),
    Event(Body),
    Wait,
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        5 => (0..6u32, body()).prop_map(|(back, body)| Said::Answer(back, body)),
        2 => body().prop_map(Said::Event),
        2 => Just(Said::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_a_server_says_is_a_panic(conversation in session(), said in prop::collection::vec(said(), 1..40)) {
        let mut line = line();
        line.log_in();
        let mut asked = 0;
        line.receive(0, Body::SessionChanged(v1::SessionChanged { session: Some(conversation) }));
        for (at, said) in said.into_iter().enumerate() {
            let ours = ConversationId::single(UserId(7), UserId(8));
            let effects = match said {
                Said::Answer(back, body) => line.receive(u32::max(asked, back) - back, body),
                Said::Event(body) => line.receive(0, body),
                Said::Wait if line.engine.wake_at().is_some() => {
                    let effects = line.wait();
                    if effects.contains(&Effect::Connect) { line.log_in() } else { effects }
                }
                Said::Wait => line.tell(Input::Tick),
            };
            for effect in &effects {
                if let Effect::Transmit(frame) = effect {
                    asked = asked.max(frame.request_id);
                }
            }
            let id = (at % 4).to_string().parse().expect("a good id");
            let act = [Draft::text("x").into(), Act::Recall(3.into()), Act::React(2, vec!["x".into()])][at % 3].clone();
            line.tell(Input::Queue { conversation: ours, client_msg_id: id, act, client_time_ms: 0, call: 1 });
            line.tell(Input::LoadOlder { conversation: ours, limit: 5, call: 2 });
            line.tell(Input::MarkRead { conversation: ours, server_msg_id: u64::MAX, count: None });
        }
    }
}

#[test]
fn an_empty_page_that_is_not_the_last_is_asked_for_again_later() {
    let mut line = line();
    line.log_in();
    let ours = ConversationId::single(UserId(7), UserId(8)).to_string();
    let session = v1::Session {
        conversation_id: ours.clone(),
        head: 5,
        peer: Some(v1::User::default()),
        mailbox_seq: 1,
        ..v1::Session::default()
    };
    let pull = request(&line.receive(0, Body::SessionChanged(v1::SessionChanged { session: Some(session) })));
    assert!(matches!(pull.request, Some(Request::Pull(_))));
    let empty = v1::Messages { conversation_id: ours, more: true, head: 5, ..v1::Messages::default() };
    let effects = line.receive(pull.request_id, Body::Messages(empty));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Transmit(_))), "{effects:?}");
    line.now += 1_000;
    assert!(matches!(request(&line.tell(Input::Tick)).request, Some(Request::Pull(_))));
}
