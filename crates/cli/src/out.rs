//! What a command says: its output, which is written or else the command fails, and what it says beside it, which nobody needs.
//! Neither panics because nobody reads.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write as _, stderr, stdout},
};

/// The output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the output: {0}")]
pub struct Unwritten(io::Error);

impl Unwritten {
    /// Whoever read it has gone, as `head` does when it has enough: no fault, and nobody to be told.
    pub fn is_unread(&self) -> bool {
        self.0.kind() == ErrorKind::BrokenPipe
    }
}

/// Writes a text to the standard output, and lets it go out at once.
pub fn say(text: impl Display) -> Result<(), Unwritten> {
    let mut out = stdout().lock();
    write!(out, "{text}").and_then(|()| out.flush()).map_err(Unwritten)
}

/// The same with an end of line.
pub fn line(text: impl Display) -> Result<(), Unwritten> {
    say(format_args!("{text}\n"))
}

/// Writes a text to the standard error, for the person who waits. What cannot be written is left out.
pub fn aside(text: impl Display) {
    let mut out = stderr().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}
