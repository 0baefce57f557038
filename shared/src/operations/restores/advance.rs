//! Brings a restore as far as it goes without waiting: a step that waits for EC2 is left to the tick.
//!
//! Whoever works at a restore has it to itself for a while (its lease), records what EC2 is about to be asked for, asks,
//! and records the answer. Everything that is asked for can be asked for again: by a client token, by a name that is
//! taken once, or after a look.

mod act;
mod dry_run;
mod see;
mod volumes;

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::clock::Clock;
use crate::domain::ids::{InstanceId, RestoreId};
use crate::domain::image::seen::SeenState;
use crate::domain::restore::decision::{Act, Next};
use crate::domain::restore::next::next;
use crate::domain::restore::seen::{RestoreFacts, VolumeState};
use crate::domain::restore::step::StepStatus;
use crate::domain::restore::{Restore, RestoreFailure, RestoreStatus};
use crate::ec2::Ec2;
use crate::error::{Error, chain};
use crate::operations::rewrite::until_written;
use crate::service::Service;

/// How many decisions one worker makes; the tick goes on.
const ROUNDS_MAX: usize = 40;
/// How often a worker looks while the instance stands still.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(3);
/// For how long it stays for that at the most: less than its function may run.
const STAYS_FOR: SignedDuration = SignedDuration::from_mins(4);

/// Does what is next of a restore. While another worker is at it, or nothing is to be done, it does nothing.
pub async fn advance(service: &Service, id: &RestoreId, clock: &Clock) -> Result<(), Error> {
    let Some(restore) = service.table.restore(id).await? else {
        warn!(restore.id = %id, "There is no restore {id}");
        return Ok(());
    };
    let now = clock.now();
    let restore = match restore.taken_back_by_itself(now) {
        Some(back) => service.table.update_restore(&restore, &back, now).await?,
        None => Some(restore),
    };
    let Some(restore) = restore else { return Ok(()) };
    if restore.status == RestoreStatus::Failed {
        return watch(service, &restore, now).await;
    }
    if restore.is_to_tell(now) {
        return tell_of_what_is_left(service, &restore, now).await;
    }
    let Some(leased) = restore.leased(now) else { return Ok(()) };
    let held = service.table.update_restore(&restore, &leased, now).await?;
    let Some(held) = held else { return Ok(()) };
    let mut work = Work { service, clock, held };
    work.go_on().await?;
    // Each second counts while the instance stands still: the worker stays, and looks again and again. A step that takes
    // longer is left to the tick, so that others get their turn.
    while work.held.is_down()
        && clock.has_room_for(LOOK_EVERY)
        && clock.now().duration_since(now) < STAYS_FOR
        && !work.has_taken(STAYS_FOR)
    {
        clock.pause(LOOK_EVERY).await;
        let now = clock.now();
        let Some(leased) = work.held.leased(now) else { break };
        let Some(held) = service.table.update_restore(&work.held, &leased, now).await? else {
            break;
        };
        work.held = held;
        work.go_on().await?;
    }
    if work.goes_on() {
        let released = work.held.released(clock.now());
        work.record(released).await?;
    }
    Ok(())
}

/// Has people told that what a restore has left may be deleted, if EC2 still shows it.
async fn tell_of_what_is_left(
    service: &Service,
    restore: &Restore,
    now: Timestamp,
) -> Result<(), Error> {
    // A region that nobody looks after any more has nothing to tell.
    let is_left = match service.ec2_in(&restore.region) {
        Ok(ec2) => is_left(ec2, restore).await,
        Err(_) => Ok(false),
    };
    let is_left = match is_left {
        Ok(is_left) => is_left,
        Err(error) => {
            warn!(restore.id = %restore.id, error.chain = %chain(&error), "What {} has left is not looked at", restore.id);
            return Ok(());
        }
    };
    let told = restore.told(is_left.then_some(now));
    // Written meanwhile: the next look finds the same.
    drop(service.table.update_restore(restore, &told, now).await?);
    Ok(())
}

/// Whether EC2 shows an old volume that nobody uses again, or the image that stays.
async fn is_left(ec2: &Ec2, restore: &Restore) -> Result<bool, Error> {
    if let Some(image) = restore.kept_image() {
        return Ok(ec2.image(image).await?.is_some_and(|image| image.state == SeenState::There));
    }
    let old = restore.before.old_volumes.iter().flatten();
    let old: Vec<_> = old.map(|old| old.volume_id.clone()).collect();
    let seen = ec2.seen_volumes(&old).await?;
    Ok(seen.iter().any(|volume| volume.state == VolumeState::Available))
}

