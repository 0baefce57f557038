//! What a page needs: the overview, the to-do list, fires, growth, the search, combs and calendars.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sim_ec2::Fault;

use crate::support::app::App;
use crate::support::others::terminate;
use crate::support::reply::text;
use crate::support::sweeps::{register_image, with_twenty};

fn kinds(todo: &Value) -> Vec<&str> {
    todo["items"].as_array().unwrap().iter().map(|item| text(item, "kind")).collect()
}

/// What was found, as type and identifier.
async fn found(app: &App, q: &str) -> Vec<(String, String)> {
    let answer = app.get(&format!("/v1/search?q={q}")).await;
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| (text(item, "type").to_owned(), text(item, "id").to_owned())).collect()
}

#[tokio::test]
async fn what_waits_is_in_one_list_and_leads_to_what_it_is_about() {
    let app = App::start().await;
    let (_, path) = with_twenty(&app).await;
    let nothing = app.get("/v1/todo").await;
    let snapshots = app.list("/v1/snapshots?status=available").await;
    let hold = json!({ "hold": { "type": "never", "review_at": "2026-03-02T12:01:00Z" } });
    let first = format!("/v1/snapshots/{}", text(&snapshots[0], "id"));
    app.call("PATCH", &first, hold).await.expect(200);
    app.call("PATCH", &path, json!({ "retention": { "keep_last": 2 } })).await.expect(200);
    app.call("POST", "/v1/sweeps", json!({ "mode": "execute" })).await.expect(202);
    app.settle().await;
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(120).await;

    let todo = app.get("/v1/todo").await;

    assert!(!kinds(&nothing).contains(&"sweep_needs_approval"), "{nothing:#}");
    for kind in ["sweep_needs_approval", "hold_review_due", "disabled_with_snapshots"] {
        assert!(kinds(&todo).contains(&kind), "{kind}: {todo:#}");
    }
    let name = text(&app.get(&path).await, "name").to_owned();
    let braked = todo["items"].as_array().unwrap().iter();
    let mut braked = braked.filter(|item| text(item, "kind") == "sweep_needs_approval");
    assert!(braked.all(|item| text(item, "detail").contains(&name)), "{todo:#}");
    for item in todo["items"].as_array().unwrap() {
        app.get(text(item, "path")).await;
        assert!(item["count"].as_u64().unwrap() > 0, "{item:#}");
    }
    let overview = app.get("/v1/overview").await;
    let severities = |wanted: &str| {
        let items = todo["items"].as_array().unwrap();
        items.iter().filter(|item| text(item, "severity") == wanted).count()
    };
    assert_eq!(overview["todo"]["high"], json!(severities("high")));
    assert_eq!(overview["todo"]["low"], json!(severities("low")));
    assert_eq!(overview["todo"]["items"], todo["items"]);
    assert_eq!(overview["statistics"]["snapshots"], json!(snapshots.len()));
}

#[tokio::test]
async fn what_a_request_did_is_found_however_much_came_after_it() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.schedule("rate(1 day)", &[&instance], Value::Null).await;
    let path = format!("/v1/schedules/{id}");
    let entries = app.list("/v1/audit").await;
    let request = text(&entries[0]["actor"], "request_id").to_owned();
    for keep in 1..=220 {
        app.call("PATCH", &path, json!({ "retention": { "keep_last": keep } })).await.expect(200);
    }

    let hits = found(&app, &request).await;

    let ids: BTreeSet<_> = entries.iter().map(|entry| text(entry, "id").to_owned()).collect();
    assert_eq!(hits.into_iter().map(|(_, id)| id).collect::<BTreeSet<_>>(), ids);
    assert_eq!(found(&app, "no-such-request").await, []);
}

#[tokio::test]
async fn what_failed_is_on_the_list_until_it_goes_well_again() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 3 })).await;
    app.ec2.fault(Fault::on("CreateSnapshots").times(1).error("InvalidParameterValue", 400));
    app.pass_minutes(18).await;

    let failed = app.get("/v1/todo").await;
    app.pass_minutes(14).await;
    let well = app.get("/v1/todo").await;

    assert!(kinds(&failed).contains(&"run_failed"), "{failed:#}");
    assert!(kinds(&failed).contains(&"snapshot_failed"), "{failed:#}");
    assert!(!kinds(&well).contains(&"run_failed"), "{well:#}");
}

#[tokio::test]
async fn fires_to_come_are_those_of_all_enabled_schedules_in_order() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let often = app.schedule("rate(40 minutes)", &[&instance], json!({ "keep_last": 3 })).await;
    let seldom = app.schedule("rate(1 hour)", &[&instance], json!({ "keep_last": 3 })).await;
    let of = async || {
        let answer = app.get("/v1/schedules/upcoming?hours=2").await;
        assert_eq!(answer["more"], json!(false));
        let items = answer["items"].as_array().unwrap().iter();
        items.map(|fire| text(fire, "schedule_id").to_owned()).collect::<Vec<_>>()
    };

    let both = of().await;
    let path = format!("/v1/schedules/{often}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);

    assert_eq!(both.iter().filter(|id| **id == often).count(), 3);
    assert_eq!(both.iter().filter(|id| **id == seldom).count(), 2);
    assert_eq!(of().await, [seldom.clone(), seldom]);
}

