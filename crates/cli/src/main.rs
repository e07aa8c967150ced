//! `anser`: the server and everything that goes with it, in one binary. Here: words into commands, errors into exit codes.

mod bench;
mod chat;
mod child;
mod doctor;
mod lang;
mod operator;
mod password;
mod replay;
mod serve;
mod settings;
mod token;
mod user;

use std::{io::IsTerminal as _, process::ExitCode};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

#[derive(Parser)]
#[command(name = "anser", version, about = "A self-hosted instant-messaging server: one binary, one command")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server
    Serve(serve::Serve),
    /// Add, list and change the server's own users
    User(user::User),
    /// Check a store, and repair what can be derived; the server must be stopped
    Doctor(doctor::Doctor),
    /// Measure a server with real connections
    Bench(bench::Bench),
    /// Chat in this terminal, or line by line in a script
    Chat(Box<chat::Chat>),
    /// Make a token with which a user logs in, or see what is wrong with one
    Token(token::Token),
    /// Play chat logs against a server, with faults if you like, and judge whether every promise was kept
    Replay(replay::Replay),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A chat has the screen for itself.
    if !matches!(arguments.command, Command::Chat(_)) {
        log_to_stderr("info");
    }
    let done = match arguments.command {
        Command::Serve(serve) => serve.run(),
        Command::User(user) => user.run(),
        Command::Doctor(doctor) => doctor.run(),
        Command::Bench(bench) => bench.run(),
        Command::Chat(chat) => chat.run(),
        Command::Token(token) => token.run(),
        Command::Replay(replay) => replay.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("anser: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// For people on a terminal, a JSON object a line elsewhere. `ANSER_LOG` chooses what is logged, as `info` or `anser_server=debug`.
fn log_to_stderr(usual: &str) {
    let filter = EnvFilter::try_from_env("ANSER_LOG").unwrap_or_else(|_| EnvFilter::new(usual));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { log.init() } else { log.json().init() }
}
