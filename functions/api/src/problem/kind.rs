//! Kinds of problems, each with its status.

use http::StatusCode;

/// What went wrong, by its kind: each has one status and one `type` for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    Invalid,
    Unauthenticated,
    RoleTooLow,
    AwsNotPermitted,
    NotFound,
    MethodNotAllowed,
    Conflict,
    Gone,
    Stale,
    TooLarge,
    NotJson,
    KeyReused,
    Internal,
    Unavailable,
}

impl ProblemKind {
    /// The status, the name in `type`, and what it means.
    pub(crate) fn facts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Invalid => (StatusCode::BAD_REQUEST, "invalid", "A value is not valid"),
            Self::Unauthenticated => {
                (StatusCode::UNAUTHORIZED, "unauthenticated", "A valid access token is needed")
            }
            Self::RoleTooLow => (StatusCode::FORBIDDEN, "role_too_low", "A higher role is needed"),
            Self::AwsNotPermitted => (
                StatusCode::FORBIDDEN,
                "aws_not_permitted",
                "AWS does not permit Snapkeep to do this",
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found", "There is no such thing"),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The path does not have this method",
            ),
            Self::Conflict => {
                (StatusCode::CONFLICT, "conflict", "The present state does not allow it")
            }
            Self::Gone => (StatusCode::GONE, "gone", "It is over and will not be possible again"),
            Self::Stale => (
                StatusCode::PRECONDITION_FAILED,
                "stale",
                "It has changed since the version in If-Match",
            ),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large"),
            Self::NotJson => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", "The body must be JSON")
            }
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "key_reused",
                "The Idempotency-Key has served for another request",
            ),
            Self::Internal => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Snapkeep has failed")
            }
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "A service that Snapkeep needs is unavailable",
            ),
        }
    }
}
