//! What lets a snapshot go, by EC2's own answer at that moment: records alone are no evidence.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::cursor::Order;
use crate::domain::ids::EbsSnapshotId;
use crate::domain::ownership::EbsSnapshot;
use crate::domain::sighting::Sighting;
use crate::domain::snapshot::{Snapshot, Status};
use crate::domain::sweep::newest::Newest;
use crate::error::Error;
use crate::service::Service;
use crate::table::snapshots::{Listed, Slice};
use crate::table::{Presence, SnapshotList};

/// Among how many records others are looked for first: almost always a few of the latest are enough, and each deletion
/// looks for them.
const FIRST_LOOK: usize = 4;
/// How many times as many the next look is at.
const FURTHER: usize = 4;
/// And at the most.
const LOOK_MAX: usize = 1_000;

/// Why a snapshot stays, in words.
pub(crate) type Stays = String;

/// What EC2 shows at one moment of a snapshot, and what that says of it.
pub(crate) struct Judged<T> {
    /// The snapshot's own members.
    pub(crate) own: Vec<EbsSnapshot>,
    /// What lets it go; or why it stays.
    pub(crate) answer: Result<T, Stays>,
}

/// The newer good snapshots of the same instance in the same region that have, together, each volume of `snapshot`, all
/// shown by EC2; or why it stays.
pub(crate) async fn guardians(
    service: &Service,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<Result<Vec<Snapshot>, Stays>, Error> {
    let judge = |others: &[Snapshot]| guardians_among(snapshot, others);
    Ok(among_shown(service, snapshot, now, judge).await?.answer)
}

/// The guardians among these.
pub(crate) fn guardians_among(
    snapshot: &Snapshot,
    others: &[Snapshot],
) -> Result<Vec<Snapshot>, Stays> {
    let guardians = Newest::among(others).guardians(snapshot)?;
    Ok(guardians.into_iter().cloned().collect())
}

/// What `judge` says of the good snapshots of the same instance in the same region, as EC2 shows them at this moment.
///
/// It is asked about ever more of them, the last made first, until it lets the snapshot go: what more of them could say
/// is only that once more. It is not enough to look at the record that was made last: that of a set that was adopted or
/// copied is made long after its content, and EC2 may not have it any more. For a snapshot that stays all are read, a
/// thousand at a time at the most.
///
/// The records say how many are needed, and EC2 has the word: it is asked as soon as the records alone would let the snapshot
/// go, for all of them in one look, and only what it shows counts.
pub(crate) async fn among_shown<T>(
    service: &Service,
    snapshot: &Snapshot,
    now: Timestamp,
    judge: impl Fn(&[Snapshot]) -> Result<T, Stays>,
) -> Result<Judged<T>, Error> {
    let list = SnapshotList::Of(snapshot.source.instance_id.clone(), Presence::Here);
    let mut slice = Slice { order: Order::NewestFirst, limit: FIRST_LOOK, after: None };
    let mut others = Vec::new();
    loop {
        let Listed { snapshots, more } = service.table.list_snapshots(&list, &slice).await?;
        // Where not one of many is there any more, there is no place to go on from.
        let is_stuck = snapshots.is_empty() && slice.limit == LOOK_MAX;
        let is_last = !more || is_stuck;
        if let Some((position, _)) = snapshots.last() {
            slice.after = Some(position.clone());
        }
        let read = snapshots.into_iter().map(|(_, one)| one);
        others.extend(read.filter(|one| may_count(one, snapshot)));
        if is_last || judge(&others).is_ok() {
            let looked = look(service, snapshot, &others, now).await?;
            let answer = judge(&looked.whole);
            if is_last || answer.is_ok() {
                return Ok(Judged { own: looked.own, answer });
            }
        }
        slice.limit = (slice.limit * FURTHER).min(LOOK_MAX);
    }
}

/// Whether `one` may be a good one beside `snapshot`, as far as its record knows. What the record says is absent may show.
fn may_count(one: &Snapshot, snapshot: &Snapshot) -> bool {
    one.status == Status::Available
        && one.twin().is_none()
        && one.source.region == snapshot.source.region
        && one.id != snapshot.id
}

/// What EC2 shows of a snapshot and of others.
struct Looked {
    own: Vec<EbsSnapshot>,
    /// Those of the others that it shows whole.
    whole: Vec<Snapshot>,
}

async fn look(
    service: &Service,
    snapshot: &Snapshot,
    others: &[Snapshot],
    now: Timestamp,
) -> Result<Looked, Error> {
    let members = members(others).chain(members(std::slice::from_ref(snapshot)));
    let members: Vec<_> = members.cloned().collect();
    let seen = service.ec2_in(&snapshot.source.region)?.ebs_snapshots(&members).await?;
    let whole = whole_of(others, &seen, now);
    let own = seen.into_iter().filter(|one| snapshot.has_member(&one.id)).collect();
    Ok(Looked { own, whole })
}

/// Those of these snapshots that EC2 shows whole: all members, completed, out of the archive.
pub(crate) async fn shown(
    service: &Service,
    region: &str,
    snapshots: &[Snapshot],
    now: Timestamp,
) -> Result<Vec<Snapshot>, Error> {
    let members: Vec<_> = members(snapshots).cloned().collect();
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let seen = service.ec2_in(region)?.ebs_snapshots(&members).await?;
    Ok(whole_of(snapshots, &seen, now))
}

fn members(snapshots: &[Snapshot]) -> impl Iterator<Item = &EbsSnapshotId> {
    snapshots.iter().flat_map(Snapshot::living_members).map(|member| &member.ebs_snapshot_id)
}

fn whole_of(snapshots: &[Snapshot], seen: &[EbsSnapshot], now: Timestamp) -> Vec<Snapshot> {
    let seen: BTreeMap<&EbsSnapshotId, Sighting> =
        seen.iter().map(|one| (&one.id, one.into())).collect();
    let as_shown = snapshots.iter().map(|one| one.as_shown(|id| seen.get(id).copied(), now));
    as_shown.filter(Snapshot::is_whole).collect()
}
