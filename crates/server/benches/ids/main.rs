//! The ways to make ids, compared on the same work: `cargo bench --bench ids`, which takes about two minutes. Each way
//! is asked by real processes, against real services; what breaks is really killed. The table, in Markdown, goes to the
//! standard output, and all of its cells are what the run saw; the progress goes to the standard error.

mod child;
mod judge;
mod record;
mod servers;
mod table;
mod task;
mod trial;
mod ways;
mod worker;

use std::time::Instant;

use servers::Servers;
use ways::Way;

fn main() -> anyhow::Result<()> {
    // Cargo's `--bench` is no task.
    if let Some(task) = std::env::args().skip(1).find(|argument| argument.starts_with('{')) {
        return worker::work(serde_json::from_str(&task)?);
    }
    judge::examine();
    let begun = Instant::now();
    let mut servers = Servers::start()?;
    let mut rows = Vec::new();
    for way in Way::ALL {
        eprintln!("{:>4} s  {}", begun.elapsed().as_secs(), way.title());
        rows.push(trial::compare(way, &mut servers)?);
    }
    eprintln!("{:>4} s  done", begun.elapsed().as_secs());
    println!("{}", table::print(&rows));
    Ok(())
}
