//! Targets: which instances a schedule is for, as EC2's filters and our own reading have it.

use serde_json::{Value, json};
use sim_ec2::InstanceSpec;

use crate::support::app::App;
use crate::support::reply::text;

fn schedule(targets: &Value) -> Value {
    json!({ "name": "x", "expression": "rate(1 day)", "targets": targets })
}

/// The names of the instances that a run of these targets is for.
async fn taken(app: &App, targets: &Value) -> Vec<String> {
    let made = app.call("POST", "/v1/schedules", schedule(targets)).await.expect(201);
    let id = text(&made, "id");
    app.call("POST", &format!("/v1/schedules/{id}/runs"), Value::Null).await.expect(202);
    app.pass_minutes(1).await;

    let snapshots = app.list(&format!("/v1/snapshots?schedule_id={id}")).await;
    let mut names: Vec<_> =
        snapshots.iter().map(|one| text(one, "instance_name").to_owned()).collect();
    names.sort();
    assert_eq!(made["limits"]["instances"], json!(names.len()), "{targets}");
    names
}

/// Six instances, of which one has no tag but its name.
fn instances(app: &App) -> impl Fn(&str) -> String {
    let ids: Vec<_> = [
        ("web", &[("Env", "prod"), ("Tier", "1")][..]),
        ("db", &[("Env", "prod"), ("Tier", "2")]),
        ("cache", &[("Env", "stage-eu"), ("Tier", "2")]),
        ("star", &[("Env", "*")]),
        ("what", &[("Env", "what?")]),
        ("bare", &[]),
    ]
    .into_iter()
    .map(|(name, tags)| {
        let spec =
            tags.iter().fold(InstanceSpec::named(name), |spec, (key, value)| spec.tag(key, value));
        (name, app.ec2.add_instance(spec))
    })
    .collect();
    move |name| ids.iter().find(|(one, _)| *one == name).unwrap().1.clone()
}

#[tokio::test]
async fn all_any_and_none_choose_together_with_stars() {
    let app = App::start().await;
    let _ids = instances(&app);
    let tag = |key: &str, value: &str| json!({ "key": key, "value": value });
    for (tags, expected) in [
        (json!({ "any_of": [tag("Tier", "1"), tag("Env", "stage-*")] }), "cache web"),
        (json!({ "any_of": [tag("Tier", "1"), tag("Tier", "2")] }), "cache db web"),
        (json!({ "none_of": [tag("Env", "prod")] }), "bare cache star what"),
        (json!({ "all_of": [tag("Env", "prod")], "none_of": [tag("Tier", "2")] }), "web"),
        (json!({ "all_of": [tag("Env", "*")], "any_of": [tag("Tier", "*")] }), "cache db web"),
        (json!({ "all_of": [tag("Env", "p*"), tag("Env", "*d")] }), "db web"),
        (json!({ "all_of": [tag("Env", "p*"), tag("Env", "*x")] }), ""),
        // A star itself; a question mark is never anything else.
        (json!({ "all_of": [tag("Env", r"\*")] }), "star"),
        (json!({ "all_of": [tag("Env", "what?")] }), "what"),
        (json!({ "all_of": [tag("Env", "pro?")] }), ""),
        (json!({ "any_of": [tag("Env", r"\*"), tag("Env", "pro?")] }), "star"),
        (json!({ "all_of": [tag("env", "prod")] }), ""),
    ] {
        assert_eq!(taken(&app, &json!({ "tags": tags })).await.join(" "), expected, "{tags}");
    }
}

#[tokio::test]
async fn named_instances_can_be_left_out_however_they_were_chosen() {
    let app = App::start().await;
    let id = instances(&app);
    let (web, db) = (id("web"), id("db"));

    let by_name = json!({ "instance_ids": [web, db], "exclude_instance_ids": [db] });
    let by_tag = json!({
        "instance_ids": [id("bare")],
        "tags": { "all_of": [{ "key": "Env", "value": "prod" }] },
        "exclude_instance_ids": [web],
    });

    assert_eq!(taken(&app, &by_name).await, ["web"]);
    assert_eq!(taken(&app, &by_tag).await, ["bare", "db"]);
}

#[tokio::test]
async fn as_many_tags_as_can_be_asked_for_are_asked_for() {
    let app = App::start().await;
    let tags = |prefix: &str| {
        (0..50)
            .map(|n| json!({ "key": format!("{prefix}{n:02}"), "value": "v" }))
            .collect::<Vec<_>>()
    };
    let bearing = |name: &str, count: usize| {
        (0..count).fold(InstanceSpec::named(name), |spec, n| spec.tag(&format!("a{n:02}"), "v"))
    };
    app.ec2.add_instance(bearing("whole", 50).tag("b49", "v"));
    app.ec2.add_instance(bearing("none of b", 50));
    app.ec2.add_instance(bearing("one too few", 49).tag("b00", "v"));
    app.ec2.add_instance(bearing("one too many", 50).tag("b00", "v").tag("c17", "v"));

    let all = json!({ "all_of": tags("a"), "any_of": tags("b"), "none_of": tags("c") });

    assert_eq!(taken(&app, &json!({ "tags": all })).await, ["whole"]);
}

#[tokio::test]
async fn what_is_too_long_to_ask_ec2_for_is_chosen_all_the_same() {
    let app = App::start().await;
    let long = "?".repeat(200);
    app.ec2.add_instance(InstanceSpec::named("long").tag("Note", &long));
    app.ec2.add_instance(InstanceSpec::named("empty").tag("Note", ""));

    let like = |value: &str| json!({ "tags": { "all_of": [{ "key": "Note", "value": value }] } });

    assert_eq!(taken(&app, &like(&long)).await, ["long"]);
    assert_eq!(taken(&app, &like("")).await, ["empty"]);
}

#[tokio::test]
async fn each_schedule_of_an_instance_takes_a_snapshot_of_its_own() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(app.schedule("cron(5 10 * * ? *)", &[&instance], Value::Null).await);
    }

    app.pass_minutes(20).await;

    for id in ids {
        let path = format!("/v1/snapshots?schedule_id={id}&status=available");
        assert_eq!(app.list(&path).await.len(), 1, "{id}");
    }
    assert_eq!(app.sets().len(), 3);
}
