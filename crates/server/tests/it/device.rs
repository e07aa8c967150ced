//! A user's devices: who sees them, what they are called, and how they end.

use anser_proto::{
    CloseCode, ErrorCode, Format,
    v1::{self, change::Now, client_frame::Request, device::Platform, hello::Credential, server_frame::Body},
};
use anser_server::{
    config::{Config, Yields},
    password,
};
use anser_store::NewUser;

use crate::raw::{Raw, TestServer, memory_store, send};

fn revoke(device_id: &str) -> Request {
    Request::RevokeDevice(v1::RevokeDevice { device_id: device_id.into() })
}

fn rename(device_id: &str, name: &str) -> Request {
    Request::RenameDevice(v1::RenameDevice { device_id: device_id.into(), name: name.into() })
}

async fn list(raw: &mut Raw) -> Vec<v1::KnownDevice> {
    match raw.ask(Request::ListDevices(v1::ListDevices {})).await {
        Body::Devices(devices) => devices.devices,
        other => panic!("no devices: {other:?}"),
    }
}

/// The ids and names of the one change, and the number of the mailbox.
fn told(changed: v1::Changed) -> (u64, Vec<(String, String)>) {
    let [change] = &changed.changes[..] else { panic!("not one change: {changed:?}") };
    let Some(Now::Devices(devices)) = &change.now else { panic!("no devices: {change:?}") };
    let plain = |known: &v1::KnownDevice| known.device.clone().map(|device| (device.device_id, device.name));
    (change.mailbox_seq, devices.devices.iter().filter_map(plain).collect())
}

async fn changed(raw: &mut Raw, request: Request) -> (u64, Vec<(String, String)>) {
    match raw.ask(request).await {
        Body::Changed(changed) => told(changed),
        other => panic!("not changed: {other:?}"),
    }
}

async fn event(raw: &mut Raw) -> (u64, Vec<(String, String)>) {
    match raw.event().await {
        Body::Changed(changed) => told(changed),
        other => panic!("not told of a change: {other:?}"),
    }
}

fn called(devices: &[(&str, &str)]) -> Vec<(String, String)> {
    devices.iter().map(|(id, name)| ((*id).to_owned(), (*name).to_owned())).collect()
}

async fn refusal(server: &TestServer, hello: v1::Hello) -> (Option<ErrorCode>, Option<CloseCode>) {
    let mut raw = server.tcp(Format::Protobuf).await;
    raw.say(Request::Hello(hello)).await;
    raw.end().await
}

#[tokio::test]
async fn a_user_sees_their_devices_and_which_of_them_this_is() {
    let server = TestServer::start().await;
    let mut phone = server.login_among_devices("ada", "phone").await;
    drop(server.login_among_devices("ada", "tablet").await);
    assert_eq!(event(&mut phone).await.0, 1, "one more device is told to the others");
    let mut laptop = server.login_among_devices("ada", "laptop").await;
    assert_eq!(event(&mut phone).await.1.len(), 3);
    let mut bob = server.login("bob").await;
    let mut listed = list(&mut laptop).await;
    listed.sort_by_key(|known| known.device.clone().map(|device| device.device_id));
    let plain: Vec<_> = listed.iter().map(|known| (known.connected, known.current)).collect();
    assert_eq!(plain[..2], [(true, true), (true, false)]);
    assert!(listed.iter().all(|known| known.last_seen_ms > 0 && known.last_seen_ms.is_multiple_of(86_400_000)));
    // An unchanged list costs nothing.
    let page = laptop.sync(2).await;
    assert_eq!((page.changes.len(), page.caught_up), (0, true));
    // Somebody else's devices cannot be told from none.
    for request in [revoke("laptop"), rename("laptop", "mine"), revoke("no-device")] {
        assert_eq!(bob.refused(request).await, ErrorCode::NotFound);
    }
    for request in [revoke(""), revoke("\u{e9}"), rename("laptop", "a\nb"), rename("laptop", &"x".repeat(65))] {
        assert_eq!(laptop.refused(request).await, ErrorCode::BadField);
    }
    assert_eq!(list(&mut bob).await.len(), 1);
}

