//! Connections that do nothing: what each costs the server in memory.

use std::time::{Duration, Instant};

use anser_proto::v1::{self, client_frame::Request};
use anyhow::Context as _;
use clap::Args;

use super::{Common, Target, check_open_files, report::Report};

/// What the allocator and the caches take once is not counted among the connections' memory.
const WARM_UP_CONNECTIONS: usize = 200;
/// Until memory is looked at, what logging in needed is given back.
const SETTLE: Duration = Duration::from_secs(2);

#[derive(Args)]
pub struct Idle {
    #[command(flatten)]
    common: Common,
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
}

impl Idle {
    pub async fn run(self) -> anyhow::Result<()> {
        check_open_files(self.connections)?;
        let target = Target::find(&self.common).await?;
        let process = target
            .process
            .as_ref()
            .context("only the memory of a server of one's own can be measured: leave out --server")?;
        drop(target.log_in(WARM_UP_CONNECTIONS).await?);
        tokio::time::sleep(SETTLE).await;
        let before = process.memory_bytes()?;

        let begun = Instant::now();
        let mut links = target.log_in(self.connections).await?;
        let logged_in = begun.elapsed();
        // Idle, not untouched: each has been read from and written to.
        for link in &mut links {
            link.ask(Request::Ping(v1::Ping {})).await?;
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
