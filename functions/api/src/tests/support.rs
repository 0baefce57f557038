//! Requests as API Gateway hands them to Lambda, and a service that cannot reach anything.

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::Service;
use shared::clock::Clock;
use shared::service::Connections;
use shared::settings::Settings;

use crate::role::Role;

/// An identifier that nothing has.
pub(super) const SNAPSHOT: &str = "snp_0195500c-6d00-7000-8000-000000000000";

/// A request to the API.
#[derive(Clone, Debug)]
pub(super) struct Call {
    method: String,
    path: String,
    claims: Value,
    headers: Value,
    body: Option<String>,
}

/// What it answers.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Call {
    /// A request by an admin.
    pub(super) fn new(method: &str, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self { method, path, claims: Value::Null, headers: json!({}), body: None }
            .by(Some(Role::Admin))
    }

    /// By somebody of this role, or of none.
    pub(super) fn by(self, role: Option<Role>) -> Self {
        let group = role.map_or("others", Role::group);
        self.claims(json!({
            "sub": "ada", "token_use": "access", "cognito:groups": format!("[{group}]"),
        }))
    }

    /// With these claims; without any if null.
    pub(super) fn claims(self, claims: Value) -> Self {
        Self { claims, ..self }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers[name] = value.into();
        self
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.text(&body.to_string()).header("content-type", "application/json")
    }

    pub(super) fn text(self, body: &str) -> Self {
        Self { body: Some(body.to_owned()), ..self }
    }

    fn event(&self) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let mut event = json!({
            "version": "2.0",
            "routeKey": "ANY /v1/{proxy+}",
            "rawPath": path,
            "rawQueryString": query,
            "headers": self.headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": "example.org",
                "domainPrefix": "example",
                "http": {"method": self.method, "path": path, "protocol": "HTTP/1.1"},
                "requestId": "request-1",
                "stage": "$default",
                "timeEpoch": 0,
            },
            "isBase64Encoded": false,
        });
        if !self.claims.is_null() {
            event["requestContext"]["authorizer"] = json!({"jwt": {"claims": self.claims}});
        }
        if let Some(body) = &self.body {
            event["body"] = body.as_str().into();
        }
        event.to_string()
    }

    /// Sends it.
    pub(super) async fn send(&self) -> Answer {
        let request = lambda_http::request::from_str(&self.event()).unwrap();
        let clock = Clock::fixed("2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap());
        let response = crate::handle(crate::router(service(), clock), request).await;
        let (parts, body) = response.into_parts();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn field(&self) -> &str {
        self.body["field"].as_str().unwrap_or_default()
    }

    pub(super) fn kind(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default()
    }
}

/// A network on which nothing answers.
#[derive(Debug)]
struct Nowhere;

impl HttpConnector for Nowhere {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::io("nothing answers here".into())))
    }
}

fn service() -> Service {
    let settings = Settings::from_lookup(|name| match name {
        "AWS_REGION" => Some("us-east-1".to_owned()),
        "SNAPKEEP_TABLE" | "SNAPKEEP_BUS" => Some("snapkeep".to_owned()),
        _ => None,
    });
    let credentials = Credentials::new("id", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(|_, _| SharedHttpConnector::new(Nowhere)))
        .build();
    Service::new(settings.unwrap(), &Connections::same(config))
}
