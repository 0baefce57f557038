//! Makes the copies to one region, at most twenty EBS snapshots at a time: claim, act, record.
//!
//! `CopySnapshot` has no client token. What is about to be asked is recorded first, the tags are set in the call itself,
//! the call is never repeated by the SDK, and what got no answer is looked for by its tags five minutes later.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use tracing::{info, warn};

use crate::clock::Clock;
use crate::domain::ids::EbsSnapshotId;
use crate::domain::ownership::{EbsSnapshot, EbsState};
use crate::domain::schedule::copies::UNDER_WAY_MAX;
use crate::domain::snapshot::copying::{CopyStage, PartAnswer};
use crate::domain::snapshot::{Failure, Snapshot, Status};
use crate::ec2::{CreationError, Ec2};
use crate::error::{Error, chain};
use crate::operations::copies::new_copy::new_copy;
use crate::operations::rewrite::until_written;
use crate::operations::snapshots::refresh::refresh;
use crate::service::Service;
use crate::table::turns::Turn;

/// How many copies are looked at: those under way are at the head of the queue, and at most twenty.
const QUEUE_MAX: usize = 100;
/// How many that are not permitted are tried in one round.
const REFUSED_MAX: usize = 40;

/// What became of the copies to a region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CopyReport {
    /// EBS snapshots that EC2 has begun to copy.
    pub begun: usize,
    /// Those that it had begun without our hearing of it.
    pub found: usize,
    /// Copies whose originals need not wait any more.
    pub over: usize,
}

/// Brings the copies to `region` a step further. Asked for twice within 50 seconds, the second does nothing; what is left
/// is done when the tick asks again.
pub async fn advance(service: &Service, region: &str, clock: &Clock) -> Result<CopyReport, Error> {
    let now = clock.now();
    let mut report = CopyReport::default();
    // A region that is not looked after any more is the reconciler's to clear up.
    let Ok(ec2) = service.ec2_in(region) else { return Ok(report) };
    if service.table.take_copy_turn(region, now).await? != Turn::Ours {
        return Ok(report);
    }
    let queue = service.table.awaited_copies(region, QUEUE_MAX).await?;
    let (mut open, mut over): (Vec<_>, Vec<_>) =
        queue.into_iter().partition(|copy| copy.no_longer_awaited().is_none());
    let seen = ec2.ebs_snapshots(&members(&open)).await?;
    let pending: Vec<_> =
        open.iter().filter(|copy| copy.status == Status::Pending).cloned().collect();
    let changed: BTreeSet<_> = refresh(service, &pending, &seen, now)
        .await
        .changed
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    if !changed.is_empty() {
        let ids: Vec<_> = changed.iter().cloned().collect();
        open.retain(|copy| !changed.contains(&copy.id));
        let current = service.table.snapshots(&ids).await?.into_values();
        let (again, ended): (Vec<_>, Vec<_>) =
            current.partition(|copy| copy.no_longer_awaited().is_none());
        open.extend(again);
        over.extend(ended);
    }
    for copy in &over {
        match release(service, copy).await {
            Ok(()) => report.over += 1,
            Err(error) => later(copy, &error),
        }
    }
    report.found = look_for_unanswered(service, ec2, &mut open, now).await?;
    let under_way = under_way(&open, &seen);
    open.sort_by(|one, other| (one.queued_at(), &one.id).cmp(&(other.queued_at(), &other.id)));
    report.begun = begin(service, ec2, open, under_way, clock).await;
    Ok(report)
}

/// Ends the copies to regions that are not looked after any more, of all `records`. Answers how many.
pub(crate) async fn end_unreachable(
    service: &Service,
    records: impl Iterator<Item = &Snapshot>,
    now: Timestamp,
) -> Result<usize, Error> {
    let mut ended = 0;
    let lost =
        records.filter(|one| one.is_awaited_copy() && service.ec2_in(&one.source.region).is_err());
    for copy in lost {
        let message = format!("the region {} is not looked after any more", copy.source.region);
        let next = copy.fail(Failure::new("OutOfReach", message), now);
        let copy = match next {
            Ok(failed) if service.table.update_snapshot(copy, &failed).await?.is_done() => failed,
            Ok(_) => continue,
            Err(_) => copy.clone(),
        };
        release(service, &copy).await?;
        ended += 1;
    }
    Ok(ended)
}

fn members(copies: &[Snapshot]) -> Vec<EbsSnapshotId> {
    let members = copies.iter().flat_map(Snapshot::living_members);
    members.map(|member| member.ebs_snapshot_id.clone()).collect()
}

