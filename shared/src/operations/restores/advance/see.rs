//! The facts of EC2 and the table that the step at hand of a restore needs.

use std::collections::BTreeSet;

use crate::domain::ids::VolumeId;
use crate::domain::restore::Restore;
use crate::domain::restore::mode::RestoreMode;
use crate::domain::restore::next::part;
use crate::domain::restore::room::in_the_way;
use crate::domain::restore::seen::RestoreFacts;
use crate::domain::restore::step::StepName;
use crate::ec2::Ec2;
use crate::error::Error;
use crate::service::Service;

pub(super) async fn see(
    service: &Service,
    ec2: &Ec2,
    restore: &Restore,
) -> Result<RestoreFacts, Error> {
    let mut seen = RestoreFacts::default();
    let Some((_, step)) = restore.step() else { return Ok(seen) };
    match step.name {
        StepName::TagOldVolumes | StepName::DeregisterImage => {}
        StepName::Check => see_instance(ec2, restore, &mut seen).await?,
        StepName::SnapshotFirst => {
            see_instance(ec2, restore, &mut seen).await?;
            if let Some(id) = &restore.before.snapshot_first {
                let snapshot = service.table.snapshot(id).await?;
                seen.snapshot_first = snapshot
                    .map(|one| (one.status, one.course.failure.map(|failure| failure.message)));
            }
        }
        StepName::CreateVolumes | StepName::DeleteVolumes | StepName::DeleteNewVolumes => {
            see_volumes(ec2, restore, &mut seen).await?;
        }
        StepName::StartInstance
        | StepName::StartAgain
        | StepName::StopInstance
        | StepName::DetachVolumes
        | StepName::AttachVolumes
        | StepName::StopAgain
        | StepName::DetachNewVolumes
        | StepName::ReattachOldVolumes => {
            see_instance(ec2, restore, &mut seen).await?;
            see_volumes(ec2, restore, &mut seen).await?;
        }
        StepName::ReplaceRoot | StepName::SettleRoot => {
            see_instance(ec2, restore, &mut seen).await?;
            if let Some(target) = restore.mode.target() {
                seen.task = ec2.root_task(target, &restore.id, &restore.part()).await?;
            }
        }
        StepName::RegisterImage => {
            seen.image = ec2.state_of_image_named(&restore.image_name()).await?;
        }
        StepName::RunInstance => {
            let parts = [restore.part()];
            seen.made_instances = ec2.instances_of_restore(&restore.id, &parts).await?;
        }
        StepName::RemoveImage => {
            if let RestoreMode::NewInstance(_) = &restore.mode {
                seen.image = ec2.state_of_image_named(&restore.image_name()).await?;
                // An instance that came to nothing leaves the image of an attempt before.
                let names: Vec<_> = (0..restore.made.attempt)
                    .map(|attempt| restore.image_name_at(attempt))
                    .collect();
                seen.earlier_images = ec2.images_named(&names).await?;
                let parts: Vec<_> =
                    (0..=restore.made.attempt).map(|attempt| part(0, attempt)).collect();
                seen.made_instances = ec2.instances_of_restore(&restore.id, &parts).await?;
            }
        }
    }
    Ok(seen)
}

async fn see_instance(ec2: &Ec2, restore: &Restore, seen: &mut RestoreFacts) -> Result<(), Error> {
    if let Some(target) = restore.mode.target() {
        let mut found = ec2.instances(std::slice::from_ref(target)).await?;
        seen.instance = found.remove(target);
    }
    Ok(())
}

async fn see_volumes(ec2: &Ec2, restore: &Restore, seen: &mut RestoreFacts) -> Result<(), Error> {
    let made = ec2.volumes_of_restore(&restore.id).await?;
    let planned = restore.made.volumes.iter().filter_map(|volume| volume.volume_id.as_ref());
    let old = restore.before.old_volumes.iter().flatten().map(|volume| &volume.volume_id);
    let in_the_way =
        seen.instance.iter().flat_map(|instance| in_the_way(&restore.made.volumes, instance));
    let in_the_way: Vec<_> = in_the_way.map(|volume| volume.volume_id).collect();
    let known: BTreeSet<&VolumeId> = made.iter().map(|volume| &volume.id).collect();
    let others = planned.chain(old).chain(&in_the_way);
    let others: BTreeSet<_> = others.filter(|id| !known.contains(id)).collect();
    let others: Vec<_> = others.into_iter().cloned().collect();
    seen.volumes = ec2.seen_volumes(&others).await?;
    seen.volumes.extend(made);
    Ok(())
}
