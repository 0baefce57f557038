//! Reads of whole items by their keys, answered with the stored text.
//!
//! The embedded DynamoDB keeps an item as it answers it, but reads it into values in between, for which our records are
//! costly. What is not a plain read of a table with texts for keys is left to it, refusals among them.

use std::collections::{BTreeMap, BTreeSet};

use dynoxide::{AttributeValue, storage::Storage};
use serde::Deserialize;

/// How many keys one `BatchGetItem` takes.
const KEYS_MAX: usize = 100;
/// How much it answers, in bytes; somewhat less than the embedded DynamoDB allows.
const ANSWER_MAX: usize = 15 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PlainGet {
    table_name: String,
    key: Key,
    #[serde(rename = "ConsistentRead")]
    _consistent: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PlainBatch {
    request_items: BTreeMap<String, PlainKeys>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PlainKeys {
    keys: Vec<Key>,
    #[serde(rename = "ConsistentRead")]
    _consistent: Option<bool>,
}

type Key = BTreeMap<String, Text>;

#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyAttribute {
    attribute_name: String,
    key_type: String,
}

/// The answer to a `GetItem` that is plain.
pub(crate) fn get(storage: &Storage, body: &[u8]) -> Option<String> {
    let PlainGet { table_name, key, _consistent } = serde_json::from_slice(body).ok()?;
    let item = Reader::of(storage, &table_name)?.item(&key)?;
    Some(match item {
        Stored::Item(text) => format!("{{\"Item\":{text}}}"),
        Stored::Nothing => "{}".to_owned(),
    })
}

/// The answer to a `BatchGetItem` that is plain.
pub(crate) fn batch_get(storage: &Storage, body: &[u8]) -> Option<String> {
    let PlainBatch { request_items } = serde_json::from_slice(body).ok()?;
    let (mut tables, mut count) = (Vec::new(), 0);
    for (table, PlainKeys { keys, _consistent }) in request_items {
        count += keys.len();
        let distinct: BTreeSet<&Key> = keys.iter().collect();
        if keys.is_empty() || distinct.len() < keys.len() || count > KEYS_MAX {
            return None;
        }
        let reader = Reader::of(storage, &table)?;
        let mut items = Vec::new();
        for key in &keys {
            match reader.item(key)? {
                Stored::Item(text) => items.push(text),
                Stored::Nothing => {}
            }
        }
        tables.push(format!("\"{table}\":[{}]", items.join(",")));
    }
    let responses = tables.join(",");
    if responses.is_empty() || responses.len() > ANSWER_MAX {
        return None;
    }
    Some(format!("{{\"Responses\":{{{responses}}},\"UnprocessedKeys\":{{}}}}"))
}

/// A table with its keys.
struct Reader<'a> {
    storage: &'a Storage,
    select: String,
    partition: String,
    sort: Option<String>,
}

impl<'a> Reader<'a> {
    fn of(storage: &'a Storage, table: &str) -> Option<Self> {
        let metadata = storage.get_table_metadata(table).ok()??;
        let keys: Vec<KeyAttribute> = serde_json::from_str(&metadata.key_schema).ok()?;
        let named = |wanted: &str| {
            keys.iter().find(|key| key.key_type == wanted).map(|key| key.attribute_name.clone())
        };
        // A name as our tables have it; any other would have to be written as SQL wants it.
        if !table.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return None;
        }
        let select = format!("SELECT item_json FROM \"{table}\" WHERE pk = ?1 AND sk = ?2");
        Some(Self { storage, select, partition: named("HASH")?, sort: named("RANGE") })
    }

    /// What is stored at a key; none if the key is not plain.
    fn item(&self, key: &Key) -> Option<Stored> {
        let partition = text(key, &self.partition)?;
        let sort = match &self.sort {
            Some(name) => text(key, name)?,
            None => String::new(),
        };
        if key.len() != 1 + usize::from(self.sort.is_some()) {
            return None;
        }
        let mut statement = self.storage.conn().prepare_cached(&self.select).ok()?;
        let mut rows = statement.query([partition, sort]).ok()?;
        let Some(row) = rows.next().ok()? else { return Some(Stored::Nothing) };
        row.get(0).ok().map(Stored::Item)
    }
}

/// What is stored at a key.
enum Stored {
    /// The text of an item.
    Item(String),
    /// No item.
    Nothing,
}

/// A part of a key, as the embedded DynamoDB stores it.
fn text(key: &Key, name: &str) -> Option<String> {
    let Text { text } = key.get(name).filter(|value| !value.text.is_empty())?;
    AttributeValue::S(text.clone()).to_key_string()
}
