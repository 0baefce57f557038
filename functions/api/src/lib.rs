//! The REST API: `/v1` over the operations of [`shared`].
//!
//! A request passes through [`mod@envelope`] (who calls, what time it is, how problems look, the log), is taken
//! apart by extractors that refuse with a [`problem`], and ends in a handler of [`routes`], which calls one
//! operation. Wire structs stand beside their handlers; the OpenAPI document comes from the same code.

mod again;
mod app;
mod call;
mod caller;
mod conditional;
mod cursor;
mod envelope;
mod extract;
#[cfg(test)]
mod openapi;
mod problem;
mod query;
mod respond;
mod role;
mod router;
mod routes;
pub mod telemetry;
#[cfg(test)]
mod tests;

pub use router::router;

use tower::ServiceExt as _;

/// Answers one request of the HTTP API, as `lambda_http::run` over the same router would.
pub async fn handle(
    router: axum::Router,
    request: lambda_http::Request,
) -> lambda_http::Response<lambda_http::Body> {
    let Ok(response) = router.oneshot(request).await;
    lambda_http::IntoResponse::into_response(response).await
}
