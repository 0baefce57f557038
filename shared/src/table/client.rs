//! Reading and writing records: the few calls of DynamoDB that everything else is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

pub(super) use super::condition::Condition;
use super::keys::{Index, Key};
use super::record::{Item, Record, body, key_item, key_of, text};
use super::together::Together;
use crate::domain::audit::Author;
use crate::domain::cursor::Order;
use crate::error::Error;
use crate::metrics::Metrics;

/// How many keys one `BatchGetItem` takes
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>).
const BATCH_GET_MAX: usize = 100;
/// How many such calls are made side by side.
const CHUNKS_AT_ONCE: usize = 4;
/// How often keys that DynamoDB did not get to are asked for again.
const UNPROCESSED_ROUNDS_MAX: usize = 20;

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) client: Client,
    pub(super) name: String,
    /// Who writes, for the audit.
    pub(super) author: Arc<Author>,
    /// For how many days the audit is kept; for ever if none.
    pub(super) audit_days: Option<u32>,
    /// Where what becomes of records is counted.
    pub(super) metrics: Metrics,
    /// Where the numbers gather that are added to the rows together; without it each write adds its own.
    pub(super) together: Option<Together>,
}

/// What became of a conditional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// It was written.
    Done,
    /// The record was not as it had been read; nothing was written.
    Changed,
}

impl Written {
    /// Whether it was written.
    pub fn is_done(self) -> bool {
        self == Self::Done
    }
}

/// Which part of a partition is wanted.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) index: Option<Index>,
    pub(super) partition: String,
    pub(super) order: Order,
    pub(super) limit: usize,
    /// From here on, in the order's direction, exclusively.
    pub(super) after: Option<String>,
    /// Up to here, upwards.
    pub(super) until: Option<String>,
}

impl Range {
    pub(super) fn of(index: Option<Index>, partition: impl Into<String>) -> Self {
        Self {
            index,
            partition: partition.into(),
            order: Order::NewestFirst,
            limit: 100,
            after: None,
            until: None,
        }
    }
}

/// A key and where it sorts in what was queried.
#[derive(Clone, Debug)]
pub(super) struct IndexEntry {
    pub(super) key: Key,
    pub(super) sort: String,
}

/// What one Query found.
#[derive(Debug)]
pub(super) struct QueryPage<T> {
    pub(super) items: Vec<T>,
    /// Whether there may be more behind.
    pub(super) more: bool,
}

impl Table {
    /// The table of this name. What is written is by nobody in particular, and its audit kept for ever.
    pub fn new(config: &aws_config::SdkConfig, name: impl Into<String>) -> Self {
        let config = aws_sdk_dynamodb::config::Builder::from(config)
            // Of its own: by default clients of a process share how often they may still retry.
            .retry_partition(RetryPartition::custom("table").build())
            .build();
        Self {
            client: Client::from_conf(config),
            name: name.into(),
            author: Arc::new(Author::rule("snapkeep")),
            audit_days: None,
            metrics: Metrics::default(),
            together: None,
        }
    }

