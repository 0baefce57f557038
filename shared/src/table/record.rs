//! The stored form of a record, to and from DynamoDB's items.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys::{IndexKeys, Key, TIME_TO_LIVE};
use crate::error::Error;

/// The version of the stored form. A reader accepts this one and, once there is a second, the one before.
pub(super) const SCHEMA: u32 = 1;

/// An item as the SDK has it.
#[expect(clippy::disallowed_types, reason = "DynamoDB's item")]
pub(super) type Item = std::collections::HashMap<String, AttributeValue>;

/// A record about to be written.
pub(super) struct Record<'a, T> {
    pub(super) key: Key,
    pub(super) version: u64,
    pub(super) indexes: IndexKeys,
    pub(super) body: &'a T,
    /// When DynamoDB may delete it, in seconds since 1970.
    pub(super) expires_at: Option<i64>,
}

impl<T: Serialize> Record<'_, T> {
    pub(super) fn into_item(self) -> Result<Item, Error> {
        let Self { key, version, indexes, body, expires_at } = self;
        let body = serde_dynamo::to_attribute_value(body)
            .map_err(|source| Error::internal("writing a record", source))?;
        let mut item = Item::from([
            ("schema".to_owned(), AttributeValue::N(SCHEMA.to_string())),
            ("version".to_owned(), AttributeValue::N(version.to_string())),
            ("body".to_owned(), body),
        ]);
        item.extend(key_item(key));
        item.extend(
            indexes.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))),
        );
        if let Some(seconds) = expires_at {
            item.insert(TIME_TO_LIVE.to_owned(), AttributeValue::N(seconds.to_string()));
        }
        Ok(item)
    }
}

/// The body of a stored item.
pub(super) fn body<T: DeserializeOwned>(mut item: Item) -> Result<T, Error> {
    let schema = item.remove("schema");
    let schema = schema.and_then(|schema| schema.as_n().ok()?.parse::<u32>().ok());
    if schema != Some(SCHEMA) {
        let problem = format!("this version reads schema {SCHEMA}, the record has {schema:?}");
        return Err(Error::internal("reading a record", problem));
    }
    let body = item.remove("body").unwrap_or(AttributeValue::Null(true));
    serde_dynamo::from_attribute_value(body)
        .map_err(|source| Error::internal("reading a record", source))
}

/// A key as an item.
pub(super) fn key_item(key: Key) -> Item {
    let Key { pk, sk } = key;
    Item::from([("pk".to_owned(), AttributeValue::S(pk)), ("sk".to_owned(), AttributeValue::S(sk))])
}

/// The key of an item.
pub(super) fn key_of(item: &Item) -> Option<Key> {
    Some(Key { pk: text(item, "pk")?, sk: text(item, "sk")? })
}

/// A text attribute of an item.
pub(super) fn text(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}
