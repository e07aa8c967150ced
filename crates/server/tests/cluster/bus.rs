//! The contract of [`Bus`], and what NATS may do to it.

use anser_server::cluster::{
    Bus, Inbox, Inboxes, MESSAGE_BYTES_MAX, NodeId, Way,
    counts::{Counts, Dropped},
    local::LocalBus,
    memory::{MemoryNode, Network},
};
use async_trait::async_trait;
use bytes::Bytes;

use crate::{node, within};

#[async_trait]
trait World {
    type Bus: Bus;
    async fn join(&self, me: NodeId, counts: &Counts) -> (Self::Bus, Inboxes);
}

#[async_trait]
impl World for Network {
    type Bus = MemoryNode;

    async fn join(&self, me: NodeId, counts: &Counts) -> (MemoryNode, Inboxes) {
        let node = anser_server::cluster::Node { id: me, ..node("any") };
        Network::join(self, node, counts.clone())
    }
}

macro_rules! suite {
    ($($case:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::Network::default()).await;
            })*
        }

        #[cfg(feature = "cluster")]
        mod nats {
            $(#[tokio::test]
            async fn $case() {
                super::$case(super::faults::NatsWorld::start()).await;
            })*
        }
    };
}

suite! {
    what_is_sent_to_a_node_reaches_it_alone
    a_broadcast_reaches_everyone_but_its_sender
    nobody_gets_what_is_sent_to_nobody
    none_overtakes_another
    an_answer_waits_for_no_pushes
    what_is_too_large_is_dropped_and_counted
    the_largest_message_arrives_whole
}

struct Peer<B> {
    id: NodeId,
    bus: B,
    /// Of pushes.
    inbox: Inbox,
    answers: Inbox,
    counts: Counts,
}

async fn peers<W: World>(world: &W) -> [Peer<W::Bus>; 3] {
    let join = async || {
        let (id, counts) = (NodeId::random(), Counts::default());
        let (bus, Inboxes { pushes, answers }) = world.join(id, &counts).await;
        Peer { id, bus, inbox: pushes, answers, counts }
    };
    [join().await, join().await, join().await]
}

impl<B: Bus> Peer<B> {
    async fn receives(&mut self, message: &'static str) {
        let received = within(message, self.inbox.recv()).await.expect("the bus lives");
        assert_eq!(received, message);
    }
}

async fn what_is_sent_to_a_node_reaches_it_alone(world: impl World) {
    let [one, mut two, mut three] = peers(&world).await;
    one.bus.send(two.id, Way::Pushes, Bytes::from_static(b"for two"));
    one.bus.send(three.id, Way::Pushes, Bytes::from_static(b"for three"));
    two.receives("for two").await;
    three.receives("for three").await;
    one.bus.send(two.id, Way::Pushes, Bytes::from_static(b"again"));
    two.receives("again").await;
}

async fn a_broadcast_reaches_everyone_but_its_sender(world: impl World) {
    let [mut one, mut two, mut three] = peers(&world).await;
    one.bus.broadcast(Way::Pushes, Bytes::from_static(b"to all"));
    two.receives("to all").await;
    three.receives("to all").await;
    // What the sender receives first is this and not its own.
    two.bus.broadcast(Way::Pushes, Bytes::from_static(b"back"));
    one.receives("back").await;
    three.receives("back").await;
}

async fn nobody_gets_what_is_sent_to_nobody(world: impl World) {
    let [one, mut two, mut three] = peers(&world).await;
    one.bus.send(NodeId::random(), Way::Pushes, Bytes::from_static(b"to nobody"));
    one.bus.send(two.id, Way::Pushes, Bytes::from_static(b"for two"));
    one.bus.send(three.id, Way::Pushes, Bytes::from_static(b"for three"));
    two.receives("for two").await;
    three.receives("for three").await;
}

