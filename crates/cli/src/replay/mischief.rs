//! Trouble while it is played, by the dice of the seed: second devices, devices without network, apps that die or are put
//! away. Decides by the line, so that a seed makes the same trouble again.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::task::JoinSet;

use super::{
    chaos::Weather,
    device::{Body, Handle, Order},
    harm::Harm,
    play::Cast,
    script::Script,
    stage::Stage,
};

/// Chances of each line.
const SECOND_DEVICE: f64 = 1.0 / 25.0;
const KILL: f64 = 1.0 / 25.0;
const CRASH: f64 = 1.0 / 30.0;
const NO_NETWORK: f64 = 1.0 / 20.0;
const REST: f64 = 1.0 / 60.0;

/// The number of a second device: beyond those that every user has from the start.
const NEW_DEVICE: u32 = 1_000;

const NO_NETWORK_MS: std::ops::Range<u64> = 300..6_000;
const REST_MS: std::ops::Range<u64> = 500..8_000;

pub struct Mischief {
    stage: Arc<Stage>,
    weather: Arc<Weather>,
    dice: StdRng,
    accounts: Vec<String>,
    /// Speakers without a second device, in the order in which they get one.
    single: Vec<usize>,
    opening: JoinSet<anyhow::Result<Handle>>,
}

impl Mischief {
    /// Every third speaker gets a second device while it is played.
    pub fn new(stage: Arc<Stage>, weather: Arc<Weather>, script: &Script, seed: u64) -> Self {
        let accounts: Vec<_> = script.speakers.iter().map(|speaker| speaker.account.clone()).collect();
        let mut dice = StdRng::seed_from_u64(seed);
        let single = (0..accounts.len()).filter(|_| dice.random_range(0..3) == 0).collect();
        Self { stage, weather, dice, accounts, single, opening: JoinSet::new() }
    }

    /// Before a line is played.
    pub async fn make(&mut self, cast: &mut Cast) -> anyhow::Result<()> {
        while let Some(opened) = self.opening.try_join_next() {
            cast.others.push(opened.context("a device died")??);
        }
        if self.roll(Harm::DeviceAdded, SECOND_DEVICE)
            && let Some(speaker) = self.single.pop()
        {
            self.weather.harms.count(Harm::DeviceAdded);
            let (stage, account) = (Arc::clone(&self.stage), self.accounts[speaker].clone());
            self.opening.spawn(async move { stage.open(account, NEW_DEVICE).await });
        }
        // The number of devices may differ between runs of a seed; the numbers that the dice show must not.
        let (one, other): (f64, f64) = (self.dice.random(), self.dice.random());
        let pick = |devices: usize| (one * devices as f64) as usize;
        let all = || cast.speakers.iter().chain(&cast.others);
        let files: Vec<_> = all().filter_map(|device| Some((device, device.file_road()?))).collect();
        let networks: Vec<_> = cast.speakers.iter().filter_map(Handle::road).collect();
        let processes: Vec<_> = all().filter(|device| matches!(device.body, Body::Process)).collect();
        if self.roll(Harm::NetworkAway, NO_NETWORK)
            && let Some(road) = networks.get(pick(networks.len()))
        {
            road.close_for(between(NO_NETWORK_MS, other));
        }
        if self.roll(Harm::AppCrashed, CRASH)
            && let Some((device, road)) = files.get(pick(files.len()))
        {
            road.close_for(between(NO_NETWORK_MS, other / 4.0));
            self.weather.harms.count(Harm::AppCrashed);
            device.orders.send(Order::Crash).await.context("a device is gone")?;
        }
        if self.roll(Harm::DeviceKilled, KILL)
            && let Some(device) = processes.get(pick(processes.len()))
        {
            self.weather.harms.count(Harm::DeviceKilled);
            device.orders.send(Order::Crash).await.context("a device is gone")?;
        }
        let resting: Vec<_> = cast.others.iter().filter(|device| device.file_road().is_some()).collect();
        if self.roll(Harm::AppClosed, REST)
            && let Some(device) = resting.get(pick(resting.len()))
        {
            self.weather.harms.count(Harm::AppClosed);
            device.orders.send(Order::Rest(between(REST_MS, other))).await.context("a device is gone")?;
        }
        Ok(())
    }

    fn roll(&mut self, harm: Harm, chance: f64) -> bool {
        self.dice.random_bool(self.weather.harms.chance(harm, chance))
    }

    /// All devices that are being opened take part in the end.
    pub async fn end(mut self, cast: &mut Cast) -> anyhow::Result<()> {
        while let Some(opened) = self.opening.join_next().await {
            cast.others.push(opened.context("a device died")??);
        }
        Ok(())
    }
}

fn between(range: std::ops::Range<u64>, part: f64) -> Duration {
    Duration::from_millis(range.start + ((range.end - range.start) as f64 * part) as u64)
}
