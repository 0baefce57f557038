//! A volume.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// A volume as the simulation knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one is EC2's, one a test's")]
pub struct Volume {
    /// `vol-…`
    pub id: String,
    /// Where it is.
    pub region: String,
    /// The Availability Zone.
    pub zone: String,
    /// Its size.
    pub size_gib: u32,
    /// For example `gp3`.
    pub volume_type: String,
    /// Provisioned operations a second.
    pub iops: Option<u32>,
    /// Provisioned MiB a second.
    pub throughput: Option<u32>,
    /// MiB a second at which it gets the blocks of its snapshot, when that was paid for.
    #[serde(default)]
    pub initialization_rate: Option<u32>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// The snapshot it was made from.
    pub snapshot_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its tags.
    pub tags: Tags,
    /// Where it is in its life.
    pub state: VolumeState,
    /// The instance it is attached to.
    pub attachment: Option<Attachment>,
    /// Whether it may be at several instances at once.
    #[serde(default)]
    pub multi_attach: bool,
    /// Its places at further instances, where Multi-Attach lets it have them.
    #[serde(default)]
    pub further: Vec<Attachment>,
    /// Snapshots of it that count against its limit of pending ones, and until when; those that
    /// ended in error count until they are deleted.
    pub pending_snapshots: BTreeMap<String, Option<Timestamp>>,
    /// When a snapshot of it was last begun.
    pub last_snapshot_at: Option<Timestamp>,
    /// The ARN of the key it is encrypted with.
    #[serde(default)]
    pub kms_key_id: Option<String>,
    /// Whether no instance takes it; a test says so.
    #[serde(default)]
    pub is_refused: bool,
}

impl Volume {
    /// How many snapshots of it may be pending at once.
    pub(crate) fn pending_snapshots_max(&self) -> usize {
        match self.volume_type.as_str() {
            "st1" | "sc1" => 1,
            _ => 5,
        }
    }

    /// Puts it at another place.
    pub(crate) fn come(&mut self, place: Attachment) {
        self.state = VolumeState::InUse;
        match self.attachment {
            None => self.attachment = Some(place),
            Some(_) => self.further.push(place),
        }
    }

    /// All its places, the first first.
    pub(crate) fn attachments(&self) -> impl Iterator<Item = &Attachment> {
        self.attachment.iter().chain(&self.further)
    }

    /// Its place at this instance.
    pub(crate) fn at(&self, instance_id: &str) -> Option<&Attachment> {
        self.attachments().find(|each| each.instance_id == instance_id)
    }

    /// The same, to be changed.
    pub(crate) fn at_mut(&mut self, instance_id: &str) -> Option<&mut Attachment> {
        let mut all = self.attachment.iter_mut().chain(&mut self.further);
        all.find(|each| each.instance_id == instance_id)
    }

    /// It is no longer at this instance, and available once it is at none.
    pub(crate) fn leave(&mut self, instance_id: &str) {
        let all = self.attachment.take().into_iter().chain(std::mem::take(&mut self.further));
        let mut rest = all.filter(|each| each.instance_id != instance_id);
        let first = rest.next();
        self.further = rest.collect();
        self.attachment = first;
        if self.attachment.is_none() {
            self.state = VolumeState::Available;
        }
    }
}

/// A volume's place at an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The instance.
    pub instance_id: String,
    /// For example `/dev/sdf`.
    pub device: String,
    /// How far it is.
    pub state: AttachmentState,
    /// When it was attached.
    pub attached_at: Timestamp,
    /// Whether the volume goes with the instance.
    pub delete_on_termination: bool,
}

/// The states of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VolumeState {
    /// Not usable yet.
    Creating,
    /// Attached to nothing.
    Available,
    /// Attached, or on its way to or from it.
    InUse,
}

impl VolumeState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::InUse => "in-use",
        }
    }
}

/// The states of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttachmentState {
    /// On its way to attached.
    Attaching,
    /// Attached.
    Attached,
    /// On its way to detached.
    Detaching,
}

impl AttachmentState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Attaching => "attaching",
            Self::Attached => "attached",
            Self::Detaching => "detaching",
        }
    }
}
