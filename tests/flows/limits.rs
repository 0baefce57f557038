//! What a schedule comes to beside EC2's limits: told when it is saved, and before.

use serde_json::{Value, json};
use sim_ec2::{Fault, InstanceSpec, SeedVolume};

use crate::support::app::App;
use crate::support::reply::text;

fn hourly(targets: &Value) -> Value {
    json!({
        "name": "hourly", "expression": "cron(0 * * * ? *)", "targets": targets,
        "retention": { "keep_last": 24 },
    })
}

fn warnings(answer: &Value) -> String {
    let warnings = answer["limits"]["warnings"].as_array().unwrap();
    warnings.iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_schedule_is_made_with_what_it_comes_to() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 3));

    let made = app
        .call("POST", "/v1/schedules", hourly(&json!({ "instance_ids": [web, db] })))
        .await
        .expect(201);

    assert_eq!(
        made["limits"],
        json!({
            "checked": true, "instances": 2, "volumes": 4, "fires_per_day": 24.0,
            "creates_per_hour": 2, "deletes_per_hour": 4, "ebs_snapshots_steady": 96,
            "quota": 100_000, "seconds_per_slot": 1, "warnings": [],
        })
    );
    let shown = app.get(&format!("/v1/schedules/{}", text(&made, "id"))).await;
    assert_eq!(shown.get("limits"), None);
}

#[tokio::test]
async fn an_edit_tells_what_it_comes_to_now() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.schedule("rate(1 day)", &[&instance], json!({ "keep_last": 5 })).await;
    let path = format!("/v1/schedules/{id}");

    let fewer = app.call("PATCH", &path, json!({ "expression": "rate(2 days)" })).await.expect(200);
    let endless = app.call("PATCH", &path, json!({ "retention": null })).await.expect(200);

    assert_eq!(fewer["limits"]["fires_per_day"], json!(0.5));
    assert_eq!(fewer["limits"]["ebs_snapshots_steady"], json!(10));
    assert_eq!(endless["limits"]["ebs_snapshots_steady"], Value::Null);
    assert_eq!(endless["limits"]["deletes_per_hour"], json!(0));
    assert!(warnings(&endless).contains("grow by 1 a day"), "{endless:#}");
}

#[tokio::test]
async fn a_preview_makes_nothing_and_uses_no_key_up() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let body = hourly(&json!({ "instance_ids": [instance] }));
    let key = [("idempotency-key", "once")];

    let preview =
        app.send("POST", "/v1/schedules?preview=true", body.clone(), &key).await.expect(200);
    assert!(app.list("/v1/schedules").await.is_empty());
    let mut other = body;
    other["name"] = json!("another");
    let made = app.send("POST", "/v1/schedules?preview=false", other, &key).await.expect(201);

    assert_eq!(preview["id"], Value::Null);
    assert_eq!(text(&preview, "next_due_at"), "2026-03-02T11:00:00Z");
    assert_eq!(preview["limits"], made["limits"]);
    assert_eq!(app.list("/v1/schedules").await.len(), 1);
}

#[tokio::test]
async fn a_preview_refuses_what_cannot_be_made() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let mut body = hourly(&json!({ "instance_ids": [instance] }));
    body["expression"] = json!("cron(0 0 30 2 ? *)");

    let problem = app.call("POST", "/v1/schedules?preview=true", body).await.expect(400);

    assert_eq!(text(&problem, "field"), "expression");
}

#[tokio::test]
async fn a_schedule_is_saved_also_when_ec2_cannot_be_asked() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.ec2.fault(Fault::on("DescribeInstances").times(9).internal_error());

    let made = app
        .call("POST", "/v1/schedules", hourly(&json!({ "instance_ids": [instance] })))
        .await
        .expect(201);

    assert_eq!(made["limits"]["checked"], json!(false));
    assert_eq!(made["limits"]["fires_per_day"], json!(24.0));
    assert_eq!(made["limits"]["instances"], Value::Null);
    assert!(warnings(&made).contains("not checked against EC2's limits"), "{made:#}");
    app.get(&format!("/v1/schedules/{}", text(&made, "id"))).await;
}

#[tokio::test]
async fn volumes_that_are_left_out_do_not_count() {
    let app = App::start().await;
    let spec = InstanceSpec::named("web")
        .volume(SeedVolume::new("/dev/sdf", 8).tag("use", "scratch"))
        .volume(SeedVolume::new("/dev/sdg", 8));
    let instance = app.ec2.add_instance(spec);
    let mut body = hourly(&json!({ "instance_ids": [instance] }));
    body["options"] = json!({ "exclude_volumes_tagged": [{ "key": "use", "value": "scr*" }] });

    let preview = app.call("POST", "/v1/schedules?preview=true", body).await.expect(200);

    assert_eq!(preview["limits"]["volumes"], json!(2));
}

#[tokio::test]
async fn targets_of_which_nothing_can_be_taken_are_told() {
    let app = App::start().await;
    let (web, bare) = (app.instance("web", 1), app.instance("bare", 0));
    let preview = |targets: Value| {
        let app = &app;
        async move {
            let path = "/v1/schedules?preview=true";
            warnings(&app.call("POST", path, hourly(&targets)).await.expect(200))
        }
    };

    let some = preview(json!({ "instance_ids": [web, bare, "i-0123456789abcdef0"] })).await;
    let none = preview(json!({ "tags": { "all_of": [{ "key": "a", "value": "b" }] } })).await;

    assert!(some.contains("of 2 of its targets no snapshot can be taken"), "{some}");
    assert!(none.contains("it is for no instance at present"), "{none}");
}

#[tokio::test]
async fn what_ec2_will_not_do_is_told_with_the_numbers() {
    let app = App::start().await;
    let spec =
        InstanceSpec::named("big").volume(SeedVolume::new("/dev/sdf", 500).volume_type("st1"));
    let instance = app.ec2.add_instance(spec);
    let body = json!({
        "name": "x", "expression": "rate(20 minutes)", "targets": { "instance_ids": [instance] },
        "retention": { "keep_last": 50_001 },
    });

    let made = app.call("POST", "/v1/schedules", body).await.expect(201);

    assert!(warnings(&made).contains("100002 EBS snapshots, more than the quota of 100000"));
    assert!(warnings(&made).contains("volumes of type st1 or sc1 (1)"), "{made:#}");
}

#[tokio::test]
async fn of_very_many_targets_five_hundred_are_looked_at() {
    let app = App::start().await;
    for number in 0..1_002 {
        app.ec2.add_instance(InstanceSpec::named(&format!("web-{number}")).tag("Backup", "daily"));
    }
    let targets = json!({ "tags": { "all_of": [{ "key": "Backup", "value": "daily" }] } });

    let made = app.call("POST", "/v1/schedules", hourly(&targets)).await.expect(201);

    assert_eq!(made["limits"]["instances"], json!(1_002));
    assert_eq!(made["limits"]["volumes"], json!(1_002));
    assert!(warnings(&made).contains("500 of its 1002 targets were looked at"), "{made:#}");
    let calls = app.ec2.calls();
    // Two pages of targets; five hundred of them and their volumes, 200 a call.
    assert_eq!((calls["DescribeInstances"], calls["DescribeVolumes"]), (5, 3));
}
