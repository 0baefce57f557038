//! Taking snapshots: by hand, at any time, whole, and followed until they are there.

use serde_json::{Value, json};
use sim_ec2::{InstanceSpec, InstanceState};

use crate::support::app::App;
use crate::support::contract;
use crate::support::reply::text;

#[tokio::test]
async fn m1_b3_a_snapshot_can_be_taken_at_any_time_and_the_answer_says_where_it_is() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    // A schedule is no hindrance, nor is another snapshot of the same instance that is under way.
    app.schedule("rate(1 hour)", &[&instance], Value::Null).await;

    for _ in 0..2 {
        let reply = app.call("POST", "/v1/snapshots", json!({ "instance_id": instance })).await;
        let place = reply.header("location").to_owned();
        let asked = reply.expect(202);

        assert_eq!(text(&asked, "status"), "requested");
        assert_eq!(place, format!("/v1/snapshots/{}", text(&asked, "id")));
        assert_eq!(app.get(&place).await["id"], asked["id"]);
    }
    app.pass_minutes(5).await;
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 2);
}

#[tokio::test]
async fn m2_w22_all_volumes_are_taken_as_one_set_and_how_consistent_it_is_is_said() {
    let app = App::start().await;
    let instance = app.instance("shop", 4);

    let id = app.take_snapshot(&instance).await;

    let shown = app.get(&format!("/v1/snapshots/{id}")).await;
    let volumes = shown["volumes"].as_array().unwrap();
    assert_eq!(volumes.len(), 4);
    assert_eq!(volumes.iter().filter(|volume| volume["boot"] == json!(true)).count(), 1);
    // One call for all: EC2 takes them at the same instant, as after a power cut.
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 1);
    assert_eq!(text(&shown, "consistency"), "crash");
    assert!(shown["taken_at"].is_string());
}

#[tokio::test]
async fn u16_b26_names_describe_by_themselves_or_as_somebody_wants() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let named = json!({
        "instance_id": instance, "name": "before the upgrade", "description": "shop 4.1, orders",
    });
    let by_hand = app.call("POST", "/v1/snapshots", named).await.expect(202);
    let without_a_name = app.request_snapshot(&instance).await;
    let schedule = json!({
        "name": "nightly", "expression": "cron(30 11 * * ? *)", "timezone": "Europe/Berlin",
        "targets": { "instance_ids": [instance] },
        "options": { "name_template": "{schedule}: {instance_name} {date} {time}" },
    });
    app.call("POST", "/v1/schedules", schedule).await.expect(201);
    app.pass_minutes(31).await;

    assert_eq!(text(&by_hand, "description"), "shop 4.1, orders");
    let shown = app.get(&format!("/v1/snapshots/{without_a_name}")).await;
    assert!(text(&shown, "name").contains("web"), "{shown:#}");
    let scheduled = app.list("/v1/snapshots?origin=schedule").await;
    let name = text(&scheduled[0], "name");
    assert!(name.starts_with("nightly: web 2026-03-02 11"), "{name}");
}

#[tokio::test]
async fn u19_b7_whether_it_can_be_taken_is_known_before_and_said_with_the_reason() {
    let app = App::start().await;
    let running = app.instance("running", 1);
    let bare = app.instance("bare", 0);
    let gone = app.ec2.add_instance(InstanceSpec::named("gone").state(InstanceState::Terminated));

    let eligible = app.list("/v1/instances?eligible=true").await;
    let not = app.list("/v1/instances?eligible=false").await;
    let missing_field = app.call("POST", "/v1/snapshots", json!({})).await.expect(400);

    let ids: Vec<_> = eligible.iter().map(|one| text(one, "id")).collect();
    assert_eq!(ids, [&running]);
    assert_eq!(not.len(), 2);
    assert!(not.iter().all(|one| one["eligibility"]["reason"].is_string()));
    assert_eq!(text(&missing_field, "field"), "instance_id");
    for (instance, reason) in [(bare, "no EBS volumes"), (gone, "terminated")] {
        let refused = app.call("POST", "/v1/snapshots", json!({ "instance_id": instance })).await;
        assert!(text(&refused.expect(409), "detail").contains(reason));
    }
}