/// How many EBS snapshots EC2 is copying, as far as anybody knows: what it shows as pending, does not show yet, or has not
/// answered for.
fn under_way(open: &[Snapshot], seen: &[EbsSnapshot]) -> usize {
    let states: BTreeMap<_, _> = seen.iter().map(|one| (&one.id, one.state)).collect();
    let is_pending =
        |id: &EbsSnapshotId| states.get(id).is_none_or(|state| *state == EbsState::Pending);
    let members = open.iter().flat_map(Snapshot::living_members);
    let unanswered = open
        .iter()
        .flat_map(Snapshot::parts)
        .filter(|part| part.copy.is_none() && part.claimed_at.is_some());
    members.filter(|member| is_pending(&member.ebs_snapshot_id)).count() + unanswered.count()
}

/// Tells the original that a copy is over, and then the copy that the original knows: whoever dies in between leaves it in
/// the queue, to be told again.
async fn release(service: &Service, copy: &Snapshot) -> Result<(), Error> {
    let (Some(of), Some(known)) = (&copy.copy_of, copy.no_longer_awaited()) else { return Ok(()) };
    let told = until_written(|| async move {
        let Some(original) = service.table.snapshot(&of.snapshot_id).await? else {
            return Ok(Some(()));
        };
        let next = original.copies_at(&[(copy.source.region.clone(), CopyStage::Over)]);
        let is_known = next.keepers.copies == original.keepers.copies;
        let is_told = is_known || service.table.update_snapshot(&original, &next).await?.is_done();
        Ok(is_told.then_some(()))
    });
    if told.await?.is_none() {
        let source = "others write its original all the time".into();
        return Err(Error::Unavailable { service: "DynamoDB", source });
    }
    if service.table.update_snapshot(copy, &known).await?.is_done() {
        info!(snapshot.id = %copy.id, "The copy {} of {} is {}", copy.id, of.snapshot_id, copy.status);
    }
    Ok(())
}

/// Looks for what EC2 was asked for and did not answer for, at least five minutes ago. What is not there is asked for
/// again.
async fn look_for_unanswered(
    service: &Service,
    ec2: &Ec2,
    open: &mut [Snapshot],
    now: Timestamp,
) -> Result<usize, Error> {
    let is_unanswered = |copy: &Snapshot| copy.parts().iter().any(|part| part.is_unanswered(now));
    let sets: Vec<_> =
        open.iter().filter(|copy| is_unanswered(copy)).map(|copy| copy.id.clone()).collect();
    if sets.is_empty() {
        return Ok(0);
    }
    let tagged = ec2.members_by_tag(&sets).await?;
    let mut count = 0;
    for copy in open.iter_mut().filter(|copy| sets.contains(&copy.id)) {
        let mut answers = BTreeMap::new();
        for part in copy.parts().iter().filter(|part| part.is_unanswered(now)) {
            let source = &part.source.ebs_snapshot_id;
            let found = tagged.iter().filter(|one| {
                let of = one.copied_from();
                one.set().as_ref() == Some(&copy.id) && of.is_some_and(|(_, id)| id == *source)
            });
            let first = found.min_by_key(|one| (one.started_at, &one.id));
            count += usize::from(first.is_some());
            let silence = Failure::new("NoAnswer", "EC2 did not answer, and has made nothing");
            let answer =
                first.map_or(PartAnswer::NotNow(silence), |one| PartAnswer::Begun(one.id.clone()));
            answers.insert(source.clone(), answer);
        }
        match record(service, copy.clone(), &answers, now).await {
            Ok(Some(next)) => *copy = next,
            Ok(None) => {}
            Err(error) => later(copy, &error),
        }
    }
    Ok(count)
}

/// Begins what waits, first asked for first, as long as EC2 takes more and there is time. One that is not permitted stops
/// no other. Answers how many.
async fn begin(
    service: &Service,
    ec2: &Ec2,
    open: Vec<Snapshot>,
    under_way: usize,
    clock: &Clock,
) -> usize {
    let mut room = UNDER_WAY_MAX.saturating_sub(under_way);
    let mut begun = 0;
    let mut refused = 0;
    for copy in open {
        let waiting: Vec<_> = copy
            .parts()
            .iter()
            .filter(|part| part.is_waiting())
            .map(|part| part.source.ebs_snapshot_id.clone())
            .collect();
        if waiting.is_empty() || !copy.is_being_copied() {
            continue;
        }
        if room == 0 || refused >= REFUSED_MAX || clock.is_over() {
            break;
        }
        let next: Vec<_> = waiting.into_iter().take(room).collect();
        match begin_parts(service, ec2, &copy, &next, clock).await {
            Ok(Begun { count, taken, more }) => {
                begun += count;
                room = room.saturating_sub(taken);
                match more {
                    More::Perhaps => {}
                    More::NotOfThis => refused += 1,
                    More::NotNow => break,
                }
            }
            Err(error) => later(&copy, &error),
        }
    }
    begun
}

