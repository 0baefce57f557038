//! The transitions of a restore, each conditional on where it stands.

use jiff::{SignedDuration, Timestamp};

use super::mode::{PlannedVolume, RestoreMode};
use super::next::SNAPSHOT_FIRST_FAILED;
use super::step::{Step, StepName, StepStatus};
use super::{LEASE_LASTS, LOOK_AFTER, Lease, Restore, RestoreFailure, RestoreStatus};
use crate::domain::ids::VolumeId;
use crate::domain::restore::{Course, Made};

/// How long a schedule's drill that has failed on the way back stands still before it is taken up again.
const BACK_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(6);

/// How often a restore that has stopped is looked at for what people do with its volumes.
const WATCH_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// The restore does not stand where the transition begins; the text says so in words.
type Refusal = String;

/// What a cancellation does with what was made and changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// Takes it back, as far as that can be done.
    TakeBack,
    /// Leaves it all as it is.
    LeaveAsItIs,
}

impl Restore {
    /// Whether the way leads back.
    pub fn is_undoing(&self) -> bool {
        !self.undo.is_empty()
    }

    /// The steps of the way that it is on.
    pub fn way(&self) -> &[Step] {
        if self.is_undoing() { &self.undo } else { &self.steps }
    }

    /// The step at hand, and its number from 1 on; none once all are behind.
    pub fn step(&self) -> Option<(usize, &Step)> {
        let position = self.way().iter().position(|step| !step.is_over())?;
        Some((position + 1, self.way().get(position)?))
    }

    /// The step of this name on the way there.
    pub fn forward(&self, name: StepName) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// Whether this step of the way there was ever begun.
    pub fn has_begun(&self, name: StepName) -> bool {
        self.forward(name).is_some_and(Step::is_begun)
    }

    /// How many of a hundred parts of the way are behind.
    pub fn progress_percent(&self) -> u8 {
        let behind = self.way().iter().filter(|step| step.is_over()).count();
        let percent = (behind * 100).checked_div(self.way().len()).unwrap_or(100);
        u8::try_from(percent).unwrap_or(100)
    }

