//! What the log is told of those who are not let in: whence and why, never what they said, and not more than a few lines a second,
//! since an attacker must not fill the disk.

use std::{net::IpAddr, sync::Mutex, time::Duration};

use tokio::time::Instant;

use super::lines::Lines;

pub struct Refusals(Mutex<Lines>);

impl Default for Refusals {
    fn default() -> Self {
        Self(Mutex::new(Lines::new(10, Duration::from_secs(1))))
    }
}

impl Refusals {
    /// `reason` is a code or a setting.
    pub fn tell(&self, address: IpAddr, reason: &'static str) {
        let Some(passed_over) = self.0.lock().expect("nothing panics while holding it").admit(Instant::now()) else {
            return;
        };
        tracing::info!(%address, reason, passed_over, "not let in");
    }
}
