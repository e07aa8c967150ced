//! Proxies before the server, and what they say of whom they pass on. Nobody else is believed.

use std::{collections::HashSet, net::IpAddr, sync::Mutex};

use axum::http::HeaderMap;

use crate::{
    config::{Listen, Port},
    network::Network,
};

const X_FORWARDED_FOR: &str = "x-forwarded-for";
/// Proxies that the log is told of because they do not say whom they pass on.
const SILENT_TOLD_MAX: usize = 64;

pub struct Proxies {
    trusted: Vec<Network>,
    /// Where their connections begin with a header of the PROXY protocol.
    headed: Vec<Port>,
    /// Those that the log was told of, each once: they say nothing else until somebody changes their settings.
    silent: Mutex<HashSet<(IpAddr, Unsaid)>>,
}

/// Where a proxy does not say whom it passes on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unsaid {
    ForwardedFor,
    Header,
}

/// A trusted proxy wrote something else.
#[derive(PartialEq, Eq, Debug)]
pub struct NoAddress;

impl Proxies {
    pub fn new(listen: &Listen) -> Self {
        let (trusted, headed) = (listen.trusted_proxies.clone(), listen.proxy_protocol.clone());
        Self { trusted, headed, silent: Mutex::default() }
    }

    /// Whose limits a connection from there is counted in: a proxy's own are nobody's.
    pub fn charged(&self, address: IpAddr) -> Option<IpAddr> {
        (!self.trusts(address)).then_some(address)
    }

    /// Whether a connection must begin with a header. It is known and not guessed from what comes: a client could say it too.
    pub fn must_head(&self, peer: IpAddr, port: Port) -> bool {
        self.headed.contains(&port) && self.trusts(peer)
    }

    /// Whose a request is. Each proxy writes behind what it was told from whom it has the request, so it is read from the right, for as long
    /// as a trusted one has written it. If there is nothing, the proxy asks for itself.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, NoAddress> {
        let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',').map(<[u8]>::trim_ascii));
        let mut client = peer;
        for entry in entries.filter(|entry| !entry.is_empty()) {
            if !self.trusts(client) {
                break;
            }
            client = address(entry).ok_or(NoAddress)?;
        }
        Ok(client)
    }

    /// A WebSocket is always somebody's: a proxy asks for nothing but health by itself.
    pub fn expect_somebody(&self, address: IpAddr, headers: &HeaderMap) {
        if self.trusts(address) && !headers.contains_key(X_FORWARDED_FOR) {
            self.tell_silent(address, Unsaid::ForwardedFor);
        }
    }

    pub fn tell_silent(&self, proxy: IpAddr, unsaid: Unsaid) {
        if !self.is_news(proxy, unsaid) {
            return;
        }
        match unsaid {
            Unsaid::ForwardedFor => tracing::warn!(
                %proxy,
                "a WebSocket came without X-Forwarded-For from a proxy of listen.trusted_proxies, so that limits for one address hold for none of its \
                 users: have it send that header, or take it off the list"
            ),
            Unsaid::Header => tracing::warn!(
                %proxy,
                "a connection that a proxy of listen.trusted_proxies passed on was closed, since it did not begin with a header of the PROXY protocol: \
                 have it send one (HAProxy: send-proxy-v2, nginx: proxy_protocol on), or take the port off listen.proxy_protocol"
            ),
        }
    }

    fn is_news(&self, proxy: IpAddr, unsaid: Unsaid) -> bool {
        let mut silent = self.silent.lock().expect("nothing panics while holding it");
        silent.len() < SILENT_TOLD_MAX && silent.insert((proxy, unsaid))
    }

    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }
}

/// Some proxies write the port, and brackets around IPv6.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(entry).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| Some(text.parse::<std::net::SocketAddr>().ok()?.ip()));
    address.as_ref().map(IpAddr::to_canonical)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn proxies() -> Proxies {
        let trusted = ["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.7"];
        let trusted_proxies = trusted.map(|text| text.to_owned().try_into().expect("a network")).to_vec();
        Proxies::new(&Listen { trusted_proxies, ..Listen::default() })
    }

    fn client(peer: &str, lines: &[&str]) -> Option<String> {
        let proxies = proxies();
        let value = |line: &&str| HeaderValue::from_bytes(line.as_bytes()).expect("a value");
        let headers = lines.iter().map(|line| (HeaderName::from_static(X_FORWARDED_FOR), value(line))).collect();
        proxies.client(peer.parse().expect("an address"), &headers).ok().map(|client| client.to_string())
    }

    #[test]
    fn an_address_is_believed_from_the_right_as_far_as_proxies_are_trusted() {
        for (peer, lines, told) in [
            ("10.0.0.1", &["198.51.100.1"][..], "198.51.100.1"),
            // What the client said itself.
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["garbage, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["10.0.0.9, 198.51.100.1"], "198.51.100.1"),
            // One proxy behind the other.
            ("10.0.0.1", &["1.1.1.1, 198.51.100.1, 192.0.2.7,10.9.9.9"], "198.51.100.1"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.1,", " ,192.0.2.7"], "198.51.100.1"),
            // Nobody but proxies: the first of them asks.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["", " , "], "10.0.0.1"),
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            // Ports and brackets.
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]:4711, [2001:db8:1::9]"], "2001:db8::1"),
            // Whoever is not trusted.
            ("198.51.100.9", &["198.51.100.1"], "198.51.100.9"),
            ("198.51.100.9", &["10.0.0.1"], "198.51.100.9"),
            ("198.51.100.9", &["garbage"], "198.51.100.9"),
        ] {
            assert_eq!(client(peer, lines).as_deref(), Some(told), "{peer} says {lines:?}");
        }
    }

    #[test]
    fn what_a_trusted_proxy_writes_is_an_address_or_an_error() {
        for garbage in
            ["unknown", "unix:", "198.51.100", "198.51.100.1:", "198.51.100.1 198.51.100.2", "[2001:db8::1", "\u{e9}"]
        {
            assert_eq!(client("10.0.0.1", &[garbage]), None, "{garbage:?}");
            assert_eq!(client("10.0.0.1", &["198.51.100.1", garbage, "10.0.0.2"]), None, "{garbage:?}");
        }
    }

    #[test]
    fn the_log_is_told_once_of_each_proxy_that_does_not_say_whom_it_passes_on_and_not_of_any_number() {
        let proxies = proxies();
        let news = |last: u8, unsaid| proxies.is_news([10, 0, 0, last].into(), unsaid);
        assert!(news(1, Unsaid::Header) && news(1, Unsaid::ForwardedFor) && news(2, Unsaid::Header));
        assert!(!news(1, Unsaid::Header) && !news(1, Unsaid::ForwardedFor));
        assert_eq!((0..=255).filter(|last| news(*last, Unsaid::Header)).count(), SILENT_TOLD_MAX - 3);
    }
}
