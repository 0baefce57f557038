//! DynamoDB's JSON protocol in process, straight into an embedded DynamoDB.
//!
//! A crate of its own, so that it can be optimised like the database behind it: what reads requests and writes answers
//! is compiled here.

mod reads;
mod values;
mod writes;

use std::{
    fmt,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
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
use dynoxide::{
    DynoxideError,
    actions::{
        batch_get_item, batch_write_item, create_table, delete_item, delete_table, describe_table,
        describe_time_to_live, get_item, list_tables, put_item, query, scan, transact_get_items,
        transact_write_items, update_item, update_table, update_time_to_live,
        vector_lifecycle::VectorIndexLifecycle,
    },
    storage::Storage,
};
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use tokio::task::yield_now;

/// What the names of operations begin with in `X-Amz-Target`.
const PREFIX: &str = "DynamoDB_20120810.";
/// How many statements stay prepared: two for each index, and our own.
const STATEMENTS_MAX: usize = 64;

/// An embedded DynamoDB that is called without leaving the process. Clones are the same one.
#[derive(Clone)]
pub struct SimDynamoDb(Arc<Inner>);

struct Inner {
    storage: Mutex<Storage>,
    vectors: VectorIndexLifecycle,
}

impl SimDynamoDb {
    /// A database in memory, without tables.
    pub fn memory() -> dynoxide::Result<Self> {
        Self::over(Storage::memory()?)
    }

    /// The database in a file, which is made if there is none.
    pub fn file(path: &str) -> dynoxide::Result<Self> {
        Self::over(Storage::new(path)?)
    }

    fn over(storage: Storage) -> dynoxide::Result<Self> {
        storage.conn().set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        let vectors = VectorIndexLifecycle::new();
        Ok(Self(Arc::new(Inner { storage: Mutex::new(storage), vectors })))
    }

    /// Answers a call of DynamoDB's JSON protocol, of the operations that the functions and tests use.
    pub fn answer(&self, target: &str, body: &[u8]) -> (StatusCode, String) {
        let storage = &*self.0.storage.lock().unwrap_or_else(PoisonError::into_inner);
        let vectors = &self.0.vectors;
        match target.strip_prefix(PREFIX).unwrap_or_default() {
            "BatchGetItem" => match reads::batch_get(storage, body) {
                Some(answer) => (StatusCode::OK, answer),
                None => run(body, |request| batch_get_item::execute(storage, request)),
            },
            "BatchWriteItem" => run(body, |request| batch_write_item::execute(storage, request)),
            "CreateTable" => run(body, |request| create_table::execute(storage, request)),
            "DeleteItem" => run(body, |request| delete_item::execute(storage, request)),
            "DeleteTable" => run(body, |request| delete_table::execute(storage, request, vectors)),
            "DescribeTable" => {
                run(body, |request| describe_table::execute(storage, request, vectors))
            }
            "DescribeTimeToLive" => {
                run(body, |request| describe_time_to_live::execute(storage, request))
            }
            "GetItem" => match reads::get(storage, body) {
                Some(answer) => (StatusCode::OK, answer),
                None => run(body, |request| get_item::execute(storage, request)),
            },
            "ListTables" => run(body, |request| list_tables::execute(storage, request)),
            "PutItem" => match writes::put(body) {
                Some(request) => answered(now(put_item::execute(storage, request))),
                None => run(body, |request| put_item::execute(storage, request)),
            },
            "Query" => run(body, |request| query::execute(storage, request)),
            "Scan" => run(body, |request| scan::execute(storage, request)),
            "TransactGetItems" => {
                run(body, |request| transact_get_items::execute(storage, request))
            }
            "TransactWriteItems" => match writes::transaction(body) {
                Some(request) => answered(now(transact_write_items::execute(storage, request))),
                None => run(body, |request| transact_write_items::execute(storage, request)),
            },
            "UpdateItem" => run(body, |request| update_item::execute(storage, request)),
            "UpdateTable" => run(body, |request| update_table::execute(storage, request, vectors)),
            "UpdateTimeToLive" => {
                run(body, |request| update_time_to_live::execute(storage, request))
            }
            _ => refused("UnknownOperationException", &format!("{target} is not known here")),
        }
    }

    /// An HTTP client for the SDK that never leaves the process.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }
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

fn run<Q: DeserializeOwned, A: Serialize, F: Future<Output = dynoxide::Result<A>>>(
    body: &[u8],
    call: impl FnOnce(Q) -> F,
) -> (StatusCode, String) {
    match serde_json::from_slice(body) {
        Ok(request) => answered(now(call(request))),
        Err(error) => refused("SerializationException", &error.to_string()),
    }
}

/// The outcome of a call; the embedded database never waits for anything.
fn now<A>(call: impl Future<Output = dynoxide::Result<A>>) -> dynoxide::Result<A> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(call).poll(&mut context) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(DynoxideError::InternalServerError("it waits".to_owned())),
    }
}

fn answered<A: Serialize>(outcome: dynoxide::Result<A>) -> (StatusCode, String) {
    match outcome.map(|answer| serde_json::to_string(&answer)) {
        Ok(Ok(answer)) => (StatusCode::OK, answer),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        Err(error) => {
            let status = StatusCode::from_u16(error.status_code());
            (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), error.to_json())
        }
    }
}

fn refused(code: &str, message: &str) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, json!({ "__type": code, "message": message }).to_string())
}

#[cfg(test)]
mod tests;
