//! The wide line that ends each request, as it ends the calls of the other functions.

use std::convert::Infallible;

use jiff::Timestamp;
use lambda_http::{Body, Request, RequestExt as _, Response};
use serde_json::json;
use shared::Service;
use shared::lambda::invocation::{Ending, Invocation};
use shared::trace::TRACEPARENT;

/// Answers one request, and says how it went. `now` reads the real clock.
pub async fn answer(
    router: axum::Router,
    service: Service,
    request: Request,
    now: fn() -> Timestamp,
) -> Result<Response<Body>, Infallible> {
    let context = request.lambda_context_ref().cloned().unwrap_or_default();
    let trace =
        request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok()?.parse().ok());
    let method = request.method().clone();
    let call = Invocation::begin(&context, method.to_string(), trace, now());
    let response = crate::handle(router, request).await;
    let report = json!({ "status": response.status().as_u16() });
    call.end(&service, Ending::Answered(&report), now());
    Ok(response)
}
