//! Snapshots on the wire.

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::fate;
use shared::domain::ids::{ImageId, InstanceId, RestoreId, ScheduleId, SnapshotId};
use shared::domain::snapshot::labels::left_out;
use shared::domain::snapshot::{self as domain, Origin, Status};
use shared::domain::tags::Tags;
use utoipa::ToSchema;

use super::super::instances::machine::{Gpu, Machine};
use super::super::wire::Failure;
use super::super::words::{SnapshotOrigin, SnapshotStatus};
use super::copies::{CopyOf, SnapshotCopy};
use super::fate::{Blocked, Condemned, Damaged, Fate};
use super::hold::Hold;
use super::left_out::LeftOut;
use super::volume::SnapshotVolume;

/// What `crash` means.
pub(in crate::routes) const CONSISTENCY_NOTE: &str = "the instance is not shut down first: all volumes are of the same instant, as after a \
                                power cut, and what programs have not yet written to disk is not in them";

/// One restore point of one instance: a crash-consistent set of EBS snapshots, one a volume.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "JSON's true and false")]
pub(crate) struct Snapshot {
    /// Its identifier.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    id: SnapshotId,
    /// Display name.
    name: String,
    /// In the words of who asked for it.
    description: Option<String>,
    /// Where it stands.
    #[schema(value_type = SnapshotStatus)]
    status: Status,
    /// Whether it can be restored: whole, there, out of the archive, and within its restore window.
    restorable: bool,
    /// Whether a member of it is in EC2's archive. Then it cannot be restored and does not count for the rules.
    archived: bool,
    /// How it came to be.
    #[schema(value_type = SnapshotOrigin)]
    origin: Origin,
    /// The instance it is of.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// The instance's name then.
    instance_name: Option<String>,
    /// The region it is in.
    region: String,
    /// The instance's availability zone then.
    zone: Option<String>,
    /// What the instance was then.
    machine: SnapshotMachine,
    /// The schedule it was taken for.
    #[schema(value_type = Option<String>)]
    schedule_id: Option<ScheduleId>,
    /// The due time it was taken for.
    slot: Option<Timestamp>,
    /// The sum of its volumes' sizes.
    size_gib: i64,
    /// The full size of its data as EC2 reports it, once it does for every volume; not what is billed.
    full_size_bytes: Option<i64>,
    /// How far EC2 is.
    #[schema(maximum = 100)]
    progress_percent: u8,
    /// What was to be left out.
    left_out: LeftOut,
    /// Its EBS snapshots; empty until EC2 has made them.
    volumes: Vec<SnapshotVolume>,
    /// When it was asked for.
    created_at: Timestamp,
    /// EC2's start time: the instant whose content it has.
    taken_at: Option<Timestamp>,
    /// When all of it was completed.
    completed_at: Option<Timestamp>,
    /// What keeps it from deletion.
    hold: Option<Hold>,
    /// When it goes by itself.
    expires_at: Option<Timestamp>,
    /// From when on it cannot be restored any more; null if it can for ever.
    restore_until: Option<Timestamp>,
    /// The restores under way that use it. Until they are over it cannot be deleted.
    #[schema(value_type = Vec<String>, example = json!(["rst_0195500c-6d00-7000-8000-000000000000"]))]
    restores_under_way: Vec<RestoreId>,
    /// Its copies in other regions, as its schedule wants them.
    copies: Vec<SnapshotCopy>,
    /// What it is a copy of; null for what was taken.
    copy_of: Option<CopyOf>,
    /// Why it is kept, and when it will go; null in a list without `include=fate`.
    fate: Option<Fate>,
    /// Who condemned it, why, and when it goes.
    condemned: Option<Condemned>,
    /// Why it should be gone and is not.
    blocked: Option<Blocked>,
    /// What tore it: members of it are gone, and EC2 refuses to delete others. It is tried again when it is deleted by name.
    damaged: Option<Damaged>,
    /// Why it failed, or why the last attempt was put off.
    failure: Option<Failure>,
    /// Since when EC2 does not have it, with status `missing`.
    missing_since: Option<Timestamp>,
    /// When it was deleted, with status `deleted`.
    deleted_at: Option<Timestamp>,
    /// The AMIs that use it, as far as is known: ours at once, others' and what others deregister within the hour.
    /// `GET /v1/snapshots/{id}/images` asks EC2.
    #[schema(value_type = Vec<String>, example = json!(["ami-0123456789abcdef0"]))]
    ami_ids: Vec<ImageId>,
    /// Its tags; its EBS snapshots bear those it was made with.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    tags: Tags,
    /// The keys of the instance's tags that its EBS snapshots do not bear: EC2 allows 50.
    tags_left_out: Vec<String>,
    /// How consistent its volumes are with each other and in themselves: as after a power cut. `GET /v1/capabilities` has
    /// it in words.
    #[schema(example = "crash")]
    consistency: &'static str,
    /// Counts the changes; what `If-Match` compares.
    version: u64,
}