#[tokio::test]
async fn a_device_is_called_by_its_user_and_that_is_told_to_the_others() {
    let server = TestServer::start().await;
    let (mut phone, mut laptop) =
        (server.login_among_devices("ada", "phone").await, server.login_among_devices("ada", "laptop").await);
    event(&mut phone).await;
    let now = called(&[("laptop", "Ada's old one"), ("phone", "")]);
    let (seq, mut devices) = changed(&mut phone, rename("laptop", "Ada's old one")).await;
    devices.sort();
    assert_eq!((seq, &devices), (2, &now));
    assert_eq!(event(&mut laptop).await.0, 2);
    let Body::Changed(same) = phone.ask(rename("laptop", "Ada's old one")).await else { panic!("refused") };
    assert_eq!(same, v1::Changed::default());
    let page = server.login_among_devices("ada", "phone").await.sync(1).await;
    let mut devices = told(v1::Changed { changes: page.changes });
    devices.1.sort();
    assert_eq!(devices, (2, now));
}

#[tokio::test]
async fn a_socket_does_not_outlive_revocation_and_its_token_lets_nobody_in() {
    let server = TestServer::start().await;
    let mut laptop = server.login_among_devices("ada", "laptop").await;
    let before = server.hello("ada", "phone");
    let (mut phone, mut bob) = (server.login_among_devices("ada", "phone").await, server.login("bob").await);
    event(&mut laptop).await;
    let ours = laptop.conversation_with(&bob);
    assert_eq!(changed(&mut laptop, revoke("phone")).await.1, called(&[("laptop", "")]));
    assert_eq!(phone.end().await.1, Some(CloseCode::DeviceRevoked));
    assert!(matches!(phone.event().await, Body::Kicked(kicked) if kicked.code() == CloseCode::DeviceRevoked));
    let Body::Changed(again) = laptop.ask(revoke("phone")).await else { panic!("a retry is no error") };
    assert_eq!(again, v1::Changed::default());
    let expired = (Some(ErrorCode::TokenExpired), Some(CloseCode::LoginRefused));
    assert_eq!(refusal(&server, before).await, expired);
    let undated = v1::Hello {
        credential: Some(Credential::Token(server.tokens.mint("ada", 0, u32::MAX.into()))),
        ..server.hello("ada", "phone")
    };
    assert_eq!(refusal(&server, undated).await, expired);
    assert_eq!(list(&mut laptop).await.len(), 1, "who is refused is no device");
    // Others go on, and so does the device with a token that was issued later.
    laptop.send(&ours, "m-1", "still here").await;
    let later = server.tokens.mint(
        "ada",
        server.store.not_before_s(laptop.user, "phone".into()).await.expect("known"),
        u32::MAX.into(),
    );
    let mut phone = server.tcp(Format::Protobuf).await;
    phone.hello(v1::Hello { credential: Some(Credential::Token(later)), ..server.hello("ada", "phone") }).await;
    phone.send(&ours, "m-2", "back again").await;
    assert_eq!(event(&mut laptop).await.1.len(), 2);
    // A device may end its own logins.
    phone.say(revoke("phone")).await;
    assert_eq!(phone.end().await.1, Some(CloseCode::DeviceRevoked));
    assert!(matches!(bob.event().await, Body::Message(_)));
}

