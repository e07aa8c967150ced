//! The judge on doctored recordings: whatever is done to a clean play must be found, and named for what it is.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anser_proto::{ConversationId, GroupId, UserId, v1};

use super::{
    super::{
        record::{Act, Away, DeviceRecord, Handed, Manner, Pushes, Run, Seen, Truth, View},
        stage::Conditions,
    },
    PUSH_MAX, Verdict, judge,
};

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
        let mut truth = Truth::default();
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

/// The same play, in which Ann edits her first line (7), Bob reacts to his (8), and Ann recalls her second (9) and last (10) one.
fn changed_play() -> Play {
    let mut play = Play::new();
    play.views(GROUP).for_each(|log| {
        (log[1].content, log[1].changed, log[1].edits) = ("line 0, better".to_owned(), 7, 1);
        let reaction = v1::Reaction { emoji: "🦆".to_owned(), count: 1, user_ids: vec![BOB], mine: false };
        (log[4].reactions, log[4].changed) = (vec![reaction], 8);
        for (place, changed) in [(2, 9), (5, 10)] {
            (log[place].content, log[place].changed) = (String::new(), changed);
            (log[place].state, log[place].recalled_by) = (v1::message::State::Recalled.into(), ANN);
        }
    });
    play.truth.views.iter_mut().filter(|view| view.conversation == GROUP).for_each(|view| view.head = 10);
    for (user, sessions) in &mut play.truth.sessions {
        let session = sessions.get_mut(&GROUP).expect("the group");
        // Bob had not read what is recalled now.
        (session.head, session.unread) = (10, 0);
        assert_eq!(session.read_mark, if user.0 == ANN { 6 } else { 5 });
    }
    tell_last_lines(&mut play.truth);
    let log = play.truth.views[0].messages.clone();
    let now = Instant::now();
    for device in &mut play.devices {
        device.sessions = play.truth.sessions[&device.user].values().cloned().collect();
        for seen in device.kept.get_mut(&GROUP).expect("the group") {
            *seen = Seen::of(&log[seen.server_msg_id as usize - 1]);
        }
        let told = |message: &&v1::Message| message.changed > 0 && (device.user.0 == ANN || message.server_msg_id > 3);
        let mut told: Vec<_> = log.iter().filter(told).map(|message| (GROUP, Seen::of(message))).collect();
        told.sort_by_key(|(_, seen)| seen.changed);
        device.runs[0].changed = told;
        device.pushes.changes = (7..=10).map(|place| (GROUP, place..=place, now)).collect();
    }
    let acts = [
        (ANN, Act::Edit { target: "play-0".into(), content: "line 0, better".into() }),
        (BOB, Act::React { place: 5, emojis: vec!["🦆".into()] }),
        (ANN, Act::Recall { target: "play-1".into() }),
        (ANN, Act::Recall { target: "play-3".into() }),
    ];
    for (place, (user, act)) in (7..).zip(acts) {
        play.handed.push(Handed {
            client_msg_id: format!("play-{place}"),
            user: UserId(user),
            device_id: format!("device-{user}"),
            conversation: GROUP,
            act,
            nickname: "nick".to_owned(),
            acked: Some(place),
            acked_at: Some(now),
            refused: None,
        });
    }
    play
}

/// What is found after a fault was put into it, by the kinds of faults.
fn check_changed(doctor: impl FnOnce(&mut Play), expected: &[(&str, u64)]) {
    check_kinds(changed_play(), doctor, expected);
}

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

#[test]
fn a_play_in_which_messages_are_changed_is_clean() {
    check_changed(|_| {}, &[]);
}

#[test]
fn a_message_that_is_not_as_its_changes_leave_it_is_stale_in_the_log() {
    let doctors: [fn(&mut v1::Message); 4] = [
        |message| message.content = "line 0".into(),
        |message| message.edits = 2,
        |message| message.changed = 8,
        |message| message.reactions.push(v1::Reaction { emoji: "🎉".into(), count: 1, ..Default::default() }),
    ];
    for doctor in doctors {
        // Ann's device keeps and shows what the log had before.
        let mut play = changed_play();
        play.views(GROUP).for_each(|log| doctor(&mut log[1]));
        let verdict = judge(Conditions::Usual, &play.handed, &play.devices, &play.truth);
        assert_eq!(verdict.stale, 1 + if play.truth.views[0].messages[1].changed > 7 { 2 } else { 0 });
    }
    // A text that came back.
    let mut play = changed_play();
    play.views(GROUP).for_each(|log| log[2].content = "line 1".into());
    assert_eq!(judge(Conditions::Usual, &play.handed, &play.devices, &play.truth).stale, 1);
}

