//! DynamoDB's JSON protocol in process, straight into an embedded DynamoDB.
//!
//! A crate of its own, so that it can be optimised like the database behind it: what reads requests and writes answers
//! is compiled here.

use std::fmt;

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
use dynoxide::{Database, actions::transact_write_items::TransactWriteItemsRequest};
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use tokio::task::yield_now;

/// What the names of operations begin with in `X-Amz-Target`.
const PREFIX: &str = "DynamoDB_20120810.";

/// An embedded DynamoDB that is called without leaving the process. Clones are the same one.
#[derive(Clone)]
pub struct SimDynamoDb(Database);

impl SimDynamoDb {
    /// What this database answers.
    pub fn new(database: Database) -> Self {
        Self(database)
    }

    /// Answers a call of DynamoDB's JSON protocol, of the operations that the functions and tests use.
    pub fn answer(&self, target: &str, body: &[u8]) -> (StatusCode, String) {
        let database = &self.0;
        match target.strip_prefix(PREFIX).unwrap_or_default() {
            "BatchGetItem" => run(body, |request| database.batch_get_item(request)),
            "CreateTable" => run(body, |request| database.create_table(request)),
            "DeleteItem" => run(body, |request| database.delete_item(request)),
            "DescribeTable" => run(body, |request| database.describe_table(request)),
            "DescribeTimeToLive" => run(body, |request| database.describe_time_to_live(request)),
            "GetItem" => run(body, |request| database.get_item(request)),
            "PutItem" => run(body, |request| database.put_item(request)),
            "Query" => run(body, |request| database.query(request)),
            "Scan" => run(body, |request| database.scan(request)),
            "TransactWriteItems" => run(body, |request: TransactWriteItemsRequest| {
                // Each token is remembered for ten minutes, and each transaction looks at all of them. No answer is
                // lost on the way here, so none is ever asked for again.
                let request = TransactWriteItemsRequest { client_request_token: None, ..request };
                database.transact_write_items(request)
            }),
            "UpdateItem" => run(body, |request| database.update_item(request)),
            "UpdateTimeToLive" => run(body, |request| database.update_time_to_live(request)),
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn call(database: &SimDynamoDb, operation: &str, body: &Value) -> (u16, Value) {
        let target = format!("{PREFIX}{operation}");
        let (status, answer) = database.answer(&target, body.to_string().as_bytes());
        (status.as_u16(), serde_json::from_str(&answer).unwrap())
    }

    fn with_table() -> SimDynamoDb {
        let database = SimDynamoDb::new(Database::memory().unwrap());
        let table = json!({
            "TableName": "table",
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        });
        let made = call(&database, "CreateTable", &table);
        assert_eq!(made.0, 200, "{made:?}");
        database
    }

    fn put(token: &str) -> Value {
        let put = json!({
            "TableName": "table",
            "Item": { "pk": { "S": "a" } },
            "ConditionExpression": "attribute_not_exists(pk)",
        });
        json!({ "TransactItems": [{ "Put": put }], "ClientRequestToken": token })
    }

    #[test]
    fn what_is_written_is_read() {
        let database = with_table();

        let written = call(&database, "TransactWriteItems", &put("1"));
        let key = json!({ "TableName": "table", "Key": { "pk": { "S": "a" } } });
        let read = call(&database, "GetItem", &key);

        assert_eq!(written.0, 200);
        assert_eq!(read, (200, json!({ "Item": { "pk": { "S": "a" } } })));
    }

    #[test]
    fn a_refusal_says_why_and_no_token_makes_a_second_write_the_first() {
        let database = with_table();
        call(&database, "TransactWriteItems", &put("1"));

        let (status, refusal) = call(&database, "TransactWriteItems", &put("1"));

        assert_eq!(status, 400);
        assert!(refusal["__type"].as_str().unwrap().ends_with("#TransactionCanceledException"));
        assert_eq!(refusal["CancellationReasons"][0]["Code"], "ConditionalCheckFailed");
    }

    #[test]
    fn what_cannot_be_read_or_is_not_known_is_refused() {
        let database = with_table();

        let unreadable = call(&database, "GetItem", &json!({ "TableName": 1 }));
        let unknown = call(&database, "ListTables", &json!({}));

        assert_eq!(
            (unreadable.0, &unreadable.1["__type"]),
            (400, &json!("SerializationException"))
        );
        assert_eq!((unknown.0, &unknown.1["__type"]), (400, &json!("UnknownOperationException")));
    }
}
