//! Asking for a password: from the terminal without showing it, or as a line of standard input from a program.

use std::io::{BufRead as _, IsTerminal as _, stdin};

use anyhow::{anyhow, bail};
use crossterm::{
    event::{Event, KeyCode, KeyEventKind, KeyModifiers, read},
    terminal::{disable_raw_mode, enable_raw_mode},
};

use crate::out;

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
    enable_raw_mode()?;
    let mut password = String::new();
    let read = loop {
        match read() {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => match key.code {
                KeyCode::Enter => break Ok(()),
                KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => break Err(anyhow!("stopped")),
                KeyCode::Backspace => {
                    password.pop();
                }
                KeyCode::Char(char) => password.push(char),
                _ => {}
            },
            Ok(_) => {}
            Err(error) => break Err(error.into()),
        }
    };
    disable_raw_mode()?;
    out::aside("\n");
    read.map(|()| password)
}
