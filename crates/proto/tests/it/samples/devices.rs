//! Frames about devices and who is there.

use anser_proto::v1::{
    Device, Devices, GetPresence, KnownDevice, ListDevices, Presence, Presences, RenameDevice, RevokeDevice,
    SetPresence, Signal, SignalEvent, WatchPresence, client_frame::Request, device, presence, server_frame::Body,
};

use super::{BIG, NOON_MS};

pub(super) fn requests() -> Vec<Request> {
    vec![
        Request::ListDevices(ListDevices {}),
        Request::RenameDevice(RenameDevice { device_id: "d-99".into(), name: "鸿雁's phone".into() }),
        Request::RevokeDevice(RevokeDevice { device_id: "d-99".into() }),
        Request::SetPresence(SetPresence { state: presence::State::Away.into() }),
        Request::WatchPresence(WatchPresence {}),
        Request::GetPresence(GetPresence { user_ids: vec![1009, BIG] }),
        Request::Signal(Signal {
            conversation_id: "single_1008_1009".into(),
            r#type: "call.ring".into(),
            data: vec![0, 0xff].into(),
        }),
    ]
}

pub(super) fn bodies() -> Vec<Body> {
    let of = |user_id, state: presence::State, last_seen_ms| Presence { user_id, state: state.into(), last_seen_ms };
    vec![
        Body::Devices(devices()),
        Body::Presences(Presences {
            presences: vec![
                of(1009, presence::State::Active, 0),
                of(1010, presence::State::Away, 0),
                of(BIG, presence::State::Offline, NOON_MS),
            ],
        }),
        Body::Signal(SignalEvent {
            conversation_id: "group_3".into(),
            user_id: 1009,
            device_id: "d-99".into(),
            r#type: "call.ring".into(),
            data: vec![1, 2].into(),
        }),
    ]
}

fn devices() -> Devices {
    let phone = Device { device_id: "d-99".into(), platform: device::Platform::Ios.into(), name: "phone".into() };
    let laptop = Device { device_id: "d-5b1f0c".into(), ..Device::default() };
    let last_seen_ms = NOON_MS - 1;
    Devices {
        devices: vec![
            KnownDevice { device: Some(phone), last_seen_ms, connected: true, current: true },
            KnownDevice { device: Some(laptop), last_seen_ms: 0, connected: false, current: false },
        ],
    }
}
