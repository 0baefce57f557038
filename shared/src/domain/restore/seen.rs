//! The facts of EC2 that a restore depends on.

use super::SeenPlace;
use crate::domain::ids::{ImageId, InstanceId, RestoreId, VolumeId};
use crate::domain::instance::circumstances::StateReason;
use crate::domain::instance::{Instance, InstanceState};
use crate::domain::snapshot::Status;
use crate::domain::tags::{self, Tags};

/// What EC2 shows, as far as the step at hand needs it.
#[derive(Clone, Debug, Default)]
pub struct RestoreFacts {
    /// The instance that is changed; none if EC2 does not show it.
    pub instance: Option<Instance>,
    /// The volumes that the restore has made, and those that had or have to make room.
    pub volumes: Vec<SeenVolume>,
    /// Where the snapshot that is taken first stands; none if it was not asked for.
    pub snapshot_first: Option<(Status, Option<String>)>,
    /// The task that replaces the root volume.
    pub task: Option<SeenTask>,
    /// The image that bears the name of this attempt.
    pub image: Option<(ImageId, ImageState)>,
    /// The images that bear the names of earlier attempts, where the step at hand is about them.
    pub earlier_images: Vec<ImageId>,
    /// The instances that the restore has made.
    pub made_instances: Vec<MadeInstance>,
}

/// An instance that a restore has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeInstance {
    /// EC2's identifier.
    pub id: InstanceId,
    pub state: InstanceState,
    /// Why it is in this state, where EC2 says.
    pub reason: Option<StateReason>,
}

/// A volume as EC2 shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenVolume {
    /// EC2's identifier.
    pub id: VolumeId,
    pub state: VolumeState,
    /// Where it is attached, or on its way to or from: with Multi-Attach at several instances.
    pub attachments: Vec<SeenAttachment>,
    /// As EC2 names it; empty where it does not say.
    pub volume_type: String,
    pub size_gib: u32,
    /// Whether it may be at several instances at once.
    pub multi_attach: bool,
    pub tags: Tags,
}

/// Where a volume stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeState {
    /// Not usable yet.
    Creating,
    /// Attached to nothing.
    Available,
    /// Attached, or on its way to or from it.
    InUse,
    /// Being deleted, or deleted.
    Going,
    /// It came to nothing, or is in a state that EC2 did not have when this was written.
    Error,
}

/// Where a volume is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAttachment {
    pub instance_id: InstanceId,
    pub device: String,
    /// Whether it is there, and nowhere on its way.
    pub is_settled: bool,
}

/// A task that replaces a root volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenTask {
    /// EC2's identifier.
    pub id: String,
    pub state: TaskState,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Under way.
    UnderWay,
    /// The root volume is replaced.
    Succeeded,
    /// The old root volume is in place.
    Failed,
    /// It failed, and the old root volume is off.
    FailedDetached,
}

/// Where an image stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageState {
    /// Not usable yet.
    Pending,
    /// Usable.
    Available,
    /// It came to nothing.
    Failed,
}

impl RestoreFacts {
    /// The volume of this identifier.
    pub fn volume(&self, id: &VolumeId) -> Option<&SeenVolume> {
        self.volumes.iter().find(|volume| volume.id == *id)
    }

    /// The volumes that this restore has made.
    pub fn made_by(&self, restore: &RestoreId) -> impl Iterator<Item = &SeenVolume> {
        self.volumes.iter().filter(move |volume| volume.is_made_by(restore))
    }

    /// Where each of these volumes is, in words.
    pub fn places(&self) -> Vec<SeenPlace> {
        let place = |volume: &SeenVolume| match (volume.state, volume.attachments.first()) {
            (_, Some(at)) => format!("attached to {} at {}", at.instance_id, at.device),
            (VolumeState::Going, None) => "being deleted".to_owned(),
            (VolumeState::Creating, None) => "not usable yet".to_owned(),
            (VolumeState::Available | VolumeState::InUse, None) => "attached to nothing".to_owned(),
            (VolumeState::Error, None) => "of no use".to_owned(),
        };
        let seen = self.volumes.iter();
        seen.map(|one| SeenPlace { volume_id: one.id.clone(), place: place(one) }).collect()
    }

    /// The instance, unless it is gone.
    pub fn living_instance(&self) -> Option<&Instance> {
        self.instance.as_ref().filter(|instance| !instance.is_gone())
    }
}

impl SeenVolume {
    /// Whether its tags say that this restore has made it. Nothing else is ever deleted.
    pub fn is_made_by(&self, restore: &RestoreId) -> bool {
        self.tags.get(tags::MANAGED_BY).map(String::as_str) == Some(tags::MANAGER)
            && self.tags.get(tags::RESTORE).map(String::as_str) == Some(restore.as_str())
    }

    /// Which attempt at which planned volume it is.
    pub fn part(&self) -> Option<&str> {
        self.tags.get(tags::RESTORE_PART).map(String::as_str)
    }

    /// Whether it can still be of use.
    pub fn is_usable(&self) -> bool {
        match self.state {
            VolumeState::Creating | VolumeState::Available | VolumeState::InUse => true,
            VolumeState::Going | VolumeState::Error => false,
        }
    }

    /// Its place at this instance, or on its way to or from it.
    pub fn at(&self, instance: &InstanceId) -> Option<&SeenAttachment> {
        self.attachments.iter().find(|one| one.instance_id == *instance)
    }

    /// Its place at another instance than this.
    pub fn elsewhere(&self, instance: &InstanceId) -> Option<&SeenAttachment> {
        self.attachments.iter().find(|one| one.instance_id != *instance)
    }

    /// Whether it is attached to this instance, or on its way to or from it.
    pub fn is_at(&self, instance: &InstanceId) -> bool {
        self.at(instance).is_some()
    }
}
