//! Words of restores as the wire has them.

use std::borrow::Cow;

use shared::domain::restore::RestoreStatus;
use shared::domain::restore::step::{StepName, StepStatus};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::routes::words::words;

/// The schema of where a restore stands.
#[derive(Debug)]
pub(crate) struct RestoreStatusWord;

impl PartialSchema for RestoreStatusWord {
    fn schema() -> RefOr<Schema> {
        words("Where a restore stands.", RestoreStatus::ALL.iter().map(|status| status.as_str()))
    }
}

impl ToSchema for RestoreStatusWord {
    fn name() -> Cow<'static, str> {
        "RestoreStatus".into()
    }
}

/// The schema of what a step does.
#[derive(Debug)]
pub(crate) struct StepNameWord;

impl PartialSchema for StepNameWord {
    fn schema() -> RefOr<Schema> {
        words("What a step does.", StepName::ALL.iter().map(|name| name.as_str()))
    }
}

impl ToSchema for StepNameWord {
    fn name() -> Cow<'static, str> {
        "RestoreStepName".into()
    }
}

/// The schema of where a step stands.
#[derive(Debug)]
pub(crate) struct StepStatusWord;

impl PartialSchema for StepStatusWord {
    fn schema() -> RefOr<Schema> {
        words("Where a step stands.", StepStatus::ALL.iter().map(|status| status.as_str()))
    }
}

impl ToSchema for StepStatusWord {
    fn name() -> Cow<'static, str> {
        "RestoreStepStatus".into()
    }
}