async fn none_overtakes_another(world: impl World) {
    let [one, mut two, mut three] = peers(&world).await;
    let numbers = || (0..1_000_u32).map(|number| Bytes::copy_from_slice(&number.to_be_bytes()));
    for number in numbers() {
        one.bus.send(two.id, Way::Pushes, number);
        // Each is taken before there are more than fit.
        tokio::task::yield_now().await;
    }
    for number in numbers() {
        assert_eq!(within("all of them", two.inbox.recv()).await, Some(number));
    }
    for number in numbers() {
        one.bus.broadcast(Way::Pushes, number);
        tokio::task::yield_now().await;
    }
    for number in numbers() {
        assert_eq!(within("all of them", three.inbox.recv()).await, Some(number));
    }
}

async fn an_answer_waits_for_no_pushes(world: impl World) {
    let [one, mut two, _] = peers(&world).await;
    // More than may wait, and nobody takes any.
    for _ in 0..20_000 {
        one.bus.send(two.id, Way::Pushes, Bytes::from_static(b"a push"));
        tokio::task::yield_now().await;
    }
    assert!(one.bus.send(two.id, Way::Answers, Bytes::from_static(b"an answer")), "there is room");
    assert!(one.bus.broadcast(Way::Answers, Bytes::from_static(b"a kick")), "there is room");
    // What is for one and what is for all comes by two ways, in either order.
    let mut came = Vec::new();
    for _ in 0..2 {
        came.push(within("both of them", two.answers.recv()).await.expect("the bus lives"));
    }
    came.sort_unstable();
    assert_eq!(came, ["a kick", "an answer"]);
    two.receives("a push").await;
}

async fn what_is_too_large_is_dropped_and_counted(world: impl World) {
    let [one, mut two, _] = peers(&world).await;
    one.bus.send(two.id, Way::Pushes, vec![0; MESSAGE_BYTES_MAX + 1].into());
    one.bus.broadcast(Way::Pushes, vec![0; MESSAGE_BYTES_MAX + 1].into());
    assert_eq!(one.counts.dropped_for(Dropped::TooLarge), 2);
    one.bus.send(two.id, Way::Pushes, Bytes::from_static(b"behind it"));
    two.receives("behind it").await;
}

async fn the_largest_message_arrives_whole(world: impl World) {
    let [one, mut two, _] = peers(&world).await;
    let large = Bytes::from(vec![7; MESSAGE_BYTES_MAX]);
    one.bus.send(two.id, Way::Pushes, large.clone());
    assert_eq!(within("it arrives", two.inbox.recv()).await, Some(large));
}

#[tokio::test(start_paused = true)]
async fn alone_nothing_is_received() {
    let (bus, Inboxes { pushes: mut inbox, .. }) = LocalBus::open();
    bus.broadcast(Way::Pushes, Bytes::from_static(b"hello?"));
    bus.send(NodeId::random(), Way::Pushes, Bytes::from_static(b"hello?"));
    assert!(tokio::time::timeout(crate::PATIENCE, inbox.recv()).await.is_err());
}

#[cfg(feature = "cluster")]
mod faults {
    use anser_server::cluster::nats::NatsBus;
    use anser_services::{Nats, Place};

    use super::*;
    use crate::{NAME, eventually};

    pub(super) struct NatsWorld(Nats);

    impl NatsWorld {
        pub(super) fn start() -> Self {
            Self(Nats::start(Place::Tests).expect("nats"))
        }
    }

    #[async_trait]
    impl World for NatsWorld {
        type Bus = NatsBus;

        async fn join(&self, me: NodeId, counts: &Counts) -> (NatsBus, Inboxes) {
            NatsBus::open(&self.0.url(), NAME, me, counts.clone()).await.expect("a bus")
        }
    }

    /// Says it until it is received.
    async fn reaches(one: &Peer<NatsBus>, two: &mut Peer<NatsBus>, message: &'static str) {
        within(message, async {
            loop {
                one.bus.send(two.id, Way::Pushes, Bytes::from_static(message.as_bytes()));
                tokio::select! {
                    received = two.inbox.recv() => if received.as_deref() == Some(message.as_bytes()) { return },
                    () = tokio::task::yield_now() => {}
                }
            }
        })
        .await;
    }

