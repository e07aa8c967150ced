//! The judge on doctored recordings: whatever is done to a clean play must be found, and named for what it is.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anser_proto::{ConversationId, GroupId, UserId, v1};

use super::{
    super::{
        record::{Act, DeviceRecord, Handed, Manner, Pushes, Run, Seen, Truth, View},
        stage::Conditions,
    },
    PUSH_MAX, Verdict, judge,
};

mod away;
mod changes;

const ANN: u64 = 1;
const BOB: u64 = 2;
const GROUP: ConversationId = ConversationId::Group(GroupId(9));

/// A small play: Ann makes a group and says two things, Bob joins, both say something, and they write to each other.
struct Play {
    handed: Vec<Handed>,
    devices: Vec<DeviceRecord>,
    truth: Truth,
}

fn single() -> ConversationId {
    ConversationId::single(UserId(ANN), UserId(BOB))
}

fn notice(kind: v1::notice::Kind, user_ids: &[u64]) -> v1::Message {
    v1::Message {
        r#type: v1::message::Type::Notice.into(),
        notice: Some(v1::Notice {
            kind: kind.into(),
            operator_id: ANN,
            user_ids: user_ids.to_vec(),
            ..Default::default()
        }),
        settings: Some(v1::Settings { uncounted: true }),
        from_id: ANN,
        ..v1::Message::default()
    }
}

fn text(from_id: u64, number: u32) -> v1::Message {
    v1::Message {
        client_msg_id: format!("play-{number}"),
        from_id,
        from_device_id: format!("device-{from_id}"),
        from_nickname: "nick".to_owned(),
        r#type: v1::message::Type::Text.into(),
        content: format!("line {number}"),
        ..v1::Message::default()
    }
}

fn log(conversation: ConversationId, messages: Vec<v1::Message>) -> Vec<v1::Message> {
    let mut count = 0;
    let place = |(server_msg_id, message): (u64, v1::Message)| {
        count += u64::from(!message.settings.unwrap_or_default().uncounted);
        v1::Message { conversation_id: conversation.to_string(), server_msg_id, count, ..message }
    };
    (1..).zip(messages).map(place).collect()
}

fn session(conversation: ConversationId, head: u64, unread: u64, read_mark: u64) -> (ConversationId, v1::Session) {
    let conversation_id = conversation.to_string();
    (conversation, v1::Session { conversation_id, head, unread, read_mark, ..v1::Session::default() })
}

fn device(user: u64, seen: &[(ConversationId, &[v1::Message])], truth: &Truth, now: Instant) -> DeviceRecord {
    let others = |message: &&v1::Message| message.from_device_id != format!("device-{user}");
    let places = |(conversation, messages): &(ConversationId, &[v1::Message])| {
        let conversation = *conversation;
        messages.iter().filter(others).map(move |m| ((conversation, m.server_msg_id), now)).collect::<Vec<_>>()
    };
    let pushed = seen.iter().flat_map(places);
    let seen_of = |messages: &[v1::Message]| messages.iter().map(Seen::of).collect::<Vec<_>>();
    let kept = seen.iter().map(|(conversation, messages)| (*conversation, seen_of(messages))).collect();
    let shown = seen.iter().flat_map(|(conversation, messages)| messages.iter().map(|m| (*conversation, Seen::of(m))));
    DeviceRecord {
        name: format!("device-{user}"),
        device_id: format!("device-{user}"),
        user: UserId(user),
        runs: vec![Run { shown: shown.collect(), ..Run::default() }],
        kept,
        sessions: truth.sessions[&UserId(user)].values().cloned().collect(),
        pushes: Pushes { first: pushed.collect(), ..Pushes::default() },
        file: None,
    }
}

