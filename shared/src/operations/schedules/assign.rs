//! Assigns schedules to an instance: exactly those that are wanted are for it afterwards.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio::task::JoinSet;
use tracing::info;

use crate::domain::ids::{InstanceId, ScheduleId};
use crate::domain::instance::Instance;
use crate::domain::schedule::assignment::Assigned;
use crate::domain::schedule::{Schedule, Settings, TARGETS_MAX, Targets};
use crate::error::Error;
use crate::operations::rewrite::until_written;
use crate::service::Service;
use crate::views;
use crate::views::instance_coverage::{InstanceView, view_of};
use crate::views::schedule_limits::check_schedule;

/// How many schedules can be assigned to an instance in this way.
pub const ASSIGNED_MAX: usize = 25;
/// How many schedules are written in one transaction, which takes a hundred items
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>): each comes with its
/// entry in the audit, the event that tells of it, and the instance's entry.
const CHANGED_MAX: usize = 25;
/// How many schedules are looked at beside EC2's limits; each costs a few Describe calls.
const CHECKED_MAX: usize = 5;

/// Whether an assignment is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignmentMode {
    /// It is.
    Write,
    /// It is only told what would change.
    Preview,
}

/// What an assignment has changed, or would.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The instance afterwards.
    pub view: InstanceView,
    /// The schedules that are changed, as they are afterwards, with what was done to their targets.
    pub changes: Vec<(Schedule, Assigned)>,
    /// What is worth a warning, in words.
    pub warnings: Vec<String>,
}

/// Makes `wanted` the schedules that are for the instance of this id. Those that are not for it yet name it afterwards;
/// those that are and are not wanted name it no longer, or leave it out by its id where their tags select it. All of them
/// are changed, or none. Done again, it changes nothing. Nothing is deleted by it: rules go on for the snapshots that
/// a schedule has taken, whatever it is for.
///
/// An instance or a schedule that there is not is [`Error::NotFound`]; an instance that is terminated, to which schedules
/// would be assigned, a schedule with too many targets, and too many changes are [`Error::Conflict`].
pub async fn assign(
    service: &Service,
    id: &InstanceId,
    wanted: &BTreeSet<ScheduleId>,
    mode: AssignmentMode,
    now: Timestamp,
) -> Result<Assignment, Error> {
    let instance = views::instances::show(service, id).await?;
    if instance.is_gone() && !wanted.is_empty() {
        let reason =
            format!("the instance is {}; no schedule can be assigned to it", instance.state);
        return Err(Error::conflict(reason));
    }
    // A tick may write a schedule's next due time between our reading and writing.
    let subject = &instance;
    let written = until_written(|| async move {
        let mut schedules = service.table.every_schedule().await?;
        let planned = plan(subject, wanted, &schedules, now)?;
        let pairs: Vec<_> = planned.iter().map(|one| (one.old.clone(), one.new.clone())).collect();
        if mode == AssignmentMode::Write && !pairs.is_empty() {
            if !service.table.update_schedules(&pairs).await?.is_done() {
                return Ok(None);
            }
            info!(instance.id = %id, "{} schedules are changed for {id}", pairs.len());
        }
        schedules.extend(pairs.into_iter().map(|(_, new)| (new.id.clone(), new)));
        Ok(Some((schedules, planned)))
    });
    let Some((schedules, planned)) = written.await? else {
        return Err(Error::conflict("a schedule is being changed by others; try again"));
    };
    let warnings = warnings(service, &planned, now).await;
    let view = view_of(service, instance, &schedules, now).await?;
    let changes = planned.into_iter().map(|one| (one.new, one.assigned)).collect();
    Ok(Assignment { view, changes, warnings })
}

/// A schedule that is to change.
struct Planned {
    old: Schedule,
    new: Schedule,
    assigned: Assigned,
}

fn plan(
    instance: &Instance,
    wanted: &BTreeSet<ScheduleId>,
    schedules: &BTreeMap<ScheduleId, Schedule>,
    now: Timestamp,
) -> Result<Vec<Planned>, Error> {
    if let Some(unknown) = wanted.iter().find(|id| !schedules.contains_key(*id)) {
        return Err(Error::not_found("schedule", unknown));
    }
    let mut all = Vec::new();
    for old in schedules.values() {
        let (targets, assigned) = if wanted.contains(&old.id) {
            old.settings.targets.with(instance)
        } else {
            old.settings.targets.without(instance)
        };
        let Some(assigned) = assigned else { continue };
        check_count(old, &targets)?;
        let new = Schedule {
            settings: Settings { targets, ..old.settings.clone() },
            version: old.version + 1,
            revision: old.revision + 1,
            updated_at: now,
            ..old.clone()
        };
        all.push(Planned { old: old.clone(), new, assigned });
    }
    if all.len() > CHANGED_MAX {
        return Err(Error::conflict(format!(
            "{} schedules would have to change, and at most {CHANGED_MAX} can at once; take the instance \
             out of some of them first",
            all.len()
        )));
    }
    Ok(all)
}

/// A schedule that names more instances than a run can have would not fit its record either.
fn check_count(schedule: &Schedule, targets: &Targets) -> Result<(), Error> {
    let named = |targets: &Targets| targets.instance_ids.len() + targets.exclude_instance_ids.len();
    let count = named(targets);
    if count > TARGETS_MAX && count > named(&schedule.settings.targets) {
        return Err(Error::conflict(format!(
            "{} names {count} instances, and at most {TARGETS_MAX} are possible; select them by tags",
            schedule.settings.name
        )));
    }
    Ok(())
}

/// What is worth saying of the schedules that change: what they come to beside EC2's limits where they are for one more
/// instance, and that one is for nothing now.
async fn warnings(service: &Service, planned: &[Planned], now: Timestamp) -> Vec<String> {
    let mut said = Vec::new();
    let mut checks = JoinSet::new();
    let mut grown = Vec::new();
    for Planned { new, assigned, .. } in planned {
        match assigned {
            Assigned::Named | Assigned::Readmitted => grown.push(new),
            Assigned::Unnamed | Assigned::Excluded => {
                let Targets { instance_ids, tags, exclude_instance_ids } = &new.settings.targets;
                let is_idle = tags.is_empty()
                    && instance_ids.iter().all(|id| exclude_instance_ids.contains(id));
                if is_idle {
                    said.push(format!("{} is for no instance any more", new.settings.name));
                }
            }
        }
        if !new.settings.enabled && matches!(assigned, Assigned::Named | Assigned::Readmitted) {
            said.push(format!(
                "{} is disabled and protects nothing until it is enabled",
                new.settings.name
            ));
        }
    }
    for schedule in grown.iter().take(CHECKED_MAX).copied().cloned() {
        let service = service.clone();
        checks.spawn(async move {
            let limits = check_schedule(&service, &schedule, now).await;
            (schedule.id, schedule.settings.name, limits.warnings)
        });
    }
    let mut found = Vec::new();
    while let Some(check) = checks.join_next().await {
        found.extend(check);
    }
    found.sort();
    let texts = |(_, name, warnings): (ScheduleId, String, Vec<String>)| {
        warnings.into_iter().map(move |warning| format!("{name}: {warning}"))
    };
    said.extend(found.into_iter().flat_map(texts));
    if grown.len() > CHECKED_MAX {
        said.push(format!(
            "{CHECKED_MAX} of {} schedules were checked against EC2's limits; the others say by \
             themselves",
            grown.len()
        ));
    }
    said
}
