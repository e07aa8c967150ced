//! The digest of a device's positions in groups: equal digests mean that no group moved.

use crate::ids::GroupId;

/// Sum, modulo 2^64, of a mixed hash of each `(group_id, head)`. The order does not matter, so it can be kept
/// up to date one group at a time: subtract the old hash, add the new one.
///
/// The mixer is the finalizer of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", OOPSLA 2014). Not a defence against a forger: whoever lies about its own positions only
/// harms itself.
pub fn groups_digest(positions: impl IntoIterator<Item = (GroupId, u64)>) -> u64 {
    positions.into_iter().fold(0, |sum, (group, head)| sum.wrapping_add(mix(mix(group.0) ^ head)))
}

fn mix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_positions_have_equal_digests() {
        let one = [(GroupId(1), 10), (GroupId(2), 20)];
        let digest = groups_digest(one);
        assert_eq!(digest, groups_digest([one[1], one[0]]));
        for other in [
            vec![(GroupId(1), 10)],
            vec![(GroupId(1), 20), (GroupId(2), 10)],
            vec![(GroupId(1), 11), (GroupId(2), 19)],
            vec![(GroupId(1), 10), (GroupId(2), 20), (GroupId(3), 0)],
        ] {
            assert_ne!(digest, groups_digest(other));
        }
        assert_eq!(groups_digest([]), 0);
    }

    /// Other SDKs check themselves against these values; they stand in docs/protocol.md.
    #[test]
    fn the_values_never_change() {
        assert_eq!(groups_digest([(GroupId(3), 7)]), 16_753_576_447_339_095_367);
    }
}
