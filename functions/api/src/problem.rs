//! Problems: errors as RFC 9457 has them. The one place that knows which error is of which kind and status.

mod kind;
mod rejection;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method};
use serde::Serialize;
use shared::Error;
use shared::error::chain;
use utoipa::ToSchema;

pub(crate) use self::kind::ProblemKind;
use crate::role::Role;

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";
/// When it makes sense to try again, in seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// Whether the client sent `If-Match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// It did.
    Given,
    /// It did not.
    Absent,
}

/// What went wrong, as a handler says it. The envelope writes it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    kind: ProblemKind,
    detail: String,
    extra: Box<Extra>,
    /// The error with its causes, for the log only.
    chain: Option<String>,
}

/// What a program may want to know beside the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Extra {
    field: Option<String>,
    needed_role: Option<Role>,
    current_version: Option<u64>,
    aws_action: Option<String>,
}

/// An error, after RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// What kind of problem this is; it never changes.
    #[serde(rename = "type")]
    #[schema(example = "urn:snapkeep:problem:not_found")]
    kind: String,
    /// The kind in words.
    title: &'a str,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// What is wrong in this case, and what is allowed.
    detail: &'a str,
    /// The field, parameter or header at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// The role that would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    needed_role: Option<Role>,
    /// The version there is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_version: Option<u64>,
    /// The AWS action that is not permitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_action: Option<&'a str>,
    /// What to quote when asking for help.
    request_id: &'a str,
}

impl Problem {
    fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), extra: Box::default(), chain: None }
    }

    /// A value that can never be right; `reason` says what is allowed.
    pub(crate) fn invalid(field: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        let field = field.into();
        let detail = format!("{field}: {}", in_words(&field, reason.to_string()));
        let extra = Box::new(Extra { field: Some(field), ..Extra::default() });
        Self { extra, ..Self::new(ProblemKind::Invalid, detail) }
    }

    /// No checked token, or the wrong one.
    pub(crate) fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::Unauthenticated, detail)
    }

    /// The caller may not; `what` needs `role`.
    pub(crate) fn role_too_low(role: Role, what: &str) -> Self {
        let detail = format!("{what} needs the role {role} (group {})", role.group());
        let extra = Box::new(Extra { needed_role: Some(role), ..Extra::default() });
        Self { extra, ..Self::new(ProblemKind::RoleTooLow, detail) }
    }

    /// No route.
    pub(crate) fn unknown_path(path: &str) -> Self {
        let path: String = path.chars().take(100).collect();
        Self::new(
            ProblemKind::NotFound,
            format!("there is no path {path}; /v1/openapi.json has all there are"),
        )
    }

    /// A route, but not by this method; the header `Allow` has those it has.
    pub(crate) fn method_not_allowed(method: &Method, path: &str) -> Self {
        Self::new(
            ProblemKind::MethodNotAllowed,
            format!("{path} has no {method}; Allow says what it has"),
        )
    }

    /// A body that is not declared as JSON.
    pub(crate) fn not_json() -> Self {
        Self::new(
            ProblemKind::NotJson,
            "send the body as JSON, uncompressed, with Content-Type: application/json",
        )
    }

    /// A fault of ours; only the log learns which.
    pub(crate) fn internal(chain: impl Into<String>) -> Self {
        let detail = "this is a fault of Snapkeep's; the log has more under the request_id";
        Self { chain: Some(chain.into()), ..Self::new(ProblemKind::Internal, detail) }
    }

    /// The same, unless it speaks of an `If-Match` that the client never sent.
    pub(crate) fn in_view_of(self, precondition: Precondition) -> Self {
        match (self.kind, precondition) {
            (ProblemKind::Stale, Precondition::Absent) => {
                Self { kind: ProblemKind::Conflict, ..self }
            }
            _ => self,
        }
    }

    /// Its `type`, its status and what is wrong in this case; a stale record is a conflict where no version was given.
    pub(crate) fn told(&self) -> (String, u16, &str) {
        let is_stale = self.kind == ProblemKind::Stale;
        let kind = if is_stale { ProblemKind::Conflict } else { self.kind };
        let (status, ..) = kind.facts();
        (kind.uri(), status.as_u16(), &self.detail)
    }

    /// The error with its causes, where that belongs in the log.
    pub(crate) fn chain(&self) -> Option<&str> {
        self.chain.as_deref()
    }

    /// Writes it into the answer that it was carried by.
    pub(crate) fn dress(&self, response: &mut Response, request_id: &str) {
        let (status, _, title) = self.kind.facts();
        let Extra { field, needed_role, current_version, aws_action } = &*self.extra;
        let body = ProblemBody {
            kind: self.kind.uri(),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            field: field.as_deref(),
            needed_role: *needed_role,
            current_version: *current_version,
            aws_action: aws_action.as_deref(),
            request_id,
        };
        // Serializing texts and numbers cannot fail.
        let text = serde_json::to_string(&body).unwrap_or_default();
        *response.status_mut() = status;
        *response.body_mut() = Body::from(text);
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        match self.kind {
            ProblemKind::Unauthenticated => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            ProblemKind::Unavailable => {
                headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
            }
            ProblemKind::Invalid
            | ProblemKind::RoleTooLow
            | ProblemKind::AwsNotPermitted
            | ProblemKind::NotFound
            | ProblemKind::MethodNotAllowed
            | ProblemKind::Conflict
            | ProblemKind::Gone
            | ProblemKind::Stale
            | ProblemKind::TooLarge
            | ProblemKind::NotJson
            | ProblemKind::KeyReused
            | ProblemKind::Internal => {}
        }
    }
}