#[tokio::test]
async fn anything_is_found_by_its_identifier() {
    let app = App::start().await;
    let instance = app.instance("shop", 1);
    let snapshot = app.take_snapshot(&instance).await;
    let record = app.record(&snapshot).await;
    let member = record.members[0].ebs_snapshot_id.to_string();
    let volume = record.members[0].volume_id.to_string();
    let schedule = app.schedule("rate(1 day)", &[&instance], json!({ "keep_last": 3 })).await;
    let ami = register_image(&app, &snapshot);
    let of = |kind: &str, id: &str| (kind.to_owned(), id.to_owned());

    assert_eq!(found(&app, &snapshot).await, [of("snapshot", &snapshot)]);
    assert_eq!(found(&app, &member).await, [of("ebs_snapshot", &member)]);
    assert_eq!(found(&app, &instance).await, [of("instance", &instance)]);
    assert_eq!(found(&app, &schedule).await, [of("schedule", &schedule)]);
    assert_eq!(
        found(&app, &volume).await,
        [of("instance", &instance), of("ebs_snapshot", &member)]
    );
    assert_eq!(found(&app, &ami).await, [of("ebs_snapshot", &member)]);
    assert!(found(&app, "SHOP").await.contains(&of("instance", &instance)));
    assert!(found(&app, "snap-0123456789abcdef0").await.is_empty());
    let audit = app.list(&format!("/v1/audit?resource_id={schedule}")).await;
    let request = text(&audit[0]["actor"], "request_id").to_owned();
    assert!(found(&app, &request).await.contains(&of("audit_entry", text(&audit[0], "id"))));
    terminate(&app, &instance).await;
    app.pass_minutes(90).await;
    assert_eq!(found(&app, &instance).await, [of("gone_instance", &instance)]);
}

#[tokio::test]
async fn the_comb_has_all_snapshots_with_the_fates_that_each_has_alone() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 3 })).await;
    app.pass_minutes(75).await;

    let comb = app.get(&format!("/v1/instances/{instance}/comb")).await;
    let all = app.get(&format!("/v1/instances/{instance}/comb?include_deleted=true")).await;
    let many = json!({ "instance_ids": [instance, "i-0123456789abcdef0"] });
    let combs = app.call("POST", "/v1/instances/combs:batch", many).await.expect(200);

    let teeth = comb["items"].as_array().unwrap();
    assert!(teeth.len() >= 3);
    assert!(teeth.is_sorted_by_key(|tooth| text(tooth, "taken_at").to_owned()));
    for tooth in teeth {
        let alone = app.get(&format!("/v1/snapshots/{}", text(tooth, "snapshot_id"))).await;
        let fate = &alone["fate"];
        for field in ["outlook", "expected_deletion_at", "kept_by"] {
            assert_eq!(tooth[field], fate[field], "{field}");
        }
        assert_eq!(tooth["taken_at"], alone["taken_at"]);
    }
    assert_eq!(comb["next_fires"].as_array().unwrap().len(), 5);
    assert!(all["items"].as_array().unwrap().len() >= teeth.len());
    assert_eq!(combs["items"][0]["items"], comb["items"]);
    assert_eq!(combs["items"][1]["items"], json!([]));
}

#[tokio::test]
async fn the_calendar_says_what_became_of_each_promised_slot() {
    let app = App::start().await;
    let (web, other) = (app.instance("web", 1), app.instance("other", 1));
    let schedule = app.schedule("rate(1 hour)", &[&web], json!({ "keep_last": 2 })).await;
    app.ec2
        .fault(Fault::on("CreateSnapshots").skip(1).times(1).error("InvalidParameterValue", 400));
    app.pass_minutes(250).await;
    app.call("POST", &format!("/v1/schedules/{schedule}/runs"), Value::Null).await.expect(202);
    app.pass_minutes(5).await;

    let calendar = app.get(&format!("/v1/instances/{web}/slots")).await;
    let list = app.get("/v1/instances/slots?limit=50").await;

    let slots = calendar["slots"].as_array().unwrap();
    let outcomes: Vec<_> = slots.iter().map(|slot| text(slot, "outcome")).collect();
    assert_eq!(outcomes, ["met", "failed", "met", "met"], "{calendar:#}");
    let day = &calendar["days"][0];
    assert_eq!((&day["due"], &day["met"], &day["failed"]), (&json!(4), &json!(3), &json!(1)));
    let of = |id: &str| {
        let items = list["items"].as_array().unwrap();
        let item = items.iter().find(|item| text(item, "instance_id") == id).unwrap();
        (item["days"].clone(), item["coming"].as_u64().unwrap())
    };
    assert_eq!(of(&web), (calendar["days"].clone(), 24));
    assert_eq!(calendar["coming"], 24);
    assert_eq!(of(&other), (json!([]), 0));
    let refused = app.call("GET", "/v1/instances/slots?from=2026-01-01&to=2026-03-01", Value::Null);
    assert_eq!(refused.await.expect(400)["field"], "to");
}

#[tokio::test]
async fn growth_is_told_in_steps() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.take_snapshot(&instance).await;

    let days = app.get("/v1/snapshots/stats/growth?from=2026-03-01&to=2026-03-02").await;
    let month = app.get("/v1/snapshots/stats/growth?from=2026-02-01&step=month").await;

    let stats = app.get("/v1/snapshots/stats").await;
    assert_eq!(days["items"][1]["size_gib"], stats["size"]["size_gib"]);
    assert_eq!(days["items"].as_array().unwrap().len(), 2);
    assert_eq!(month["items"][1]["added"], json!(1));
    assert_eq!(month["items"][0]["date"], json!("2026-02-01"));
    for (query, field) in [
        ("from=1999-01-01", "from"),
        ("from=2026-03-02&to=2026-03-01", "to"),
        ("from=2025-01-01", "step"),
        ("step=year", "step"),
        ("region=mars", "region"),
        ("from=2026-13-01", "from"),
    ] {
        let path = format!("/v1/snapshots/stats/growth?{query}");
        assert_eq!(
            app.call("GET", &path, Value::Null).await.expect(400)["field"],
            field,
            "{query}"
        );
    }
}
