//! DynamoDB's endpoint, for functions elsewhere and for the AWS CLI.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::{Method, StatusCode, header};
use sim_dynamodb::SimDynamoDb;

/// DynamoDB takes so much at once.
const BODY_MAX: usize = 16 * 1024 * 1024;
/// What it speaks.
const JSON: &str = "application/x-amz-json-1.0";

/// Every path is the endpoint.
pub fn router(database: SimDynamoDb) -> Router {
    Router::new().fallback(serve).with_state(database)
}

async fn serve(State(database): State<SimDynamoDb>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // Only what a page must ask leave for: no form has this type.
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.split(';').next().map(str::trim) == Some(JSON));
    if parts.method != Method::POST || !is_json {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let (status, answer) = database.answer(target.unwrap_or_default(), &body);
    (status, [(header::CONTENT_TYPE, JSON)], Body::from(answer)).into_response()
}
