//! `anser`: the server and everything that goes with it, in one binary. Here: words into commands, errors into exit codes.

// What is said goes through `out`, which does not panic when nobody reads it.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod chat;
mod child;
mod contact;
mod doctor;
mod lang;
mod log;
mod operator;
mod out;
#[cfg(test)]
mod pages;
mod password;
mod replay;
mod serve;
mod settings;
mod token;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{child::Interrupted, log::Log, out::Unwritten};

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
    #[command(hide = true)]
    ReplayDevice(replay::ReplayDevice),
}

/// What a shell makes of a program that a pipe without a reader ended: 128 and the number of the signal.
const NOBODY_READS: u8 = 141;
/// The same of one that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A chat has the screen for itself.
    let log = match arguments.command {
        Command::Chat(_) => None,
        _ => match Log::to_stderr("info") {
            Ok(log) => Some(log),
            Err(error) => return fail(None, &error),
        },
    };
    let done = match arguments.command {
        Command::Serve(serve) => serve.run(log.as_ref()),
        Command::User(user) => user.run(),
        Command::Doctor(doctor) => doctor.run(),
        Command::Bench(bench) => bench.run(),
        Command::Chat(chat) => chat.run(),
        Command::Token(token) => token.run(),
        Command::Replay(replay) => replay.run(),
        Command::ReplayDevice(device) => device.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(log.as_ref(), &error),
    }
}

fn fail(log: Option<&Log>, error: &anyhow::Error) -> ExitCode {
    if error.downcast_ref().is_some_and(Unwritten::is_unread) {
        return ExitCode::from(NOBODY_READS);
    }
    if error.is::<Interrupted>() {
        return ExitCode::from(INTERRUPTED);
    }
    let why = format!("anser: {error:#}");
    match log {
        Some(log) => log.say(&why),
        None => out::aside(format_args!("{why}\n")),
    }
    ExitCode::FAILURE
}
