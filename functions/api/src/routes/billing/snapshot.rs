//! The cost of one snapshot, and what its deletion frees.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use shared::domain::chain::{Basis, Freed, Increment, Neighbours, bytes_to_gib, gib};
use shared::domain::cost::Price;
use shared::domain::ids::{EbsSnapshotId, InstanceId, SnapshotId, VolumeId};
use shared::domain::snapshot::Status;
use shared::views::billing::{MemberBill, SnapshotBill, bill_snapshot};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::super::words::{SnapshotStatus, wire_words};
use super::daily_change;
use super::wire::{Amount, BillingPrice, rounded};
use crate::app::App;
use crate::call::{Call, Viewer};
use crate::extract::Id;
use crate::problem::Problem;
use crate::query::{FromQuery, Parameters};
use crate::respond::Answer;

/// Where the rule is that `deletion_frees` follows.
const RULE: &str = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html";

/// The route of one snapshot's bill.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(show_snapshot_billing))
}

/// How a snapshot is to be reckoned.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct SnapshotBillParameters {
    /// How much of a volume is written anew within a day, of a hundred.
    #[param(value_type = Option<f64>, minimum = 0, maximum = 100, default = 3)]
    daily_change_percent: f64,
}

impl FromQuery for SnapshotBillParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self { daily_change_percent: daily_change(given)? })
    }
}

/// What a snapshot costs for a month, in three numbers none of which is what AWS bills.
#[derive(Debug, Serialize, ToSchema)]
struct SnapshotBilling {
    /// The snapshot.
    #[schema(value_type = String, example = "snp_0195500c-6d00-7000-8000-000000000000")]
    snapshot_id: SnapshotId,
    /// Its instance.
    #[schema(value_type = String, example = "i-0123456789abcdef0")]
    instance_id: InstanceId,
    /// Its region.
    #[schema(example = "us-east-1")]
    region: String,
    /// Where it stands. One that is gone costs nothing.
    #[schema(value_type = SnapshotStatus)]
    status: Status,
    /// The instant of the answer.
    as_of: Timestamp,
    /// How much of a volume is written anew within a day, of a hundred; what the estimate rests on.
    daily_change_percent: f64,
    /// As if it held its whole volumes: the upper bound.
    size: Amount,
    /// As if it held all its blocks, as EC2 reports them: the full size, not the billed one. Null until EC2 has reported
    /// it of every volume.
    full_size: Option<Amount>,
    /// What it adds to the snapshots before it.
    estimated_incremental: IncrementalAmount,
    /// What its deletion frees.
    deletion_frees: DeletionFrees,
    /// What fast snapshot restore of it costs beside that; null while it is enabled nowhere.
    fast_restore: Option<FastRestoreAmount>,
    /// The same volume by volume.
    volumes: Vec<VolumeBilling>,
    /// The prices that were reckoned with: the standard tier's, and the archive's for what is there.
    price: BillingPrice,
}

/// What a snapshot adds to the snapshots of its volumes before it.
#[derive(Debug, Serialize, ToSchema)]
struct IncrementalAmount {
    /// The estimate.
    gib: f64,
    /// What so much costs for a month.
    cost: f64,
    /// It cannot be less: what the full size has grown by, as far as EC2 reports it.
    at_least_gib: f64,
    /// It cannot be more: the full size.
    at_most_gib: f64,
}

/// What fast snapshot restore costs, whatever the snapshots hold.
#[derive(Debug, Serialize, ToSchema)]
struct FastRestoreAmount {
    /// Pairs of an EBS snapshot and a zone in which it is enabled, as noted each hour.
    snapshot_zones: u32,
    /// What so many cost for a month of 720 hours while it stays on; null where the list lacks the price.
    cost: Option<f64>,
}

