//! `CopySnapshot`, from another Region or the same.

use super::{
    ActionContext, Reply,
    create_snapshots::{self, description},
    describe_snapshots, keys, tags,
};
use crate::{
    clock::later,
    errors::Ec2Error,
    ids::IdKind,
    request::Params,
    state::{
        agenda::Task,
        snapshot::{CopySource, Fate, Snapshot, SnapshotState},
    },
    xml::Xml,
};

/// How many copies to one Region may be under way.
const IN_PROGRESS_MAX: usize = 20;

/// What copies say they were taken of.
const NO_VOLUME: &str = "vol-ffffffff";

/// `CopySnapshot`. It knows no client token: each call makes another copy.
pub(crate) fn copy(context: &mut ActionContext<'_>, params: &Params) -> Reply {
    let source_region = params.required("SourceRegion")?;
    let source_id = params.required("SourceSnapshotId")?;
    if let Some(other) = params.get("DestinationRegion").filter(|region| *region != context.name) {
        return Err(Ec2Error::invalid_value(other, "DestinationRegion"));
    }
    let description = description(params)?;
    let tags = tags::specified(params, IdKind::Snapshot, &[IdKind::Snapshot])?;
    let source = source(context, source_region, source_id)?;
    let asked = params.flag("Encrypted")?;
    let key = keys::named(params, asked.or(source.encrypted.then_some(true)))?;
    let encrypted = source.encrypted || asked.unwrap_or_default();
    check_limit(context)?;
    let volume_id = match &source.copy_of {
        Some(first) => first.volume_id.clone(),
        None => source.volume_id.clone(),
    };
    let copy_of = CopySource {
        region: source_region.to_owned(),
        snapshot_id: source.id.clone(),
        incremental: has_copy(context, &volume_id),
        volume_id,
    };
    let id = context.new_id(IdKind::Snapshot);
    let now = context.moment.now;
    let completes_at = later(now, context.config.completion.of(source.volume_size_gib));
    let snapshot = Snapshot {
        id: id.clone(),
        volume_id: NO_VOLUME.to_owned(),
        full_size_bytes: source.full_size_bytes,
        encrypted,
        description,
        kms_key_id: encrypted.then(|| keys::arn(key, context)),
        copy_of: Some(copy_of),
        fate: fate(context, &source, params),
        completes_at,
        ..create_snapshots::pending(context, &id, source.volume_size_gib, tags)
    };
    let mut xml = Xml::default();
    xml.leaf("snapshotId", &id);
    tags::write(&mut xml, &snapshot.tags);
    context.region.snapshots.insert(&id, snapshot, context.moment);
    context.region.agenda.plan(completes_at, Task::Snapshot(id));
    Ok(xml)
}

/// Without a signed request for its source's Region the copy of an encrypted snapshot fails, later.
fn fate(context: &ActionContext<'_>, source: &Snapshot, params: &Params) -> Fate {
    let signed = params.get("PresignedUrl").is_some_and(|url| url.contains("X-Amz-Signature="));
    let is_far = source.region != context.name;
    if source.encrypted && is_far && !signed { Fate::Fail } else { context.fate }
}

/// The snapshot to be copied, which must be complete and not in the archive.
fn source(context: &ActionContext<'_>, region: &str, id: &str) -> Result<Snapshot, Ec2Error> {
    if region == context.name {
        return describe_snapshots::find_usable(context, id).cloned();
    }
    IdKind::Snapshot.check(id)?;
    let snapshot = context
        .elsewhere(region)
        .and_then(|region| region.snapshots.get(id))
        .ok_or_else(|| IdKind::Snapshot.not_found(id))?;
    describe_snapshots::check_usable(snapshot)?;
    Ok(snapshot.clone())
}

fn check_limit(context: &ActionContext<'_>) -> Result<(), Ec2Error> {
    let in_progress = context
        .region
        .snapshots
        .current()
        .filter(|each| each.copy_of.is_some() && each.state == SnapshotState::Pending)
        .count();
    if in_progress >= IN_PROGRESS_MAX {
        return Err(Ec2Error::new(
            "ResourceLimitExceeded",
            format!(
                "Too many snapshot copies in progress. The limit is {IN_PROGRESS_MAX} for this \
                 destination region."
            ),
        ));
    }
    Ok(())
}

/// Whether there is a complete copy of a snapshot of this volume.
fn has_copy(context: &ActionContext<'_>, volume_id: &str) -> bool {
    context.region.snapshots.current().any(|each| {
        each.state == SnapshotState::Completed
            && each.copy_of.as_ref().is_some_and(|source| source.volume_id == volume_id)
    })
}
