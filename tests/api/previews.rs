//! Previews of what there is: what they say is what the next sweep does, and they touch nothing.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::views::retention_preview::preview_rules;

use crate::support::app::App;
use crate::support::reply::text;

/// A schedule with twenty available snapshots, switched off, before any sweep could delete one.
async fn with_twenty(app: &App) -> (String, String) {
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(2 minutes)", &[&instance], json!({ "keep_last": 100 })).await;
    app.pass_minutes(41).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(3).await;
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 20);
    (schedule, instance)
}

/// What a sweep would do now: the snapshot, its verdict and the reasons.
async fn planned(app: &App, schedule: &str) -> Vec<(String, String, Value)> {
    let body = json!({ "mode": "plan_only" });
    let sweep = app.call("POST", "/v1/sweeps", body).await.expect(202);
    app.settle().await;
    let sweep = app.get(&format!("/v1/sweeps/{}", text(&sweep, "id"))).await;
    let entries = sweep["plan"]["items"].as_array().unwrap();
    entries
        .iter()
        .filter(|entry| entry["schedule_id"] == schedule)
        .map(|entry| {
            let (id, verdict) = (text(entry, "snapshot_id"), text(entry, "verdict"));
            (id.to_owned(), verdict.to_owned(), entry["reasons"].clone())
        })
        .collect()
}

fn previewed(preview: &Value) -> Vec<(String, String, Value)> {
    let verdicts = preview["verdicts"].as_array().unwrap();
    let verdict = |one: &Value| {
        let (id, verdict) = (text(one, "id"), text(one, "verdict"));
        (id.to_owned(), verdict.to_owned(), one["reasons"].clone())
    };
    verdicts.iter().map(verdict).collect()
}

#[tokio::test]
async fn an_edit_is_previewed_with_the_difference_and_not_carried_out() {
    let app = App::start().await;
    let (schedule, instance) = with_twenty(&app).await;
    let path = format!("/v1/schedules/{schedule}");
    let before = app.get(&path).await;
    let edit = json!({ "retention": { "keep_last": 15 } });

    let preview = app.call("PATCH", &format!("{path}?preview=true"), edit.clone()).await;

    assert_eq!(preview.header("etag"), "");
    let preview = preview.expect(200);
    assert_eq!(preview["before"], json!({ "kept": 20, "deleted": 0 }));
    assert_eq!(preview["after"], json!({ "kept": 15, "deleted": 5 }));
    assert_eq!(preview["changes_total"], 5);
    assert_eq!((&preview["braked"], &preview["braked_reason"]), (&json!(false), &Value::Null));
    let changes = preview["changes"].as_array().unwrap();
    let mut oldest = app.list("/v1/snapshots?sort=created_at").await;
    oldest.truncate(5);
    let ids =
        |items: &[Value], field| items.iter().map(|one| text(one, field).to_owned()).collect();
    let (going, oldest): (Vec<_>, Vec<_>) = (ids(changes, "snapshot_id"), ids(&oldest, "id"));
    assert_eq!(going, oldest);
    assert_eq!(text(&changes[0], "instance_id"), instance);
    assert_eq!((&changes[0]["before"], &changes[0]["after"]), (&json!("keep"), &json!("delete")));
    assert_eq!(changes[0]["reasons"], json!(["no rule keeps it (keep the last 15)"]));
    assert_eq!(app.get(&path).await, before);

    app.call("PATCH", &path, edit).await.expect(200);
    let entries = planned(&app, &schedule).await;
    let condemned = entries.into_iter().filter(|(_, verdict, _)| verdict == "delete");
    assert_eq!(condemned.map(|(id, ..)| id).collect::<Vec<_>>(), going);
}

#[tokio::test]
async fn an_edit_that_the_brake_would_stop_is_said_so() {
    let app = App::start().await;
    let (schedule, _) = with_twenty(&app).await;
    let path = format!("/v1/schedules/{schedule}?preview=true");

    let preview = app.call("PATCH", &path, json!({ "retention": { "keep_last": 2 } })).await;

    let preview = preview.expect(200);
    assert_eq!((&preview["changes_total"], &preview["braked"]), (&json!(18), &json!(true)));
    let reason = text(&preview, "braked_reason");
    assert!(reason.starts_with("18 of its 20 available snapshots"), "{reason}");
}

#[tokio::test]
async fn an_edit_that_changes_no_verdict_has_an_empty_preview() {
    let app = App::start().await;
    let (schedule, _) = with_twenty(&app).await;
    let path = format!("/v1/schedules/{schedule}?preview=true");

    for edit in [json!({}), json!({ "name": "x" }), json!({ "retention": null })] {
        let preview = app.call("PATCH", &path, edit).await.expect(200);

        assert_eq!((&preview["changes"], &preview["changes_total"]), (&json!([]), &json!(0)));
        assert_eq!(preview["after"], json!({ "kept": 20, "deleted": 0 }));
    }
    app.call("PATCH", &path.replace("true", "false"), json!({ "name": "x" })).await.expect(200);
    assert_eq!(text(&app.get(&format!("/v1/schedules/{schedule}")).await, "name"), "x");
}

