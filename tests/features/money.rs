//! Money and numbers: what snapshots cost, what deleting them frees, and how many there are.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;

const GIB: f64 = 1_073_741_824.0;

async fn billing(app: &App, id: &str) -> Value {
    app.get(&format!("/v1/snapshots/{id}/billing")).await
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value:#}"))
}

fn is_near(one: &Value, other: f64) -> bool {
    (number(one) - other).abs() < 2e-3
}

async fn recount(app: &App) {
    reconciler::handle(app.service(), &app.function_clock(), Value::Null).await.unwrap();
}

/// Three snapshots of one volume, each a day after the one before.
async fn three_days(app: &App) -> (String, Vec<String>) {
    let instance = app.instance("web", 1);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(app.take_snapshot(&instance).await);
        app.clock.advance(SignedDuration::from_hours(24));
        app.settle().await;
    }
    (instance, ids)
}

#[tokio::test]
async fn b6_billing_of_a_snapshot_names_three_numbers_and_their_price() {
    let app = App::start().await;
    let (_, ids) = three_days(&app).await;
    let full = app.ec2.snapshots()[0].full_size_bytes;
    #[expect(clippy::cast_precision_loss, reason = "some gigabytes")]
    let full_gib = full as f64 / GIB;

    let first = billing(&app, &ids[0]).await;
    let second = billing(&app, &ids[1]).await;
    let path = format!("/v1/snapshots/{}/billing?daily_change_percent=10", ids[1]);
    let tenth = app.get(&path).await;

    assert!(is_near(&first["size"]["gib"], 8.0));
    assert!(is_near(&first["size"]["cost"], 0.4));
    assert!(is_near(&first["full_size"]["gib"], full_gib));
    assert!(is_near(&first["estimated_incremental"]["gib"], full_gib), "{first:#}");
    assert_eq!(first["volumes"][0]["basis"], "first_of_chain");
    assert_eq!(second["daily_change_percent"], 3.0);
    assert!(is_near(&second["estimated_incremental"]["gib"], full_gib * 0.03), "{second:#}");
    assert!(is_near(&tenth["estimated_incremental"]["gib"], full_gib * 0.1), "{tenth:#}");
    assert_eq!(second["volumes"][0]["basis"], "daily_change");
    let price = &first["price"];
    assert_eq!((text(price, "price_region"), text(price, "currency")), ("us-east-1", "USD"));
    assert_eq!((text(price, "as_of"), number(&price["standard_gib_month"])), ("2026-11", 0.05));
    assert!(text(price, "source").contains("aws.amazon.com/ebs/pricing"));
}

#[tokio::test]
async fn b6_billing_is_summed_by_instance_schedule_region_and_month() {
    let app = App::start().await;
    let instances = [app.instance("web", 1), app.instance("db", 2)];
    let schedule = app.schedule("cron(30 10 * * ? *)", &[&instances[1]], Value::Null).await;
    app.take_snapshot(&instances[0]).await;
    app.pass_minutes(40).await;
    let before = app.get("/v1/billing").await;
    recount(&app).await;

    let region = app.get("/v1/billing").await;
    let by_instance = app.list("/v1/billing?group_by=instance&limit=1").await;
    let by_schedule = app.list("/v1/billing?group_by=schedule").await;
    let months = app.get("/v1/billing?group_by=month").await;

    assert_eq!(before["items"][0]["estimated_incremental"], Value::Null);
    assert_eq!(
        (&before["recounted_at"], &region["recounted_at"]),
        (&Value::Null, &json!(app.now()))
    );
    assert_eq!(
        (text(&region["items"][0], "region"), &region["group_by"]),
        ("us-east-1", &json!("region"))
    );
    assert_eq!(region["total"]["snapshots"], 2);
    assert!(is_near(&region["total"]["size"]["gib"], 24.0));
    assert!(is_near(&region["total"]["size"]["cost"], 1.2));
    let full = number(&region["total"]["full_size"]["gib"]);
    assert!(is_near(&region["total"]["estimated_incremental"]["gib"], full), "{region:#}");
    assert_eq!(by_instance.len(), 2);
    for row in &by_instance {
        let gib = if row["instance_id"] == instances[0] { 8.0 } else { 16.0 };
        assert!(is_near(&row["size"]["gib"], gib), "{row:#}");
    }
    let scheduled = by_schedule.iter().find(|row| row["schedule_id"] == schedule).unwrap();
    let manual = by_schedule.iter().find(|row| row["schedule_id"] == Value::Null).unwrap();
    assert!(is_near(&scheduled["size"]["gib"], 16.0));
    assert!(is_near(&manual["size"]["gib"], 8.0));
    assert_eq!(months["items"][0]["month"], "2026-03");
    assert_eq!(months["items"][0]["snapshots"], 2);
    let month = &months["items"][0];
    let part = number(&month["full_size"]["gib"]) / number(&month["size"]["gib"]);
    assert!((part - full / 24.0).abs() < 1e-2, "{month:#}");
    assert_eq!(month["full_size"]["measured_size_gib"], Value::Null);
    assert_eq!(months["prices"][0]["price_region"], "us-east-1");
}

