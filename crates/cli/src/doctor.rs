//! `anser doctor`: does the store keep what its tables promise each other?

use std::{io::IsTerminal as _, path::Path};

use anser_store::{
    doctor::{Finding, Progress, Repair, Report},
    sqlite,
};
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
    /// The store came out of a backup: give the store a new log_id, so that clients start anew
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
        let lang = Lang::of_environment();
        let on_terminal = std::io::stderr().is_terminal();
        let mut progress = |step: &str, messages: u64| {
            if on_terminal {
                out::aside(format_args!("\r\x1b[K{step}: {messages}"));
            }
        };
        let report = match &config.cluster.database {
            Some(url) => self.examine_shared(lang, &config.cluster.name, url, &mut progress)?,
            None => self.examine_folder(lang, &config.store.dir, &mut progress)?,
        };
        if on_terminal {
            out::aside("\r\x1b[K");
        }
        if self.json {
            out::line(json(&report))?;
        } else {
            let is_repairable = config.cluster.database.is_none();
            out::say(text(lang, &report, is_repairable))?;
        }
        let left = report.found - report.repaired;
        if left > 0 {
            bail!("{}", lang.pick(format!("{left} findings are not repaired"), format!("{left} 处问题未修复")));
        }
        Ok(())
    }

    /// A new log_id comes first, whatever is found: without it the clients would take new messages for old ones.
    fn examine_folder(&self, lang: Lang, folder: &Path, progress: Progress<'_>) -> anyhow::Result<Report> {
        if self.restored {
            tell_log_id(lang, sqlite::doctor::renew_log_id(folder)?)?;
        }
        let repair = if self.repair { Repair::Derivable } else { Repair::Nothing };
        Ok(sqlite::doctor::examine(folder, repair, progress)?)
    }

    #[cfg(not(feature = "cluster"))]
    fn examine_shared(&self, _: Lang, _: &str, _: &str, _: Progress<'_>) -> anyhow::Result<Report> {
        bail!("cluster.database is set, and this build can only be alone: build it with the feature `cluster`")
    }

    #[cfg(feature = "cluster")]
    fn examine_shared(&self, lang: Lang, name: &str, url: &str, progress: Progress<'_>) -> anyhow::Result<Report> {
        if self.repair {
            bail!(
                "{}",
                lang.pick(
                    "a database that nodes share is only examined: leave out --repair",
                    "集群共用的数据库只能检查，不能自动修复：请去掉 --repair",
                )
            );
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        if self.restored {
            tell_log_id(lang, runtime.block_on(anser_store::mysql::renew_log_id(url))?)?;
            // What Redis has is claimed by the store of before, and is of no worth to this one.
            let todo = lang.pick("before a node starts, delete in its Redis", "在启动节点之前，删除其 Redis 中的键");
            out::line(format_args!("{todo}: msg_id_log_id anser:{name}:log_id"))?;
        }
        Ok(runtime.block_on(anser_store::mysql::examine(url, progress))?)
    }
}

fn tell_log_id(lang: Lang, log_id: u64) -> anyhow::Result<()> {
    Ok(out::line(format_args!("{}: {log_id}", lang.pick("the store has a new log_id", "数据库有了新的 log_id")))?)
}

fn text(lang: Lang, report: &Report, is_repairable: bool) -> String {
    let mut text = String::new();
    for Finding { table, key, wrong, derivable } in &report.findings {
        let hope = match (derivable, lang) {
            (true, Lang::En) => "follows from other rows",
            (true, Lang::Zh) => "可由其他行推导",
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
    if is_repairable && repaired < found && report.findings.iter().any(|finding| finding.derivable) {
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