#[test]
fn a_device_that_missed_a_change_is_stale_in_its_store_and_on_its_screen() {
    let before = |play: &Play, at: usize| play.devices[0].runs[0].shown[at].1;
    check_changed(
        |play| play.devices[0].kept.get_mut(&GROUP).expect("the group")[1] = before(play, 1),
        &[("stale", 1)],
    );
    check_changed(|play| _ = play.devices[0].runs[0].changed.remove(2), &[("stale", 1)]);
    // What a run before was told of does not stand on the screen of the next, unless its store has it.
    check_changed(
        |play| {
            let kept = [(GROUP, play.devices[0].runs[0].shown[..6].iter().map(|(_, seen)| *seen).collect())].into();
            play.devices[0].runs.push(Run { kept, ..Run::default() });
        },
        &[("stale", 4)],
    );
}

#[test]
fn who_left_is_told_of_no_change_after_that() {
    check_changed(
        |play| {
            let leaving = v1::Message {
                conversation_id: GROUP.to_string(),
                server_msg_id: 11,
                count: 4,
                changed: 0,
                ..notice(v1::notice::Kind::Left, &[BOB])
            };
            // Bob leaves, and then Ann edits again.
            play.views(GROUP).for_each(|log| {
                log.push(leaving.clone());
                (log[1].content, log[1].changed, log[1].edits) = ("the best".to_owned(), 12, 2);
                (log[4].reactions, log[4].changed) = (Vec::new(), 13);
            });
            play.truth.views[0].head = 13;
            for (user, sessions) in &mut play.truth.sessions {
                sessions.get_mut(&GROUP).expect("the group").head = if user.0 == ANN { 13 } else { 11 };
            }
            tell_last_lines(&mut play.truth);
            let (log, now) = (play.truth.views[0].messages.clone(), Instant::now());
            for device in &mut play.devices {
                device.sessions = play.truth.sessions[&device.user].values().cloned().collect();
                device.kept.get_mut(&GROUP).expect("the group").push(Seen::of(&leaving));
                device.runs[0].shown.push((GROUP, Seen::of(&leaving)));
                device.pushes.first.insert((GROUP, 11), now);
            }
            let ann = &mut play.devices[0];
            for (at, place) in [(1, 12..=12), (4, 13..=13)] {
                ann.kept.get_mut(&GROUP).expect("the group")[at] = Seen::of(&log[at]);
                ann.runs[0].changed.push((GROUP, Seen::of(&log[at])));
                ann.pushes.changes.push((GROUP, place, now));
            }
            let first = play.handed.iter().find(|one| one.client_msg_id == "play-7").expect("the first edit").clone();
            let edit = Act::Edit { target: "play-0".into(), content: "the best".into() };
            play.handed.push(Handed { client_msg_id: "play-12".into(), acked: Some(12), act: edit, ..first.clone() });
            // One of before, which its user took back by another device.
            let back = Act::React { place: 5, emojis: Vec::new() };
            let (user, device_id) = (UserId(BOB), "another".to_owned());
            let id = "play-13".into();
            play.handed.push(Handed { client_msg_id: id, user, device_id, acked: Some(13), act: back, ..first });
        },
        &[],
    );
}

#[test]
fn a_change_that_is_told_again_or_after_a_newer_one_is_found() {
    check_changed(
        |play| {
            let again = play.devices[0].runs[0].changed[1];
            play.devices[0].runs[0].changed.push(again);
        },
        &[("duplicates", 1)],
    );
    check_changed(
        |play| {
            let mut older = play.devices[0].runs[0].changed[2];
            older.1.changed = 8;
            play.devices[0].runs[0].changed.push(older);
        },
        &[("misordered", 1)],
    );
    // A state that the log never had.
    check_changed(|play| play.devices[1].runs[0].changed[0].1.state ^= 1, &[("ghosts", 1)]);
}

