//! Asking for a password: from the terminal without showing it, or as a line of standard input from a program.

use std::io::{BufRead as _, IsTerminal as _, stdin};

use anyhow::bail;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};

use crate::out;

const CTRL_C: u8 = 3;

/// One that is known. A person is asked for it with these words.
pub fn ask(prompt: &str) -> anyhow::Result<String> {
    if stdin().is_terminal() {
        return read_hidden(prompt);
    }
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A new one: a person types it twice.
pub fn choose() -> anyhow::Result<String> {
    let password = ask("Password: ")?;
    if stdin().is_terminal() && password != read_hidden("The same again: ")? {
        bail!("the two are not the same");
    }
    Ok(password)
}

fn read_hidden(prompt: &str) -> anyhow::Result<String> {
    out::aside(prompt);
    let shown = tcgetattr(stdin())?;
    let mut hidden = shown.clone();
    // Ctrl+C ends the line, and not this process before the terminal is as it was.
    hidden.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
    hidden.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
    tcsetattr(stdin(), OptionalActions::Now, &hidden)?;
    let line = read_line();
    // Of a terminal that is gone there is nothing to restore.
    let _ = tcsetattr(stdin(), OptionalActions::Now, &shown);
    out::aside("\n");
    line
}

/// A terminal gives whole lines, however they end, and nothing once it is gone.
fn read_line() -> anyhow::Result<String> {
    let mut terminal = stdin().lock();
    let line = terminal.fill_buf().unwrap_or_default().to_vec();
    terminal.consume(line.len());
    match line.strip_suffix(b"\n") {
        Some(line) => Ok(String::from_utf8(line.to_vec())?),
        None if line.is_empty() => bail!("there is nobody to ask for a password"),
        None => bail!("stopped"),
    }
}
