//! The routes and what stands around them.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use http::{Method, Uri};
use shared::Service;
use shared::clock::Clock;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::envelope::envelope;
use crate::extract::BODY_KIB_MAX;
#[cfg(test)]
use crate::openapi;
use crate::problem::Problem;
use crate::routes;

/// The OpenAPI document as it is kept, and served.
const DOCUMENT: &str = include_str!("../../../tests/openapi.json");

/// The API over a service, telling the time by `clock`.
pub fn router(service: Service, clock: Clock) -> Router {
    // The document is the one that is kept; a test holds that it is what these routes say.
    let (routes, _) = undocumented().split_for_parts();
    let document = Bytes::from_static(DOCUMENT.as_bytes());
    let app = Arc::new(App { service, clock, document, premade: OnceLock::new() });
    routes
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_KIB_MAX * 1024))
        .layer(from_fn_with_state(Arc::clone(&app), envelope))
        .with_state(app)
}

/// The routes with their document.
#[cfg(test)]
pub(crate) fn documented() -> OpenApiRouter<Arc<App>> {
    let mut router = OpenApiRouter::with_openapi(openapi::frame()).merge(undocumented());
    openapi::complete(router.get_openapi_mut());
    router
}

/// The routes with what they say of themselves.
fn undocumented() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(routes::meta::routes())
        .merge(routes::overview::routes())
        .merge(routes::instances::routes())
        .merge(routes::snapshots::routes())
        .merge(routes::images::routes())
        .merge(routes::schedules::routes())
        .merge(routes::retention::routes())
        .merge(routes::runs::routes())
        .merge(routes::sweeps::routes())
        .merge(routes::holds::routes())
        .merge(routes::reconciliation::routes())
        .merge(routes::audit::routes())
        .merge(routes::billing::routes())
        .merge(routes::statistics::routes())
        .merge(routes::restores::routes())
}

async fn unknown_path(uri: Uri) -> Problem {
    Problem::unknown_path(uri.path())
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    Problem::method_not_allowed(&method, uri.path())
}
