//! The frame of every request: caller, time, the form of a problem, headers, one log line.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{IF_MATCH, X_CONTENT_TYPE_OPTIONS};
use http::{Extensions, HeaderValue};
use lambda_http::Context;
use lambda_http::request::RequestContext;
use shared::trace::{TRACEPARENT, TraceParent};
use tracing::{error, info};

use crate::app::App;
use crate::call::Facts;
use crate::caller::Caller;
use crate::conditional::Wishes;
use crate::problem::{Precondition, as_problem};
use crate::query::scope_of;
use crate::role::Role;

/// Runs a request and dresses its answer.
pub(crate) async fn envelope(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let extensions = request.extensions();
    let request_id = request_id(extensions);
    let caller = Caller::of(extensions.get(), &app.service.settings.role_claim);
    let role = caller.as_ref().ok().and_then(|caller| caller.role).map_or("none", Role::as_str);
    let path = extensions.get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let precondition = if request.headers().contains_key(IF_MATCH) {
        Precondition::Given
    } else {
        Precondition::Absent
    };
    let trace = trace(&request);
    let facts = Facts { now: app.clock.now(), request_id: Arc::clone(&request_id), caller, trace };
    request.extensions_mut().insert(facts);

    let wishes = Wishes::of(&request);
    let scope = scope_of(request.uri());
    let mut response = scope.within(next.run(request)).await;
    if let Some(problem) = as_problem(&mut response) {
        let problem = problem.in_view_of(precondition);
        if let Some(chain) = problem.chain() {
            error!(request.id = %request_id, error.chain = chain, "{method} {path} failed: {chain}");
        }
        problem.dress(&mut response, &request_id);
    }
    let mut response = wishes.fit(response).await;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let status = response.status().as_u16();
    info!(request.id = %request_id, status, role, "{method} {path} is answered with {status}");
    response
}

/// What the request belongs to: what it says itself, or else Lambda's call.
fn trace(request: &Request) -> Option<TraceParent> {
    let given =
        request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok()?.parse().ok());
    let begun = || TraceParent::begun(&request.extensions().get::<Context>()?.request_id);
    given.or_else(begun)
}

/// API Gateway's identifier of the request; Lambda's where there is none.
fn request_id(extensions: &Extensions) -> Arc<str> {
    let gateway = match extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.as_deref(),
        Some(_) | None => None,
    };
    let lambda = || extensions.get::<Context>().map(|context| context.request_id.as_str());
    gateway.or_else(lambda).unwrap_or("unknown").into()
}
