//! Whether instances are protected as promised, and what assigning schedules does and does not do.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceSpec, InstanceState};

use crate::support::app::App;
use crate::support::reply::text;

async fn protection(app: &App, id: &str) -> Value {
    app.get(&format!("/v1/instances/{id}")).await["protection"].clone()
}

async fn assign(app: &App, instance: &str, schedules: &[&str]) -> Value {
    let body = json!({ "schedule_ids": schedules });
    app.call("PUT", &format!("/v1/instances/{instance}/schedules"), body).await.expect(200)
}

async fn targets(app: &App, schedule: &str) -> Value {
    app.get(&format!("/v1/schedules/{schedule}")).await["targets"].clone()
}

/// A schedule of whatever bears this tag.
async fn by_tag(app: &App, name: &str, value: &str) -> String {
    let body = json!({
        "name": name, "expression": "rate(1 hour)",
        "targets": { "tags": { "all_of": [{ "key": "Backup", "value": value }] } },
    });
    text(&app.call("POST", "/v1/schedules", body).await.expect(201), "id").to_owned()
}

/// The ids that a list has, by the instances' names.
async fn ids(app: &App, query: &str) -> BTreeMap<String, String> {
    let items = app.list(&format!("/v1/instances?{query}")).await;
    items.iter().map(|one| (text(one, "name").to_owned(), text(one, "id").to_owned())).collect()
}

#[tokio::test]
async fn an_instance_goes_from_unprotected_to_ok_to_late_and_back() {
    let app = App::start().await;
    let web = app.instance("web", 1);
    assert_eq!(protection(&app, &web).await["status"], json!("unprotected"));

    let hourly = app.schedule("rate(1 hour)", &[&web], Value::Null).await;
    let fresh = protection(&app, &web).await;
    assert_eq!(fresh["status"], json!("ok"), "{fresh:#}");
    assert_eq!(fresh["promised_interval_seconds"], json!(3_600));
    assert_eq!(fresh["promised_interval_seconds"], json!(3600));
    assert_eq!(fresh["schedules"][0]["chosen_by"], json!("id"));

    app.pass_minutes(65).await;
    let kept = protection(&app, &web).await;
    assert_eq!(kept["status"], json!("ok"), "{kept:#}");
    assert!(kept["newest_available"]["age_seconds"].as_i64().unwrap() < 600, "{kept:#}");

    // EC2 creates nothing for hours.
    app.ec2.fault(Fault::on("CreateSnapshots").times(10_000).internal_error());
    app.pass_minutes(150).await;
    let late = protection(&app, &web).await;
    assert_eq!(late["status"], json!("late"), "{late:#}");
    assert!(text(&late, "reason").contains("test was due at"), "{late:#}");

    app.ec2.forget_faults();
    app.pass_minutes(90).await;
    assert_eq!(protection(&app, &web).await["status"], json!("ok"));

    let edit = json!({ "enabled": false });
    app.call("PATCH", &format!("/v1/schedules/{hourly}"), edit).await.expect(200);
    let off = protection(&app, &web).await;
    assert_eq!(off["status"], json!("unprotected"));
    assert_eq!(off["promised_interval_seconds"], Value::Null);
    assert!(text(&off, "reason").contains("disabled: test"), "{off:#}");
}

