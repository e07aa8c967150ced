//! The byte stream under a connection: plain or TLS, and bounded until its user is known.

use std::{
    io::{self, IoSlice},
    os::fd::AsFd as _,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

pub struct Io {
    stream: Stream,
    /// How many bytes may still come; `None`: any number.
    allowance: Option<usize>,
}

enum Stream {
    Plain(Line),
    Tls(Box<TlsStream<Line>>),
}

/// What is below, and how many bytes it took: with TLS those that left its buffers.
pub struct Line {
    wire: Wire,
    taken: u64,
}

enum Wire {
    Tcp(TcpStream),
    /// Within the process.
    Pipe(DuplexStream),
}

/// More came than a stranger may send.
#[derive(Debug, thiserror::Error)]
#[error("more bytes than are allowed before login")]
pub struct AllowanceSpent;

impl Io {
    pub fn plain(line: Line) -> Self {
        Self { stream: Stream::Plain(line), allowance: None }
    }

    pub fn tls(stream: TlsStream<Line>) -> Self {
        Self { stream: Stream::Tls(Box::new(stream)), allowance: None }
    }

    /// Lets only so many bytes in from now on, so that strangers cost bounded memory. `None` lifts it.
    pub fn allow(&mut self, bytes: Option<usize>) {
        self.allowance = bytes;
    }

    /// From now on it is watched by the runtime of who calls this, and no longer by the one that accepted it.
    pub fn move_here(&mut self) -> io::Result<()> {
        let line = match &mut self.stream {
            Stream::Plain(line) => line,
            Stream::Tls(stream) => stream.get_mut().0,
        };
        if let Wire::Tcp(stream) = &mut line.wire {
            *stream = TcpStream::from_std(stream.as_fd().try_clone_to_owned()?.into())?;
        }
        Ok(())
    }

    /// How many bytes the peer's side took so far.
    pub fn taken(&self) -> u64 {
        match &self.stream {
            Stream::Plain(line) => line.taken,
            Stream::Tls(stream) => stream.get_ref().0.taken,
        }
    }
}

impl Line {
    fn count(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.taken += bytes as u64;
        }
        written
    }
}

impl From<TcpStream> for Line {
    fn from(stream: TcpStream) -> Self {
        Self { wire: Wire::Tcp(stream), taken: 0 }
    }
}

impl From<DuplexStream> for Line {
    fn from(stream: DuplexStream) -> Self {
        Self { wire: Wire::Pipe(stream), taken: 0 }
    }
}

impl AsyncRead for Io {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.allowance == Some(0) {
            return Poll::Ready(Err(io::Error::other(AllowanceSpent)));
        }
        let before = buf.filled().len();
        ready!(match &mut self.stream {
            Stream::Plain(line) => Pin::new(line).poll_read(cx, buf),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        })?;
        let came = buf.filled().len() - before;
        if let Some(left) = &mut self.allowance {
            *left = left.saturating_sub(came);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(line) => Pin::new(line).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(line) => Pin::new(line).poll_write_vectored(cx, slices),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(line) => Pin::new(line).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(line) => Pin::new(line).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Wire::Pipe(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.wire {
            Wire::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Wire::Pipe(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.wire {
            Wire::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Wire::Pipe(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.wire {
            Wire::Tcp(stream) => stream.is_write_vectored(),
            Wire::Pipe(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Wire::Pipe(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Wire::Pipe(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
