//! Bodies of requests about restores.

use serde::Deserialize;
use shared::domain::ids::InstanceId;
use shared::domain::restore::mode::AfterUse;
use shared::domain::restore::plan::SnapshotFirst;
use shared::domain::restore::wanted::{
    Accepted, Attach, LaunchChoice, Loss, VolumeChoice, WantedMode, WantedRestore,
};
use shared::domain::tags::Tags;
use utoipa::ToSchema;

use super::KEEP_OLD_DAYS;
use crate::problem::Problem;
use crate::routes::wire::{Name, Text, checked_number, checked_tags};

/// How many volumes an instance can have, and more.
const VOLUMES_MAX: usize = 128;
/// How many security groups a network interface can have.
const SECURITY_GROUPS_MAX: usize = 16;

/// What is to become of the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RestoreMode {
    /// New volumes, attached to an instance or not.
    NewVolumes,
    /// New volumes in the place of the instance's.
    ReplaceVolumes,
    /// A new root volume of the running instance.
    ReplaceRoot,
    /// A new instance.
    NewInstance,
}

/// A restore that is wanted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestRestore {
    /// The snapshot's name or id: what it is taken for.
    #[schema(value_type = String, min_length = 1, max_length = 300)]
    confirm: Text<300>,
    /// What is to become of it.
    mode: RestoreMode,
    /// With `new_volumes` and `new_instance`: the zone, if not that of the snapshot's instance.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "us-east-1a")]
    zone: Option<Text<64>>,
    /// With `new_volumes`: the instance to attach them to.
    #[schema(value_type = Option<String>, example = "i-0123456789abcdef0")]
    attach_to: Option<InstanceId>,
    /// Which of the snapshot's volumes, and how the new ones differ; all, as they were, unless told otherwise.
    #[schema(max_items = 128)]
    volumes: Option<Vec<RestoreVolumeChoice>>,
    /// At which rate in MiB a second EC2 fetches the blocks of the EBS snapshots into the new volumes ("Amazon EBS
    /// Provisioned Rate for Volume Initialization"). AWS charges for it, by the GiB. As fast as it comes, and free, unless
    /// told otherwise.
    #[schema(minimum = 100, maximum = 300, value_type = Option<u32>)]
    volume_initialization_rate: Option<i64>,
    /// With `replace_volumes`: whether the instance may be stopped. It is started again if it ran.
    stop: Option<bool>,
    /// With `replace_volumes` and `replace_root`: whether a snapshot of the instance is taken first. It is, unless told
    /// otherwise.
    snapshot_first: Option<bool>,
    /// With `replace_volumes` and `replace_root`: for how many days the old volumes are to be kept; 14 unless told. Nothing
    /// deletes them: they are tagged with when a person may.
    #[schema(minimum = 1, maximum = 3650, value_type = Option<u32>)]
    keep_old_days: Option<i64>,
    /// With `new_instance`: how it differs from what was recorded.
    instance: Option<NewInstance>,
    /// With `replace_volumes`: the volumes of the instance that stay with the content of now, by device or id. Each that
    /// nothing replaces must be named: beside volumes of another time they may be of no use.
    #[schema(value_type = Option<Vec<String>>, max_items = 128, example = json!(["/dev/sdf"]))]
    keep: Option<Vec<Text<64>>>,
    /// With `replace_volumes`: the stop may wipe the instance store, which is in no snapshot.
    accept_instance_store_loss: Option<bool>,
    /// With `replace_root`: the instance reboots although its Auto Scaling group may then replace it.
    accept_group_replacement: Option<bool>,
}

/// One of the snapshot's volumes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RestoreVolumeChoice {
    /// Where the snapshot's volume was attached.
    #[schema(value_type = String, min_length = 1, max_length = 64, example = "/dev/xvda")]
    device: Text<64>,
    /// With `attach_to`: where the new one is to be attached, if elsewhere.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "/dev/sdf")]
    attach_as: Option<Text<64>>,
    /// Another type.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 20, example = "gp3")]
    volume_type: Option<Text<20>>,
    /// A larger size.
    #[schema(minimum = 1, maximum = 65_536)]
    size_gib: Option<i64>,
    /// Provisioned operations a second.
    #[schema(minimum = 100, maximum = 256_000)]
    iops: Option<i64>,
    /// Provisioned MiB a second.
    #[schema(minimum = 125, maximum = 2_000)]
    throughput_mibps: Option<i64>,
}

