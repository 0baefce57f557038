//! Audit entries of a schedule.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Action, Entry, FieldChange, Fields, differences, shown};
use crate::domain::ids::InstanceId;
use crate::domain::schedule::{Schedule, Settings, Targets};

/// How many instances an entry names: 12,000 would not fit in an item of the table.
const NAMED_MAX: usize = 100;
/// How many instances one write gives an entry of their own.
const OWN_ENTRIES_MAX: usize = 60;

/// What became of a schedule by a write, and of the instances that it names: nothing for what a tick or a sweep
/// writes.
pub fn entries_of_schedule(old: Option<&Schedule>, new: &Schedule) -> Vec<Entry> {
    let (action, at) = match old {
        None => (Action::ScheduleCreated, new.created_at),
        Some(old) if old.version != new.version => (Action::ScheduleEdited, new.updated_at),
        Some(_) => return Vec::new(),
    };
    let own = entry(action, (new, new.revision), at, changes(old, Some(new)));
    let before = old.map(|old| named(&old.settings.targets)).unwrap_or_default();
    with_assignments(
        own,
        assignments(new, new.revision, (&before, &named(&new.settings.targets)), at),
    )
}

/// What became of a schedule that is removed at `now`, and of the instances that it named.
pub fn entries_of_removed_schedule(old: &Schedule, now: Timestamp) -> Vec<Entry> {
    let version = old.revision + 1;
    let own = entry(Action::ScheduleDeleted, (old, version), now, changes(Some(old), None));
    let none = BTreeSet::new();
    with_assignments(own, assignments(old, version, (&named(&old.settings.targets), &none), now))
}

fn entry(
    action: Action,
    (schedule, version): (&Schedule, u64),
    at: Timestamp,
    changes: Vec<FieldChange>,
) -> Entry {
    let names: Vec<_> = changes.iter().map(|change| change.field.clone()).collect();
    let summary =
        format!("Schedule {} ({}) {}", schedule.id, schedule.settings.name, action.phrase());
    Entry::new(action, (schedule.id.as_str(), version), at, summary)
        .of_schedule(&schedule.id)
        .about(subject(schedule, &names))
        .changing(changes)
}

/// The schedule's own entry, and those of the first instances; it says of how many more there is none.
fn with_assignments(own: Entry, mut assignments: Vec<Entry>) -> Vec<Entry> {
    let more = assignments.len().saturating_sub(OWN_ENTRIES_MAX);
    assignments.truncate(OWN_ENTRIES_MAX);
    let summary = if more == 0 {
        own.summary
    } else {
        format!(
            "{}; {OWN_ENTRIES_MAX} instances are assigned to it or no longer, and {more} more",
            own.summary
        )
    };
    let mut entries = vec![Entry { summary, ..own }];
    entries.append(&mut assignments);
    entries
}

/// What differs. Of targets that name many instances only how many, and the first of those that differ.
fn changes(old: Option<&Schedule>, new: Option<&Schedule>) -> Vec<FieldChange> {
    let mut changes = differences(old.map(fields).as_ref(), new.map(fields).as_ref());
    let (before, after) =
        (old.map(|one| &one.settings.targets), new.map(|one| &one.settings.targets));
    let has_many = [before, after].into_iter().flatten().any(|one| {
        one.instance_ids.len() > NAMED_MAX || one.exclude_instance_ids.len() > NAMED_MAX
    });
    if has_many {
        for change in changes.iter_mut().filter(|change| change.field == "targets") {
            change.before = before.map_or(Value::Null, |targets| outline(targets, after));
            change.after = after.map_or(Value::Null, |targets| outline(targets, before));
        }
    }
    changes
}

/// Targets, with no more than the first instances that the others lack.
fn outline(targets: &Targets, others: Option<&Targets>) -> Value {
    let named = others.map(|one| one.instance_ids.as_slice());
    let excluded = others.map(|one| one.exclude_instance_ids.as_slice());
    json!({
        "instances": targets.instance_ids.len(),
        "instance_ids": lacking(&targets.instance_ids, named),
        "tags": targets.tags,
        "excluded_instances": targets.exclude_instance_ids.len(),
        "exclude_instance_ids": lacking(&targets.exclude_instance_ids, excluded),
    })
}

fn lacking<'a>(ids: &'a [InstanceId], others: Option<&[InstanceId]>) -> Vec<&'a InstanceId> {
    let others: BTreeSet<_> = others.into_iter().flatten().collect();
    ids.iter().filter(|id| !others.contains(id)).take(NAMED_MAX).collect()
}

/// An entry for each instance that is named before or after, and not both.
fn assignments(
    schedule: &Schedule,
    version: u64,
    (before, after): (&BTreeSet<&InstanceId>, &BTreeSet<&InstanceId>),
    at: Timestamp,
) -> Vec<Entry> {
    let id = &schedule.id;
    let one = |action, instance: &InstanceId, verb| {
        let summary =
            format!("Instance {instance} {verb} schedule {id} ({})", schedule.settings.name);
        let entry = Entry::new(action, (instance.as_str(), version), at, summary);
        Entry { schedule_id: Some(id.clone()), ..entry.of_instance(instance) }
    };
    let assigned = after
        .difference(before)
        .map(|instance| one(Action::InstanceAssigned, instance, "is assigned to"));
    let unassigned = before
        .difference(after)
        .map(|instance| one(Action::InstanceUnassigned, instance, "is not assigned any more to"));
    assigned.chain(unassigned).collect()
}

/// The instances that a schedule names and does not leave out.
fn named(targets: &Targets) -> BTreeSet<&InstanceId> {
    let is_in = |id: &&InstanceId| !targets.exclude_instance_ids.contains(id);
    targets.instance_ids.iter().filter(is_in).collect()
}

/// What the audit compares: all that a person can set.
fn fields(schedule: &Schedule) -> Fields {
    let Settings {
        name,
        expression,
        timezone,
        targets,
        rules,
        when_gone,
        options,
        copies,
        spread_minutes,
        restore_window,
        drill_every,
        start_at,
        end_at,
        enabled,
        grace_minutes,
    } = &schedule.settings;
    vec![
        ("name", shown(name)),
        ("expression", shown(expression)),
        ("timezone", shown(timezone)),
        ("targets", shown(targets)),
        ("retention", shown(rules)),
        ("when_gone", shown(when_gone)),
        ("options", shown(options)),
        ("copies", shown(copies)),
        ("spread_minutes", shown(spread_minutes)),
        ("restore_window", shown(restore_window)),
        ("drill_every", shown(drill_every)),
        ("start_at", shown(start_at)),
        ("end_at", shown(end_at)),
        ("enabled", shown(enabled)),
        ("grace_minutes", shown(grace_minutes)),
    ]
}

/// What other systems are told: without the targets and rules, which have no bound.
fn subject(schedule: &Schedule, changed: &[String]) -> Value {
    json!({
        "id": schedule.id,
        "name": schedule.settings.name,
        "expression": schedule.settings.expression,
        "timezone": schedule.settings.timezone,
        "enabled": schedule.settings.enabled,
        "version": schedule.version,
        "next_due": schedule.next_due,
        "changed": changed,
    })
}
