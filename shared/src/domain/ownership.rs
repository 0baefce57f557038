//! Whose an EBS snapshot is: ours by its tag, or whose it seems to be.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{EbsSnapshotId, SnapshotId, VolumeId};
use crate::domain::tags::{self, Tags};

/// An EBS snapshot as EC2 describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EbsSnapshot {
    /// EC2's identifier.
    pub id: EbsSnapshotId,
    /// The volume it was taken of; EC2 gives a made-up one for copies.
    pub volume_id: Option<VolumeId>,
    /// Where it stands.
    pub state: EbsState,
    /// When EC2 began it: the instant whose content it has.
    pub started_at: Timestamp,
    /// When EC2 completed it, where EC2 says.
    pub completed_at: Option<Timestamp>,
    /// Progress in percent.
    pub progress_percent: u8,
    /// Size of the volume in GiB.
    pub volume_size_gib: i32,
    /// `FullSnapshotSizeInBytes`: the full size of the data, not what is billed.
    pub full_size_bytes: Option<i64>,
    /// Its description.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
}

/// Where an EBS snapshot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EbsState {
    /// Being written.
    Pending,
    /// Usable.
    Completed,
    /// Failed, or in a state that is no use to us.
    Error,
}

impl EbsSnapshot {
    /// The set it says it belongs to, if it bears our tags.
    pub fn set(&self) -> Option<SnapshotId> {
        if self.tags.get(tags::MANAGED_BY).map(String::as_str) != Some(tags::MANAGER) {
            return None;
        }
        self.tags.get(tags::ID)?.parse().ok()
    }

    /// Whether it bears the mark without which it may not be deleted.
    pub fn is_marked_condemned(&self) -> bool {
        self.tags.get(tags::STATE).map(String::as_str) == Some(tags::CONDEMNED)
    }
}

/// Whose a snapshot that is not ours seems to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Amazon Data Lifecycle Manager.
    DataLifecycleManager,
    /// AWS Backup.
    AwsBackup,
    /// Part of an image.
    Image,
    /// A Kubernetes volume snapshot or Velero.
    Kubernetes,
    /// Nobody we know: a person's, or another tool's.
    Other,
}

/// Whose `snapshot`, which is not ours, seems to be: by the tags and descriptions these products leave.
///
/// Data Lifecycle Manager sets `aws:dlm:…` tags, AWS Backup `aws:backup:…`, `CreateImage` the description
/// "Created by CreateImage(i-…) for ami-…".
pub fn seeming_owner(snapshot: &EbsSnapshot) -> Owner {
    let bears = |prefix: &str| snapshot.tags.keys().any(|key| key.starts_with(prefix));
    if bears("aws:dlm:") || snapshot.tags.contains_key("dlm:managed") {
        Owner::DataLifecycleManager
    } else if bears("aws:backup:") {
        Owner::AwsBackup
    } else if snapshot.description.starts_with("Created by CreateImage(") {
        Owner::Image
    } else if bears("kubernetes.io/") || bears("velero.io/") || bears("ebs.csi.aws.com/") {
        Owner::Kubernetes
    } else {
        Owner::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(tags: &[(&str, &str)], description: &str) -> EbsSnapshot {
        EbsSnapshot {
            id: "snap-0123456789abcdef0".parse().unwrap(),
            volume_id: None,
            state: EbsState::Completed,
            started_at: Timestamp::UNIX_EPOCH,
            completed_at: None,
            progress_percent: 100,
            volume_size_gib: 8,
            full_size_bytes: None,
            description: description.to_owned(),
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    const SET: &str = "snp_0195500c-6d00-7000-8000-000000000000";

    #[test]
    fn ours_bear_both_tags() {
        assert!(
            snapshot(&[("snapkeep:id", SET), ("snapkeep:managed-by", "snapkeep")], "")
                .set()
                .is_some()
        );
        assert_eq!(snapshot(&[("snapkeep:id", SET)], "").set(), None);
        assert_eq!(snapshot(&[("snapkeep:managed-by", "snapkeep")], "").set(), None);
    }

    #[test]
    fn others_are_told_by_what_they_leave() {
        assert_eq!(
            seeming_owner(&snapshot(&[("aws:dlm:lifecycle-policy-id", "p")], "")),
            Owner::DataLifecycleManager
        );
        assert_eq!(
            seeming_owner(&snapshot(&[("aws:backup:source-resource", "v")], "")),
            Owner::AwsBackup
        );
        assert_eq!(
            seeming_owner(&snapshot(&[], "Created by CreateImage(i-1) for ami-1")),
            Owner::Image
        );
        assert_eq!(
            seeming_owner(&snapshot(&[("kubernetes.io/created-for/pvc/name", "x")], "")),
            Owner::Kubernetes
        );
        assert_eq!(seeming_owner(&snapshot(&[], "before the upgrade")), Owner::Other);
    }
}