/// As the logs have them, in each list.
fn tell_last_lines(truth: &mut Truth) {
    let last: BTreeMap<_, _> =
        truth.views.iter().map(|view| (view.conversation, view.messages.last().cloned())).collect();
    for (conversation, session) in truth.sessions.values_mut().flatten() {
        session.last = last[conversation].as_ref().map(|message| v1::Preview {
            server_msg_id: message.server_msg_id,
            content: message.content.clone(),
            state: message.state,
            ..v1::Preview::default()
        });
    }
}

impl Play {
    fn new() -> Self {
        use v1::notice::Kind::{Created, Joined};
        let group = log(
            GROUP,
            vec![
                notice(Created, &[ANN]),
                text(ANN, 0),
                text(ANN, 1),
                notice(Joined, &[BOB]),
                text(BOB, 2),
                text(ANN, 3),
            ],
        );
        let chat = log(single(), vec![text(ANN, 4), text(BOB, 5), text(BOB, 6)]);
        let mut truth = Truth { play: "play".to_owned(), ..Truth::default() };
        for (reader, conversation, messages) in [(ANN, GROUP, &group), (ANN, single(), &chat), (BOB, single(), &chat)] {
            truth.views.push(View {
                reader: UserId(reader),
                conversation,
                messages: messages.clone(),
                head: messages.len() as u64,
            });
        }
        let mut mine = session(single(), 3, 2, 1);
        let mut theirs = session(single(), 3, 0, 3);
        (mine.1.peer_read_mark, theirs.1.peer_read_mark) = (3, 1);
        truth.sessions.insert(UserId(ANN), [session(GROUP, 6, 0, 6), mine].into());
        truth.sessions.insert(UserId(BOB), [session(GROUP, 6, 1, 5), theirs].into());
        tell_last_lines(&mut truth);
        let now = Instant::now();
        let devices = vec![
            device(ANN, &[(GROUP, &group), (single(), &chat)], &truth, now),
            device(BOB, &[(GROUP, &group[3..]), (single(), &chat)], &truth, now),
        ];
        let said = group.iter().map(|message| (GROUP, message)).chain(chat.iter().map(|message| (single(), message)));
        let handed = said.filter(|(_, message)| message.notice.is_none()).map(|(conversation, message)| Handed {
            client_msg_id: message.client_msg_id.clone(),
            user: UserId(message.from_id),
            device_id: message.from_device_id.clone(),
            conversation,
            act: Act::Say { content: message.content.clone(), manner: Manner::Talk },
            nickname: message.from_nickname.clone(),
            acked: Some(message.server_msg_id),
            acked_at: Some(now),
            refused: None,
        });
        Self { handed: handed.collect(), devices, truth }
    }

    fn views(&mut self, conversation: ConversationId) -> impl Iterator<Item = &mut Vec<v1::Message>> {
        self.truth.views.iter_mut().filter(move |view| view.conversation == conversation).map(|view| &mut view.messages)
    }
}

/// `[duplicates, misordered, missing, ghosts, unread_errors]` after a fault was put in.
fn check(doctor: impl FnOnce(&mut Play), expected: [u64; 5]) {
    let mut play = Play::new();
    doctor(&mut play);
    let verdict = judge(Conditions::Calm, &play.handed, &play.devices, &play.truth);
    let Verdict { duplicates, misordered, missing, ghosts, unread_errors, unpushed, ref witnesses, .. } = verdict;
    let found = [duplicates, misordered, missing, ghosts, unread_errors];
    assert_eq!((found, unpushed), (expected, 0), "{witnesses:#?}");
    assert_eq!(verdict.witnesses.is_empty(), expected == [0; 5]);
}

#[test]
fn a_clean_play_is_clean() {
    check(|_| {}, [0, 0, 0, 0, 0]);
}

#[test]
fn a_message_that_a_device_never_showed_is_missing() {
    let lose = |play: &mut Play| _ = play.devices[1].runs[0].shown.remove(1);
    check(lose, [0, 0, 1, 0, 0]);
}

#[test]
fn a_message_that_is_shown_but_not_kept_is_missing() {
    let lose = |play: &mut Play| _ = play.devices[1].kept.get_mut(&single()).expect("their chat").pop();
    check(lose, [0, 0, 1, 0, 0]);
}

