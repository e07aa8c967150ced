//! The token that a password buys. Servers with the same secret alone read it, and each device says it at every login: so it is a third of a JSON Web
//! Token.
//!
//! In base64url: the version, the seconds since 1970 until which it is good (four bytes), the mark of the password (twelve), the account, and
//! the first sixteen bytes of an HMAC-SHA256 of all that. No JSON Web Token is signed over bytes that begin like this one's, so that both have one key.

use anser_proto::ids::check_ascii_id;
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};

use crate::password::Mark;

const VERSION: u8 = 1;
const SEAL_BYTES: usize = 16;

#[derive(PartialEq, Eq, Debug)]
pub struct Bought {
    pub account: String,
    pub mark: Mark,
    /// Seconds since 1970; later than 2106 is never.
    pub expires_s: u32,
}

impl Bought {
    pub fn sealed(&self, key: &hmac::Key) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.expires_s.to_be_bytes());
        bytes.extend(self.mark);
        bytes.extend(self.account.as_bytes());
        bytes.extend(seal(key, &bytes));
        BASE64.encode(bytes)
    }

    /// None if it was not sealed with this key.
    pub fn unsealed(token: &str, key: &hmac::Key) -> Option<Self> {
        let bytes = BASE64.decode(token).ok()?;
        let (said, sealed) = bytes.split_last_chunk::<SEAL_BYTES>()?;
        verify_slices_are_equal(&seal(key, said), sealed).ok()?;
        let rest = said.strip_prefix(&[VERSION])?;
        let (expires_s, rest) = rest.split_first_chunk()?;
        let (mark, account) = rest.split_first_chunk()?;
        let account = String::from_utf8(account.to_vec()).ok()?;
        check_ascii_id("account", &account).ok()?;
        Some(Self { account, mark: *mark, expires_s: u32::from_be_bytes(*expires_s) })
    }
}

fn seal(key: &hmac::Key, said: &[u8]) -> [u8; SEAL_BYTES] {
    *hmac::sign(key, said).as_ref().first_chunk().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
    }

    fn bought() -> Bought {
        Bought { account: "ada".into(), mark: [7; 12], expires_s: 4_000_000_000 }
    }

    #[test]
    fn what_is_sealed_is_read_with_the_same_key_alone() {
        let token = bought().sealed(&key("a secret"));
        assert_eq!(token.len(), 48);
        assert_eq!(Bought::unsealed(&token, &key("a secret")), Some(bought()));
        assert_eq!(Bought::unsealed(&token, &key("another secret")), None);
    }

    #[test]
    fn no_character_of_it_can_be_changed_left_out_or_added() {
        let (token, key) = (bought().sealed(&key("a secret")), key("a secret"));
        for at in 0..token.len() {
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            let mut changed = token.clone();
            changed.replace_range(at..=at, other);
            assert_eq!(Bought::unsealed(&changed, &key), None, "{at}");
            assert_eq!(Bought::unsealed(&token[..at], &key), None, "{at}");
        }
        assert_eq!(Bought::unsealed(&format!("{token}AAAA"), &key), None);
        assert_eq!(Bought::unsealed("", &key), None);
    }

    #[test]
    fn of_another_version_it_is_none() {
        let key = key("a secret");
        let mut bytes = BASE64.decode(bought().sealed(&key)).expect("base64url");
        bytes.truncate(bytes.len() - SEAL_BYTES);
        bytes[0] = VERSION + 1;
        bytes.extend(seal(&key, &bytes));
        assert_eq!(Bought::unsealed(&BASE64.encode(bytes), &key), None);
    }
}
