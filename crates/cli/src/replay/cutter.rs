//! A wire that breaks in the middle of a frame: passes bytes on between a device and the server, and cuts both ends after a
//! number of bytes that the dice choose. Knows bytes only.

use std::{io, net::SocketAddr, sync::Arc};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
};

use super::{chaos::Weather, harm::Harm};

/// Bytes that pass through one connection, at most, before it is cut.
const LIFE_BYTES_MAX: u64 = 1024 * 1024;
/// Until the first was cut, so that a short play has it too.
const FIRST_LIFE_BYTES_MAX: u64 = 32 * 1024;
const BUFFER_BYTES: usize = 16 * 1024;

/// Listens on a port of its own until it is dropped.
pub struct Cutter {
    pub address: SocketAddr,
    _wires: JoinSet<()>,
}

impl Cutter {
    pub async fn start(server: SocketAddr, weather: Arc<Weather>, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let mut wires = JoinSet::new();
        wires.spawn(listen(listener, server, weather, StdRng::seed_from_u64(seed)));
        Ok(Self { address, _wires: wires })
    }
}

async fn listen(listener: TcpListener, server: SocketAddr, weather: Arc<Weather>, mut dice: StdRng) {
    let mut wires = JoinSet::new();
    loop {
        let Ok((device, _)) = listener.accept().await else { continue };
        while wires.try_join_next().is_some() {}
        let life = dice
            .random_range(1..if weather.harms.of(Harm::WireCut) == 0 { FIRST_LIFE_BYTES_MAX } else { LIFE_BYTES_MAX });
        let weather = Arc::clone(&weather);
        wires.spawn(async move {
            let Ok(server) = TcpStream::connect(server).await else { return };
            // Without this the small frames of a chat wait for each other's acknowledgements.
            let _ = (server.set_nodelay(true), device.set_nodelay(true));
            let ((from_device, to_device), (from_server, to_server)) = (device.into_split(), server.into_split());
            tokio::select! {
                () = pass(from_device, to_server, life, &weather) => {}
                () = pass(from_server, to_device, life, &weather) => {}
            }
        });
    }
}

/// Passes bytes on until one side ends or, in bad weather, `life` bytes went through.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut life: u64, weather: &Weather) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let passes = if weather.is_bad() { read.min(life as usize) } else { read };
        life = life.saturating_sub(read as u64);
        if to.write_all(&buffer[..passes]).await.is_err() {
            return;
        }
        if passes < read {
            weather.harms.count(Harm::WireCut);
            return;
        }
    }
}