#[test]
fn a_message_shown_twice_is_a_duplicate_also_after_a_restart() {
    check(
        |play| {
            let seen = play.devices[1].runs[0].shown[2];
            play.devices[1].runs[0].shown.insert(3, seen);
        },
        [1, 0, 0, 0, 0],
    );
    check(
        |play| {
            let (kept, seen) = (play.devices[1].kept.clone(), play.devices[1].runs[0].shown[2]);
            play.devices[1].runs.push(Run { kept, shown: vec![seen], ..Run::default() });
        },
        [1, 0, 0, 0, 0],
    );
}

#[test]
fn a_restart_draws_what_was_kept_and_goes_on() {
    check(
        |play| {
            let device = &mut play.devices[1];
            let rest = device.runs[0].shown.split_off(2);
            let kept = [(GROUP, device.runs[0].shown.iter().map(|(_, seen)| *seen).collect())].into();
            device.runs.push(Run { kept, shown: rest, ..Run::default() });
        },
        [0, 0, 0, 0, 0],
    );
}

#[test]
fn two_messages_that_changed_places_are_misordered() {
    check(|play| play.devices[0].runs[0].shown.swap(1, 2), [0, 1, 0, 0, 0]);
}

#[test]
fn another_text_at_the_right_place_is_a_ghost_as_shown_and_as_kept() {
    check(
        |play| {
            play.devices[0].runs[0].shown[1].1.print ^= 1;
            play.devices[0].kept.get_mut(&GROUP).expect("the group")[1].print ^= 1;
        },
        [0, 0, 0, 2, 0],
    );
}

/// `doctor` forges one thing that only a device has.
fn check_only_here(doctor: impl FnOnce(&mut Play)) {
    let mut play = Play::new();
    doctor(&mut play);
    let verdict = judge(Conditions::Usual, &play.handed, &play.devices, &play.truth);
    assert_eq!((verdict.only_on_devices, verdict.witnesses.len()), (1, 1), "{:#?}", verdict.witnesses);
}

#[test]
fn what_is_shown_or_kept_and_not_in_the_store_is_only_on_the_device() {
    let forged = Seen::of(&v1::Message { server_msg_id: 7, ..text(ANN, 99) });
    let elsewhere = ConversationId::single(UserId(BOB), UserId(77));
    for conversation in [GROUP, elsewhere] {
        check_only_here(|play| play.devices[1].runs[0].shown.push((conversation, forged)));
        check_only_here(|play| play.devices[1].kept.entry(conversation).or_default().push(forged));
        check_only_here(|play| play.devices[1].runs[0].kept.entry(conversation).or_default().push(forged));
    }
    check_only_here(|play| play.devices[1].runs[0].shown.insert(0, (GROUP, Seen { server_msg_id: 0, ..forged })));
}

#[test]
fn what_a_device_took_for_sent_and_is_not_in_the_store_is_only_there() {
    check_only_here(|play| play.handed.push(Handed { client_msg_id: "play-7".into(), ..play.handed[0].clone() }));
}

#[test]
fn a_conversation_in_the_list_of_a_device_alone_is_only_there() {
    check_only_here(|play| play.devices[1].sessions.push(session(ConversationId::Group(GroupId(10)), 0, 0, 0).1));
}

#[test]
fn what_others_said_before_this_play_is_known_by_the_list_of_the_server() {
    let (earlier, listed) = session(ConversationId::Group(GroupId(5)), 7, 0, 7);
    let forge = |place: u64| {
        let listed = listed.clone();
        move |play: &mut Play| {
            play.truth.sessions.get_mut(&UserId(BOB)).expect("Bob's list").insert(earlier, listed.clone());
            play.devices[1].sessions.push(listed);
            let seen = Seen { server_msg_id: place, print: 1, changed: 0, state: 1 };
            play.devices[1].kept.entry(earlier).or_default().push(seen);
        }
    };
    check(forge(7), [0; 5]);
    check_only_here(forge(8));
}

