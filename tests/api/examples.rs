//! The document's examples: a walk through all operations, each asked for what people ask it for. What was sent
//! and what was answered is kept as `functions/api/src/openapi/examples.json`.
//!
//! A new operation gets its example by one more call here; the rest says which are missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use sim_ec2::InstanceSpec;

use crate::support::app::App;
use crate::support::contract;
use crate::support::others::taken_elsewhere;
use crate::support::regions::{OTHER, two_regions};
use crate::support::reply::text;
use crate::support::restores::begun;
use crate::support::sweeps::{register_image, with_twenty};

const KEPT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/api/src/openapi/examples.json");
/// Answers with the document itself.
const WITHOUT: &str = "show_openapi";

/// A system, and what it was asked and has answered: the first time for each operation and status.
struct Walk {
    app: App,
    examples: BTreeMap<String, Value>,
}

impl Walk {
    async fn start() -> Self {
        Self { app: App::start().await, examples: BTreeMap::new() }
    }

    /// A request that must go well.
    async fn call(&mut self, method: &str, path: &str, body: Value) -> Value {
        let reply = self.app.call(method, path, body.clone()).await;
        assert!((200..300).contains(&reply.status), "{method} {path}: {:#}", reply.body);
        let operation = contract::operation(method, path).unwrap();
        let id = text(operation, "operationId").to_owned();
        let example = self.examples.entry(id).or_insert_with(|| json!({ "answers": {} }));
        if !body.is_null() && example["request"].is_null() {
            example["request"] = body;
        }
        let answer = &mut example["answers"][reply.status.to_string()];
        if answer.is_null() && !reply.body.is_null() {
            *answer = reply.body.clone();
        }
        reply.body
    }

    async fn get(&mut self, path: &str) -> Value {
        self.call("GET", path, Value::Null).await
    }

    /// Takes over what another walk has seen that this one has not.
    fn join(&mut self, other: Self) {
        for (id, example) in other.examples {
            self.examples.entry(id).or_insert(example);
        }
    }
}

fn server() -> InstanceSpec {
    InstanceSpec::named("shop").tag("Env", "production")
}

/// What anybody may ask, and what is tried out without anything being there.
async fn questions() -> Walk {
    let mut walk = Walk::start().await;
    for path in ["/v1/health", "/v1/me", "/v1/capabilities"] {
        walk.get(path).await;
    }
    let preview = json!({
        "expression": "cron(30 2 * * ? *)", "timezone": "Europe/Berlin",
        "from": "2026-03-27T12:00:00Z", "count": 3,
    });
    walk.call("POST", "/v1/schedules/preview", preview).await;
    let rules = json!({
        "rules": { "keep_daily": 1 },
        "snapshots": [
            { "id": "noon", "taken_at": "2026-03-04T12:00:00Z" },
            { "id": "morning", "taken_at": "2026-03-04T06:00:00Z" },
        ],
    });
    walk.call("POST", "/v1/retention/preview", rules).await;
    let simulated = json!({
        "schedule": { "expression": "rate(12 hours)", "retention": { "keep_last": 2 } },
        "from": "2026-03-04T00:00:00Z", "days": 2, "size_gib": 100,
    });
    walk.call("POST", "/v1/retention/simulate", simulated).await;
    walk
}

/// One snapshot from being taken by hand to being deleted.
async fn snapshots() -> Walk {
    let mut walk = Walk::start().await;
    let instance = walk.app.ec2.add_instance(server());
    walk.get("/v1/instances?limit=1").await;
    let wanted = json!({
        "instance_id": instance,
        "name": "before the upgrade",
        "description": "Shop 4.1, before the migration of the orders",
        "hold": { "type": "never", "reason": "until the upgrade is accepted" },
        "tags": { "team": "shop" },
    });
    let asked = walk.call("POST", "/v1/snapshots", wanted).await;
    let path = format!("/v1/snapshots/{}", text(&asked, "id"));
    walk.app.pass_minutes(3).await;
    walk.get("/v1/snapshots?limit=1").await;
    walk.get(&path).await;
    walk.get(&format!("/v1/instances/{instance}")).await;
    walk.get("/v1/holds?limit=1").await;
    let edit = json!({ "description": "Shop 4.1", "hold": null });
    walk.call("PATCH", &path, edit).await;
    walk.call("DELETE", &format!("{path}?grace_minutes=60"), Value::Null).await;
    walk.call("POST", &format!("{path}/rescue"), Value::Null).await;
    walk.call("DELETE", &format!("{path}?record_only=true"), Value::Null).await;
    walk
}

