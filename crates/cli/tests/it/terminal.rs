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
    time::{Duration, Instant},
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use crate::process::Machine;

const PATIENCE: Duration = Duration::from_secs(30);

/// A person at a terminal of 80 columns and 24 rows.
struct Person {
    keyboard: File,
    chat: Child,
    shown: Receiver<Vec<u8>>,
    is_gone: Arc<AtomicBool>,
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
        // Ends with the chat: nobody else has the other end.
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                if ends.load(Relaxed) || tell.send(bytes[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { keyboard, chat, shown, is_gone, screen: String::new() }
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
        // What is shown of it ends the thread that reads, which has the terminal too.
        self.types("x");
        self.keyboard = File::open("/dev/null").expect("it is there");
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
fn a_chat_whose_terminal_goes_away_ends_without_a_fault() {
    let machine = Machine::with_users(&["alice", "bob"]);
    let url = machine.url();
    let mut alice =
        Person::sits_down(&machine, &["chat", "--as", "alice", "--to", "bob", "--server", &url, "--lang", "en"]);
    alice.sees("hello!");
    alice.goes_away();
    let code = alice.chat.wait().expect("it ends").code();
    assert!(matches!(code, Some(0 | 1)), "it ended with {code:?}");
    let log = std::fs::read_dir(machine.home().join("anser/chat")).expect("a folder").flatten();
    let log = log.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "log"));
    assert!(!std::fs::read_to_string(log.expect("a log")).expect("text").contains("panicked"));
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
