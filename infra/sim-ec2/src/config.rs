//! The settings of a simulated EC2.

use jiff::SignedDuration;

/// What a simulation is started with. Nothing of it is stored with the state.
#[derive(Clone, Debug)]
pub struct Config {
    /// The Region of requests that do not say one.
    pub region: String,
    /// The account everything belongs to.
    pub account: String,
    /// Where ids, sizes and chances come from: the same seed, the same run.
    pub seed: u64,
    /// Whether calls are throttled.
    pub throttling: Throttling,
    /// How long Describe shows a new or changed object in its former shape.
    pub visibility_lag: SignedDuration,
    /// How much longer `DescribeInstances` does: EC2's answers are of different ages
    /// (<https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>).
    pub instance_lag: SignedDuration,
    /// How long snapshots take.
    pub completion: Completion,
    /// How long must lie between two snapshots of one volume.
    pub snapshot_interval: SignedDuration,
    /// How long an instance takes to start, stop or terminate.
    pub instance_transition: SignedDuration,
    /// How long a volume takes to be created, attached or detached.
    pub volume_transition: SignedDuration,
    /// How long a snapshot takes into the archive or out of it.
    pub tier_transition: SignedDuration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            seed: 0,
            throttling: Throttling::Off,
            visibility_lag: SignedDuration::ZERO,
            instance_lag: SignedDuration::ZERO,
            completion: Completion::default(),
            snapshot_interval: SignedDuration::from_secs(15),
            instance_transition: SignedDuration::from_secs(10),
            volume_transition: SignedDuration::from_secs(2),
            tier_transition: SignedDuration::from_hours(1),
        }
    }
}

/// Whether calls are counted against a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttling {
    /// Never.
    Off,
    /// For each Region and action a bucket of 100, refilled by 20 a second for what only reads
    /// and by 5 a second for what changes something.
    Default,
}

/// How long a snapshot is pending, in simulated time.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
    /// For the smallest volume.
    pub base: SignedDuration,
    /// Added for each GiB of the volume.
    pub per_gib: SignedDuration,
}

impl Completion {
    /// How long a snapshot of a volume of `size_gib` is pending.
    pub fn of(&self, size_gib: u32) -> SignedDuration {
        let sizes = i32::try_from(size_gib).unwrap_or(i32::MAX);
        self.per_gib
            .checked_mul(sizes)
            .and_then(|extra| extra.checked_add(self.base))
            .unwrap_or(SignedDuration::MAX)
    }
}

impl Default for Completion {
    fn default() -> Self {
        Self { base: SignedDuration::from_secs(30), per_gib: SignedDuration::from_millis(100) }
    }
}
