//! What it costs to tell many of one message: the event is made, encoded once a format, and put into the outbox of every
//! connection. Sockets, and waking the tasks that own them, are not in it: those are in `anser bench group`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anser_proto::{
    Format, UserId,
    v1::{Message, MessageEvent, message::Type, server_frame::Body},
};
use anser_server::{
    cluster::{Load, Node, NodeId, local::LocalDirectory},
    config::{Devices, Limits},
    event::Event,
    framing::{Framing, Transport},
    hub::{Connected, Hub, Newcomer},
    outbox::{Outbox, Wave},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const OUTBOX_BYTES: usize = 256 * 1024;

/// Users who are connected, each with one device.
struct Crowd {
    hub: Arc<Hub>,
    connected: Vec<(Connected, Arc<Outbox>)>,
}

impl Crowd {
    /// The formats take turns.
    fn gather(users: u64, formats: &[Format]) -> Self {
        let node = Node { id: NodeId(1), name: "".into(), client_url: "".into(), load: Load::default() };
        let hub = Arc::new(Hub::new(&Limits::default(), &Devices::default(), Arc::new(LocalDirectory::new(node))));
        let attach = |(user, format): (u64, &Format)| {
            let outbox = Arc::new(Outbox::new(OUTBOX_BYTES));
            let newcomer = Newcomer {
                accepted: hub.accept(0),
                user: UserId(user),
                device_id: "phone".into(),
                platform: 0,
                framing: Framing { transport: Transport::WebSocket, format: *format },
                outbox: Arc::clone(&outbox),
            };
            (hub.attach(newcomer), outbox)
        };
        let connected = (1..=users).zip(formats.iter().cycle()).map(attach).collect();
        Self { hub, connected }
    }

    /// How long one message takes into all outboxes, which are then emptied as their connections would.
    fn push(&self, message: Message) -> Duration {
        let start = Instant::now();
        let event =
            Event::new(Body::Message(MessageEvent { message: Some(message), mailbox_seq: 0, changed: Vec::new() }));
        let mut wave = Wave::default();
        let reached: usize =
            self.connected.iter().map(|(connected, _)| self.hub.push(&mut wave, connected.user, None, &event)).sum();
        drop(wave);
        let took = start.elapsed();
        assert_eq!(reached, self.connected.len());
        for (_, outbox) in &self.connected {
            assert_eq!(outbox.take().frames.len(), 1, "an outbox was left out");
            outbox.wrote();
        }
        took
    }
}

fn message() -> Message {
    Message {
        conversation_id: "group_1008".into(),
        server_msg_id: 123_456,
        client_msg_id: "0190c2f0-5f4e-7cc3-98c4-dc0c0c07398f".into(),
        from_id: 1008,
        from_nickname: "Ada".into(),
        from_device_id: "laptop-1".into(),
        r#type: Type::Text.into(),
        content: "x".repeat(100),
        client_time_ms: 1_149_161_520_123,
        server_time_ms: 1_149_161_520_124,
        count: 123_400,
        ..Message::default()
    }
}

fn fanout(criterion: &mut Criterion) {
    let message = message();
    let mut group = criterion.benchmark_group("fanout");
    for (name, formats) in [("protobuf", &[Format::Protobuf][..]), ("half json", &[Format::Protobuf, Format::Json])] {
        for users in [10, 500, 5_000] {
            let crowd = Crowd::gather(users, formats);
            group.throughput(Throughput::Elements(users));
            group.bench_function(format!("{name}/{users}"), |bencher| {
                bencher.iter_custom(|iterations| (0..iterations).map(|_| crowd.push(message.clone())).sum());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, fanout);
criterion_main!(benches);
