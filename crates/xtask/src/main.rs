//! All automation of this repository: `cargo xtask help` lists it. No shell script matters beside it.

mod audit;
mod codegen;
mod dev_cluster;
mod hostile;
mod test;
mod tidy;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::LazyLock,
};

use clap::Parser;

#[derive(Parser)]
#[command(about = "Automation of the Anser repository")]
enum Task {
    /// Writes the generated files: wire types from proto/, tables of codes, limits and settings into docs/
    Codegen {
        /// Changes nothing; fails if a file is not what would be written
        #[arg(long)]
        check: bool,
    },
    /// Checks what a machine can check of STYLE.md
    Tidy,
    /// Everything that a change must pass: fmt, codegen, tidy, clippy, tests, a short chaos replay
    Test {
        /// This step alone
        #[arg(long)]
        only: Option<test::Step>,
        /// Of the chaos: another one makes other faults
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// MariaDB, Redis, NATS and three nodes on this machine, until Ctrl-C
    DevCluster(dev_cluster::DevCluster),
    /// What calm users notice of each attack, and what it costs the server in memory: release builds, a table
    Hostile(hostile::Hostile),
    /// Checks licences, sources, doubles and advisories of all dependencies with cargo-deny
    Audit,
}

/// The root of the repository. Cargo tells it at run time: copies of the repository may share a target folder.
fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let room = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        Path::new(&room).ancestors().nth(2).expect("crates/xtask lies two folders deep").to_owned()
    });
    &ROOT
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Codegen { check } => codegen::run(if check { codegen::Mode::Check } else { codegen::Mode::Write }),
        Task::Tidy => tidy::run(),
        Task::Test { only, seed } => test::run(only, seed),
        Task::DevCluster(cluster) => cluster.run(),
        Task::Hostile(hostile) => hostile.run(),
        Task::Audit => audit::run(),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("{error:#}");
    ExitCode::FAILURE
}