    /// Whether a worker may be at it at `now`.
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.course.lease.is_some_and(|lease| now < lease.until)
    }

    /// The restore with its step begun by a worker who has it to itself; none while another may be at it, or where
    /// nothing is to be done.
    pub fn leased(&self, now: Timestamp) -> Option<Self> {
        let status = match self.status {
            RestoreStatus::Requested | RestoreStatus::Running => RestoreStatus::Running,
            RestoreStatus::Cancelling => RestoreStatus::Cancelling,
            RestoreStatus::Done | RestoreStatus::Failed | RestoreStatus::Cancelled => return None,
        };
        if self.is_leased(now) {
            return None;
        }
        let until = now.saturating_add(LEASE_LASTS).ok();
        let number = self.course.lease.map_or(1, |lease| lease.number + 1);
        let begun = Self {
            status,
            course: Course {
                lease: until.map(|until| Lease { number, until }),
                attention_at: until,
                ..self.course.clone()
            },
            ..self.clone()
        };
        Some(begun.step_begun(now))
    }

    /// Nothing can be done before EC2 is further; the tick looks again soon.
    #[must_use]
    pub fn waiting(&self, note: &str, now: Timestamp) -> Self {
        let mut waits = self.released(now);
        if let Some(step) = waits.step_mut() {
            step.note = Some(note.to_owned());
        }
        waits
    }

    /// EC2 has not done what was asked for, and may do it later.
    #[must_use]
    pub fn troubled(&self, trouble: String, now: Timestamp) -> Self {
        let mut next = self.released(now);
        next.course.trouble = Some(trouble);
        next
    }

    /// The worker leaves it; somebody looks again soon.
    #[must_use]
    pub fn released(&self, now: Timestamp) -> Self {
        let lease = self.course.lease.map(|lease| Lease { until: now, ..lease });
        Self {
            course: Course { lease, attention_at: later(now, LOOK_AFTER), ..self.course.clone() },
            ..self.clone()
        }
    }

    /// The tick has made it known, and looks again in a while.
    #[must_use]
    pub fn nudged(&self, now: Timestamp) -> Self {
        Self {
            course: Course {
                attention_at: later(now, SignedDuration::from_mins(5)),
                ..self.course.clone()
            },
            ..self.clone()
        }
    }

    /// The step at hand is behind. After the last one it is over.
    #[must_use]
    pub fn step_over(&self, status: StepStatus, note: Option<String>, now: Timestamp) -> Self {
        let mut next =
            Self { course: Course { trouble: None, ..self.course.clone() }, ..self.clone() };
        if let Some(step) = next.step_mut() {
            step.status = status;
            step.finished_at = Some(now);
            step.note = note;
        }
        if next.step().is_some() {
            return next.step_begun(now);
        }
        Self {
            status: if next.is_undoing() { RestoreStatus::Cancelled } else { RestoreStatus::Done },
            course: Course {
                finished_at: Some(now),
                failure: if next.is_undoing() { next.course.failure.clone() } else { None },
                lease: None,
                ..next.course
            },
            ..next
        }
        .telling_later()
    }

    /// It stops at the step at hand, with what is there.
    #[must_use]
    pub fn failed(&self, failure: RestoreFailure, now: Timestamp) -> Self {
        let has_volumes = self.made.volumes.iter().any(|one| one.volume_id.is_some());
        let looks_at = match (self.drill_due.is_some(), self.is_undoing()) {
            (true, true) => Some(BACK_AGAIN_AFTER),
            (true, false) => Some(LOOK_AFTER),
            // What people do with these is looked at, so that it is known when they are to be deleted.
            (false, _) => has_volumes.then_some(WATCH_AFTER),
        };
        let mut next = Self {
            status: RestoreStatus::Failed,
            course: Course {
                lease: self.course.lease.map(|lease| Lease { until: now, ..lease }),
                attention_at: looks_at.and_then(|after| later(now, after)),
                trouble: None,
                ..self.course.clone()
            },
            ..self.clone()
        };
        if let Some(step) = next.step_mut() {
            step.status = StepStatus::Failed;
            step.finished_at = Some(now);
        }
        next.course.failure = Some(failure);
        next
    }

    /// A schedule's drill that has failed is taken back: nobody waits to retry it, and what it has made costs. One that has
    /// failed on the way back is taken up again some hours later, over and over. None for what a person has asked for.
    pub fn taken_back_by_itself(&self, now: Timestamp) -> Option<Self> {
        self.drill_due?;
        if self.status != RestoreStatus::Failed {
            return None;
        }
        if !self.is_undoing() {
            return self.cancelled(&self.requested_by, Cancellation::TakeBack, now).ok().flatten();
        }
        // A nudge sets `attention_at` anew, and what it makes known may come twice.
        let failed_at = self.course.failure.as_ref()?.at;
        if now.duration_since(failed_at) < BACK_AGAIN_AFTER {
            return None;
        }
        self.retried(now).ok().flatten()
    }

    /// What was made for a planned volume came to nothing: the next attempt makes another.
    #[must_use]
    pub fn volume_lost(&self, lost: &VolumeId) -> Self {
        let again = |volume: &PlannedVolume| {
            if volume.volume_id.as_ref() != Some(lost) {
                return volume.clone();
            }
            PlannedVolume { volume_id: None, attempt: volume.attempt + 1, ..volume.clone() }
        };
        Self {
            made: Made {
                volumes: self.made.volumes.iter().map(again).collect(),
                ..self.made.clone()
            },
            ..self.clone()
        }
    }

    /// The task, image or instance came to nothing: the next attempt makes another.
    #[must_use]
    pub fn attempt_lost(&self) -> Self {
        let attempt = self.made.attempt + 1;
        Self {
            made: Made {
                attempt,
                task_id: None,
                image_id: None,
                new_instance_id: None,
                ..self.made.clone()
            },
            ..self.clone()
        }
    }

    /// A person has it go on at the step where it stopped. One that is under way stays as it is.
    pub fn retried(&self, now: Timestamp) -> Result<Option<Self>, Refusal> {
        match self.status {
            RestoreStatus::Requested | RestoreStatus::Running | RestoreStatus::Cancelling => {
                return Ok(None);
            }
            RestoreStatus::Done | RestoreStatus::Cancelled => {
                return Err(format!("a restore that is {} cannot be taken up again", self.status));
            }
            RestoreStatus::Failed => {}
        }
        let status =
            if self.is_undoing() { RestoreStatus::Cancelling } else { RestoreStatus::Running };
        let needs_another =
            self.course.failure.as_ref().is_some_and(|past| past.code == SNAPSHOT_FIRST_FAILED);
        let restore =
            if needs_another { self.attempt_lost().with_snapshot_first() } else { self.clone() };
        let mut next = Self {
            status,
            course: Course {
                failure: None,
                attention_at: later(now, LOOK_AFTER),
                ..restore.course
            },
            ..restore
        };
        if let Some(step) = next.step_mut() {
            step.status = StepStatus::Pending;
            step.finished_at = None;
            step.note = None;
        }
        Ok(Some(next))
    }

    /// A person gives it up. One that is being taken back stays as it is.
    pub fn cancelled(
        &self,
        who: &str,
        cancellation: Cancellation,
        now: Timestamp,
    ) -> Result<Option<Self>, Refusal> {
        match self.status {
            RestoreStatus::Done => return Err("the restore is done".to_owned()),
            RestoreStatus::Cancelled => return Ok(None),
            RestoreStatus::Cancelling if cancellation == Cancellation::TakeBack => return Ok(None),
            RestoreStatus::Requested
            | RestoreStatus::Running
            | RestoreStatus::Failed
            | RestoreStatus::Cancelling => {}
        }
        let by = Some(who.to_owned());
        if cancellation == Cancellation::LeaveAsItIs {
            if self.is_leased(now) {
                return Err("the restore is being worked at; try again in some minutes".to_owned());
            }
            let left = Self {
                status: RestoreStatus::Cancelled,
                course: Course {
                    cancelled_by: by,
                    finished_at: Some(now),
                    lease: None,
                    ..self.course.clone()
                },
                ..self.clone()
            };
            return Ok(Some(left.telling_later()));
        }
        let is_replacing = matches!(self.mode, RestoreMode::ReplaceRoot { .. })
            && self.status != RestoreStatus::Failed
            && self.has_begun(StepName::ReplaceRoot);
        if is_replacing {
            let refusal =
                "EC2 is replacing the root volume, which cannot be stopped; wait for its end";
            return Err(refusal.to_owned());
        }
        let undo = if self.undo.is_empty() {
            self.undo_steps().into_iter().map(Step::new).collect()
        } else {
            self.undo.clone()
        };
        let mut next = Self {
            status: RestoreStatus::Cancelling,
            undo,
            course: Course {
                cancelled_by: by,
                attention_at: later(now, LOOK_AFTER),
                ..self.course.clone()
            },
            ..self.clone()
        };
        if let Some(step) = next.step_mut()
            && step.status == StepStatus::Failed
        {
            step.status = StepStatus::Pending;
        }
        Ok(Some(next))
    }

    fn step_begun(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        if let Some(step) = next.step_mut()
            && step.status != StepStatus::Running
        {
            step.status = StepStatus::Running;
            step.started_at = Some(now);
            next.course.flags_asked = false;
        }
        next
    }

    fn step_mut(&mut self) -> Option<&mut Step> {
        let way = if self.undo.is_empty() { &mut self.steps } else { &mut self.undo };
        way.iter_mut().find(|step| !step.is_over())
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Option<Timestamp> {
    now.saturating_add(by).ok()
}
