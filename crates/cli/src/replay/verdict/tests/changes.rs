//! The judge on plays in which messages are edited, recalled and reacted to.

use anser_proto::ErrorCode;

use super::{
    super::{TakenBack, logs::logs_of, present::judge_refusals},
    *,
};

/// The same play, in which Ann edits her first line (7), Bob reacts to their own (8), and Ann recalls her second (9) and last (10) one.
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
    let refused = |code: ErrorCode, target: &str| {
        let act = Act::Edit { target: target.into(), content: "too late".into() };
        move |play: &mut Play| {
            let first = play.handed[7].clone();
            let id = "play-20".into();
            play.handed.push(Handed { client_msg_id: id, acked: None, refused: Some(code.into()), act, ..first });
        }
    };
    check_changed(refused(ErrorCode::Gone, "play-1"), &[]);
    check_changed(refused(ErrorCode::Gone, "play-0"), &[("unexplained", 1)]);
    check_changed(refused(ErrorCode::TooLate, "play-1"), &[("unexplained", 1)]);
    check_changed(refused(ErrorCode::NotMember, "play-0"), &[("unexplained", 1)]);
    check_changed(refused(ErrorCode::NotFound, "play-0"), &[("unexplained", 1)]);
    check_changed(refused(ErrorCode::Muted, "play-0"), &[("unexplained", 1)]);
    let mut play = changed_play();
    refused(ErrorCode::Muted, "play-0")(&mut play);
    let muted = v1::Message { server_msg_id: 11, ..notice(v1::notice::Kind::Muted, &[ANN]) };
    play.views(GROUP).for_each(|log| log.push(muted.clone()));
    let mut verdict = Verdict::default();
    judge_refusals(&mut verdict, &play.handed, &logs_of(&play.truth));
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
    let gone = TakenBack::of(&play.handed, &play.truth);
    assert_eq!(gone.all(), ["line 0", "line 1", "line 3"]);
    assert_eq!(gone.told_to(UserId(ANN)), gone.all());
    assert_eq!(gone.told_to(UserId(77)), [""; 0]);
}