#[tokio::test]
async fn u22_b24_every_error_says_what_is_wrong_in_words_and_what_to_quote() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let unknown = "snp_0195500c-6d00-7000-8000-000000000000";
    let long = json!({ "instance_id": instance, "name": "x".repeat(70_000) });
    let mut quoted = Vec::new();
    for (method, path, body, status) in [
        ("GET", "/v1/snapshots/snp_1".to_owned(), Value::Null, 400),
        ("GET", format!("/v1/snapshots/{unknown}"), Value::Null, 404),
        ("PUT", "/v1/snapshots".to_owned(), Value::Null, 405),
        ("POST", format!("/v1/snapshots/{unknown}/rescue"), Value::Null, 404),
        ("POST", "/v1/snapshots".to_owned(), json!({ "instance_id": "web" }), 400),
        ("POST", "/v1/snapshots".to_owned(), long, 413),
    ] {
        let reply = app.call(method, &path, body).await;
        assert_eq!(reply.header("content-type"), "application/problem+json", "{method} {path}");
        let problem = reply.expect(status);
        assert!(text(&problem, "detail").len() > 10, "{problem:#}");
        assert!(!text(&problem, "title").is_empty());
        quoted.push(text(&problem, "request_id").to_owned());
    }
    let all = quoted.len();
    quoted.sort();
    quoted.dedup();
    assert_eq!(quoted.len(), all);
}

#[test]
fn b12_errors_have_one_form_and_words_of_a_kind_are_listed() {
    let document = contract::document();
    let problem = "#/components/schemas/Problem";
    for (path, method, operation) in contract::operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = match response["$ref"].as_str() {
                Some(reference) => document.pointer(&reference[1..]).unwrap(),
                None => response,
            };
            // API Gateway throttles in words of its own.
            if status.starts_with(['4', '5']) && status != "429" {
                let schema = &response["content"]["application/problem+json"]["schema"];
                assert_eq!(schema["$ref"], problem, "{method} {path} {status}");
            }
        }
    }
    for words in ["SnapshotStatus", "SnapshotOrigin", "RunStatus", "SweepStatus", "Role"] {
        let schema = &document["components"]["schemas"][words];
        assert!(schema["enum"].as_array().is_some_and(|words| words.len() > 1), "{words}");
    }
}

#[tokio::test]
async fn m8_nothing_is_told_or_done_without_a_token() {
    let app = App::start().await;
    let nobody = [("x-snapkeep-role", "none")];
    let open = ["/v1/health", "/v1/openapi.json"];
    for (path, method, _) in contract::operations() {
        let path = path
            .replace("{id}", "snp_0195500c-6d00-7000-8000-000000000000")
            .replace("{slot}", "2026-03-02T10:00:00Z");
        let reply = app.send(&method, &path, Value::Null, &nobody).await;
        let expected = if open.contains(&path.as_str()) { 200 } else { 401 };
        assert_eq!(reply.status, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn w12_one_taken_by_hand_is_listed_as_such_and_not_everybody_may() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let body = json!({ "instance_id": instance });
    let by = |role| [("x-snapkeep-role", role)];

    app.send("POST", "/v1/snapshots", body.clone(), &by("viewer")).await.expect(403);
    app.send("POST", "/v1/snapshots", body.clone(), &by("operator")).await.expect(202);
    app.send("POST", "/v1/snapshots", body, &by("admin")).await.expect(202);

    let listed = app.list("/v1/snapshots").await;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|one| text(one, "origin") == "manual"));
}

#[tokio::test]
async fn w25_it_is_followed_until_it_is_there() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.request_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{id}");
    let mut seen = Vec::new();

    // Nobody looks at the provider's dashboard: the same answer tells it all.
    while seen.last().is_none_or(|status| status != "available") {
        assert!(seen.len() < 20, "{seen:?}");
        let shown = app.get(&path).await;
        assert!(shown["progress_percent"].is_u64());
        seen.push(text(&shown, "status").to_owned());
        app.pass(jiff::SignedDuration::from_secs(15)).await;
    }

    seen.dedup();
    assert_eq!(seen, ["requested", "pending", "available"]);
    assert!(app.get(&path).await["completed_at"].is_string());
}

#[tokio::test]
async fn w4_w21_what_can_be_done_with_an_instance_or_a_snapshot_is_said_beforehand() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;

    let listed = app.list("/v1/instances").await;
    let shown = app.get(&format!("/v1/snapshots/{id}")).await;

    let eligibility = json!({ "eligible": true, "reason": null, "caveats": [] });
    assert_eq!(listed[0]["eligibility"], eligibility);
    assert_eq!(shown["restorable"], json!(true));
    assert_eq!((&shown["hold"], &shown["blocked"]), (&Value::Null, &Value::Null));
}
