//! The token of a link by which users join a group: random, said once, and kept as a hash, so that who reads the store comes into no group.

use anser_store::TokenHash;
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};

const TOKEN_BYTES: usize = 16;

/// 128 bits, which nobody guesses: their hash needs no salt.
pub struct Token([u8; TOKEN_BYTES]);

impl Token {
    /// # Panics
    /// When the system has no randomness to give.
    pub fn random() -> Self {
        let mut token = [0; TOKEN_BYTES];
        getrandom::fill(&mut token).expect("the system has randomness");
        Self(token)
    }

    /// None if it was never given.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(BASE64.decode(text).ok()?.try_into().ok()?))
    }

    /// 22 characters, which stand in the address of a page as they are.
    pub fn text(&self) -> String {
        BASE64.encode(self.0)
    }

    pub fn hash(&self) -> TokenHash {
        *digest(&SHA256, &self.0).as_ref().first_chunk().expect("SHA-256 has 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_again_and_no_two_are_the_same() {
        let (one, other) = (Token::random(), Token::random());
        assert_ne!(one.text(), other.text());
        assert_eq!(one.text().len(), 22);
        assert_eq!(Token::parse(&one.text()).map(|token| token.hash()), Some(one.hash()));
        for bad in ["", "x", "a2V5", "!!!!!!!!!!!!!!!!!!!!!!", &"A".repeat(23), &"A".repeat(44)] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
    }
}
