//! An image: an AMI that we register from a snapshot, and its state machine.
//!
//! ```text
//! requested → registering → available | failed
//!                           available → missing
//!   from anywhere → deregistering → deregistered
//! ```
//! [`ImageJobId`] is our record's, [`ImageId`] what EC2 calls the image.

pub mod name;
pub mod recipe;
pub mod seen;
pub mod transitions;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ImageId, ImageJobId, InstanceId, SnapshotId};
use crate::domain::image::recipe::Recipe;
use crate::domain::snapshot::{CreationAttempt, Failure};
use crate::domain::tags::{self, Tags};
use crate::domain::words::words;

/// An AMI that is registered from a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub id: ImageJobId,
    /// Counts the writes; what `If-Match` compares.
    pub version: u64,
    pub status: ImageStatus,
    /// The snapshot it is registered from.
    pub snapshot_id: SnapshotId,
    /// The instance that is of.
    pub instance_id: InstanceId,
    pub region: String,
    /// EC2's name of it: unique in its account and region.
    pub name: String,
    /// In the caller's words.
    pub description: Option<String>,
    /// Tags of the caller's, which the AMI bears as well.
    pub tags: Tags,
    /// What EC2 is asked to register.
    pub recipe: Recipe,
    /// Who asked for it.
    pub requested_by: String,
    pub created_at: Timestamp,
    /// The AMI, once it is known.
    pub ami_id: Option<ImageId>,
    /// When we learnt that it was registered.
    pub registered_at: Option<Timestamp>,
    /// What EC2 last said of its state, in EC2's word.
    pub ec2_state: Option<String>,
    /// The attempt at registering it that is or was last under way.
    pub attempt: Option<CreationAttempt>,
    /// Why it failed, why the last attempt was put off, or why it was not deregistered.
    pub failure: Option<Failure>,
    /// Who wants it deregistered.
    pub deregistration: Option<Deregistration>,
    /// Since when EC2 does not show it.
    pub absent_since: Option<Timestamp>,
    /// When the tick looks at it again.
    pub attention_at: Option<Timestamp>,
    /// When it was deregistered, or found missing.
    pub gone_at: Option<Timestamp>,
}

words! {
    /// Where an image stands.
    ImageStatus {
        /// Wanted; nothing asked of EC2 yet.
        Requested => "requested",
        /// Asked of EC2, and not usable yet.
        Registering => "registering",
        /// Usable, or disabled by somebody.
        Available => "available",
        /// Not registered, or of no use.
        Failed => "failed",
        /// Being deregistered.
        Deregistering => "deregistering",
        /// Gone, by us.
        Deregistered => "deregistered",
        /// Gone, not by us.
        Missing => "missing",
    }
}

impl ImageStatus {
    /// Whether it may still become an AMI, or is about to.
    pub fn is_coming(self) -> bool {
        match self {
            Self::Requested | Self::Registering => true,
            Self::Available
            | Self::Failed
            | Self::Deregistering
            | Self::Deregistered
            | Self::Missing => false,
        }
    }
}

/// Who wants an image deregistered, and what is to become of its snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deregistration {
    pub by: String,
    pub at: Timestamp,
    /// Whether the snapshot is to go as well, and what became of that.
    pub snapshot: Option<SnapshotDeletion>,
}

/// The deletion of the snapshot that an image was registered from, after the image is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotDeletion {
    /// Whether the person named that very snapshot, so that it goes although it is the newest.
    pub is_named: bool,
    /// What became of it.
    pub outcome: SnapshotOutcome,
    /// Why it was refused.
    pub reason: Option<String>,
}

words! {
    /// What became of the deletion of an image's snapshot.
    SnapshotOutcome {
        /// The image is not gone yet.
        Waiting => "waiting",
        /// It is condemned like any that a person deletes.
        Condemned => "condemned",
        /// It stays.
        Refused => "refused",
    }
}

impl SnapshotDeletion {
    /// It is done once the image is gone, unless the snapshot is the newest.
    pub fn waiting() -> Self {
        Self { is_named: false, outcome: SnapshotOutcome::Waiting, reason: None }
    }

    /// It is done once the image is gone.
    pub fn waiting_named() -> Self {
        Self { is_named: true, ..Self::waiting() }
    }

    /// It is not done, for this reason.
    #[must_use]
    pub fn refused(&self, reason: impl Into<String>) -> Self {
        Self {
            outcome: SnapshotOutcome::Refused,
            reason: Some(reason.into()),
            is_named: self.is_named,
        }
    }
}

impl Image {
    /// The deletion of its snapshot that waits for its being gone.
    pub fn waiting_deletion(&self) -> Option<&SnapshotDeletion> {
        let wanted = self.deregistration.as_ref()?.snapshot.as_ref()?;
        (wanted.outcome == SnapshotOutcome::Waiting).then_some(wanted)
    }

    /// The tags of the AMI, to be given in the call itself. A caller's `Name` goes before its name.
    pub fn ami_tags(&self) -> Tags {
        let mut all = Tags::from([("Name".to_owned(), self.name.clone())]);
        all.extend(self.tags.clone());
        all.extend([
            (tags::MANAGED_BY.to_owned(), tags::MANAGER.to_owned()),
            (tags::IMAGE.to_owned(), self.id.to_string()),
            (tags::SNAPSHOT.to_owned(), self.snapshot_id.to_string()),
        ]);
        all
    }
}

#[cfg(test)]
mod tests;
