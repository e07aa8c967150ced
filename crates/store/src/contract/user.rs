//! Cases of users, passwords and devices.

use std::sync::Arc;

use anser_proto::UserId;

use super::room::*;
use crate::{Error, NewUser, PasswordHash, Profile, ProfileChange, Refusal, User};

pub(super) async fn a_user_comes_out_as_he_went_in(room: &mut Room) {
    let new = NewUser { account: "Zoë".into(), nickname: "🪿 'Z'".into(), ..new_user(UserId(50)) };
    let made = ok(room.create_user(new).await);
    let expected =
        User {
            user: UserId(50), account: "Zoë".into(), nickname: "🪿 'Z'".into(), avatar: "".into(), disabled: false
        };
    assert_eq!(made, expected);
    assert_eq!(ok(room.user_by_account("Zoë").await), expected);
    assert_eq!(ok(room.users(vec![UserId(50)], vec![]).await), [expected]);
    assert_eq!(room.mailbox_seq(UserId(50)).await, 0);
}

pub(super) async fn an_account_or_id_is_not_given_twice(room: &mut Room) {
    let picture = room.picture().await;
    let same_account = NewUser { account: "account-7".into(), ..new_user(UserId(50)) };
    let same_id = NewUser { account: "free".into(), ..new_user(ADA) };
    assert_eq!(room.create_user(same_account).await, Err(Error::Refused(Refusal::Conflict("account"))));
    assert_eq!(room.create_user(same_id).await, Err(Error::Refused(Refusal::Conflict("user_id"))));
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn accounts_that_differ_in_case_are_two(room: &mut Room) {
    ok(room.create_user(NewUser { account: "ACCOUNT-7".into(), ..new_user(UserId(50)) }).await);
    assert_eq!(ok(room.user_by_account("account-7").await).user, ADA);
    assert_eq!(ok(room.user_by_account("ACCOUNT-7").await).user, UserId(50));
    assert_eq!(room.user_by_account("Account-7").await, Err(Error::Refused(Refusal::NotFound("user"))));
}

pub(super) async fn users_are_those_that_exist_each_once(room: &mut Room) {
    let accounts = ["account-7", "account-30", "account-999", "account-30"].map(Into::into).to_vec();
    let found = ok(room.users(vec![BOB, ADA, NOBODY, BOB], accounts).await);
    assert_eq!(sorted(found.iter().map(|user| user.user).collect()), [BOB, ADA, CYD]);
    assert_eq!(ok(room.users(vec![], vec![]).await), []);
}

pub(super) async fn pages_of_users_lead_through_all(room: &mut Room) {
    for limit in 1..=6 {
        let next =
            async |last: Option<&User>| ok(room.list_users(last.map_or(UserId(0), |user| user.user), limit).await);
        let listed = follow(PEOPLE.len(), limit, next).await.into_iter().map(|user| user.user);
        assert_eq!(Vec::from_iter(listed), PEOPLE, "by {limit}");
    }
}

pub(super) async fn a_profile_changes_what_is_named(room: &mut Room) {
    let none = ProfileChange::default;
    let to = |text: &str| Some(text.into());
    for (n, (change, nickname, avatar, signature, custom)) in [
        (ProfileChange { nickname: to("Ada"), ..none() }, "Ada", "", "", ""),
        (ProfileChange { avatar: to("a.png"), ..none() }, "Ada", "a.png", "", ""),
        (ProfileChange { signature: to("Here."), ..none() }, "Ada", "a.png", "Here.", ""),
        (ProfileChange { custom: to("{}"), avatar: to(""), ..none() }, "Ada", "", "Here.", "{}"),
        (ProfileChange { nickname: to("A"), signature: to(""), custom: to(""), ..none() }, "A", "", "", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let (profile, seq) = ok(room.update_profile(ADA, change).await);
        let Profile { user, version, .. } = &profile;
        assert_eq!((user.nickname.as_ref(), user.avatar.as_ref()), (nickname, avatar));
        assert_eq!((profile.signature.as_ref(), profile.custom.as_ref()), (signature, custom));
        assert_eq!((*version, seq), (n as u64 + 1, n as u64 + 1));
        assert_eq!(ok(room.user_by_account("account-7").await), *user);
        assert_eq!(ok(room.profiles(vec![ADA], vec![], vec![]).await), *std::slice::from_ref(&profile));
        assert_eq!(ok(room.changes(ADA, seq - 1, 1).await).profile, Some(profile));
    }
}

pub(super) async fn a_profile_without_a_difference_is_not_changed(room: &mut Room) {
    let rename = || ProfileChange { nickname: Some("Ada".into()), ..ProfileChange::default() };
    ok(room.update_profile(ADA, rename()).await);
    let picture = room.picture().await;
    let same =
        ProfileChange { avatar: Some("".into()), signature: Some("".into()), custom: Some("".into()), ..rename() };
    for change in [ProfileChange::default(), same] {
        let (profile, seq) = ok(room.update_profile(ADA, change).await);
        assert_eq!((profile.user.nickname.as_ref(), profile.version, seq), ("Ada", 1, 0));
    }
    assert_eq!(room.picture().await, picture);
}

pub(super) async fn of_profiles_that_are_known_only_those_come_that_are_others_now(room: &mut Room) {
    ok(room.update_profile(ADA, ProfileChange { nickname: Some("Ada".into()), ..ProfileChange::default() }).await);
    let account: Arc<str> = "account-2".into();
    for (ids, accounts, known, expected) in [
        (vec![], vec![], vec![(ADA, 0), (BOB, 0), (NOBODY, 0)], vec![ADA]),
        (vec![], vec![], vec![(ADA, 1), (BOB, 1)], vec![BOB]),
        (vec![ADA, CYD, NOBODY], vec![account.clone()], vec![(ADA, 1)], vec![BOB, CYD]),
        (vec![BOB], vec![account], vec![(BOB, 7)], vec![BOB]),
    ] {
        let found = ok(room.profiles(ids, accounts, known).await);
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(found.iter().map(|profile| profile.user.user).collect::<Vec<_>>(), expected);
    }
}

pub(super) async fn a_password_is_kept_and_replaced(room: &mut Room) {
    assert_eq!(ok(room.password(ADA).await), None);
    let new = NewUser { password: Some(password("0")), ..new_user(UserId(50)) };
    ok(room.create_user(new).await);
    assert!(ok(room.password(UserId(50)).await) == Some(password("0")));
    for text in ["1", "2"] {
        ok(room.set_password(ADA, password(text)).await);
        assert!(ok(room.password(ADA).await) == Some(password(text)));
    }
    assert_eq!(ok(room.password(BOB).await), None);
    let (user, kept) = ok(room.user_with_password("account-7").await);
    assert!(user == ok(room.user_by_account("account-7").await) && kept == Some(password("2")));
}

pub(super) async fn a_disabled_user_keeps_his_data(room: &mut Room) {
    room.say(ADA, single(ADA, BOB)).await;
    let (log, seq) = (room.log(ADA, single(ADA, BOB)).await, room.mailbox_seq(ADA).await);
    for disabled in [true, true, false] {
        ok(room.set_disabled(ADA, disabled).await);
        assert_eq!(ok(room.user_by_account("account-7").await).disabled, disabled);
        assert_eq!((room.log(ADA, single(ADA, BOB)).await, room.mailbox_seq(ADA).await), (log.clone(), seq));
    }
}

pub(super) async fn a_new_password_and_each_disabling_end_the_logins(room: &mut Room) {
    let seq = room.mailbox_seq(ADA).await;
    let versions = async |room: &Room| sorted(ok(room.login_versions(vec![BOB, ADA, NOBODY, ADA]).await));
    assert_eq!(versions(room).await, [(BOB, 0), (ADA, 0)]);
    for (turn, version) in [0, 1, 2, 2, 3].into_iter().enumerate() {
        match turn {
            0 | 3 => ok(room.set_disabled(ADA, false).await),
            1 | 2 => ok(room.set_disabled(ADA, true).await),
            _ => ok(room.set_password(ADA, password("1")).await),
        }
        assert_eq!(versions(room).await, [(BOB, 0), (ADA, version)], "turn {turn}");
        let positions = ok(room.positions(ADA).await);
        assert_eq!((positions.login_version, positions.mailbox_seq), (version, seq));
    }
    room.reopen().await;
    assert_eq!(versions(room).await, [(BOB, 0), (ADA, 3)]);
    assert_eq!(ok(room.login_versions(vec![]).await), []);
}

pub(super) async fn a_login_that_is_over_changes_nothing(room: &mut Room) {
    let crowd = room.found(1, ADA, &[BOB, CYD]).await;
    room.say(BOB, single(ADA, BOB)).await;
    ok(room.set_password(ADA, password("1")).await);
    let picture = room.picture().await;
    let mark = crate::Mark {
        user: ADA,
        conversation: single(ADA, BOB),
        kind: crate::MarkKind::Read,
        server_msg_id: 1,
        device_id: "device".into(),
        login_version: 0,
    };
    assert_eq!(room.mark(mark.clone()).await, Err(Error::Refused(Refusal::LoginOver)));
    assert_eq!(room.create_group(new_group(2, ADA, &[BOB])).await, Err(Error::Refused(Refusal::LoginOver)));
    assert_eq!(room.invite(ADA, crowd, &[DAN]).await, Err(Error::Refused(Refusal::LoginOver)));
    assert_eq!(room.remove(ADA, crowd, &[BOB]).await, Err(Error::Refused(Refusal::LoginOver)));
    assert_eq!(room.leave(ADA, crowd).await, Err(Error::Refused(Refusal::LoginOver)));
    let block = |login_version| crate::PeopleChange {
        user: ADA,
        peer: CYD,
        action: crate::PeopleAction::Block,
        device_id: "device".into(),
        login_version,
    };
    assert_eq!(room.change_people(block(0)).await, Err(Error::Refused(Refusal::LoginOver)));
    let change = ProfileChange { nickname: Some("Ada".into()), ..ProfileChange::default() };
    assert_eq!(room.update_profile(ADA, change.clone()).await, Err(Error::Refused(Refusal::LoginOver)));
    // What was done before is told all the same.
    assert_eq!(ok(room.create_group(new_group(1, ADA, &[])).await).group.member_count, 3);
    assert_eq!(room.picture().await, picture);
    assert!(ok(room.mark(crate::Mark { login_version: 1, ..mark }).await).moved);
    ok(room.update_profile(ADA, ProfileChange { login_version: 1, ..change }).await);
}

pub(super) async fn an_unknown_user_is_not_found(room: &mut Room) {
    let (not_found, hash) =
        (Error::Refused(Refusal::NotFound("user")), PasswordHash { argon2: String::new(), scram: String::new() });
    let change = ProfileChange { nickname: Some("x".into()), ..ProfileChange::default() };
    assert_eq!(room.user_by_account("account-999").await, Err(not_found.clone()));
    assert_eq!(room.update_profile(NOBODY, change).await, Err(not_found.clone()));
    assert_eq!(room.set_password(NOBODY, hash).await, Err(not_found.clone()));
    assert_eq!(room.password(NOBODY).await, Err(not_found.clone()));
    assert_eq!(room.set_disabled(NOBODY, true).await, Err(not_found));
}
