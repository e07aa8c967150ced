//! Cases of [`Store::change_people`](crate::Store::change_people) and of what it does to the other verbs.

use anser_proto::{ConversationId, UserId};

use super::room::*;
use crate::{
    ASK_AGAIN, BLOCKS_OF_A_USER, Between, CONTACTS_OF_A_USER, Change, ContactState, Error, Now,
    OPEN_REQUESTS_OF_A_USER, PeopleAction, PeopleChange, PeopleChanged, PeopleOptions, Privacy, PrivacyChange, Refusal,
    Seen, Strangers, Who,
};

const FORBIDDEN: Error = Error::Refused(Refusal::Forbidden);
const HALF_A_DAY: u64 = ASK_AGAIN.as_millis() as u64 / 2;

async fn act(room: &Room, user: UserId, peer: UserId, action: PeopleAction) -> Result<PeopleChanged, Error> {
    room.change_people(PeopleChange { user, peer, action, device_id: "device".into(), login_version: 0 }).await
}

async fn done(room: &Room, user: UserId, peer: UserId, action: PeopleAction) -> PeopleChanged {
    ok(act(room, user, peer, action).await)
}

fn request(text: &str) -> PeopleAction {
    PeopleAction::Request(text.into())
}

async fn befriend(room: &Room, one: UserId, other: UserId) {
    done(room, one, other, request("")).await;
    done(room, other, one, request("")).await;
    assert_eq!(standing(room, one, other).await, Some(ContactState::Contact));
}

/// What the list of the user says of the peer.
async fn standing(room: &Room, user: UserId, peer: UserId) -> Option<ContactState> {
    let listed = ok(room.contacts(user, UserId(0), u32::MAX).await).rows;
    listed.into_iter().find(|contact| contact.user.user == peer).map(|contact| contact.state)
}

async fn said_to(room: &Room, user: UserId, peer: UserId) -> Option<String> {
    let listed = ok(room.contacts(user, UserId(0), u32::MAX).await).rows;
    listed.into_iter().find(|contact| contact.user.user == peer).map(|contact| contact.text.to_string())
}

