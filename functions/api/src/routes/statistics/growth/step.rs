//! How long the periods of growth are, as a query has it.

use std::str::FromStr;

use shared::views::growth::Step;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::routes::words::words;

/// How long the periods are.
#[derive(Clone, Copy, Debug)]
pub(super) struct GrowthStep(pub(super) Step);

impl GrowthStep {
    const ALL: [(&'static str, Step); 3] =
        [("day", Step::Day), ("week", Step::Week), ("month", Step::Month)];
}

impl PartialSchema for GrowthStep {
    fn schema() -> RefOr<Schema> {
        words("How long the periods are.", Self::ALL.into_iter().map(|(word, _)| word))
    }
}

impl ToSchema for GrowthStep {}

impl FromStr for GrowthStep {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|(word, _)| *word == text);
        found.map(|(_, step)| Self(step)).ok_or("must be day, week or month")
    }
}
