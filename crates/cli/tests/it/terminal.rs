//! `anser chat` on a real pseudo-terminal: keys go in as bytes, the screen comes out as bytes.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    process::Child,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use crate::process::Machine;

const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks of who reads the screen whether it is still there.
const LOOK_EVERY: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// A person at a terminal of 80 columns and 24 rows.
struct Person {
    keyboard: File,
    chat: Child,
    shown: Receiver<Vec<u8>>,
    is_gone: Arc<AtomicBool>,
    eyes: Option<JoinHandle<()>>,
    /// Everything that was ever written to the terminal.
    screen: String,
}

impl Person {
    fn sits_down(machine: &Machine, words: &[&str]) -> Self {
        let pty = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pseudo-terminal");
        grantpt(&pty).and_then(|()| unlockpt(&pty)).expect("it may be used");
        let name = ptsname(&pty, Vec::new()).expect("it has a name").into_string().expect("in ASCII");
        let size = Winsize { ws_col: 80, ws_row: 24, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&pty, size).expect("it has a size");
        let open = || OpenOptions::new().read(true).write(true).open(&name).expect("its other end");
        let mut command = machine.command(words);
        command.stdin(open()).stdout(open()).env("TERM", "xterm-256color");
        let chat = command.spawn().expect("the binary starts");
        let keyboard = File::from(pty);
        let mut reader = keyboard.try_clone().expect("a second handle");
        let (tell, shown) = sync_channel(1024);
        let is_gone = Arc::<AtomicBool>::default();
        let ends = Arc::clone(&is_gone);
        // Ends with the chat, too: nobody else has the other end.
        let eyes = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while !ends.load(Relaxed) {
                if poll(&mut [PollFd::new(&reader, PollFlags::IN)], Some(&LOOK_EVERY)) == Ok(0) {
                    continue;
                }
                match reader.read(&mut bytes) {
                    Ok(length @ 1..) if tell.send(bytes[..length].to_vec()).is_ok() => {}
                    _ => return,
                }
            }
        });
        Self { keyboard, chat, shown, is_gone, eyes: Some(eyes), screen: String::new() }
    }

    fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits until this word was written in one piece. Spaces that were there before, and wide characters, are written
    /// around by moving the cursor: so a word of narrow characters.
    fn sees(&mut self, word: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.screen.contains(word) {
            let bytes = self.shown.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let bytes = bytes.unwrap_or_else(|_| panic!("no {word:?} in {:?}", self.screen));
            self.screen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Closes the terminal, of which nothing is left.
    fn goes_away(&mut self) {
        self.is_gone.store(true, Relaxed);
        self.eyes.take().expect("once").join().expect("it does not panic");
        self.keyboard = File::open("/dev/null").expect("it is there");
    }

    /// How the command ends, which it does in time.
    fn code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.chat.try_wait().expect("it is a child") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::yield_now();
        }
    }

    /// Waits until what is typed is not shown.
    fn is_asked_in_secret(&self) {
        let deadline = Instant::now() + PATIENCE;
        while tcgetattr(&self.keyboard).expect("it has modes").local_modes.contains(LocalModes::ECHO) {
            assert!(Instant::now() < deadline, "nobody asks");
            std::thread::yield_now();
        }
    }

    /// The terminal shows what is typed and waits for whole lines, as before the chat.
    fn terminal_is_plain(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).expect("it has modes").local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON)
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // One that ended by itself cannot be killed.
        let _ = self.chat.kill();
        let _ = self.chat.wait();
    }
}

#[test]
fn a_chat_whose_terminal_goes_away_ends_well_whatever_it_is_about() {
    let mut machine = Machine::with_users(&["alice", "bob"]);
    let url = machine.url();
    let words = ["chat", "--as", "alice", "--to", "bob", "--server", &url, "--lang", "en"];
    let ends = |machine: &Machine, seen: &str, typed: &str| {
        let mut alice = Person::sits_down(machine, &words);
        alice.sees(seen);
        alice.types(typed);
        alice.goes_away();
        assert_eq!(alice.code(), Some(0), "{seen:?}, then {typed:?}");
    };
    // As soon as something is shown, and once the conversation is, before anything was said in it.
    ends(&machine, "F1", "");
    for typed in ["", "x", &"many words ".repeat(200), "hello\r"] {
        ends(&machine, "hello!", typed);
    }
    let log = std::fs::read_dir(machine.home().join("anser/chat")).expect("a folder").flatten();
    let log = log.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "log"));
    assert!(!std::fs::read_to_string(log.expect("a log")).expect("text").contains("panicked"));
    machine.kill();
    ends(&machine, "F1", "x");
}

#[test]
fn a_password_is_asked_for_in_secret_and_by_nobody_whose_terminal_is_gone() {
    let machine = Machine::with_users(&["alice"]);
    let asks = || {
        let person = Person::sits_down(&machine, &["user", "password", "alice"]);
        person.is_asked_in_secret();
        person
    };
    let mut alice = asks();
    alice.types("hong\u{7f}k-honk\rhonk-honk\r");
    assert_eq!(alice.code(), Some(0));
    assert!(alice.terminal_is_plain());

    let mut alice = asks();
    alice.types("honk\u{3}");
    assert_eq!(alice.code(), Some(1));
    assert!(alice.terminal_is_plain());

    let mut alice = asks();
    alice.goes_away();
    assert_eq!(alice.code(), Some(1));
}

#[test]
fn a_person_chats_at_a_terminal_and_gets_it_back() {
    let machine = Machine::with_users(&["alice", "bob"]);
    let url = machine.url();
    let mut bob = machine.talk(&["chat", "--as", "bob", "--to", "alice", "--server", &url]);
    let mut alice =
        Person::sits_down(&machine, &["chat", "--as", "alice", "--to", "bob", "--server", &url, "--lang", "en"]);
    alice.sees("hello!");
    assert!(!alice.terminal_is_plain());
    // Pasted line ends send nothing; Enter does.
    alice.types("\u{1b}[200~鸿雁\r\nhello\u{1b}[201~");
    alice.types("\r");
    assert!(bob.line().ends_with("alice: 鸿雁 ⏎ hello"));
    alice.sees("read");
    bob.say("good-morning");
    alice.sees("good-morning");
    alice.types("\u{3}");
    // Out of the other screen, and pastes are plain again.
    alice.sees("\u{1b}[?2004l");
    alice.sees("\u{1b}[?1049l");
    assert!(alice.chat.wait().expect("it ends").success());
    assert!(alice.terminal_is_plain());
}
