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
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 14] = [
        Self::Invalid,
        Self::Unauthenticated,
        Self::RoleTooLow,
        Self::AwsNotPermitted,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::Gone,
        Self::Stale,
        Self::TooLarge,
        Self::NotJson,
        Self::KeyReused,
        Self::Internal,
        Self::Unavailable,
    ];

    /// As `type` has it.
    pub(crate) fn uri(self) -> String {
        let (_, name, _) = self.facts();
        format!("urn:snapkeep:problem:{name}")
    }

    /// What such a problem says for example.
    #[cfg(test)]
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Invalid => "limit: must be a number from 1 to 200",
            Self::Unauthenticated => "send an access token: Authorization: Bearer …",
            Self::RoleTooLow => "this request needs the role operator (group snapkeep-operators)",
            Self::AwsNotPermitted => "our role may not ec2:CreateSnapshots",
            Self::NotFound => "there is no snapshot snp_0195500c-6d00-7000-8000-000000000000",
            Self::MethodNotAllowed => "/v1/me has no POST; Allow says what it has",
            Self::Conflict => {
                "the snapshot is held until 2030-01-01T00:00:00Z; remove the hold first"
            }
            Self::Gone => "its restore window ended at 2026-03-01T00:00:00Z",
            Self::Stale => "the snapshot has changed meanwhile: its version is 7",
            Self::TooLarge => "the body may have 64 KiB",
            Self::NotJson => {
                "send the body as JSON, uncompressed, with Content-Type: application/json"
            }
            Self::KeyReused => {
                "this Idempotency-Key was used for a different request within the last 24 hours"
            }
            Self::Internal => {
                "this is a fault of Snapkeep's; the log has more under the request_id"
            }
            Self::Unavailable => "DynamoDB is unavailable; try again in a moment",
        }
    }

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
