//! Audit entries of a run.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Action, Entry, FieldChange, shown};
use crate::domain::run::{Run, RunStatus, Trigger};

/// Why due times are missed that nobody took up.
const NOTHING_RAN: &str = "nothing ran then";

/// What became of a run by a write: begun, finished or missed; nothing for what its visits find.
pub fn entries_of_run(old: Option<&Run>, new: &Run) -> Vec<Entry> {
    let status = |run: Option<&Run>| run.map(|run| run.status);
    if status(old) == Some(new.status) {
        return Vec::new();
    }
    let ended_at = new.finished_at.unwrap_or(new.claimed_at);
    match new.status {
        RunStatus::Dispatching => {
            let overdue =
                (new.missed > 0).then(|| missed(new, new.missed, new.claimed_at, NOTHING_RAN));
            std::iter::once(started(new)).chain(overdue).collect()
        }
        RunStatus::Running => Vec::new(),
        RunStatus::Failed if new.asked == 0 && new.trigger == Trigger::Schedule => {
            // No snapshot will fail for it: nobody would be told.
            let reason = new.failure.as_ref().map_or("it failed", |one| one.message.as_str());
            vec![finished(old, new, ended_at), missed(new, 1, ended_at, reason)]
        }
        RunStatus::Done | RunStatus::PartlyFailed | RunStatus::Failed => {
            vec![finished(old, new, ended_at)]
        }
        RunStatus::Missed => {
            let record = entry(Action::RunMissed, old, new, ended_at, "was missed");
            let record = record.because(Some("it was not begun in time"));
            // One that was claimed had no later one yet that counts it.
            let overdue = old.map(|_| missed(new, 1, ended_at, NOTHING_RAN));
            std::iter::once(record.of_schedule(&new.slot.schedule_id)).chain(overdue).collect()
        }
    }
}

fn started(run: &Run) -> Entry {
    let entry = entry(Action::RunStarted, None, run, run.claimed_at, "has begun");
    match run.trigger {
        Trigger::Person => entry.of_schedule(&run.slot.schedule_id),
        // Their snapshots say as much to its instances.
        Trigger::Schedule => entry,
    }
}

fn finished(old: Option<&Run>, run: &Run, at: Timestamp) -> Entry {
    let (verb, is_shown) = match run.status {
        RunStatus::Failed => ("failed", true),
        RunStatus::PartlyFailed => ("failed in part", true),
        RunStatus::Done | RunStatus::Dispatching | RunStatus::Running | RunStatus::Missed => {
            ("is done", false)
        }
    };
    let failure = run.failure.as_ref().map(|failure| failure.message.as_str());
    let entry = entry(Action::RunFinished, old, run, at, verb).because(failure);
    if is_shown { entry.of_schedule(&run.slot.schedule_id) } else { entry }
}

fn entry(action: Action, old: Option<&Run>, run: &Run, at: Timestamp, verb: &str) -> Entry {
    let (schedule, slot) = (&run.slot.schedule_id, run.slot.slot);
    let status = FieldChange {
        field: "status".to_owned(),
        before: old.map_or(Value::Null, |old| shown(&old.status)),
        after: shown(&run.status),
    };
    let summary = format!("The run of schedule {schedule} for {slot} {verb}");
    let entry = Entry::new(action, (&format!("{schedule}/{slot}"), run.version), at, summary)
        .changing(vec![status])
        .about(subject(run));
    Entry { schedule_id: Some(schedule.clone()), ..entry }
}

/// So many due times passed without anything being asked for; told once, by the run that catches up or has failed.
fn missed(run: &Run, count: u32, at: Timestamp, reason: &str) -> Entry {
    let (schedule, slot) = (&run.slot.schedule_id, run.slot.slot);
    let times = if count == 1 { "time" } else { "times" };
    let summary = format!("Schedule {schedule} missed {count} due {times}");
    Entry::new(Action::ScheduleMissed, (schedule.as_str(), run.version), at, summary)
        .of_schedule(schedule)
        .because(Some(reason))
        .about(json!({ "id": schedule, "missed": count, "slot": slot }))
}

/// What other systems are told.
fn subject(run: &Run) -> Value {
    json!({
        "schedule_id": run.slot.schedule_id,
        "slot": run.slot.slot,
        "status": run.status,
        "trigger": run.trigger,
        "lateness_seconds": run.lateness_seconds,
        "finished_at": run.finished_at,
        "total": run.counts.total,
        "succeeded": run.counts.succeeded,
        "failed": run.counts.failed,
        "skipped": run.counts.skipped,
    })
}
