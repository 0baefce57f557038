//! The errors EC2 documents, by code.

use crate::{iam::Denial, xml::Xml};

/// A refusal: EC2's code, its HTTP status and a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Ec2Error {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) status: u16,
}

impl Ec2Error {
    /// A client's error, 400.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), status: 400 }
    }

    /// An error with its own status.
    pub(crate) fn with_status(code: &str, message: impl Into<String>, status: u16) -> Self {
        Self { code: code.to_owned(), message: message.into(), status }
    }

    pub(crate) fn missing_parameter(name: &str) -> Self {
        Self::new("MissingParameter", format!("The request must contain the parameter {name}"))
    }

    pub(crate) fn invalid_value(value: &str, parameter: &str) -> Self {
        Self::new(
            "InvalidParameterValue",
            format!("Value ({value}) for parameter {parameter} is invalid."),
        )
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterValue", message)
    }

    pub(crate) fn combination(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterCombination", message)
    }

    pub(crate) fn dependency(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterDependency", message)
    }

    pub(crate) fn incorrect_state(message: impl Into<String>) -> Self {
        Self::new("IncorrectState", message)
    }

    pub(crate) fn invalid_action(action: &str) -> Self {
        Self::new(
            "InvalidAction",
            format!("The action {action} is not valid for this web service."),
        )
    }

    pub(crate) fn dry_run() -> Self {
        Self::with_status(
            "DryRunOperation",
            "Request would have succeeded, but DryRun flag is set.",
            412,
        )
    }

    pub(crate) fn unauthorized(action: &str) -> Self {
        Self::with_status(
            "UnauthorizedOperation",
            format!(
                "You are not authorized to perform this operation. No identity-based policy \
                 allows the ec2:{action} action"
            ),
            403,
        )
    }

    /// A policy does not allow it. Which, EC2 says in a message that it encodes; here it is readable.
    pub(crate) fn denied(who: &str, denial: &Denial) -> Self {
        let message = format!(
            "You are not authorized to perform this operation. {who} is not authorized to perform {denial}"
        );
        Self::with_status("UnauthorizedOperation", message, 403)
    }

    pub(crate) fn request_limit() -> Self {
        Self::with_status("RequestLimitExceeded", "Request limit exceeded.", 503)
    }

    pub(crate) fn internal() -> Self {
        Self::with_status("InternalError", "An internal error has occurred", 500)
    }

    pub(crate) fn token_reused() -> Self {
        Self::new(
            "IdempotentParameterMismatch",
            "Arguments on this idempotent request are inconsistent with arguments used in \
             previous request(s).",
        )
    }

    /// The error document.
    pub(crate) fn document(&self, request_id: &str) -> String {
        let mut xml = Xml::default();
        xml.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.element("Response", |xml| {
            xml.element("Errors", |xml| {
                xml.element("Error", |xml| {
                    xml.leaf("Code", &self.code);
                    xml.leaf("Message", &self.message);
                });
            });
            xml.leaf("RequestID", request_id);
        });
        xml.into_text()
    }
}
