//! Who is told, who must go, and who is counted.

use anser_proto::{Format, v1};

use super::*;
use crate::{
    cluster::{Load, Node, local::LocalDirectory},
    config::Yields,
    framing::Transport,
};

const ADA: UserId = UserId(7);
const NOW_MS: u64 = 5;
const KICK: u64 = 8;

fn attach(hub: &Arc<Hub>, device_id: &str) -> (Connected, Arc<Outbox>) {
    let outbox = Arc::new(Outbox::new(1_000));
    (attach_as(hub, hub.accept(NOW_MS), device_id, &outbox), outbox)
}

fn attach_as(hub: &Arc<Hub>, accepted: Accepted, device_id: &str, outbox: &Arc<Outbox>) -> Connected {
    let mut connected = begin(hub, accepted, device_id, outbox);
    let _ = connected.log_in(0, KICK);
    connected
}

/// Its login is under way.
fn begin(hub: &Arc<Hub>, accepted: Accepted, device_id: &str, outbox: &Arc<Outbox>) -> Connected {
    let (device_id, outbox) = (device_id.into(), Arc::clone(outbox));
    let framing = Framing { transport: Transport::WebSocket, format: Format::Protobuf };
    hub.attach(Newcomer { accepted, user: ADA, device_id, platform: 1, framing, outbox })
}

fn new_hub(devices_per_user: u32) -> Arc<Hub> {
    let node = Node { id: NodeId(1), name: "".into(), client_url: "".into(), load: Load::default() };
    let limits = Limits { devices_per_user, ..Limits::default() };
    Arc::new(Hub::new(&limits, &Devices::default(), Arc::new(LocalDirectory::new(node))))
}

#[test]
fn a_kick_that_comes_late_spares_who_came_after_it() {
    let hub = new_hub(8);
    let (_phone, phone_outbox) = attach(&hub, "phone");
    let (_laptop, laptop_outbox) = attach(&hub, "laptop");
    let doomed = |device_id, before| Doomed { user: ADA, device_id, before };
    let phone = hub.devices(ADA)[0].accepted;
    for spared in [phone, Accepted::at(NOW_MS)] {
        hub.kick(&doomed(Some("phone"), spared), CloseCode::Replaced);
        assert_eq!(phone_outbox.take().kicked, None);
    }
    // One that was accepted in the same millisecond, and behind it.
    hub.kick(&doomed(Some("phone"), hub.accept(NOW_MS)), CloseCode::Replaced);
    assert_eq!(phone_outbox.take().kicked, Some(CloseCode::Replaced));
    assert_eq!(laptop_outbox.take().kicked, None);
    hub.kick(&doomed(None, Accepted::at(NOW_MS + 1)), CloseCode::LoginRefused);
    assert_eq!(laptop_outbox.take().kicked, Some(CloseCode::LoginRefused));
}

fn lagged() -> Event {
    Event::new(v1::server_frame::Body::Lagged(v1::Lagged {}))
}

#[test]
fn a_push_reaches_every_device_but_the_one_it_came_from() {
    let hub = new_hub(8);
    let (phone, phone_outbox) = attach(&hub, "phone");
    let (_laptop, laptop_outbox) = attach(&hub, "laptop");
    assert_eq!(hub.push(&mut Wave::default(), ADA, Some(phone.conn), &lagged()), 1);
    assert_eq!(hub.push(&mut Wave::default(), UserId(8), None, &lagged()), 0);
    assert!(phone_outbox.take().frames.is_empty());
    assert_eq!(laptop_outbox.take().frames.len(), 1);
}

#[test]
fn the_same_device_replaces_itself_and_its_late_end_harms_nobody() {
    let hub = new_hub(8);
    let (old, old_outbox) = attach(&hub, "phone");
    let (_new, new_outbox) = attach(&hub, "phone");
    assert_eq!(old_outbox.take().kicked, Some(CloseCode::Replaced));
    drop(old);
    assert_eq!(hub.push(&mut Wave::default(), ADA, None, &lagged()), 1);
    assert_eq!(new_outbox.take().frames.len(), 1);
}

#[test]
fn a_connection_whose_login_took_long_does_not_replace_a_younger_one() {
    let hub = new_hub(8);
    let slow = hub.accept(NOW_MS);
    let (_new, new_outbox) = attach(&hub, "phone");
    let slow_outbox = Arc::new(Outbox::new(1_000));
    drop(attach_as(&hub, slow, "phone", &slow_outbox));
    assert_eq!(slow_outbox.take().kicked, Some(CloseCode::Replaced));
    assert_eq!(new_outbox.take().kicked, None);
    assert_eq!(hub.push(&mut Wave::default(), ADA, None, &lagged()), 1);
}

