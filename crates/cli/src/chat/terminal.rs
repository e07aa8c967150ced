//! What comes from the terminal: keys, pastes, its size, and that it is gone.

use std::{io::stdin, thread};

use crossterm::event::{Event, read};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc::{Receiver, channel};

/// Events that wait for the screen; what is typed beyond waits in the terminal.
const EVENTS_MAX: usize = 64;
/// A terminal that hangs up wakes whoever waits for it, but for some kinds: they are looked at so often.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// Of a terminal that is gone the library's reader never returns. So it has a thread of its own, and another one tells of the end,
/// which is a none. Both end with the process.
pub fn listen() -> Receiver<Option<Event>> {
    let (tell, events) = channel(EVENTS_MAX);
    let end = tell.clone();
    thread::spawn(move || while read().is_ok_and(|event| tell.blocking_send(Some(event)).is_ok()) {});
    thread::spawn(move || {
        while !end.is_closed() && !hangs_up() {}
        // Who went before does not wait for it.
        let _ = end.blocking_send(None);
    });
    events
}

/// Waits for it, but not for long.
fn hangs_up() -> bool {
    let terminal = stdin();
    let mut watched = [PollFd::new(&terminal, PollFlags::empty())];
    // A signal ends the wait, too.
    poll(&mut watched, Some(&LOOK_EVERY)).is_ok_and(|ready| ready > 0)
}
