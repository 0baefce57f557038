//! Schedules: made, shown, edited, deleted.

use jiff::Timestamp;
use tracing::info;

use crate::domain::cursor::PageRequest;
use crate::domain::ids::ScheduleId;
use crate::domain::run::Run;
use crate::domain::schedule::copies::{CopyTarget, refusal};
use crate::domain::schedule::edit::Edit;
use crate::domain::schedule::expression::Expression;
use crate::domain::schedule::slots::Due;
use crate::domain::schedule::zone::Zone;
use crate::domain::schedule::{Schedule, Settings, Targets, slots};
use crate::domain::snapshot::ScheduleSlot;
use crate::domain::tags::TAGS_MAX;
use crate::domain::tags::pattern::TagPattern;
use crate::error::Error;
use crate::operations::record_missed::record_missed;
use crate::operations::rewrite::until_written;
use crate::service::Service;
use crate::table::Written;
use crate::views;
use crate::views::snapshots::{Deleted, SnapshotFilter};

/// Makes a schedule. Its first slot is the next one; it never fires at once. Asked again under the same id, it
/// answers what there is.
pub async fn create(
    service: &Service,
    id: ScheduleId,
    settings: Settings,
    now: Timestamp,
) -> Result<Schedule, Error> {
    let schedule = planned(service, id, settings, now)?;
    if let Some(existing) = service.table.schedule(&schedule.id).await? {
        return Ok(existing);
    }
    refuse_leftovers(service, &schedule.id).await?;
    if service.table.insert_schedule(&schedule).await?.is_done() {
        info!(schedule.id = %schedule.id, "Schedule {} is made", schedule.id);
        return Ok(schedule);
    }
    views::schedules::show(service, &schedule.id).await
}

/// The schedule as it would be made at `now`, or why it cannot be. Nothing is written.
pub fn planned(
    service: &Service,
    id: ScheduleId,
    settings: Settings,
    now: Timestamp,
) -> Result<Schedule, Error> {
    let schedule = Schedule::made(id, settings, now);
    check_targets(&schedule.settings.targets)?;
    check_copies(service, &schedule.settings.copies)?;
    checked(schedule, now)
}

/// A request that is repeated after its schedule was deleted does not make it again: what it had taken is
/// kept, and the rules of then would delete it.
async fn refuse_leftovers(service: &Service, id: &ScheduleId) -> Result<(), Error> {
    let first = PageRequest { limit: 1, ..PageRequest::default() };
    let filter = SnapshotFilter {
        schedule_id: Some(id.clone()),
        deleted: Deleted::Show,
        ..SnapshotFilter::default()
    };
    let has_run = !service.table.list_runs(id, &first).await?.items.is_empty();
    if has_run || !views::snapshots::list(service, &filter, &first).await?.items.is_empty() {
        return Err(Error::conflict(
            "the schedule that this request made was deleted; use another Idempotency-Key",
        ));
    }
    Ok(())
}

/// Changes a schedule by `edit`, which is applied to the settings as they are read. Enabling it again does not fire it. A
/// slot that is due and not yet run still runs, unless it is disabled: then the slot is recorded as missed.
pub async fn edit(
    service: &Service,
    id: &ScheduleId,
    edit: impl Fn(Settings) -> Settings,
    expected_version: Option<u64>,
    now: Timestamp,
) -> Result<Schedule, Error> {
    // A tick may write its next due time between our reading and writing: that is no conflict of people.
    let edit = &edit;
    let edited = until_written(|| async move {
        let Edit { old, new } = plan_edit(service, id, edit, expected_version, now).await?;
        if new == old {
            return Ok(Some(new));
        }
        let written = match slots::due(&old, now).filter(|_| !new.settings.enabled) {
            Some(due) => write_dropping(service, (&old, &new), &due, now).await?,
            None => service.table.update_schedule(&old, &new).await?,
        };
        Ok(written.is_done().then_some(new))
    });
    match edited.await? {
        Some(new) => Ok(new),
        None => Err(stale(&views::schedules::show(service, id).await?)),
    }
}

/// Writes an edit by which nobody will run what is due any more, and leaves a record of those slots: of the latest in the
/// same transaction, since a tick would take it for the slot's run; of the older ones, which no tick runs, before it.
async fn write_dropping(
    service: &Service,
    (old, new): (&Schedule, &Schedule),
    due: &Due,
    now: Timestamp,
) -> Result<Written, Error> {
    record_missed(service, old, &due.older, now).await?;
    let slot = ScheduleSlot { schedule_id: old.id.clone(), slot: due.slot };
    if service.table.run(&slot).await?.is_some() {
        // A tick has taken it up.
        return service.table.update_schedule(old, new).await;
    }
    let dropped = Run::never_begun(slot, now);
    service.table.update_schedule_dropping(old, new, &dropped).await
}