#[tokio::test]
async fn what_a_password_bought_ends_with_its_device_and_the_password_lets_it_in_again() {
    let server = TestServer::start().await;
    let kept = password::create("correct horse").expect("a good password");
    let ada =
        NewUser { user: anser_proto::UserId(7), account: "ada".into(), nickname: "Ada".into(), password: Some(kept) };
    server.store.create_user(ada).await.expect("a new user");
    let with =
        |credential, device_id: &str| v1::Hello { credential: Some(credential), ..server.hello("ada", device_id) };
    let password = || Credential::Password(v1::Password { account: "ada".into(), password: "correct horse".into() });
    let mut laptop = server.tcp(Format::Protobuf).await;
    laptop.hello(with(password(), "laptop")).await;
    let mut bought = String::new();
    for _ in 0..2 {
        let mut phone = server.tcp(Format::Protobuf).await;
        phone.hello(with(password(), "phone")).await;
        bought.clone_from(&phone.welcome.token);
        laptop.ask(revoke("phone")).await;
        assert_eq!(phone.end().await.1, Some(CloseCode::DeviceRevoked));
        let refused = refusal(&server, with(Credential::Token(bought.clone()), "phone")).await;
        assert_eq!(refused, (Some(ErrorCode::TokenExpired), Some(CloseCode::LoginRefused)));
    }
    // It was bought by the user, and not for the device.
    let mut tablet = server.tcp(Format::Protobuf).await;
    tablet.hello(with(Credential::Token(bought), "tablet")).await;
    let mut phone = server.tcp(Format::Protobuf).await;
    phone.hello(with(password(), "phone")).await;
    let token = phone.welcome.token.clone();
    let mut again = server.tcp(Format::Protobuf).await;
    again.hello(with(Credential::Token(token), "phone")).await;
}

fn on(server: &TestServer, device_id: &str, platform: Platform) -> v1::Hello {
    let device = v1::Device { device_id: device_id.into(), platform: platform.into(), ..Default::default() };
    v1::Hello { device: Some(device), ..server.hello("ada", device_id) }
}

async fn log_in(server: &TestServer, device_id: &str, platform: Platform) -> Raw {
    let mut raw = server.tcp(Format::Protobuf).await;
    raw.hello(on(server, device_id, platform)).await;
    raw
}

#[tokio::test]
async fn of_one_class_the_oldest_yields_and_is_told_why() {
    let one_phone = |config: &mut Config| config.devices.mobile = 1;
    let server = TestServer::start_with(one_phone, memory_store).await;
    let mut desktop = log_in(&server, "desktop", Platform::Desktop).await;
    let mut phone = log_in(&server, "phone", Platform::Ios).await;
    let mut other = log_in(&server, "other", Platform::Android).await;
    assert_eq!(phone.end().await.1, Some(CloseCode::DeviceYielded));
    assert!(
        std::iter::from_fn(|| phone.next_event())
            .any(|event| matches!(event, Body::Kicked(kicked) if !kicked.reason.is_empty()))
    );
    for raw in [&mut desktop, &mut other] {
        raw.drop_events().await;
    }
}

#[tokio::test]
async fn where_the_newest_yields_it_is_refused_until_there_is_a_place() {
    let one_phone = |config: &mut Config| (config.devices.mobile, config.devices.yields) = (1, Yields::Newest);
    let server = TestServer::start_with(one_phone, memory_store).await;
    let mut phone = log_in(&server, "phone", Platform::Ios).await;
    let refused = refusal(&server, on(&server, "other", Platform::Android)).await;
    assert_eq!(refused, (Some(ErrorCode::DeviceRefused), Some(CloseCode::LoginRefused)));
    phone.drop_events().await;
    let mut again = log_in(&server, "phone", Platform::Ios).await;
    assert_eq!(phone.end().await.1, Some(CloseCode::Replaced));
    again.say(Request::Bye(v1::Bye {})).await;
    again.end().await;
    log_in(&server, "other", Platform::Android).await;
}

#[tokio::test]
async fn a_revoked_device_that_was_not_told_stores_nothing() {
    let server = TestServer::start().await;
    let (mut laptop, mut phone) =
        (server.login_among_devices("ada", "laptop").await, server.login_among_devices("ada", "phone").await);
    let bob = server.login("bob").await;
    let ours = phone.conversation_with(&bob);
    // By somebody who tells nobody.
    let change = anser_store::DeviceChange {
        user: phone.user,
        target: "phone".into(),
        action: anser_store::DeviceAction::Revoke,
        device_id: "laptop".into(),
        login_version: 0,
    };
    server.store.change_device(change).await.expect("done");
    assert_eq!(phone.refused(send(&ours, "m-1", "still there?")).await, ErrorCode::LoginOver);
    assert_eq!(laptop.send(&ours, "m-2", "others go on").await.server_msg_id, 1);
}
