//! All automation of this repository: `cargo xtask help` lists it. No shell script matters beside it.

mod codegen;

use std::path::Path;

use clap::Parser;

#[derive(Parser)]
#[command(about = "Automation of the Anser repository")]
enum Task {
    /// Writes the generated files: wire types from proto/, tables of codes and limits into docs/
    Codegen {
        /// Changes nothing; fails if a file is not what would be written
        #[arg(long)]
        check: bool,
    },
}

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).expect("crates/xtask lies two folders deep")
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Codegen { check } => codegen::run(if check { codegen::Mode::Check } else { codegen::Mode::Write }),
    }
}