/// How a new instance differs from what was recorded.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInstance {
    /// Its name.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
    name: Option<Name>,
    /// Its type.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "m7g.large")]
    instance_type: Option<Text<64>>,
    /// Its subnet.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64,
        example = "subnet-0123456789abcdef0")]
    subnet_id: Option<Text<64>>,
    /// Its security groups.
    #[schema(value_type = Option<Vec<String>>, max_items = 16)]
    security_group_ids: Option<Vec<Text<64>>>,
    /// Its key pair.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    key_name: Option<Text<255>>,
    /// The ARN of its instance profile; `none` for an instance without one. Another one than was recorded needs the role
    /// admin.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 512)]
    instance_profile_arn: Option<Text<512>>,
    /// All its tags.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    tags: Option<Tags>,
    /// `x86_64` or `arm64`, where the record does not have it.
    architecture: Option<Architecture>,
    /// Whether the image that it is launched from stays. It keeps the snapshot from ever being deleted.
    #[serde(default)]
    keep_image: bool,
}

/// An architecture.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Architecture {
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X8664,
    /// Graviton.
    Arm64,
}

/// A drill that is wanted.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestDrill {
    /// The zone, if not that of the snapshot's instance.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "us-east-1a")]
    pub(super) zone: Option<Text<64>>,
}

/// How a restore is given up.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelRestore {
    /// Leave everything as it is, and only end the restore.
    #[serde(default)]
    pub(super) leave: bool,
}

/// A request whose fields go together.
pub(super) struct Checked {
    pub(super) confirm: String,
    pub(super) wanted: WantedRestore,
    pub(super) attach_to: Option<InstanceId>,
    pub(super) snapshot_first: Option<SnapshotFirst>,
    pub(super) keep_old_days: u32,
}

impl RequestRestore {
    /// What is wanted, if its fields go with its mode.
    pub(super) fn checked(self) -> Result<Checked, Problem> {
        self.fits()?;
        let accepted = self.accepted()?;
        let mode = match self.mode {
            RestoreMode::NewVolumes => {
                let attach = if self.attach_to.is_some() { Attach::Yes } else { Attach::No };
                WantedMode::NewVolumes { attach }
            }
            RestoreMode::ReplaceVolumes => {
                WantedMode::ReplaceVolumes { stop: self.stop.unwrap_or(false) }
            }
            RestoreMode::ReplaceRoot => WantedMode::ReplaceRoot,
            RestoreMode::NewInstance => {
                WantedMode::NewInstance(Box::new(self.instance.unwrap_or_default().choice()?))
            }
        };
        let volumes = match self.volumes {
            Some(choices) if choices.len() > VOLUMES_MAX => {
                let reason = format!("may have {VOLUMES_MAX} at the most");
                return Err(Problem::invalid("volumes", reason));
            }
            Some(choices) => {
                let choices = choices.into_iter().enumerate();
                Some(choices.map(|(at, one)| one.choice(at)).collect::<Result<_, _>>()?)
            }
            None => None,
        };
        let rate = self.volume_initialization_rate;
        let rate = rate.map(|rate| {
            checked_number("volume_initialization_rate", rate, (100, 300), "MiB a second")
        });
        let days = self.keep_old_days.unwrap_or_else(|| KEEP_OLD_DAYS.into());
        Ok(Checked {
            confirm: self.confirm.0,
            wanted: WantedRestore {
                mode,
                zone: self.zone.map(|zone| zone.0),
                volumes,
                initialization_rate_mibps: rate.transpose()?,
                accepted,
            },
            attach_to: self.attach_to,
            snapshot_first: self
                .snapshot_first
                .map(|yes| if yes { SnapshotFirst::Yes } else { SnapshotFirst::No }),
            keep_old_days: checked_number("keep_old_days", days, (1, 3650), "days")?,
        })
    }

