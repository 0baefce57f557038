//! Audit entries of a restore.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Action, Entry, Fields, differences, shortened, shown};
use crate::domain::restore::mode::RestoreMode;
use crate::domain::restore::{Restore, RestoreStatus};

/// What became of a restore, or of a drill, by a write at `now`: nothing for its steps.
pub fn entries_of_restore(old: Option<&Restore>, new: &Restore, now: Timestamp) -> Vec<Entry> {
    let told = match (old.map(|old| old.status), new.status) {
        (before, after) if before == Some(after) => {
            let told_at = |restore: &Restore| restore.before.told_at;
            let is_new = old.map(told_at) != Some(told_at(new));
            let of_image = new.kept_image().map(|_| Told::ImageDue);
            is_new.then_some(of_image.unwrap_or(Told::OldVolumesDue))
        }
        (_, RestoreStatus::Requested) => Some(Told::Requested),
        (Some(RestoreStatus::Failed), RestoreStatus::Running) => Some(Told::Retried),
        (_, RestoreStatus::Running) => None,
        (_, RestoreStatus::Done) => Some(Told::Finished),
        (_, RestoreStatus::Failed) => Some(Told::Failed),
        // Whoever has the way back go on takes the failure off; whoever cancels leaves it.
        (Some(RestoreStatus::Failed), RestoreStatus::Cancelling)
            if new.course.failure.is_none() =>
        {
            Some(Told::Retried)
        }
        (_, RestoreStatus::Cancelling) => Some(Told::Cancelling),
        (_, RestoreStatus::Cancelled) => Some(Told::Cancelled),
    };
    told.into_iter().map(|told| entry(told, (old, new), now)).collect()
}

/// What became of it, whether it is a drill or not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Requested,
    Retried,
    Cancelling,
    Cancelled,
    Finished,
    Failed,
    OldVolumesDue,
    ImageDue,
}

impl Told {
    fn action(self, mode: &RestoreMode) -> Action {
        let is_drill = *mode == RestoreMode::Drill;
        match self {
            Self::Requested if is_drill => Action::DrillRequested,
            Self::Requested => Action::RestoreRequested,
            Self::Retried if is_drill => Action::DrillRetried,
            Self::Retried => Action::RestoreRetried,
            Self::Cancelling if is_drill => Action::DrillCancelling,
            Self::Cancelling => Action::RestoreCancelling,
            Self::Cancelled if is_drill => Action::DrillCancelled,
            Self::Cancelled => Action::RestoreCancelled,
            Self::Finished if is_drill => Action::DrillFinished,
            Self::Finished => Action::RestoreFinished,
            Self::Failed if is_drill => Action::DrillFailed,
            Self::Failed => Action::RestoreFailed,
            Self::OldVolumesDue => Action::RestoreOldVolumesDue,
            Self::ImageDue => Action::RestoreImageDue,
        }
    }
}

fn entry(told: Told, (old, new): (Option<&Restore>, &Restore), now: Timestamp) -> Entry {
    let action = told.action(&new.mode);
    let noun = if new.mode == RestoreMode::Drill { "Drill" } else { "Restore" };
    let (id, snapshot, instance) = (&new.id, &new.snapshot_id, &new.instance_id);
    let left = match told {
        Told::Cancelled if is_left(new) => " and left as it is".to_owned(),
        Told::ImageDue => new.kept_image().map(|image| format!(": {image}")).unwrap_or_default(),
        Told::Requested
        | Told::Retried
        | Told::Cancelling
        | Told::Cancelled
        | Told::Finished
        | Told::Failed
        | Told::OldVolumesDue => String::new(),
    };
    let summary = format!("{noun} {id} of {snapshot} of {instance} {}{left}", action.phrase());
    let failure = words(new).filter(|_| told == Told::Failed);
    Entry::new(action, (id.as_str(), new.version), now, summary)
        .of_instance(instance)
        .changing(differences(old.map(fields).as_ref(), Some(&fields(new))))
        .because(failure.as_deref())
        .about(subject(new))
}

/// Whether one that is cancelled has something that was not taken back, because nobody wanted that.
fn is_left(restore: &Restore) -> bool {
    !restore.is_undoing() || restore.step().is_some()
}

