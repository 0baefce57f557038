//! A person asks for a snapshot: the intent is recorded, then made known.

use std::collections::BTreeSet;

use jiff::Timestamp;
use tracing::info;

use crate::domain::hold::Hold;
use crate::domain::ids::{InstanceId, SnapshotId, VolumeId};
use crate::domain::instance::pending::room_for;
use crate::domain::instance::{
    AttachedVolume, EXCLUDED_VOLUMES_MAX, Exclusions, Ineligible, Instance,
};
use crate::domain::snapshot::{Origin, Request, Snapshot, Source};
use crate::domain::tags::Tags;
use crate::error::Error;
use crate::events::{OwnEvent, RequestedTarget, SnapshotRequested};
use crate::regions::find_instance;
use crate::service::Service;
use crate::views::latest_snapshots::latest_of;

/// A snapshot that is wanted.
#[derive(Clone, Debug)]
pub struct NewSnapshot {
    /// Chosen by the caller, so that asking twice makes one.
    pub id: SnapshotId,
    pub instance_id: InstanceId,
    /// Display name; the instance's name and the time if none.
    pub name: Option<String>,
    /// In the caller's words.
    pub description: Option<String>,
    /// What is to be taken.
    pub request: Request,
    /// Tags for it and its EBS snapshots.
    pub tags: Tags,
    /// What keeps it from deletion.
    pub hold: Option<Hold>,
    /// When it goes by itself.
    pub expires_at: Option<Timestamp>,
    /// From when on it cannot be restored any more.
    pub restore_until: Option<Timestamp>,
}

/// Records that the snapshot is wanted and makes it known. Asked again under the same id, it answers what there
/// is. An instance that EC2 does not have is [`Error::NotFound`], one that is not eligible [`Error::Conflict`].
pub async fn request(
    service: &Service,
    new: NewSnapshot,
    now: Timestamp,
) -> Result<Snapshot, Error> {
    if let Some(existing) = service.table.snapshot(&new.id).await? {
        return Ok(existing);
    }
    let instance = &find_instance(service, &new.instance_id).await?;
    let refused = |reason: Ineligible| Error::conflict(reason.to_string());
    instance.eligibility().map_err(refused)?;
    known_volumes(instance, &new.request.exclusions)?;
    let exclusions = resolved(service, instance, &new.request.exclusions).await?;
    let chosen = instance.chosen_volumes(&exclusions).map_err(refused)?;
    has_room(service, instance, chosen).await?.map_err(refused)?;
    let request = Request { exclusions, ..new.request };
    let snapshot = intent(instance, NewSnapshot { request, ..new }, now);
    if !service.table.insert_snapshot(&snapshot).await?.is_done() {
        let existing = service.table.snapshot(&snapshot.id).await?;
        return existing.ok_or_else(|| Error::not_found("snapshot", &snapshot.id));
    }
    info!(snapshot.id = %snapshot.id, "Snapshot {} of {} is requested", snapshot.id, instance.id);
    let event = OwnEvent::SnapshotRequested(SnapshotRequested {
        run: None,
        targets: vec![RequestedTarget {
            snapshot_id: snapshot.id.clone(),
            instance_id: instance.id.clone(),
        }],
    });
    service.bus.publish_or_leave(&[event]).await;
    Ok(snapshot)
}

/// Whether EC2 would begin another snapshot of these volumes now, as our own records tell.
async fn has_room(
    service: &Service,
    instance: &Instance,
    chosen: Vec<&AttachedVolume>,
) -> Result<Result<(), Ineligible>, Error> {
    let latest = latest_of(service, std::slice::from_ref(&instance.id)).await?;
    let pending: Vec<_> = latest.into_values().flat_map(|one| one.pending).collect();
    if pending.is_empty() {
        return Ok(Ok(()));
    }
    let ids: Vec<_> = chosen.iter().map(|volume| volume.volume_id.clone()).collect();
    let known = service.ec2_in(&instance.region)?.volumes(&ids).await?;
    Ok(room_for(chosen, &pending, &known))
}

/// A volume that is excluded and not there is likely a slip of the pen, and what was to be left out would be in.
fn known_volumes(instance: &Instance, exclusions: &Exclusions) -> Result<(), Error> {
    let attached = |id: &VolumeId| instance.volumes.iter().any(|volume| volume.volume_id == *id);
    let is_data = |id: &&VolumeId| {
        !instance.volumes.iter().any(|volume| volume.boot && volume.volume_id == **id)
    };
    let count = exclusions.volumes.iter().filter(is_data).collect::<BTreeSet<_>>().len();
    if count > EXCLUDED_VOLUMES_MAX {
        let reason = format!(
            "{count} data volumes are too many; EC2 leaves out at most {EXCLUDED_VOLUMES_MAX}"
        );
        return Err(Error::invalid("exclude_volumes", reason));
    }
    match exclusions.volumes.iter().find(|id| !attached(id)) {
        Some(unknown) => Err(Error::invalid(
            "exclude_volumes",
            format!("{unknown} is not attached to {}", instance.id),
        )),
        None => Ok(()),
    }
}

/// What is left out, those that bear a tag by their ids: whoever takes the snapshot, and looks for it when an
/// answer is lost, goes by the same volumes.
async fn resolved(
    service: &Service,
    instance: &Instance,
    exclusions: &Exclusions,
) -> Result<Exclusions, Error> {
    if exclusions.tagged.is_empty() {
        return Ok(exclusions.clone());
    }
    let ids: Vec<_> = instance.volumes.iter().map(|volume| volume.volume_id.clone()).collect();
    Ok(exclusions.resolved(instance, &service.ec2_in(&instance.region)?.volumes(&ids).await?))
}

fn intent(instance: &Instance, new: NewSnapshot, now: Timestamp) -> Snapshot {
    let NewSnapshot {
        id, name, description, request, tags, hold, expires_at, restore_until, ..
    } = new;
    let name = name.unwrap_or_else(|| {
        let instance_name = instance.name.as_deref().unwrap_or(instance.id.as_str());
        let name = format!("{instance_name} {}", now.strftime("%Y-%m-%d %H:%M"));
        // It becomes a tag, whose value has at most 256 characters.
        name.chars().take(256).collect()
    });
    let mut next = Snapshot::requested(id, Origin::Manual, source(instance), None, now);
    next.name = name;
    next.description = description;
    next.tags = tags;
    next.request = request;
    next.keepers.hold = hold;
    next.ending.expires_at = expires_at;
    next.ending.restore_until = restore_until;
    next.course.attention_at = now.saturating_add(crate::domain::snapshot::ABSENCE_UNCERTAIN).ok();
    next
}

/// Returns the source that is recorded of the instance.
pub(crate) fn source(instance: &Instance) -> Source {
    Source {
        instance_id: instance.id.clone(),
        instance_name: instance.name.clone(),
        instance_type: Some(instance.instance_type.clone()),
        architecture: instance.architecture.clone(),
        platform: instance.platform.clone(),
        region: instance.region.clone(),
        zone: Some(instance.zone.clone()),
        tags: instance.tags.clone(),
        launch: instance.launch.clone(),
        machine: None,
    }
}