    /// The record at `key`, as it is at this moment.
    pub(super) async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed("reading a record", error))?;
        answer.item.map(body).transpose()
    }

    /// The records at `keys`, as they are at this moment, by key. What is not there is left out.
    pub(super) async fn get_all<T: DeserializeOwned>(
        &self,
        keys: &[Key],
    ) -> Result<BTreeMap<Key, T>, Error> {
        let mut found = BTreeMap::new();
        for items in self.get_chunks(keys).await? {
            for item in items {
                if let Some(key) = key_of(&item) {
                    found.insert(key, body(item)?);
                }
            }
        }
        Ok(found)
    }

    /// The items at `keys`, a hundred a call and a few calls side by side.
    async fn get_chunks(&self, keys: &[Key]) -> Result<Vec<Vec<Item>>, Error> {
        let mut all = Vec::new();
        let chunks: Vec<_> = keys.chunks(BATCH_GET_MAX).collect();
        for some in chunks.chunks(CHUNKS_AT_ONCE) {
            if let [one] = some {
                all.push(self.get_chunk(one).await?);
                continue;
            }
            let mut reads = JoinSet::new();
            for chunk in some {
                let (table, chunk) = (self.clone(), chunk.to_vec());
                reads.spawn(async move { table.get_chunk(&chunk).await });
            }
            while let Some(read) = reads.join_next().await {
                all.push(read.map_err(|source| Error::internal("reading records", source))??);
            }
        }
        Ok(all)
    }

    async fn get_chunk(&self, keys: &[Key]) -> Result<Vec<Item>, Error> {
        let mut items = Vec::with_capacity(keys.len());
        let mut wanted: Vec<_> = keys.iter().cloned().map(key_item).collect();
        for _ in 0..UNPROCESSED_ROUNDS_MAX {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut wanted)))
                .consistent_read(true)
                .build()
                .map_err(|source| Error::internal("reading records", source))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.name, request)
                .send()
                .await
                .map_err(|error| failed("reading records", error))?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            wanted = answer
                .unprocessed_keys
                .into_iter()
                .flatten()
                .flat_map(|(_, rest)| rest.keys)
                .collect();
            if wanted.is_empty() {
                return Ok(items);
            }
        }
        Err(Error::Unavailable {
            service: "DynamoDB",
            source: "it left keys unprocessed too often".into(),
        })
    }

    /// One Query of a range's records.
    pub(super) async fn query<T: DeserializeOwned>(
        &self,
        range: &Range,
    ) -> Result<QueryPage<T>, Error> {
        let QueryPage { items, more } = self.query_items(range).await?;
        Ok(QueryPage { items: items.into_iter().map(body).collect::<Result<_, _>>()?, more })
    }

    /// One Query of a range's records, each with its key: what cannot be read is an error of its own.
    pub(super) async fn query_each<T: DeserializeOwned>(
        &self,
        range: &Range,
    ) -> Result<QueryPage<(Key, Result<T, Error>)>, Error> {
        let QueryPage { items, more } = self.query_items(range).await?;
        let each = items.into_iter().filter_map(|item| Some((key_of(&item)?, body(item))));
        Ok(QueryPage { items: each.collect(), more })
    }

    /// The records at `keys` as [`Table::get_all`] has them, each by itself: what cannot be read is an error of its own.
    pub(super) async fn get_each<T: DeserializeOwned>(
        &self,
        keys: &[Key],
    ) -> Result<BTreeMap<Key, Result<T, Error>>, Error> {
        let mut found = BTreeMap::new();
        for chunk in keys.chunks(BATCH_GET_MAX) {
            for item in self.get_chunk(chunk).await? {
                if let Some(key) = key_of(&item) {
                    found.insert(key, body(item));
                }
            }
        }
        Ok(found)
    }

    /// One Query of a range's keys.
    pub(super) async fn query_positions(
        &self,
        range: &Range,
    ) -> Result<QueryPage<IndexEntry>, Error> {
        let sort = range.index.map_or("sk", Index::sort);
        let QueryPage { items, more } = self.query_items(range).await?;
        let positions = items
            .iter()
            .filter_map(|item| Some(IndexEntry { key: key_of(item)?, sort: text(item, sort)? }))
            .collect();
        Ok(QueryPage { items: positions, more })
    }

    /// One Query of a range's items, as they are.
    pub(super) async fn query_items(&self, range: &Range) -> Result<QueryPage<Item>, Error> {
        let partition = range.index.map_or("pk", Index::partition);
        let sort = range.index.map_or("sk", Index::sort);
        let newest_first = range.order == Order::NewestFirst;
        let mut condition = "#p = :p".to_owned();
        let mut request = self
            .client
            .query()
            .table_name(&self.name)
            .set_index_name(range.index.map(|index| index.name().to_owned()))
            .expression_attribute_names("#p", partition)
            .expression_attribute_values(":p", AttributeValue::S(range.partition.clone()))
            // Indexes cannot be read consistently.
            .consistent_read(range.index.is_none())
            .scan_index_forward(!newest_first)
            .limit(i32::try_from(range.limit).unwrap_or(i32::MAX));
        let bound = match (&range.after, &range.until) {
            (Some(after), _) => Some((if newest_first { "<" } else { ">" }, after)),
            (None, Some(until)) => Some(("<=", until)),
            (None, None) => None,
        };
        if let Some((comparison, value)) = bound {
            condition = format!("{condition} AND #s {comparison} :s");
            request = request
                .expression_attribute_names("#s", sort)
                .expression_attribute_values(":s", AttributeValue::S(value.clone()));
        }
        let answer = request
            .key_condition_expression(condition)
            .send()
            .await
            .map_err(|error| failed("listing records", error))?;
        let more = answer.last_evaluated_key.is_some();
        Ok(QueryPage { items: answer.items.unwrap_or_default(), more })
    }

    /// Writes one record under a condition.
    pub(super) async fn put<T: Serialize>(
        &self,
        record: Record<'_, T>,
        condition: Condition,
    ) -> Result<Written, Error> {
        let item = record.into_item()?;
        let (expression, values) = condition.parts(&item);
        let answer = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression(expression)
            .set_expression_attribute_values(values)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Written::Done),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => {
                Ok(Written::Changed)
            }
            Err(error) => Err(failed("writing a record", error)),
        }
    }

    /// Writes one record whatever is there.
    pub(super) async fn overwrite<T: Serialize>(&self, record: Record<'_, T>) -> Result<(), Error> {
        self.client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(record.into_item()?))
            .send()
            .await
            .map_err(|error| failed("writing a record", error))?;
        Ok(())
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// Our error for one of DynamoDB's: everything but what our own mistakes cause may pass.
pub(super) fn failed<E>(context: &str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let action = match code(&error) {
        Some("AccessDeniedException") => "use the table",
        Some("ValidationException" | "SerializationException" | "ResourceNotFoundException") => {
            return Error::internal(context, error);
        }
        _ => return Error::Unavailable { service: "DynamoDB", source: error.into() },
    };
    Error::NotPermitted { action: action.to_owned(), source: error.into() }
}