/// Looks at what a restore has made that has stopped: what people attach of it, meanwhile, is never deleted afterwards.
async fn watch(service: &Service, restore: &Restore, now: Timestamp) -> Result<(), Error> {
    let Ok(ec2) = service.ec2_in(&restore.region) else { return Ok(()) };
    let volumes = match ec2.volumes_of_restore(&restore.id).await {
        Ok(volumes) => volumes,
        Err(error) => {
            warn!(restore.id = %restore.id, error.chain = %chain(&error), "What {} has made is not looked at", restore.id);
            return Ok(());
        }
    };
    let mut seen = RestoreFacts { volumes, ..RestoreFacts::default() };
    let old: Vec<_> =
        restore.before.old_volumes.iter().flatten().map(|old| old.volume_id.clone()).collect();
    if let Ok(old) = ec2.seen_volumes(&old).await {
        seen.volumes.extend(old);
    }
    let mut noticed = restore.noticing(&seen).unwrap_or_else(|| restore.clone());
    noticed.course.places = seen.places();
    if noticed != *restore {
        // Written meanwhile: the next look finds the same.
        let written = service.table.update_restore(restore, &noticed, now).await?;
        drop(written);
    }
    Ok(())
}

/// Ends a restore: it is written, and its snapshot and instance are free. Nothing if it is no longer as `old` was
/// read.
pub(crate) async fn end(
    service: &Service,
    old: &Restore,
    new: &Restore,
) -> Result<Option<Restore>, Error> {
    let ended = until_written(|| async move {
        let snapshot = service.table.snapshot(&old.snapshot_id).await?;
        let lock = match old.mode.target() {
            Some(target) => Some(service.table.restoring(target).await?),
            None => None,
        };
        let written = service.table.end_restore(old, new, snapshot.as_ref(), lock.as_ref()).await?;
        if written.is_done() {
            return Ok(Some(Some(Restore { version: old.version + 1, ..new.clone() })));
        }
        let current = service.table.restore(&old.id).await?;
        let is_other = current.is_none_or(|current| current.version != old.version);
        Ok(is_other.then_some(None))
    });
    if let Some(ended) = ended.await? {
        return Ok(ended);
    }
    let source = "its snapshot changes all the time".into();
    Err(Error::Unavailable { service: "the end of a restore", source })
}

/// A restore that a worker has to itself.
struct Work<'a> {
    service: &'a Service,
    clock: &'a Clock,
    held: Restore,
}

/// What became of something that was to be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recorded {
    /// It was.
    Yes,
    /// A person has cancelled the restore: what is at hand is the record as it is now.
    Overtaken,
}