#[tokio::test]
async fn b6_a_region_without_a_price_says_whose_price_it_has() {
    let config = sim_ec2::Config { region: "eu-north-1".to_owned(), ..Default::default() };
    let app = App::with(config).await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;

    let bill = billing(&app, &id).await;
    let region = app.get("/v1/billing").await;

    assert_eq!(
        (text(&bill, "region"), text(&bill["price"], "price_region")),
        ("eu-north-1", "us-east-1")
    );
    assert_eq!(region["items"][0]["region"], "eu-north-1");
    assert_eq!(region["items"][0]["price_regions"], json!(["us-east-1"]));
}

#[tokio::test]
async fn b6_what_is_asked_wrongly_is_refused_with_its_name() {
    let app = App::start().await;
    let refused = async |path: &str| {
        let body = app.call("GET", path, Value::Null).await.expect(400);
        text(&body, "field").to_owned()
    };

    assert_eq!(refused("/v1/billing?group_by=colour").await, "group_by");
    assert_eq!(refused("/v1/billing?daily_change_percent=101").await, "daily_change_percent");
    assert_eq!(refused("/v1/billing?daily_change_percent=NaN").await, "daily_change_percent");
    assert_eq!(refused("/v1/snapshots/stats?by=day").await, "by");
    let unknown = "/v1/snapshots/snp_0195500c-6d00-7000-8000-000000000000/billing";
    app.call("GET", unknown, Value::Null).await.expect(404);
}

#[tokio::test]
async fn u15_deleting_says_how_much_it_frees_and_that_it_may_be_nothing() {
    let app = App::start().await;
    let (instance, ids) = three_days(&app).await;
    let alone = app.instance("alone", 2);
    let alone = app.take_snapshot(&alone).await;

    let middle = billing(&app, &ids[1]).await["deletion_frees"].clone();
    let newest = billing(&app, &ids[2]).await["deletion_frees"].clone();
    let only = billing(&app, &alone).await;

    assert_eq!((number(&middle["at_least_gib"]), &middle["may_free_nothing"]), (0.0, &json!(true)));
    assert!(number(&middle["at_most_gib"]) > 0.0);
    assert!(text(&middle, "detail").ends_with("deleting this may free nothing"), "{middle:#}");
    assert!(text(&middle, "rule").contains("DeleteSnapshot"));
    // Its full size is that of the one before it: all of it may be needed there.
    assert_eq!(newest["may_free_nothing"], true);
    assert!(text(&newest, "detail").contains("older snapshots"));
    let frees = &only["deletion_frees"];
    assert_eq!(frees["may_free_nothing"], false);
    assert_eq!(frees["at_least_gib"], only["full_size"]["gib"]);
    assert_eq!(frees["at_most_gib"], only["full_size"]["gib"]);

    // Somebody else's snapshot of the same volumes needs their blocks too.
    let theirs = format!(
        "Action=CreateSnapshots&InstanceSpecification.InstanceId={instance}&Version=2016-11-15"
    );
    for id in &ids {
        app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    }
    app.ec2.answer("us-east-1", theirs.as_bytes());
    let last = billing(&app, &ids[2]).await;
    assert_eq!(last["volumes"][0]["neighbours"], "both", "{last:#}");
}

#[tokio::test]
async fn u15_what_is_gone_costs_and_frees_nothing() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let id = app.take_snapshot(&instance).await;
    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    app.pass_minutes(5).await;

    let bill = billing(&app, &id).await;

    assert_eq!(bill["status"], "deleted");
    assert_eq!(bill["size"], json!({"gib": 0.0, "cost": 0.0}));
    assert_eq!(bill["full_size"], Value::Null);
    assert_eq!(bill["volumes"], json!([]));
    assert!(text(&bill["deletion_frees"], "detail").starts_with("EC2 stores nothing of it"));
}

