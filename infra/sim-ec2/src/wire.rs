//! How clients reach the simulation: in process as the SDK's HTTP client, or over HTTP.

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
    http::{Response, StatusCode},
};
use aws_smithy_types::body::SdkBody;
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, State},
};
use bytes::Bytes;
use http::HeaderMap;

use crate::{
    faults::Loss,
    sim::{Answer, Delivery, SimEc2},
};

/// More than the longest request there is: a thousand resources with fifty tags.
const BODY_MAX: usize = 4 * 1024 * 1024;

impl SimEc2 {
    /// An HTTP client for the SDK that never leaves the process.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(InProcess(self.clone()))
    }

    /// The same over HTTP: every path is the endpoint.
    pub fn router(&self) -> Router {
        Router::new()
            .fallback(serve)
            .layer(DefaultBodyLimit::max(BODY_MAX))
            .with_state(self.clone())
    }
}

#[derive(Clone)]
struct InProcess(SimEc2);

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sim = self.0.clone();
        HttpConnectorFuture::new(async move {
            let authorization = request.headers().get("authorization");
            let region = region_of(authorization).unwrap_or(&sim.config().region);
            let body = request.body().bytes().unwrap_or_default();
            let answer = sim.answer_to(access_key_of(authorization), region, body);
            deliver(answer).await
        })
    }
}

