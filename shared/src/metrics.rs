//! What the functions count while they work, and how CloudWatch hears of it: in the log line that ends a call, in the
//! Embedded Metric Format.
//!
//! What became of records is counted where it is written, by the entries of the audit: so nothing counts what another
//! attempt has already written, and no function counts for itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::domain::audit::Action;
use crate::domain::installation::InstallationId;

/// Where CloudWatch keeps them.
pub const NAMESPACE: &str = "Snapkeep";
/// What tells one installation's from another's.
pub const DIMENSION: &str = "Installation";

macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident, $unit:ident, $adding:ident;)+) => {
        /// Something that is counted or measured.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $($(#[$doc])* $variant,)+
        }

        impl Metric {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As CloudWatch knows it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)+ }
            }

            fn unit(self) -> &'static str {
                match self { $(Self::$variant => stringify!($unit),)+ }
            }

            fn adding(self) -> Adding {
                match self { $(Self::$variant => Adding::$adding,)+ }
            }
        }
    };
}

/// What a second value does to a first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Adding {
    Sum,
    Greatest,
}

metrics! {
    /// Snapshots that are wanted.
    SnapshotsRequested, Count, Sum;
    /// Snapshots that are whole and restorable.
    SnapshotsCompleted, Count, Sum;
    /// Snapshots that could not be taken.
    SnapshotsFailed, Count, Sum;
    /// Snapshots that are to be deleted.
    SnapshotsCondemned, Count, Sum;
    /// Snapshots that we deleted.
    SnapshotsDeleted, Count, Sum;
    /// Snapshots that should be gone and are not.
    SnapshotsBlocked, Count, Sum;
    /// Snapshots that are torn.
    SnapshotsDamaged, Count, Sum;
    /// Slots that passed without a run.
    SlotsMissed, Count, Sum;
    /// Sweeps that the brake stopped, in part or whole.
    BrakeStops, Count, Sum;
    /// Restores, drills and images that failed.
    RestoresFailed, Count, Sum;
    /// How long after its slot a scheduled snapshot began.
    LatenessSeconds, Seconds, Greatest;
    /// How long what is unfinished the longest has been so.
    OldestUnfinishedSeconds, Seconds, Greatest;
    /// Records that a comparison found to differ from EC2, and sets without a record.
    DriftFound, Count, Sum;
    /// Calls of EC2, each attempt by itself.
    Ec2Calls, Count, Sum;
    /// Of them, those that EC2 refused because there were too many.
    Ec2Throttled, Count, Sum;
    /// Their part in a hundred.
    ThrottlePercent, Percent, Greatest;
}

impl Metric {
    /// What an entry of the audit counts as, if it does.
    pub fn of(action: Action) -> Option<Self> {
        Some(match action {
            Action::SnapshotRequested => Self::SnapshotsRequested,
            Action::SnapshotAvailable => Self::SnapshotsCompleted,
            Action::SnapshotFailed => Self::SnapshotsFailed,
            Action::SnapshotCondemned => Self::SnapshotsCondemned,
            Action::SnapshotDeleted => Self::SnapshotsDeleted,
            Action::SnapshotBlocked => Self::SnapshotsBlocked,
            Action::SnapshotDamaged | Action::SnapshotMissing => Self::SnapshotsDamaged,
            Action::RunMissed => Self::SlotsMissed,
            Action::SweepNeedsApproval | Action::SweepRefused => Self::BrakeStops,
            Action::RestoreFailed | Action::DrillFailed | Action::ImageFailed => {
                Self::RestoresFailed
            }
            Action::SnapshotEdited
            | Action::SnapshotHeld
            | Action::SnapshotReleased
            | Action::SnapshotRescued
            | Action::SnapshotRecordRemoved
            | Action::SnapshotReturned
            | Action::SnapshotDuplicate
            | Action::SnapshotRebuilt
            | Action::SnapshotAdopted
            | Action::ScheduleCreated
            | Action::ScheduleEdited
            | Action::ScheduleDeleted
            | Action::ScheduleMissed
            | Action::InstanceAssigned
            | Action::InstanceUnassigned
            | Action::RunStarted
            | Action::RunFinished
            | Action::SweepRequested
            | Action::SweepApproved
            | Action::SweepFinished
            | Action::RestoreRequested
            | Action::RestoreRetried
            | Action::RestoreCancelling
            | Action::RestoreCancelled
            | Action::RestoreFinished
            | Action::RestoreOldVolumesDue
            | Action::RestoreImageDue
            | Action::DrillRequested
            | Action::DrillRetried
            | Action::DrillCancelling
            | Action::DrillCancelled
            | Action::DrillFinished
            | Action::ImageRequested
            | Action::ImageAvailable
            | Action::ImageDeregistrationRequested
            | Action::ImageKept
            | Action::ImageMissing
            | Action::ImageDeregistered => return None,
        })
    }
}