#[test]
fn who_has_only_begun_to_log_in_is_told_what_comes_and_takes_nobodys_place() {
    let hub = new_hub(2);
    let (_phone, phone_outbox) = attach(&hub, "phone");
    let (_laptop, laptop_outbox) = attach(&hub, "laptop");
    let outboxes = [(); 2].map(|()| Arc::new(Outbox::new(1_000)));
    let [mut phone, mut watch] = [("phone", &outboxes[0]), ("watch", &outboxes[1])]
        .map(|(device, outbox)| begin(&hub, hub.accept(NOW_MS), device, outbox));
    assert_eq!(hub.push(&mut Wave::default(), ADA, None, &lagged()), 4);
    let kicked = |outbox: &Outbox| outbox.take().kicked;
    assert_eq!((kicked(&phone_outbox), kicked(&laptop_outbox), hub.devices(ADA).len()), (None, None, 2));
    assert_eq!(phone.log_in(0, KICK), Ok(()));
    assert_eq!((kicked(&phone_outbox), kicked(&laptop_outbox)), (Some(CloseCode::Replaced), None));
    assert_eq!(watch.log_in(0, KICK), Ok(()));
    assert_eq!((kicked(&laptop_outbox), kicked(&outboxes[0])), (Some(CloseCode::Replaced), None));
    assert_eq!(hub.devices(ADA).len(), 2);
}

#[test]
fn the_other_devices_are_told_also_when_the_one_it_came_from_has_left() {
    let hub = new_hub(8);
    let (phone, _) = attach(&hub, "phone");
    let (_laptop, laptop_outbox) = attach(&hub, "laptop");
    let from = phone.conn;
    drop(phone);
    assert!(hub.has_other(ADA, Some(from)));
    assert_eq!(hub.push(&mut Wave::default(), ADA, Some(from), &lagged()), 1);
    assert_eq!(laptop_outbox.take().frames.len(), 1);
}

#[test]
fn beyond_the_number_of_a_users_connections_the_oldest_goes() {
    let hub = new_hub(2);
    let attached: Vec<_> = ["one", "two", "three"].map(|device| attach(&hub, device)).into();
    assert_eq!(attached[0].1.take().kicked, Some(CloseCode::Replaced));
    assert_eq!(hub.push(&mut Wave::default(), ADA, None, &lagged()), 2);
}

#[test]
fn the_oldest_goes_also_when_it_was_the_last_to_log_in() {
    let hub = new_hub(2);
    let slow = hub.accept(NOW_MS);
    let attached = ["one", "two"].map(|device| attach(&hub, device));
    let slow_outbox = Arc::new(Outbox::new(1_000));
    let _slow = attach_as(&hub, slow, "three", &slow_outbox);
    assert_eq!(slow_outbox.take().kicked, Some(CloseCode::Replaced));
    assert!(attached.iter().all(|(_, outbox)| outbox.take().kicked.is_none()));
}

#[test]
fn who_comes_later_is_younger_whatever_the_clock_does() {
    let hub = new_hub(2);
    let accepted = [7, 7, 3, 8].map(|now_ms| hub.accept(now_ms));
    assert!(accepted.is_sorted() && accepted.windows(2).all(|two| two[0] != two[1]), "{accepted:?}");
}

#[test]
fn logins_of_an_earlier_version_end_and_others_stay() {
    let hub = new_hub(8);
    let ended = |outbox: &Outbox| outbox.take().kicked;
    let over = |login_version| {
        let (code, device_id) = (CloseCode::LoginRefused, None);
        hub.end_logins(&LoginsOver { user: ADA, login_version, code, device_id });
    };
    let (mut old, old_outbox) = attach(&hub, "old");
    let (mut new, new_outbox) = attach(&hub, "new");
    let slow_outbox = Arc::new(Outbox::new(1_000));
    let mut slow = begin(&hub, hub.accept(NOW_MS), "slow", &slow_outbox);
    assert_eq!((old.log_in(1, KICK), new.log_in(2, KICK)), (Ok(()), Ok(())));
    over(1);
    assert!(!hub.has_login_before(ADA, 1) && hub.has_login_before(ADA, 2));
    assert_eq!(ended(&old_outbox), None);
    over(2);
    over(2);
    assert!(!hub.has_login_before(ADA, 2));
    let all = [&old_outbox, &new_outbox, &slow_outbox].map(|outbox| ended(outbox));
    assert_eq!(all, [Some(CloseCode::LoginRefused), None, None]);
    // Its login had begun before.
    assert_eq!(slow.log_in(1, KICK), Err(CloseCode::TokenRanOut));
    assert_eq!(ended(&slow_outbox), Some(CloseCode::TokenRanOut));
    assert_eq!(hub.devices(ADA).len(), 1);
}