    #[tokio::test]
    async fn without_nats_messages_are_dropped_and_counted_and_when_it_is_back_it_goes_on() {
        let mut world = NatsWorld::start();
        let [one, mut two, mut three] = peers(&world).await;
        reaches(&one, &mut two, "before").await;
        let lost = [&one, &two, &three].map(|peer| peer.counts.losses.here.take().is_some());
        assert_eq!(lost, [false; 3], "nobody lost anything by starting");
        world.0.kill();
        eventually("the loss is seen", async || [&one, &two, &three].iter().all(|peer| !peer.bus.is_connected())).await;
        let before = one.counts.dropped_for(Dropped::Unconnected);
        for _ in 0..100 {
            one.bus.broadcast(Way::Pushes, Bytes::from_static(b"into the void"));
        }
        assert_eq!(one.counts.dropped_for(Dropped::Unconnected), before + 100);
        world.0.start_again().expect("nats again");
        reaches(&one, &mut two, "after").await;
        reaches(&one, &mut three, "after").await;
        assert_eq!([&one, &two, &three].map(|peer| peer.counts.losses.here.take().is_some()), [true; 3]);
    }

    #[tokio::test]
    async fn nobody_waits_for_a_nats_that_does_not_answer() {
        let world = NatsWorld::start();
        let [one, mut two, _three] = peers(&world).await;
        world.0.pause();
        // Far more than waits anywhere: what is beyond is dropped.
        let large = Bytes::from(vec![0; MESSAGE_BYTES_MAX]);
        for _ in 0..1_600 {
            one.bus.send(two.id, Way::Pushes, large.clone());
            tokio::task::yield_now().await;
        }
        let dropped = one.counts.dropped_for(Dropped::OutgoingFull) + one.counts.dropped_for(Dropped::Unconnected);
        assert!(dropped > 0, "125 MiB went nowhere and were not dropped");
        world.0.resume();
        reaches(&one, &mut two, "after").await;
    }

    #[tokio::test]
    async fn a_nats_that_is_away_at_the_start_is_waited_for() {
        let mut world = NatsWorld::start();
        world.0.kill();
        let [one, mut two, _three] = peers(&world).await;
        world.0.start_again().expect("nats again");
        reaches(&one, &mut two, "at last").await;
    }

