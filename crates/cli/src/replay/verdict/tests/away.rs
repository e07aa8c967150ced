//! The judge on plays in which somebody puts something away.

use super::{super::super::record::Away, *};

/// The play in which Ann hides what Bob said to her first, and Bob clears the group up to what they said there.
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
        |play| play.devices[0].runs[0].shown.retain(|(of, seen)| *of == GROUP || seen.server_msg_id != 2),
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
fn what_an_earlier_play_put_away_is_missed_by_nobody() {
    let forget = |play: &mut Play| {
        play.truth.away.remove(0);
        play.handed.retain(|one| one.client_msg_id != "play-5");
        play.truth.views[2].messages[1].client_msg_id = "earlier-5".into();
        let earlier = Seen::of(&play.truth.views[2].messages[1]);
        let bob = &mut play.devices[1];
        bob.kept.get_mut(&single()).expect("their chat")[1] = earlier;
        bob.runs.iter_mut().flat_map(|run| run.kept.get_mut(&single())).for_each(|kept| kept[1] = earlier);
        bob.runs[0].shown.retain(|(of, seen)| *of == GROUP || seen.server_msg_id != 2);
        play.devices[0].runs[0].shown.retain(|(of, seen)| *of == GROUP || seen.server_msg_id != 2);
    };
    check_put_away(forget, &[]);
}

#[test]
fn a_hidden_message_that_counts_as_unread_is_found() {
    let count = |play: &mut Play| {
        let hers = play.truth.sessions.get_mut(&UserId(ANN)).and_then(|of| of.get_mut(&single()));
        hers.expect("their chat").unread = 2;
    };
    check_put_away(count, &[("unread", 2)]);
}