#[tokio::test]
async fn lists_can_be_of_what_is_late_or_has_a_schedule() {
    let app = App::start().await;
    let (ok, late) = (app.instance("ok", 1), app.instance("late", 1));
    app.instance("unprotected", 1);
    let hourly = app.schedule("rate(1 hour)", &[&ok], Value::Null).await;
    let broken = app.schedule("rate(1 hour)", &[&late], Value::Null).await;
    app.pass_minutes(61).await;
    // Of an instance that is being launched nothing can be taken.
    app.ec2.set_instance_state(&late, InstanceState::Pending);
    app.pass_minutes(150).await;

    for (query, names) in [
        ("protection=ok", vec!["ok"]),
        ("protection=late", vec!["late"]),
        ("protection=unprotected", vec!["unprotected"]),
        ("protection=late&limit=1", vec!["late"]),
        ("", vec!["late", "ok", "unprotected"]),
    ] {
        let found: Vec<_> = ids(&app, query).await.into_keys().collect();
        assert_eq!(found, names, "{query}");
    }
    let of = |schedule: &str| format!("schedule_id={schedule}");
    assert_eq!(ids(&app, &of(&hourly)).await.into_keys().collect::<Vec<_>>(), ["ok"]);
    assert_eq!(ids(&app, &of(&broken)).await.into_keys().collect::<Vec<_>>(), ["late"]);
    let none = of("sch_0195500c-6d00-7000-8000-000000000000");
    assert!(ids(&app, &none).await.is_empty());
}

#[tokio::test]
async fn a_page_of_two_hundred_is_bounded() {
    let app = App::start().await;
    let mut all = Vec::new();
    for number in 0..220 {
        let spec = InstanceSpec::named(&format!("web-{number:03}")).tag("Backup", "daily");
        all.push(app.ec2.add_instance(spec));
    }
    by_tag(&app, "daily", "daily").await;
    app.pass_minutes(75).await;
    app.ec2.reset_calls();

    let page = app.get("/v1/instances?limit=200").await;

    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 200);
    for item in items {
        assert_eq!(item["protection"]["status"], json!("ok"), "{item:#}");
        assert_eq!(item["size_gib"], json!(8));
        assert_ne!(item["protection"]["newest_available"], Value::Null);
    }
    let calls = app.ec2.calls();
    assert_eq!((calls["DescribeInstances"], calls["DescribeVolumes"]), (1, 1));
    assert_eq!(app.list("/v1/instances?limit=200").await.len(), all.len());
}

#[tokio::test]
async fn what_ec2_does_not_say_is_null_and_the_list_is_there() {
    let app = App::start().await;
    app.instance("web", 1);
    app.ec2.fault(Fault::on("DescribeVolumes").times(9).internal_error());
    app.ec2.fault(Fault::on("DescribeInstanceTypes").times(9).internal_error());

    let items = app.list("/v1/instances").await;

    assert_eq!((&items[0]["machine"], &items[0]["size_gib"]), (&Value::Null, &Value::Null));
    assert_eq!(items[0]["protection"]["status"], json!("unprotected"));
}

#[tokio::test]
async fn a_snapshot_is_taken_also_when_its_machine_is_not_told() {
    let app = App::start().await;
    let web = app.instance("web", 1);
    app.ec2.fault(Fault::on("DescribeInstanceTypes").times(9).internal_error());

    let id = app.take_snapshot(&web).await;

    let snapshot = app.get(&format!("/v1/snapshots/{id}")).await;
    assert_eq!(snapshot["machine"]["vcpus"], Value::Null);
    assert_eq!(snapshot["machine"]["instance_type"], json!("t3.micro"));
}

