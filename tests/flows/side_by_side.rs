//! An update, in whose minutes two releases work on one table: what the former one has written today's code goes on with,
//! and what today's writes the former one can read.
//!
//! `side_by_side/items.json` and `side_by_side/ec2.json` are a table and its EC2 as the former release left them after a
//! day, with every kind of item. After a release they are made anew: the test writes what they would be beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sim_ec2::InstanceState;

use crate::support::app::App;
use crate::support::images::make_image;
use crate::support::items::fields;
use crate::support::others::{adopt, taken_elsewhere, these};
use crate::support::reply::text;
use crate::support::restores::begun;
use crate::support::sweeps::sweep;

/// When the former release's day ends.
const EVENING: &str = "2026-03-02T14:00:00Z";
/// What items are called: `AUDIT#2026-03-02` is one of `AUDIT`.
const KINDS: [&str; 18] = [
    "AUDIT",
    "DRILLS",
    "EBS",
    "FINDINGS",
    "GONE",
    "IDEMPOTENCY",
    "IMAGES",
    "META",
    "OUTBOX",
    "RESTORES",
    "RESTORING",
    "RUNS",
    "SCHEDULES",
    "SNAPSHOT",
    "STATISTICS",
    "SWEEP",
    "SWEEPS",
    "TURN",
];

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("flows/side_by_side").join(name)
}

/// What kind an item is of.
fn kind(item: &Value) -> String {
    let partition = item["pk"]["S"].as_str().unwrap();
    partition.split('#').next().unwrap().to_owned()
}

fn by_kind(items: &[Value]) -> BTreeMap<String, Vec<&Value>> {
    let mut kinds: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for item in items {
        kinds.entry(kind(item)).or_default().push(item);
    }
    kinds
}

/// A day with every kind of item in it.
async fn day(app: &App) {
    let (web, gone) = (app.instance("web", 2), app.instance("gone", 1));
    let body = json!({
        "name": "daily", "expression": "rate(30 minutes)", "drill_every": "1d", "grace_minutes": 5,
        "targets": { "instance_ids": [web, gone] }, "retention": { "keep_last": 2 },
        "when_gone": { "type": "keep_last", "count": 1 },
    });
    app.call("POST", "/v1/schedules", body).await.expect(201);
    let body =
        json!({ "instance_id": web, "hold": { "type": "never" }, "tags": { "team": "blue" } });
    app.send("POST", "/v1/snapshots", body, &[("idempotency-key", "once")]).await.expect(202);
    app.pass(SignedDuration::from_hours(2)).await;
    let snapshot = app.take_snapshot(&web).await;
    make_image(app, &snapshot).await;
    begun(app, &snapshot, json!({ "mode": "new_volumes" })).await;
    app.pass_minutes(10).await;
    // Its instance is taken, and stays so: it waits for a person.
    app.ec2.deny("StopInstances");
    begun(app, &snapshot, json!({ "mode": "replace_volumes", "stop": true })).await;
    app.pass_minutes(5).await;
    app.ec2.allow("StopInstances");
    let nobodys = taken_elsewhere(app, "us-east-1", &web);
    adopt(app, these(&nobodys)).await;
    app.pass_minutes(20).await;
    app.ec2.set_instance_state(&gone, InstanceState::Terminated);
    sweep(app, "execute").await;
    let evening: Timestamp = EVENING.parse().unwrap();
    app.pass(evening.duration_since(app.now())).await;
    // Something that nobody has been told yet.
    app.call("POST", "/v1/snapshots", json!({ "instance_id": web, "name": "last" }))
        .await
        .expect(202);
    let last = &app.list("/v1/schedules").await[0];
    let path = format!("/v1/schedules/{}", text(last, "id"));
    app.call("PATCH", &path, json!({ "description": "on the last evening" })).await;
}

/// The former release's evening, gone on with by today's code.
async fn evening() -> (App, Vec<Value>) {
    let items: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(file("items.json")).unwrap()).unwrap();
    let app = App::resumed(&file("ec2.json"), EVENING.parse().unwrap()).await;
    app.put_items(&items);
    (app, items)
}

