//! How large the next page of history may be for one connection: a slow line gets small ones, so that each comes before its client
//! takes the connection for dead.

use std::time::Duration;

use anser_proto::limits::PAGE_BYTES_MAX;
use tokio::time::Instant;

/// Of the first page.
const START_BYTES: usize = 64 * 1024;
/// Also where there is no room for a larger one.
pub const BYTES_MIN: usize = 8 * 1024;
/// About what a message has beside its body.
pub const MESSAGE_BYTES: usize = 256;
/// Whoever asks for the next page sooner has got the last one quickly, and gets twice as much; whoever takes longer, half of it.
/// A reader who thinks cannot be told from a slow line, and is served as well by a small page.
const QUICK: Duration = Duration::from_secs(2);

/// Bytes of bodies after which the page ends.
#[derive(Default)]
pub struct PageSize {
    last: Option<(usize, Instant)>,
}

impl PageSize {
    /// Of the page that is asked for now.
    pub fn next(&mut self, now: Instant) -> usize {
        let bytes = match self.last {
            None => START_BYTES,
            Some((bytes, asked)) if now.saturating_duration_since(asked) <= QUICK => (bytes * 2).min(PAGE_BYTES_MAX),
            Some((bytes, _)) => (bytes / 2).max(BYTES_MIN),
        };
        self.last = Some((bytes, now));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_grow_on_a_quick_line_and_shrink_on_a_slow_one_within_bounds() {
        let (mut size, mut now) = (PageSize::default(), Instant::now());
        let mut after = |seconds| {
            now += Duration::from_secs(seconds);
            size.next(now) / 1024
        };
        assert_eq!([0, 1, 1, 1, 1].map(&mut after), [64, 128, 256, 512, 512]);
        assert_eq!([3, 3, 3, 3, 3, 3, 3].map(&mut after), [256, 128, 64, 32, 16, 8, 8]);
        assert_eq!([2, 2].map(&mut after), [16, 32]);
    }
}
