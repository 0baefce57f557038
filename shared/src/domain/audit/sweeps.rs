//! Audit entries of a sweep.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Action, Entry, FieldChange, shown};
use crate::domain::sweep::{Sweep, SweepStatus};

/// What became of a sweep by a write at `now`. An hourly one that did nothing leaves nothing.
pub fn entries_of_sweep(old: Option<&Sweep>, new: &Sweep, now: Timestamp) -> Vec<Entry> {
    if old.is_some_and(|old| old.status == new.status) {
        return Vec::new();
    }
    let is_asked_for = new.requested_by.is_some();
    let executed = new.executed;
    let has_acted = executed.condemned > 0 || executed.failed > 0;
    let told = match new.status {
        SweepStatus::Requested if is_asked_for => Some(Action::SweepRequested),
        SweepStatus::NeedsApproval => Some(Action::SweepNeedsApproval),
        SweepStatus::Approved => Some(Action::SweepApproved),
        SweepStatus::Done if is_asked_for || has_acted => Some(Action::SweepFinished),
        SweepStatus::Planned if is_asked_for => Some(Action::SweepFinished),
        SweepStatus::Refused => Some(Action::SweepRefused),
        SweepStatus::Requested
        | SweepStatus::Planned
        | SweepStatus::Executing
        | SweepStatus::Done => None,
    };
    told.into_iter().map(|action| entry(action, (old, new), now)).collect()
}

fn entry(action: Action, (old, sweep): (Option<&Sweep>, &Sweep), now: Timestamp) -> Entry {
    let status = FieldChange {
        field: "status".to_owned(),
        before: old.map_or(Value::Null, |old| shown(&old.status)),
        after: shown(&sweep.status),
    };
    let stopped: Vec<_> = sweep.brakes.iter().map(|brake| brake.schedule_id.as_str()).collect();
    let total = usize::try_from(sweep.brakes_total).unwrap_or(0);
    // First, for a long text is cut.
    let among = if total > stopped.len() {
        format!("{total} schedules, among them ")
    } else {
        String::new()
    };
    let brakes = (!stopped.is_empty() && action == Action::SweepNeedsApproval)
        .then(|| format!("the brake stopped {among}{}", stopped.join(", ")));
    let reason = sweep.refusal.clone().or(brakes);
    let summary = format!("Sweep {} {}", sweep.id, action.phrase());
    Entry::new(action, (sweep.id.as_str(), sweep.version), now, summary)
        .changing(vec![status])
        .because(reason.as_deref())
        .about(subject(sweep))
}

/// What other systems are told. Of the schedules that were stopped it names the first hundred.
fn subject(sweep: &Sweep) -> Value {
    json!({
        "id": sweep.id,
        "status": sweep.status,
        "mode": sweep.mode,
        "requested_by": sweep.requested_by,
        "planned_at": sweep.planned_at,
        "plan_hash": sweep.plan_hash,
        "to_delete": sweep.planned.delete,
        "condemned": sweep.executed.condemned,
        "stopped_schedule_ids":
            sweep.brakes.iter().map(|brake| &brake.schedule_id).take(100).collect::<Vec<_>>(),
    })
}