async fn may_write(room: &Room, from: UserId, to: UserId) -> bool {
    let sent = room.send(text(from, single(from, to), &format!("try-{}", room.mailbox_seq(from).await))).await;
    match sent {
        Ok(_) => true,
        Err(FORBIDDEN) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Contacts and blocks that the changes tell of, and whether they are there.
fn told(changes: &[Change]) -> Vec<(UserId, &'static str, bool)> {
    let told = changes.iter().map(|change| match &change.now {
        Now::Contact(peer, contact) => (*peer, "contact", contact.is_some()),
        Now::Block(peer, block) => (*peer, "block", block.is_some()),
        Now::Privacy(_) => (UserId(0), "privacy", true),
        Now::Hidden(..) => (UserId(0), "hidden", true),
        Now::JoinRequests(group, _) => panic!("nobody waits for {group}"),
        Now::Devices(_) => (UserId(0), "devices", true),
    });
    told.collect()
}

pub(super) async fn who_is_asked_may_accept(room: &mut Room) {
    let asked = done(room, ADA, BOB, request("it is me")).await;
    assert_eq!((told(&asked.own), told(&asked.peers)), (vec![(BOB, "contact", true)], vec![(ADA, "contact", true)]));
    assert_eq!(standing(room, ADA, BOB).await, Some(ContactState::Asked));
    assert_eq!(standing(room, BOB, ADA).await, Some(ContactState::Asking));
    assert_eq!(said_to(room, BOB, ADA).await.as_deref(), Some("it is me"));
    let accepted = done(room, BOB, ADA, PeopleAction::Accept).await;
    assert_eq!((accepted.own.len(), accepted.peers.len()), (1, 1));
    for (one, other) in [(ADA, BOB), (BOB, ADA)] {
        assert_eq!(standing(room, one, other).await, Some(ContactState::Contact));
        assert_eq!(ok(room.between(one, other).await), Between { refused: false, contact: true });
    }
    assert_eq!(done(room, BOB, ADA, PeopleAction::Accept).await, PeopleChanged::default());
    assert_eq!(done(room, ADA, BOB, request("again")).await, PeopleChanged::default());
}

pub(super) async fn who_asks_again_replaces_the_words(room: &mut Room) {
    done(room, ADA, BOB, request("one")).await;
    assert_eq!(done(room, ADA, BOB, request("one")).await, PeopleChanged::default());
    let again = done(room, ADA, BOB, request("two")).await;
    assert_eq!((again.own.len(), again.peers.len()), (1, 1));
    assert_eq!(said_to(room, BOB, ADA).await.as_deref(), Some("two"));
    assert_eq!(ok(room.contacts(BOB, UserId(0), 9).await).rows.len(), 1);
}

pub(super) async fn two_who_ask_each_other_are_contacts(room: &mut Room) {
    let store = room.store();
    for (one, other) in [(ADA, BOB), (CYD, DAN), (EVE, ADA)] {
        let ask = |user, peer| {
            let (store, action) = (store.clone(), request("at once"));
            tokio::spawn(async move {
                store
                    .change_people(PeopleChange { user, peer, action, device_id: "device".into(), login_version: 0 })
                    .await
            })
        };
        let (first, second) = (ask(one, other), ask(other, one));
        ok(first.await.expect("no panic"));
        ok(second.await.expect("no panic"));
        for (user, peer) in [(one, other), (other, one)] {
            assert_eq!(standing(room, user, peer).await, Some(ContactState::Contact));
        }
    }
}

pub(super) async fn whose_request_is_rejected_sees_it_as_open_and_asks_again_unheard_for_a_day(room: &mut Room) {
    done(room, ADA, BOB, request("please")).await;
    let rejected = done(room, BOB, ADA, PeopleAction::Reject).await;
    assert_eq!((told(&rejected.own), rejected.peers), (vec![(ADA, "contact", false)], vec![]));
    assert_eq!((standing(room, ADA, BOB).await, standing(room, BOB, ADA).await), (Some(ContactState::Asked), None));
    assert_eq!(act(room, BOB, ADA, PeopleAction::Accept).await, Err(Error::Refused(Refusal::NotFound("request"))));

    room.set_time(NOON + HALF_A_DAY);
    let seq = room.mailbox_seq(BOB).await;
    done(room, ADA, BOB, request("please!")).await;
    // Taking it back changes nothing about that.
    done(room, ADA, BOB, PeopleAction::Remove).await;
    done(room, ADA, BOB, request("once more")).await;
    assert_eq!((standing(room, BOB, ADA).await, room.mailbox_seq(BOB).await), (None, seq));

    room.set_time(NOON + 2 * HALF_A_DAY);
    done(room, ADA, BOB, request("once more")).await;
    assert_eq!(said_to(room, BOB, ADA).await.as_deref(), Some("once more"));
}

pub(super) async fn whom_one_rejected_and_then_asks_is_a_contact(room: &mut Room) {
    done(room, ADA, BOB, request("please")).await;
    done(room, BOB, ADA, PeopleAction::Reject).await;
    done(room, BOB, ADA, request("after all")).await;
    assert_eq!(standing(room, ADA, BOB).await, Some(ContactState::Contact));
    assert_eq!(standing(room, BOB, ADA).await, Some(ContactState::Contact));
}

pub(super) async fn a_request_taken_back_is_gone_for_both(room: &mut Room) {
    done(room, ADA, BOB, request("oh")).await;
    let removed = done(room, ADA, BOB, PeopleAction::Remove).await;
    assert_eq!(
        (told(&removed.own), told(&removed.peers)),
        (vec![(BOB, "contact", false)], vec![(ADA, "contact", false)])
    );
    assert_eq!((standing(room, ADA, BOB).await, standing(room, BOB, ADA).await), (None, None));
}

pub(super) async fn a_contact_that_one_removes_ends_for_both(room: &mut Room) {
    befriend(room, ADA, BOB).await;
    let removed = done(room, BOB, ADA, PeopleAction::Remove).await;
    assert_eq!(
        (told(&removed.own), told(&removed.peers)),
        (vec![(ADA, "contact", false)], vec![(BOB, "contact", false)])
    );
    assert_eq!(ok(room.between(ADA, BOB).await), Between::default());
    befriend(room, ADA, BOB).await;
}

pub(super) async fn a_remark_is_its_users_alone(room: &mut Room) {
    befriend(room, ADA, BOB).await;
    let remark = |text: &str| PeopleAction::Remark(text.into());
    let named = done(room, ADA, BOB, remark("Bobby")).await;
    assert_eq!((named.own.len(), named.peers.len()), (1, 0));
    assert_eq!(done(room, ADA, BOB, remark("Bobby")).await, PeopleChanged::default());
    assert_eq!(&*ok(room.contacts(ADA, UserId(0), 9).await).rows[0].remark, "Bobby");
    assert_eq!(&*ok(room.contacts(BOB, UserId(0), 9).await).rows[0].remark, "");
}

pub(super) async fn what_is_not_there_is_not_found(room: &mut Room) {
    done(room, CYD, ADA, request("")).await;
    let picture = room.picture().await;
    let not_found = |what| Err(Error::Refused(Refusal::NotFound(what)));
    for peer in [BOB, CYD] {
        assert_eq!(act(room, ADA, peer, PeopleAction::Remark("x".into())).await, not_found("contact"));
        assert_eq!(act(room, ADA, peer, PeopleAction::Remove).await, not_found("contact"));
    }
    for action in [PeopleAction::Accept, PeopleAction::Reject] {
        assert_eq!(act(room, ADA, BOB, action.clone()).await, not_found("request"));
        assert_eq!(act(room, CYD, ADA, action).await, not_found("request"));
    }
    for action in [request(""), PeopleAction::Accept, PeopleAction::Remove, PeopleAction::Block, PeopleAction::Unblock]
    {
        assert_eq!(act(room, ADA, NOBODY, action.clone()).await, not_found("user"));
        assert_eq!(act(room, ADA, ADA, action).await, Err(FORBIDDEN));
    }
    assert_eq!(done(room, ADA, BOB, PeopleAction::Unblock).await, PeopleChanged::default());
    assert_eq!(room.between(ADA, NOBODY).await, Err(Error::Refused(Refusal::NotFound("user"))));
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn a_user_has_no_more_contacts_and_requests_than_they_may(room: &mut Room) {
    let people = PeopleOptions { contacts_max: 1, open_requests_max: 1, blocks_max: 1, ..PeopleOptions::default() };
    room.reopen_with(|options| options.people = people).await;
    let limit = |what| Err(Error::Refused(Refusal::Limit { what, max: 1 }));
    done(room, ADA, BOB, request("")).await;
    let picture = room.picture().await;
    assert_eq!(act(room, ADA, CYD, request("")).await, limit(OPEN_REQUESTS_OF_A_USER));
    assert_eq!(act(room, DAN, BOB, request("")).await, limit(OPEN_REQUESTS_OF_A_USER));
    assert_eq!(room.picture().await, picture);
    done(room, BOB, ADA, PeopleAction::Accept).await;
    done(room, ADA, CYD, request("")).await;
    assert_eq!(act(room, CYD, ADA, PeopleAction::Accept).await, limit(CONTACTS_OF_A_USER));
    done(room, ADA, DAN, PeopleAction::Block).await;
    assert_eq!(act(room, ADA, EVE, PeopleAction::Block).await, limit(BLOCKS_OF_A_USER));
    assert_eq!(done(room, ADA, DAN, PeopleAction::Block).await, PeopleChanged::default());
}

pub(super) async fn a_block_ends_the_contact_and_only_its_user_sees_it(room: &mut Room) {
    befriend(room, ADA, BOB).await;
    let blocked = done(room, ADA, BOB, PeopleAction::Block).await;
    assert_eq!(told(&blocked.own), [(BOB, "block", true), (BOB, "contact", false)]);
    assert_eq!(told(&blocked.peers), [(ADA, "contact", false)]);
    let listed = ok(room.blocks(ADA, UserId(0), 9).await).rows;
    assert_eq!(listed.iter().map(|block| block.user.user).collect::<Vec<_>>(), [BOB]);
    assert_eq!(ok(room.blocks(BOB, UserId(0), 9).await).rows, []);
    assert_eq!(act(room, ADA, BOB, request("")).await, Err(FORBIDDEN));
    let unblocked = done(room, ADA, BOB, PeopleAction::Unblock).await;
    assert_eq!((told(&unblocked.own), unblocked.peers), (vec![(BOB, "block", false)], vec![]));
    assert_eq!(standing(room, ADA, BOB).await, None);
}

pub(super) async fn a_block_drops_requests_and_who_asked_sees_theirs_as_open(room: &mut Room) {
    done(room, BOB, ADA, request("please")).await;
    done(room, ADA, CYD, request("")).await;
    for peer in [BOB, CYD] {
        done(room, ADA, peer, PeopleAction::Block).await;
        assert_eq!(standing(room, ADA, peer).await, None);
    }
    assert_eq!((standing(room, BOB, ADA).await, standing(room, CYD, ADA).await), (Some(ContactState::Asked), None));
    // Whether they are heard they cannot tell.
    let seq = room.mailbox_seq(ADA).await;
    done(room, BOB, ADA, request("pretty please")).await;
    done(room, CYD, ADA, request("and me")).await;
    assert_eq!((standing(room, CYD, ADA).await, room.mailbox_seq(ADA).await), (Some(ContactState::Asked), seq));
    for peer in [BOB, CYD] {
        done(room, ADA, peer, PeopleAction::Unblock).await;
        assert_eq!(standing(room, ADA, peer).await, None);
    }
    done(room, BOB, ADA, request("pretty please")).await;
    assert_eq!(standing(room, ADA, BOB).await, Some(ContactState::Asking));
}

pub(super) async fn while_a_block_stands_neither_writes_to_the_other(room: &mut Room) {
    let pair = single(ADA, BOB);
    let said = ok(room.send(text(BOB, pair, "before")).await);
    done(room, ADA, BOB, PeopleAction::Block).await;
    let picture = room.picture().await;
    for from in [ADA, BOB] {
        assert_eq!(room.send(text(from, pair, "now")).await, Err(FORBIDDEN));
    }
    assert_eq!(room.picture().await, picture);
    let retried = ok(room.send(text(BOB, pair, "before")).await);
    assert_eq!((retried.server_msg_id, retried.duplicate), (said.server_msg_id, true));
    assert_eq!(
        room.send(crate::NewMessage { content: "x".into(), ..text(BOB, pair, "before") }).await,
        Err(Error::Refused(Refusal::Conflict("client_msg_id")))
    );
    // The other one's block outlives this one.
    done(room, BOB, ADA, PeopleAction::Block).await;
    done(room, ADA, BOB, PeopleAction::Unblock).await;
    assert!(!may_write(room, ADA, BOB).await && !may_write(room, BOB, ADA).await);
    done(room, BOB, ADA, PeopleAction::Unblock).await;
    assert!(may_write(room, ADA, BOB).await && may_write(room, BOB, ADA).await);
    assert!(may_write(room, ADA, ADA).await);
}

pub(super) async fn a_block_before_the_first_word_holds_and_lists_nothing(room: &mut Room) {
    done(room, ADA, BOB, PeopleAction::Block).await;
    room.reopen().await;
    for user in [ADA, BOB] {
        assert_eq!(room.all_sessions(user).await, []);
        assert!(room.session(user, single(ADA, BOB)).await.is_err());
        assert!(!room.read(user, single(ADA, BOB), 5).await.moved);
        assert!(ok(room.changes(user, 0, 9).await).sessions.is_empty());
    }
    assert!(!may_write(room, BOB, ADA).await);
    done(room, ADA, BOB, PeopleAction::Unblock).await;
    assert_eq!(room.say(BOB, single(ADA, BOB)).await.server_msg_id, 1);
    assert_eq!(room.entry(ADA, single(ADA, BOB)).await.unread, 1);
}

pub(super) async fn while_a_block_stands_marks_are_not_shown(room: &mut Room) {
    let pair = single(ADA, BOB);
    for _ in 0..3 {
        room.say(BOB, pair).await;
    }
    room.read(ADA, pair, 1).await;
    done(room, ADA, BOB, PeopleAction::Block).await;
    let seq = room.mailbox_seq(BOB).await;
    let marked = room.read(ADA, pair, 2).await;
    assert_eq!((marked.read_mark, marked.moved, marked.peer), (2, true, None));
    assert_eq!(room.deliver(ADA, pair, 3).await.peer, None);
    let shown = async |room: &Room| {
        let entry = room.entry(BOB, pair).await;
        (entry.peer_read_mark, entry.peer_delivered_mark)
    };
    assert_eq!((shown(room).await, room.mailbox_seq(BOB).await), ((1, 1), seq));
    assert_eq!(room.entry(ADA, pair).await.read_mark, 2);
    done(room, ADA, BOB, PeopleAction::Unblock).await;
    assert_eq!(shown(room).await, (1, 1));
    assert!(room.read(ADA, pair, 3).await.peer.is_some());
    assert_eq!(shown(room).await, (3, 3));
}

pub(super) async fn while_a_block_stands_neither_puts_the_other_into_a_group(room: &mut Room) {
    done(room, ADA, BOB, PeopleAction::Block).await;
    for (n, (inviter, other)) in [(BOB, ADA), (ADA, BOB)].into_iter().enumerate() {
        let created = ok(room.create_group(new_group(n as u64 + 1, inviter, &[other, CYD])).await);
        assert_eq!(created.group.member_count, 2);
        let invited = ok(room.invite(inviter, group(n as u64 + 1), &[other, DAN]).await);
        assert_eq!(invited.group.member_count, 3);
        let again = ok(room.invite(inviter, group(n as u64 + 1), &[other]).await);
        assert_eq!((again.notices, again.stamped), (vec![], vec![]));
        // A third may.
        assert_eq!(ok(room.invite(CYD, group(n as u64 + 1), &[other]).await).group.member_count, 4);
        room.say(other, group(n as u64 + 1)).await;
        assert_eq!(room.visible(inviter, group(n as u64 + 1)).await.last(), Some(&4));
    }
}

pub(super) async fn where_only_contacts_may_write_strangers_may_not(room: &mut Room) {
    let pair = single(ADA, BOB);
    room.send(text(ADA, pair, "before")).await.expect("strangers may");
    room.reopen_with(|options| options.people.strangers = Strangers::Contacts).await;
    assert_eq!(room.send(text(ADA, pair, "now")).await, Err(FORBIDDEN));
    assert!(ok(room.send(text(ADA, pair, "before")).await).duplicate);
    assert!(may_write(room, ADA, ADA).await);
    befriend(room, ADA, BOB).await;
    assert!(may_write(room, ADA, BOB).await && may_write(room, BOB, ADA).await);
    done(room, BOB, ADA, PeopleAction::Remove).await;
    assert!(!may_write(room, ADA, BOB).await && !may_write(room, BOB, ADA).await);
}

/// Every order of two acts, each by either of the two; and whatever was done, they can become contacts again.
pub(super) async fn after_any_order_of_block_unblock_add_and_remove_all_can_be_undone(room: &mut Room) {
    const ACTS: [&str; 4] = ["block", "unblock", "add", "remove"];
    let play = async |room: &Room, user: UserId, peer: UserId, what: &str| {
        let actions = match what {
            "block" => vec![(user, peer, PeopleAction::Block)],
            "unblock" => vec![(user, peer, PeopleAction::Unblock)],
            "remove" => vec![(user, peer, PeopleAction::Remove)],
            _ => vec![(user, peer, request("")), (peer, user, request(""))],
        };
        for (user, peer, action) in actions {
            match act(room, user, peer, action).await {
                Ok(_) | Err(Error::Refused(Refusal::Forbidden | Refusal::NotFound("contact"))) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    for first in ACTS {
        for second in ACTS {
            for (user, peer) in [(ADA, BOB), (BOB, ADA)] {
                play(room, ADA, BOB, first).await;
                play(room, user, peer, second).await;
                let blocked = async |user| !ok(room.blocks(user, UserId(0), 9).await).rows.is_empty();
                let (by_ada, by_bob) = (blocked(ADA).await, blocked(BOB).await);
                for (one, other) in [(ADA, BOB), (BOB, ADA)] {
                    let between = ok(room.between(one, other).await);
                    assert_eq!(between.refused, by_ada || by_bob, "{first}, {second} by {user}");
                    let contact = standing(room, one, other).await == Some(ContactState::Contact);
                    assert_eq!(between.contact, contact, "{first}, {second} by {user}");
                    assert!(!(between.refused && between.contact), "{first}, {second} by {user}");
                    assert_eq!(may_write(room, one, other).await, !between.refused, "{first}, {second} by {user}");
                }
                for (one, other) in [(ADA, BOB), (BOB, ADA)] {
                    done(room, one, other, PeopleAction::Unblock).await;
                }
                befriend(room, ADA, BOB).await;
                assert!(may_write(room, ADA, BOB).await && may_write(room, BOB, ADA).await);
                done(room, ADA, BOB, PeopleAction::Remove).await;
            }
        }
    }
}

pub(super) async fn each_thing_that_changed_comes_once_as_it_is_now(room: &mut Room) {
    let pair: ConversationId = single(ADA, BOB);
    befriend(room, ADA, BOB).await;
    room.say(BOB, pair).await;
    done(room, ADA, CYD, PeopleAction::Block).await;
    done(room, ADA, BOB, PeopleAction::Remark("Bobby".into())).await;
    done(room, DAN, ADA, request("hi")).await;
    done(room, ADA, DAN, PeopleAction::Reject).await;
    let all = ok(room.changes(ADA, 0, 99).await);
    assert_eq!(told(&all.things), [(CYD, "block", true), (BOB, "contact", true), (DAN, "contact", false)]);
    let mut stamps: Vec<_> = all.things.iter().map(|thing| thing.mailbox_seq).collect();
    stamps.extend(all.sessions.iter().map(|session| session.mailbox_seq));
    assert_eq!((sorted(stamps), all.mailbox_seq, all.forgotten), (vec![3, 4, 5, 7], 7, false));
    // Page by page, also where sessions and things take turns.
    for limit in 1..=4 {
        let (mut since, mut things, mut sessions) = (0, Vec::new(), Vec::new());
        loop {
            let page = ok(room.changes(ADA, since, limit).await);
            assert!(page.things.len() + page.sessions.len() <= limit as usize);
            things.extend(page.things);
            sessions.extend(page.sessions);
            since = page.mailbox_seq;
            if page.caught_up {
                break;
            }
        }
        assert_eq!((&things, &sessions, since), (&all.things, &all.sessions, 7), "by {limit}");
    }
    let nothing = ok(room.changes(ADA, 7, 1).await);
    assert_eq!((nothing.things, nothing.caught_up), (vec![], true));
}

pub(super) async fn a_change_of_people_takes_the_next_numbers(room: &mut Room) {
    let seqs = |changes: &[Change]| changes.iter().map(|change| change.mailbox_seq).collect::<Vec<_>>();
    room.say(ADA, single(ADA, CYD)).await;
    befriend(room, ADA, BOB).await;
    let blocked = done(room, ADA, BOB, PeopleAction::Block).await;
    assert_eq!((seqs(&blocked.own), seqs(&blocked.peers)), (vec![4, 5], vec![3]));
    assert_eq!((room.mailbox_seq(ADA).await, room.mailbox_seq(BOB).await), (5, 3));
}

pub(super) async fn pages_of_contacts_and_blocks_lead_through_all(room: &mut Room) {
    for peer in [EVE, BOB, CYD] {
        befriend(room, ADA, peer).await;
    }
    done(room, DAN, ADA, request("")).await;
    for limit in 1..=5 {
        let next = async |last: Option<&crate::Contact>| {
            ok(room.contacts(ADA, last.map_or(UserId(0), |last| last.user.user), limit).await)
        };
        let listed = follow(4, limit, next).await.into_iter().map(|contact| contact.user.user);
        assert_eq!(Vec::from_iter(listed), [BOB, DAN, CYD, EVE], "by {limit}");
    }
    for peer in [EVE, BOB, CYD] {
        done(room, ADA, peer, PeopleAction::Block).await;
    }
    for limit in 1..=4 {
        let next = async |last: Option<&crate::Block>| {
            ok(room.blocks(ADA, last.map_or(UserId(0), |last| last.user.user), limit).await)
        };
        let listed = follow(3, limit, next).await.into_iter().map(|block| block.user.user);
        assert_eq!(Vec::from_iter(listed), [BOB, CYD, EVE], "by {limit}");
    }
}

pub(super) async fn settings_of_privacy_change_what_is_named(room: &mut Room) {
    assert_eq!(ok(room.privacy(ADA).await), Privacy::default());
    let change =
        PrivacyChange { invites: Some(Who::Nobody), last_seen: Some(Who::Contacts), ..PrivacyChange::default() };
    let changed = ok(room.update_privacy(ADA, change.clone()).await).expect("a change");
    let expected = Privacy { invites: Who::Nobody, hides_reads: false, last_seen: Who::Contacts, invisible: false };
    assert_eq!(changed, Change { mailbox_seq: 1, now: Now::Privacy(expected) });
    assert_eq!(ok(room.update_privacy(ADA, change.clone()).await), None);
    ok(room.update_privacy(ADA, PrivacyChange { hides_reads: Some(true), ..PrivacyChange::default() }).await);
    room.reopen().await;
    let now = Privacy { hides_reads: true, ..expected };
    assert_eq!(ok(room.privacy(ADA).await), now);
    let things = ok(room.changes(ADA, 0, 9).await).things;
    assert_eq!(things, [Change { mailbox_seq: 2, now: Now::Privacy(now) }]);
    assert_eq!(ok(room.privacy(BOB).await), Privacy::default());
    assert_eq!(room.privacy(NOBODY).await, Err(Error::Refused(Refusal::NotFound("user"))));
    let over = PrivacyChange { login_version: 7, ..change };
    assert_eq!(room.update_privacy(ADA, over).await, Err(Error::Refused(Refusal::LoginOver)));
}

pub(super) async fn who_may_put_somebody_into_a_group_is_theirs_to_say(room: &mut Room) {
    befriend(room, ADA, CYD).await;
    for (n, (who, puts)) in
        [(Who::Nobody, [false, false]), (Who::Contacts, [false, true]), (Who::Everybody, [true, true])]
            .into_iter()
            .enumerate()
    {
        ok(room.update_privacy(ADA, PrivacyChange { invites: Some(who), ..PrivacyChange::default() }).await);
        for (m, (inviter, puts)) in [BOB, CYD].into_iter().zip(puts).enumerate() {
            let id = (2 * n + m) as u64 + 1;
            let created = ok(room.create_group(new_group(id, inviter, &[ADA, DAN])).await);
            assert_eq!(created.group.member_count, 2 + u32::from(puts), "{who:?}");
            if puts {
                ok(room.leave(ADA, group(id)).await);
            }
            let invited = ok(room.invite(inviter, group(id), &[ADA]).await);
            assert_eq!(invited.group.member_count, 2 + u32::from(puts), "{who:?}");
        }
    }
    // Nobody is kept out of groups of their own.
    ok(room.update_privacy(ADA, PrivacyChange { invites: Some(Who::Nobody), ..PrivacyChange::default() }).await);
    assert_eq!(ok(room.create_group(new_group(50, ADA, &[BOB])).await).group.member_count, 2);
}

pub(super) async fn whoever_hides_their_read_marks_is_shown_none(room: &mut Room) {
    let pair = single(ADA, BOB);
    for _ in 0..3 {
        room.say(BOB, pair).await;
    }
    room.read(ADA, pair, 1).await;
    let hide = |hides| PrivacyChange { hides_reads: Some(hides), ..PrivacyChange::default() };
    ok(room.update_privacy(ADA, hide(true)).await);
    let seen = async |room: &Room, user| {
        let entry = room.entry(user, pair).await;
        (entry.peer_read_mark, entry.peer_delivered_mark)
    };
    assert_eq!(room.deliver(ADA, pair, 2).await.shown, (1, 2));
    assert_eq!(seen(room, BOB).await, (1, 2));
    let seq = room.mailbox_seq(BOB).await;
    let read = room.read(ADA, pair, 2).await;
    assert_eq!((read.read_mark, read.peer, read.shown), (2, None, (1, 2)));
    assert_eq!(room.mailbox_seq(BOB).await, seq);
    // A message of theirs shows no more.
    room.say(ADA, pair).await;
    assert_eq!(seen(room, BOB).await, (1, 4));
    // Nor are they shown what others read, who need not be told.
    room.read(BOB, pair, 4).await;
    assert_eq!(seen(room, ADA).await, (0, 4));
    ok(room.update_privacy(ADA, hide(false)).await);
    assert_eq!((seen(room, ADA).await, seen(room, BOB).await), ((4, 4), (1, 4)));
    room.say(BOB, pair).await;
    assert!(room.read(ADA, pair, 5).await.peer.is_some());
    assert_eq!(seen(room, BOB).await, (5, 5));
}

pub(super) async fn who_may_know_that_somebody_is_there_is_theirs_to_say(room: &mut Room) {
    befriend(room, ADA, BOB).await;
    done(room, ADA, CYD, request("not yet")).await;
    done(room, DAN, ADA, PeopleAction::Block).await;
    assert_eq!(ok(room.contact_ids(ADA).await), [BOB]);
    ok(room.see_users(vec![(ADA, NOON + 61_000), (BOB, NOON)]).await);
    ok(room.see_users(vec![(ADA, NOON)]).await);
    let set = async |room: &Room, user, last_seen| {
        ok(room.update_privacy(user, PrivacyChange { last_seen: Some(last_seen), ..PrivacyChange::default() }).await);
    };
    let (there, not) = (NOON + 60_000, 0);
    // Of Ada: what Bob, a contact, Cyd, whom she asked, Dan, who blocked her, and she herself may know.
    for (own, theirs, expected) in [
        (Who::Everybody, Who::Everybody, [(true, there), (true, there), (false, not), (true, there)]),
        (Who::Contacts, Who::Everybody, [(true, there), (false, not), (false, not), (true, there)]),
        (Who::Nobody, Who::Everybody, [(true, not), (false, not), (false, not), (true, there)]),
        (Who::Everybody, Who::Contacts, [(true, there), (true, not), (false, not), (true, there)]),
        (Who::Everybody, Who::Nobody, [(true, not), (true, not), (false, not), (true, there)]),
    ] {
        set(room, ADA, own).await;
        for viewer in [BOB, CYD, DAN] {
            set(room, viewer, theirs).await;
        }
        for (viewer, (presence, last_seen_ms)) in [BOB, CYD, DAN, ADA].into_iter().zip(expected) {
            let seen = ok(room.seen_by(viewer, vec![ADA]).await);
            assert_eq!(
                seen,
                [Seen { user: ADA, presence, last_seen_ms }],
                "{viewer} of {own:?}, themselves {theirs:?}"
            );
        }
    }
    let nothing = |user| Seen { user, presence: false, last_seen_ms: 0 };
    assert_eq!(ok(room.seen_by(ADA, vec![DAN, NOBODY, DAN]).await), [DAN, NOBODY, DAN].map(nothing));
    assert_eq!(room.seen_by(NOBODY, vec![ADA]).await, Err(Error::Refused(Refusal::NotFound("user"))));
    ok(room.update_privacy(ADA, PrivacyChange { invisible: Some(true), ..PrivacyChange::default() }).await);
    assert_eq!(ok(room.invisible(vec![EVE, ADA, BOB, NOBODY, ADA]).await), [ADA]);
    assert!(ok(room.positions(ADA).await).invisible && !ok(room.positions(BOB).await).invisible);
    assert!(ok(room.privacy(ADA).await).invisible);
    room.reopen().await;
    assert_eq!(ok(room.seen_by(ADA, vec![ADA]).await)[0].last_seen_ms, there);
}
