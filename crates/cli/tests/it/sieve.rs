//! A proxy before a server's TCP port that keeps some pushes back: a server that forgets to tell somebody.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use anser_proto::{
    Format,
    limits::SERVER_FRAME_BYTES_MAX,
    tcp,
    v1::{MessageEvent, ServerFrame, server_frame::Body},
};
use bytes::BytesMut;

/// Starts one that lets no message pass as a push whose text is `lost`; it ends with the test's process.
pub fn start(server: SocketAddr, lost: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(server).expect("the server listens");
            let (mut from_client, mut to_server) =
                (client.try_clone().expect("a socket"), server.try_clone().expect("one"));
            thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
            thread::spawn(move || sift(server, client, lost));
        }
    });
    address
}

/// Ends with either connection.
fn sift(mut server: TcpStream, mut client: TcpStream, lost: &str) {
    let (mut read, mut chunk) = (BytesMut::new(), vec![0; 16 * 1024]);
    while let Ok(count @ 1..) = server.read(&mut chunk) {
        read.extend_from_slice(&chunk[..count]);
        let mut passed = BytesMut::new();
        while let Some(bytes) = tcp::take_frame(&mut read, SERVER_FRAME_BYTES_MAX).expect("a frame of the server") {
            let format = if bytes.starts_with(b"{") { Format::Json } else { Format::Protobuf };
            let frame: ServerFrame = format.decode(&bytes).expect("a frame of the server");
            let Some(Body::Message(MessageEvent { message: Some(message), .. })) = frame.body else {
                tcp::put_frame(&mut passed, &bytes);
                continue;
            };
            if message.content != lost {
                tcp::put_frame(&mut passed, &bytes);
            }
        }
        if client.write_all(&passed).is_err() {
            return;
        }
    }
}
