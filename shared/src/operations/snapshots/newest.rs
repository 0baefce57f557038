//! What lets a snapshot go, by EC2's own answer at that moment: records alone are no evidence.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::cursor::Order;
use crate::domain::ids::EbsSnapshotId;
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

/// The newer good snapshots of the same instance in the same region that have, together, each volume of `snapshot`, all
/// shown by EC2; or why it stays.
pub(crate) async fn guardians(
    service: &Service,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<Result<Vec<Snapshot>, Stays>, Error> {
    among_shown(service, snapshot, now, |others| guardians_among(snapshot, others)).await
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
/// copied is made long after its content, and EC2 may not have it any more. Mostly the first few are enough, in one look
/// at the table and one at EC2; for a snapshot that stays all are read, a thousand at a time at the most.
pub(crate) async fn among_shown<T>(
    service: &Service,
    snapshot: &Snapshot,
    now: Timestamp,
    judge: impl Fn(&[Snapshot]) -> Result<T, Stays>,
) -> Result<Result<T, Stays>, Error> {
    let list = SnapshotList::Of(snapshot.source.instance_id.clone(), Presence::Here);
    let mut slice = Slice { order: Order::NewestFirst, limit: FIRST_LOOK, after: None };
    let mut good = Vec::new();
    loop {
        let Listed { snapshots, more } = service.table.list_snapshots(&list, &slice).await?;
        // Where not one of many is there any more, there is no place to go on from.
        let is_stuck = snapshots.is_empty() && slice.limit == LOOK_MAX;
        if let Some((position, _)) = snapshots.last() {
            slice.after = Some(position.clone());
        }
        let others = snapshots.into_iter().map(|(_, one)| one);
        let others: Vec<_> = others.filter(|one| may_count(one, snapshot)).collect();
        good.extend(shown(service, &snapshot.source.region, &others, now).await?);
        match judge(&good) {
            Ok(lets_go) => return Ok(Ok(lets_go)),
            Err(stays) if !more || is_stuck => return Ok(Err(stays)),
            Err(_) => slice.limit = (slice.limit * FURTHER).min(LOOK_MAX),
        }
    }
}

/// Whether `one` may be a good one beside `snapshot`, as far as its record knows. What the record says is absent may show.
fn may_count(one: &Snapshot, snapshot: &Snapshot) -> bool {
    one.status == Status::Available
        && one.twin().is_none()
        && one.source.region == snapshot.source.region
        && one.id != snapshot.id
}

/// Those of these snapshots that EC2 shows whole: all members, completed, out of the archive.
pub(crate) async fn shown(
    service: &Service,
    region: &str,
    snapshots: &[Snapshot],
    now: Timestamp,
) -> Result<Vec<Snapshot>, Error> {
    let members: Vec<_> = snapshots
        .iter()
        .flat_map(Snapshot::living_members)
        .map(|member| member.ebs_snapshot_id.clone())
        .collect();
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let seen = service.ec2_in(region)?.ebs_snapshots(&members).await?;
    let seen: BTreeMap<&EbsSnapshotId, Sighting> =
        seen.iter().map(|one| (&one.id, one.into())).collect();
    let as_shown = snapshots.iter().map(|one| one.as_shown(|id| seen.get(id).copied(), now));
    Ok(as_shown.filter(Snapshot::is_whole).collect())
}
