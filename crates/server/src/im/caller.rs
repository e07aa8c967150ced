//! Who asks: the user and device behind a connection, and what the connection has used up.

use std::{collections::HashMap, sync::Arc, time::Duration};

use anser_proto::{ConversationId, ErrorCode, UserId};
use anser_store::Sender;
use tokio::time::Instant;

use super::{fifo::Fifo, page::PageSize};
use crate::{accepted::ConnId, config::Limits, error::Error, hub::Attachment, nickname::Nickname};

/// A conversation hears of the user's typing at most this often.
const TYPING_INTERVAL: Duration = Duration::from_secs(1);
/// Conversations whose last typing is remembered.
const TYPING_REMEMBERED: usize = 64;
/// Who is refused more often than this, at once and then a second, does not listen.
const REFUSALS_BURST: u32 = 2_000;
const REFUSALS_PER_S: u32 = 20;

pub struct Caller {
    pub user: UserId,
    pub conn: ConnId,
    pub login_version: u64,
    platform: i32,
    device_id: Arc<str>,
    /// Shared by all connections of the user, since any of them may change it.
    nickname: Arc<Nickname>,
    pub fifo: Fifo,
    pub page_size: PageSize,
    pub said_bye: bool,
    bucket: Bucket,
    refusals: Bucket,
    flooding: bool,
    typed: HashMap<ConversationId, Instant>,
}

impl Caller {
    pub fn new(attachment: &Attachment, platform: i32, device_id: Arc<str>, limits: &Limits, now: Instant) -> Self {
        Self {
            user: attachment.user,
            conn: attachment.conn,
            login_version: attachment.login_version,
            platform,
            device_id,
            nickname: Arc::clone(&attachment.nickname),
            fifo: Fifo::default(),
            page_size: PageSize::default(),
            said_bye: false,
            bucket: Bucket::new(limits.requests_per_s, limits.requests_burst, now),
            refusals: Bucket::new(REFUSALS_PER_S, REFUSALS_BURST, now),
            flooding: false,
            typed: HashMap::new(),
        }
    }

    /// As the log shall show him.
    pub fn sender(&self) -> Sender {
        Sender {
            user: self.user,
            nickname: self.nickname.get(),
            platform: self.platform,
            device_id: Arc::clone(&self.device_id),
        }
    }

    /// On all connections of the user to this node.
    pub fn rename(&self, nickname: &Arc<str>, mailbox_seq: u64) {
        self.nickname.set(nickname, mailbox_seq);
    }

    /// May ask once more, or is told when.
    pub fn admit(&mut self, now: Instant) -> Result<(), Error> {
        self.bucket.take(now).map_err(|wait| {
            self.flooding |= self.refusals.take(now).is_err();
            Error {
                retry_after_ms: u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1),
                ..Error::new(ErrorCode::RateLimited, "more requests than limits.requests_per_s")
            }
        })
    }

    pub fn is_flooding(&self) -> bool {
        self.flooding
    }

    /// Whether the conversation shall hear of the typing now.
    pub fn may_tell_typing(&mut self, conversation: ConversationId, now: Instant) -> bool {
        self.typed.retain(|_, told| now < *told + TYPING_INTERVAL);
        if self.typed.len() >= TYPING_REMEMBERED || self.typed.contains_key(&conversation) {
            return false;
        }
        self.typed.insert(conversation, now);
        true
    }
}

/// A token bucket: full at first, refilled at an even rate.
struct Bucket {
    per_s: u32,
    burst: u32,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn new(per_s: u32, burst: u32, now: Instant) -> Self {
        Self { per_s, burst, tokens: burst.into(), filled: now }
    }

    /// Takes one, or tells how long until there is one. A rate of 0 is no bound.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        if self.per_s == 0 {
            return Ok(());
        }
        let rate = f64::from(self.per_s);
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * rate).min(self.burst.into());
        self.filled = now;
        if self.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / rate));
        }
        self.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, 3, start);
        assert_eq!((0..5).filter(|_| bucket.take(start).is_ok()).count(), 3);
        assert_eq!(bucket.take(start), Err(Duration::from_millis(100)));
        assert_eq!(bucket.take(start + Duration::from_millis(100)), Ok(()));
        let later = start + Duration::from_secs(60);
        assert_eq!((0..5).filter(|_| bucket.take(later).is_ok()).count(), 3);
        let mut unbounded = Bucket::new(0, 0, start);
        assert!((0..1_000).all(|_| unbounded.take(start).is_ok()));
    }
}
