//! The owner of an EBS snapshot: ours by its tag, or another by its marks.

use crate::domain::words::words;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::{EbsSnapshotId, ImageId, InstanceId, SnapshotId, VolumeId};
use crate::domain::installation::Installation;
use crate::domain::tags::{self, Tags};

/// The volume that EC2 shows for copies: "an arbitrary volume ID that should not be used for any purpose"
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html>).
const MADE_UP_VOLUME: &str = "vol-ffffffff";
/// What the tags begin with that Data Lifecycle Manager and AWS Backup alone can set, and only when they make a snapshot.
const SERVICE_TAGS: [&str; 2] = ["aws:dlm:", "aws:backup:"];
/// Tags by which people and tools say which instance a snapshot is of.
const INSTANCE_TAGS: [&str; 6] =
    [tags::INSTANCE, "InstanceId", "instance-id", "instance_id", "Instance", "instance"];

/// An EBS snapshot as EC2 describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EbsSnapshot {
    /// EC2's identifier.
    pub id: EbsSnapshotId,
    /// The volume it was taken of; EC2 gives a made-up one for copies.
    pub volume_id: Option<VolumeId>,
    pub state: EbsState,
    /// What EC2 says about its state: why it failed.
    pub state_message: Option<String>,
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
    /// Where EC2 keeps it.
    pub tier: StorageTier,
    /// Out of the archive for some days only: until when.
    pub restore_expires_at: Option<Timestamp>,
    /// Its description.
    pub description: String,
    pub tags: Tags,
    /// Whose it is by the installation that they name.
    pub installation: Installation,
}

/// Where EC2 keeps an EBS snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageTier {
    /// Ready for use.
    #[default]
    Standard,
    /// In the archive, out of which it takes up to three days.
    Archive,
    /// Out of the archive for some days only.
    Restored,
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
    /// The set it says it belongs to, if it bears our tags and names no other installation.
    ///
    /// One that names none was made before installations had ids: whether it is ours only our record of it can say.
    pub fn set(&self) -> Option<SnapshotId> {
        if !self.is_tagged_ours() {
            return None;
        }
        self.tags.get(tags::ID)?.parse().ok()
    }

    /// Whether it bears our tag, with or without saying which set it belongs to.
    pub fn is_tagged_ours(&self) -> bool {
        self.is_snapkeeps() && self.installation != Installation::Another
    }

    /// The set it says it belongs to, if it also names our installation: nobody else's record can have it.
    pub fn own_set(&self) -> Option<SnapshotId> {
        self.set().filter(|_| self.installation == Installation::Ours)
    }

    /// Whether some installation has made it or taken it over. What another service takes of a volume that a restore has
    /// made bears the tags of the volume, and those `aws:` ones that only that service can set.
    fn is_snapkeeps(&self) -> bool {
        self.tags.get(tags::MANAGED_BY).map(String::as_str) == Some(tags::MANAGER)
            && !self.tags.keys().any(|key| SERVICE_TAGS.iter().any(|tag| key.starts_with(tag)))
    }

    /// The region and the EBS snapshot that it says it is a copy of, if it is one of ours.
    pub fn copied_from(&self) -> Option<(&str, EbsSnapshotId)> {
        let (region, id) = self.tags.get(tags::COPIED_FROM)?.split_once('/')?;
        Some((region, id.parse().ok()?))
    }

    /// The volume it was taken of; none for a copy, whose volume EC2 makes up.
    pub fn real_volume(&self) -> Option<&VolumeId> {
        self.volume_id.as_ref().filter(|id| !is_made_up(id))
    }

    /// The instance that its tags or its description name, if they name one.
    ///
    /// `CreateImage` writes "Created by CreateImage(i-…) for ami-…"; many scripts set a tag.
    pub fn named_instance(&self) -> Option<InstanceId> {
        let tagged = INSTANCE_TAGS.iter().filter_map(|key| self.tags.get(*key)?.parse().ok());
        let described = words(&self.description).filter_map(|word| word.parse().ok());
        tagged.chain(described).next()
    }

    /// The image that its description says it was made for.
    pub fn named_image(&self) -> Option<ImageId> {
        let text = &self.description;
        let after = if text.starts_with("Created by CreateImage(") {
            text.split_once(" for ")?.1
        } else {
            text.strip_prefix("Copied for DestinationAmi ")?
        };
        words(after).next()?.parse().ok()
    }

    /// The same without what only its owner is told by: our tags and its name stay.
    #[must_use]
    pub fn slim(mut self) -> Self {
        self.tags.retain(|key, _| key.starts_with(tags::PREFIX) || key == "Name");
        self.description = String::new();
        self
    }

    /// Whether it bears the mark without which it may not be deleted.
    pub fn is_marked_condemned(&self) -> bool {
        self.tags.get(tags::STATE).map(String::as_str) == Some(tags::CONDEMNED)
    }
}

