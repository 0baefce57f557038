//! Audit entries of a snapshot.

use serde_json::{Value, json};

use super::{Action, Entry, Fields, differences, shortened, shown};
use crate::domain::snapshot::condemnation::Blocked;
use crate::domain::snapshot::{Origin, Snapshot, Status};

/// What became of a snapshot by a write: at most a transition, what is in the way of it, and that it is torn; nothing for
/// progress.
pub fn entries_of_snapshot(old: Option<&Snapshot>, new: &Snapshot) -> Vec<Entry> {
    let became = match old {
        None => Some(made(new)),
        Some(old) if old.status != new.status => moved(old, new),
        Some(old) if is_condemned_again(old, new) => Some(Action::SnapshotCondemned),
        Some(old) => edited(old, new),
    };
    let is_blocked = is_newly_blocked(old, new).then_some(Action::SnapshotBlocked);
    let was_damaged = old.is_some_and(|old| old.ending.damaged.is_some());
    let is_torn = new.ending.damaged.is_some() && !was_damaged;
    let is_torn = is_torn.then_some(Action::SnapshotDamaged);
    became
        .into_iter()
        .chain(is_blocked)
        .chain(is_torn)
        .map(|action| entry(action, old, new))
        .collect()
}

fn made(new: &Snapshot) -> Action {
    match new.status {
        _ if new.duplicate_of.is_some() => Action::SnapshotDuplicate,
        _ if new.origin == Origin::Adopted => Action::SnapshotAdopted,
        Status::Requested | Status::Creating => Action::SnapshotRequested,
        Status::Error if new.members.is_empty() => Action::SnapshotFailed,
        Status::Pending
        | Status::Available
        | Status::Error
        | Status::Condemned
        | Status::Deleting
        | Status::Deleted
        | Status::Missing => Action::SnapshotRebuilt,
    }
}

fn moved(old: &Snapshot, new: &Snapshot) -> Option<Action> {
    let is_rescue = matches!(old.status, Status::Condemned | Status::Deleting);
    match new.status {
        _ if old.status == Status::Missing && !new.status.is_gone() => {
            Some(Action::SnapshotReturned)
        }
        Status::Available | Status::Error if is_rescue => Some(Action::SnapshotRescued),
        Status::Available => Some(Action::SnapshotAvailable),
        Status::Error => Some(Action::SnapshotFailed),
        // What EC2 refused to delete goes back to where it was.
        Status::Condemned if old.status == Status::Deleting => None,
        Status::Condemned => Some(Action::SnapshotCondemned),
        Status::Deleted if old.status == Status::Deleting => Some(Action::SnapshotDeleted),
        Status::Deleted => Some(Action::SnapshotRecordRemoved),
        Status::Missing => Some(Action::SnapshotMissing),
        Status::Requested | Status::Creating | Status::Pending | Status::Deleting => None,
    }
}

/// A person has deleted by name what a rule had condemned.
fn is_condemned_again(old: &Snapshot, new: &Snapshot) -> bool {
    // Or what is left of a torn set.
    let is_on_its_way = matches!(new.status, Status::Condemned | Status::Deleting);
    is_on_its_way && old.ending.condemnation != new.ending.condemnation
}

fn is_newly_blocked(old: Option<&Snapshot>, new: &Snapshot) -> bool {
    let cause = |blocked: &Option<Blocked>| blocked.as_ref().map(|one| one.cause.clone());
    let before = old.and_then(|old| cause(&old.ending.blocked));
    new.ending.blocked.is_some() && cause(&new.ending.blocked) != before
}

fn edited(old: &Snapshot, new: &Snapshot) -> Option<Action> {
    let is_same = old.name == new.name
        && old.description == new.description
        && old.tags == new.tags
        && old.keepers.hold == new.keepers.hold
        && old.schedule_id() == new.schedule_id()
        && old.stands_in == new.stands_in
        && old.ending.expires_at == new.ending.expires_at
        && old.ending.restore_until == new.ending.restore_until;
    match (&old.keepers.hold, &new.keepers.hold) {
        _ if is_same => None,
        (None, Some(_)) => Some(Action::SnapshotHeld),
        (Some(_), None) => Some(Action::SnapshotReleased),
        (None, None) | (Some(_), Some(_)) => Some(Action::SnapshotEdited),
    }
}

