//! Cases of the verbs of a user's devices.

use anser_proto::UserId;

use super::room::*;
use crate::{
    Change, Device, DeviceAction, DeviceChange, DeviceChanged, Error, KnownDevice, Logins, NewMessage, Now,
    REVOKED_MAX, Refusal,
};

const LOGIN_OVER: Error = Error::Refused(Refusal::LoginOver);
const NOT_FOUND: Error = Error::Refused(Refusal::NotFound("device"));

async fn act(room: &Room, target: &str, action: DeviceAction, login_version: u64) -> Result<DeviceChanged, Error> {
    let (target, device_id) = (target.into(), "a".into());
    room.change_device(DeviceChange { user: ADA, target, action, device_id, login_version }).await
}

async fn rename(room: &Room, target: &str, name: &str) -> Result<DeviceChanged, Error> {
    act(room, target, DeviceAction::Rename(name.into()), 0).await
}

/// Who was told, and which devices there are then.
fn told(change: Option<Change>) -> Option<(u64, Vec<(String, String)>)> {
    let change = change?;
    let Now::Devices(devices) = change.now else { panic!("no devices: {change:?}") };
    let plain = |known: KnownDevice| (known.device.device_id.to_string(), known.device.name.to_string());
    Some((change.mailbox_seq, devices.into_iter().map(plain).collect()))
}

fn named(devices: &[(&str, &str)]) -> Vec<(String, String)> {
    devices.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect()
}

/// Whether a device may write with a login of this version.
async fn may_write(room: &Room, device_id: &str, login_version: u64) -> bool {
    let id = format!("{device_id}-{login_version}-{}", room.mailbox_seq(ADA).await);
    let message = text(ADA, single(ADA, BOB), &id);
    let from = crate::Sender { device_id: device_id.into(), ..message.from.clone() };
    match room.send(NewMessage { from, login_version, ..message }).await {
        Ok(_) => true,
        Err(error) if error == LOGIN_OVER => false,
        Err(error) => panic!("{error}"),
    }
}

pub(super) async fn the_others_are_told_when_the_list_of_devices_is_another(room: &mut Room) {
    let touch = async |room: &Room, device: Device| told(ok(room.touch_device(ADA, device, 0).await));
    assert_eq!(touch(room, device("a")).await, None, "nobody is there to be told");
    assert_eq!(touch(room, Device { name: "mine".into(), ..device("a") }).await, None);
    room.set_time(NOON + DAY);
    let both = [("b", "name of b"), ("a", "mine")];
    assert_eq!(touch(room, device("b")).await, Some((1, named(&both))));
    room.set_time(NOON + 2 * DAY);
    assert_eq!(touch(room, device("b")).await, None, "another day is nothing to tell of");
    let changes = ok(room.changes(ADA, 0, 99).await);
    assert_eq!(changes.things.len(), 1);
    assert_eq!(told(changes.things.into_iter().next()), Some((1, named(&both))));
    for (day, id) in ["c", "d"].into_iter().enumerate() {
        room.set_time(NOON + (3 + day as u64) * DAY);
        assert_eq!(touch(room, device(id)).await.map(|(seq, devices)| (seq, devices.len())), Some((2 + day as u64, 3)));
    }
}

pub(super) async fn a_device_is_called_as_its_user_says(room: &mut Room) {
    ok(room.touch_device(ADA, device("a"), 0).await);
    let renamed = ok(rename(room, "a", "my phone").await);
    assert_eq!(told(renamed.change), Some((1, named(&[("a", "my phone")]))));
    assert_eq!(ok(rename(room, "a", "my phone").await), DeviceChanged::default());
    room.set_time(NOON + DAY);
    ok(room.touch_device(ADA, Device { platform: 1, ..device("a") }, 0).await);
    let known = ok(room.devices(ADA).await).swap_remove(0);
    assert_eq!((known.device.platform, &*known.device.name), (1, "my phone"));
    ok(rename(room, "a", "").await);
    ok(room.touch_device(ADA, device("a"), 0).await);
    assert_eq!(&*ok(room.devices(ADA).await)[0].device.name, "name of a");
    assert_eq!(rename(room, "b", "none").await, Err(NOT_FOUND));
    assert_eq!(act(room, "a", DeviceAction::Rename("x".into()), 1).await, Err(LOGIN_OVER));
    // Another's devices cannot be told from none.
    ok(room.touch_device(BOB, device("bobs"), 0).await);
    assert_eq!(rename(room, "bobs", "x").await, Err(NOT_FOUND));
    assert_eq!(act(room, "bobs", DeviceAction::Revoke, 0).await, Err(NOT_FOUND));
}

