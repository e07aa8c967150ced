//! The header that a proxy writes before the bytes of whom it passes on: the PROXY protocol, versions 1 and 2, as HAProxy's
//! `proxy-protocol.txt` has it.

use std::{io, net::IpAddr};

use proxy_header::{Error, ParseConfig, ProxyHeader};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// Version 1 has 107 bytes at most; version 2 may bring more than addresses, a client's certificate among it, which is passed over.
const HEADER_BYTES_MAX: usize = 4 * 1024;
const READ: ParseConfig = ParseConfig { include_tlvs: false, allow_v1: true, allow_v2: true };

/// Reads the header and not a byte behind it. Tells whom the proxy passes on, or None if it speaks for itself: `LOCAL`, `UNKNOWN`, and
/// what has no address. `InvalidData`: what came is no header. Bound it in time.
pub async fn read(stream: &mut TcpStream) -> io::Result<Option<IpAddr>> {
    let mut header = vec![0; HEADER_BYTES_MAX];
    let mut read = 0;
    loop {
        let more = stream.peek(&mut header[read..]).await?;
        if more == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let there = read + more;
        let (end, source) = match ProxyHeader::parse(&header[..there], READ) {
            Ok((header, end)) => (end, Some(header.proxied_address().map(|address| address.source.ip()))),
            Err(Error::BufferTooShort) if there < HEADER_BYTES_MAX => (there, None),
            Err(_) => return Err(io::ErrorKind::InvalidData.into()),
        };
        stream.read_exact(&mut header[read..end]).await?;
        read = end;
        if let Some(source) = source {
            return Ok(source.map(|address| address.to_canonical()));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::AsyncWriteExt as _,
        net::TcpListener,
        time::{Duration, timeout},
    };

    use super::*;

    const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

    /// What is told of these bytes, which come in two parts, and whether what follows them is left alone.
    async fn told(header: &[u8], cut: usize) -> Result<Option<String>, ()> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut proxy = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("it accepts");
        let (mut stream, _) = listener.accept().await.expect("a connection");
        proxy.set_nodelay(true).expect("an option");
        let (first, rest) = header.split_at(cut.min(header.len()));
        proxy.write_all(first).await.expect("it is taken");
        let reading = tokio::spawn(async move { read(&mut stream).await.map(|source| (source, stream)) });
        tokio::task::yield_now().await;
        // What was refused is not taken.
        let _ = proxy.write_all(rest).await;
        let _ = proxy.write_all(b"behind it").await;
        let _ = proxy.shutdown().await;
        let read = timeout(Duration::from_secs(20), reading).await.expect("it ends").expect("no panic");
        let (source, mut stream) = read.map_err(|_| ())?;
        let mut behind = String::new();
        stream.read_to_string(&mut behind).await.expect("text");
        assert_eq!(behind, "behind it");
        Ok(source.map(|source| source.to_string()))
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
        [V2, &[command, family], &length, rest].concat()
    }

    #[tokio::test]
    async fn both_versions_tell_whom_the_proxy_passes_on() {
        let v4 = [198, 51, 100, 1, 192, 0, 2, 1, 1, 2, 3, 4];
        let v6: Vec<u8> = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1], &[0; 16], &[1, 2, 3, 4]].concat();
        let with_more = [&v4[..], &[4, 1, 0], &[0; 256]].concat();
        for (header, source) in [
            (b"PROXY TCP4 198.51.100.1 192.0.2.1 4711 7400\r\n".to_vec(), Some("198.51.100.1")),
            (b"PROXY TCP6 2001:db8::1 2001:db8::2 4711 7400\r\n".to_vec(), Some("2001:db8::1")),
            (b"PROXY TCP6 ::ffff:198.51.100.1 ::1 4711 7400\r\n".to_vec(), Some("198.51.100.1")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
            (v2(0x21, 0x11, &v4), Some("198.51.100.1")),
            (v2(0x21, 0x11, &with_more), Some("198.51.100.1")),
            (v2(0x21, 0x21, &v6), Some("2001:db8::1")),
            (v2(0x20, 0x00, &[]), None),
            (v2(0x20, 0x11, &v4), None),
            (v2(0x21, 0x31, &[0; 216]), None),
        ] {
            for cut in [0, 1, 14, 20, header.len() - 1, header.len()] {
                assert_eq!(told(&header, cut).await, Ok(source.map(str::to_owned)), "{header:?} cut at {cut}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        for wrong in [
            &b"GET /v1/ws HTTP/1.1\r\n\r\n"[..],
            b"\0\0\0\x04\x08\x07\x1a\0 and more",
            b"PROXY TCP4 198.51.100.1 192.0.2.1 4711\r\n",
            b"PROXY TCP4 198.51.100.256 192.0.2.1 4711 7400\r\n",
            b"PROXY TCP4 2001:db8::1 2001:db8::2 4711 7400\r\n",
            b"PROXY TCP4 198.51.100.1 192.0.2.1 4711 7400\n and more",
            b"PROXY TCP5 198.51.100.1 192.0.2.1 4711 7400\r\n",
            &[b"PROXY TCP4 ", &[b'1'; 200][..]].concat(),
            &v2(0x31, 0x11, &[0; 12]),
            &v2(0x21, 0x11, &[0; 4]),
            &v2(0x21, 0x77, &[0; 12]),
            &v2(0x21, 0x11, &[0; HEADER_BYTES_MAX]),
            b"PROXY TCP4 198",
            b"",
        ] {
            assert_eq!(told(wrong, 20).await, Err(()), "{:?}", String::from_utf8_lossy(wrong));
        }
    }
}