async fn deliver(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    match answer.delivery {
        Delivery::AtOnce => {}
        Delivery::Late(by) => tokio::time::sleep(by).await,
        Delivery::Never(Loss::Reset) => {
            return Err(ConnectorError::io("the connection was reset".into()));
        }
        Delivery::Never(Loss::TimedOut) => {
            return Err(ConnectorError::timeout("no answer in time".into()));
        }
    }
    let status = StatusCode::try_from(answer.status)
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = Response::new(status, SdkBody::from(answer.body));
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

async fn serve(State(sim): State<SimEc2>, headers: HeaderMap, body: Bytes) -> http::Response<Body> {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    let region = region_of(authorization).unwrap_or(&sim.config().region);
    let mut answer = sim.answer_to(access_key_of(authorization), region, &body);
    match answer.delivery {
        Delivery::AtOnce => {}
        Delivery::Late(by) => tokio::time::sleep(by).await,
        // A handler cannot reset its connection; to a client this is as uncertain.
        Delivery::Never(Loss::Reset | Loss::TimedOut) => {
            answer.status = 500;
            answer.body = String::new();
        }
    }
    let mut response = http::Response::new(Body::from(answer.body));
    *response.status_mut() = http::StatusCode::from_u16(answer.status)
        .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The Region in the credential scope of a Signature Version 4:
/// `AWS4-HMAC-SHA256 Credential=KEY/20261122/us-east-1/ec2/aws4_request, …`.
fn region_of(authorization: Option<&str>) -> Option<&str> {
    let (_, credential) = authorization?.split_once("Credential=")?;
    let scope = credential.split([',', ' ']).next()?;
    let region = scope.split('/').nth(2)?;
    let plain = region.chars().all(|each| each.is_ascii_alphanumeric() || each == '-');
    (plain && !region.is_empty()).then_some(region)
}

/// The access key in the same place.
fn access_key_of(authorization: Option<&str>) -> Option<&str> {
    let (_, credential) = authorization?.split_once("Credential=")?;
    credential.split('/').next()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::{Clock, Config, Fault, InstanceSpec, iam::Policy};

    const NAMES: &[&str] = &[
        "Action",
        "InstanceId.1",
        "SnapshotId",
        "VolumeId",
        "ResourceId.1",
        "Tag.1.Key",
        "Tag.1.Value",
        "Filter.1.Name",
        "Filter.1.Value.1",
        "MaxResults",
        "NextToken",
        "InstanceSpecification.InstanceId",
        "TagSpecification.1.ResourceType",
        "TagSpecification.1.Tag.1.Key",
        "BlockDeviceMapping.1.Ebs.SnapshotId",
        "SourceRegion",
        "SourceSnapshotId",
        "DryRun",
        "ImageId",
        "MinCount",
        "MaxCount",
        "Size",
        "AvailabilityZone",
        "A.1.B.2.C",
        "..",
        "Tag.99999999999.Key",
        "Tag.-1.Key",
    ];
    const ACTIONS: &[&str] = &[
        "DescribeSnapshots",
        "CreateSnapshots",
        "CreateTags",
        "DeleteTags",
        "CopySnapshot",
        "RunInstances",
        "CreateVolume",
        "RegisterImage",
        "DescribeInstances",
        "AttachVolume",
        "CreateReplaceRootVolumeTask",
        "DeleteSnapshot",
        "LockSnapshot",
    ];
    const VALUES: &[&str] = &[
        "i-0123456789abcdef0",
        "snap-0123456789abcdef0",
        "vol-1",
        "-1",
        "99999999999999999999",
        "%00",
        "%zz",
        "true",
        "",
        "us-east-1",
        "\u{202e}",
        "😀",
        "a=b&c",
        "*",
    ];

    /// A form that somebody may send: names of parameters that are known, with anything in them.
    fn form() -> impl Strategy<Value = Vec<u8>> {
        let sample = prop::sample::select(VALUES).prop_map(str::to_owned);
        let value = prop_oneof![any::<String>(), sample];
        let pairs = prop::collection::vec((prop::sample::select(NAMES), value), 0..12);
        let form = (prop::sample::select(ACTIONS), pairs).prop_map(|(action, pairs)| {
            let pairs = pairs.iter().map(|(name, value)| format!("&{name}={value}"));
            format!("Action={action}{}", pairs.collect::<String>()).into_bytes()
        });
        prop_oneof![form, prop::collection::vec(any::<u8>(), 0..300)]
    }

    proptest! {
        #[test]
        fn whatever_is_asked_is_answered(form in form(), authorization in any::<String>()) {
            let sim = SimEc2::new(Config::default(), Clock::at(Timestamp::UNIX_EPOCH));
            sim.add_instance(InstanceSpec::named("web"));
            sim.permit("nobody", Policy::default());

            let answer = sim.answer("us-east-1", &form);
            let refused = sim.answer_to(Some("nobody"), "us-east-1", &form);

            assert!(matches!(answer.status, 200 | 400 | 403 | 412 | 503), "{}: {}", answer.status, answer.body);
            assert_ne!(refused.status, 200, "{}", refused.body);
            let _ = region_of(Some(&authorization));
            let _ = access_key_of(Some(&authorization));
        }
    }

    async fn served(sim: &SimEc2, region: &str, form: String) -> (u16, String, String) {
        let mut headers = HeaderMap::new();
        let credential =
            format!("AWS4-HMAC-SHA256 Credential=A/20261122/{region}/ec2/aws4_request");
        headers.insert("authorization", credential.parse().unwrap());
        let answer = serve(State(sim.clone()), headers, Bytes::from(form)).await;
        let date = answer.headers()["date"].to_str().unwrap().to_owned();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), BODY_MAX).await.unwrap();
        (status, date, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn over_http_each_region_is_answered_with_the_simulated_date() {
        let sim = SimEc2::new(Config::default(), Clock::at(Timestamp::UNIX_EPOCH));
        let id = sim.add_instance(InstanceSpec::default());
        let form = || format!("Action=DescribeInstances&Version=2016-11-15&InstanceId.1={id}");

        let (here, date, found) = served(&sim, "us-east-1", form()).await;
        let (there, _, refused) = served(&sim, "eu-west-1", form()).await;

        assert_eq!((here, there), (200, 400));
        assert_eq!(date, "Thu, 01 Jan 1970 00:00:00 GMT");
        assert!(found.contains(&format!("<instanceId>{id}</instanceId>")), "{found}");
        assert!(refused.contains("<Code>InvalidInstanceID.NotFound</Code>"), "{refused}");
    }

    #[tokio::test]
    async fn over_http_a_lost_reply_is_a_500_after_the_change() {
        let sim = SimEc2::new(Config::default(), Clock::at(Timestamp::UNIX_EPOCH));
        let id = sim.add_instance(InstanceSpec::default());
        sim.fault(Fault::on("CreateTags").reply_lost());
        let form = format!("Action=CreateTags&ResourceId.1={id}&Tag.1.Key=a&Tag.1.Value=1");

        let (status, _, body) = served(&sim, "us-east-1", form).await;

        assert_eq!((status, body.as_str()), (500, ""));
        assert_eq!(sim.instance(&id).unwrap().tags["a"], "1");
    }

    #[test]
    fn the_region_is_read_from_the_credential_scope() {
        let header = "AWS4-HMAC-SHA256 Credential=AKID/20261122/eu-central-1/ec2/aws4_request, \
                      SignedHeaders=host, Signature=0";

        assert_eq!(region_of(Some(header)), Some("eu-central-1"));
        assert_eq!(region_of(Some("Bearer x")), None);
        assert_eq!(region_of(None), None);
    }
}