#[tokio::test]
async fn b29_snapshot_statistics_follow_every_change() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let stats = async || app.get("/v1/snapshots/stats").await;
    let nothing = stats().await;
    let id = app.take_snapshot(&instance).await;
    let one = stats().await;
    app.call("DELETE", &format!("/v1/snapshots/{id}"), Value::Null).await.expect(202);
    let condemned = stats().await;
    app.pass_minutes(5).await;
    let gone = stats().await;

    assert_eq!((&nothing["snapshots"], &nothing["newest"]), (&json!(0), &Value::Null));
    assert_eq!((&one["snapshots"], &one["by_status"]["available"]), (&json!(1), &json!(1)));
    assert_eq!(one["newest"]["snapshot_id"], id);
    assert_eq!(one["oldest"]["snapshot_id"], id);
    assert_eq!(condemned["by_status"]["available"], 0);
    assert_eq!((&gone["snapshots"], &gone["by_status"]["deleted"]), (&json!(0), &json!(1)));
    assert_eq!(gone["newest"], Value::Null);
}

#[tokio::test]
async fn u6_the_size_of_a_snapshot_is_that_of_its_volumes_and_the_full_size_is_told_beside_it() {
    let app = App::start().await;
    let instance = app.instance("web", 2);
    let id = app.take_snapshot(&instance).await;

    let snapshot = app.get(&format!("/v1/snapshots/{id}")).await;
    let bill = billing(&app, &id).await;

    assert_eq!(snapshot["size_gib"], 16);
    let full = number(&snapshot["full_size_bytes"]);
    assert!(full > 0.0 && full < 16.0 * GIB);
    assert!(is_near(&bill["full_size"]["gib"], full / GIB));
    assert!(is_near(&bill["size"]["gib"], 16.0));
}

#[tokio::test]
async fn u18_sizes_can_be_watched_by_instance_by_schedule_and_over_time() {
    let app = App::start().await;
    let (instance, _) = three_days(&app).await;
    let other = app.instance("db", 2);
    app.take_snapshot(&other).await;

    let stats = app.get("/v1/snapshots/stats").await;
    let instances = app.list("/v1/snapshots/stats/instances?limit=1").await;
    let schedules = app.list("/v1/snapshots/stats/schedules").await;

    assert_eq!(stats["size"]["size_gib"], 40);
    assert_eq!(instances.len(), 2);
    let web = instances.iter().find(|row| row["instance_id"] == instance).unwrap();
    assert_eq!((&web["size"]["size_gib"], &web["available"]), (&json!(24), &json!(3)));
    assert_eq!(schedules.len(), 1);
    assert_eq!(schedules[0]["size"]["size_gib"], 40);
    let growth = stats["growth"].as_array().unwrap();
    let last: Vec<_> = growth[26..].iter().map(|day| day["size_gib"].as_i64().unwrap()).collect();
    assert_eq!(last, [8, 16, 24, 40]);
}

#[tokio::test]
async fn u17_review_names_what_stays_and_perhaps_need_not() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let manual = app.take_snapshot(&instance).await;
    let held = app.take_snapshot(&instance).await;
    let review_at = app.now() + SignedDuration::from_hours(24);
    let edit = json!({"hold": {"type": "never", "reason": "audit", "review_at": review_at}});
    app.call("PATCH", &format!("/v1/snapshots/{held}"), edit).await.expect(200);
    let schedule = app.schedule("cron(30 10 2 * ? *)", &[&instance], json!({"keep_last": 1})).await;
    app.pass_minutes(30).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({"enabled": false})).await.expect(200);
    let early = app.get("/v1/snapshots/review?older_than_days=3").await;
    app.clock.advance(SignedDuration::from_hours(4 * 24));

    let review = app.get("/v1/snapshots/review?older_than_days=3").await;

    let ids = |review: &Value, section: &str| -> Vec<String> {
        let items = review[section]["items"].as_array().unwrap();
        items.iter().map(|one| text(one, "snapshot_id").to_owned()).collect()
    };
    assert_eq!(ids(&early, "held_review_due"), [""; 0]);
    assert_eq!(ids(&early, "kept_without_rules"), [""; 0]);
    assert_eq!(ids(&review, "held_review_due"), [held]);
    assert_eq!(ids(&review, "kept_without_rules"), [manual]);
    assert_eq!(ids(&review, "blocked_long"), [""; 0]);
    assert_eq!(review["disabled_schedules"]["items"][0]["schedule_id"], schedule);
    assert_eq!(review["disabled_schedules"]["items"][0]["size_gib"], 8);
    assert_eq!(review["disabled_schedules"]["more"], false);
}
