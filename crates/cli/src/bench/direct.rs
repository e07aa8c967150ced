//! One to one: users in pairs, each writes to the other. Durable sends from socket to ack, and on to the peer.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use anser_proto::{
    ConversationId, UserId,
    v1::{self, client_frame::Request, error::Code, message::Type, server_frame::Body},
};
use anyhow::{anyhow, bail};
use clap::Args;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    Common, Load, Target, bare, check_open_files,
    link::Link,
    report::{Report, Tally, Times, round},
};
use crate::out;

#[derive(Args)]
pub struct Direct {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    load: Load,
    /// Users, in pairs, each with a connection
    #[arg(long, default_value_t = 200)]
    connections: usize,
    /// Sends of one connection that wait for their ack, when as fast as possible
    #[arg(long, default_value_t = 32)]
    in_flight: usize,
    /// Leave out the bare store's rate
    #[arg(long)]
    no_store: bool,
}

impl Direct {
    pub async fn run(self) -> anyhow::Result<()> {
        if self.connections < 2 || !self.connections.is_multiple_of(2) {
            bail!("--connections is {}: users write in pairs, so name an even number", self.connections);
        }
        check_open_files(self.connections)?;
        let store_rate = if self.no_store {
            None
        } else {
            out::aside("the bare store first\n");
            let (warm_up, measured) = (self.load.warm_up(), self.load.measured());
            Some(bare::append_rate(self.connections, self.load.size as usize, warm_up, measured).await?)
        };
        let target = Target::find(&self.common).await?;
        let links = target.log_in(0..self.connections).await?;
        let tally = Arc::new(Tally::new());
        let peers: Vec<_> = (0..links.len()).map(|index| links[index ^ 1].user_id).collect();
        let pace = Pace::of(self.load.rate, self.connections, self.in_flight);
        let writers: Vec<_> = links
            .into_iter()
            .zip(peers)
            .map(|(link, peer)| {
                let conversation = ConversationId::single(UserId(link.user_id), UserId(peer)).to_string();
                let writer = Writer::new(link, conversation, self.load.size as usize, Arc::clone(&tally));
                tokio::spawn(writer.run(pace))
            })
            .collect();
        tally.run(self.load.warm_up(), self.load.measured()).await;
        let acked = tally.acked.load(Ordering::Relaxed);
        let delivered = tally.delivered.load(Ordering::Relaxed);
        for writer in writers {
            writer.await??;
        }
        target.end().await?;

        let mut report = Report::default();
        let rate = acked as f64 / self.load.seconds as f64;
        report.add("connections", self.connections as f64);
        report.add("rate", rate.round());
        if let Some(store_rate) = store_rate {
            report.add("store_rate", store_rate.round());
            report.add("ratio", round(rate / store_rate, 3));
        }
        report.add("delivery_rate", (delivered as f64 / self.load.seconds as f64).round());
        tally.times(&mut report);
        report.print(self.common.json)
    }
}

fn refused(error: &v1::Error) -> anyhow::Error {
    let hint = match error.code() {
        Code::RateLimited => {
            ": raise limits.requests_per_s, limits.sends_per_s and limits.conversation_sends_per_s there (0: no limit) and start it \
             again, or choose a lower --rate"
        }
        _ => "",
    };
    anyhow!("the server refused a send with {}, {}{hint}", error.code().as_str_name(), error.message)
}

/// When a connection sends.
#[derive(Clone, Copy)]
pub enum Pace {
    /// As fast as answers come, with so many under way.
    Closed { in_flight: usize },
    /// One every so often, whatever comes back.
    Open { every: Duration },
}

impl Pace {
    pub fn of(rate: u64, connections: usize, in_flight: usize) -> Self {
        if rate == 0 {
            Self::Closed { in_flight }
        } else {
            Self::Open { every: Duration::from_secs_f64(connections as f64 / rate as f64) }
        }
    }
}