#[tokio::test]
async fn exactly_the_assigned_schedules_are_for_the_instance() {
    let app = App::start().await;
    let web = app.ec2.add_instance(InstanceSpec::named("web").tag("Backup", "daily"));
    let other = app.ec2.add_instance(InstanceSpec::named("other").tag("Backup", "daily"));
    let tagged = by_tag(&app, "tagged", "daily").await;
    let alone = app.schedule("rate(1 hour)", &[&web], Value::Null).await;
    let shared = app.schedule("rate(2 hours)", &[&web, &other], Value::Null).await;
    let new = app.schedule("rate(3 hours)", &[&other], Value::Null).await;

    let path = format!("/v1/instances/{web}/schedules?preview=true");
    let preview = app.call("PUT", &path, json!({ "schedule_ids": [new] })).await.expect(200);
    assert_eq!(targets(&app, &new).await["instance_ids"], json!([other]));
    let answer = assign(&app, &web, &[&new]).await;

    let change = |answer: &Value, id: &str| {
        let changes = answer["changes"].as_array().unwrap();
        let change = changes.iter().find(|one| one["schedule_id"] == id).unwrap();
        text(change, "change").to_owned()
    };
    for (id, expected) in
        [(&tagged, "excluded"), (&alone, "excluded"), (&shared, "unnamed"), (&new, "named")]
    {
        assert_eq!(change(&answer, id), expected);
        assert_eq!(change(&preview, id), expected);
    }
    assert_eq!(preview["protection"], answer["protection"]);
    assert_eq!(answer["protection"]["schedules"][0]["schedule_id"], json!(new));
    assert_eq!(answer["protection"]["schedules"].as_array().unwrap().len(), 1);
    assert_eq!((&preview["preview"], &answer["preview"]), (&json!(true), &json!(false)));
    let warnings = answer["warnings"].as_array().unwrap();
    assert!(warnings.contains(&json!("test is for no instance any more")), "{warnings:?}");
    assert_eq!(targets(&app, &tagged).await["exclude_instance_ids"], json!([web]));
    assert_eq!(targets(&app, &shared).await["instance_ids"], json!([other]));
    // The other instance has what it had.
    let others = protection(&app, &other).await["schedules"].as_array().unwrap().len();
    assert_eq!(others, 3);

    let back = assign(&app, &web, &[&tagged, &alone]).await;
    for (id, expected) in [(&tagged, "readmitted"), (&alone, "readmitted"), (&new, "unnamed")] {
        assert_eq!(change(&back, id), expected);
    }
    assert_eq!(targets(&app, &tagged).await["exclude_instance_ids"], json!([]));
}

#[tokio::test]
async fn an_assignment_is_made_whole_or_not_at_all() {
    let app = App::start().await;
    let (web, other) = (app.instance("web", 1), app.instance("other", 1));
    let one = app.schedule("rate(1 hour)", &[&other], Value::Null).await;
    let path = format!("/v1/instances/{web}/schedules");
    let unknown = "sch_0195500c-6d00-7000-8000-000000000000";

    let body = json!({ "schedule_ids": [one, unknown] });
    let missing = app.call("PUT", &path, body).await.expect(404);
    assert!(text(&missing, "detail").contains(unknown));
    assert_eq!(targets(&app, &one).await["instance_ids"], json!([other]));

    let nowhere = "/v1/instances/i-0123456789abcdef0/schedules";
    app.call("PUT", nowhere, json!({ "schedule_ids": [one] })).await.expect(404);
    let ids: Vec<_> = (0..26)
        .map(|number| format!("sch_0195500c-6d00-7000-8000-0000000000{number:02}"))
        .collect();
    let many = app.call("PUT", &path, json!({ "schedule_ids": ids })).await.expect(400);
    assert_eq!(text(&many, "field"), "schedule_ids");

    app.ec2.set_instance_state(&web, InstanceState::Terminated);
    app.pass_minutes(2).await;
    let gone = app.call("PUT", &path, json!({ "schedule_ids": [one] })).await.expect(409);
    assert!(text(&gone, "detail").contains("terminated"), "{gone:#}");
    app.call("PUT", &path, json!({ "schedule_ids": [] })).await.expect(200);
}

#[tokio::test]
async fn taking_a_schedule_off_deletes_nothing_that_its_rules_would_keep() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 1));
    let hourly = app.schedule("rate(10 minutes)", &[&web, &db], json!({ "keep_last": 20 })).await;
    app.pass_minutes(150).await;
    let path = format!("/v1/snapshots?instance_id={web}&status=available");
    let before = app.list(&path).await.len();
    assert!(before >= 14, "{before}");

    assign(&app, &web, &[]).await;
    app.pass(SignedDuration::from_hours(4)).await;

    assert_eq!(app.list(&path).await.len(), before);
    let others = app.list(&format!("/v1/snapshots?instance_id={db}&schedule_id={hourly}")).await;
    assert!(others.len() >= before);
    assert_eq!(protection(&app, &web).await["status"], json!("unprotected"));
}
