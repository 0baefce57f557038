//! Regions out of reach: their part of a run's targets is found later, or given up.

use std::collections::BTreeSet;

use super::{Run, spread};
use crate::domain::ids::InstanceId;
use crate::domain::snapshot::Failure;

impl Run {
    /// The same run, the targets of these regions being still to be found.
    #[must_use]
    pub fn lacking(self, regions: Vec<String>) -> Self {
        Self { unresolved: regions, ..self }
    }

    /// The same run with more targets, of regions that are within reach again; `still` are those that are not. The
    /// targets that it has keep their places.
    #[must_use]
    pub fn joined_by(&self, found: Vec<InstanceId>, still: Vec<String>) -> Self {
        let known: BTreeSet<_> = self.targets.iter().collect();
        let new = found.into_iter().filter(|id| !known.contains(id)).collect();
        let new = spread::ordered(&self.slot.schedule_id, new);
        let count = u32::try_from(new.len()).unwrap_or(u32::MAX);
        let mut counts = self.counts;
        counts.total = counts.total.saturating_add(count);
        counts.outstanding = counts.outstanding.saturating_add(count);
        let targets = self.targets.iter().cloned().chain(new).collect();
        Self { targets, counts, unresolved: still, ..self.clone() }
    }

    /// The same run without the targets that could not be found, for this reason. It is at best partly failed.
    #[must_use]
    pub fn without_unresolved(&self, failure: Failure) -> Self {
        Self {
            unresolved: Vec::new(),
            unreached: self.unreached.iter().chain(&self.unresolved).cloned().collect(),
            failure: self.failure.clone().or(Some(failure)),
            ..self.clone()
        }
    }
}
