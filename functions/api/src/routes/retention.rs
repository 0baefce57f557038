//! Retention: rules on the wire, what they would do, and their simulation.

mod preview;
mod result;
mod rules;
mod simulate;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use self::preview::PreviewVerdict;
pub(crate) use self::rules::Retention;
use crate::app::App;

/// Routes of retention.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    let limit = DefaultBodyLimit::max(preview::BODY_KIB_MAX * 1024);
    OpenApiRouter::new()
        .routes(routes!(preview::preview_retention))
        .layer(limit)
        .routes(routes!(simulate::simulate_retention))
}