#[test]
fn a_change_without_a_place_and_a_place_without_a_message_or_a_change_are_missing() {
    check_changed(|play| play.handed[8].acked = None, &[("missing", 2), ("stale", 1)]);
    // Its row says that something changed it, and nobody did.
    check_changed(|play| _ = play.handed.remove(8), &[("missing", 1), ("stale", 1)]);
}

#[test]
fn what_a_device_changes_is_in_order_with_what_it_says() {
    check_changed(|play| play.handed.swap(7, 9), &[("misordered", 1)]);
}

#[test]
fn a_recalled_message_that_counts_as_unread_is_found() {
    check_changed(
        |play| {
            play.devices[1].sessions.iter_mut().filter(|of| of.head == 10).for_each(|of| of.unread = 1);
        },
        &[("unread", 1)],
    );
    check_changed(
        |play| {
            let session = play.truth.sessions.get_mut(&UserId(BOB)).and_then(|of| of.get_mut(&GROUP));
            session.expect("the group").unread = 1;
        },
        &[("unread", 2)],
    );
}

#[test]
fn a_last_line_with_words_of_before_is_stale() {
    let forge = |play: &mut Play| {
        let session = play.truth.sessions.get_mut(&UserId(ANN)).and_then(|of| of.get_mut(&GROUP)).expect("the group");
        session.last.as_mut().expect("a last line").content = "line 3".into();
    };
    check_changed(forge, &[("unread", 1), ("stale", 1)]);
}

#[test]
fn a_refusal_needs_a_reason_in_the_log() {
    let refused = |code: anser_proto::ErrorCode, target: &str| {
        let act = Act::Edit { target: target.into(), content: "too late".into() };
        move |play: &mut Play| {
            let first = play.handed[7].clone();
            let id = "play-20".into();
            play.handed.push(Handed { client_msg_id: id, acked: None, refused: Some(code.into()), act, ..first });
        }
    };
    check_changed(refused(anser_proto::ErrorCode::Gone, "play-1"), &[]);
    check_changed(refused(anser_proto::ErrorCode::Gone, "play-0"), &[("unexplained", 1)]);
    check_changed(refused(anser_proto::ErrorCode::TooLate, "play-1"), &[("unexplained", 1)]);
    check_changed(refused(anser_proto::ErrorCode::NotMember, "play-0"), &[("unexplained", 1)]);
    check_changed(refused(anser_proto::ErrorCode::NotFound, "play-0"), &[("unexplained", 1)]);
    check_changed(refused(anser_proto::ErrorCode::Muted, "play-0"), &[("unexplained", 1)]);
    let mut play = changed_play();
    refused(anser_proto::ErrorCode::Muted, "play-0")(&mut play);
    let muted = v1::Message { server_msg_id: 11, ..notice(v1::notice::Kind::Muted, &[ANN]) };
    play.views(GROUP).for_each(|log| log.push(muted.clone()));
    let mut verdict = Verdict::default();
    super::present::judge_refusals(&mut verdict, &play.handed, &super::logs::logs_of(&play.truth));
    assert_eq!((verdict.refused, verdict.unsaid, verdict.unexplained), (1, 0, 0), "{:?}", verdict.witnesses);
}

#[test]
fn in_calm_weather_every_change_is_pushed() {
    check_changed(|play| _ = play.devices[0].pushes.changes.remove(1), &[("unpushed", 1)]);
    check_changed(|play| play.devices[1].pushes.changes[3].2 += 2 * PUSH_MAX, &[("unpushed", 1)]);
}

#[test]
fn what_was_taken_back_is_known_by_its_users_as_far_as_they_were_told() {
    let play = changed_play();
    let gone = |user| super::taken_back(&play.handed, &play.truth, user);
    assert_eq!(gone(None), ["line 0", "line 1", "line 3"]);
    assert_eq!(gone(Some(UserId(ANN))), gone(None));
    assert_eq!(gone(Some(UserId(77))), [""; 0]);
}