/// The problem that an answer carries. Whatever else says that it failed is a fault of ours.
pub(crate) fn as_problem(response: &mut Response) -> Option<Problem> {
    let problem = response.extensions_mut().remove::<Problem>();
    let status = response.status();
    problem.or_else(|| {
        let is_failure = status.is_client_error() || status.is_server_error();
        is_failure.then(|| Problem::internal(format!("an answer of {status} without a problem")))
    })
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, ..) = self.kind.facts();
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let causes = chain(&error);
        match error {
            Error::Invalid { field, reason } => Self::invalid(field, reason),
            Error::NotFound { .. } => Self::new(ProblemKind::NotFound, text),
            Error::Conflict { reason } => Self::new(ProblemKind::Conflict, reason),
            Error::Gone { reason } => Self::new(ProblemKind::Gone, reason),
            Error::Stale { current, .. } => {
                let extra = Extra { current_version: Some(current), ..Extra::default() };
                let extra = Box::new(extra);
                Self { extra, ..Self::new(ProblemKind::Stale, text) }
            }
            Error::KeyReused => Self::new(ProblemKind::KeyReused, text),
            Error::NotPermitted { action, .. } => {
                let extra = Extra { aws_action: Some(action), ..Extra::default() };
                let extra = Box::new(extra);
                Self { extra, chain: Some(causes), ..Self::new(ProblemKind::AwsNotPermitted, text) }
            }
            Error::Unavailable { .. } => {
                let detail = format!("{text}; try again in a moment");
                Self { chain: Some(causes), ..Self::new(ProblemKind::Unavailable, detail) }
            }
            Error::Internal { .. } => Self::internal(causes),
        }
    }
}

/// What is wrong with a field. What the parser of instants says of a text is for programmers.
fn in_words(field: &str, reason: String) -> String {
    const INSTANTS: [&str; 11] = [
        "created_at",
        "end_at",
        "expires_at",
        "from",
        "now",
        "restore_until",
        "review_at",
        "start_at",
        "taken_at",
        "to",
        "until",
    ];
    let name = field.rsplit('.').next().unwrap_or(field);
    let is_parsers = reason.contains("pars") || reason.contains("expected");
    if INSTANTS.contains(&name) && is_parsers {
        let words = "must be an instant such as 2026-11-22T08:00:00Z (RFC 3339)";
        match reason.split_once("; in a query ") {
            Some((_, hint)) => format!("{words}; in a query {hint}"),
            None => words.to_owned(),
        }
    } else {
        reason
    }
}
