//! What is kept of a body that is gone: enough to know it again, and nothing that tells what it was.

use anser_proto::ClientMsgId;
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};

use crate::{Mentions, MessageChange, NewMessage, Target, What};

/// The first half of an HMAC-SHA-256 (RFC 2104, RFC 6234), by a key of the store's own: without it nobody finds a short text out by trying.
pub(crate) type Digest = [u8; 16];

#[derive(Clone)]
pub(crate) struct Digests(Key);

impl Digests {
    pub(crate) fn new(key: &str) -> Self {
        Self(Key::new(HMAC_SHA256, key.as_bytes()))
    }

    /// Of all that must be the same in a retry.
    pub(crate) fn of(&self, message: &NewMessage) -> Digest {
        let NewMessage { kind, content, attachment, reply_to, mentions, change, .. } = message;
        self.of_body(*kind, content, attachment, *reply_to, mentions, change.as_ref())
    }

    pub(crate) fn of_body(
        &self,
        kind: i32,
        content: &str,
        attachment: &[u8],
        reply_to: u64,
        mentions: &Mentions,
        change: Option<&MessageChange>,
    ) -> Digest {
        let mut signing = hmac::Context::with_key(&self.0);
        signing.update(&kind.to_be_bytes());
        for part in [content.as_bytes(), attachment] {
            signing.update(&(part.len() as u64).to_be_bytes());
            signing.update(part);
        }
        signing.update(&reply_to.to_be_bytes());
        // Without any the digest is that of messages which had none yet.
        if let Some(mentions) = mentions.packed() {
            signing.update(mentions.as_bytes());
        }
        if let Some(MessageChange { target, what }) = change {
            let (place, own) = match target {
                Target::Place(place) => (*place, ""),
                Target::Own(client_msg_id) => (0, ClientMsgId::as_str(client_msg_id)),
            };
            signing.update(&place.to_be_bytes());
            signing.update(own.as_bytes());
            if let What::Edit { if_changed: Some(changed) } = what {
                signing.update(&changed.to_be_bytes());
            }
        }
        signing.sign().as_ref()[..16].try_into().expect("an HMAC has 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other_and_the_key_matters() {
        let (digests, others) = (Digests::new("one"), Digests::new("other"));
        let none = Mentions::default();
        let of =
            |digests: &Digests, content, attachment: &[u8]| digests.of_body(1, content, attachment, 0, &none, None);
        assert_eq!(of(&digests, "ab", b"c"), of(&digests, "ab", b"c"));
        assert_ne!(of(&digests, "ab", b"c"), of(&digests, "a", b"bc"));
        assert_ne!(of(&digests, "ab", b"c"), of(&others, "ab", b"c"));
        assert_ne!(of(&digests, "ab", b"c"), digests.of_body(1, "ab", b"c", 7, &none, None));
        let all = Mentions::new(Vec::new(), true);
        assert_ne!(of(&digests, "ab", b"c"), digests.of_body(1, "ab", b"c", 0, &all, None));
    }
}
