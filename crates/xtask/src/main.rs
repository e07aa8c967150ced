//! All automation of this repository: `cargo xtask help` lists it. No shell script matters beside it.

mod codegen;

use clap::Parser;

#[derive(Parser)]
#[command(about = "Automation of the Anser repository")]
enum Task {
    /// Writes the generated files: wire types from proto/, tables of codes into docs/
    Codegen {
        /// Changes nothing; fails if a file is not what would be written
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    match Task::parse() {
        Task::Codegen { check } => codegen::run(check),
    }
}
