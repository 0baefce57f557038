//! Sweeps: one evaluation of retention over everything. First a plan, then the brake, then its execution.

pub mod brake;
pub mod newest;
pub mod plan;
pub mod still_stands;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ScheduleId, SweepId};
use crate::domain::sweep::brake::Brake;
use crate::domain::sweep::brake::tally::Tallies;
use crate::domain::sweep::plan::PlanEntry;
use crate::domain::words::words;

/// How long a plan that waits for approval can be released.
pub const APPROVABLE_FOR: SignedDuration = SignedDuration::from_hours(1);
/// How many schedules the record of a sweep names; ten thousand would not fit into DynamoDB's 400 KB.
pub const NAMED_MAX: usize = 100;

/// One evaluation of retention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// Ours.
    pub id: SweepId,
    /// Counts the writes; what `If-Match` compares.
    pub version: u64,
    /// Whether it only plans.
    pub mode: SweepMode,
    /// Where it stands.
    pub status: SweepStatus,
    /// Who asked for it; none for the hourly rule.
    pub requested_by: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// When the plan was made: the `now` of every decision in it.
    pub planned_at: Option<Timestamp>,
    /// A fingerprint of the plan; an approval is for this one.
    pub plan_hash: Option<String>,
    /// How many pages the stored plan has.
    pub plan_pages: u32,
    /// A fingerprint of its tallies; none in sweeps of earlier versions.
    #[serde(default)]
    pub tally_hash: Option<String>,
    /// How many pages they have.
    #[serde(default)]
    pub tally_pages: u32,
    /// What the plan says, in numbers.
    pub planned: PlanCounts,
    /// The schedules that were stopped, and why: the first [`NAMED_MAX`]. All are among the plan's tallies.
    pub brakes: Vec<Brake>,
    /// How many were stopped; 0 in sweeps of earlier versions, which name all.
    #[serde(default)]
    pub brakes_total: u32,
    /// The schedules whose rules are not in force yet: the one for instances that are gone is edited, and an instance
    /// may be gone, but that is believed at the next look only; or a region with snapshots of theirs was out of reach.
    /// What they delete then must not count as expected. The first [`NAMED_MAX`]; all are among the plan's tallies.
    #[serde(default)]
    pub unsettled: Vec<ScheduleId>,
    /// The regions that were out of reach when it was planned. Their snapshots stay, whatever the rules say.
    #[serde(default)]
    pub regions_out_of_reach: Vec<String>,
    /// The schedules whose records could not be read. Their snapshots stay. The first [`NAMED_MAX`].
    #[serde(default)]
    pub unreadable_schedules: Vec<String>,
    /// The snapshots whose records could not be read. They stay, and let nothing else go. The first [`NAMED_MAX`].
    #[serde(default)]
    pub unreadable_snapshots: Vec<String>,
    /// Why the whole sweep was refused, or waits for a person's word.
    pub refusal: Option<String>,
    /// Who released what the brake had stopped, and when.
    pub approval: Option<Approval>,
    /// What the execution did, in numbers.
    pub executed: ExecutionCounts,
    /// When a function took it up that may still be at it: for as long as a function lasts the tick leaves it alone.
    #[serde(default)]
    pub claimed_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// Whether a sweep only plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepMode {
    /// Nothing but the plan; it is the dry run.
    PlanOnly,
    /// The plan is carried out, as far as the brake lets it.
    Execute,
}

words! {
    /// Where a sweep stands.
    SweepStatus {
        /// Wanted.
        Requested => "requested",
        /// Planned, and no more was wanted.
        Planned => "planned",
        /// Being carried out.
        Executing => "executing",
        /// Carried out, but for what the brake stopped and an admin may release.
        NeedsApproval => "needs_approval",
        /// Released by an admin.
        Approved => "approved",
        /// Carried out.
        Done => "done",
        /// Not carried out, since the clock looks wrong or it took too long.
        Refused => "refused",
    }
}

/// Who released a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A plan in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCounts {
    /// Snapshots looked at.
    pub snapshots: u32,
    /// To be kept.
    pub keep: u32,
    /// To be deleted.
    pub delete: u32,
    /// Should go and cannot.
    pub blocked: u32,
}

/// An execution in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionCounts {
    /// Condemned.
    pub condemned: u32,
    /// Left alone, since they had changed meanwhile.
    pub skipped: u32,
    /// Could not be condemned, for a fault that passes.
    pub failed: u32,
}