/// The edit, checked and not written; or why it cannot be.
pub async fn plan_edit(
    service: &Service,
    id: &ScheduleId,
    edit: impl Fn(Settings) -> Settings,
    expected_version: Option<u64>,
    now: Timestamp,
) -> Result<Edit, Error> {
    let old = views::schedules::show(service, id).await?;
    if expected_version.is_some_and(|version| version != old.version) {
        return Err(stale(&old));
    }
    let settings = edit(old.settings.clone());
    if settings == old.settings {
        return Ok(Edit { new: old.clone(), old });
    }
    let new = Schedule {
        settings,
        version: old.version + 1,
        revision: old.revision + 1,
        updated_at: now,
        ..old.clone()
    };
    let new = if timing(&new) == timing(&old) { new } else { checked(new, now)? };
    // No edit moves a slot that is due and not yet run.
    let due = slots::due(&old, now).filter(|_| new.settings.enabled).and(old.next_due);
    let new = Schedule { next_due: due.or(new.next_due), ..new };
    let new = new.with_drills_since(Some(&old), now);
    check_targets(&new.settings.targets)?;
    if new.settings.copies != old.settings.copies {
        check_copies(service, &new.settings.copies)?;
    }
    Ok(Edit { old, new })
}

/// Deletes a schedule. Its snapshots stay, and no rule deletes them any more; those it had condemned are
/// rescued.
pub async fn delete(
    service: &Service,
    id: &ScheduleId,
    expected_version: Option<u64>,
    now: Timestamp,
) -> Result<(), Error> {
    let deleted = until_written(|| async move {
        let old = views::schedules::show(service, id).await?;
        if expected_version.is_some_and(|version| version != old.version) {
            return Err(stale(&old));
        }
        Ok(service.table.delete_schedule(&old, now).await?.is_done().then_some(()))
    });
    if deleted.await?.is_none() {
        return Err(stale(&views::schedules::show(service, id).await?));
    }
    info!(schedule.id = %id, "Schedule {id} is deleted");
    Ok(())
}

/// The settings that decide when a schedule fires.
fn timing(schedule: &Schedule) -> (&Expression, &Zone, Option<Timestamp>, Option<Timestamp>, bool) {
    let Settings { expression, timezone, start_at, end_at, enabled, .. } = &schedule.settings;
    (expression, timezone, *start_at, *end_at, *enabled)
}

/// Refuses targets that EC2 would refuse or never find.
fn check_targets(targets: &Targets) -> Result<(), Error> {
    if targets.is_empty() {
        let reason = "name at least one instance in instance_ids, or one tag in tags";
        return Err(Error::invalid("targets", reason));
    }
    let lists = [
        ("targets.tags.all_of", &targets.tags.all_of),
        ("targets.tags.any_of", &targets.tags.any_of),
        ("targets.tags.none_of", &targets.tags.none_of),
    ];
    let is_tag = |tag: &TagPattern| {
        (1..=128).contains(&tag.key.chars().count()) && tag.value.as_str().chars().count() <= 256
    };
    for (field, tags) in lists {
        if tags.len() > TAGS_MAX || !tags.iter().all(is_tag) {
            let reason = format!(
                "at most {TAGS_MAX} tags, with keys of 1 to 128 and values of at most 256 characters"
            );
            return Err(Error::invalid(field, reason));
        }
    }
    Ok(())
}

/// Copies go to regions that are looked after, to each once.
fn check_copies(service: &Service, copies: &[CopyTarget]) -> Result<(), Error> {
    match refusal(copies, &service.settings.regions) {
        Some((position, reason)) => {
            Err(Error::invalid(format!("copies[{position}].region"), reason))
        }
        None => Ok(()),
    }
}

/// The schedule with its next due time, or what about it cannot be.
fn checked(schedule: Schedule, now: Timestamp) -> Result<Schedule, Error> {
    if let (Some(start), Some(end)) = (schedule.settings.start_at, schedule.settings.end_at)
        && end <= start
    {
        return Err(Error::invalid("end_at", "must lie after start_at"));
    }
    if let Some(end) =
        schedule.settings.end_at.filter(|end| *end <= now && schedule.settings.enabled)
    {
        return Err(Error::invalid("end_at", format!("{end} is past; it must lie ahead")));
    }
    let settings = Settings { enabled: true, ..schedule.settings.clone() };
    let enabled = Schedule { settings, ..schedule.clone() };
    let next_due = slots::next_due(&enabled, now);
    // One that is disabled, or is to be, need not fire.
    if schedule.settings.enabled && next_due.is_none() {
        return Err(Error::invalid(
            "expression",
            format!("`{}` never fires from now on", schedule.settings.expression),
        ));
    }
    Ok(Schedule { next_due: next_due.filter(|_| schedule.settings.enabled), ..schedule })
}

fn stale(schedule: &Schedule) -> Error {
    Error::Stale { noun: "the schedule", current: schedule.version }
}
