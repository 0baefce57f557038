//! An account with a history, for a first look: `--demo`.
//!
//! `examples/record_demo.rs` made it with the real functions. Its time is its own: a demonstration begins where the
//! record ends, whatever the calendar says, and goes on from there.

use std::{collections::BTreeMap, fmt, io::Read as _};

use dynoxide::{Database, DynoxideError, ImportOptions, types::Item};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::StartError;

const HISTORY: &[u8] = include_bytes!("demo/history.json.gz");

/// What was recorded.
#[derive(Debug, Deserialize)]
pub(crate) struct Recorded {
    /// When it ends.
    pub(crate) time: Timestamp,
    /// The simulated EC2.
    pub(crate) ec2: Value,
    /// The table.
    pub(crate) items: Vec<Item>,
}

/// What a table begins with.
pub(crate) struct Beginning {
    pub(crate) database: Database,
    pub(crate) items: Vec<Item>,
}

impl Beginning {
    /// Puts the items into the table.
    pub(crate) fn load(self, table: &str) -> Result<(), StartError> {
        let Self { database, items } = self;
        let failed = |error: DynoxideError| StartError::failed("the demonstration", error);
        database.import_items(table, items, ImportOptions::default()).map_err(failed)?;
        Ok(())
    }
}

impl fmt::Debug for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items", self.items.len())
    }
}

/// The settings that the demonstration has beside the template's.
pub fn environment() -> BTreeMap<String, String> {
    let settings = [("SNAPKEEP_REGIONS", "eu-west-1"), ("SNAPKEEP_PAGE_KIND", "demonstration")];
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

pub(crate) fn history() -> Result<Recorded, StartError> {
    let mut text = String::new();
    let failed = |error: std::io::Error| StartError::failed("the demonstration", error);
    GzDecoder::new(HISTORY).read_to_string(&mut text).map_err(failed)?;
    serde_json::from_str(&text)
        .map_err(|error| StartError::failed("the demonstration", error.to_string()))
}