/// Whether this is the volume that EC2 makes up for copies.
pub(super) fn is_made_up(id: &VolumeId) -> bool {
    id.as_str() == MADE_UP_VOLUME
}

words! {
    /// Whose an EBS snapshot is, or seems to be.
    Owner {
        /// Ours.
        Ours => "ours",
        /// Another installation of Snapkeep, or one of before installations had ids, of which our records know nothing.
        AnotherInstallation => "another_installation",
        /// Amazon Data Lifecycle Manager.
        DataLifecycleManager => "data_lifecycle_manager",
        /// AWS Backup.
        AwsBackup => "aws_backup",
        /// Part of an image.
        Image => "image",
        /// A Kubernetes volume snapshot or Velero.
        Kubernetes => "kubernetes",
        /// AWS Elastic Disaster Recovery.
        DisasterRecovery => "disaster_recovery",
        /// AWS Application Migration Service.
        ApplicationMigration => "application_migration",
        /// Nobody we know: a person's, or another tool's.
        Other => "other",
    }
}

impl Owner {
    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "Snapkeep",
            Self::AnotherInstallation => "another installation of Snapkeep",
            Self::DataLifecycleManager => "Data Lifecycle Manager",
            Self::AwsBackup => "AWS Backup",
            Self::Image => "an image",
            Self::Kubernetes => "Kubernetes",
            Self::DisasterRecovery => "Elastic Disaster Recovery",
            Self::ApplicationMigration => "Application Migration Service",
            Self::Other => "nobody known",
        }
    }
}

/// The account's images, as far as they tell whose an EBS snapshot is.
#[derive(Clone, Debug, Default)]
pub struct Images {
    /// Which use which EBS snapshot, disabled ones too, in the order of their ids.
    pub using: BTreeMap<EbsSnapshotId, Vec<ImageId>>,
    /// Those that are there, as far as somebody asked.
    pub known: BTreeSet<ImageId>,
}

impl Images {
    /// The images that use an EBS snapshot.
    pub fn of(&self, id: &EbsSnapshotId) -> &[ImageId] {
        self.using.get(id).map_or(&[], Vec::as_slice)
    }
}

/// Whose `snapshot` is or seems to be, where no record of ours has it: by our tag, by the tags that these products leave, and by the images that use it.
///
/// What an image was made of and is in use by none, for the image is gone, is nobody's: it was left over.
///
/// Data Lifecycle Manager sets `aws:dlm:…` tags and `dlm:managed`, AWS Backup `aws:backup:…`; the CSI driver
/// `CSIVolumeSnapshotName` and `ebs.csi.aws.com/…`
/// (<https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md>), Velero `velero.io/…`; Elastic
/// Disaster Recovery and Application Migration Service what their managed policies ask for.
pub fn owner_of(snapshot: &EbsSnapshot, images: &Images) -> Owner {
    let has = |key: &str| snapshot.tags.contains_key(key);
    let bears = |prefix: &str| snapshot.tags.keys().any(|key| key.starts_with(prefix));
    let is_known = |image: ImageId| images.known.contains(&image);
    if snapshot.is_snapkeeps() {
        match snapshot.installation {
            Installation::Ours => Owner::Ours,
            Installation::Another | Installation::Unnamed => Owner::AnotherInstallation,
        }
    } else if bears("aws:dlm:") || has("dlm:managed") {
        Owner::DataLifecycleManager
    } else if bears("aws:backup:") {
        Owner::AwsBackup
    } else if !images.of(&snapshot.id).is_empty() || snapshot.named_image().is_some_and(is_known) {
        Owner::Image
    } else if has("CSIVolumeSnapshotName")
        || ["kubernetes.io/", "velero.io/", "ebs.csi.aws.com/"].into_iter().any(bears)
    {
        Owner::Kubernetes
    } else if has("AWSElasticDisasterRecoveryManaged") {
        Owner::DisasterRecovery
    } else if has("AWSApplicationMigrationServiceManaged") {
        Owner::ApplicationMigration
    } else {
        Owner::Other
    }
}

