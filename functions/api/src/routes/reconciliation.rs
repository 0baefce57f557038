//! Other snapshots of the account, and their adoption: the routes.

mod adopt;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::domain::cursor::Order;
use shared::domain::finding::FindingFilter;
use shared::domain::ids::{SnapshotId, VolumeId};
use shared::domain::ownership::Owner;
use shared::operations::reconciliation;
use shared::views;
use shared::views::findings::Findings;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::adopt::{AdoptSnapshots, Adoption};
use self::wire::{OwnerWord, Reconciliation, ReconciliationAsked};
use crate::app::App;
use crate::call::{Admin, Call, Operator, Viewer};
use crate::extract::{Body, Claimed, Creation, NoFields};
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters};
use crate::respond::Answer;

/// How long the text that is looked for may be.
const TEXT_MAX: usize = 100;

/// Routes of reconciliation and adoption.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_findings, request_reconciliation))
        .routes(routes!(adopt_snapshots))
}

/// Which EBS snapshots are wanted.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct FindingParameters {
    /// Whose they are or seem to be.
    #[param(value_type = Option<OwnerWord>, inline)]
    owner: Option<Owner>,
    /// In which region.
    region: Option<String>,
    /// Those whose volume is gone, or those that are not known to be so.
    orphaned: Option<bool>,
    /// Those that a record of ours has and EC2 has not, or those that are there.
    missing: Option<bool>,
    /// Of which volume.
    #[param(value_type = Option<String>)]
    volume_id: Option<VolumeId>,
    /// With this text in an identifier, the name or the description, in upper or lower case.
    #[param(max_length = 100)]
    q: Option<String>,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for FindingParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        let q = given.text("q", TEXT_MAX)?;
        Ok(Self {
            owner: given.one("owner")?,
            region: given.one("region")?,
            orphaned: given.flag("orphaned")?,
            missing: given.flag("missing")?,
            volume_id: given.one("volume_id")?,
            q,
            page: PageParameters::from_query(given)?,
        })
    }
}

/// List what is in EC2, and whose it is
///
/// Every EBS snapshot of the account in the regions that are looked after, and what our records have and EC2 has not, as
/// the hourly look has found it: `as_of` of each region says when. The regions with their sums are on every page. Items
/// are in the order of regions, owners and identifiers; a page may be short although more follow. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/reconciliation",
    tag = "reconciliation",
    params(FindingParameters, PageParameters),
    responses((status = 200, description = "The regions, and a page of EBS snapshots", body = Reconciliation))
)]
async fn list_findings(
    call: Call<Viewer, FindingParameters>,
) -> Result<Answer<Reconciliation>, Problem> {
    let request = call.query.page.request(Order::default());
    let wanted = FindingFilter {
        owner: call.query.owner,
        region: call.query.region.clone(),
        orphaned: call.query.orphaned,
        missing: call.query.missing,
        volume_id: call.query.volume_id.clone(),
        text: call.query.q.clone(),
    };
    let Findings { regions, page } =
        views::findings::list(call.service(), &wanted, &request).await?;
    let unseen = call.service().settings.regions.iter();
    let known: BTreeMap<_, _> = regions.into_iter().map(|one| (one.region.clone(), one)).collect();
    let unseen: Vec<_> = unseen.filter(|region| !known.contains_key(*region)).cloned().collect();
    Ok(Answer::ok(Reconciliation::of(known.into_values().collect(), unseen, page)))
}

/// Ask for a fresh look
///
/// What the reconciler does each hour, now; at most every five minutes. What it finds is listed a little later.
/// Role: operator.
#[utoipa::path(
    post,
    path = "/v1/reconciliation",
    tag = "reconciliation",
    responses(
        (status = 202, description = "It is asked for", body = ReconciliationAsked,
            headers(("Location" = String, description = "Where what it finds is listed"))),
        (status = 409, description = "Everything was looked at less than five minutes ago, or is being looked at")
    )
)]
async fn request_reconciliation(
    call: Call<Operator>,
    _: Body<NoFields>,
) -> Result<Answer<ReconciliationAsked>, Problem> {
    reconciliation::request(call.service(), &call.who, call.now).await?;
    let asked = ReconciliationAsked::at(call.now);
    Ok(Answer::accepted(asked).location("/v1/reconciliation".to_owned()))
}

/// Adopt EBS snapshots
///
/// Makes EBS snapshots that nobody else looks after ours: they get our tags and keep their own, and are restored, kept
/// and deleted like any snapshot. Those of one instance that began within a minute become one snapshot, or those of a
/// group. Under a schedule its rules decide how long they are kept; what these would delete at the next sweep counts as
/// unexpected. Without one they stay until `expires_at`, or for good. Each is `pending` until EC2 has our tags. What
/// cannot be adopted is under `refused` with the reason. Role: admin.
#[utoipa::path(
    post,
    path = "/v1/reconciliation/adopt",
    tag = "reconciliation",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "The same key with the same request within 24 hours makes nothing new")),
    request_body = AdoptSnapshots,
    responses(
        (status = 202, description = "They are ours, or will be within moments", body = Adoption),
        (status = 404, description = "There is no such schedule"),
        (status = 409, description = "None of them can be adopted; the detail says why")
    )
)]
async fn adopt_snapshots(
    call: Call<Admin>,
    creation: Creation<AdoptSnapshots>,
) -> Result<Answer<Adoption>, Problem> {
    let wanted = creation.body.clone().adoption(&call.who, call.now)?;
    let Claimed { id: _id, at } = creation.claim(&call, SnapshotId::derived).await?;
    let adopted = reconciliation::adopt(call.service(), &wanted, at).await?;
    Ok(Answer::accepted(Adoption::of(adopted)))
}
