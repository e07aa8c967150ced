//! Connections that do nothing: what each costs the server in memory.

use std::time::{Duration, Instant};

use anser_proto::{
    limits::{BODY_BYTES_MAX, PAGE_MAX},
    v1::{self, client_frame::Request, message::Type, server_frame::Body},
};
use anyhow::{Context as _, bail};
use clap::Args;

use super::{Common, Target, check_open_files, link::Link, report::Report};

/// What the allocator and the caches take once is not counted among the connections' memory.
const WARM_UP_CONNECTIONS: usize = 200;
/// Until memory is looked at, what logging in needed is given back.
const SETTLE: Duration = Duration::from_secs(2);

/// Of the groups whose history is read.
const GROUP_MEMBERS: usize = 500;
const HISTORY_MESSAGES: usize = 9;
/// Pages grow for who asks quickly; the last one is of 512 KiB.
const PAGES: usize = 4;
/// So many that each of the server's readers has met the whole history.
const FILLING_PAGES: usize = 32;

#[derive(Args)]
pub struct Idle {
    #[command(flatten)]
    common: Common,
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Let each read its history first: pages of 512 KiB and more
    #[arg(long)]
    after_history: bool,
    /// Connect with TLS
    #[arg(long)]
    tls: bool,
}

impl Idle {
    pub async fn run(self) -> anyhow::Result<()> {
        check_open_files(self.connections)?;
        let target = if self.tls { Target::start_secure().await? } else { Target::find(&self.common).await? };
        let process = target
            .process
            .as_ref()
            .context("only the memory of a server of one's own can be measured: leave out --server")?;
        let histories = if self.after_history { write_histories(&target, self.connections).await? } else { Vec::new() };
        drop(target.log_in(0..WARM_UP_CONNECTIONS).await?);
        fill_caches(&target, &histories).await?;
        tokio::time::sleep(SETTLE).await;
        let before = process.memory_bytes()?;

        let begun = Instant::now();
        let mut links = target.log_in(0..self.connections).await?;
        let logged_in = begun.elapsed();
        // Idle, not untouched: each has been read from and written to.
        for link in &mut links {
            link.ask(Request::Ping(v1::Ping {})).await?;
        }
        for (links, conversation_id) in links.chunks_mut(GROUP_MEMBERS).zip(&histories) {
            for link in links {
                read_history(link, conversation_id, PAGES).await?;
            }
        }
        tokio::time::sleep(SETTLE).await;
        let after = process.memory_bytes()?;
        drop(links);
        target.end().await?;

        let mut report = Report::default();
        report.add("connections", self.connections as f64);
        report.add("bytes_per_connection", (after.saturating_sub(before) as f64 / self.connections as f64).round());
        report.add("server_bytes", after as f64);
        report.add("logins_per_s", (self.connections as f64 / logged_in.as_secs_f64()).round());
        report.print(self.common.json)
    }
}

/// Groups of the users, in each of which one writes what all shall read. Tells the groups' conversations.
async fn write_histories(target: &Target, connections: usize) -> anyhow::Result<Vec<String>> {
    let mut histories = Vec::new();
    for first in (0..connections).step_by(GROUP_MEMBERS) {
        let mut links = target.log_in(first..connections.min(first + GROUP_MEMBERS)).await?;
        histories.push(write_history(first, &mut links).await?);
    }
    Ok(histories)
}

/// Has the server keep of the histories what it will, which has a bound of its own and is not counted among the connections' memory. Behind
/// all writes: with each of them, SQLite's readers forget what they have kept.
async fn fill_caches(target: &Target, histories: &[String]) -> anyhow::Result<()> {
    let mut links = Vec::new();
    for group in 0..histories.len() {
        let first = group * GROUP_MEMBERS;
        links.extend(target.log_in(first..first + 1).await?);
    }
    for (link, conversation_id) in links.iter_mut().zip(histories) {
        read_history(link, conversation_id, FILLING_PAGES).await?;
    }
    Ok(())
}

async fn write_history(number: usize, links: &mut [Link]) -> anyhow::Result<String> {
    let [first, others @ ..] = links else { bail!("a group has at least one member") };
    let create = v1::CreateGroup {
        client_group_id: format!("idle-{number}"),
        name: "bench".into(),
        user_ids: others.iter().map(|link| link.user_id).collect(),
        ..Default::default()
    };
    let Body::Group(group) = first.ask(Request::CreateGroup(create)).await? else { bail!("no group was created") };
    let conversation_id = format!("group_{}", group.group_id);
    for message in 0..HISTORY_MESSAGES {
        let send = v1::Send {
            conversation_id: conversation_id.clone(),
            client_msg_id: format!("m-{message}"),
            r#type: Type::Text.into(),
            content: "x".repeat(BODY_BYTES_MAX),
            ..Default::default()
        };
        if !matches!(first.ask(Request::Send(send)).await?, Body::Sent(_)) {
            bail!("a message was not sent");
        }
    }
    Ok(conversation_id)
}

async fn read_history(link: &mut Link, conversation_id: &str, pages: usize) -> anyhow::Result<()> {
    for _ in 0..pages {
        let pull = v1::Pull { conversation_id: conversation_id.into(), limit: PAGE_MAX, ..Default::default() };
        let Body::Messages(_) = link.ask(Request::Pull(pull)).await? else { bail!("no page") };
    }
    Ok(())
}