impl Work<'_> {
    /// Goes as far as it goes without waiting.
    async fn go_on(&mut self) -> Result<(), Error> {
        for _ in 0..ROUNDS_MAX {
            if self.clock.is_over() || !self.goes_on() {
                break;
            }
            self.round().await?;
        }
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether there is anything to be done now, and by this worker.
    fn goes_on(&self) -> bool {
        let is_open = match self.held.status {
            RestoreStatus::Running | RestoreStatus::Cancelling => true,
            RestoreStatus::Requested
            | RestoreStatus::Done
            | RestoreStatus::Failed
            | RestoreStatus::Cancelled => false,
        };
        is_open && self.held.is_leased(self.now())
    }

    /// Looks, decides, and does what was decided.
    async fn round(&mut self) -> Result<(), Error> {
        let service = self.service;
        let ec2 = match service.ec2_in(&self.held.region) {
            Ok(ec2) => ec2,
            Err(error) => return self.fail("RegionNotLookedAfter", error.to_string()).await,
        };
        let seen = match see::see(service, ec2, &self.held).await {
            Ok(seen) => seen,
            Err(Error::NotPermitted { action, source }) => {
                return self.fail_for_right(action, source.to_string()).await;
            }
            Err(error @ Error::Unavailable { .. }) => return self.troubled(chain(&error)).await,
            // Asked again, EC2 would refuse it again.
            Err(error @ Error::Internal { .. }) => {
                return self.fail("LookRefused", chain(&error)).await;
            }
            Err(error) => return Err(error),
        };
        let now = self.now();
        match next(&self.held, &seen, now) {
            None => self.record(self.held.released(now)).await.map(|_| ()),
            Some(Next::Wait(what)) => {
                if self.held.is_overdue(now) {
                    let trouble = self.held.course.trouble.clone().unwrap_or_default();
                    return self
                        .fail("TimedOut", format!("waited in vain {what}. {trouble}"))
                        .await;
                }
                self.record(self.held.waiting(what, now)).await.map(|_| ())
            }
            Some(Next::Done) => self.step_over(StepStatus::Done, None).await,
            Some(Next::Skip(why)) => {
                self.step_over(StepStatus::Skipped, Some(why.to_owned())).await
            }
            Some(Next::Record(record)) => self.record(*record).await.map(|_| ()),
            Some(Next::Fail { code, message, mut record }) => {
                record.course.places = seen.places();
                let failed = record.failed(self.failure(code, message, None), now);
                self.record(failed).await.map(|_| ())
            }
            // EC2 may take it each time, and the instance all the same never get there.
            Some(Next::Act(Act::Start | Act::Stop)) if self.held.is_overdue(now) => {
                self.fail("TimedOut", never_got_there(&self.held)).await
            }
            Some(Next::Act(act)) => Box::pin(self.carry_out(ec2, act, &seen)).await,
        }
    }

    async fn step_over(&mut self, status: StepStatus, note: Option<String>) -> Result<(), Error> {
        let now = self.now();
        self.record(self.held.step_over(status, note, now)).await.map(|_| ())
    }

    fn failure(&self, code: &str, message: String, right: Option<String>) -> RestoreFailure {
        RestoreFailure {
            step: self
                .held
                .step()
                .map_or(crate::domain::restore::step::StepName::Check, |(_, step)| step.name),
            code: code.to_owned(),
            message,
            missing_right: right,
            at: self.now(),
        }
    }

    async fn fail(&mut self, code: &str, message: String) -> Result<(), Error> {
        let failed = self.held.failed(self.failure(code, message, None), self.now());
        self.record(failed).await.map(|_| ())
    }

    async fn fail_for_right(&mut self, right: String, said: String) -> Result<(), Error> {
        let message = format!("our role may not {right}: {said}");
        let failure = self.failure("aws_not_permitted", message, Some(right));
        self.record(self.held.failed(failure, self.now())).await.map(|_| ())
    }

    async fn troubled(&mut self, trouble: String) -> Result<(), Error> {
        warn!(restore.id = %self.held.id, error.chain = %trouble, "Restore {} waits", self.held.id);
        if self.held.is_overdue(self.now()) {
            return self.fail("TimedOut", trouble).await;
        }
        self.record(self.held.troubled(trouble, self.now())).await.map(|_| ())
    }

    /// Writes what becomes of the restore.
    async fn record(&mut self, new: Restore) -> Result<Recorded, Error> {
        let written = if new.status.is_over() {
            end(self.service, &self.held, &new).await?
        } else {
            self.service.table.update_restore(&self.held, &new, self.now()).await?
        };
        if let Some(written) = written {
            note(&self.held, &written);
            self.held = written;
            return Ok(Recorded::Yes);
        }
        let current = self.service.table.restore(&self.held.id).await?;
        let same = |one: &Restore| {
            one.course.lease.map(|lease| lease.number)
                == self.held.course.lease.map(|lease| lease.number)
        };
        match current {
            Some(current) if same(&current) => self.held = current,
            // Another worker has it: then this one has none.
            Some(_) | None => self.held.course.lease = None,
        }
        Ok(Recorded::Overtaken)
    }
}

fn never_got_there(restore: &Restore) -> String {
    let target = restore.mode.target().map(InstanceId::as_str).unwrap_or_default();
    let trouble =
        restore.course.trouble.as_deref().map(|said| format!("; {said}")).unwrap_or_default();
    format!(
        "EC2 was asked again and again, and {target} does not follow: look at the instance's state reason (often a \
         KMS key that our role may not use){trouble}"
    )
}

fn note(old: &Restore, new: &Restore) {
    let id = &new.id;
    if let (RestoreStatus::Failed, Some(failure)) = (new.status, &new.course.failure) {
        warn!(restore.id = %id, "Restore {id} stops at {}: {}", failure.step, failure.message);
    } else if new.status != old.status {
        info!(restore.id = %id, "Restore {id} is {}", new.status);
    }
}
