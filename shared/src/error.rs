//! The one error that crosses modules. It knows nothing of HTTP; a variant exists where a caller acts on it.

use std::error::Error as StdError;
use std::fmt::Write as _;

use thiserror::Error as ThisError;

/// A cause from another crate.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why an operation did not do what was asked.
#[derive(Debug, ThisError)]
pub enum Error {
    /// A value that can never be right.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field at fault, as the caller spells it.
        field: String,
        /// What is wrong and what is allowed.
        reason: String,
    },
    /// No such thing.
    #[error("there is no {noun} {id}")]
    NotFound {
        /// What was looked for.
        noun: &'static str,
        /// By which identifier.
        id: String,
    },
    /// Right in itself, but not now: the state of things forbids it.
    #[error("{reason}")]
    Conflict {
        /// Why, and what would help.
        reason: String,
    },
    /// It was possible once, and will not be again.
    #[error("{reason}")]
    Gone {
        /// What is over, and since when.
        reason: String,
    },
    /// The caller's `If-Match`, or what we read before writing, is no longer current.
    #[error("{noun} has changed meanwhile: its version is {current}")]
    Stale {
        /// What changed.
        noun: &'static str,
        /// The version it has now.
        current: u64,
    },
    /// An idempotency key that has already served for another request.
    #[error("this Idempotency-Key was used for a different request within the last 24 hours")]
    KeyReused,
    /// AWS does not let our role do this.
    #[error("our role may not {action}")]
    NotPermitted {
        /// The AWS action.
        action: String,
        /// What AWS said.
        #[source]
        source: BoxError,
    },
    /// A service is out of reach, throttling or failing: try again later.
    #[error("{service} is unavailable")]
    Unavailable {
        /// Which one.
        service: &'static str,
        /// What happened.
        #[source]
        source: BoxError,
    },
    /// A fault of ours.
    #[error("{context}")]
    Internal {
        /// What was being done.
        context: String,
        /// What happened.
        #[source]
        source: BoxError,
    },
}

impl Error {
    /// A value that can never be right.
    #[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
    pub fn invalid(field: impl Into<String>, reason: impl ToString) -> Self {
        Self::Invalid { field: field.into(), reason: reason.to_string() }
    }

    /// The state of things forbids it.
    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict { reason: reason.into() }
    }

    /// It was possible once, and will not be again.
    pub fn gone(reason: impl Into<String>) -> Self {
        Self::Gone { reason: reason.into() }
    }

    /// No such thing.
    #[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
    pub fn not_found(noun: &'static str, id: impl ToString) -> Self {
        Self::NotFound { noun, id: id.to_string() }
    }

    /// A fault of ours, while doing `context`.
    pub fn internal(context: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Internal { context: context.into(), source: source.into() }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Stale { .. } => true,
            Self::Invalid { .. }
            | Self::NotFound { .. }
            | Self::Conflict { .. }
            | Self::Gone { .. }
            | Self::KeyReused
            | Self::NotPermitted { .. }
            | Self::Internal { .. } => false,
        }
    }

    /// The name that alarms and `errorType` use.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "Invalid",
            Self::NotFound { .. } => "NotFound",
            Self::Conflict { .. } => "Conflict",
            Self::Gone { .. } => "Gone",
            Self::Stale { .. } => "Stale",
            Self::KeyReused => "KeyReused",
            Self::NotPermitted { .. } => "NotPermitted",
            Self::Unavailable { .. } => "Unavailable",
            Self::Internal { .. } => "Internal",
        }
    }
}

/// An error with all its causes in one line, for the log: the JSON format drops sources.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a String cannot fail.
        _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
