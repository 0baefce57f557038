//! Bad input and bad times: a clear error, and nothing half-made.

use aws_config::retry::RetryConfig;
use serde_json::{Value, json};
use shared::Service;
use shared::service::Connections;
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::reply::text;

#[tokio::test]
async fn bad_values_name_their_field() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    for (body, field) in [
        (json!({ "instance_id": "web" }), "instance_id"),
        (json!({}), "instance_id"),
        (json!({ "instance_id": instance, "colour": "red" }), "colour"),
        (json!({ "instance_id": instance, "expires_at": "tomorrow" }), "2026-11-22T08:00:00Z"),
        (json!([instance]), "object"),
        (json!({ "instance_id": instance, "tags": { "aws:x": "y" } }), "tags"),
        (
            json!({ "instance_id": instance, "exclude_volumes": ["vol-0123456789abcdef0"] }),
            "exclude_volumes",
        ),
    ] {
        let problem = app.call("POST", "/v1/snapshots", body.clone()).await;
        assert_eq!(problem.header("content-type"), "application/problem+json", "{body}");
        let problem = problem.expect(400);
        let says = format!("{} {}", problem["field"], problem["detail"]);
        assert!(says.contains(field), "{body}: {problem:#}");
        assert!(problem["request_id"].is_string());
    }
    assert!(app.list("/v1/snapshots").await.is_empty());
}

#[tokio::test]
async fn bad_queries_name_their_parameter() {
    let app = App::start().await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=!", "cursor"),
        ("colour=red", "colour"),
        ("status=fine", "status"),
        ("sort=size", "sort"),
        ("from=yesterday", "from"),
        ("region=mars", "us-east-1"),
    ] {
        let problem = app.call("GET", &format!("/v1/snapshots?{query}"), Value::Null).await;
        let problem = problem.expect(400);
        let says = format!("{} {}", problem["field"], problem["detail"]);
        assert!(says.contains(name), "{query}: {problem:#}");
    }
}

#[tokio::test]
async fn a_stale_version_is_refused_and_a_current_one_goes_through() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");
    let version = app.get(&path).await["version"].as_u64().unwrap();
    let body = json!({ "description": "before the upgrade" });

    let stale = format!("\"{}\"", version - 1);
    let refused = app.send("PATCH", &path, body.clone(), &[("if-match", stale.as_str())]).await;
    let current = format!("\"{version}\"");
    let changed = app.send("PATCH", &path, body, &[("if-match", current.as_str())]).await;

    refused.expect(412);
    let changed = changed.expect(200);
    assert_eq!(changed["version"], json!(version + 1));
    assert_eq!(text(&changed, "description"), "before the upgrade");
}

#[tokio::test]
async fn ec2_out_of_reach_is_503_with_a_time_to_come_back() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.ec2.fault(Fault::on("DescribeInstances").times(9).error("RequestLimitExceeded", 503));

    let reply = app.call("POST", "/v1/snapshots", json!({ "instance_id": instance })).await;

    assert!(!reply.header("retry-after").is_empty());
    reply.expect(503);
    assert!(app.list("/v1/snapshots").await.is_empty());
}

#[tokio::test]
async fn dynamodb_out_of_reach_is_503_as_well() {
    let app = App::start().await;
    let nowhere = local::connections::local("us-east-1")
        .into_builder()
        .retry_config(RetryConfig::disabled())
        .build();
    let nowhere = local::connections::at(nowhere, "http://127.0.0.1:9");
    let connections =
        Connections { dynamodb: nowhere.clone(), ec2: nowhere.clone(), eventbridge: nowhere };
    let service = Service::new(app.service().settings.clone(), &connections);
    let event = include_str!("../../events/api-list-snapshots-as-machine.json");
    let request = lambda_http::request::from_str(event).unwrap();

    let response = api::handle(api::router(service, app.function_clock()), request).await;

    assert_eq!(response.status().as_u16(), 503);
    assert!(response.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn a_failed_call_to_ec2_tells_the_client_no_more_than_it_must() {
    let app = App::start().await;
    let code = ("UnauthorizedOperation", 403);
    app.ec2.fault(Fault::on("DescribeInstances").times(9).error(code.0, code.1));

    let problem = app.call("GET", "/v1/instances", Value::Null).await.expect(403);

    assert!(text(&problem, "detail").contains("DescribeInstances"), "{problem:#}");
    assert!(!problem.to_string().contains("SdkError"));
}

#[tokio::test]
async fn what_is_unknown_is_404() {
    let app = App::start().await;
    let unknown = "0195500c-6d00-7000-8000-000000000000";
    for path in [
        format!("/v1/snapshots/snp_{unknown}"),
        format!("/v1/schedules/sch_{unknown}"),
        format!("/v1/schedules/sch_{unknown}/runs"),
        format!("/v1/sweeps/swp_{unknown}"),
        "/v1/instances/i-0123456789abcdef0".to_owned(),
    ] {
        app.call("GET", &path, Value::Null).await.expect(404);
    }
}

#[tokio::test]
async fn an_operator_cannot_hasten_a_deletion() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let snapshot = format!("/v1/snapshots/{}", app.take_snapshot(&instance).await);
    let retention = json!({ "keep_last": 3 });
    let schedule = app.schedule("rate(1 day)", &[&instance], retention).await;
    let schedule = format!("/v1/schedules/{schedule}");
    let operator = [("x-snapkeep-role", "operator")];

    for (path, body) in [
        (&snapshot, json!({ "expires_at": "2026-03-02T12:00:00Z" })),
        (&schedule, json!({ "retention": { "keep_last": 1 } })),
        (&schedule, json!({ "grace_minutes": 0 })),
        (&schedule, json!({ "timezone": "Asia/Tokyo" })),
    ] {
        let problem = app.send("PATCH", path, body.clone(), &operator).await.expect(403);
        assert_eq!(text(&problem, "needed_role"), "admin", "{body}");
    }
    let harmless = json!({ "description": "nightly" });
    app.send("PATCH", &snapshot, harmless, &operator).await.expect(200);
}
