//! What EC2 shows where a restore is asked for: the instance, the volumes that make room, what the stop costs; and the
//! plan by it, or why there is none.

use jiff::Timestamp;

use crate::domain::ebs;
use crate::domain::ids::{InstanceId, RestoreId, SnapshotId, VolumeId};
use crate::domain::instance::{Instance, InstanceState};
use crate::domain::restore::mode::{OldVolume, RestoreMode};
use crate::domain::restore::plan::{Plan, SnapshotFirst, plan};
use crate::domain::restore::refusal::Refusal;
use crate::domain::restore::room::{in_the_way, refuse_shared};
use crate::domain::restore::seen::SeenVolume;
use crate::domain::restore::surroundings::Named;
use crate::domain::restore::wanted::{Attach, Loss, WantedMode, WantedRestore};
use crate::domain::snapshot::Snapshot;
use crate::domain::tags;
use crate::error::Error;
use crate::service::Service;

/// A restore that is wanted.
#[derive(Clone, Debug)]
pub struct NewRestore {
    /// Chosen by the caller, so that asking twice makes one.
    pub id: RestoreId,
    pub snapshot_id: SnapshotId,
    /// What the caller takes the snapshot for: its name or identifier.
    pub confirm: String,
    pub who: String,
    pub wanted: WantedRestore,
    /// The instance that new volumes are attached to.
    pub attach_to: Option<InstanceId>,
    /// Whether a snapshot of the instance is taken first; if nothing is said, wherever volumes are replaced.
    pub snapshot_first: Option<SnapshotFirst>,
    /// For how many days the old volumes are to be kept.
    pub keep_old_days: u32,
    /// The due time of the schedule's drill that it is; none if a person asks for it.
    pub drill_due: Option<Timestamp>,
}

/// A plan, and what it was made by.
pub(super) struct Considered {
    pub(super) plan: Plan,
    /// The instance that is changed, or attached to.
    pub(super) instance: Option<Instance>,
    /// Its volumes that make room.
    pub(super) old_volumes: Vec<OldVolume>,
    /// How large the disks of its host are that it has for itself.
    pub(super) instance_store_gb: Option<i64>,
}

/// The plan for what is wanted of this snapshot, by what EC2 shows now.
pub(super) async fn consider(
    service: &Service,
    new: &NewRestore,
    snapshot: &Snapshot,
) -> Result<Considered, Error> {
    let instance = subject(service, new, snapshot).await?;
    let mut plan = plan(snapshot, &new.wanted, instance.as_ref()).map_err(refused)?;
    let named = Named::of(&plan);
    if named != Named::default() {
        let there = service.ec2_in(&snapshot.source.region)?.surroundings(&named).await?;
        named.refuse_lost(&there).map_err(refused)?;
    }
    let (mut old_volumes, mut instance_store_gb) = (Vec::new(), None);
    if let Some(instance) = instance.as_ref().filter(|_| plan.mode.is_in_place()) {
        old_volumes = match plan.mode {
            RestoreMode::ReplaceRoot { .. } => {
                instance.volumes.iter().filter(|volume| volume.boot).map(OldVolume::at).collect()
            }
            RestoreMode::NewVolumes { .. }
            | RestoreMode::ReplaceVolumes { .. }
            | RestoreMode::NewInstance(_)
            | RestoreMode::Drill => in_the_way(&plan.volumes, instance),
        };
        let ids: Vec<_> = old_volumes.iter().map(|old| old.volume_id.clone()).collect();
        let seen = service.ec2_in(&instance.region)?.seen_volumes(&ids).await?;
        match plan.mode {
            RestoreMode::ReplaceVolumes { .. } => {
                refuse_shared(&plan.volumes, instance, &seen).map_err(refused)?;
                instance_store_gb = instance_store(service, instance).await?;
                accept_loss(new, instance, instance_store_gb)?;
                inherit(&mut plan, &old_volumes, &seen);
            }
            RestoreMode::NewVolumes { .. }
            | RestoreMode::ReplaceRoot { .. }
            | RestoreMode::NewInstance(_)
            | RestoreMode::Drill => of_its_lineage(snapshot, &seen)?,
        }
    }
    Ok(Considered { plan, instance, old_volumes, instance_store_gb })
}