/// One schedule from its preview to its deletion.
async fn schedules() -> Walk {
    let mut walk = Walk { app: two_regions().await, examples: BTreeMap::new() };
    walk.app.ec2.add_instance(server());
    let wanted = json!({
        "name": "production, nightly",
        "expression": "cron(30 2 * * ? *)",
        "timezone": "Europe/Berlin",
        "targets": { "tags": { "all_of": [{ "key": "Env", "value": "prod*" }] } },
        "options": { "name_template": "{instance_name} {date}", "extra_tags": { "team": "shop" } },
        "retention": { "keep_daily": 14, "keep_weekly": 8, "keep_monthly": 12 },
        "copies": [{ "region": OTHER, "kms_key": "alias/snapkeep", "retention": { "keep_daily": 3 } }],
        "restore_window": "1y",
        "drill_every": "30d",
        "grace_minutes": 240,
    });
    walk.call("POST", "/v1/schedules?preview=true", wanted.clone()).await;
    let made = walk.call("POST", "/v1/schedules", wanted).await;
    let path = format!("/v1/schedules/{}", text(&made, "id"));
    walk.get("/v1/schedules?limit=1").await;
    walk.get(&path).await;
    let edit = json!({ "retention": { "keep_daily": 7 }, "spread_minutes": 60 });
    walk.call("PATCH", &path, edit).await;
    let run = walk.call("POST", &format!("{path}/runs"), Value::Null).await;
    walk.app.pass_minutes(3).await;
    walk.get(&format!("{path}/runs?limit=1")).await;
    walk.get("/v1/runs?limit=1").await;
    walk.get(&format!("{path}/runs/{}", text(&run, "slot"))).await;
    walk.call("DELETE", &path, Value::Null).await;
    let end = json!({ "expires_at": "2026-06-01T00:00:00Z" });
    walk.call("POST", &format!("{path}/leftovers"), end).await;
    walk
}

/// Sweeps: one that the brake stops, and one that an image is in the way of.
async fn sweeps() -> Walk {
    let mut walk = Walk::start().await;
    let (_, path) = with_twenty(&walk.app).await;
    let list = walk.app.list("/v1/snapshots?status=available&sort=created_at").await;
    let edit = json!({ "retention": { "keep_last": 2 } });
    walk.app.call("PATCH", &path, edit).await.expect(200);
    let asked = walk.call("POST", "/v1/sweeps", json!({ "mode": "execute" })).await;
    let path = format!("/v1/sweeps/{}", text(&asked, "id"));
    walk.app.settle().await;
    walk.get("/v1/sweeps?limit=1").await;
    let stopped = walk.get(&format!("{path}?limit=2")).await;
    let approval = json!({ "plan_hash": stopped["plan_hash"] });
    walk.call("POST", &format!("{path}/approve"), approval).await;
    register_image(&walk.app, text(list.last().unwrap(), "id"));
    walk.app.call("POST", "/v1/sweeps", json!({ "mode": "execute" })).await.expect(202);
    walk.app.settle().await;
    walk.get("/v1/sweeps/blocked?limit=1").await;
    walk
}

/// Restores: one that goes well, one for practice, and one that AWS does not permit.
async fn restores() -> Walk {
    let mut walk = Walk::start().await;
    let instance = walk.app.ec2.add_instance(server());
    let snapshot = walk.app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{snapshot}");
    let wanted = json!({
        "confirm": snapshot,
        "mode": "new_instance",
        "volumes": [{ "device": "/dev/xvda", "size_gib": 100 }],
        "instance": { "name": "shop, to look at", "tags": { "team": "shop" } },
    });
    let asked = walk.call("POST", &format!("{path}/restore"), wanted).await;
    walk.app.pass_minutes(6).await;
    walk.get(&format!("/v1/restores/{}", text(&asked, "id"))).await;
    walk.get("/v1/restores?limit=1").await;
    let elsewhere = json!({ "zone": "us-east-1b" });
    walk.call("POST", &format!("{path}/drill"), elsewhere).await;
    walk.app.pass_minutes(12).await;
    let told = json!({ "confirm": snapshot, "mode": "replace_volumes", "stop": true });
    walk.call("POST", &format!("{path}/restore?preview=true"), told).await;
    walk.app.ec2.deny("CreateVolume");
    let failing = begun(&walk.app, &snapshot, json!({ "mode": "new_volumes" })).await;
    walk.app.pass_minutes(2).await;
    let path = format!("/v1/restores/{failing}");
    walk.call("POST", &format!("{path}/retry"), Value::Null).await;
    walk.call("POST", &format!("{path}/cancel"), json!({ "leave": false })).await;
    walk
}

/// One image from being registered to being deleted.
async fn images() -> Walk {
    let mut walk = Walk::start().await;
    let instance = walk.app.ec2.add_instance(server());
    let snapshot = walk.app.take_snapshot(&instance).await;
    let wanted = json!({
        "name": "shop 4.1",
        "description": "The shop before the migration of the orders",
        "tags": { "team": "shop" },
    });
    let asked = walk.call("POST", &format!("/v1/snapshots/{snapshot}/image"), wanted).await;
    walk.app.settle().await;
    let path = format!("/v1/images/{}", text(&asked, "id"));
    walk.get(&path).await;
    walk.get("/v1/images?limit=1").await;
    walk.get(&format!("/v1/snapshots/{snapshot}/images")).await;
    let many = json!({ "snapshot_ids": [snapshot] });
    walk.call("POST", "/v1/snapshots/images:batch", many).await;
    walk.call("DELETE", &path, Value::Null).await;
    walk
}