    #[tokio::test]
    async fn a_nats_that_takes_little_gets_small_packs_and_what_does_not_fit_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = folder.path().join("nats.conf");
        std::fs::write(&config, "max_payload: 8192").expect("written");
        let options = ["--config", config.to_str().expect("UTF-8")];
        let world = NatsWorld(Nats::start_with(Place::Tests, &options).expect("nats"));
        let [one, mut two, _three] = peers(&world).await;
        let message = |n: u8| Bytes::from(vec![n; 1024]);
        assert!(
            (0..100).all(|n| one.bus.send(two.id, Way::Pushes, message(n))),
            "all of it is put before any of it is packed"
        );
        for n in 0..100 {
            assert_eq!(within("a message", two.inbox.recv()).await, Some(message(n)));
        }
        let largest = Bytes::from(vec![0; 8192 - 4]);
        assert!(one.bus.send(two.id, Way::Pushes, largest.clone()));
        assert_eq!(within("the largest", two.inbox.recv()).await, Some(largest));
        assert!(!one.bus.send(two.id, Way::Pushes, Bytes::from(vec![0; 8192 - 3])));
        assert_eq!(one.counts.dropped_for(Dropped::TooLarge), 1);
    }

    /// Sends each in a pack of its own, and no more at once than may wait.
    async fn send_singly(one: &NatsBus, to: NodeId, messages: impl Iterator<Item = Bytes>) {
        for (number, message) in messages.enumerate() {
            assert!(one.send(to, Way::Pushes, message));
            tokio::task::yield_now().await;
            if number % 64 == 63 {
                one.flush().await;
            }
        }
    }

    #[tokio::test]
    async fn a_burst_that_a_node_reads_in_one_go_finds_room() {
        let world = NatsWorld::start();
        let counts = [(); 2].map(|()| Counts::default());
        let me = NodeId::random();
        let (one, _inbox) = world.join(NodeId::random(), &counts[0]).await;
        let numbers = || (0..1_000_u32).map(|number| Bytes::copy_from_slice(&number.to_be_bytes()));
        // A thread that does something else for a while: what comes meanwhile waits in the socket.
        let (joined, stalled) = tokio::sync::oneshot::channel();
        let (go_on, gone_on) = std::sync::mpsc::sync_channel(1);
        let url = world.0.url();
        let two = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let (_bus, mut inboxes) =
                runtime.block_on(NatsBus::open(&url, NAME, me, counts[1].clone())).expect("a bus");
            joined.send(()).expect("it is waited for");
            gone_on.recv().expect("it goes on");
            runtime.block_on(async {
                for number in numbers() {
                    assert_eq!(within("all of them", inboxes.pushes.recv()).await, Some(number));
                }
            });
        });
        stalled.await.expect("it joins");
        send_singly(&one, me, numbers()).await;
        go_on.send(()).expect("it waits");
        tokio::task::spawn_blocking(|| two.join()).await.expect("no panic").expect("all of them, in order");
    }

    #[tokio::test]
    async fn who_takes_nothing_loses_what_their_inbox_has_no_room_for_and_nothing_else() {
        const LARGE: usize = 1_200;
        let world = NatsWorld::start();
        let [one, mut two, _three] = peers(&world).await;
        let large = |number: usize| {
            let mut message = vec![0; MESSAGE_BYTES_MAX];
            message[..8].copy_from_slice(&(number as u64).to_be_bytes());
            Bytes::from(message)
        };
        send_singly(&one.bus, two.id, (0..LARGE).map(large)).await;
        let dropped = || two.counts.dropped_for(Dropped::IncomingFull);
        // 64 MiB wait, and all that is behind them is gone, since nothing waits elsewhere.
        let waits = (64 << 20) / MESSAGE_BYTES_MAX;
        eventually("the rest is dropped", async || dropped() == (LARGE - waits) as u64).await;
        assert!(two.counts.losses.here.take().is_some(), "and told as lost");
        for number in 0..waits {
            let arrived = within("it waited", two.inbox.recv()).await.expect("the bus lives");
            assert_eq!(arrived[..8], (number as u64).to_be_bytes());
        }
        one.bus.send(two.id, Way::Pushes, Bytes::from_static(b"behind them"));
        two.receives("behind them").await;
    }

    #[tokio::test]
    async fn clusters_of_other_names_do_not_receive_from_each_other() {
        let world = NatsWorld::start();
        let [one, mut two, _three] = peers(&world).await;
        let (other, mut others) =
            NatsBus::open(&world.0.url(), "other", two.id, Counts::default()).await.expect("a bus");
        other.broadcast(Way::Pushes, Bytes::from_static(b"of another"));
        other.send(two.id, Way::Pushes, Bytes::from_static(b"of another"));
        one.bus.broadcast(Way::Pushes, Bytes::from_static(b"of ours"));
        two.receives("of ours").await;
        let (third, _) = NatsBus::open(&world.0.url(), "other", one.id, Counts::default()).await.expect("a bus");
        third.broadcast(Way::Pushes, Bytes::from_static(b"of theirs"));
        assert_eq!(within("theirs", others.pushes.recv()).await.as_deref(), Some(&b"of theirs"[..]));
    }

    #[tokio::test]
    async fn the_address_says_who_logs_in_and_who_may_not_is_told_so() {
        for (options, right, wrong) in [
            (&["--user", "anser", "--pass", "p@ss/word"][..], "anser:p%40ss%2Fword@", "anser:p@"),
            (&["--auth", "a%token"], "a%25token@", ""),
        ] {
            let nats = Nats::start_with(Place::Tests, options).expect("nats");
            let open = async |login: &str| {
                let url = nats.url().replace("nats://", &format!("nats://{login}"));
                NatsBus::open(&url, NAME, NodeId::random(), Counts::default()).await
            };
            assert!(open(right).await.is_ok_and(|(bus, _)| bus.is_connected()), "{right}");
            let refused = open(wrong).await.err().expect("a refusal").to_string();
            assert!(refused.starts_with("nats refused the login"), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_wrong_address_is_refused_in_clear_words() {
        let refused = NatsBus::open("nats://[", NAME, NodeId::random(), Counts::default()).await;
        let refused = refused.err().expect("a refusal").to_string();
        assert!(refused.starts_with("cluster.nats = nats://["), "{refused}");
    }
}
