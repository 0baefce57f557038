//! Fast snapshot restore of a snapshot in one zone.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::later;

/// How long each GiB takes to be optimised: "60 minutes per TiB"
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-fast-snapshot-restore.html>).
const SECONDS_EACH_TIB: u32 = 3_600;
/// How long switching it on and off takes.
const SWITCHING: SignedDuration = SignedDuration::from_secs(30);

/// When it was switched on, and off again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FastRestore {
    /// When it was switched on.
    pub enabling_at: Timestamp,
    /// When it was switched off.
    pub disabling_at: Option<Timestamp>,
}

/// Where it is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FastRestoreState {
    Enabling,
    Optimizing,
    Enabled,
    Disabling,
    Disabled,
}

impl FastRestoreState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enabling => "enabling",
            Self::Optimizing => "optimizing",
            Self::Enabled => "enabled",
            Self::Disabling => "disabling",
            Self::Disabled => "disabled",
        }
    }
}

impl FastRestore {
    pub(crate) fn state(&self, size_gib: u32, now: Timestamp) -> FastRestoreState {
        match self.disabling_at {
            Some(at) if later(at, SWITCHING) <= now => FastRestoreState::Disabled,
            Some(_) => FastRestoreState::Disabling,
            None if now < self.optimizing_at() => FastRestoreState::Enabling,
            None if now < self.enabled_at(size_gib) => FastRestoreState::Optimizing,
            None => FastRestoreState::Enabled,
        }
    }

    pub(crate) fn optimizing_at(&self) -> Timestamp {
        later(self.enabling_at, SWITCHING)
    }

    pub(crate) fn enabled_at(&self, size_gib: u32) -> Timestamp {
        let seconds = i64::from(size_gib) * i64::from(SECONDS_EACH_TIB) / 1_024;
        later(self.optimizing_at(), SignedDuration::from_secs(seconds))
    }

    pub(crate) fn disabled_at(&self) -> Option<Timestamp> {
        Some(later(self.disabling_at?, SWITCHING))
    }
}
