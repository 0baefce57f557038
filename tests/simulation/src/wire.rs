//! What stands between the SDK's clients and what answers them: calls go wrong here as the weather says, and the oracle
//! sees what they do.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use jiff::SignedDuration;
use local::endpoints::events::LocalBus;
use serde_json::{Value, json};
use sim_dynamodb::SimDynamoDb;
use sim_ec2::SimEc2;

use crate::another::judge_another;
use crate::hands::Hands;
use crate::ledger::Ledger;
use crate::lies::{Lie, Told};
use crate::oracle::{Done, judge_deletion, judge_machines};
use crate::weather::{Called, Fortune, Weather};

/// What is shared by all who are at work.
pub(crate) type Shared<T> = Arc<Mutex<T>>;

/// What is shared, for a moment.
pub(crate) fn held<T>(shared: &Shared<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who answers.
#[derive(Clone, Debug)]
pub(crate) enum Behind {
    Ec2(SimEc2),
    DynamoDb(SimDynamoDb),
    Bus(LocalBus),
}

/// A way to one of them.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) behind: Behind,
    pub(crate) hands: Hands,
    pub(crate) weather: Shared<Weather>,
    pub(crate) ledger: Shared<Ledger>,
    pub(crate) lie: Option<Lie>,
    /// Whether who calls is the other installation.
    pub(crate) is_anothers: bool,
}

/// An answer before it is one of the SDK's.
struct Plain {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wire").field(&self.behind).finish()
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = self.clone();
        HttpConnectorFuture::new(async move { wire.carry(request).await })
    }
}

impl Wire {
    pub(crate) fn client(self) -> SharedHttpClient {
        SharedHttpClient::new(self)
    }

    async fn carry(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let headers = request.headers();
        let target = headers.get("x-amz-target").unwrap_or_default().to_owned();
        let region = region_of(headers.get("authorization").unwrap_or_default()).to_owned();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let called = match &self.behind {
            Behind::Ec2(_) => Called::Ec2,
            Behind::DynamoDb(_) => Called::DynamoDb,
            Behind::Bus(_) => Called::Bus,
        };
        let (fortune, slowness) = {
            let mut weather = held(&self.weather);
            (weather.fortune(called, &region), weather.slowness())
        };
        tokio::task::yield_now().await;
        if slowness > 0 {
            self.hands.sleep(SignedDuration::from_millis(slowness)).await;
        }
        self.tell_trouble(fortune, &target, &region, &body);
        match fortune {
            Fortune::Throttled | Fortune::ErrorBefore => return refusal(called, fortune),
            Fortune::ResetBefore => return Err(reset()),
            Fortune::Silent => std::future::pending().await,
            Fortune::Well
            | Fortune::ErrorAfter
            | Fortune::ResetAfter
            | Fortune::SilentAfter
            | Fortune::PartlyRefused => {}
        }
        let answer = self.answer(&target, &region, &body, fortune);
        tokio::task::yield_now().await;
        match fortune {
            Fortune::ErrorAfter => refusal(called, Fortune::ErrorBefore),
            Fortune::ResetAfter => Err(reset()),
            Fortune::SilentAfter => std::future::pending().await,
            Fortune::Well
            | Fortune::PartlyRefused
            | Fortune::Throttled
            | Fortune::ErrorBefore
            | Fortune::ResetBefore
            | Fortune::Silent => response(answer),
        }
    }

    fn tell_trouble(&self, fortune: Fortune, target: &str, region: &str, body: &[u8]) {
        if fortune == Fortune::Well {
            return;
        }
        let action = if target.is_empty() { action_of(body) } else { target };
        let mut ledger = held(&self.ledger);
        let text = format!("    {}: {action} {region} {fortune:?}", ledger.actor);
        ledger.note(self.hands.now(), text);
    }

    fn count(&self, target: &str, body: &[u8]) {
        let action = if target.is_empty() { action_of(body) } else { target };
        let mut ledger = held(&self.ledger);
        ledger.calls += 1;
        let name = action.rsplit('.').next().unwrap_or_default();
        let key = format!("{} {name}", ledger.actor);
        if ledger.tells_calls {
            ledger.note(self.hands.now(), format!("    calls: {key} {}", described(body)));
        }
        *ledger.calls_by.entry(key).or_default() += 1;
    }

