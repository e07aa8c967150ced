//! How the terminal client proves who it is, and where it keeps what it knows.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anser_client::Credential;
use anser_server::{config::Config, secrets::hs256_path, system_clock, token::Tokens};
use anyhow::{Context as _, bail};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::text::Text;
use crate::password;

/// How long a token that is made here holds, in seconds: as long as somebody may leave a chat open.
const TOKEN_HOLDS_S: u64 = 30 * 24 * 3600;

/// What the person chose.
pub enum Way {
    Token(String),
    Password,
    /// The server is on this machine, and its secret can be read.
    OwnServer(Box<Config>),
}

pub fn credential(way: Way, account: &str, server: &str, text: Text) -> anyhow::Result<Credential> {
    match way {
        Way::Token(token) => {
            check_subject(&token, account, text)?;
            Ok(Credential::Token(token))
        }
        Way::Password => {
            let password = password::ask(text.password())?;
            Ok(Credential::Password { account: account.to_owned(), password })
        }
        Way::OwnServer(config) => {
            let generated = hs256_path(&config.store.dir);
            let secret = config.auth.hs256_secret_file.as_ref().unwrap_or(&generated);
            // A token of this machine's server is not shown to another one: it could log in here with it.
            if !is_loopback(server) || !secret.exists() {
                let why = if is_loopback(server) { text.no_secret(secret) } else { text.not_this_machine(server) };
                bail!("{}", text.cannot_log_in(account, &why));
            }
            let now_s = system_clock()() / 1000;
            let tokens = Tokens::load(&config.auth, &config.store.dir)?;
            Ok(Credential::Token(tokens.mint(account, now_s, now_s + TOKEN_HOLDS_S)))
        }
    }
}

/// The file for this account and device, in a folder that only its owner can enter. Neither is made yet.
pub fn store_path(account: &str, server: &str, device: Option<&str>, text: Text) -> anyhow::Result<PathBuf> {
    let home = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = home("XDG_DATA_HOME").or_else(|| Some(home("HOME")?.join(".local/share"))).context(text.no_home())?;
    Ok(data.join("anser").join("chat").join(file_name(account, server, device)))
}

fn file_name(account: &str, server: &str, device: Option<&str>) -> String {
    let place = authority(server).replace(':', "_");
    let device = device.map_or_else(String::new, |device| format!("+{}", safe(device)));
    format!("{}@{}{device}.db", safe(account), safe(&place))
}

/// For the list of a user's devices.
pub fn device_name(chosen: Option<&str>) -> String {
    let host = fs::read_to_string(Path::new("/etc/hostname")).unwrap_or_default();
    let name = match (chosen, host.trim()) {
        (Some(name), _) => name.to_owned(),
        (None, "") => "terminal".to_owned(),
        (None, host) => format!("terminal on {host}"),
    };
    name.chars().take(anser_proto::limits::NAME_CHARS_MAX).collect()
}

/// Says so at once when the token is somebody else's: the local store would get the wrong person's messages.
fn check_subject(token: &str, account: &str, text: Text) -> anyhow::Result<()> {
    let claims = token.split('.').nth(1).and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok());
    let claims: serde_json::Value =
        claims.and_then(|json| serde_json::from_slice(&json).ok()).context(text.no_token())?;
    match claims["sub"].as_str() {
        Some(subject) if subject != account => {
            bail!("{}", text.token_of_other(subject, account))
        }
        _ => Ok(()),
    }
}

/// `host:port` of an address.
fn authority(server: &str) -> &str {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// Of several addresses with commas between them, each.
fn is_loopback(servers: &str) -> bool {
    servers.split(',').all(|server| {
        let authority = authority(server.trim());
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
        };
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// Any word as part of a file's name: nothing in it leads to another folder.
fn safe(word: &str) -> String {
    word.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02x}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    #[test]
    fn every_account_server_and_device_has_a_file_of_its_own() {
        let check = |account, server, device, name: &str| assert_eq!(file_name(account, server, device), name);
        check("alice", "ws://127.0.0.1:7400", None, "alice@127.0.0.1_7400.db");
        check("alice", "wss://im.example/v1/ws", Some("my phone"), "alice@im.example+my%20phone.db");
        check("../../etc/x", "tcp://[::1]:7401", None, "..%2f..%2fetc%2fx@%5b__1%5d_7401.db");
    }

    #[test]
    fn only_this_machine_gets_its_own_tokens() {
        for server in [
            "ws://127.0.0.1:7400",
            "ws://localhost/v1/ws",
            "tcp://[::1]:7401",
            "ws://127.9.9.9",
            "ws://127.0.0.1:1,ws://[::1]:2",
        ] {
            assert!(is_loopback(server), "{server}");
        }
        for server in ["ws://im.example", "ws://127.0.0.1.example:80", "tcp://10.0.0.1:7401", "ws://[fe80::1]:7400"] {
            assert!(!is_loopback(server), "{server}");
        }
    }

    #[test]
    fn a_token_of_somebody_else_is_told_at_once() {
        let token = format!("x.{}.y", BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"bob"}"#));
        for text in [Text(Lang::En), Text(Lang::Zh)] {
            assert!(check_subject(&token, "bob", text).is_ok());
            assert!(check_subject(&token, "alice", text).expect_err("bob's").to_string().contains("--as bob"));
            assert!(check_subject("nonsense", "alice", text).is_err());
        }
    }
}
