//! One deed done to many snapshots: each by itself, and one's refusal stops no other's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use crate::domain::ids::{EbsSnapshotId, ImageId};
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::{Snapshot, Status};
use crate::error::{Error, chain};
use crate::operations::copies::cancel::cancellable;
use crate::operations::snapshots::delete::{in_use_refusal, is_on_its_way, make_due};
use crate::operations::snapshots::edit::{self, HoldEdit, SnapshotEdit};
use crate::operations::snapshots::mark::{mark_sets, unmark};
use crate::operations::snapshots::refresh::stale;
use crate::service::Service;

/// What is to be done to each.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A hold is placed.
    Hold(HoldEdit),
    /// Its hold is removed.
    Release,
    /// It goes by itself at that instant, or no longer does.
    Expire(Option<Timestamp>),
    /// It is condemned, and goes after the grace.
    Delete(SignedDuration),
    /// It stays after all.
    Rescue,
}

/// Whether anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchMode {
    /// Nothing is.
    Preview,
    /// What can be done is done.
    CarryOut,
}

/// What became of one of them, or would.
#[derive(Debug)]
pub struct BatchOutcome {
    /// As it was read.
    pub before: Snapshot,
    /// As it is then; none if nothing changes. Or why it cannot be.
    pub after: Result<Option<Snapshot>, Error>,
}

/// Does the deed to each of the snapshots as they were read, or says what it would do. What has changed since they were
/// read is refused.
pub async fn batch(
    service: &Service,
    snapshots: Vec<Snapshot>,
    (deed, mode): (&Deed, BatchMode),
    who: &str,
    now: Timestamp,
) -> Vec<BatchOutcome> {
    let images = match deed {
        Deed::Delete(_) => Images::of(service, &snapshots).await,
        Deed::Hold(_) | Deed::Release | Deed::Expire(_) | Deed::Rescue => Images::default(),
    };
    let (mut outcomes, mut changed) = (Vec::new(), Vec::new());
    for before in snapshots {
        let planned = match deed {
            Deed::Delete(grace) => {
                deleted(service, &before, (*grace, mode), &images, (who, now)).await
            }
            Deed::Hold(_) | Deed::Release | Deed::Expire(_) | Deed::Rescue => {
                edited_or_rescued(service, &before, deed, who, now).await
            }
        };
        let after = match (planned, mode) {
            (Ok(Some(after)), BatchMode::CarryOut) => {
                match service.table.update_snapshot(&before, &after).await {
                    Ok(written) if written.is_done() => {
                        changed.push(after.clone());
                        Ok(Some(after))
                    }
                    Ok(_) => Err(stale(&before)),
                    Err(error) => Err(error),
                }
            }
            (planned, _) => planned,
        };
        outcomes.push(BatchOutcome { before, after });
    }
    follow_up(service, deed, &changed, now).await;
    outcomes
}

/// The snapshot condemned, or its deletion hurried on; none if that changes nothing. Its copies that have not begun are
/// cancelled, unless it is only a preview.
async fn deleted(
    service: &Service,
    snapshot: &Snapshot,
    (grace, mode): (SignedDuration, BatchMode),
    images: &Images,
    (who, now): (&str, Timestamp),
) -> Result<Option<Snapshot>, Error> {
    let too_long = |_| Error::invalid("grace_minutes", "is too long");
    let delete_after = now.checked_add(grace).map_err(too_long)?;
    if is_on_its_way(snapshot) {
        return Ok(snapshot.hurried(delete_after, now));
    }
    images.allow(snapshot)?;
    let copies = cancellable(service, snapshot, now).await?;
    let by = CondemnedBy::Person { who: who.to_owned() };
    let condemned = copies.free.condemn(by, "deleted by name, with others", delete_after, now);
    let condemned = condemned.map_err(Error::conflict)?;
    if mode == BatchMode::CarryOut {
        copies.carry_out(service, who, now).await?;
    }
    Ok(Some(condemned))
}

/// The snapshot with the deed done to it; none if that changes nothing.
async fn edited_or_rescued(
    service: &Service,
    snapshot: &Snapshot,
    deed: &Deed,
    who: &str,
    now: Timestamp,
) -> Result<Option<Snapshot>, Error> {
    let nothing = SnapshotEdit::default;
    let edit = match deed {
        Deed::Hold(hold) => SnapshotEdit { hold: Some(Some(hold.clone())), ..nothing() },
        Deed::Release => SnapshotEdit { hold: Some(None), ..nothing() },
        Deed::Expire(at) => SnapshotEdit { expires_at: Some(*at), ..nothing() },
        Deed::Delete(_) => nothing(),
        Deed::Rescue if matches!(snapshot.status, Status::Available | Status::Error) => {
            return Ok(None);
        }
        Deed::Rescue => return snapshot.rescue(now).map(Some).map_err(Error::conflict),
    };
    edit::after(service, snapshot, edit, who, now).await
}

/// What EC2 is told, and what is made known, once the records are written. What fails here the tick finds again.
async fn follow_up(service: &Service, deed: &Deed, changed: &[Snapshot], now: Timestamp) {
    if changed.is_empty() {
        return;
    }
    match deed {
        Deed::Delete(_) => {
            // What could not be marked says so in its record.
            _ = mark_sets(service, changed, now).await;
            make_due(service, changed, now).await;
        }
        Deed::Rescue => unmark(service, changed).await,
        Deed::Hold(_) | Deed::Release | Deed::Expire(_) => {}
    }
}

/// Which images use members of the snapshots, region by region.
#[derive(Debug, Default)]
struct Images {
    uses: BTreeMap<EbsSnapshotId, BTreeSet<ImageId>>,
    /// The regions that did not say, and why.
    unknown: BTreeMap<String, String>,
}

impl Images {
    /// One question to each region that the snapshots are in.
    async fn of(service: &Service, snapshots: &[Snapshot]) -> Self {
        let mut by_region: BTreeMap<&str, Vec<EbsSnapshotId>> = BTreeMap::new();
        for snapshot in snapshots {
            let members = snapshot.living_members().map(|one| one.ebs_snapshot_id.clone());
            by_region.entry(&snapshot.source.region).or_default().extend(members);
        }
        let mut images = Self::default();
        for (region, members) in by_region {
            let asked = match service.ec2_in(region) {
                Ok(ec2) => ec2.images_of(&members).await,
                Err(error) => Err(error),
            };
            match asked {
                Ok(uses) => images.uses.extend(uses),
                Err(error) => {
                    warn!(error.chain = %chain(&error), "The images in {region} are not known");
                    images.unknown.insert(region.to_owned(), error.to_string());
                }
            }
        }
        images
    }

    /// Refuses what an image uses, and what nobody can tell of.
    fn allow(&self, snapshot: &Snapshot) -> Result<(), Error> {
        if let Some(why) = self.unknown.get(&snapshot.source.region) {
            return Err(Error::Unavailable { service: "EC2", source: why.clone().into() });
        }
        let mut members = snapshot.living_members().map(|one| &one.ebs_snapshot_id);
        let used = members.find_map(|id| Some((id, self.uses.get(id)?)));
        used.map_or(Ok(()), |(member, image)| Err(in_use_refusal(member, image)))
    }
}
