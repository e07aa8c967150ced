//! Connections that break at the worst moment: at the commit, whose outcome is then unknown.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
};

use anser_store::Store as _;

use super::{SERVER, fresh_name, make_database, open};
use crate::talk::{found, send, settle, single, text};

/// A wire to the database that breaks at a commit.
struct Wire {
    address: SocketAddr,
    /// How many commits more it breaks at.
    breaks: Arc<AtomicU32>,
}

/// What becomes of the commit at which it breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Commit {
    Arrives,
    IsLost,
}

impl Wire {
    fn start(commit: Commit) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (address, breaks) = (listener.local_addr().expect("an address"), Arc::new(AtomicU32::new(0)));
        let left = breaks.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(SERVER.address()).expect("it accepts");
                let (mut from_server, mut to_client) =
                    (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
                let answers = thread::spawn(move || drop(std::io::copy(&mut from_server, &mut to_client)));
                let left = left.clone();
                thread::spawn(move || pass_on(client, server, answers, commit, &left));
            }
        });
        Self { address, breaks }
    }
}

fn pass_on(mut client: TcpStream, mut server: TcpStream, answers: JoinHandle<()>, commit: Commit, breaks: &AtomicU32) {
    let mut bytes = vec![0; 1 << 20];
    while let Ok(n @ 1..) = client.read(&mut bytes) {
        let is_commit = bytes[..n].ends_with(b"; COMMIT");
        let less = |left: u32| left.checked_sub(1);
        let cut = is_commit && breaks.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
        if cut {
            // The client hears nothing any more, and the server hears the commit or not.
            let _ = client.shutdown(Shutdown::Both);
        }
        if cut && commit == Commit::IsLost {
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

async fn check(commit: Commit) {
    let name = fresh_name();
    make_database(&SERVER.url(), &name).await;
    let wire = Wire::start(commit);
    let store = open(&format!("mysql://root@{}/{name}", wire.address)).await;
    settle(&*store, 3).await;
    for n in 1..=5 {
        let times = if commit == Commit::IsLost { 3 } else { 1 };
        wire.breaks.store(times, Ordering::SeqCst);
        let id = format!("id-{n}");
        let place = send(&*store, text(1, single(1, 2), &id)).await.expect("it is stored all the same");
        assert_eq!(wire.breaks.load(Ordering::SeqCst), 0, "the wire did not break");
        assert_eq!((place.server_msg_id, place.count, place.duplicate), (n, n, false));
        assert_eq!((place.sender_mailbox_seq, place.receiver_mailbox_seq), (n, n));
        let again = send(&*store, text(1, single(1, 2), &id)).await.expect("it is known");
        assert_eq!((again.server_msg_id, again.duplicate), (n, true));
    }
    wire.breaks.store(1, Ordering::SeqCst);
    found(&*store, 9, 1, &[2, 3]).await;
    assert_eq!(store.member_ids(anser_proto::GroupId(9)).await.expect("a group").1.len(), 3);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_looked_up() {
    check(Commit::Arrives).await;
}

#[tokio::test]
async fn a_commit_that_was_lost_is_done_again() {
    check(Commit::IsLost).await;
}