#[test]
fn of_a_device_that_was_revoked_the_logins_end_and_others_hold() {
    let hub = new_hub(8);
    let revoked = |device_id: &str, login_version| {
        let (code, device_id) = (CloseCode::DeviceRevoked, Some(device_id.into()));
        hub.end_logins(&LoginsOver { user: ADA, login_version, code, device_id })
    };
    let version = |connected: &Connected| connected.login_version.load(Ordering::Relaxed);
    let (phone, phone_outbox) = attach(&hub, "phone");
    let (laptop, laptop_outbox) = attach(&hub, "laptop");
    let slow_outbox = Arc::new(Outbox::new(1_000));
    let mut slow = begin(&hub, hub.accept(NOW_MS), "phone", &slow_outbox);
    assert!(!revoked("phone", 1), "of the others it is known that they hold");
    assert_eq!(phone_outbox.take().kicked, Some(CloseCode::DeviceRevoked));
    assert_eq!((version(&laptop), version(&phone)), (1, 0));
    assert_eq!(slow.log_in(0, KICK), Err(CloseCode::DeviceRevoked));
    // A revocation of which nobody told: what it concerned is for the store to say.
    assert!(revoked("tablet", 3));
    assert_eq!((version(&laptop), laptop_outbox.take().kicked), (1, None));
    let logins = Logins { login_version: 3, from: 0, revoked: vec![("tablet".into(), 3), ("tv".into(), 2)] };
    hub.settle_logins(ADA, &logins, CloseCode::TokenRanOut);
    assert_eq!((version(&laptop), laptop_outbox.take().kicked), (3, None));
    let logins = Logins { login_version: 4, from: 0, revoked: vec![("laptop".into(), 4)] };
    hub.settle_logins(ADA, &logins, CloseCode::TokenRanOut);
    assert_eq!(laptop_outbox.take().kicked, Some(CloseCode::DeviceRevoked));
}

#[test]
fn of_devices_of_one_class_as_many_stay_as_may() {
    let phones = |yields, devices_per_user| {
        let node = Node { id: NodeId(1), name: "".into(), client_url: "".into(), load: Load::default() };
        let devices = Devices { mobile: 1, yields, ..Devices::default() };
        let limits = Limits { devices_per_user, ..Limits::default() };
        Arc::new(Hub::new(&limits, &devices, Arc::new(LocalDirectory::new(node))))
    };
    let hub = phones(Yields::Oldest, 8);
    let (_one, one) = attach(&hub, "one");
    let (_two, two) = attach(&hub, "two");
    assert_eq!((one.take().kicked, two.take().kicked), (Some(CloseCode::DeviceYielded), None));
    // One that came before, to another node, makes way; one that came after has this one make way.
    let elsewhere = |age, device_id: &str| {
        let accepted = Accepted::at(age);
        let device = PresentDevice { device_id: device_id.into(), accepted, platform: 2 };
        hub.count_elsewhere(NodeId(2), Present { kick_id: KICK, user: ADA, devices: vec![device] }).yielding
    };
    assert_eq!(&*elsewhere(1, "three")[0].device_id, "three");
    assert_eq!(&*elsewhere(NOW_MS + 1, "four")[0].device_id, "two");
    let hub = phones(Yields::Newest, 1);
    let (_one, one) = attach(&hub, "one");
    let outbox = Arc::new(Outbox::new(1_000));
    let mut two = begin(&hub, hub.accept(NOW_MS), "two", &outbox);
    assert_eq!(two.log_in(0, KICK), Err(CloseCode::DeviceYielded));
    assert_eq!(one.take().kicked, None, "nobody makes way for who does not stay");
    let mut again = begin(&hub, hub.accept(NOW_MS), "one", &outbox);
    assert_eq!(again.log_in(0, KICK), Ok(()), "it takes its own place");
}

#[test]
fn devices_on_other_nodes_count_too() {
    let hub = new_hub(3);
    let _attached = ["one", "two"].map(|device| attach(&hub, device));
    let here: Vec<Accepted> = hub.devices(ADA).iter().map(|device| device.accepted).collect();
    let told = |user, node, kick_id, devices: &[(&str, u64)]| {
        let devices = devices.iter().map(|(id, at_ms)| PresentDevice {
            device_id: (*id).into(),
            accepted: Accepted::at(*at_ms),
            platform: 1,
        });
        let crowd = hub.count_elsewhere(NodeId(node), Present { kick_id, user, devices: devices.collect() });
        assert_eq!(crowd.yielding, []);
        crowd.before
    };
    assert_eq!(told(ADA, 2, KICK, &[("three", 1)]), None);
    assert_eq!(told(ADA, 3, KICK - 1, &[("four", 3), ("five", 9)]), None, "that was before");
    assert_eq!(told(ADA, 3, KICK, &[("four", 3), ("five", 9)]), Some(here[0]), "the two oldest of five end");
    assert_eq!(told(ADA, 3, KICK, &[("five", 9)]), None, "they have ended");
    assert_eq!(told(ADA, 3, KICK, &[("five", 9), ("one", 10)]), None, "a device that moves is no other one");
    let six = [("five", 9), ("six", 10)];
    assert_eq!(told(ADA, 3, KICK, &six), Some(here[1]), "one of those of one millisecond");
    let four = [("a", 1), ("b", 2), ("c", 3), ("d", 4)];
    assert_eq!(told(UserId(8), 3, KICK, &four), None, "who is not here is not counted here");
}

#[test]
fn who_left_leaves_nothing_behind() {
    let hub = new_hub(8);
    drop(attach(&hub, "phone"));
    assert!(hub.shards.iter().all(|shard| shard.lock().expect("no panic").is_empty()));
}
