//! What the log is told of those who are not let in: whence and why, never what they said. An attacker must not fill the disk, nor
//! hide others' lines behind their own: each reason has so many lines in a while, and a network one of them.

use std::{collections::HashMap, net::IpAddr, sync::Mutex, time::Duration};

use tokio::time::Instant;

use crate::network::Network;

const WHILE: Duration = Duration::from_secs(1);
const LINES_OF_A_REASON_MAX: usize = 10;

/// There are as many reasons as codes and settings.
#[derive(Default)]
pub struct Refusals(Mutex<HashMap<&'static str, Told>>);

struct Told {
    since: Instant,
    networks: Vec<Network>,
    /// Since the last line.
    passed_over: u64,
}

impl Refusals {
    /// `reason` is a code or a setting.
    pub fn tell(&self, address: IpAddr, reason: &'static str) {
        if let Some(passed_over) = self.admit(address, reason, Instant::now()) {
            tracing::info!(%address, reason, passed_over, "not let in");
        }
    }

    /// May tell one more, and how many of this reason were passed over before it.
    fn admit(&self, address: IpAddr, reason: &'static str, now: Instant) -> Option<u64> {
        // The widest: whoever owns it could come from each part of it.
        let network = Network::around(address).last().expect("each address has one");
        let mut reasons = self.0.lock().expect("nothing panics while holding it");
        let told = reasons.entry(reason).or_insert_with(|| Told { since: now, networks: Vec::new(), passed_over: 0 });
        if told.since + WHILE <= now {
            (told.since, told.networks) = (now, Vec::new());
        }
        if told.networks.len() >= LINES_OF_A_REASON_MAX || told.networks.contains(&network) {
            told.passed_over += 1;
            return None;
        }
        told.networks.push(network);
        Some(std::mem::take(&mut told.passed_over))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flood_hides_another_reason_or_another_network() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let admit = |address: [u8; 4], reason, now| refusals.admit(address.into(), reason, now);
        let flood = |now| (0..1_000).filter(|_| admit([192, 0, 2, 1], "strangers", now).is_some()).count();
        assert_eq!(flood(start), 1);
        assert_eq!(admit([192, 0, 2, 2], "strangers", start), Some(999));
        assert_eq!(admit([192, 0, 2, 1], "BAD_PASSWORD", start), Some(0));
        let crowd = (0..100).filter(|last| admit([198, 51, 100, *last], "strangers", start).is_some());
        assert_eq!(crowd.count(), 8);
        assert_eq!(flood(start + WHILE), 1);
        assert_eq!(admit([192, 0, 2, 3], "strangers", start + WHILE), Some(999));
    }
}