/// The play in which Ann hides what Bob said to her first, and Bob clears the group up to his own line.
fn put_away_play() -> Play {
    let mut play = Play::new();
    play.truth.away = vec![(UserId(ANN), single(), Away::Hide(2)), (UserId(BOB), GROUP, Away::Clear(5))];
    play.truth.views[1].messages.remove(1);
    let left = play.truth.views[0].messages[5..].to_vec();
    play.truth.views.push(View { reader: UserId(BOB), conversation: GROUP, messages: left, head: 6 });
    let hers = play.truth.sessions.get_mut(&UserId(ANN)).and_then(|of| of.get_mut(&single()));
    hers.expect("their chat").unread = 1;
    for device in &mut play.devices {
        device.sessions = play.truth.sessions[&device.user].values().cloned().collect();
    }
    let ann = &mut play.devices[0];
    let told = ann.runs[0].shown.len();
    ann.kept.get_mut(&single()).expect("their chat").remove(1);
    ann.runs[0].hidden.push((single(), 2, told));
    // Bob's app draws anew what is left.
    let bob = &mut play.devices[1];
    bob.kept.get_mut(&GROUP).expect("the group").drain(..2);
    bob.runs.push(Run { kept: bob.kept.clone(), ..Run::default() });
    play
}

fn check_put_away(doctor: impl FnOnce(&mut Play), expected: &[(&str, u64)]) {
    check_kinds(put_away_play(), doctor, expected);
}

#[test]
fn a_play_in_which_something_is_put_away_is_clean() {
    check_put_away(|_| {}, &[]);
    // A device that came later never saw it.
    check_put_away(
        |play| _ = play.devices[0].runs[0].shown.retain(|(of, seen)| *of == GROUP || seen.server_msg_id != 2),
        &[],
    );
}

#[test]
fn what_was_put_away_and_is_in_a_page_of_the_server_returned() {
    let said = |play: &Play, view: usize, at: usize| play.truth.views[view].messages[at].clone();
    check_put_away(
        |play| {
            let hidden = said(play, 2, 1);
            play.truth.views[1].messages.insert(1, hidden);
        },
        &[("returned", 1)],
    );
    check_put_away(
        |play| {
            let cleared = said(play, 0, 4);
            play.truth.views[3].messages.insert(0, cleared);
        },
        &[("returned", 1)],
    );
}

#[test]
fn what_was_put_away_and_is_in_a_store_or_on_a_screen_returned() {
    let hidden = put_away_play().devices[1].kept[&single()][1];
    let keep = |play: &mut Play| play.devices[0].kept.get_mut(&single()).expect("their chat").insert(1, hidden);
    check_put_away(keep, &[("returned", 1)]);
    check_put_away(|play| play.devices[0].runs[0].hidden.clear(), &[("returned", 1)]);
    // By a push that was on its way.
    let show = |play: &mut Play| play.devices[0].runs[0].shown.push((single(), hidden));
    check_put_away(show, &[("duplicates", 1), ("returned", 1)]);
    // The clear came to nothing on Bob's device.
    check_put_away(
        |play| {
            play.devices[1].runs.pop();
        },
        &[("returned", 2)],
    );
}

#[test]
fn what_one_puts_away_is_there_for_others() {
    check_put_away(
        |play| _ = play.truth.views[0].messages.remove(4),
        &[("missing", 1), ("ghosts", 3), ("only on devices", 1)],
    );
    check_put_away(
        |play| _ = play.devices[1].kept.get_mut(&single()).expect("their chat").remove(1),
        &[("missing", 1)],
    );
}

#[test]
fn what_both_put_away_nobody_can_read() {
    let lose = |play: &mut Play| {
        play.truth.away.push((UserId(BOB), single(), Away::Hide(2)));
        play.truth.views[2].messages.remove(1);
        let bob = &mut play.devices[1];
        bob.kept.get_mut(&single()).expect("their chat").remove(1);
        bob.runs[1].kept.clone_from(&bob.kept);
    };
    check_put_away(lose, &[]);
}

#[test]
fn a_hidden_message_that_counts_as_unread_is_found() {
    let count = |play: &mut Play| {
        let hers = play.truth.sessions.get_mut(&UserId(ANN)).and_then(|of| of.get_mut(&single()));
        hers.expect("their chat").unread = 2;
    };
    check_put_away(count, &[("unread", 2)]);
}
