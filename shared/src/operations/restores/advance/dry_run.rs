//! The dry runs: whether our role may do what the restore is going to do, asked before anything is changed.

use std::collections::BTreeSet;

use crate::domain::ids::EbsSnapshotId;
use crate::domain::restore::Restore;
use crate::domain::restore::mode::RestoreMode;
use crate::domain::restore::roles::{InstanceRoles, cannot_be_passed};
use crate::domain::restore::seen::RestoreFacts;
use crate::ec2::Ec2;
use crate::ec2::calls::{Call, CallError};
use crate::ec2::launches::NewImage;
use crate::ec2::volumes::NewVolume;

/// Tries out every call whose subject exists already. A volume of the instance stands in for those that are yet to be
/// made.
pub(super) async fn rehearse(
    ec2: &Ec2,
    restore: &Restore,
    seen: &RestoreFacts,
    roles: InstanceRoles,
) -> Result<(), CallError> {
    match &restore.mode {
        RestoreMode::NewVolumes { .. } | RestoreMode::Drill => {
            rehearse_creation(ec2, restore).await?;
            rehearse_attachment(ec2, restore, seen).await
        }
        RestoreMode::ReplaceVolumes { instance_id, stop } => {
            rehearse_creation(ec2, restore).await?;
            rehearse_attachment(ec2, restore, seen).await?;
            rehearse_marking(ec2, restore, seen).await?;
            if *stop {
                ec2.stop_instance(instance_id, Call::Rehearsal).await?;
                ec2.start_instance(instance_id, Call::Rehearsal).await?;
            }
            Ok(())
        }
        RestoreMode::ReplaceRoot { instance_id } => {
            if let Some(volume) = restore.made.volumes.first() {
                let tags = restore.made_tags(&restore.part());
                let marks = (&tags, "");
                ec2.replace_root(instance_id, volume, marks, Call::Rehearsal).await?;
            }
            rehearse_marking(ec2, restore, seen).await
        }
        RestoreMode::NewInstance(launch) => {
            // EC2 asks it only of a launch, which comes after the image is made.
            if let Some(message) = cannot_be_passed(launch, roles) {
                return Err(CallError::NotPermitted { right: "iam:PassRole".to_owned(), message });
            }
            let image = NewImage {
                name: &restore.image_name(),
                launch,
                volumes: &restore.made.volumes,
                tags: &restore.made_tags(&restore.part()),
            };
            ec2.register_restore_image(image, Call::Rehearsal).await.map(|_| ())
        }
    }
}

async fn rehearse_creation(ec2: &Ec2, restore: &Restore) -> Result<(), CallError> {
    if restore.made.volumes.is_empty() {
        return Ok(());
    }
    let encrypted = encrypted_of(ec2, restore).await?;
    ec2.create_volume(new_volume(restore, 0, &encrypted)?, Call::Rehearsal).await.map(|_| ())
}

async fn rehearse_attachment(
    ec2: &Ec2,
    restore: &Restore,
    seen: &RestoreFacts,
) -> Result<(), CallError> {
    let Some(instance) = &seen.instance else { return Ok(()) };
    let Some(volume) = instance.volumes.first() else { return Ok(()) };
    if let RestoreMode::ReplaceVolumes { .. } = restore.mode {
        ec2.detach_volume(&volume.volume_id, &instance.id, Call::Rehearsal).await?;
    }
    let place = (&volume.volume_id, &instance.id, volume.device.as_str());
    ec2.attach_volume(place, Call::Rehearsal).await
}

async fn rehearse_marking(
    ec2: &Ec2,
    restore: &Restore,
    seen: &RestoreFacts,
) -> Result<(), CallError> {
    let volume = seen.instance.as_ref().and_then(|instance| instance.volumes.first());
    let Some(volume) = volume else { return Ok(()) };
    let tags = restore.old_volume_tags(restore.created_at);
    ec2.tag_volumes(std::slice::from_ref(&volume.volume_id), &tags, Call::Rehearsal).await
}

/// Which of the EBS snapshots that volumes are made of are encrypted.
pub(super) async fn encrypted_of(
    ec2: &Ec2,
    restore: &Restore,
) -> Result<BTreeSet<EbsSnapshotId>, CallError> {
    let ids: Vec<_> = restore.made.volumes.iter().map(|one| one.ebs_snapshot_id.clone()).collect();
    ec2.encrypted_of(&ids).await
}

/// The volume at this position of the plan, as EC2 is asked for it.
pub(super) fn new_volume<'a>(
    restore: &'a Restore,
    position: usize,
    encrypted: &BTreeSet<EbsSnapshotId>,
) -> Result<NewVolume<'a>, CallError> {
    let missing = || CallError::Passing("the plan has no such volume".to_owned());
    let volume = restore.made.volumes.get(position).ok_or_else(missing)?;
    let part = crate::domain::restore::next::part(position, volume.attempt);
    Ok(NewVolume {
        ebs_snapshot_id: &volume.ebs_snapshot_id,
        encrypted: encrypted.contains(&volume.ebs_snapshot_id),
        zone: restore.zone.as_deref().ok_or_else(missing)?,
        size_gib: volume.size_gib,
        volume_type: &volume.volume_type,
        iops: volume.iops,
        throughput_mibps: volume.throughput_mibps,
        initialization_rate_mibps: volume.initialization_rate_mibps,
        multi_attach: volume.multi_attach,
        tags: restore.volume_tags(position, volume),
        token: restore.token(crate::domain::restore::step::StepName::CreateVolumes, &part),
    })
}
