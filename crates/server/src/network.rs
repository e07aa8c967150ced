//! Where somebody comes from, as settings name it and budgets count it.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

/// Addresses that begin alike, or one address: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(try_from = "String")]
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

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let address = || text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        let network = text.parse::<IpNet>().or_else(|_| address());
        network.map(|network| Self(network.trunc())).map_err(|_| {
            format!("`{text}` is no network: name an address such as 192.0.2.1, or a network such as 10.0.0.0/8")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(address: &str) -> Vec<Network> {
        Network::around(address.parse().expect("an address")).collect()
    }

    fn named(text: &str) -> Network {
        text.to_owned().try_into().expect("a network")
    }

    #[test]
    fn neighbours_are_one_and_others_are_not() {
        assert_eq!(around("2001:db8:1:2::1"), around("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        let [ours, theirs] = [around("2001:db8:1:2::1"), around("2001:db8:1:3::1")];
        assert_ne!(ours[0], theirs[0]);
        assert_eq!(ours[1..], theirs[1..]);
        let [ours, theirs] = [around("2001:db8:1:2::1"), around("2001:db8:1:102::1")];
        assert_ne!(ours[1], theirs[1]);
        assert_eq!(ours[2..], [named("2001:db8:1::/48")]);
        assert_eq!(ours[2], theirs[2]);
        assert_eq!(around("::ffff:192.0.2.1"), [named("192.0.2.1")]);
        assert_eq!([ours[0], ours[1], ours[2], named("192.0.2.1")].map(Network::allowance), [1, 4, 16, 1]);
        assert_eq!([ours[0].share(2), ours[1].share(2), ours[2].share(2)], [32, 8, 2]);
    }

    #[test]
    fn a_network_has_its_own_addresses_and_no_others() {
        let inside = |network: &str, address: &str| named(network).contains(address.parse().expect("an address"));
        assert!(inside("10.0.0.0/8", "10.1.2.3") && inside("10.1.2.3/8", "::ffff:10.0.0.1"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1") && !inside("10.0.0.0/8", "::a00:1"));
        assert!(inside("192.0.2.1", "192.0.2.1") && !inside("192.0.2.1", "192.0.2.2"));
        assert!(inside("2001:db8::/32", "2001:db8:ffff::1") && !inside("2001:db8::/32", "2001:db9::1"));
        for none in ["", "10.0.0.0/33", "proxy.internal", "10.0.0", "10.0.0.0/-1"] {
            assert!(Network::try_from(none.to_owned()).is_err(), "{none:?}");
        }
    }
}
