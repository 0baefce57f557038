//! DynamoDB's capacity units, counted call by call.
//!
//! By the rules of <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>: a write
//! takes a unit for each KiB of the larger of the item before and after, twice that in a transaction; a read takes a unit
//! for each 4 KiB, half of it from an index; an index takes a unit for each KiB of an entry that comes, goes or changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use serde_json::{Value, json};
use shared::table::schema::{IndexSchema, schema};
use sim_dynamodb::SimDynamoDb;

/// Units of both kinds. Halves are counted, so reads are doubled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Units {
    /// Write request units.
    pub(crate) writes: u64,
    /// Half read request units.
    pub(crate) half_reads: u64,
}

/// What was asked of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// How many requests, by operation and index.
    pub(crate) requests: BTreeMap<String, u64>,
    /// How many whole records came back, by what they are: the first part of their keys.
    pub(crate) records: BTreeMap<String, u64>,
}

impl Calls {
    /// How many requests there were in all.
    pub(crate) fn total(&self) -> u64 {
        self.requests.values().sum()
    }

    /// How many requests of this name.
    pub(crate) fn of(&self, name: &str) -> u64 {
        self.requests.get(name).copied().unwrap_or_default()
    }

    /// How many whole records of this kind came back.
    pub(crate) fn records_of(&self, kind: &str) -> u64 {
        self.records.get(kind).copied().unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct State {
    units: Units,
    /// Write units by what the item is: the first part of its key.
    by_item: BTreeMap<String, u64>,
    calls: Calls,
}

/// Counts what goes through it.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    database: SimDynamoDb,
    state: Arc<Mutex<State>>,
}

/// An item of a call that writes, as it is before or after.
type Image = Option<Value>;

impl Meter {
    /// A meter before this database.
    pub(crate) fn before(database: &SimDynamoDb) -> Self {
        Self { database: database.clone(), state: Arc::default() }
    }

    /// A client whose calls are counted.
    pub(crate) fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// What was used since the last call of this.
    pub(crate) fn take(&self) -> (Units, BTreeMap<String, u64>) {
        let State { units, by_item, calls: _calls } =
            std::mem::take(&mut *self.state.lock().unwrap());
        (units, by_item)
    }

    /// What was asked since the last call of this or the other.
    pub(crate) fn take_calls(&self) -> Calls {
        std::mem::take(&mut *self.state.lock().unwrap()).calls
    }

    fn count_call(&self, operation: &str, request: &Value, answer: &Value) {
        let mut state = self.state.lock().unwrap();
        let index = request["IndexName"].as_str();
        let name = index.map_or(operation.to_owned(), |index| format!("{operation} {index}"));
        *state.calls.requests.entry(name).or_default() += 1;
        let batches = answer["Responses"].as_object().into_iter().flat_map(|all| all.values());
        let found = batches.chain(answer.get("Items").filter(|_| index.is_none()));
        let found = found.flat_map(|items| items.as_array().unwrap()).chain(answer.get("Item"));
        for item in found {
            *state.calls.records.entry(kind(item)).or_default() += 1;
        }
    }

    fn image(&self, table: &str, key: &Value) -> Image {
        let request = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
        let (status, answer) =
            self.database.answer("DynamoDB_20120810.GetItem", request.to_string().as_bytes());
        assert!(status.is_success(), "{answer}");
        serde_json::from_str::<Value>(&answer).unwrap().get("Item").cloned()
    }

    fn count(&self, touched: &[(Value, Image, Image)], factor: u64) {
        let mut state = self.state.lock().unwrap();
        for (key, before, after) in touched {
            let units = factor * kib(before).max(kib(after)).max(1) + index_writes(before, after);
            state.units.writes += units;
            *state.by_item.entry(kind(key)).or_default() += units;
        }
    }

    fn count_reads(&self, half_units: u64) {
        self.state.lock().unwrap().units.half_reads += half_units;
    }
}

/// The first part of an item's key.
fn kind(item: &Value) -> String {
    let name = item["pk"]["S"].as_str().unwrap();
    name.split('#').next().unwrap_or(name).to_owned()
}

/// The keys of what a call writes, with its table, and how many times the units of a plain write it takes.
fn written(operation: &str, request: &Value) -> Option<(Vec<(String, Value)>, u64)> {
    let key = |one: &Value| {
        let item = one.get("Key").or_else(|| one.get("Item")).unwrap();
        let table = one["TableName"].as_str().unwrap().to_owned();
        (table, json!({ "pk": item["pk"], "sk": item["sk"] }))
    };
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => Some((vec![key(request)], 1)),
        "TransactWriteItems" => {
            let items = request["TransactItems"].as_array().unwrap();
            let keys =
                items.iter().map(|one| key(one.as_object().unwrap().values().next().unwrap()));
            Some((keys.collect(), 2))
        }
        _ => None,
    }
}

