//! The order of a list of snapshots, as a query has it.

use std::str::FromStr;

use shared::domain::cursor::Order;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::super::words::words;

/// Which way a list of snapshots runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Sort {
    /// Newest first.
    #[default]
    NewestFirst,
    /// Oldest first.
    OldestFirst,
}

impl PartialSchema for Sort {
    fn schema() -> RefOr<Schema> {
        words("Which way a list runs.", ["-created_at", "created_at"].into_iter())
    }
}

impl ToSchema for Sort {}

impl FromStr for Sort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "-created_at" => Ok(Self::NewestFirst),
            "created_at" => Ok(Self::OldestFirst),
            _ => Err("must be -created_at (newest first) or created_at (oldest first)"),
        }
    }
}

impl From<Sort> for Order {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::NewestFirst => Self::NewestFirst,
            Sort::OldestFirst => Self::OldestFirst,
        }
    }
}