#[tokio::test]
async fn what_the_former_release_has_written_is_gone_on_with() {
    let (app, items) = evening().await;
    let there: BTreeSet<_> = items.iter().map(kind).collect();
    assert_eq!(
        there,
        KINDS.map(str::to_owned).into(),
        "the former release's table lacks something"
    );

    for path in [
        "/v1/snapshots?include_deleted=true",
        "/v1/schedules",
        "/v1/restores",
        "/v1/images",
        "/v1/sweeps",
        "/v1/audit",
        "/v1/holds",
        "/v1/reconciliation",
    ] {
        assert!(!app.list(path).await.is_empty(), "{path}");
    }
    let before = app.list("/v1/snapshots").await;
    app.pass(SignedDuration::from_hours(3)).await;
    let after = app.list("/v1/snapshots?include_deleted=true").await;

    // Its timeline goes on where the former release's ends, which lies elsewhere.
    let web = text(&before[0], "instance_id");
    let history = app.list(&format!("/v1/instances/{web}/history")).await;
    let at = |one: &Value| text(one, "at").parse::<Timestamp>().unwrap();
    let (later, earlier): (Vec<_>, Vec<_>) =
        history.iter().partition(|one| at(one) > EVENING.parse().unwrap());
    assert!(!later.is_empty() && !earlier.is_empty(), "{} after {}", later.len(), earlier.len());
    assert!(history.is_sorted_by(|one, next| at(one) >= at(next)));

    // The schedule goes on, the held one stays, nothing is put aside as not understood.
    assert!(after.len() > before.len() + 4, "{} after {}", after.len(), before.len());
    let held = before.iter().find(|one| !one["hold"].is_null()).unwrap();
    assert_eq!(app.status(text(held, "id")).await, "available");
    for queue in [
        "RejectedDeadLetters",
        "SnapshotterDeadLetters",
        "ReaperDeadLetters",
        "RestorerDeadLetters",
    ] {
        assert!(app.world.bus().dispatch().messages(queue).is_empty(), "{queue}");
    }
    // What was under way, or waited for a person, does so still or is over.
    for restore in app.list("/v1/restores").await {
        app.get(&format!("/v1/restores/{}", text(&restore, "id"))).await;
    }
    // Every record of before that today's code has written has all that it said before.
    let now: BTreeMap<_, _> = app.items().into_iter().map(|item| (key(&item), item)).collect();
    for item in items
        .iter()
        .filter(|item| ["SCHEDULES", "SNAPSHOT", "IMAGES"].contains(&kind(item).as_str()))
    {
        let Some(written) = now.get(&key(item)) else { continue };
        let names: BTreeSet<_> = fields(written).into_iter().map(|(path, _)| path).collect();
        for (path, _) in fields(item).into_iter().filter(|(path, _)| is_lasting(path)) {
            // What was nothing then may be a structure now.
            let is_there = names.iter().any(|name| name.starts_with(&path));
            assert!(is_there, "{}: {path} is lost", key(item));
        }
    }
}

fn key(item: &Value) -> String {
    format!("{} {}", item["pk"]["S"], item["sk"]["S"])
}

/// Whether a field says what a person wants, which no later state takes away.
fn is_lasting(path: &str) -> bool {
    ["name", "hold", "tags", "retention", "targets", "expression", "source"]
        .iter()
        .any(|name| path.starts_with(&format!(".body.{name}")) && !path.contains(".condemnation"))
}

#[tokio::test]
async fn what_is_written_today_the_former_release_can_read() {
    let app = App::start().await;
    day(&app).await;
    let today = app.items();
    let text = format!("{}\n", serde_json::to_string(&today).unwrap());
    let former: Vec<Value> = match std::fs::read_to_string(file("items.json")) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(_) => Vec::new(),
    };
    let (today, former) = (by_kind(&today), by_kind(&former));
    let mut wrong = Vec::new();
    for known in KINDS {
        let (Some(today), Some(former)) = (today.get(known), former.get(known)) else {
            wrong.push(format!("{known} is not on both sides"));
            continue;
        };
        // A field that each item of a kind had is asked for by the former reader; its type must be one it had.
        let of = |items: &[&Value]| -> Vec<BTreeMap<String, String>> {
            items.iter().map(|item| fields(item).into_iter().collect()).collect()
        };
        let (today, former) = (of(today), of(former));
        let types: BTreeSet<(&String, &String)> = former.iter().flatten().collect();
        for (path, _) in former.iter().flatten() {
            if former.iter().all(|item| item.contains_key(path))
                && !today.iter().all(|item| item.contains_key(path))
            {
                wrong.push(format!("{known}{path} is not always written any more"));
            }
        }
        for (path, kind) in today.iter().flatten() {
            let is_known = types.iter().any(|(known, _)| *known == path);
            if is_known && kind != "NULL" && !types.contains(&(path, kind)) {
                let had = types.iter().any(|(one, of)| *one == path && *of != "NULL");
                if had {
                    wrong.push(format!("{known}{path} is a {kind} now"));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    if !wrong.is_empty() {
        std::fs::write(file("items.json.new"), text).unwrap();
        app.ec2.save(file("ec2.json.new")).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