/// Whether EC2 takes more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum More {
    Perhaps,
    /// Of others perhaps.
    NotOfThis,
    NotNow,
}

struct Begun {
    count: usize,
    /// How many EC2 is making, or may be.
    taken: usize,
    more: More,
}

impl Begun {
    const NOTHING: Self = Self { count: 0, taken: 0, more: More::Perhaps };
}

/// Claims these parts of a copy, asks EC2 for each, and records its answers.
async fn begin_parts(
    service: &Service,
    ec2: &Ec2,
    copy: &Snapshot,
    sources: &[EbsSnapshotId],
    clock: &Clock,
) -> Result<Begun, Error> {
    let now = clock.now();
    if let Some(failure) = copy.copy_given_up(now) {
        let failed = copy.fail(failure, now).map_err(Error::conflict)?;
        _ = service.table.update_snapshot(copy, &failed).await?;
        return Ok(Begun::NOTHING);
    }
    // Somebody has written it meanwhile: then it waits for the next time.
    let Ok(claimed) = copy.parts_claimed(sources, now) else { return Ok(Begun::NOTHING) };
    if !service.table.update_members(Some(copy), &claimed).await?.is_done() {
        return Ok(Begun::NOTHING);
    }
    let mut answers: BTreeMap<EbsSnapshotId, PartAnswer> = BTreeMap::new();
    let (mut count, mut unknown, mut more) = (0, 0, More::Perhaps);
    let mut stopped: Option<PartAnswer> = None;
    for source in sources {
        if stopped.is_none() && clock.is_over() {
            let failure = Failure::new("NotNow", "there was no time for it");
            stopped = Some(PartAnswer::NotNow(failure));
        }
        if let Some(answer) = &stopped {
            // The others of the same set wait with it.
            answers.insert(source.clone(), answer.clone());
            continue;
        }
        let Some(new) = new_copy(&claimed, source) else { continue };
        let answer = match ec2.copy_snapshot(new, clock.now()).await {
            Ok(id) => {
                count += 1;
                PartAnswer::Begun(id)
            }
            Err(CreationError::NotNow(failure)) => {
                more = More::NotNow;
                let others = Failure::new("NotNow", "EC2 takes no more copies at present");
                stopped = Some(PartAnswer::NotNow(others));
                PartAnswer::NotNow(failure)
            }
            Err(CreationError::NotPermitted(failure)) => {
                more = More::NotOfThis;
                warn!(snapshot.id = %copy.id, "The copy {} is not permitted: {}", copy.id, failure.message);
                stopped.insert(PartAnswer::NotPermitted(failure)).clone()
            }
            Err(CreationError::Refused(failure)) => {
                warn!(snapshot.id = %copy.id, "The copy {} fails: {}", copy.id, failure.message);
                PartAnswer::Refused(failure)
            }
            Err(CreationError::Unknown(source)) => {
                let text = chain(source.as_ref());
                warn!(snapshot.id = %copy.id, error.chain = %text, "EC2 did not answer for {}", copy.id);
                unknown += 1;
                continue;
            }
        };
        answers.insert(source.clone(), answer);
    }
    record(service, claimed, &answers, clock.now()).await?;
    Ok(Begun { count, taken: count + unknown, more })
}

/// Writes what became of parts onto the record, also where somebody else has written that meanwhile; none if the record
/// does not stand there any more.
async fn record(
    service: &Service,
    copy: Snapshot,
    answers: &BTreeMap<EbsSnapshotId, PartAnswer>,
    now: Timestamp,
) -> Result<Option<Snapshot>, Error> {
    let id = &copy.id.clone();
    // The first time it is what was claimed.
    let mut first = Some(copy);
    let written = until_written(|| {
        let claimed = first.take();
        async move {
            let current = match claimed {
                Some(claimed) => Some(claimed),
                None => service.table.snapshot(id).await?,
            };
            let Some(current) = current else { return Ok(Some(None)) };
            let Ok(next) = current.parts_answered(answers, now) else { return Ok(Some(None)) };
            let written = service.table.update_members(Some(&current), &next).await?;
            Ok(written.is_done().then_some(Some(next)))
        }
    });
    Ok(written.await?.flatten())
}

fn later(copy: &Snapshot, error: &Error) {
    warn!(snapshot.id = %copy.id, error.chain = %chain(error), "The copy {} waits", copy.id);
}