/// Why it stopped, and at which step.
fn words(restore: &Restore) -> Option<String> {
    let failure = restore.course.failure.as_ref()?;
    Some(shortened(&format!("{}: {}", failure.step, failure.message)))
}

/// What the audit compares: what is asked for, and what comes of it.
fn fields(restore: &Restore) -> Fields {
    vec![
        ("status", shown(&restore.status)),
        ("snapshot_id", shown(&restore.snapshot_id)),
        ("mode", shown(&restore.mode.as_str())),
        ("target_instance_id", shown(&restore.mode.target())),
        ("new_instance_id", shown(&restore.made.new_instance_id)),
        ("cancelled_by", shown(&restore.course.cancelled_by)),
        ("failure", shown(&words(restore))),
    ]
}

/// What other systems are told: of a drill how long it took, of any other what was restored, and where.
fn subject(restore: &Restore) -> Value {
    if restore.mode == RestoreMode::Drill {
        let took = |end: Timestamp| end.duration_since(restore.created_at).as_secs();
        return json!({
            "id": restore.id,
            "snapshot_id": restore.snapshot_id,
            "instance_id": restore.instance_id,
            "region": restore.region,
            "status": restore.status,
            "failure": words(restore),
            "seconds": restore.course.finished_at.map(took),
        });
    }
    json!({
        "id": restore.id,
        "snapshot_id": restore.snapshot_id,
        "instance_id": restore.instance_id,
        "region": restore.region,
        "status": restore.status,
        "failure": words(restore),
        "mode": restore.mode.as_str(),
        "target_instance_id": restore.mode.target(),
        "new_instance_id": restore.made.new_instance_id,
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::audit::Author;
    use crate::domain::restore::RestoreFailure;
    use crate::domain::restore::plan::{SnapshotFirst, steps};
    use crate::domain::restore::step::{Step, StepName, StepStatus};
    use crate::domain::restore::transitions::Cancellation;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const VOLUMES: RestoreMode = RestoreMode::NewVolumes { attach_to: None };

    fn restore(mode: &RestoreMode) -> Restore {
        let record = json!({
            "id": "rst_0195500c-6d00-7000-8000-000000000000", "version": 1,
            "snapshot_id": "snp_0195500c-6d00-7000-8000-000000000000", "snapshot_name": "web",
            "instance_id": "i-0123456789abcdef0", "instance_name": null, "region": "us-east-1",
            "zone": "us-east-1a", "mode": mode, "requested_by": "ada", "created_at": NOW,
            "status": "requested", "steps": [], "volumes": [], "keep_old_days": 14,
        });
        let restore: Restore = serde_json::from_value(record).unwrap();
        let steps = steps(&restore.mode, SnapshotFirst::No).into_iter().map(Step::new).collect();
        Restore { steps, ..restore }
    }

    fn running(mode: &RestoreMode) -> Restore {
        restore(mode).leased(NOW).unwrap()
    }

    fn failed(restore: &Restore) -> Restore {
        let failure = RestoreFailure {
            step: StepName::CreateVolumes,
            code: "VolumeLimitExceeded".to_owned(),
            message: "no room".to_owned(),
            missing_right: None,
            at: NOW,
        };
        restore.failed(failure, NOW)
    }

    fn cancelled(restore: &Restore, how: Cancellation) -> Restore {
        restore.cancelled("ada", how, NOW).unwrap().unwrap()
    }

    /// A minute and a half later, with nothing left to do.
    fn over(mut restore: Restore) -> Restore {
        while !restore.status.is_over() {
            let end = NOW + SignedDuration::from_secs(90);
            restore = restore.step_over(StepStatus::Done, None, end);
        }
        restore
    }

    fn of(old: &Restore, new: &Restore) -> Vec<&'static str> {
        let entries = entries_of_restore(Some(old), new, NOW);
        entries.iter().map(|entry| entry.action.as_str()).collect()
    }

    #[test]
    fn each_turn_of_a_restore_gives_its_entry() {
        let (asked, running) = (restore(&VOLUMES), running(&VOLUMES));
        let failed = failed(&running);
        let retried = failed.retried(NOW).unwrap().unwrap();
        let back = cancelled(&failed, Cancellation::TakeBack);

        let requested = entries_of_restore(None, &asked, NOW);
        assert_eq!(requested.len(), 1);
        assert_eq!(requested[0].action, Action::RestoreRequested);
        assert_eq!(requested[0].instance_id.as_ref(), Some(&asked.instance_id));
        assert_eq!(of(&running, &failed), ["restore.failed"]);
        assert_eq!(of(&failed, &retried), ["restore.retried"]);
        assert_eq!(of(&retried, &over(retried.clone())), ["restore.finished"]);
        assert_eq!(of(&failed, &back), ["restore.cancelling"]);
        assert_eq!(of(&back, &over(back.clone())), ["restore.cancelled"]);
    }

    #[test]
    fn the_way_back_fails_and_goes_on_like_the_way_there() {
        let back = cancelled(&running(&VOLUMES), Cancellation::TakeBack);
        let stuck = failed(&back);
        let goes_on = stuck.retried(NOW).unwrap().unwrap();

        assert_eq!(of(&back, &stuck), ["restore.failed"]);
        assert_eq!(goes_on.status, RestoreStatus::Cancelling);
        assert_eq!(of(&stuck, &goes_on), ["restore.retried"]);
        let again = cancelled(&stuck, Cancellation::TakeBack);
        assert_eq!(of(&stuck, &again), ["restore.cancelling"]);
    }

    #[test]
    fn what_is_left_is_told_apart_from_what_is_taken_back() {
        let failed = failed(&running(&VOLUMES));
        let back = cancelled(&failed, Cancellation::TakeBack);
        let summary = |old: &Restore, new: &Restore| {
            entries_of_restore(Some(old), new, NOW).remove(0).summary
        };

        for old in [&failed, &back] {
            let left = cancelled(old, Cancellation::LeaveAsItIs);
            assert_eq!(of(old, &left), ["restore.cancelled"]);
            assert!(summary(old, &left).ends_with(" is cancelled and left as it is"));
        }
        assert!(summary(&back, &over(back.clone())).ends_with(" is cancelled"));
    }

    #[test]
    fn steps_and_looks_and_nudges_give_none() {
        let (asked, running) = (restore(&VOLUMES), running(&VOLUMES));
        let further = running.step_over(StepStatus::Done, None, NOW);

        assert_eq!(further.status, RestoreStatus::Running);
        for new in [
            further,
            running.waiting("for EC2", NOW),
            running.troubled("later".to_owned(), NOW),
            running.nudged(NOW),
        ] {
            assert_eq!(of(&running, &new), [""; 0]);
        }
        assert_eq!(of(&asked, &running), [""; 0]);
    }

    #[test]
    fn a_drill_is_told_as_one_with_how_long_it_took() {
        let (running, author) = (running(&RestoreMode::Drill), Author::rule("restorer"));
        let done = over(running.clone());
        let failed = failed(&running);
        let back = cancelled(&failed, Cancellation::TakeBack);

        let asked = entries_of_restore(None, &restore(&RestoreMode::Drill), NOW);
        let finished = entries_of_restore(Some(&running), &done, NOW).remove(0);

        assert_eq!(asked[0].action, Action::DrillRequested);
        assert_eq!(finished.action, Action::DrillFinished);
        assert_eq!(finished.event(&author).unwrap().detail["drill"]["seconds"], json!(90));
        assert_eq!(of(&running, &failed), ["drill.failed"]);
        assert_eq!(of(&failed, &failed.retried(NOW).unwrap().unwrap()), ["drill.retried"]);
        assert_eq!(of(&failed, &back), ["drill.cancelling"]);
        assert_eq!(of(&back, &over(back.clone())), ["drill.cancelled"]);
    }

    #[test]
    fn a_failure_says_at_which_step_and_why() {
        let running = running(&VOLUMES);

        let entry = entries_of_restore(Some(&running), &failed(&running), NOW).remove(0);
        let event = entry.event(&Author::rule("restorer")).unwrap();

        assert_eq!(entry.reason.as_deref(), Some("create_volumes: no room"));
        assert_eq!(event.detail["restore"]["failure"], json!("create_volumes: no room"));
        assert_eq!(event.detail["restore"]["mode"], json!("new_volumes"));
        let changed: Vec<_> = entry.changes.iter().map(|change| &*change.field).collect();
        assert_eq!(changed, ["status", "failure"]);
    }
}
