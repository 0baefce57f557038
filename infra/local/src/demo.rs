//! An account with a history, for a first look: `--demo`.
//!
//! `examples/record_demo.rs` made it with the real functions. Its time is its own: a demonstration begins where the
//! record ends, whatever the calendar says, and goes on from there.

#![expect(clippy::indexing_slicing, reason = "JSON answers null for what it lacks")]

mod big;

use std::{collections::BTreeMap, fmt, io::Read as _};

use dynoxide::{Database, DynoxideError, ImportOptions, types::Item};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    domain::snapshot::Snapshot,
    table::{comb::short_form, keys::COMB},
};

use crate::StartError;

const HISTORY: &[u8] = include_bytes!("demo/history.json.gz");

/// How many items are put into the table at once.
const AT_ONCE: usize = 2_000;

/// What was recorded.
#[derive(Debug, Deserialize)]
pub(crate) struct Recorded<T> {
    /// When it ends.
    pub(crate) time: Timestamp,
    /// The simulated EC2.
    pub(crate) ec2: Value,
    /// The table, an item each.
    pub(crate) items: Vec<T>,
}

/// How large a demonstration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// As it was recorded.
    Recorded,
    /// A thousand instances with fifty thousand snapshots.
    Big,
}

/// What a table begins with.
pub(crate) struct Beginning {
    pub(crate) database: Database,
    pub(crate) items: Vec<String>,
    /// Whether the numbers among them are those of the records among them.
    pub(crate) is_counted: bool,
}

impl Beginning {
    /// Puts the items into the table.
    pub(crate) fn load(self, table: &str) -> Result<(), StartError> {
        let Self { database, items, .. } = self;
        let failed = |error: DynoxideError| StartError::failed("the demonstration", error);
        let unreadable =
            |error: serde_json::Error| StartError::failed("the demonstration", error.to_string());
        // What is not whole is no demonstration: nothing is lost that was not made a moment ago.
        database.enable_bulk_loading().map_err(failed)?;
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let some = items.by_ref().take(AT_ONCE).map(|item| serde_json::from_str::<Item>(&item));
            let some = some.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
            database.import_items(table, some, ImportOptions::default()).map_err(failed)?;
        }
        database.disable_bulk_loading().map_err(failed)
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

/// The account with its history; the items are texts, since a big one has many.
pub(crate) fn history(size: Size) -> Result<Recorded<String>, StartError> {
    let mut text = String::new();
    let failed = |error: std::io::Error| StartError::failed("the demonstration", error);
    GzDecoder::new(HISTORY).read_to_string(&mut text).map_err(failed)?;
    let mut recorded: Recorded<Value> = serde_json::from_str(&text)
        .map_err(|error| StartError::failed("the demonstration", error.to_string()))?;
    for item in &mut recorded.items {
        give_short_form(item);
    }
    Ok(match size {
        Size::Recorded => {
            let Recorded { time, ec2, items } = recorded;
            Recorded { time, ec2, items: items.iter().map(Value::to_string).collect() }
        }
        Size::Big => big::grown(recorded, big::COPIES),
    })
}

/// Gives the record of a snapshot its short form, which it lacks if it was recorded by an earlier version.
fn give_short_form(item: &mut Value) {
    let is_of_snapshot = item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("SNAPSHOT#"));
    if !is_of_snapshot || !item[COMB].is_null() {
        return;
    }
    let snapshot = serde_json::from_value::<Snapshot>(plain(&item["body"]));
    if let Some(form) = snapshot.ok().and_then(|one| short_form(&one).ok().flatten()) {
        item[COMB] = json!({ "S": form });
    }
}

/// What DynamoDB's JSON says, as JSON.
fn plain(value: &Value) -> Value {
    let Some((kind, content)) = value.as_object().and_then(|kinds| kinds.iter().next()) else {
        return Value::Null;
    };
    match (kind.as_str(), content) {
        ("M", Value::Object(fields)) => {
            fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect()
        }
        ("L", Value::Array(items)) => items.iter().map(plain).collect(),
        ("N", Value::String(number)) => serde_json::from_str(number).unwrap_or_default(),
        ("NULL", _) => Value::Null,
        (_, content) => content.clone(),
    }
}
