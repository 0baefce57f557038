//! The rights of each function, held where it calls: of DynamoDB and the bus on the way there, of EC2 by the simulation.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
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
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use sim_ec2::iam::{Asked, Policy, Right};

/// What DynamoDB's and EventBridge's operations begin with in `X-Amz-Target`.
const SERVICES: [(&str, &str); 2] = [("DynamoDB_20120810.", "dynamodb"), ("AWSEvents.", "events")];
/// Operations that are checked for their table alone: of them nothing else need be read.
const WHOLE: [&str; 3] = ["GetItem", "BatchGetItem", "PutItem"];

/// A function's role: what it may do, and has done.
#[derive(Clone, Debug)]
pub(crate) struct Rights(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    policy: Policy,
    table: String,
    bus: String,
    used: Mutex<BTreeSet<Right>>,
}

impl Rights {
    /// Those of a policy, over the table and the bus with these ARNs.
    pub(crate) fn new(policy: Policy, table: String, bus: String) -> Self {
        Self(Arc::new(Inner { policy, table, bus, used: Mutex::default() }))
    }

    /// The same clients, whose calls need the rights.
    pub(crate) fn over(&self, config: SdkConfig) -> SdkConfig {
        let Some(client) = config.http_client() else { return config };
        let client = SharedHttpClient::new(Checking { rights: self.clone(), client });
        config.into_builder().http_client(client).build()
    }

    /// All that are given, of the services that are called here.
    pub(crate) fn given(&self) -> BTreeSet<Right> {
        let services = ["dynamodb", "ec2", "events", "iam"].iter();
        services.flat_map(|service| self.0.policy.rights(service)).collect()
    }

    /// The rights that were made use of.
    pub(crate) fn used(&self) -> BTreeSet<Right> {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why a call is not allowed, if it is not.
    fn refusal(&self, target: &str, body: &[u8]) -> Option<String> {
        for asked in self.asked(target, body)? {
            match self.0.policy.allows(&asked) {
                Ok(rights) => {
                    self.0.used.lock().unwrap_or_else(PoisonError::into_inner).extend(rights);
                }
                Err(denial) => return Some(denial.to_string()),
            }
        }
        None
    }

    fn asked(&self, target: &str, body: &[u8]) -> Option<Vec<Asked>> {
        let (service, name) = SERVICES
            .iter()
            .find_map(|(prefix, service)| Some((*service, target.strip_prefix(prefix)?)))?;
        let one = |name: &str, resource: &str, key: &str, values: Vec<String>| {
            let values = Some(values).filter(|values| !values.is_empty());
            Asked {
                action: format!("{service}:{name}"),
                resource: resource.to_owned(),
                context: values.map(|values| (key.to_owned(), values)).into_iter().collect(),
            }
        };
        let table =
            |name: &str, keys: Vec<String>| one(name, &self.0.table, "dynamodb:LeadingKeys", keys);
        if service == "dynamodb" && WHOLE.contains(&name) {
            return Some(vec![table(name, Vec::new())]);
        }
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        Some(match (service, name) {
            ("events", _) => {
                let entries = body.get("Entries").and_then(Value::as_array).into_iter().flatten();
                let kinds = entries.filter_map(|entry| entry.get("DetailType")?.as_str());
                let kinds = kinds.map(str::to_owned).collect::<BTreeSet<_>>();
                vec![one(name, &self.0.bus, "events:detail-type", kinds.into_iter().collect())]
            }
            (_, "Query") => {
                let resource = match body.get("IndexName").and_then(Value::as_str) {
                    Some(index) => format!("{}/index/{index}", self.0.table),
                    None => self.0.table.clone(),
                };
                vec![one(name, &resource, "", Vec::new())]
            }
            // A transaction needs the rights of its parts.
            (_, "TransactWriteItems") => {
                let parts =
                    body.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
                let parts = parts.filter_map(|part| part.as_object()?.iter().next());
                parts
                    .map(|(kind, part)| match kind.as_str() {
                        "Put" => table("PutItem", Vec::new()),
                        "ConditionCheck" => table("ConditionCheckItem", leading(part)),
                        "Update" => table("UpdateItem", leading(part)),
                        "Delete" => table("DeleteItem", leading(part)),
                        other => table(other, Vec::new()),
                    })
                    .collect()
            }
            (_, name) => vec![table(name, leading(&body))],
        })
    }
}

/// The partition of the key.
fn leading(part: &Value) -> Vec<String> {
    part.pointer("/Key/pk/S").and_then(Value::as_str).map(str::to_owned).into_iter().collect()
}

/// Clients that sign with this access key.
pub(crate) fn signing(config: SdkConfig, access_key: &str) -> SdkConfig {
    let credentials = Credentials::new(access_key, access_key, None, None, "local");
    let provider = SharedCredentialsProvider::new(credentials);
    config.into_builder().credentials_provider(provider).build()
}

#[derive(Clone, Debug)]
struct Checking {
    rights: Rights,
    client: SharedHttpClient,
}

impl HttpClient for Checking {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.client.http_connector(settings, components);
        SharedHttpConnector::new(CheckingConnector { rights: self.rights.clone(), inner })
    }
}