pub(super) async fn what_a_revoked_device_still_says_is_not_stored(room: &mut Room) {
    for id in ["b", "a"] {
        ok(room.touch_device(ADA, device(id), 0).await);
    }
    let revoked = ok(act(room, "b", DeviceAction::Revoke, 0).await);
    assert_eq!(revoked.login_version, 1);
    assert_eq!(told(revoked.change), Some((2, named(&[("a", "name of a")]))));
    let again = ok(act(room, "b", DeviceAction::Revoke, 0).await);
    assert_eq!(again, DeviceChanged { change: None, login_version: 1 });
    for (device_id, login_version, may) in
        [("b", 0, false), ("b", 1, true), ("a", 0, true), ("a", 1, true), ("a", 2, false)]
    {
        assert_eq!(may_write(room, device_id, login_version).await, may, "{device_id} of {login_version}");
    }
    let mark = |device_id: &str| crate::Mark {
        user: ADA,
        conversation: single(ADA, BOB),
        kind: crate::MarkKind::Read,
        server_msg_id: 1,
        device_id: device_id.into(),
        login_version: 0,
    };
    assert_eq!(room.mark(mark("b")).await, Err(LOGIN_OVER));
    ok(room.mark(mark("a")).await);
    assert_eq!(ok(room.logins(ADA).await), Logins { login_version: 1, from: 0, revoked: vec![("b".into(), 1)] });
    room.reopen().await;
    assert!(!may_write(room, "b", 0).await);
    // Once all have ended, none of before holds.
    ok(room.set_password(ADA, password("1")).await);
    assert_eq!(ok(room.logins(ADA).await), Logins { login_version: 2, from: 2, revoked: vec![] });
    for (device_id, login_version, may) in
        [("a", 0, false), ("a", 1, false), ("b", 1, false), ("a", 2, true), ("b", 2, true)]
    {
        assert_eq!(may_write(room, device_id, login_version).await, may, "{device_id} of {login_version}");
    }
}

pub(super) async fn a_revoked_device_comes_back_by_what_was_issued_later(room: &mut Room) {
    for id in ["b", "a"] {
        ok(room.touch_device(ADA, device(id), 0).await);
    }
    let (now_s, b) = (NOON / 1000, || "b".into());
    assert_eq!(ok(room.not_before_s(ADA, b()).await), 0);
    ok(act(room, "b", DeviceAction::Revoke, 0).await);
    assert_eq!(ok(room.not_before_s(ADA, b()).await), now_s + 1);
    assert_eq!(ok(room.not_before_s(BOB, b()).await), 0);
    for issued_s in [0, now_s] {
        assert_eq!(room.touch_device(ADA, device("b"), issued_s).await, Err(LOGIN_OVER));
    }
    assert_eq!(ok(room.devices(ADA).await).len(), 1);
    assert!(ok(room.touch_device(ADA, device("b"), now_s + 1).await).is_some());
    assert_eq!(ok(room.devices(ADA).await).len(), 2);
    room.set_time(NOON + DAY);
    assert_eq!(room.touch_device(ADA, device("b"), now_s).await, Err(LOGIN_OVER));
    // And is revoked anew, in the same second.
    room.set_time(NOON);
    assert_eq!(ok(act(room, "b", DeviceAction::Revoke, 0).await).login_version, 2);
    assert_eq!(room.touch_device(ADA, device("b"), now_s + 1).await, Err(LOGIN_OVER));
    assert_eq!(ok(room.not_before_s(ADA, b()).await), now_s + 2);
}