fn entry(action: Action, old: Option<&Snapshot>, new: &Snapshot) -> Entry {
    let at = match &new.ending.blocked {
        // Being blocked while available touches nothing else.
        Some(blocked) if action == Action::SnapshotBlocked => {
            blocked.since.max(new.course.touched_at)
        }
        Some(_) | None => new.course.touched_at,
    };
    let (id, instance) = (&new.id, &new.source.instance_id);
    let name = new.source.instance_name.as_ref();
    let called = name.map(|name| format!(" ({name})")).unwrap_or_default();
    let summary = format!("Snapshot {id} of {instance}{called} {}", action.phrase());
    let entry = Entry::new(action, (id.as_str(), new.version), at, summary)
        .of_instance(instance)
        .changing(differences(old.map(fields).as_ref(), Some(&fields(new))))
        .because(reason(action, old, new).as_deref())
        .about(subject(new));
    Entry { schedule_id: new.schedule_id().cloned(), ..entry }
}

/// Why, as far as the record says.
fn reason(action: Action, old: Option<&Snapshot>, new: &Snapshot) -> Option<String> {
    if matches!(action, Action::SnapshotCondemned | Action::SnapshotDeleted) {
        let condemnation = new.ending.condemnation.as_ref().or(old?.ending.condemnation.as_ref());
        return condemnation.map(|one| one.reason.clone());
    }
    if action == Action::SnapshotFailed {
        return new.course.failure.as_ref().map(|failure| failure.message.clone());
    }
    if action == Action::SnapshotBlocked {
        return new.ending.blocked.as_ref().map(|one| one.cause.describe());
    }
    if action == Action::SnapshotDamaged {
        return new.ending.damaged.as_ref().map(|one| one.cause.describe());
    }
    if action == Action::SnapshotHeld {
        return new.keepers.hold.as_ref().and_then(|hold| hold.reason.clone());
    }
    (action == Action::SnapshotDuplicate)
        .then(|| new.duplicate_of.as_ref().map(|id| format!("of {id}")))
        .flatten()
}

/// What the audit compares.
fn fields(snapshot: &Snapshot) -> Fields {
    let condemnation = snapshot.ending.condemnation.as_ref();
    let failure = snapshot.course.failure.as_ref();
    vec![
        ("status", shown(&snapshot.status)),
        ("name", shown(&snapshot.name)),
        ("description", shown(&snapshot.description)),
        ("tags", shown(&snapshot.tags)),
        ("hold", shown(&snapshot.keepers.hold)),
        ("schedule_id", shown(&snapshot.given_at.and_then(|_| snapshot.schedule_id()))),
        ("stands_in", shown(&snapshot.stands_in.then_some(true))),
        ("expires_at", shown(&snapshot.ending.expires_at)),
        ("restore_until", shown(&snapshot.ending.restore_until)),
        ("delete_after", shown(&condemnation.map(|one| one.delete_after))),
        ("condemned_by", shown(&condemnation.map(|one| &one.by))),
        ("blocked", shown(&snapshot.ending.blocked.as_ref().map(|one| one.cause.describe()))),
        ("damaged", shown(&snapshot.ending.damaged.as_ref().map(|one| one.cause.describe()))),
        ("failure", shown(&failure.map(|one| shortened(&one.message)))),
    ]
}

/// What other systems are told.
fn subject(snapshot: &Snapshot) -> Value {
    json!({
        "id": snapshot.id,
        "name": snapshot.name,
        "status": snapshot.status,
        "origin": snapshot.origin,
        "instance_id": snapshot.source.instance_id,
        "instance_name": snapshot.source.instance_name,
        "region": snapshot.source.region,
        "schedule_id": snapshot.schedule_id(),
        "slot": snapshot.slot.as_ref().map(|slot| slot.slot),
        "created_at": snapshot.created_at,
        "started_at": snapshot.started_at,
        "size_gib": snapshot.size_gib(),
        "ebs_snapshot_ids":
            snapshot.members.iter().map(|one| &one.ebs_snapshot_id).collect::<Vec<_>>(),
        "delete_after": snapshot.ending.condemnation.as_ref().map(|one| one.delete_after),
        "blocked": snapshot.ending.blocked.as_ref().map(|one| shortened(&one.cause.describe())),
        "duplicate_of": snapshot.duplicate_of,
        "copy_of": snapshot.copy_of.as_ref().map(|original| &original.snapshot_id),
    })
}
