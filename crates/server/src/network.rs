//! Where somebody comes from, as budgets count it.

use std::net::IpAddr;

use ipnet::IpNet;

/// Addresses that begin alike, or one address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Network(IpNet);

/// Bits of an IPv6 network, and how many times as much as one address it may have.
///
/// A household is given a /64 at the least, most often a /56, and a site a /48 (RFC 6177, RIPE-690): whoever has one may come from another
/// part of it each time. So each width is counted. But others give a /64 to each customer, and 65 536 of these are one /48: therefore
/// the wider may have more, and not as much more as it has addresses.
const WIDTHS: [(u8, u32); 3] = [(64, 1), (56, 4), (48, ALLOWANCE_MAX)];
const ALLOWANCE_MAX: u32 = 16;

impl Network {
    /// The narrowest in which this address lies: an IPv4 address alone, or a /64 of IPv6.
    pub fn of(address: IpAddr) -> Self {
        Self::around(address).next().expect("each address has one")
    }

    /// Those which one owner may have, and in which this address lies: the narrowest first.
    pub fn around(address: IpAddr) -> impl Iterator<Item = Self> {
        let address = address.to_canonical();
        let widths: &[_] = if address.is_ipv4() { &[(32, 1)] } else { &WIDTHS };
        widths.iter().map(move |(bits, _)| Self(IpNet::new_assert(address, *bits).trunc()))
    }

    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// How many times as much as one address it may have.
    pub fn allowance(self) -> u32 {
        WIDTHS.iter().find(|(bits, _)| self.0.prefix_len() == *bits).map_or(1, |(_, allowance)| *allowance)
    }

    /// What so many are of its allowance: to compare networks of different widths.
    pub fn share(self, count: u32) -> u32 {
        count.saturating_mul(ALLOWANCE_MAX / self.allowance())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(address: &str) -> Vec<Network> {
        Network::around(address.parse().expect("an address")).collect()
    }

    #[test]
    fn neighbours_are_one_and_others_are_not() {
        assert_eq!(around("2001:db8:1:2::1"), around("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        let [ours, theirs] = [around("2001:db8:1:2::1"), around("2001:db8:1:3::1")];
        assert_ne!(ours[0], theirs[0]);
        assert_eq!(ours[1..], theirs[1..]);
        let [ours, theirs] = [around("2001:db8:1:2::1"), around("2001:db8:1:102::1")];
        assert_ne!(ours[1], theirs[1]);
        assert_eq!(ours[2], theirs[2]);
        assert_eq!(around("::ffff:192.0.2.1"), around("192.0.2.1"));
        assert_eq!([ours[0], ours[1], ours[2], around("192.0.2.1")[0]].map(Network::allowance), [1, 4, 16, 1]);
        assert_eq!([ours[0].share(2), ours[1].share(2), ours[2].share(2)], [32, 8, 2]);
    }
}
