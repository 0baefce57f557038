//! DynamoDB's JSON protocol in process, in memory: the calls and expressions that our functions and tests use, and no
//! others, held equal to an embedded DynamoDB by its tests.
//!
//! A crate of its own, so that it can be optimised: flow tests and the simulation make some thousand calls a second.
//!
//! # Map
//!
//! [`requests`] are read into [`values`], whose [`number`]s are decimal. [`expression`]s are parsed from [`tokens`] and
//! evaluated over items. A [`table`] keeps items, and the entries of its indexes, in the order of their keys; [`reads`]
//! and [`writes`] are what is done to the [`database`]. What cannot be is a [`refusal`].

mod database;
mod expression;
mod number;
mod reads;
mod refusal;
mod requests;
mod table;
mod tokens;
mod tokens_seen;
mod values;
mod writes;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        runtime_components::RuntimeComponents,
    },
    http::StatusCode as SmithyStatus,
};
use aws_smithy_types::body::SdkBody;
use http::StatusCode;
use serde::de::DeserializeOwned;
use tokio::task::yield_now;

use crate::{
    database::Database,
    refusal::{Outcome, Refusal},
    table::{Index, Key, between},
};

/// What the names of operations begin with in `X-Amz-Target`.
const PREFIX: &str = "DynamoDB_20120810.";

/// A DynamoDB that is called without leaving the process. Clones are the same one.
#[derive(Clone, Default)]
pub struct SimDynamoDb(Arc<Mutex<Database>>);

impl SimDynamoDb {
    /// A database in memory, without tables.
    pub fn memory() -> Self {
        Self::default()
    }

    /// Answers a call of DynamoDB's JSON protocol.
    pub fn answer(&self, target: &str, body: &[u8]) -> (StatusCode, String) {
        let operation = target.strip_prefix(PREFIX).unwrap_or_default();
        match self.call(operation, body) {
            Ok(answer) => (StatusCode::OK, answer),
            Err(refusal) => (StatusCode::BAD_REQUEST, refusal.body()),
        }
    }

    fn call(&self, operation: &str, body: &[u8]) -> Outcome<String> {
        let mut database = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let done = |outcome: Outcome<()>| outcome.map(|()| "{}".to_owned());
        match operation {
            "BatchGetItem" => database.batch_get(read(body)?),
            "CreateTable" => database.create_table(&read(body)?).map(|answer| answer.to_string()),
            "DeleteItem" => done(database.delete(read(body)?)),
            "DescribeTable" => {
                database.describe_table(&read(body)?).map(|answer| answer.to_string())
            }
            "DescribeTimeToLive" => {
                database.describe_time_to_live(&read(body)?).map(|answer| answer.to_string())
            }
            "GetItem" => database.get(&read(body)?),
            "PutItem" => done(database.put(read(body)?)),
            "Query" => database.query(&read(body)?),
            "Scan" => database.scan(&read(body)?),
            "TransactWriteItems" => done(database.transact(read(body)?, body)),
            "UpdateItem" => done(database.update(read(body)?)),
            "UpdateTimeToLive" => {
                database.update_time_to_live(read(body)?).map(|answer| answer.to_string())
            }
            _ => Err(Refusal::Unreadable(format!("{operation} is not known here"))),
        }
    }

    /// Each partition of an index with the first sort key in it, without a call: for whoever plays with time.
    pub fn first_of_each(&self, table: &str, index: &str) -> Vec<(String, String)> {
        let database = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(table) = database.table(table) else { return Vec::new() };
        table.indexes.get(index).map(Index::first_of_each).unwrap_or_default()
    }

    /// Whether there is an item in a partition, without a call.
    pub fn has_any(&self, table: &str, partition: &str) -> bool {
        let database = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(table) = database.table(table) else { return false };
        let range = between(Key::first_of(partition), Key::behind(partition));
        range.is_some_and(|range| table.items.range(range).next().is_some())
    }

    /// An HTTP client for the SDK that never leaves the process.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Outcome<T> {
    serde_json::from_slice(body).map_err(|error| Refusal::Unreadable(error.to_string()))
}

impl fmt::Debug for SimDynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimDynamoDb")
    }
}

impl HttpClient for SimDynamoDb {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SimDynamoDb {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let database = self.clone();
        HttpConnectorFuture::new(async move {
            // On its way there and back others get their turn, as over a network: what is done at the same time must
            // be able to come in between.
            yield_now().await;
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let body = request.body().bytes().unwrap_or_default();
            let (status, body) = database.answer(target, body);
            let status = SmithyStatus::try_from(status.as_u16())
                .unwrap_or_else(|_| SmithyStatus::from(StatusCode::INTERNAL_SERVER_ERROR));
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
            yield_now().await;
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests;