    fn answer(&self, target: &str, region: &str, body: &[u8], fortune: Fortune) -> Plain {
        self.count(target, body);
        match &self.behind {
            Behind::Ec2(ec2) if self.is_anothers => self.ask_ec2_as_another(ec2, region, body),
            Behind::Ec2(ec2) => self.ask_ec2(ec2, region, body),
            Behind::DynamoDb(database) => {
                let told = match self.lie.filter(|_| !self.is_anothers) {
                    Some(lie) => lie.told_to_dynamodb(target, body),
                    None => Some(body.to_vec()),
                };
                let Some(body) = &told else {
                    return plain(200, "application/x-amz-json-1.0", "{}".to_owned());
                };
                let (status, body) = database.answer(target, body);
                plain(status.as_u16(), "application/x-amz-json-1.0", body)
            }
            Behind::Bus(bus) if fortune == Fortune::PartlyRefused => partly(bus, target, body),
            Behind::Bus(bus) => {
                let (status, body) = bus.answer(target, body);
                plain(status.as_u16(), "application/x-amz-json-1.1", body.to_string())
            }
        }
    }

    /// What EC2 answers the other installation.
    fn ask_ec2_as_another(&self, ec2: &SimEc2, region: &str, body: &[u8]) -> Plain {
        let action = action_of(body);
        let changes = [
            "CreateSnapshot",
            "CreateSnapshots",
            "CopySnapshot",
            "DeleteSnapshot",
            "CreateTags",
            "DeleteTags",
        ];
        let is_watched = changes.contains(&action);
        let before = if is_watched { ec2.snapshots() } else { Vec::new() };
        if !is_permitted(action, &before, body) {
            return refused(403, "UnauthorizedOperation");
        }
        let answer = ec2.answer(region, body);
        if is_watched {
            judge_another(&mut held(&self.ledger), ec2, (action, &before), self.hands.now());
        }
        Plain { status: answer.status, headers: answer.headers, body: answer.body }
    }

    fn ask_ec2(&self, ec2: &SimEc2, region: &str, body: &[u8]) -> Plain {
        let action = action_of(body);
        let changes = ["CreateSnapshot", "CreateSnapshots", "CopySnapshot", "DeleteSnapshot"];
        let is_watched = changes.contains(&action);
        let before = if is_watched { ec2.snapshots() } else { Vec::new() };
        if !is_permitted(action, &before, body) {
            let actor = held(&self.ledger).actor.clone();
            held(&self.ledger).note(self.hands.now(), format!("    IAM refuses {actor} {action}"));
            return refused(403, "UnauthorizedOperation");
        }
        let told = match self.lie {
            Some(lie) => lie.told_to_ec2(ec2, action, body),
            None => Told::Asked(body.to_vec()),
        };
        let body = match &told {
            Told::Asked(body) => body.as_slice(),
            Told::Said(answer) => return plain(200, "text/xml", (*answer).to_owned()),
        };
        let volumes = if action == "CreateVolume" { ec2.volumes() } else { Vec::new() };
        let answer = ec2.answer(region, body);
        if let Some(lie) = self.lie.filter(|_| answer.status == 200) {
            lie.besides(ec2, (region, body), action);
        }
        let now = self.hands.now();
        let done = Done { action, body, is_well: answer.status == 200, volumes_before: &volumes };
        judge_machines(&mut held(&self.ledger), ec2, &done, now);
        if is_watched {
            let after = ec2.snapshots();
            let mut ledger = held(&self.ledger);
            let new: Vec<_> =
                after.iter().filter(|one| before.iter().all(|old| old.id != one.id)).collect();
            ledger.made(&new);
            let actor = ledger.actor.clone();
            if let Some(one) = new.first() {
                let set = one.tags.get("snapkeep:id").cloned().unwrap_or_default();
                let ids: Vec<_> = new.iter().map(|one| one.id.as_str()).collect();
                let text = format!("{actor} made {} of {set}", ids.join(", "));
                ledger.note(now, text);
            }
            let gone = before.iter().filter(|one| after.iter().all(|left| left.id != one.id));
            for one in gone {
                judge_deletion(&mut ledger, &before, one, now);
            }
            if answer.status != 200 {
                ledger
                    .note(now, format!("    {actor}: {action} answered {}", code_of(&answer.body)));
            }
        }
        let headers = answer.headers;
        Plain { status: answer.status, headers, body: answer.body }
    }
}