#[test]
fn what_was_said_before_one_joined_is_a_ghost() {
    check(
        |play| {
            let early = play.devices[0].runs[0].shown[1];
            play.devices[1].runs[0].shown.insert(0, early);
        },
        [0, 0, 0, 1, 0],
    );
}

#[test]
fn a_wrong_unread_count_is_found_on_the_server_and_on_a_device() {
    // The server's count is wrong, and so the device's right one is another.
    let miscount = |play: &mut Play| {
        let sessions = play.truth.sessions.get_mut(&UserId(BOB)).expect("Bob's list");
        sessions.get_mut(&GROUP).expect("the group").unread = 2;
    };
    check(miscount, [0, 0, 0, 0, 2]);
    check(|play| play.devices[0].sessions[0].unread += 1, [0, 0, 0, 0, 1]);
    check(|play| _ = play.devices[0].sessions.pop(), [0, 0, 0, 0, 1]);
}

#[test]
fn what_was_said_and_is_not_in_the_log_or_elsewhere_than_acknowledged_is_missing() {
    let unsent = |one: &Handed| Handed { client_msg_id: "play-7".into(), acked: None, ..one.clone() };
    check(|play| play.handed.push(unsent(&play.handed[0])), [0, 0, 1, 0, 0]);
    check(|play| play.handed[0].acked = Some(3), [0, 0, 1, 0, 0]);
}

#[test]
fn what_is_stored_as_another_type_than_it_was_said_is_a_ghost() {
    check(|play| play.handed[0].act = Act::Say { content: "line 0".into(), manner: Manner::Action }, [0, 0, 0, 1, 0]);
}

#[test]
fn what_is_stored_twice_or_was_never_said_is_found() {
    // The last of the log once more, for everybody to see: nobody showed it, and all counts are behind.
    let append = |play: &mut Play, message: v1::Message| {
        play.views(GROUP).for_each(|log| log.push(v1::Message { server_msg_id: 7, ..message.clone() }));
    };
    let mut play = Play::new();
    append(&mut play, text(ANN, 3));
    assert_eq!(judge(Conditions::Calm, &play.handed, &play.devices, &play.truth).duplicates, 1);
    let mut play = Play::new();
    append(&mut play, text(ANN, 8));
    assert_eq!(judge(Conditions::Calm, &play.handed, &play.devices, &play.truth).ghosts, 1);
}

#[test]
fn what_one_device_said_must_be_stored_in_that_order() {
    check(|play| play.handed.swap(0, 1), [0, 1, 0, 0, 0]);
}

#[test]
fn both_parties_read_the_same_log() {
    let mut play = Play::new();
    play.truth.views[2].messages[0].content = "another".into();
    assert_eq!(judge(Conditions::Calm, &play.handed, &play.devices, &play.truth).ghosts, 1);
}

#[test]
fn a_hole_in_the_log_is_found() {
    let mut play = Play::new();
    play.views(GROUP).for_each(|log| log[5].server_msg_id = 7);
    assert!(judge(Conditions::Calm, &play.handed, &play.devices, &play.truth).missing > 0);
}

/// Pushes that did not come in time after `doctor`, which does nothing that shows at the end.
fn check_pushes(doctor: impl FnOnce(&mut Play), expected: u64) {
    let mut play = Play::new();
    doctor(&mut play);
    let [calm, usual] = [Conditions::Calm, Conditions::Usual]
        .map(|conditions| judge(conditions, &play.handed, &play.devices, &play.truth));
    assert_eq!((calm.unpushed, calm.witnesses.is_empty()), (expected, expected == 0), "{:#?}", calm.witnesses);
    assert!(usual.witnesses.is_empty() && usual.pushed == 0, "{:#?}", usual.witnesses);
}

