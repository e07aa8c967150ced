//! `anser doctor`: does the store keep what its tables promise each other?

use std::io::IsTerminal as _;

use anser_store::sqlite::doctor::{Finding, Repair, Report, examine, renew_log_id};
use anyhow::bail;
use clap::Args;

use crate::{lang::Lang, out, settings::Settings};

#[derive(Args)]
pub struct Doctor {
    #[command(flatten)]
    settings: Settings,
    /// Repair what follows from other rows
    #[arg(long)]
    repair: bool,
    /// The folder came out of a backup: give the store a new log_id, so that clients start anew
    #[arg(long, conflicts_with = "json")]
    restored: bool,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Fails when something is wrong and was not repaired.
    pub fn run(self) -> anyhow::Result<()> {
        let config = self.settings.load()?;
        if let Some(url) = &config.cluster.database {
            return self.run_in_cluster(&config.cluster.name, url);
        }
        let repair = if self.repair { Repair::Derivable } else { Repair::Nothing };
        let lang = Lang::of_environment();
        let on_terminal = std::io::stderr().is_terminal();
        let mut progress = |step: &str, messages: u64| {
            if on_terminal {
                out::aside(format_args!("\r\x1b[K{step}: {messages}"));
            }
        };
        // First, whatever is found: without it the clients would take new messages for old ones.
        if self.restored {
            let log_id = renew_log_id(&config.store.dir)?;
            out::line(format_args!("{}: {log_id}", lang.pick("the store has a new log_id", "数据库有了新的 log_id")))?;
        }
        let report = examine(&config.store.dir, repair, &mut progress)?;
        if on_terminal {
            out::aside("\r\x1b[K");
        }
        if self.json {
            out::line(json(&report))?;
        } else {
            out::say(text(lang, &report))?;
        }
        let left = report.found - report.repaired;
        if left > 0 {
            bail!("{}", lang.pick(format!("{left} findings are not repaired"), format!("{left} 处问题未修复")));
        }
        Ok(())
    }

    #[cfg(not(feature = "cluster"))]
    fn run_in_cluster(&self, _: &str, _: &str) -> anyhow::Result<()> {
        bail!("cluster.database is set, and this build can only be alone: build it with the feature `cluster`")
    }

    #[cfg(feature = "cluster")]
    fn run_in_cluster(&self, name: &str, url: &str) -> anyhow::Result<()> {
        let lang = Lang::of_environment();
        if !self.restored || self.repair {
            bail!(
                "{}",
                lang.pick(
                    "the doctor looks at embedded stores; of a database that nodes share it only renews the log_id: --restored",
                    "doctor 只检查内嵌数据库；对集群共用的数据库，只能用 --restored 更新 log_id",
                )
            );
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let log_id = runtime.block_on(anser_store::mysql::renew_log_id(url))?;
        out::line(format_args!("{}: {log_id}", lang.pick("the store has a new log_id", "数据库有了新的 log_id")))?;
        // What Redis has is claimed by the store of before, and is of no worth to this one.
        let todo = lang.pick("before a node starts, delete in its Redis", "在启动节点之前，删除其 Redis 中的键");
        Ok(out::line(format_args!("{todo}: msg_id_log_id anser:{name}:log_id"))?)
    }
}

fn text(lang: Lang, report: &Report) -> String {
    let mut text = String::new();
    for Finding { table, key, wrong, derivable } in &report.findings {
        let hope = match (derivable, lang) {
            (true, Lang::En) => "can be repaired",
            (true, Lang::Zh) => "可修复",
            (false, Lang::En) => "cannot be derived",
            (false, Lang::Zh) => "无法推导",
        };
        text.push_str(&format!("{table} [{key}]: {wrong} ({hope})\n"));
    }
    let Report { found, repaired, messages, .. } = report;
    text.push_str(&match lang {
        Lang::En => format!("{messages} messages looked at, {found} findings, {repaired} repaired\n"),
        Lang::Zh => format!("检查了 {messages} 条消息，发现 {found} 处问题，修复 {repaired} 处\n"),
    });
    if repaired < found && report.findings.iter().any(|finding| finding.derivable) {
        text.push_str(lang.pick("repair with `anser doctor --repair`\n", "用 `anser doctor --repair` 修复\n"));
    }
    text
}

fn json(report: &Report) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            serde_json::json!({
                "table": finding.table, "key": finding.key, "wrong": finding.wrong, "derivable": finding.derivable,
            })
        })
        .collect();
    serde_json::json!({
        "messages": report.messages, "found": report.found, "repaired": report.repaired, "findings": findings,
    })
}
