//! A group whose members are all connected: one copy in the store, one push to each.

use std::sync::{Arc, atomic::Ordering};

use anser_proto::v1::{self, client_frame::Request, server_frame::Body};
use anyhow::bail;
use clap::Args;

use super::{
    Common, Load, Target, check_open_files,
    direct::{Pace, Writer},
    report::{Report, Tally},
};

/// Members who are invited with one request.
const INVITED_AT_ONCE: usize = 500;

#[derive(Args)]
pub struct Group {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    load: Load,
    /// Members of the group
    #[arg(long, default_value_t = 500)]
    members: usize,
    /// Members who are connected [default: all]
    #[arg(long)]
    online: Option<usize>,
    /// Members who write
    #[arg(long, default_value_t = 10)]
    writers: usize,
    /// Sends of one writer that wait for their ack, when as fast as possible
    #[arg(long, default_value_t = 4)]
    in_flight: usize,
}

impl Group {
    pub async fn run(self) -> anyhow::Result<()> {
        let online = self.online.unwrap_or(self.members);
        if self.writers == 0 || self.writers > online || online > self.members {
            bail!(
                "--writers is {} and --online {online}: choose 1 to --online, and that up to --members",
                self.writers
            );
        }
        check_open_files(self.members)?;
        let target = Target::find(&self.common).await?;
        let mut links = target.log_in(0..self.members).await?;
        let ids: Vec<_> = links.iter().map(|link| link.user_id).collect();
        let create = v1::CreateGroup {
            client_group_id: uuid::Uuid::now_v7().to_string(),
            name: "bench".into(),
            ..Default::default()
        };
        let Body::Group(group) = links[0].ask(Request::CreateGroup(create)).await? else {
            bail!("no group was created")
        };
        for user_ids in ids[1..].chunks(INVITED_AT_ONCE) {
            let invite = v1::InviteMembers { group_id: group.group_id, user_ids: user_ids.to_vec() };
            if !matches!(links[0].ask(Request::InviteMembers(invite)).await?, Body::Group(_)) {
                bail!("the members were not let in");
            }
        }

        // Who is not online was there once.
        links.truncate(online);
        let tally = Arc::new(Tally::new());
        let pace = Pace::of(self.load.rate, self.writers, self.in_flight);
        let tasks: Vec<_> = links
            .into_iter()
            .enumerate()
            .map(|(index, link)| {
                let conversation = format!("group_{}", group.group_id);
                let writer = Writer::new(link, conversation, self.load.size as usize, Arc::clone(&tally));
                if index < self.writers { tokio::spawn(writer.run(pace)) } else { tokio::spawn(writer.listen()) }
            })
            .collect();
        tally.run(self.load.warm_up(), self.load.measured()).await;
        let acked = tally.acked.load(Ordering::Relaxed);
        let delivered = tally.delivered.load(Ordering::Relaxed);
        for task in tasks {
            task.await??;
        }
        target.end().await?;

        let mut report = Report::default();
        report.add("members", self.members as f64);
        report.add("online", online as f64);
        report.add("rate", (acked as f64 / self.load.seconds as f64).round());
        report.add("delivery_rate", (delivered as f64 / self.load.seconds as f64).round());
        tally.times(&mut report);
        report.print(self.common.json)
    }
}