/// What is counted, until somebody takes it. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<Mutex<BTreeMap<Metric, f64>>>);

/// What was counted in one call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted(BTreeMap<Metric, f64>);

impl Metrics {
    /// Another value: added to what there is, or kept if it is greater.
    pub fn note(&self, metric: Metric, value: f64) {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = values.entry(metric).or_insert(0.0);
        *old = match metric.adding() {
            Adding::Sum => *old + value,
            Adding::Greatest => old.max(value),
        };
    }

    /// One more.
    pub fn count(&self, metric: Metric) {
        self.note(metric, 1.0);
    }

    /// So many more.
    pub fn count_all(&self, metric: Metric, many: usize) {
        self.note(metric, f64::from(u32::try_from(many).unwrap_or(u32::MAX)));
    }

    /// A time, of which the longest is kept.
    pub fn measure(&self, metric: Metric, time: SignedDuration) {
        self.note(metric, time.as_secs_f64().max(0.0));
    }

    /// What was counted since it was last taken.
    pub fn take(&self) -> Counted {
        let taken = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut counted = Counted(taken);
        if let Some(calls) = counted.of(Metric::Ec2Calls).filter(|calls| *calls > 0.0) {
            let throttled = counted.of(Metric::Ec2Throttled).unwrap_or(0.0);
            counted.0.insert(Metric::ThrottlePercent, 100.0 * throttled / calls);
        }
        counted
    }
}

impl Counted {
    /// How much of it, if it was counted at all.
    pub fn of(&self, metric: Metric) -> Option<f64> {
        self.0.get(&metric).copied()
    }

    /// The fields by which CloudWatch takes the numbers out of a log line; none if nothing was counted
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
    pub fn fields(
        &self,
        installation: &InstallationId,
        at: Timestamp,
    ) -> Vec<(&'static str, Value)> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let named = self.0.keys().map(|one| json!({ "Name": one.name(), "Unit": one.unit() }));
        let directive = json!({
            "Namespace": NAMESPACE,
            "Dimensions": [[DIMENSION]],
            "Metrics": named.collect::<Vec<_>>(),
        });
        let about = json!({ "Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive] });
        let mut fields = vec![("_aws", about), (DIMENSION, json!(installation.as_str()))];
        fields.extend(self.0.iter().map(|(metric, value)| (metric.name(), json!(value))));
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_of_times_the_longest_stays() {
        let metrics = Metrics::default();
        metrics.count(Metric::SnapshotsFailed);
        metrics.count_all(Metric::SnapshotsFailed, 2);
        metrics.measure(Metric::LatenessSeconds, SignedDuration::from_secs(5));
        metrics.clone().measure(Metric::LatenessSeconds, SignedDuration::from_secs(3));

        let counted = metrics.take();

        assert_eq!(counted.of(Metric::SnapshotsFailed), Some(3.0));
        assert_eq!(counted.of(Metric::LatenessSeconds), Some(5.0));
        assert_eq!(metrics.take(), Counted::default());
    }

    #[test]
    fn the_ratio_is_of_the_calls_of_the_same_time() {
        let metrics = Metrics::default();
        metrics.count_all(Metric::Ec2Calls, 40);
        metrics.count_all(Metric::Ec2Throttled, 3);
        assert_eq!(metrics.take().of(Metric::ThrottlePercent), Some(7.5));

        metrics.count(Metric::Ec2Calls);
        assert_eq!(metrics.take().of(Metric::ThrottlePercent), Some(0.0));
        metrics.count(Metric::SlotsMissed);
        assert_eq!(metrics.take().of(Metric::ThrottlePercent), None);
    }

    #[test]
    fn a_line_names_every_metric_once_with_its_unit() {
        let metrics = Metrics::default();
        for metric in Metric::ALL {
            metrics.note(*metric, 2.0);
        }

        let fields = metrics.take().fields(&"a.us-east-1".parse().unwrap(), Timestamp::UNIX_EPOCH);

        let fields: BTreeMap<_, _> = fields.into_iter().collect();
        let directive = &fields["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["Installation"]]));
        assert_eq!(fields["Installation"], json!("a.us-east-1"));
        let named = directive["Metrics"].as_array().unwrap();
        // CloudWatch takes a hundred at the most.
        assert!(named.len() == Metric::ALL.len() && named.len() <= 100);
        for metric in Metric::ALL {
            assert!(fields.contains_key(metric.name()), "{metric:?}");
        }
        assert!(named.contains(&json!({ "Name": "LatenessSeconds", "Unit": "Seconds" })));
    }

    #[test]
    fn nothing_counted_is_no_metric() {
        let id = "a.us-east-1".parse().unwrap();

        assert!(Counted::default().fields(&id, Timestamp::UNIX_EPOCH).is_empty());
    }
}