/// What an instance was when its snapshot was taken.
#[derive(Debug, Serialize, ToSchema)]
struct SnapshotMachine {
    /// Its type.
    #[schema(example = "m7g.large")]
    instance_type: Option<String>,
    /// `x86_64`, `arm64`.
    architecture: Option<String>,
    /// EC2's platform details.
    platform: Option<String>,
    /// Virtual CPUs, where they were recorded.
    vcpus: Option<i32>,
    /// Memory in MiB, where it was recorded.
    memory_mib: Option<i64>,
    /// Graphics processors by kind, where they were recorded.
    gpus: Option<Vec<Gpu>>,
}

impl Snapshot {
    /// The snapshot, with its fate if it is told, as it stands at `now`.
    #[expect(clippy::too_many_lines, reason = "a line a field")]
    pub(super) fn of(snapshot: domain::Snapshot, fate: Option<fate::Fate>, now: Timestamp) -> Self {
        let restorable = snapshot.is_restorable(now);
        let archived = snapshot.is_archived();
        let size_gib = snapshot.size_gib();
        let full_size_bytes = snapshot.full_size_bytes();
        let progress_percent = snapshot.progress_percent();
        let ami_ids = snapshot.image_ids().to_vec();
        let tags_left_out = left_out(&snapshot);
        let all_copies = SnapshotCopy::all_of(&snapshot);
        let domain::Snapshot {
            id,
            version,
            status,
            origin,
            source,
            slot,
            given_at: _given_at,
            name,
            description,
            tags,
            request,
            members,
            created_at,
            started_at,
            duplicate_of: _duplicate_of,
            stands_in: _stands_in,
            copy_of,
            adopted_from: _adopted_from,
            extent: _extent,
            course:
                domain::Course {
                    completed_at,
                    attempt: _attempt,
                    failure,
                    absent_since,
                    attention_at: _attention_at,
                    touched_at: _touched_at,
                },
            keepers: domain::Keepers { hold, restores, images: _images, copies: _copies },
            ending:
                domain::Ending { expires_at, restore_until, condemnation, blocked, damaged, gone_at },
        } = snapshot;
        let domain::Source {
            instance_id,
            instance_name,
            instance_type,
            architecture,
            platform,
            region,
            zone,
            tags: _source_tags,
            launch: _launch,
            machine,
        } = source;
        let machine = machine.map(Machine::from);
        Self {
            id,
            name,
            description,
            status,
            restorable,
            archived,
            origin,
            instance_id,
            instance_name,
            region,
            zone,
            machine: SnapshotMachine {
                instance_type,
                architecture,
                platform,
                vcpus: machine.as_ref().map(|machine| machine.vcpus),
                memory_mib: machine.as_ref().map(|machine| machine.memory_mib),
                gpus: machine.map(|machine| machine.gpus),
            },
            schedule_id: slot.as_ref().map(|slot| slot.schedule_id.clone()),
            slot: slot.map(|slot| slot.slot),
            size_gib,
            full_size_bytes,
            progress_percent,
            left_out: LeftOut::from(request.exclusions),
            volumes: members.into_iter().map(SnapshotVolume::from).collect(),
            created_at,
            taken_at: started_at,
            completed_at,
            hold: hold.map(Hold::from),
            expires_at,
            restore_until,
            restores_under_way: restores,
            copies: all_copies,
            copy_of: copy_of.map(CopyOf::from),
            fate: fate.map(Fate::from),
            condemned: condemnation.map(Condemned::from),
            blocked: blocked.map(Blocked::from),
            damaged: damaged.map(Damaged::from),
            failure: failure.map(Failure::from),
            missing_since: absent_since.or(gone_at).filter(|_| status == Status::Missing),
            deleted_at: gone_at.filter(|_| status == Status::Deleted),
            ami_ids,
            tags,
            tags_left_out,
            consistency: "crash",
            version,
        }
    }
}