impl Sweep {
    /// A sweep that is wanted.
    pub fn requested(id: SweepId, mode: SweepMode, by: Option<String>, now: Timestamp) -> Self {
        Self {
            id,
            version: 1,
            mode,
            status: SweepStatus::Requested,
            requested_by: by,
            created_at: now,
            planned_at: None,
            plan_hash: None,
            plan_pages: 0,
            tally_hash: None,
            tally_pages: 0,
            planned: PlanCounts::default(),
            brakes: Vec::new(),
            brakes_total: 0,
            unsettled: Vec::new(),
            regions_out_of_reach: Vec::new(),
            unreadable_schedules: Vec::new(),
            unreadable_snapshots: Vec::new(),
            refusal: None,
            approval: None,
            executed: ExecutionCounts::default(),
            claimed_at: None,
            finished_at: None,
        }
    }

    /// The hourly sweep of this instant: the same however often its tick is delivered.
    pub fn hourly(tick: Timestamp) -> Self {
        let id = SweepId::derived(tick, &["hourly", &tick.to_string()]);
        Self::requested(id, SweepMode::Execute, None, tick)
    }

    /// Taken up at `now`. Who had it before has died, or finds out when it writes.
    #[must_use]
    pub fn claimed(&self, now: Timestamp) -> Self {
        Self { version: self.version + 1, claimed_at: Some(now), ..self.clone() }
    }

    /// Nobody is at it any more.
    #[must_use]
    pub fn released(&self) -> Self {
        Self { version: self.version + 1, claimed_at: None, ..self.clone() }
    }

    /// The same, naming what the tallies of its plan have stopped, as far as there is room.
    #[must_use]
    pub fn naming(self, tallies: &Tallies) -> Self {
        Self {
            brakes_total: u32::try_from(tallies.brakes().count()).unwrap_or(u32::MAX),
            brakes: tallies.brakes().take(NAMED_MAX).cloned().collect(),
            unsettled: tallies.unsettled().take(NAMED_MAX).cloned().collect(),
            ..self
        }
    }

    /// It was not carried out for a day: nobody waits for it any more.
    #[must_use]
    pub fn given_up(&self, now: Timestamp) -> Self {
        Self {
            version: self.version + 1,
            status: SweepStatus::Refused,
            claimed_at: None,
            refusal: Some("it was not carried out within 24 hours".to_owned()),
            finished_at: Some(now),
            ..self.clone()
        }
    }

    /// Whether anything in it waits for an admin.
    pub fn needs_approval(&self) -> bool {
        self.approval.is_none() && (self.refusal.is_some() || !self.brakes.is_empty())
    }

    /// Releases what the brake stopped, or why that cannot be.
    pub fn approve(&self, by: &str, plan_hash: &str, now: Timestamp) -> Result<Self, String> {
        if self.status != SweepStatus::NeedsApproval {
            return Err(format!(
                "the sweep is {}; only one that needs_approval can be approved",
                self.status
            ));
        }
        if self.plan_hash.as_deref() != Some(plan_hash) {
            return Err(
                "plan_hash is not that of this sweep's plan; read the sweep again".to_owned()
            );
        }
        let planned_at = self.planned_at.unwrap_or(self.created_at);
        if now.duration_since(planned_at) > APPROVABLE_FOR {
            return Err("the plan is more than an hour old; ask for a new sweep".to_owned());
        }
        Ok(Self {
            version: self.version + 1,
            status: SweepStatus::Approved,
            claimed_at: None,
            approval: Some(Approval { by: by.to_owned(), at: now }),
            ..self.clone()
        })
    }
}

impl PlanCounts {
    /// The numbers of a plan.
    pub fn of(entries: &[PlanEntry]) -> Self {
        let count = |wanted: fn(&plan::Verdict) -> bool| {
            u32::try_from(entries.iter().filter(|entry| wanted(&entry.verdict)).count())
                .unwrap_or(u32::MAX)
        };
        Self {
            snapshots: u32::try_from(entries.len()).unwrap_or(u32::MAX),
            keep: count(|verdict| matches!(verdict, plan::Verdict::Keep)),
            delete: count(|verdict| matches!(verdict, plan::Verdict::Delete { .. })),
            blocked: count(|verdict| matches!(verdict, plan::Verdict::Blocked { .. })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_claim_and_release_is_a_version_of_its_own() {
        let now: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
        let requested = Sweep::hourly(now);

        let claimed = requested.claimed(now);
        let released = claimed.released();

        let versions = [&requested, &claimed, &released].map(|sweep| sweep.version);
        assert_eq!(versions, [1, 2, 3]);
        assert_eq!((claimed.claimed_at, released.claimed_at), (Some(now), None));
    }
}
