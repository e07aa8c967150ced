//! A connection of a device to a node.

use std::{collections::VecDeque, time::Duration};

use anser_proto::{
    Format,
    limits::SERVER_FRAME_BYTES_MAX,
    tcp,
    v1::{self, ClientFrame, ServerFrame, client_frame::Request, server_frame::Body},
};
use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    time::timeout,
};

use crate::town::Town;

/// A client that receives nothing for so long tries another connection.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// A connection, and frames that came while an answer was waited for.
pub struct Line {
    stream: DuplexStream,
    read: BytesMut,
    next_id: u32,
    pub events: VecDeque<Body>,
}

/// The connection is of no use any more.
pub struct Gone;

impl Line {
    /// To this node. None if it is stopped.
    pub fn open(town: &Town, node: usize) -> Option<Self> {
        let stream = town.nodes[node].server.as_ref()?.connect()?;
        Some(Self { stream, read: BytesMut::new(), next_id: 0, events: VecDeque::new() })
    }

    /// None if the device is not let in.
    pub async fn log_in(mut self, town: &Town, account: &str, device_id: &str) -> Option<(Self, v1::Welcome)> {
        match self.ask(Request::Hello(town.hello(account, device_id))).await {
            Ok(Body::Welcome(welcome)) => Some((self, welcome)),
            _ => None,
        }
    }

    pub async fn ask(&mut self, request: Request) -> Result<Body, Gone> {
        self.ask_all(vec![request]).await.pop().ok_or(Gone)
    }

    /// Asks in one go; fewer answers when the connection is of no use any more.
    pub async fn ask_all(&mut self, requests: Vec<Request>) -> Vec<Body> {
        let (first, mut out) = (self.next_id + 1, BytesMut::new());
        let mut answers: Vec<Body> = Vec::with_capacity(requests.len());
        let asked = requests.len();
        for request in requests {
            self.next_id += 1;
            let frame = ClientFrame { request_id: self.next_id, request: Some(request) };
            tcp::put_frame(&mut out, &Format::Protobuf.encode(&frame));
        }
        let answering = async {
            if self.stream.write_all(&out).await.is_err() {
                return;
            }
            while answers.len() < asked {
                let Ok(frame) = self.receive().await else { return };
                match frame.body {
                    Some(body) if frame.request_id == first + answers.len() as u32 => answers.push(body),
                    body => self.events.extend(body),
                }
            }
        };
        let _ = timeout(ANSWER_MAX, answering).await;
        answers
    }

    /// Cancel-safe.
    pub async fn receive(&mut self) -> Result<ServerFrame, Gone> {
        loop {
            if let Some(frame) = tcp::take_frame(&mut self.read, SERVER_FRAME_BYTES_MAX).expect("within the limit") {
                return Ok(Format::Protobuf.decode(&frame).expect("a frame"));
            }
            match self.stream.read_buf(&mut self.read).await {
                Ok(1..) => {}
                _ => return Err(Gone),
            }
        }
    }
}
