//! What must have become of each slot.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::calm::{Judgement, instant};
use crate::ledger::{Fires, Ledger, ScheduleFacts};

/// How near to a slot a change may be that leaves open whether it fires; clocks are off by minutes.
const NEAR: SignedDuration = SignedDuration::from_mins(12);

/// For how long a slot may be open while calls are late, and end in the middle: twice as long as one is.
const OPEN: SignedDuration = SignedDuration::from_mins(40);

/// How many of the slots that a standstill lets pass are recorded one by one, clocks being off: the latest.
const NAMED: i32 = 90;

/// Each slot ends as a snapshot or as something that a person sees.
pub(crate) fn judge_slots(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    recorded(ledger, judgement);
    counted(ledger, judgement);
    founded(ledger, judgement);
}

/// Each slot of a schedule that fires has a record, be it that it was missed.
fn recorded(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    let Judgement { books, now, .. } = *judgement;
    let mut missing = None;
    for (id, facts) in ledger.schedules.iter().filter(|(_, facts)| !facts.dropped) {
        let slots: BTreeSet<i64> = books
            .runs
            .iter()
            .filter(|run| run["slot"]["schedule_id"] == **id)
            .filter_map(|run| Some(instant(&run["slot"]["slot"])?.as_second()))
            .collect();
        let step = SignedDuration::from_mins(facts.minutes);
        let is_excused = |slot: &Timestamp| {
            let named = step * NAMED;
            let mut still = ledger.standstills.iter();
            // What was due shortly before was open still.
            still.any(|(from, to)| *from - OPEN <= *slot && *slot + named < *to)
        };
        let mut due = facts.due_slots(now - NEAR).filter(|slot| !is_excused(slot));
        let is_there = |slot: &Timestamp| {
            let second = slot.as_second();
            slots.range(second - 1..=second + 1).next().is_some()
        };
        missing = missing.or_else(|| due.find(|slot| !is_there(slot)).map(|slot| (id, slot)));
    }
    if let Some((id, slot)) = missing {
        let text = format!("nothing is recorded of the slot {slot} of {id}");
        ledger.violated(now, "slot-missing", text);
    }
}

impl ScheduleFacts {
    /// Its slots until `end` at which it certainly fired.
    fn due_slots(&self, end: Timestamp) -> impl Iterator<Item = Timestamp> {
        let step = SignedDuration::from_mins(self.minutes);
        let first = self.anchor + step;
        let slots = std::iter::successors(Some(first), move |slot| Some(*slot + step));
        slots.take_while(move |slot| *slot < end).filter(|slot| self.fires_at(*slot))
    }

    fn fires_at(&self, slot: Timestamp) -> bool {
        let before = self.fires.iter().rfind(|(at, _)| *at + NEAR < slot);
        let is_near = |at: Timestamp| at + NEAR >= slot && at <= slot + NEAR;
        before.is_some_and(|(_, fires)| *fires == Fires::Yes)
            && !self.fires.iter().any(|(at, _)| is_near(*at))
    }
}

/// A run that found nothing says so, and its numbers are those of its targets.
fn counted(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    let Judgement { books, now, .. } = *judgement;
    for run in &books.runs {
        let counts = &run["counts"];
        let total = run["targets"].as_array().map_or(0, Vec::len);
        if run["status"] == "done" && total == 0 && run["trigger"] == "schedule" {
            let slot = &run["slot"];
            let text = format!(
                "the run of {} at {} is done, with no target",
                slot["schedule_id"], slot["slot"]
            );
            ledger.violated(now, "slot-without-target", text);
        }
        let sum: i64 = ["succeeded", "failed", "skipped", "outstanding"]
            .iter()
            .filter_map(|name| counts[*name].as_i64())
            .sum();
        let is_over = !["dispatching", "running", "missed"]
            .contains(&run["status"].as_str().unwrap_or_default());
        if is_over && usize::try_from(sum).unwrap_or(0) != total {
            let text = format!("the run {} has {total} targets and counts {counts}", run["slot"]);
            ledger.violated(now, "slot-miscounted", text);
        }
    }
}

/// As many targets as a run counts as done have a set that EC2 really made.
fn founded(ledger: &mut Ledger, judgement: &Judgement<'_>) {
    let Judgement { books, now, .. } = *judgement;
    for run in &books.runs {
        let (schedule, slot) = (&run["slot"]["schedule_id"], instant(&run["slot"]["slot"]));
        let is_of_slot = |one: &&crate::ledger::Group| {
            let at = one.slot.as_ref().and_then(|text| text.parse::<Timestamp>().ok());
            one.schedule.as_deref() == schedule.as_str() && at.is_some() && at == slot
        };
        let made: BTreeSet<_> =
            ledger.groups.iter().filter(is_of_slot).map(|one| one.instance.as_str()).collect();
        let succeeded = run["counts"]["succeeded"].as_u64().unwrap_or(0);
        if succeeded > u64::try_from(made.len()).unwrap_or(0) {
            let text = format!(
                "the run {} counts {succeeded} successes; EC2 made sets of {made:?}",
                run["slot"]
            );
            return ledger.violated(now, "slot-unfounded", text);
        }
    }
}