#[tokio::test]
async fn a_previewed_edit_is_refused_like_a_real_one() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(1 day)", &[&instance], json!({ "keep_last": 3 })).await;
    let path = format!("/v1/schedules/{schedule}?preview=true");
    let operator = [("x-snapkeep-role", "operator")];
    let send = |body: Value, headers: &'static [(&'static str, &'static str)]| {
        app.send("PATCH", &path, body, headers)
    };

    send(json!({ "name": "x" }), &[("if-match", "\"7\"")]).await.expect(412);
    send(json!({ "targets": { "instance_ids": [] } }), &[]).await.expect(400);
    send(json!({ "expression": "cron(0 0 30 2 ? *)" }), &[]).await.expect(400);
    let rules = json!({ "retention": { "keep_last": 1 } });
    // Whoever may ask for a plan may see what an edit would come to.
    app.send("PATCH", &path, rules.clone(), &operator).await.expect(200);
    app.send("PATCH", &path.replace("true", "false"), rules, &operator).await.expect(403);
    let maybe = path.replace("true", "maybe");
    let refused = app.call("PATCH", &maybe, json!({})).await.expect(400);
    assert_eq!(text(&refused, "field"), "preview");
}

#[tokio::test]
async fn rules_tried_on_a_schedule_say_what_a_sweep_says() {
    let app = App::start().await;
    let (schedule, instance) = with_twenty(&app).await;
    let oldest = app.list("/v1/snapshots?sort=created_at&limit=1").await;
    let hold = json!({ "hold": { "type": "never", "reason": "audit" } });
    let path = format!("/v1/snapshots/{}", text(&oldest[0], "id"));
    app.call("PATCH", &path, hold).await.expect(200);
    // No rule keeps any: the newest stays for being that, until there is a newer one of another kind.
    let rules = json!({ "max_age": "1h" });
    let body = json!({ "schedule_id": schedule, "rules": rules });
    app.pass_minutes(14).await;
    app.clock.advance(SignedDuration::from_hours(3));
    let path = format!("/v1/schedules/{schedule}");
    let own = app.call("POST", "/v1/retention/preview", json!({ "schedule_id": schedule })).await;

    let alone = app.call("POST", "/v1/retention/preview", body.clone()).await.expect(200);

    let own = own.expect(200);
    assert_eq!((&own["kept"], &own["deleted"]), (&json!(20), &json!(0)));
    assert_eq!(text(&own["verdicts"][0], "instance_id"), instance);
    assert_eq!(own["verdicts"][0]["reasons"], json!(["last 20 of 100"]));
    assert_eq!((&alone["kept"], &alone["deleted"]), (&json!(2), &json!(18)));
    assert_eq!(alone["verdicts"][19]["reasons"], json!(["newest available"]));
    assert_eq!(alone["verdicts"][0]["reasons"], json!(["held: never delete automatically"]));

    app.take_snapshot(&instance).await;
    let beside = app.call("POST", "/v1/retention/preview", body).await.expect(200);
    assert_eq!((&beside["kept"], &beside["deleted"]), (&json!(1), &json!(19)));
    app.call("PATCH", &path, json!({ "retention": rules })).await.expect(200);
    assert_eq!(previewed(&beside), planned(&app, &schedule).await);
}

#[tokio::test]
async fn a_preview_says_the_same_by_combs_as_by_records() {
    let app = App::start().await;
    let instances = [app.instance("web", 1), app.instance("db", 2), app.instance("bare", 1)];
    let of = [instances[0].as_str(), &instances[1]];
    let id = app.schedule("rate(5 minutes)", &of, json!({ "keep_last": 2 })).await;
    app.pass_minutes(28).await;
    // A newer snapshot by hand decides as well, where only the newest would stay.
    app.take_snapshot(&instances[0]).await;
    app.take_snapshot(&instances[2]).await;
    let path = format!("/v1/schedules/{id}");
    let edit = json!({ "retention": { "keep_within": "1h" }, "when_gone": { "type": "keep_all" } });
    app.call("PATCH", &path, edit).await.expect(200);
    let service = app.service();
    let schedule = service.table.schedule(&id.parse().unwrap()).await.unwrap().unwrap();

    let later = app.now() + SignedDuration::from_hours(1_000);
    for now in [app.now(), later] {
        let by_records = preview_rules(service, &schedule, 1_000, now).await.unwrap();
        let by_combs = preview_rules(service, &schedule, 2, now).await.unwrap();

        assert!(by_records.len() > 4);
        assert_eq!(by_combs, by_records);
    }
}

#[tokio::test]
async fn a_schedule_that_there_is_can_be_simulated() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(6 hours)", &[&instance], json!({ "keep_last": 3 })).await;
    let body = json!({ "schedule_id": schedule, "days": 3 });

    let simulated = app.call("POST", "/v1/retention/simulate", body).await.expect(200);

    let counts = |field: &str| -> Vec<u64> {
        let days = simulated["days"].as_array().unwrap();
        days.iter().map(|day| day[field].as_u64().unwrap()).collect()
    };
    // Made at 10:00:30: it fires at 16:00:30, 22:00:30, 04:00:30 …
    assert_eq!((counts("fires"), counts("snapshots")), (vec![2, 4, 4], vec![2, 3, 3]));
    assert_eq!(text(&simulated, "description"), "every 6 hours; keep the last 3");
}

#[tokio::test]
async fn a_schedule_that_there_is_not_is_404() {
    let app = App::start().await;
    let unknown = "sch_0195500c-6d00-7000-8000-000000000000";
    let edit = format!("/v1/schedules/{unknown}?preview=true");

    for (method, path, body) in [
        ("POST", "/v1/retention/preview", json!({ "schedule_id": unknown })),
        ("POST", "/v1/retention/simulate", json!({ "schedule_id": unknown, "days": 1 })),
        ("PATCH", edit.as_str(), json!({})),
    ] {
        app.call(method, path, body).await.expect(404);
    }
}
