//! A connection that loses what the server pushes, put in through the SDK's own seam.

use std::{io, sync::Arc};

use anser_client::{
    Client, Draft,
    transport::{Closed, Dial, Network, Transport},
};
use anser_proto::v1;
use futures_util::future::BoxFuture;

use crate::{
    ALICE, BOB, config, content,
    fake::{Fake, Wire},
    ours, receive, within,
};

/// Every second pushed message is lost.
struct Lossy(Network);

struct LossyLine {
    line: Box<dyn Transport>,
    pushed: u32,
}

impl Dial for Lossy {
    fn dial(&self) -> BoxFuture<'_, io::Result<Box<dyn Transport>>> {
        Box::pin(async {
            let line = self.0.dial().await?;
            Ok(Box::new(LossyLine { line, pushed: 0 }) as Box<dyn Transport>)
        })
    }
}

impl Transport for LossyLine {
    fn send(&mut self, frame: v1::ClientFrame) {
        self.line.send(frame);
    }

    fn receive(&mut self) -> BoxFuture<'_, Result<v1::ServerFrame, Closed>> {
        Box::pin(async {
            loop {
                let frame = self.line.receive().await?;
                self.pushed += u32::from(matches!(frame.body, Some(v1::server_frame::Body::Message(_))));
                if frame.request_id != 0 || self.pushed.is_multiple_of(2) {
                    return Ok(frame);
                }
            }
        })
    }

    fn received(&self) -> u64 {
        self.line.received()
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        self.line.close()
    }
}

#[tokio::test]
async fn a_push_that_is_lost_costs_time_and_no_message() {
    let server = Fake::start(Wire::WebSocket).await;
    let mut lossy = config("ws", server.address, BOB);
    lossy.dial = Some(Arc::new(Lossy(Network::new(&lossy.url, lossy.format, None).expect("an address"))));
    // The last message is followed by nothing that would betray the hole before it.
    lossy.policy.check_every_ms = 200;
    let bob = Client::open(lossy).await.expect("opens");
    let mut bob_events = bob.events();
    within(bob.caught_up()).await.expect("logged in");
    let alice = Client::open(config("ws", server.address, ALICE)).await.expect("opens");
    for number in 0..7 {
        alice.send(ours(), Draft::text(number.to_string())).await.expect("queued");
    }
    for number in 0..7 {
        assert_eq!(receive(&mut bob_events, content).await, number.to_string());
    }
}