/// What the deletion of a snapshot frees.
#[derive(Debug, Serialize, ToSchema)]
struct DeletionFrees {
    /// It cannot be less.
    at_least_gib: f64,
    /// It cannot be more.
    at_most_gib: f64,
    /// What at most that costs for a month: it cannot save more.
    saves_at_most: f64,
    /// Whether deleting it may free nothing.
    may_free_nothing: bool,
    /// Why, in words.
    #[schema(
        example = "there are older and newer snapshots of its volumes, which may need every block of it; deleting this may free nothing"
    )]
    detail: String,
    /// Where the rule is written.
    rule: String,
}

/// What one EBS snapshot of a set adds, and what its deletion frees.
#[derive(Debug, Serialize, ToSchema)]
struct VolumeBilling {
    /// The EBS snapshot.
    #[schema(value_type = String, example = "snap-0123456789abcdef0")]
    ebs_snapshot_id: EbsSnapshotId,
    /// The volume it is of.
    #[schema(value_type = String, example = "vol-0123456789abcdef0")]
    volume_id: VolumeId,
    /// The size of that.
    size_gib: i64,
    /// All blocks it has, as EC2 reports them.
    full_size_gib: Option<f64>,
    /// What it adds to the one before it, by estimate.
    estimated_incremental_gib: f64,
    /// What that estimate is.
    basis: EstimateBasis,
    /// Which other snapshots of the volume there are in the region, whoever made them.
    neighbours: NeighbourKind,
    /// What its deletion frees at the least.
    frees_at_least_gib: f64,
    /// What its deletion frees at the most.
    frees_at_most_gib: f64,
}

wire_words! {
    /// What an estimate is.
    EstimateBasis of Basis {
        /// The first of its volume is stored in full.
        FirstOfChain,
        /// What changes in the time since the one before, by `daily_change_percent`.
        DailyChange,
        /// What the full size has grown by since the one before, which is more.
        MeasuredGrowth,
        /// The archive holds all of it.
        Archived,
    }
}

wire_words! {
    /// Which other snapshots of a volume there are.
    NeighbourKind of Neighbours {
        /// None.
        None,
        /// None that it shares a block with: it is in the archive.
        Apart,
        /// Older ones.
        Before,
        /// Newer ones.
        After,
        /// Both.
        Both,
        /// Nobody knows: EC2 does not say what a copy is of, or shows too many.
        Unknown,
    }
}

/// Show what a snapshot costs
///
/// Three numbers for a month, each named for what it is; none is what AWS bills, which depends on blocks that only AWS
/// sees. The chain is all snapshots of the same volume in the region that EC2 shows, whoever made them, by start time.
/// `deletion_frees` says what is freed while the others stay: a block goes only when no other snapshot needs it, so deleting one between two
/// others may free nothing; the only one of a volume frees all it has; the first or last one at least what its full size
/// exceeds its neighbour's by. What a Recycle Bin rule keeps is freed when it lets go of it. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/snapshots/{id}/billing",
    tag = "billing",
    params(("id" = String, Path, description = "The snapshot"), SnapshotBillParameters),
    responses(
        (status = 200, description = "What it costs", body = SnapshotBilling),
        (status = 409, description = "Its region is not looked after any more")
    )
)]
async fn show_snapshot_billing(
    call: Call<Viewer, SnapshotBillParameters>,
    Id(id): Id<SnapshotId>,
) -> Result<Answer<SnapshotBilling>, Problem> {
    let percent = call.query.daily_change_percent;
    let bill = bill_snapshot(call.service(), &id, percent).await?;
    Ok(Answer::ok(SnapshotBilling::of(bill, percent, call.now)))
}

