//! What is being written to one connection: frames in order, and how far the first of them is out.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use tokio::{io::AsyncWriteExt as _, time::timeout};

use super::socket::Socket;

/// A peer that takes less than its part in this time, and not all that is left, is given up: a slow line is not a dead one.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The part of what is written at one time, so that nobody holds it for longer than 20 minutes. That is a page of the largest size and a
/// full outbox over a line of 9.6 kbit/s.
const WRITE_PARTS: usize = 40;
/// And at least so much.
const WRITE_PROGRESS_BYTES: usize = 4 * 1024;

/// Why it is not written.
#[derive(PartialEq, Eq, Debug)]
pub enum Unwritten {
    Gone,
    TooSlow,
}

/// Writes all frames, for as long as the peer takes its part of them.
pub async fn write_all(socket: &mut Socket, frames: Vec<Bytes>) -> Result<(), Unwritten> {
    let part = frames.iter().map(Bytes::len).sum::<usize>() / WRITE_PARTS;
    let part = part.max(WRITE_PROGRESS_BYTES) as u64;
    let mut writing = Writing::from(frames);
    loop {
        let enough = socket.io.taken() + part;
        match timeout(WRITE_TIMEOUT, write_until(socket, &mut writing, enough)).await {
            Ok(Ok(Written::All)) => return Ok(()),
            Ok(Ok(Written::Enough)) => {}
            Ok(Err(_)) => return Err(Unwritten::Gone),
            // What TLS has buffered leaves it unseen.
            Err(_) if socket.io.taken() >= enough => {}
            Err(_) => return Err(Unwritten::TooSlow),
        }
    }
}

enum Written {
    All,
    Enough,
}

async fn write_until(socket: &mut Socket, writing: &mut Writing, enough: u64) -> io::Result<Written> {
    while !writing.is_empty() {
        if socket.io.taken() >= enough {
            return Ok(Written::Enough);
        }
        socket.write_some(writing).await?;
    }
    // It may lie in buffers of TLS.
    socket.io.flush().await?;
    Ok(Written::All)
}

#[derive(Default)]
pub struct Writing(VecDeque<Bytes>);

impl Writing {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fills in what comes next, and tells how many slices that are.
    pub fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let filled = self.0.len().min(slices.len());
        for (slice, frame) in slices.iter_mut().zip(&self.0) {
            *slice = IoSlice::new(frame);
        }
        filled
    }

    /// So many bytes are out.
    pub fn advance(&mut self, mut bytes: usize) {
        while let Some(first) = self.0.front_mut() {
            if bytes < first.len() {
                first.advance(bytes);
                return;
            }
            bytes -= first.len();
            self.0.pop_front();
        }
    }
}

impl From<Vec<Bytes>> for Writing {
    /// Frames are never empty.
    fn from(frames: Vec<Bytes>) -> Self {
        Self(frames.into())
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, sync::Arc};

    use rustls::{ClientConfig, RootCertStore};
    use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
    use tokio::{
        io::{AsyncRead, AsyncReadExt as _, DuplexStream, duplex},
        time::{MissedTickBehavior, interval},
    };
    use tokio_rustls::{TlsConnector, client::TlsStream};

    use super::*;
    use crate::{
        config,
        gateway::{io::Io, tls::Certificate},
    };

    /// Reads so many bytes a second.
    async fn read_slowly(mut peer: impl AsyncRead + Unpin, bytes_per_s: usize) {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut bytes = vec![0; bytes_per_s];
        loop {
            second.tick().await;
            if bytes_per_s > 0 && !matches!(peer.read(&mut bytes).await, Ok(1..)) {
                return;
            }
        }
    }

    async fn write(io: Io, bytes: usize) -> Result<(), Unwritten> {
        write_all(&mut Socket::tcp(io), vec![Bytes::from(vec![b'x'; bytes / 16]); 16]).await
    }

    async fn write_plain(bytes: usize, bytes_per_s: usize) -> Result<(), Unwritten> {
        let (ours, theirs) = duplex(64 << 10);
        tokio::spawn(read_slowly(theirs, bytes_per_s));
        write(Io::plain(ours.into()), bytes).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_takes_what_it_can_and_goes_on() {
        // 128 kbit/s, 9.6 and 1.2.
        for (bytes, bytes_per_s) in [(8 << 20, 16_000), (1_200 << 10, 1_200), (100 << 10, 150)] {
            assert_eq!(write_plain(bytes, bytes_per_s).await, Ok(()), "{bytes} bytes at {bytes_per_s} a second");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_much_and_takes_crumbs_is_given_up() {
        // 160 a second are more than 4 KiB in 30 s, and 100 are less.
        for (bytes, bytes_per_s) in [(1_200 << 10, 160), (400 << 10, 160), (160 << 10, 100), (160 << 10, 0)] {
            let written = write_plain(bytes, bytes_per_s).await;
            assert_eq!(written, Err(Unwritten::TooSlow), "{bytes} bytes at {bytes_per_s} a second");
        }
    }

    async fn secure(ours: DuplexStream, theirs: DuplexStream) -> (Io, TlsStream<DuplexStream>) {
        let file = |name: &str| PathBuf::from_iter([env!("CARGO_MANIFEST_DIR"), "../client/tests/it/tls", name]);
        let files = config::Tls { cert_file: Some(file("server.pem")), key_file: Some(file("server.key")) };
        let acceptor = Certificate::load(&files).expect("it is one").expect("it is named").acceptor().expect("TLS");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(file("ca.pem")).expect("a certificate")).expect("it is one");
        let client = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (client, name) = (TlsConnector::from(Arc::new(client)), ServerName::try_from("localhost").expect("a name"));
        let (ours, theirs) = tokio::join!(acceptor.accept(ours.into()), client.connect(name, theirs));
        (Io::tls(ours.expect("a handshake")), theirs.expect("a handshake"))
    }

    #[tokio::test(start_paused = true)]
    async fn what_tls_has_buffered_may_leave_it_as_slowly() {
        let (ours, theirs) = duplex(4 << 10);
        let (io, peer) = secure(ours, theirs).await;
        tokio::spawn(read_slowly(peer, 1_200));
        assert_eq!(write(io, 64 << 10).await, Ok(()));
    }
}