#[test]
fn in_calm_weather_every_message_and_notice_is_pushed() {
    // The notice that Bob joined, and what Ann said after that.
    for place in [4, 6] {
        check_pushes(|play| _ = play.devices[1].pushes.first.remove(&(GROUP, place)), 1);
    }
    check_pushes(|play| play.devices[0].pushes.first.clear(), 5);
    // One's own comes as an answer, and is no push.
    check_pushes(|play| assert!(!play.devices[1].pushes.first.contains_key(&(GROUP, 5))), 0);
}

#[test]
fn a_push_that_comes_late_is_found_by_its_acknowledgement_or_by_that_of_the_next() {
    let late_by = |late: Duration| {
        move |place: u64| {
            move |play: &mut Play| *play.devices[1].pushes.first.get_mut(&(GROUP, place)).expect("a push") += late
        }
    };
    for place in [4, 6] {
        check_pushes(late_by(PUSH_MAX)(place), 0);
        check_pushes(late_by(PUSH_MAX + Duration::from_millis(1))(place), 1);
    }
}

#[test]
fn in_calm_weather_nobody_loses_a_connection() {
    check_pushes(|play| play.devices[1].pushes.lost = 3, 1);
}

#[test]
fn a_push_of_what_was_stored_at_no_known_time_does_not_count_as_fast() {
    let leave = |times: u64| {
        move |play: &mut Play| {
            for place in 7..7 + times {
                let left = notice(v1::notice::Kind::Unknown, &[]);
                play.views(GROUP).for_each(|log| log.push(v1::Message { server_msg_id: place, ..left.clone() }));
                let long_ago = play.handed[0].acked_at.expect("it is acknowledged") + 9 * PUSH_MAX;
                play.devices.iter_mut().for_each(|one| _ = one.pushes.first.insert((GROUP, place), long_ago));
            }
        }
    };
    let judged = |doctor: &dyn Fn(&mut Play)| {
        let mut play = Play::new();
        doctor(&mut play);
        let verdict = judge(Conditions::Calm, &play.handed, &play.devices, &play.truth);
        (verdict.pushed, verdict.untimed, verdict.unpushed)
    };
    // One in four is as many as may be.
    assert_eq!(judged(&leave(1)), (8 + 2, 2, 0));
    assert_eq!(judged(&leave(2)), (8 + 4, 4, 1));
    // Somebody's own words are acknowledged to them, or something is wrong: here Ann's last ones, which Bob has.
    assert_eq!(judged(&|play| play.handed[3].acked_at = None), (8, 1, 1));
}

#[test]
fn nobody_is_pushed_what_was_said_in_an_earlier_play_on_the_same_server() {
    let mut play = Play::new();
    play.views(single()).for_each(|log| log[0].client_msg_id = "earlier-4".into());
    play.handed.retain(|one| one.client_msg_id != "play-4");
    play.devices[1].pushes.first.remove(&(single(), 1)).expect("Bob was pushed it");
    let verdict = judge(Conditions::Calm, &play.handed, &play.devices, &play.truth);
    assert_eq!((verdict.pushed, verdict.unpushed), (7, 0), "{:#?}", verdict.witnesses);
}

/// What is found after a fault was put into a play, by the kinds of faults.
fn check_kinds(mut play: Play, doctor: impl FnOnce(&mut Play), expected: &[(&str, u64)]) {
    doctor(&mut play);
    let verdict = judge(Conditions::Calm, &play.handed, &play.devices, &play.truth);
    let found = [
        ("duplicates", verdict.duplicates),
        ("misordered", verdict.misordered),
        ("missing", verdict.missing),
        ("ghosts", verdict.ghosts),
        ("unread", verdict.unread_errors),
        ("only on devices", verdict.only_on_devices),
        ("stale", verdict.stale),
        ("returned", verdict.returned),
        ("unexplained", verdict.unexplained),
        ("unpushed", verdict.unpushed),
    ];
    let found: Vec<_> = found.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(found, expected, "{:#?}", verdict.witnesses);
}
