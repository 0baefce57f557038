//! The API about itself: health, its document, the caller.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use http::HeaderValue;
use http::header::{CONTENT_TYPE, HeaderName};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::call::{App, Call, Viewer};
use crate::caller::Role;
use crate::problem::Problem;
use crate::query::{NoParameters, Query};
use crate::respond::Answer;

/// Routes about the API itself.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show_health))
        .routes(routes!(show_openapi))
        .routes(routes!(show_caller))
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
async fn show_openapi(
    State(app): State<Arc<App>>,
    _: Query<NoParameters>,
) -> ([(HeaderName, HeaderValue); 1], Bytes) {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], app.document.clone())
}
