//! Why a request is refused, and what is answered then.

use serde::Serialize;
use serde_json::json;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request is not as DynamoDB wants it.
    Invalid(String),
    /// It cannot be read, or asks for what nobody here ever asked for.
    Unreadable(String),
    /// There is no such table.
    NoTable(String),
    /// There is such a table already.
    TableExists(String),
    /// What is stored is not as the condition wants it.
    ConditionFailed,
    /// Nothing of a transaction was written: what each of its parts has against it.
    Canceled(Vec<Option<Self>>),
    /// A transaction's token came with another transaction.
    TokenReused,
}

/// The outcome of a call.
pub(crate) type Outcome<T> = Result<T, Refusal>;

/// What a transaction's part has against it, as it is answered.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Reason {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl Refusal {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }

    /// The body of the answer, whose status is 400.
    pub(crate) fn body(&self) -> String {
        let (kind, message) = (self.kind(), self.message());
        match self {
            Self::Canceled(reasons) => {
                let reasons: Vec<_> = reasons.iter().map(|one| Reason::of(one.as_ref())).collect();
                json!({ "__type": kind, "Message": message, "CancellationReasons": reasons })
            }
            Self::Unreadable(_) => json!({ "__type": kind, "Message": message }),
            Self::Invalid(_)
            | Self::NoTable(_)
            | Self::TableExists(_)
            | Self::ConditionFailed
            | Self::TokenReused => json!({ "__type": kind, "message": message }),
        }
        .to_string()
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "com.amazon.coral.validate#ValidationException",
            Self::Unreadable(_) => "com.amazon.coral.service#SerializationException",
            Self::NoTable(_) => "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
            Self::TableExists(_) => "com.amazonaws.dynamodb.v20120810#ResourceInUseException",
            Self::ConditionFailed => {
                "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
            }
            Self::Canceled(_) => "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            Self::TokenReused => {
                "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException"
            }
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Invalid(message) | Self::Unreadable(message) => message.clone(),
            Self::NoTable(name) => format!("Requested resource not found: Table: {name} not found"),
            Self::TableExists(name) => format!("Table already exists: {name}"),
            Self::ConditionFailed => "The conditional request failed".to_owned(),
            Self::Canceled(reasons) => {
                let codes: Vec<_> =
                    reasons.iter().map(|reason| Reason::of(reason.as_ref()).code).collect();
                let codes = codes.join(", ");
                format!(
                    "Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
                )
            }
            Self::TokenReused => "The token came with another transaction before".to_owned(),
        }
    }
}

impl Reason {
    fn of(refusal: Option<&Refusal>) -> Self {
        match refusal {
            None => Self { code: "None", message: None },
            Some(refusal @ Refusal::ConditionFailed) => {
                Self { code: "ConditionalCheckFailed", message: Some(refusal.message()) }
            }
            Some(refusal) => Self { code: "ValidationError", message: Some(refusal.message()) },
        }
    }
}