pub(super) async fn who_revokes_very_many_devices_loses_the_logins_of_before(room: &mut Room) {
    for version in 0..=REVOKED_MAX as u64 {
        ok(room.touch_device(ADA, device(&format!("d{version}")), 0).await);
        ok(act(room, &format!("d{version}"), DeviceAction::Revoke, version).await);
    }
    assert_eq!(ok(room.not_before_s(ADA, "d0".into()).await), 0);
    assert!(ok(room.not_before_s(ADA, "d1".into()).await) > 0);
    assert!(!may_write(room, "d0", 0).await, "forgotten, and yet over");
    assert!(!may_write(room, "a", 0).await);
    assert!(!may_write(room, "d1", 1).await);
    assert!(may_write(room, "a", 1).await);
}

pub(super) async fn devices_come_last_seen_first(room: &mut Room) {
    for (day, id) in ["a", "b", "c", "a"].into_iter().enumerate() {
        room.set_time(NOON + day as u64 * DAY);
        ok(room.touch_device(ADA, device(id), 0).await);
    }
    assert_eq!(device_ids(room, ADA).await, ["a", "c", "b"]);
    assert_eq!(
        ok(room.devices(ADA).await)[0],
        KnownDevice { device: device("a"), last_seen_ms: NOON + 3 * DAY - DAY / 2 }
    );
    assert_eq!(device_ids(room, BOB).await, Vec::<String>::new());
}

pub(super) async fn a_device_that_changed_is_kept_as_it_is_now(room: &mut Room) {
    ok(room.touch_device(ADA, device("a"), 0).await);
    for changed in [Device { platform: 1, ..device("a") }, Device { name: "renamed".into(), ..device("a") }] {
        ok(room.touch_device(ADA, changed.clone(), 0).await);
        assert_eq!(ok(room.devices(ADA).await)[0].device, changed);
    }
}

pub(super) async fn a_device_seen_again_on_the_same_day_is_not_written(room: &mut Room) {
    let commits = async |room: &Room, now: u64| {
        room.set_time(now);
        let before = room.stats().commits;
        ok(room.touch_device(ADA, device("a"), 0).await);
        room.stats().commits - before
    };
    assert_eq!(commits(room, NOON).await, 1);
    assert_eq!(commits(room, NOON + DAY / 4).await, 0);
    assert_eq!(commits(room, NOON + DAY).await, 1);
}

pub(super) async fn the_device_longest_unseen_is_forgotten(room: &mut Room) {
    for (day, id) in ["a", "b", "c", "a", "d"].into_iter().enumerate() {
        room.set_time(NOON + day as u64 * DAY);
        ok(room.touch_device(ADA, device(id), 0).await);
        ok(room.touch_device(BOB, device("b"), 0).await);
    }
    assert_eq!(device_ids(room, ADA).await, ["d", "a", "c"]);
    assert_eq!(device_ids(room, BOB).await, ["b"]);
}

pub(super) async fn a_device_just_seen_is_not_the_one_forgotten(room: &mut Room) {
    // All on one day: "to the day" they were seen at the same time.
    for id in ["d", "c", "b", "a", "e"] {
        ok(room.touch_device(ADA, device(id), 0).await);
        let devices = device_ids(room, ADA).await;
        assert!(devices.iter().any(|known| known == id) && devices.len() <= 3, "{id} is in {devices:?}");
    }
}

pub(super) async fn many_devices_are_forgotten_at_once(room: &mut Room) {
    room.reopen_with(|options| options.devices_per_user_max = 40).await;
    for n in 0..40 {
        ok(room.touch_device(ADA, device(&format!("d{n}")), 0).await);
    }
    room.reopen_with(|options| options.devices_per_user_max = 2).await;
    ok(room.touch_device(ADA, device("new"), 0).await);
    let left = device_ids(room, ADA).await;
    assert!(left.len() == 2 && left.iter().any(|id| id == "new"), "{left:?}");
}

pub(super) async fn a_device_of_nobody_is_not_found(room: &mut Room) {
    assert_eq!(room.touch_device(NOBODY, device("d"), 0).await, Err(Error::Refused(Refusal::NotFound("user"))));
}

async fn device_ids(room: &Room, user: UserId) -> Vec<String> {
    ok(room.devices(user).await).iter().map(|known| known.device.device_id.to_string()).collect()
}
