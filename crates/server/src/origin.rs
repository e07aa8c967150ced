//! Whose pages may connect: the `Origin` that a browser sends with a WebSocket's handshake (RFC 6454, RFC 6455 10.2), and the
//! `Host` under which it found this server.

use std::net::IpAddr;

use serde::Deserialize;

/// Of `listen.origins`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub enum Allowed {
    Any,
    One(Origin),
}

/// Letters are small, and a port that goes without saying is not said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

/// Whether a page of this origin may connect. Without a list: if it came from `host`, which is what the request calls this server, and
/// that is a name of its own. A name server of others may lead their page here, too (DNS rebinding).
pub fn may_connect(
    allowed: &[Allowed],
    origin: &str,
    host: Option<&str>,
    is_own_name: impl FnOnce(&str) -> bool,
) -> bool {
    if allowed.contains(&Allowed::Any) {
        return true;
    }
    let Some(origin) = Origin::parse(origin) else { return false };
    match allowed {
        [] => host.is_some_and(|host| origin.is_of(host)) && (is_certain(&origin.host) || is_own_name(&origin.host)),
        listed => listed.contains(&Allowed::One(origin)),
    }
}

/// Whether a page that a browser loaded under this `Host` must be this server's own: no name server of others leads to an address, to
/// this machine or to one of these names.
pub fn is_own_host(host: &str, names: &[String]) -> bool {
    let host = host.to_ascii_lowercase();
    split(&host).is_some_and(|(host, _)| is_certain(host) || names.iter().any(|name| name.eq_ignore_ascii_case(host)))
}

/// A host without a port.
pub fn is_name(text: &str) -> bool {
    split(text) == Some((text, None))
}

/// Whether no name server of others can lead it here: an address, or this machine.
fn is_certain(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || bare.parse::<IpAddr>().is_ok()
}

/// The name in `ws://name:7400`.
pub fn host_of(url: &str) -> Option<String> {
    let origin = url.split_inclusive('/').take(3).collect::<String>();
    Origin::parse(origin.trim_end_matches('/')).map(|origin| origin.host)
}

impl Origin {
    /// None: `null`, or no origin at all.
    fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://")?;
        let (host, port) = split(authority)?;
        let is_scheme =
            !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        let port = port.filter(|port| Some(*port) != default_port(scheme));
        is_scheme.then(|| Self { scheme: scheme.into(), host: host.into(), port })
    }

    /// Compares host and port. The scheme with which the client came is not known where a proxy has taken TLS off: a `host` without a port
    /// has that of the page's scheme.
    fn is_of(&self, host: &str) -> bool {
        let Some(default) = default_port(&self.scheme) else { return false };
        split(&host.to_ascii_lowercase())
            .is_some_and(|(host, port)| host == self.host && port.unwrap_or(default) == self.port.unwrap_or(default))
    }
}

/// Host and port.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let is_host =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    is_host.then_some((host, port))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

impl TryFrom<String> for Allowed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        Origin::parse(&text).map(Self::One).ok_or_else(|| {
            format!("`{text}` is no origin: write it as browsers do, https://chat.example.com without a path, or \"*\"")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &[&str]) -> Vec<Allowed> {
        list.iter().map(|text| text.to_string().try_into().expect("an origin")).collect()
    }

    #[test]
    fn without_a_list_a_page_may_connect_to_the_host_it_came_from() {
        for (origin, host, may) in [
            ("https://chat.example.com", "chat.example.com", true),
            ("https://Chat.Example.com", "chat.example.COM:443", true),
            ("http://chat.example.com", "chat.example.com", true),
            ("http://localhost:7400", "localhost:7400", true),
            ("http://[::1]:7400", "[::1]:7400", true),
            ("https://[2001:db8::1]", "[2001:db8::1]", true),
            // Another page of the same machine.
            ("http://localhost:3000", "localhost:7400", false),
            ("https://chat.example.com", "chat.example.com:80", false),
            ("http://chat.example.com:8080", "chat.example.com", false),
            ("https://evil.example", "chat.example.com", false),
            ("https://chat.example.com.evil.example", "chat.example.com", false),
            ("https://chat.example.com@evil.example", "chat.example.com", false),
            ("app://chat.example.com", "chat.example.com", false),
            ("null", "chat.example.com", false),
            ("null", "null", false),
            ("", "", false),
            ("https://", "", false),
        ] {
            let is_own = |name: &str| name == "chat.example.com";
            assert_eq!(may_connect(&[], origin, Some(host), is_own), may, "{origin} to {host}");
        }
        assert!(!may_connect(&[], "https://chat.example.com", None, |_| true));
    }

    #[test]
    fn without_a_list_a_foreign_name_that_leads_here_is_none_of_the_servers() {
        for name in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "test"] {
            assert!(
                !may_connect(&[], &format!("http://{name}:7400"), Some(&format!("{name}:7400")), |_| false),
                "{name}"
            );
        }
        assert_eq!(host_of("wss://Chat.example.com:7400/v1").as_deref(), Some("chat.example.com"));
        assert_eq!(host_of("ws://[::1]:7400").as_deref(), Some("[::1]"));
        assert_eq!(host_of("chat.example.com"), None);
    }

    #[test]
    fn a_host_is_an_address_this_machine_or_a_name_that_was_given() {
        let names = ["node-1".to_owned(), "Anser.internal".to_owned()];
        for (host, is_own) in [
            ("127.0.0.1:7402", true),
            ("10.0.0.7", true),
            ("[::1]:7402", true),
            ("LocalHost:7402", true),
            ("node-1:7402", true),
            ("anser.INTERNAL", true),
            ("evil.example:7402", false),
            ("node-1.evil.example", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:7402", false),
            ("localhost.", false),
            ("", false),
            (":7402", false),
            ("node-1:x", false),
            ("node-1@evil.example", false),
        ] {
            assert_eq!(is_own_host(host, &names), is_own, "{host}");
        }
        assert!(is_name("node-1") && !is_name("node-1:7402") && !is_name("http://node-1") && !is_name(""));
    }

    #[test]
    fn a_list_holds_for_those_on_it_alone() {
        let list = allowed(&["https://app.example.com:443", "app://localhost"]);
        for (origin, may) in [
            ("https://app.example.com", true),
            ("app://localhost", true),
            ("http://app.example.com", false),
            ("https://app.example.com:8443", false),
            ("https://chat.example.com", false),
        ] {
            assert_eq!(may_connect(&list, origin, Some("chat.example.com"), |_| true), may, "{origin}");
        }
        let any = allowed(&["*"]);
        let may_connect = |origin| may_connect(&any, origin, None, |_| false);
        assert!(may_connect("https://evil.example") && may_connect("null"));
        for none in
            ["", "null", "app.example.com", "https://app.example.com/", "https://*.example.com", "://a", "http://a:x"]
        {
            assert!(Allowed::try_from(none.to_owned()).is_err(), "{none:?}");
        }
    }
}
