//! Answers that went well: status, `ETag`, `Location`, JSON.

use std::fmt::Display;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{ETAG, HeaderName, LOCATION};
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::problem::Problem;

/// A body with its status and headers.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    status: StatusCode,
    body: T,
    version: Option<u64>,
    location: Option<String>,
}

/// Done, and nothing to show.
#[derive(Debug)]
pub(crate) struct Gone;

impl<T> Answer<T> {
    fn new(status: StatusCode, body: T) -> Self {
        Self { status, body, version: None, location: None }
    }

    /// Here it is.
    pub(crate) fn ok(body: T) -> Self {
        Self::new(StatusCode::OK, body)
    }

    /// It is made.
    pub(crate) fn created(body: T) -> Self {
        Self::new(StatusCode::CREATED, body)
    }

    /// It is begun; what came of it is found at the location.
    pub(crate) fn accepted(body: T) -> Self {
        Self::new(StatusCode::ACCEPTED, body)
    }

    /// With the version that `If-Match` compares.
    pub(crate) fn version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// With the path where it is found.
    pub(crate) fn location(self, path: String) -> Self {
        Self { location: Some(path), ..self }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let Self { status, body, version, location } = self;
        let etag = version.map(|version| format!("\"{version}\""));
        let mut response = (status, Json(body)).into_response();
        for (name, text) in [(ETAG, etag), (LOCATION, location)] {
            let Some(text) = text else { continue };
            match header(&name, &text) {
                Ok(value) => {
                    response.headers_mut().insert(name, value);
                }
                Err(problem) => return problem.into_response(),
            }
        }
        response
    }
}

fn header(name: &HeaderName, text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(|error| refused(name, error))
}

fn refused(name: &HeaderName, error: impl Display) -> Problem {
    Problem::internal(format!("the header {name} cannot be written: {error}"))
}

impl IntoResponse for Gone {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}