/// Numbers, money and the past, once a schedule has taken a snapshot; and a second instance for that schedule.
async fn numbers() -> Walk {
    let mut walk = Walk::start().await;
    let instance = walk.app.ec2.add_instance(server());
    let rules = json!({ "keep_last": 24 });
    let schedule = walk.app.schedule("rate(1 hour)", &[&instance], rules).await;
    walk.app.pass_minutes(65).await;
    let taken = walk.app.list("/v1/snapshots?status=available").await;
    walk.get(&format!("/v1/snapshots/{}/billing", text(&taken[0], "id"))).await;
    for path in [
        "/v1/billing?group_by=schedule&limit=1",
        "/v1/snapshots/stats",
        "/v1/snapshots/stats/instances?limit=1",
        "/v1/snapshots/stats/schedules?limit=1",
        "/v1/snapshots/review?older_than_days=30",
        "/v1/audit?limit=2",
    ] {
        walk.get(path).await;
    }
    for path in [
        "/v1/overview".to_owned(),
        "/v1/todo".to_owned(),
        "/v1/search?q=shop".to_owned(),
        "/v1/schedules/upcoming?hours=1".to_owned(),
        "/v1/snapshots/stats/growth?from=2026-03-01&step=week".to_owned(),
        "/v1/instances/slots?limit=1&timezone=Europe/Berlin".to_owned(),
        format!("/v1/instances/{instance}/slots?from=2026-03-02&to=2026-03-02"),
        format!("/v1/instances/{instance}/comb"),
        format!("/v1/instances/{instance}/history?limit=2"),
    ] {
        walk.get(&path).await;
    }
    let combs = json!({ "instance_ids": [instance] });
    walk.call("POST", "/v1/instances/combs:batch", combs).await;
    let held = json!({
        "snapshot_ids": [taken[0]["id"]], "action": "hold",
        "hold": { "type": "never", "reason": "until the audit is over" },
    });
    walk.call("POST", "/v1/snapshots:batch?preview=true", held).await;
    let second = walk.app.instance("orders", 1);
    let assigned = json!({ "schedule_ids": [schedule] });
    walk.call("PUT", &format!("/v1/instances/{second}/schedules"), assigned).await;
    walk
}

/// What somebody else has taken: found, and adopted.
async fn found() -> Walk {
    let mut walk = Walk::start().await;
    let instance = walk.app.ec2.add_instance(server());
    let ids = taken_elsewhere(&walk.app, "us-east-1", &instance);
    walk.call("POST", "/v1/reconciliation", Value::Null).await;
    walk.app.settle().await;
    walk.get("/v1/reconciliation?owner=other&limit=1").await;
    let wanted = json!({
        "ebs_snapshot_ids": ids,
        "name": "before the upgrade",
        "expires_at": "2027-03-02T00:00:00Z",
    });
    walk.call("POST", "/v1/reconciliation/adopt", wanted).await;
    walk
}

/// Everything, one after the other. Each part begins with nothing there.
async fn everything() -> BTreeMap<String, Value> {
    let mut walk = Box::pin(questions()).await;
    walk.join(Box::pin(snapshots()).await);
    walk.join(Box::pin(schedules()).await);
    walk.join(Box::pin(sweeps()).await);
    walk.join(Box::pin(restores()).await);
    walk.join(Box::pin(images()).await);
    walk.join(Box::pin(numbers()).await);
    walk.join(Box::pin(found()).await);
    walk.examples
}

#[tokio::test]
async fn the_examples_are_what_was_really_sent_and_answered() {
    let examples = Box::pin(everything()).await;

    let walked: BTreeSet<&str> = examples.keys().map(String::as_str).collect();
    let missing: Vec<_> =
        contract::operation_ids().into_iter().filter(|id| !walked.contains(id)).collect();
    assert_eq!(missing, [WITHOUT], "operations that the walk above does not call");
    let mut text = serde_json::to_string_pretty(&examples).unwrap();
    text.push('\n');
    if fs::read_to_string(KEPT).unwrap_or_default() != text {
        fs::write(format!("{KEPT}.new"), text).unwrap();
        panic!(
            "the examples have changed; if that is meant: \
             mv functions/api/src/openapi/examples.json.new functions/api/src/openapi/examples.json"
        );
    }
}

#[test]
fn every_example_is_as_its_schema_wants_it() {
    let mut shown = 0;
    for (path, method, operation) in contract::operations() {
        let responses = operation["responses"].as_object().unwrap();
        let contents = responses.values().chain([&operation["requestBody"]]);
        for content in contents.flat_map(|of| of["content"].as_object().into_iter().flatten()) {
            let (_, content) = content;
            if !content["example"].is_null() {
                let faults = contract::faults(&content["schema"], &content["example"]);
                assert!(faults.is_empty(), "{method} {path}: {faults:#?}");
                shown += 1;
            }
        }
    }
    assert!(shown > 60, "{shown}");
}
