//! Refusals of a restore that is asked for.

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A value can never be right.
    Field(String, String),
    /// The state of things forbids it.
    State(String),
}

pub(super) fn field<T>(name: impl Into<String>, reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Field(name.into(), reason.into()))
}

pub(super) fn state<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::State(reason.into()))
}
