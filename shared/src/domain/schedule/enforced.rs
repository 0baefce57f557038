//! What was in force at the last executed sweep.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::retention::Rules;
use crate::domain::schedule::copies::{CopyTarget, rules_of};
use crate::domain::schedule::zone::Zone;
use crate::domain::schedule::{Settings, WhenGone};
use crate::domain::snapshot::Snapshot;

/// Rules as they were in force at a sweep: what the brake takes as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enforced {
    /// The rules.
    pub rules: Option<Rules>,
    /// What became of the snapshots of instances that were no more.
    #[serde(default)]
    pub when_gone: WhenGone,
    /// The rules of its copies, where they were to be made then.
    #[serde(default)]
    pub copies: Vec<CopyTarget>,
    /// The zone they were read in.
    pub timezone: Zone,
    /// When.
    pub at: Timestamp,
}

impl Enforced {
    /// What is in force at `at` under these settings.
    pub fn of(settings: &Settings, at: Timestamp) -> Self {
        Self {
            rules: settings.rules.clone(),
            when_gone: settings.when_gone,
            copies: settings.copies.clone(),
            timezone: settings.timezone.clone(),
            at,
        }
    }

    /// The rules that decided about a snapshot.
    pub fn rules_of(&self, snapshot: &Snapshot) -> Option<&Rules> {
        rules_of(self.rules.as_ref(), &self.copies, snapshot)
    }
}