/// What bad weather answers.
fn refusal(called: Called, fortune: Fortune) -> Result<HttpResponse, ConnectorError> {
    let is_throttled = fortune == Fortune::Throttled;
    let answer = match called {
        Called::Ec2 => {
            let (status, code) =
                if is_throttled { (503, "RequestLimitExceeded") } else { (500, "InternalError") };
            refused(status, code)
        }
        Called::DynamoDb | Called::Bus => {
            let (status, kind) = match (called, is_throttled) {
                (Called::DynamoDb, true) => (400, "ProvisionedThroughputExceededException"),
                (_, true) => (400, "ThrottlingException"),
                (Called::DynamoDb, false) => (500, "InternalServerError"),
                (_, false) => (500, "InternalException"),
            };
            let body = json!({ "__type": kind, "message": "bad weather" }).to_string();
            plain(status, "application/x-amz-json-1.0", body)
        }
    };
    response(answer)
}

/// Whether IAM lets us, as the template says: only what bears our tags is copied, and only what bears the mark as well is
/// deleted.
fn is_permitted(action: &str, before: &[sim_ec2::Snapshot], body: &[u8]) -> bool {
    let (field, keys): (_, &[&str]) = match action {
        "DeleteSnapshot" => ("SnapshotId=", &["snapkeep:managed-by", "snapkeep:state"]),
        "CopySnapshot" => ("SourceSnapshotId=", &["snapkeep:managed-by"]),
        _ => return true,
    };
    let text = std::str::from_utf8(body).unwrap_or_default();
    let id = text.split('&').find_map(|one| one.strip_prefix(field)).unwrap_or_default();
    let found = before.iter().find(|one| one.id == id);
    found.is_none_or(|one| keys.iter().all(|key| one.tags.contains_key(*key)))
}

/// One of EC2's errors.
fn refused(status: u16, code: &str) -> Plain {
    let body = format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>not now</Message></Error></Errors>\
         <RequestID>0</RequestID></Response>"
    );
    plain(status, "text/xml", body)
}

/// The first entry is taken, the others are not.
fn partly(bus: &LocalBus, target: &str, body: &[u8]) -> Plain {
    let mut request: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut entries = request["Entries"].as_array().cloned().unwrap_or_default();
    let refused = entries.split_off(entries.len().min(1));
    let ok = refused.is_empty();
    let mut answers = Vec::new();
    let mut failed = refused.len();
    if ok {
        failed = entries.len();
        answers.extend(entries.iter().map(|_| json!({ "ErrorCode": "ThrottlingException" })));
    } else {
        request["Entries"] = Value::Array(entries);
        let (_, answer) = bus.answer(target, request.to_string().as_bytes());
        answers.extend(answer["Entries"].as_array().cloned().unwrap_or_default());
        answers.extend(refused.iter().map(|_| json!({ "ErrorCode": "ThrottlingException" })));
    }
    let body = json!({ "FailedEntryCount": failed, "Entries": answers });
    plain(200, "application/x-amz-json-1.1", body.to_string())
}

fn plain(status: u16, content_type: &str, body: String) -> Plain {
    Plain { status, headers: vec![("content-type", content_type.to_owned())], body }
}

fn response(answer: Plain) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(answer.status)
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

fn reset() -> ConnectorError {
    ConnectorError::io("the connection was reset".into())
}

/// The region in the scope of a signature.
fn region_of(authorization: &str) -> &str {
    let credential = authorization.split("Credential=").nth(1).unwrap_or_default();
    credential.split('/').nth(2).unwrap_or("us-east-1")
}

/// What a form asks of EC2.
fn action_of(body: &[u8]) -> &str {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let field = text.split('&').find_map(|field| field.strip_prefix("Action="));
    field.unwrap_or_default()
}

/// What a call says, as far as it fits into a line.
fn described(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(200).collect()
}

/// The code of one of EC2's errors.
fn code_of(body: &str) -> &str {
    let from = body.split("<Code>").nth(1).unwrap_or_default();
    from.split("</Code>").next().unwrap_or_default()
}
