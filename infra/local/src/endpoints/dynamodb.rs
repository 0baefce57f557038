//! DynamoDB in a file: in process for the functions here, and an endpoint for those elsewhere and for the AWS CLI.

use std::fmt;

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode as SmithyStatus,
};
use aws_smithy_types::body::SdkBody;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use dynoxide::Database;
use http::{Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

/// DynamoDB takes so much at once.
const BODY_MAX: usize = 16 * 1024 * 1024;
/// What it speaks.
const JSON: &str = "application/x-amz-json-1.0";
/// What the names of operations begin with in `X-Amz-Target`.
const PREFIX: &str = "DynamoDB_20120810.";

/// A DynamoDB that is kept in a file. Clones are the same one.
#[derive(Clone)]
pub struct KeptDynamoDb(Database);

impl fmt::Debug for KeptDynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptDynamoDb")
    }
}

impl KeptDynamoDb {
    /// The one in this file, which is made if there is none.
    pub fn open(path: &str) -> dynoxide::Result<Self> {
        Database::new(path).map(Self)
    }

    /// The database itself, for what is put into it as a whole.
    pub(crate) fn database(&self) -> &Database {
        &self.0
    }

    /// An HTTP client for the SDK that never leaves the process.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// Every path is the endpoint.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    /// Answers a call of DynamoDB's JSON protocol.
    fn answer(&self, target: &str, body: &[u8]) -> (StatusCode, String) {
        let Self(database) = self;
        match target.strip_prefix(PREFIX).unwrap_or_default() {
            "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
            "BatchWriteItem" => run(body, |request| database.batch_write_item(request)),
            "CreateTable" => run(body, |request| database.create_table(request)),
            "DeleteItem" => run(body, |request| database.delete_item(request)),
            "DeleteTable" => run(body, |request| database.delete_table(request)),
            "DescribeTable" => run(body, |request| database.describe_table(request)),
            "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
            "GetItem" => run(body, |request| database.get_item(request)),
            "ListTables" => run(body, |request| database.list_tables(request)),
            "PutItem" => run(body, |request| database.put_item(request)),
            "Query" => run(body, |request| database.query(request)),
            "Scan" => run(body, |request| database.scan(request)),
            "TransactGetItems" => run(body, |request| database.transact_get_items(request)),
            "TransactWriteItems" => run(body, |request| database.transact_write_items(request)),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            "UpdateTable" => run(body, |request| database.update_table(request)),
            "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
            _ => refused("UnknownOperationException", &format!("{target} is not known here")),
        }
    }
}

fn run<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    call: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> (StatusCode, String) {
    let request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => return refused("SerializationException", &error.to_string()),
    };
    match call(request).map(|answer| serde_json::to_string(&answer)) {
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

impl HttpClient for KeptDynamoDb {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for KeptDynamoDb {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let database = self.clone();
        HttpConnectorFuture::new(async move {
            // On its way there others get their turn, as over a network.
            tokio::task::yield_now().await;
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let body = request.body().bytes().unwrap_or_default();
            let (status, body) = database.answer(target, body);
            let status = SmithyStatus::try_from(status.as_u16())
                .map_err(|error| ConnectorError::other(error.into(), None))?;
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            response.headers_mut().insert("content-type", JSON);
            Ok(response)
        })
    }
}

async fn serve(State(database): State<KeptDynamoDb>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // Only what a page must ask leave for: no form has this type.
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.split(';').next().map(str::trim) == Some(JSON));
    if parts.method != Method::POST || !is_json {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let (status, answer) = database.answer(target.unwrap_or_default(), &body);
    (status, [(header::CONTENT_TYPE, JSON)], Body::from(answer)).into_response()
}