/// The pieces of a text that could be identifiers.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = "snp_0195500c-6d00-7000-8000-000000000000";
    const IMAGE: &str = "ami-0123456789abcdef0";

    fn snapshot(tags: &[(&str, &str)], description: &str) -> EbsSnapshot {
        EbsSnapshot {
            state_message: None,
            id: "snap-0123456789abcdef0".parse().unwrap(),
            volume_id: None,
            state: EbsState::Completed,
            started_at: Timestamp::UNIX_EPOCH,
            completed_at: None,
            progress_percent: 100,
            volume_size_gib: 8,
            full_size_bytes: None,
            tier: StorageTier::Standard,
            restore_expires_at: None,
            description: description.to_owned(),
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            installation: Installation::Ours,
        }
    }

    fn owner(tags: &[(&str, &str)]) -> Owner {
        owner_of(&snapshot(tags, ""), &Images::default())
    }

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
    fn what_bears_our_tag_is_nobody_elses() {
        let tags = [("snapkeep:managed-by", "snapkeep"), ("dlm:managed", "copied along")];

        assert_eq!(owner(&tags), Owner::Ours);
        assert_eq!(owner(&[("snapkeep:managed-by", "somebody")]), Owner::Other);
    }

    #[test]
    fn what_a_service_takes_of_a_restored_volume_is_the_services() {
        for (key, expected) in [
            ("aws:dlm:lifecycle-policy-id", Owner::DataLifecycleManager),
            ("aws:backup:source-resource", Owner::AwsBackup),
        ] {
            let tags = [("snapkeep:managed-by", "snapkeep"), ("snapkeep:id", SET), (key, "x")];

            assert_eq!(owner(&tags), expected);
            assert_eq!(snapshot(&tags, "").set(), None, "{key}");
        }
    }

    #[test]
    fn another_installations_is_neither_ours_nor_nobodys() {
        let ours = snapshot(&[("snapkeep:managed-by", "snapkeep"), ("snapkeep:id", SET)], "");
        let seen = |installation| {
            let one = EbsSnapshot { installation, ..ours.clone() };
            let owner = owner_of(&one, &Images::default());
            (one.set().is_some(), one.own_set().is_some(), owner)
        };

        assert_eq!(seen(Installation::Ours), (true, true, Owner::Ours));
        assert_eq!(seen(Installation::Another), (false, false, Owner::AnotherInstallation));
        // Ours if a record of ours has it, which is not asked here.
        assert_eq!(seen(Installation::Unnamed), (true, false, Owner::AnotherInstallation));
    }

    #[test]
    fn others_are_told_by_the_tags_they_leave() {
        for (key, expected) in [
            ("aws:dlm:lifecycle-policy-id", Owner::DataLifecycleManager),
            ("dlm:managed", Owner::DataLifecycleManager),
            ("aws:backup:source-resource", Owner::AwsBackup),
            ("kubernetes.io/created-for/pvc/name", Owner::Kubernetes),
            ("ebs.csi.aws.com/cluster", Owner::Kubernetes),
            ("CSIVolumeSnapshotName", Owner::Kubernetes),
            ("velero.io/backup", Owner::Kubernetes),
            ("AWSElasticDisasterRecoveryManaged", Owner::DisasterRecovery),
            ("AWSApplicationMigrationServiceManaged", Owner::ApplicationMigration),
            ("Name", Owner::Other),
        ] {
            assert_eq!(owner(&[(key, "x")]), expected, "{key}");
        }
    }

    #[test]
    fn an_images_is_told_by_the_image() {
        let image: ImageId = IMAGE.parse().unwrap();
        let plain = snapshot(&[], "before the upgrade");
        let using = Images {
            using: [(plain.id.clone(), vec![image.clone()])].into(),
            known: [image.clone()].into(),
        };

        assert_eq!(owner_of(&plain, &Images::default()), Owner::Other);
        assert_eq!(owner_of(&plain, &using), Owner::Image);
    }

    #[test]
    fn what_an_image_that_is_gone_has_left_is_nobodys() {
        let known = Images { known: [IMAGE.parse().unwrap()].into(), ..Images::default() };
        for description in [
            format!("Created by CreateImage(i-0123456789abcdef0) for {IMAGE}"),
            format!("Copied for DestinationAmi {IMAGE} from SourceAmi ami-01234567. Task created"),
        ] {
            let made = snapshot(&[], &description);

            assert_eq!(owner_of(&made, &known), Owner::Image, "{description}");
            assert_eq!(owner_of(&made, &Images::default()), Owner::Other, "{description}");
        }
    }

    #[test]
    fn the_instance_is_named_by_a_tag_or_the_description() {
        let id = "i-0123456789abcdef0";
        for (tags, description) in [
            (vec![("instance-id", id)], String::new()),
            (vec![], format!("Created by CreateImage({id}) for {IMAGE}")),
            (vec![("Instance", "web")], format!("nightly of {id}, /dev/sda1")),
        ] {
            let named = snapshot(&tags, &description).named_instance();

            assert_eq!(named.map(|id| id.to_string()).as_deref(), Some(id), "{description}");
        }
        assert_eq!(snapshot(&[("Instance", "web")], "of i-x").named_instance(), None);
    }

    #[test]
    fn every_owner_reads_as_it_is_written() {
        for owner in Owner::ALL.iter().copied() {
            assert_eq!(owner.as_str().parse(), Ok(owner));
        }
        assert!("dlm".parse::<Owner>().unwrap_err().contains("data_lifecycle_manager"));
    }
}