/// Half units of what a call has read.
fn read(operation: &str, request: &Value, answer: &Value) -> u64 {
    let four_kib = |bytes: usize| u64::try_from(bytes.div_ceil(4096).max(1)).unwrap();
    match operation {
        "GetItem" => 2 * four_kib(answer.get("Item").map_or(0, size)),
        "BatchGetItem" => {
            let asked = request["RequestItems"].as_object().unwrap().values();
            let asked: usize = asked.map(|one| one["Keys"].as_array().unwrap().len()).sum();
            let found: Vec<u64> = answer["Responses"]
                .as_object()
                .into_iter()
                .flat_map(|tables| tables.values())
                .flat_map(|items| items.as_array().unwrap())
                .map(|item| four_kib(size(item)))
                .collect();
            // What is not there takes a unit as well.
            let absent = u64::try_from(asked.saturating_sub(found.len())).unwrap();
            2 * (found.iter().sum::<u64>() + absent)
        }
        "Query" | "Scan" => {
            let bytes = answer["Items"].as_array().into_iter().flatten().map(size).sum();
            let is_consistent = request["ConsistentRead"].as_bool() == Some(true);
            four_kib(bytes) * if is_consistent { 2 } else { 1 }
        }
        _ => 0,
    }
}

fn kib(image: &Image) -> u64 {
    u64::try_from(image.as_ref().map_or(0, size).div_ceil(1024)).unwrap()
}

/// An item's size by
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>.
pub(crate) fn size(item: &Value) -> usize {
    item.as_object().unwrap().iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let (kind, content) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "S" => content.as_str().unwrap().len(),
        "N" => content.as_str().unwrap().len().div_ceil(2) + 1,
        "BOOL" | "NULL" => 1,
        "M" => {
            let entries = content.as_object().unwrap();
            3 + entries.iter().map(|(name, one)| 1 + name.len() + value_size(one)).sum::<usize>()
        }
        "L" => 3 + content.as_array().unwrap().iter().map(|one| 1 + value_size(one)).sum::<usize>(),
        other => panic!("no record has an attribute of the kind {other}"),
    }
}

/// What the indexes take: for an entry that comes or goes its size, and for one whose key stays and whose other attributes
/// change the larger of the two
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html>).
fn index_writes(before: &Image, after: &Image) -> u64 {
    let changed = |index: &IndexSchema| {
        let (old, new) = (entry(before, index), entry(after, index));
        let is_moved = key_in(&old, index) != key_in(&new, index);
        match (old == new, is_moved) {
            (true, _) => 0,
            (false, true) => kib(&old) + kib(&new),
            (false, false) => kib(&old).max(kib(&new)),
        }
    };
    schema().indexes.iter().map(changed).sum()
}

/// What an index has of an item: its keys, those of the table, and what else it holds.
fn entry(image: &Image, index: &IndexSchema) -> Image {
    let item = image.as_ref()?.as_object()?;
    let keys = [&index.partition, &index.sort];
    if keys.iter().any(|name| !item.contains_key(*name)) {
        return None;
    }
    let is_held = |name: &String| {
        keys.contains(&name) || index.holds.as_ref() == Some(name) || name == "pk" || name == "sk"
    };
    let held = item.iter().filter(|(name, _)| is_held(name));
    Some(held.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn key_in<'a>(entry: &'a Image, index: &IndexSchema) -> Option<[&'a Value; 2]> {
    entry.as_ref().map(|entry| [&entry[&index.partition], &entry[&index.sort]])
}

impl HttpClient for Meter {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Meter {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let meter = self.clone();
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
            let written = written(&operation, &body);
            let images = |keys: &[(String, Value)]| -> Vec<Image> {
                keys.iter().map(|(table, key)| meter.image(table, key)).collect()
            };
            let before = written.as_ref().map(|(keys, _)| images(keys)).unwrap_or_default();
            let answer = meter.database.call(request).await?;
            if let Some((keys, factor)) = written {
                let after = images(&keys);
                let touched: Vec<_> = keys
                    .into_iter()
                    .zip(before.into_iter().zip(after))
                    .map(|((_, key), (before, after))| (key, before, after))
                    .collect();
                meter.count(&touched, factor);
                meter.count_call(&operation, &body, &Value::Null);
            } else if let Ok(read_answer) =
                serde_json::from_slice(answer.body().bytes().unwrap_or_default())
            {
                meter.count_reads(read(&operation, &body, &read_answer));
                meter.count_call(&operation, &body, &read_answer);
            }
            Ok(answer)
        })
    }
}
