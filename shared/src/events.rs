//! Events: ours on our bus, and what EC2 says about EBS snapshots on the default one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::audit::DomainEvent;
use crate::domain::ids::{
    EbsSnapshotId, ImageJobId, InstanceId, RestoreId, ScheduleId, SnapshotId, SweepId,
};

/// The source of our events.
pub const SOURCE: &str = "snapkeep";
/// How many snapshots one of our events names at the most.
pub const PER_EVENT_MAX: usize = 25;
/// How many targets are asked for with one event. What is known of a batch is asked of EC2 once, so larger ones cost fewer
/// calls; but all of a batch must be taken within the snapshotter's time, at the pace that is set.
pub const TARGETS_PER_EVENT: usize = 100;

/// An event of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnEvent {
    /// Snapshots are to be taken.
    SnapshotRequested(SnapshotRequested),
    /// Condemned snapshots are due.
    SnapshotDeletionDue(SnapshotDeletionDue),
    /// A person has asked for a sweep, or released one.
    SweepRequested(SweepRequested),
    /// A restore or an image has something to do.
    JobDue(JobDue),
    /// EBS snapshots are to become ours.
    AdoptionRequested(AdoptionRequested),
    /// A person has asked for a look at all EBS snapshots.
    ReconciliationRequested(ReconciliationRequested),
    /// A message could not be understood.
    MessageRejected(MessageRejected),
    /// Other systems are told what became of a record.
    Domain(DomainEvent),
}

impl OwnEvent {
    /// The `detail-type` that rules match.
    pub fn detail_type(&self) -> &'static str {
        match self {
            Self::SnapshotRequested(_) => "SnapshotRequested",
            Self::SnapshotDeletionDue(_) => "SnapshotDeletionDue",
            Self::SweepRequested(_) => "SweepRequested",
            Self::JobDue(_) => "JobDue",
            Self::AdoptionRequested(_) => "AdoptionRequested",
            Self::ReconciliationRequested(_) => "ReconciliationRequested",
            Self::MessageRejected(_) => "MessageRejected",
            Self::Domain(event) => event.action.event_type(),
        }
    }

    /// The `detail`, as JSON.
    pub fn detail(&self) -> serde_json::Result<String> {
        match self {
            Self::SnapshotRequested(detail) => serde_json::to_string(detail),
            Self::SnapshotDeletionDue(detail) => serde_json::to_string(detail),
            Self::SweepRequested(detail) => serde_json::to_string(detail),
            Self::JobDue(detail) => serde_json::to_string(detail),
            Self::AdoptionRequested(detail) => serde_json::to_string(detail),
            Self::ReconciliationRequested(detail) => serde_json::to_string(detail),
            Self::MessageRejected(detail) => serde_json::to_string(detail),
            Self::Domain(event) => serde_json::to_string(&event.detail),
        }
    }
}

/// Snapshots are to be taken, of at most [`TARGETS_PER_EVENT`] instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRequested {
    /// The run that asks; none if people did, each for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunReference>,
    /// What is to be taken.
    pub targets: Vec<RequestedTarget>,
}

/// A run, by its schedule and due time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReference {
    pub schedule_id: ScheduleId,
    pub slot: Timestamp,
}

/// A snapshot that is to be taken, and of which instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedTarget {
    pub snapshot_id: SnapshotId,
    pub instance_id: InstanceId,
}

/// These condemned snapshots are due, at most [`PER_EVENT_MAX`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotDeletionDue {
    pub snapshot_ids: Vec<SnapshotId>,
}

/// This sweep is wanted, or released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepRequested {
    pub sweep_id: SweepId,
}

/// This job has something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum JobDue {
    /// A restore.
    Restore(RestoreId),
    /// An image.
    Image(ImageJobId),
    /// The copies to a region.
    Copies(String),
}

/// The members of these sets are to get our tags, at most [`PER_EVENT_MAX`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdoptionRequested {
    pub snapshot_ids: Vec<SnapshotId>,
}

/// A look at all EBS snapshots is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReconciliationRequested {
    pub requested_by: String,
}

/// A message that could not be understood, put aside with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRejected {
    /// What is wrong with it.
    pub reason: String,
    pub message_id: String,
    pub body: String,
}

/// What every event on a bus looks like, as far as we care.
#[derive(Clone, Debug, Deserialize)]
pub struct Envelope {
    pub source: String,
    /// What kind it is.
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    /// When; what a tick takes for its `now`.
    pub time: Timestamp,
    #[serde(default)]
    pub detail: serde_json::Value,
}

/// The EBS snapshots that an event of EC2 names; whatever else it says is asked of EC2.
///
/// An "EBS Snapshot Notification" has one ARN under `snapshot_id`, an "EBS Multi-Volume Snapshots Completion
/// Status" a list under `snapshots`
/// (<https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html>).
pub fn ebs_snapshot_ids(detail: &serde_json::Value) -> Vec<EbsSnapshotId> {
    let single = detail.get("snapshot_id").into_iter();
    let several =
        detail.get("snapshots").and_then(serde_json::Value::as_array).into_iter().flatten();
    let texts = single.chain(several.filter_map(|member| member.get("snapshot_id")));
    let mut ids: Vec<EbsSnapshotId> = texts
        .filter_map(serde_json::Value::as_str)
        .filter_map(|arn| arn.rsplit('/').next()?.parse().ok())
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// A batch of messages, as Lambda hands them over from SQS.
#[derive(Clone, Debug, Deserialize)]
pub struct QueueBatch {
    #[serde(rename = "Records")]
    pub records: Vec<QueueMessage>,
}

/// One message.
#[derive(Clone, Debug, Deserialize)]
pub struct QueueMessage {
    /// What names it in the answer.
    #[serde(rename = "messageId")]
    pub message_id: String,
    /// The whole event, as EventBridge sends it to a queue.
    pub body: String,
}

/// Which messages of a batch are to be delivered again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchAnswer {
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<BatchItemFailure>,
}

/// One message that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BatchItemFailure {
    /// Its `messageId`.
    #[serde(rename = "itemIdentifier")]
    pub message_id: String,
}

impl BatchAnswer {
    /// This message is to be delivered again.
    pub fn failed(&mut self, message: &QueueMessage) {
        self.failures.push(BatchItemFailure { message_id: message.message_id.clone() });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_member_of_a_set_is_named() {
        let detail = json!({
            "event": "createSnapshots",
            "snapshots": [
                {"snapshot_id": "arn:aws:ec2::us-east-1:snapshot/snap-0123456789abcdef1", "status": "completed"},
                {"snapshot_id": "arn:aws:ec2::us-east-1:snapshot/snap-0123456789abcdef0", "status": "completed"},
            ],
        });

        let ids = ebs_snapshot_ids(&detail);

        let ids: Vec<_> = ids.iter().map(EbsSnapshotId::as_str).collect();
        assert_eq!(ids, ["snap-0123456789abcdef0", "snap-0123456789abcdef1"]);
    }

    #[test]
    fn a_single_one_is_named() {
        let detail =
            json!({"snapshot_id": "arn:aws:ec2::us-east-1:snapshot/snap-0123456789abcdef0"});

        assert_eq!(ebs_snapshot_ids(&detail).len(), 1);
    }

    #[test]
    fn what_names_none_names_none() {
        for detail in [json!(null), json!({"snapshots": 3}), json!({"snapshot_id": "x"}), json!([])]
        {
            assert!(ebs_snapshot_ids(&detail).is_empty());
        }
    }
}
