//! A wire to the database that breaks when it is told to.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
};

use super::SERVER;

pub struct Wire {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    commit: Commit,
    /// How many commits more it breaks at.
    breaks: AtomicU32,
    /// Connections that were made, and the first of them that is not frozen.
    made: AtomicU32,
    thawed: AtomicU32,
}

/// What becomes of the commit at which it breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    Arrives,
    IsLost,
    /// Nobody hears anything any more, and nobody hangs up.
    Hangs,
}

impl Wire {
    pub fn start(commit: Commit) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let [breaks, made, thawed] = [(); 3].map(|()| AtomicU32::new(0));
        let state = Arc::new(State { commit, breaks, made, thawed });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(SERVER.address()).expect("it accepts");
                let (mut from_server, mut to_client) =
                    (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
                let answers = thread::spawn(move || drop(std::io::copy(&mut from_server, &mut to_client)));
                let (state, number) = (Arc::clone(&shared), shared.made.fetch_add(1, SeqCst));
                thread::spawn(move || state.pass_on(number, client, server, answers));
            }
        });
        Self { address, state }
    }

    /// Of a database behind it.
    pub fn url(&self, database: &str) -> String {
        format!("mysql://root@{}/{database}", self.address)
    }

    pub fn break_at_commits(&self, times: u32) {
        self.state.breaks.store(times, SeqCst);
    }

    pub fn breaks_to_come(&self) -> u32 {
        self.state.breaks.load(SeqCst)
    }

    /// What there is of connections passes nothing on any more; new ones do.
    pub fn freeze(&self) {
        self.state.thawed.store(self.state.made.load(SeqCst), SeqCst);
    }

    /// Nor do new ones, which are accepted all the same.
    pub fn freeze_all(&self) {
        self.state.thawed.store(u32::MAX, SeqCst);
    }
}

impl State {
    fn pass_on(&self, number: u32, mut client: TcpStream, mut server: TcpStream, answers: JoinHandle<()>) {
        let mut bytes = vec![0; 1 << 20];
        while let Ok(n @ 1..) = client.read(&mut bytes) {
            let is_commit = bytes[..n].ends_with(b"; COMMIT");
            let less = |left: u32| left.checked_sub(1);
            let cut = is_commit && self.breaks.fetch_update(SeqCst, SeqCst, less).is_ok();
            if number < self.thawed.load(SeqCst) || (cut && self.commit == Commit::Hangs) {
                // Both sockets stay open, whatever the other side does.
                loop {
                    thread::park();
                }
            }
            if cut {
                // The client hears nothing any more, and the server hears the commit or not.
                let _ = client.shutdown(Shutdown::Both);
            }
            if cut && self.commit == Commit::IsLost {
                break;
            }
            if server.write_all(&bytes[..n]).is_err() {
                break;
            }
            if cut {
                // Ends when it cannot pass on the server's answer, which has then done it.
                answers.join().expect("nothing panics there");
                break;
            }
        }
        let _ = server.shutdown(Shutdown::Both);
    }
}