/// A connection that writes into one conversation and reads what comes.
pub struct Writer {
    link: Link,
    conversation_id: String,
    padding: String,
    tally: Arc<Tally>,
    times: Times,
    next_id: u32,
    /// When the sends that wait for their acks were due, in order: acks come in that order.
    waiting: VecDeque<Instant>,
}

impl Writer {
    pub fn new(link: Link, conversation_id: String, size: usize, tally: Arc<Tally>) -> Self {
        // Sixteen hexadecimal digits tell the receiver when it was sent.
        let padding = "x".repeat(size.saturating_sub(16));
        Self { link, conversation_id, padding, tally, times: Times::new(), next_id: 0, waiting: VecDeque::new() }
    }

    pub async fn run(mut self, pace: Pace) -> anyhow::Result<()> {
        match pace {
            Pace::Closed { in_flight } => self.run_closed(in_flight).await?,
            Pace::Open { every } => self.run_open(every).await?,
        }
        self.tally.add(self.times);
        Ok(())
    }

    async fn run_closed(&mut self, in_flight: usize) -> anyhow::Result<()> {
        while !self.tally.is_over() {
            while self.waiting.len() < in_flight {
                self.send(Instant::now()).await?;
            }
            self.link.flush().await?;
            self.read().await?;
        }
        Ok(())
    }

    async fn run_open(&mut self, every: Duration) -> anyhow::Result<()> {
        // Connections start apart, so that they do not all send in the same instant.
        tokio::time::sleep(every.mul_f64(rand::random::<f64>())).await;
        let mut due = interval(every);
        // What was due is sent, late or not: a slow server must not slow its own test down.
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while !self.tally.is_over() {
            tokio::select! {
                at = due.tick() => {
                    self.send(at.into_std()).await?;
                    self.link.flush().await?;
                }
                frames = self.link.read() => self.take(frames?)?,
            }
        }
        Ok(())
    }

    /// Only reads.
    pub async fn listen(mut self) -> anyhow::Result<()> {
        while !self.tally.is_over() {
            tokio::select! {
                read = self.read() => read?,
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            }
        }
        self.tally.add(self.times);
        Ok(())
    }

    async fn send(&mut self, due: Instant) -> anyhow::Result<()> {
        self.next_id += 1;
        self.waiting.push_back(due);
        let late = due.elapsed().as_micros() as u64;
        let send = v1::Send {
            conversation_id: self.conversation_id.clone(),
            client_msg_id: uuid::Uuid::now_v7().to_string(),
            r#type: Type::Text.into(),
            content: format!("{:016x}{}", self.tally.stamp().saturating_sub(late), self.padding),
            ..Default::default()
        };
        self.link.feed(self.next_id, Request::Send(send)).await
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let frames = self.link.read().await?;
        self.take(frames)
    }

    fn take(&mut self, frames: Vec<v1::ServerFrame>) -> anyhow::Result<()> {
        let measuring = self.tally.is_measuring();
        let (mut acked, mut delivered) = (0, 0);
        for frame in frames {
            match frame.body {
                Some(Body::Sent(_)) => {
                    acked += 1;
                    if let Some(due) = self.waiting.pop_front()
                        && measuring
                    {
                        self.times.acked(due.elapsed());
                    }
                }
                Some(Body::Message(event)) => {
                    delivered += 1;
                    let content = event.message.map(|message| message.content).unwrap_or_default();
                    if let Some(stamp) = content.get(..16).and_then(|stamp| u64::from_str_radix(stamp, 16).ok())
                        && measuring
                    {
                        self.times.delivered(self.tally.since(stamp));
                    }
                }
                Some(Body::Error(error)) => return Err(refused(&error)),
                // Notices of the group, and what concerns sessions.
                _ => {}
            }
        }
        self.tally.acked.fetch_add(acked, Ordering::Relaxed);
        self.tally.delivered.fetch_add(delivered, Ordering::Relaxed);
        Ok(())
    }
}
