//! The token buckets that EC2 throttles by.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{actions::only_reads, clock::between};

/// Tokens are counted in thousandths, so that a millisecond's refill is a whole number.
const TOKEN: i128 = 1000;
const BUCKET: i128 = 100 * TOKEN;
const READING_PER_SECOND: i128 = 20;
const CHANGING_PER_SECOND: i128 = 5;

/// The buckets by Region and action.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buckets(BTreeMap<(String, String), Bucket>);

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: i128,
    at: Timestamp,
}

impl Buckets {
    /// Takes a token for this call; `false` when there is none.
    pub(crate) fn take(&mut self, region: &str, action: &str, now: Timestamp) -> bool {
        let bucket = self
            .0
            .entry((region.to_owned(), action.to_owned()))
            .or_insert(Bucket { tokens: BUCKET, at: now });
        let passed = between(bucket.at, now).as_millis().max(0);
        // Thousandths per millisecond are tokens per second.
        let refilled = bucket.tokens.saturating_add(passed.saturating_mul(per_second(action)));
        bucket.tokens = refilled.min(BUCKET);
        bucket.at = bucket.at.max(now);
        if bucket.tokens < TOKEN {
            return false;
        }
        bucket.tokens -= TOKEN;
        true
    }
}

fn per_second(action: &str) -> i128 {
    if only_reads(action) { READING_PER_SECOND } else { CHANGING_PER_SECOND }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(buckets: &mut Buckets, action: &str, calls: usize, millisecond: i64) -> usize {
        let now = Timestamp::from_millisecond(millisecond).unwrap();
        (0..calls).filter(|_| buckets.take("us-east-1", action, now)).count()
    }

    #[test]
    fn a_hundred_calls_at_once_then_five_a_second_for_what_changes() {
        let mut buckets = Buckets::default();

        assert_eq!(accepted(&mut buckets, "CreateSnapshots", 150, 0), 100);
        assert_eq!(accepted(&mut buckets, "CreateSnapshots", 150, 199), 0);
        assert_eq!(accepted(&mut buckets, "CreateSnapshots", 150, 200), 1);
        assert_eq!(accepted(&mut buckets, "CreateSnapshots", 150, 10_200), 50);
    }

    #[test]
    fn twenty_a_second_for_what_reads() {
        let mut buckets = Buckets::default();

        assert_eq!(accepted(&mut buckets, "DescribeSnapshots", 150, 0), 100);
        assert_eq!(accepted(&mut buckets, "DescribeSnapshots", 150, 1_000), 20);
    }

    #[test]
    fn each_action_has_its_own_bucket_and_none_overflows() {
        let mut buckets = Buckets::default();

        assert_eq!(accepted(&mut buckets, "CreateTags", 150, 0), 100);
        assert_eq!(accepted(&mut buckets, "DeleteTags", 150, 0), 100);
        assert_eq!(accepted(&mut buckets, "CreateTags", 150, 3_600_000), 100);
    }

    #[test]
    fn a_clock_set_back_refills_nothing() {
        let mut buckets = Buckets::default();
        accepted(&mut buckets, "CreateTags", 100, 60_000);

        assert_eq!(accepted(&mut buckets, "CreateTags", 1, 0), 0);
        assert_eq!(accepted(&mut buckets, "CreateTags", 1, 60_000), 0);
    }
}
