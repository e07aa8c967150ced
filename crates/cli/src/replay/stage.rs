//! Where it is played: the server or the way to it, and how each device is made. Everything that the dice choose about a
//! device is chosen here, by the seed and the device's number alone.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anser_client::transport::Network;
use anser_proto::Format;
use anyhow::Context as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    chaos::{Road, Weather},
    cutter::Cutter,
    device::{Handle, Kind},
    harm::Harm,
    ledger::Ledger,
    life::Birth,
    minter::Minter,
    reader::Reader,
    verdict::PUSH_MAX,
};
use crate::child::ServerProcess;

/// A killed server's life, and how long it stays dead.
const LIFE_MS: std::ops::Range<u64> = 2_000..6_000;
const DEATH_MS: std::ops::Range<u64> = 0..400;
/// One of so many devices keeps its store in a file, and one of so many hangs on a wire that breaks.
const FILES: u64 = 3;
const WIRES: u64 = 4;
/// A login under way when the server dies is tried again.
const LOGIN_MAX: Duration = Duration::from_secs(60);

/// What the network and the server are to be like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conditions {
    /// Nothing breaks, nobody asks whether something was missed: what is not pushed is not seen.
    Calm,
    /// As they are.
    Usual,
    Chaos,
}

impl Conditions {
    /// A lost push in a conversation where nothing follows is found after so long.
    fn check_every_ms(self) -> u64 {
        match self {
            Self::Calm => 24 * 3600 * 1000,
            Self::Usual | Self::Chaos => 5_000,
        }
    }

    /// How long devices may take to come to where the server is, once all is said.
    pub fn settle_max(self) -> Duration {
        match self {
            Self::Calm => 3 * PUSH_MAX,
            Self::Usual | Self::Chaos => Duration::from_secs(45),
        }
    }
}

pub struct Stage {
    seed: u64,
    pub conditions: Conditions,
    minter: Minter,
    /// Addresses without faults.
    urls: Vec<String>,
    /// The same, over wires that break.
    cut_urls: Vec<String>,
    /// None: no faults.
    pub weather: Option<Arc<Weather>>,
    pub ledger: Arc<Ledger>,
    /// For the devices' files.
    folder: PathBuf,
    cutters: Vec<Cutter>,
}

impl Stage {
    /// On a server that runs somewhere.
    pub fn foreign(
        url: String,
        minter: Minter,
        folder: PathBuf,
        seed: u64,
        conditions: Conditions,
        ledger: Arc<Ledger>,
    ) -> Self {
        let weather = (conditions == Conditions::Chaos).then(|| Arc::new(Weather::promise(Harm::TO_DEVICES)));
        Self {
            seed,
            conditions,
            minter,
            urls: vec![url],
            cut_urls: Vec::new(),
            weather,
            ledger,
            folder,
            cutters: Vec::new(),
        }
    }

    pub async fn own(
        server: &ServerProcess,
        minter: Minter,
        folder: PathBuf,
        seed: u64,
        conditions: Conditions,
        ledger: Arc<Ledger>,
    ) -> anyhow::Result<Self> {
        let mut stage = Self::foreign(format!("ws://{}", server.ports.http), minter, folder, seed, conditions, ledger);
        if let Some(weather) = &mut stage.weather {
            *weather = Arc::new(Weather::promise(Harm::TO_DEVICES.into_iter().chain(Harm::TO_SERVER)));
        }
        stage.urls.push(format!("tcp://{}", server.ports.tcp));
        if let Some(weather) = &stage.weather {
            for (scheme, port) in [("ws", server.ports.http), ("tcp", server.ports.tcp)] {
                let cutter = Cutter::start(port, Arc::clone(weather), seed).await?;
                stage.cut_urls.push(format!("{scheme}://{}", cutter.address));
                stage.cutters.push(cutter);
            }
        }
        Ok(stage)
    }

    /// Opens a device of the account; `number` makes it another one than the account's others.
    pub async fn open(&self, account: String, number: u32) -> anyhow::Result<Handle> {
        let kind = self.kind(account, number)?;
        kind.open(Arc::clone(&self.ledger)).await
    }

    /// The first device of an account, as a process of its own.
    pub async fn open_process(&self, account: String) -> anyhow::Result<Handle> {
        let Kind { account, device_id, url, token, check_every_ms, seed, .. } = self.kind(account, 1)?;
        let file = self.folder.join(format!("{seed:016x}.db"));
        let birth = Birth { account, device_id, url, token, file, check_every_ms, seed };
        birth.open(Arc::clone(&self.ledger)).await
    }

    fn kind(&self, account: String, number: u32) -> anyhow::Result<Kind> {
        let mut seed = self.seed ^ u64::from(number).rotate_left(32);
        for byte in account.bytes() {
            seed = seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte);
        }
        let mut dice = StdRng::seed_from_u64(seed);
        let breaks = !self.cut_urls.is_empty() && dice.random_range(0..WIRES) == 0;
        let urls = if breaks { &self.cut_urls } else { &self.urls };
        let url = urls[dice.random_range(0..urls.len())].clone();
        let format = if dice.random() { Format::Protobuf } else { Format::Json };
        let keeps_file = self.weather.is_some() && dice.random_range(0..FILES) == 0;
        let device_id = format!("replay-{number}-{seed:016x}");
        let network = Box::new(Network::new(&url, format, None)?);
        Ok(Kind {
            file: keeps_file.then(|| self.folder.join(format!("{seed:016x}.db"))),
            road: Arc::new(Road::new(
                network,
                self.conditions,
                self.weather.clone().unwrap_or_default(),
                dice.random(),
            )),
            check_every_ms: self.conditions.check_every_ms(),
            token: self.minter.mint(&account),
            account,
            device_id,
            url,
            format,
            seed,
        })
    }

    /// A connection that reads the truth.
    pub async fn reader(&self, account: &str) -> anyhow::Result<Reader> {
        let network = Network::new(&self.urls[0], Format::Protobuf, None)?;
        let login = Reader::login(&network, self.minter.mint(account));
        timeout(LOGIN_MAX, login).await.context("the server lets no reader in")?
    }
}

/// Kills the server and starts it again, at least once, until it is told to stop.
pub struct Reaper {
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<ServerProcess>>,
}

impl Reaper {
    pub fn start(server: ServerProcess, weather: Arc<Weather>, seed: u64) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, task: tokio::spawn(reap(server, weather, StdRng::seed_from_u64(seed), stopped)) }
    }

    /// The server is up again when this returns.
    pub async fn end(self) -> anyhow::Result<ServerProcess> {
        // If it is gone already, its own result says why.
        let _ = self.stop.send(());
        self.task.await.context("the reaper died")?
    }
}

async fn reap(
    mut server: ServerProcess,
    weather: Arc<Weather>,
    mut dice: StdRng,
    mut stop: oneshot::Receiver<()>,
) -> anyhow::Result<ServerProcess> {
    loop {
        let life = Duration::from_millis(dice.random_range(LIFE_MS));
        let stopped = timeout(life, &mut stop).await.is_ok();
        // A play that is over before the first life is still one with a kill.
        if stopped && weather.harms.of(Harm::ServerKilled) > 0 {
            return Ok(server);
        }
        server.kill().await?;
        sleep(Duration::from_millis(dice.random_range(DEATH_MS))).await;
        server.start_again().await?;
        weather.harms.count(Harm::ServerKilled);
        if stopped {
            return Ok(server);
        }
    }
}
