//! An image as EC2 shows it, ours or not.

use jiff::Timestamp;

use crate::domain::ids::{EbsSnapshotId, ImageId, ImageJobId};
use crate::domain::tags::{self, Tags};

/// An image of the account's, as EC2 shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenImage {
    /// EC2's identifier.
    pub id: ImageId,
    pub name: String,
    /// What its state means for us.
    pub state: SeenState,
    /// Its state in EC2's word.
    pub ec2_state: String,
    /// Why it is in that state, if EC2 says.
    pub reason: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The EBS snapshots that it uses.
    pub ebs_snapshot_ids: Vec<EbsSnapshotId>,
    pub tags: Tags,
}

/// What the state of an image means for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenState {
    /// It is not usable yet.
    Coming,
    /// It is there: usable, or disabled by somebody.
    There,
    /// It will never be usable.
    Failed,
    /// It is deregistered.
    Gone,
}

impl SeenImage {
    /// The record of ours that its tags name.
    pub fn named_job(&self) -> Option<ImageJobId> {
        let is_ours = self.tags.get(tags::MANAGED_BY).map(String::as_str) == Some(tags::MANAGER);
        self.tags.get(tags::IMAGE).filter(|_| is_ours)?.parse().ok()
    }
}