impl SnapshotBilling {
    fn of(bill: SnapshotBill, daily_change_percent: f64, now: Timestamp) -> Self {
        let SnapshotBill { snapshot, members, price } = bill;
        let sum = |of: fn(&MemberBill) -> f64| members.iter().map(of).sum::<f64>();
        // Each where EC2 keeps it: the archive has a price of its own.
        let amount = |of: fn(&MemberBill) -> f64| {
            let cost = members.iter().map(|one| one.month(of(one), &price)).sum();
            Amount::from(shared::views::billing::Amount { gib: sum(of), cost })
        };
        let is_measured =
            !members.is_empty() && members.iter().all(|one| one.member.full_size_bytes.is_some());
        let increment = amount(|one| one.increment.estimate_gib);
        Self {
            status: snapshot.status,
            as_of: now,
            daily_change_percent,
            size: amount(|one| gib(i64::from(one.member.size_gib))),
            full_size: is_measured.then(|| {
                amount(|one| one.member.full_size_bytes.map(bytes_to_gib).unwrap_or_default())
            }),
            estimated_incremental: IncrementalAmount {
                gib: increment.gib,
                cost: increment.cost,
                at_least_gib: rounded(sum(|one| one.increment.at_least_gib)),
                at_most_gib: rounded(sum(|one| one.increment.at_most_gib)),
            },
            deletion_frees: DeletionFrees::of(&members, &price),
            fast_restore: FastRestoreAmount::of(&members, &price),
            volumes: members.into_iter().map(VolumeBilling::of).collect(),
            snapshot_id: snapshot.id,
            instance_id: snapshot.source.instance_id,
            region: snapshot.source.region,
            price: price.into(),
        }
    }
}

impl FastRestoreAmount {
    fn of(members: &[MemberBill], price: &Price) -> Option<Self> {
        let zones: usize =
            members.iter().map(|one| one.member.notes.fast_restore_zones.len()).sum();
        let snapshot_zones = u32::try_from(zones).ok().filter(|zones| *zones > 0)?;
        let cost = price.fast_restore_month(snapshot_zones).map(rounded);
        Some(Self { snapshot_zones, cost })
    }
}

impl DeletionFrees {
    fn of(members: &[MemberBill], price: &Price) -> Self {
        let at_least = rounded(members.iter().map(|one| one.freed.at_least_gib).sum());
        let at_most = rounded(members.iter().map(|one| one.freed.at_most_gib).sum());
        let may_free_nothing = at_least <= 0.0;
        // The most doubtful volume speaks for all.
        let neighbours = members.iter().map(|one| one.freed.neighbours).max();
        let why = match neighbours {
            None => "EC2 stores nothing of it",
            Some(Neighbours::None) => {
                "there is no other snapshot of its volumes, so nothing else needs its blocks"
            }
            Some(Neighbours::Apart) => {
                "the archive holds all of it and shares no block with other snapshots"
            }
            Some(Neighbours::Before) => {
                "there are older snapshots of its volumes: what they have as well stays"
            }
            Some(Neighbours::After) => {
                "there are newer snapshots of its volumes: what they need of it stays"
            }
            Some(Neighbours::Both) => {
                "there are older and newer snapshots of its volumes, which may need every block of it"
            }
            Some(Neighbours::Unknown) => "EC2 does not tell which other snapshots need its blocks",
        };
        let end = if may_free_nothing { "; deleting this may free nothing" } else { "" };
        Self {
            at_least_gib: at_least,
            at_most_gib: at_most,
            saves_at_most: rounded(
                members.iter().map(|one| one.month(one.freed.at_most_gib, price)).sum(),
            ),
            may_free_nothing,
            detail: format!("{why}{end}"),
            rule: RULE.to_owned(),
        }
    }
}

impl VolumeBilling {
    fn of(bill: MemberBill) -> Self {
        let MemberBill { member, increment, freed } = bill;
        let Increment { estimate_gib, at_least_gib: _least, at_most_gib: _most, basis } = increment;
        let Freed { at_least_gib, at_most_gib, neighbours } = freed;
        Self {
            ebs_snapshot_id: member.ebs_snapshot_id,
            volume_id: member.volume_id,
            size_gib: i64::from(member.size_gib),
            full_size_gib: member.full_size_bytes.map(bytes_to_gib).map(rounded),
            estimated_incremental_gib: rounded(estimate_gib),
            basis: basis.into(),
            neighbours: neighbours.into(),
            frees_at_least_gib: rounded(at_least_gib),
            frees_at_most_gib: rounded(at_most_gib),
        }
    }
}