#[derive(Debug)]
struct CheckingConnector {
    rights: Rights,
    inner: SharedHttpConnector,
}

impl HttpConnector for CheckingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default();
        match self.rights.refusal(target, body) {
            None => self.inner.call(request),
            Some(why) => {
                tracing::error!("A function calls what its role does not allow: {why}");
                HttpConnectorFuture::ready(refused(&why))
            }
        }
    }
}

fn refused(why: &str) -> Result<HttpResponse, ConnectorError> {
    let body = json!({ "__type": "AccessDeniedException", "message": why });
    let status =
        StatusCode::try_from(400).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body.to_string()));
    response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
    Ok(response)
}

/// The rights of every function, by its name.
pub(crate) type ByFunction = BTreeMap<crate::function::Function, Rights>;

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:us-east-1:1:table/t";

    fn rights() -> Rights {
        let statements = json!([
            { "Sid": "Read", "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": TABLE },
            { "Sid": "Query", "Effect": "Allow", "Action": "dynamodb:Query", "Resource": format!("{TABLE}/index/*") },
            {
                "Sid": "Remove", "Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": TABLE,
                "Condition": {
                    "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": ["OUTBOX"] },
                    "Null": { "dynamodb:LeadingKeys": "false" },
                },
            },
            {
                "Sid": "Publish", "Effect": "Allow", "Action": "events:PutEvents", "Resource": "bus",
                "Condition": { "ForAllValues:StringEquals": { "events:detail-type": ["JobDue"] } },
            },
        ]);
        let policy = Policy::read(statements.as_array().unwrap()).unwrap();
        Rights::new(policy, TABLE.to_owned(), "bus".to_owned())
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
    fn may(target: &str, body: Value) -> bool {
        rights().refusal(target, body.to_string().as_bytes()).is_none()
    }

    #[test]
    fn each_call_needs_its_right() {
        let key = |pk: &str| json!({ "Key": { "pk": { "S": pk }, "sk": { "S": "x" } } });

        assert!(may("DynamoDB_20120810.GetItem", json!({})));
        assert!(!may("DynamoDB_20120810.Scan", json!({})));
        assert!(may("DynamoDB_20120810.Query", json!({ "IndexName": "due" })));
        assert!(!may("DynamoDB_20120810.Query", json!({})));
        assert!(may("DynamoDB_20120810.DeleteItem", key("OUTBOX")));
        assert!(!may("DynamoDB_20120810.DeleteItem", key("SNAPSHOT#snp_1")));
        assert!(!may("DynamoDB_20120810.DeleteItem", json!({})));
        assert!(may("AWSEvents.PutEvents", json!({ "Entries": [{ "DetailType": "JobDue" }] })));
        assert!(!may(
            "AWSEvents.PutEvents",
            json!({ "Entries": [{ "DetailType": "SweepRequested" }] })
        ));
    }

    #[test]
    fn a_transaction_needs_the_rights_of_its_parts() {
        let delete = |pk: &str| json!({ "Delete": { "Key": { "pk": { "S": pk } } } });
        let put = json!({ "Put": { "Item": {} } });
        let transact = |parts: Value| {
            may("DynamoDB_20120810.TransactWriteItems", json!({ "TransactItems": parts }))
        };

        assert!(transact(json!([put, delete("OUTBOX")])));
        assert!(!transact(json!([put, delete("SCHEDULES")])));
        assert!(!transact(json!([put, { "Update": { "Key": { "pk": { "S": "OUTBOX" } } } }])));
    }

    #[test]
    fn what_was_used_is_known() {
        let rights = rights();
        assert!(rights.refusal("DynamoDB_20120810.PutItem", b"{}").is_none());

        let used = rights.used();

        assert_eq!(used, BTreeSet::from([("Read".to_owned(), "dynamodb:PutItem".to_owned())]));
    }
}
