//! Instances: the routes.

mod wire;

use std::sync::Arc;

use shared::domain::cursor::Order;
use shared::domain::ids::InstanceId;
use shared::operations::instances::{self as operations, InstanceQuery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::wire::{Instance, InstanceWithDetails};
use super::wire::List;
use crate::call::{App, Call, Viewer};
use crate::extract::Id;
use crate::problem::Problem;
use crate::query::{FromQuery, PageParameters, Parameters, TagText};
use crate::respond::Answer;

/// Routes of instances.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list_instances)).routes(routes!(show_instance))
}

/// Which instances are wanted: those to which everything given applies.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct InstanceParameters {
    /// Of which a snapshot can be taken (true) or cannot (false).
    eligible: Option<bool>,
    /// Of this region.
    #[param(example = "us-east-1")]
    region: Option<String>,
    /// Bearing this tag, `Key=Value`; may be repeated, and then all are wanted.
    #[param(value_type = Vec<String>, required = false, example = json!(["team=blue"]))]
    tag: Vec<TagText>,
    /// With this text in id, name or type; case does not matter.
    q: Option<String>,
    #[param(ignore)]
    page: PageParameters,
}

impl FromQuery for InstanceParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self {
            eligible: given.flag("eligible")?,
            region: given.one("region")?,
            tag: given.all("tag")?,
            q: given.one("q")?,
            page: PageParameters::from_query(given)?,
        })
    }
}

/// List instances
///
/// The instances of the region as EC2 has them, each with whether a snapshot of it can be taken and why not.
/// A page may be short although more follow. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/instances",
    tag = "instances",
    params(InstanceParameters, PageParameters),
    responses((status = 200, description = "A page of instances", body = List<Instance>))
)]
async fn list_instances(
    call: Call<Viewer, InstanceParameters>,
) -> Result<Answer<List<Instance>>, Problem> {
    let InstanceParameters { eligible, region, tag, q, page } = &call.query;
    let query = InstanceQuery {
        tags: tag.iter().map(|TagText(tag)| tag.clone()).collect(),
        q: q.clone(),
        eligible: *eligible,
        region: region.clone(),
    };
    let request = page.request(Order::default());
    let page = operations::list_instances(call.service(), &query, &request).await?;
    Ok(Answer::ok(List::of(page, Instance::from)))
}

/// Show an instance
///
/// Its configuration (vCPU, memory, graphics processors, disks) and how it is protected. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/instances/{id}",
    tag = "instances",
    params(("id" = String, Path, description = "EC2's identifier", example = "i-0123456789abcdef0")),
    responses((status = 200, description = "The instance", body = InstanceWithDetails))
)]
async fn show_instance(
    call: Call<Viewer>,
    Id(id): Id<InstanceId>,
) -> Result<Answer<InstanceWithDetails>, Problem> {
    let details = operations::show_instance(call.service(), &id).await?;
    Ok(Answer::ok(InstanceWithDetails::of(details, call.now)))
}
