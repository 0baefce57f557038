//! The tags, client tokens and names by which a restore knows its things in EC2 again.

use super::Restore;
use super::mode::{Launch, PlannedVolume};
use super::next::part;
use super::step::StepName;
use crate::domain::ids::{SnapshotId, digest};
use crate::domain::restore::Before;
use crate::domain::tags::{self, TAGS_MAX, Tags};

impl Restore {
    /// The client token of a call: the same whenever it is repeated, and another for another attempt.
    pub fn token(&self, step: StepName, part: &str) -> String {
        digest(&[self.id.as_str(), step.as_str(), part])
    }

    /// Which attempt at the task, image or instance it is.
    pub fn part(&self) -> String {
        part(0, self.made.attempt)
    }

    /// The restore with the identifier of the snapshot that is taken first, which follows from its own.
    #[must_use]
    pub fn with_snapshot_first(self) -> Self {
        let part = self.part();
        let first = SnapshotId::derived(self.created_at, &[self.id.as_str(), "first", &part]);
        Self { before: Before { snapshot_first: Some(first), ..self.before }, ..self }
    }

    /// The name of the image, which EC2 takes once.
    pub fn image_name(&self) -> String {
        self.image_name_at(self.made.attempt)
    }

    /// The name of the image of this attempt.
    pub fn image_name_at(&self, attempt: u32) -> String {
        match attempt {
            0 => format!("snapkeep-{}", self.id),
            attempt => format!("snapkeep-{}-{attempt}", self.id),
        }
    }

    /// The tags of something that the restore makes.
    pub fn made_tags(&self, part: &str) -> Tags {
        Tags::from([
            (tags::MANAGED_BY.to_owned(), tags::MANAGER.to_owned()),
            (tags::RESTORE.to_owned(), self.id.to_string()),
            (tags::RESTORE_PART.to_owned(), part.to_owned()),
            (tags::SNAPSHOT.to_owned(), self.snapshot_id.to_string()),
        ])
    }

    /// The tags of a volume: ours, and as many of those that it is to have besides as EC2 allows.
    pub fn volume_tags(&self, position: usize, volume: &PlannedVolume) -> Tags {
        let mut tags = self.made_tags(&part(position, volume.attempt));
        // One for our installation, which is added to all that is made.
        for (key, value) in volume.tags.iter().filter(|(key, _)| tags::is_free(key)) {
            if tags.len() + 2 < TAGS_MAX {
                tags.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        if tags.contains_key("Name") {
            return tags;
        }
        let source = self.instance_name.as_deref().unwrap_or(self.instance_id.as_str());
        let device = volume.device.as_deref().unwrap_or(volume.ebs_snapshot_id.as_str());
        let name = format!("{source} {device} restored");
        tags.insert("Name".to_owned(), name.chars().take(256).collect());
        tags
    }

    /// The tags of the volumes of a launch, which gives the same to each: ours, and as many of those that all of them are to
    /// have as EC2 allows.
    pub fn launched_volume_tags(&self) -> Tags {
        let mut tags = self.made_tags(&self.part());
        let volumes = &self.made.volumes;
        let all_have = |(key, value): &(&String, &String)| {
            volumes.iter().all(|volume| volume.tags.get(*key) == Some(*value))
        };
        let first = volumes.first().into_iter().flat_map(|volume| &volume.tags);
        for (key, value) in first.filter(|(key, _)| tags::is_free(key)).filter(all_have) {
            // One for our installation, which is added to all that is made.
            if tags.len() + 1 < TAGS_MAX {
                tags.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        tags
    }

    /// The tags of a new instance: ours, and as many of those wanted as EC2 allows.
    pub fn instance_tags(&self, launch: &Launch) -> Tags {
        let mut tags = self.made_tags(&self.part());
        for (key, value) in launch.tags.iter().filter(|(key, _)| tags::is_free(key)) {
            if tags.len() < TAGS_MAX {
                tags.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        tags
    }
}
