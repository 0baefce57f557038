//! The API about itself: health, its document, the caller.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;
use shared::domain::instance::EXCLUDED_VOLUMES_MAX;
use shared::domain::instance::pending::PENDING_MAX;
use shared::operations::schedules::assign::ASSIGNED_MAX;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::snapshots::CONSISTENCY_NOTE;
use crate::app::App;
use crate::call::{Call, Viewer};
use crate::conditional::Premade;
use crate::problem::Problem;
use crate::query::{NoParameters, Query};
use crate::respond::Answer;
use crate::role::Role;

/// Routes about the API itself.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show_health))
        .routes(routes!(show_openapi))
        .routes(routes!(show_caller))
        .routes(routes!(show_capabilities))
}

/// Whether the API answers.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`: what does not answer does not say so.
    status: &'static str,
    /// The version of Snapkeep.
    version: &'static str,
}

/// Who calls.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The name that records and logs know the caller by.
    who: String,
    /// What the caller may do.
    role: Role,
}

/// What this installation can do, and where.
#[derive(Debug, Serialize, ToSchema)]
struct Capabilities {
    /// Where instances and snapshots are.
    #[schema(example = "ec2")]
    provider: &'static str,
    /// The regions that are looked after, the own one first.
    #[schema(example = json!(["us-east-1"]))]
    regions: Vec<String>,
    /// What can be done with snapshots in each of them.
    snapshots: SnapshotCapabilities,
    /// What bounds it.
    limits: CapabilityLimits,
}

/// What can be done with snapshots.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "JSON's true and false")]
struct SnapshotCapabilities {
    /// They can be taken.
    take: bool,
    /// They can be deleted, by people and by rules.
    delete: bool,
    /// They can be restored through this API.
    restore: bool,
    /// Images can be made of them through this API.
    images: bool,
    /// All volumes of an instance are taken at the same instant.
    several_volumes: bool,
    /// The instance is shut down first.
    shutdown_first: bool,
    /// What `consistency` `crash` of a snapshot means, in words.
    consistency_note: &'static str,
}

/// What bounds snapshots.
#[derive(Debug, Serialize, ToSchema)]
struct CapabilityLimits {
    /// How many EBS snapshots the account may have in a region, as this installation is set.
    ebs_snapshots_per_region: u32,
    /// How many snapshots of a volume EC2 writes at a time; of `st1` and `sc1` it writes one.
    pending_per_volume: usize,
    /// How many data volumes a snapshot can leave out.
    excluded_volumes: usize,
    /// How many schedules can be assigned to an instance at once.
    schedules_per_assignment: usize,
}

/// Tell whether the API answers
///
/// Needs no token, and asks nothing of any other service.
#[utoipa::path(
    get,
    path = "/v1/health",
    tag = "meta",
    security(()),
    responses((status = 200, description = "It answers", body = Health))
)]
async fn show_health(_: Query<NoParameters>) -> Answer<Health> {
    Answer::ok(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Tell who the caller is
///
/// What the token says of the caller, and the role that follows from it. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/me",
    tag = "meta",
    responses((status = 200, description = "The caller", body = Me))
)]
async fn show_caller(call: Call<Viewer>) -> Result<Answer<Me>, Problem> {
    Ok(Answer::ok(Me { who: call.who, role: call.role }))
}

/// Tell what this installation can do
///
/// In which regions, what, and within which limits. It does not ask AWS for its rights: what it may not do after all,
/// the request itself says. Role: viewer.
#[utoipa::path(
    get,
    path = "/v1/capabilities",
    tag = "meta",
    responses((status = 200, description = "What it can do", body = Capabilities))
)]
async fn show_capabilities(
    State(app): State<Arc<App>>,
    call: Call<Viewer>,
) -> Result<Answer<Capabilities>, Problem> {
    // What there is no route for cannot be done, whatever is written here.
    let document = String::from_utf8_lossy(&app.document);
    let has_path = |path: &str| document.contains(&format!("\"{path}\""));
    let settings = &call.service().settings;
    Ok(Answer::ok(Capabilities {
        provider: "ec2",
        regions: settings.regions.clone(),
        snapshots: SnapshotCapabilities {
            take: has_path("/v1/snapshots"),
            delete: has_path("/v1/snapshots/{id}"),
            restore: has_path("/v1/snapshots/{id}/restore"),
            images: has_path("/v1/snapshots/{id}/image"),
            several_volumes: true,
            shutdown_first: false,
            consistency_note: CONSISTENCY_NOTE,
        },
        limits: CapabilityLimits {
            ebs_snapshots_per_region: settings.snapshot_quota,
            pending_per_volume: PENDING_MAX,
            excluded_volumes: EXCLUDED_VOLUMES_MAX,
            schedules_per_assignment: ASSIGNED_MAX,
        },
    }))
}

/// Show this document
///
/// The contract of the API as OpenAPI 3.1. Needs no token.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    tag = "meta",
    security(()),
    responses((status = 200, description = "This document", body = serde_json::Value))
)]
async fn show_openapi(State(app): State<Arc<App>>, _: Query<NoParameters>) -> Response {
    let json = HeaderValue::from_static("application/json");
    let keep = HeaderValue::from_static("public, max-age=300");
    let headers = [(CONTENT_TYPE, json), (CACHE_CONTROL, keep)];
    let mut response = (headers, app.document.clone()).into_response();
    if let Some(premade) = app.premade.get_or_init(|| Premade::of(&app.document)) {
        response.extensions_mut().insert(premade.clone());
    }
    response
}