/// The instance that is changed, or attached to, as EC2 shows it.
async fn subject(
    service: &Service,
    new: &NewRestore,
    snapshot: &Snapshot,
) -> Result<Option<Instance>, Error> {
    let ec2 = service.ec2_in(&snapshot.source.region)?;
    let id = match (&new.wanted.mode, &new.attach_to) {
        (WantedMode::NewVolumes { attach: Attach::Yes }, Some(id)) => id,
        (WantedMode::ReplaceVolumes { .. } | WantedMode::ReplaceRoot, _) => {
            &snapshot.source.instance_id
        }
        _ => return Ok(None),
    };
    Ok(ec2.instances(std::slice::from_ref(id)).await?.remove(id))
}

/// How large the disks of the instance's host are that a stop wipes; none if it has none, or is stopped.
async fn instance_store(service: &Service, instance: &Instance) -> Result<Option<i64>, Error> {
    if instance.state == InstanceState::Stopped {
        return Ok(None);
    }
    let kinds = std::slice::from_ref(&instance.instance_type);
    let known = service.ec2_in(&instance.region)?.instance_types(kinds).await?;
    Ok(known.get(&instance.instance_type).and_then(|kind| kind.instance_store_gb))
}

/// Refuses a stop that wipes disks, unless that was accepted by name.
fn accept_loss(
    new: &NewRestore,
    instance: &Instance,
    instance_store_gb: Option<i64>,
) -> Result<(), Error> {
    match (instance_store_gb, new.wanted.accepted.instance_store_loss) {
        (Some(gb), Loss::Refused) => Err(Error::conflict(format!(
            "{} has {gb} GB of instance store, which the stop wipes: it is in no snapshot, and nothing brings it back. Copy \
             what is of use, and add \"accept_instance_store_loss\": true",
            instance.id
        ))),
        (Some(_), Loss::Accepted) | (None, _) => Ok(()),
    }
}

/// Gives each new volume the tags of the one that it replaces, since backups and costs go by them, and its Multi-Attach, if
/// its type can have that: older records do not tell.
fn inherit(plan: &mut Plan, old: &[OldVolume], seen: &[SeenVolume]) {
    let shown = |id: &VolumeId| seen.iter().find(|one| one.id == *id);
    for volume in &mut plan.volumes {
        let old = old.iter().find(|old| volume.attach_as.as_ref() == Some(&old.device));
        if let Some(old) = old.and_then(|old| shown(&old.volume_id)) {
            volume.tags.clone_from(&old.tags);
            volume.multi_attach |= old.multi_attach && ebs::has_multi_attach(&volume.volume_type);
        }
    }
}

/// Refuses to replace a root volume that a restore of ours has put there from a snapshot of another volume: EC2 takes only
/// snapshots "of the original root volume" and those of its lineage
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html>).
fn of_its_lineage(snapshot: &Snapshot, seen: &[SeenVolume]) -> Result<(), Error> {
    let Some(member) = snapshot.members.iter().find(|member| member.boot) else { return Ok(()) };
    let is_of_another =
        |root: &&SeenVolume| root.tags.contains_key(tags::RESTORE) && root.id != member.volume_id;
    match seen.iter().find(is_of_another) {
        Some(root) => Err(Error::conflict(format!(
            "the root volume {} was put there by a restore, and the snapshot is of another, {}: EC2 replaces a root volume \
             only from snapshots of its own lineage; use replace_volumes",
            root.id, member.volume_id
        ))),
        None => Ok(()),
    }
}

pub(super) fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Field(field, reason) => Error::invalid(field, reason),
        Refusal::State(reason) => Error::conflict(reason),
    }
}