    fn accepted(&self) -> Result<Accepted, Problem> {
        let keep = self.keep.as_deref().unwrap_or_default();
        if keep.len() > VOLUMES_MAX {
            return Err(Problem::invalid("keep", format!("may have {VOLUMES_MAX} at the most")));
        }
        let loss = |given: Option<bool>| match given {
            Some(true) => Loss::Accepted,
            Some(false) | None => Loss::Refused,
        };
        Ok(Accepted {
            keep: keep.iter().map(|one| one.0.clone()).collect(),
            instance_store_loss: loss(self.accept_instance_store_loss),
            group_replacement: loss(self.accept_group_replacement),
        })
    }

    fn fits(&self) -> Result<(), Problem> {
        use RestoreMode::{NewInstance, NewVolumes, ReplaceRoot, ReplaceVolumes};

        let in_place = [ReplaceVolumes, ReplaceRoot];
        let given = [
            ("attach_to", self.attach_to.is_some(), &[NewVolumes][..], "new_volumes"),
            ("stop", self.stop.is_some(), &[ReplaceVolumes][..], "replace_volumes"),
            ("instance", self.instance.is_some(), &[NewInstance][..], "new_instance"),
            ("keep", self.keep.is_some(), &[ReplaceVolumes][..], "replace_volumes"),
            (
                "accept_instance_store_loss",
                self.accept_instance_store_loss.is_some(),
                &[ReplaceVolumes][..],
                "replace_volumes",
            ),
            (
                "accept_group_replacement",
                self.accept_group_replacement.is_some(),
                &[ReplaceRoot][..],
                "replace_root",
            ),
            (
                "keep_old_days",
                self.keep_old_days.is_some(),
                &in_place[..],
                "replace_volumes and replace_root",
            ),
        ];
        let wrong = given.iter().find(|(_, given, modes, _)| *given && !modes.contains(&self.mode));
        match wrong {
            Some((field, _, _, modes)) => {
                Err(Problem::invalid(*field, format!("goes only with the mode {modes}")))
            }
            None => Ok(()),
        }
    }
}

impl RestoreVolumeChoice {
    fn choice(self, position: usize) -> Result<VolumeChoice, Problem> {
        let number = |field: &str, given: Option<i64>, bounds, unit| {
            let field = format!("volumes[{position}].{field}");
            given.map(|number| checked_number(&field, number, bounds, unit)).transpose()
        };
        Ok(VolumeChoice {
            size_gib: number("size_gib", self.size_gib, (1, 65_536), "GiB")?,
            iops: number("iops", self.iops, (100, 256_000), "operations a second")?,
            throughput_mibps: number(
                "throughput_mibps",
                self.throughput_mibps,
                (125, 2_000),
                "MiB a second",
            )?,
            device: self.device.0,
            attach_as: self.attach_as.map(|device| device.0),
            volume_type: self.volume_type.map(|kind| kind.0),
        })
    }
}

impl NewInstance {
    fn choice(self) -> Result<LaunchChoice, Problem> {
        if self.security_group_ids.as_ref().is_some_and(|ids| ids.len() > SECURITY_GROUPS_MAX) {
            let reason = format!("may have {SECURITY_GROUPS_MAX} at the most");
            return Err(Problem::invalid("instance.security_group_ids", reason));
        }
        let text = |text: Option<Text<64>>| text.map(|text| text.0);
        Ok(LaunchChoice {
            name: self.name.map(|name| name.0),
            instance_type: text(self.instance_type),
            subnet_id: text(self.subnet_id),
            security_group_ids: self
                .security_group_ids
                .map(|ids| ids.into_iter().map(|id| id.0).collect()),
            key_name: self.key_name.map(|name| name.0),
            instance_profile_arn: self.instance_profile_arn.map(|arn| arn.0),
            tags: self.tags.map(|tags| checked_tags("instance.tags", tags)).transpose()?,
            architecture: self.architecture.map(|architecture| {
                match architecture {
                    Architecture::X8664 => "x86_64",
                    Architecture::Arm64 => "arm64",
                }
                .to_owned()
            }),
            image: if self.keep_image { AfterUse::Keep } else { AfterUse::Deregister },
        })
    }
}
