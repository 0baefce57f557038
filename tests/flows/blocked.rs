//! The ledger of what should be gone and cannot.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::sweeps::{ec2, register_image, sweep};

const LEDGER: &str = "/v1/sweeps/blocked";

/// A schedule that keeps two, has four and is switched off: their ids, oldest first.
async fn with_four(app: &App) -> Vec<String> {
    let instance = app.instance("web", 1);
    let schedule = app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 2 })).await;
    app.pass_minutes(41).await;
    let path = format!("/v1/schedules/{schedule}");
    app.call("PATCH", &path, json!({ "enabled": false })).await.expect(200);
    app.pass_minutes(2).await;
    let list = app.list("/v1/snapshots?status=available&sort=created_at").await;
    assert_eq!(list.len(), 4);
    list.iter().map(|one| text(one, "id").to_owned()).collect()
}

#[tokio::test]
async fn what_an_image_keeps_is_in_the_ledger_until_the_image_is_gone() {
    let app = App::start().await;
    let ids = with_four(&app).await;
    let image = register_image(&app, &ids[0]);

    sweep(&app, "plan_only").await;
    let after_a_dry_run = app.list(LEDGER).await.len();
    let since = app.now();
    sweep(&app, "execute").await;
    let ledger = app.list(LEDGER).await;
    let record = app.record(&ids[0]).await;
    app.pass_minutes(10).await;
    sweep(&app, "execute").await;
    let again = app.record(&ids[0]).await;

    assert_eq!((after_a_dry_run, ledger.len()), (0, 1));
    let entry = &ledger[0];
    assert_eq!(text(entry, "snapshot_id"), ids[0]);
    assert_eq!((text(entry, "cause"), text(entry, "status")), ("in_use", "available"));
    assert_eq!(
        (text(entry, "ami_id"), text(entry, "detail")),
        (&*image, &*format!("in use by {image}"))
    );
    assert_eq!(entry["since"], json!(since));
    assert_eq!(text(&entry["wanted_by"], "cause"), "rules");
    assert!(text(&entry["wanted_by"], "reason").contains("no rule keeps it"), "{entry}");
    // Only changes are written.
    assert_eq!(again, record);
    // It is what it was.
    let shown = app.get(&format!("/v1/snapshots/{}", ids[0])).await;
    assert_eq!((text(&shown, "status"), &shown["restorable"]), ("available", &json!(true)));
    assert_eq!(app.list("/v1/snapshots?status=available").await.len(), 3);

    ec2(&app, &format!("Action=DeregisterImage&ImageId={image}&Version=2016-11-15"));
    sweep(&app, "execute").await;
    assert!(app.list(LEDGER).await.is_empty());
    assert_eq!(app.status(&ids[0]).await, "condemned");
}

#[tokio::test]
async fn another_image_is_another_entry_of_the_same_beginning() {
    let app = App::start().await;
    let ids = with_four(&app).await;
    let first = register_image(&app, &ids[0]);
    let since = app.now();
    sweep(&app, "execute").await;
    app.pass_minutes(5).await;

    ec2(&app, &format!("Action=DeregisterImage&ImageId={first}&Version=2016-11-15"));
    let second = register_image(&app, &ids[0]);
    sweep(&app, "execute").await;

    let entry = app.list(LEDGER).await.remove(0);
    assert_ne!(first, second);
    assert_eq!((text(&entry, "ami_id"), &entry["since"]), (&*second, &json!(since)));
}

#[tokio::test]
async fn a_hold_takes_it_off_the_ledger() {
    let app = App::start().await;
    let ids = with_four(&app).await;
    register_image(&app, &ids[0]);
    sweep(&app, "execute").await;

    let hold = json!({ "hold": { "type": "never" } });
    app.call("PATCH", &format!("/v1/snapshots/{}", ids[0]), hold).await.expect(200);
    sweep(&app, "execute").await;

    assert!(app.list(LEDGER).await.is_empty());
    assert_eq!(app.record(&ids[0]).await.ending.blocked, None);
}

#[tokio::test]
async fn condemned_ones_that_something_is_in_the_way_of_are_in_the_ledger_too() {
    let app = App::start().await;
    let ids = with_four(&app).await;
    sweep(&app, "execute").await;
    let hold = json!({ "hold": { "type": "never", "reason": "audit" } });
    app.call("PATCH", &format!("/v1/snapshots/{}", ids[0]), hold).await.expect(200);
    register_image(&app, &ids[1]);

    app.pass_minutes(65).await;

    let newest_first = app.list(LEDGER).await;
    let causes: Vec<_> = newest_first.iter().map(|one| text(one, "cause")).collect();
    assert_eq!(causes, ["in_use", "held"]);
    for entry in &newest_first {
        assert_eq!(text(entry, "status"), "condemned");
        assert_eq!(text(&entry["wanted_by"], "cause"), "rules");
    }
    assert_eq!(newest_first[1]["ami_id"], Value::Null);
    // In pages of one, the other way.
    let oldest_first = app.list(&format!("{LEDGER}?sort=created_at&limit=1")).await;
    let ids_of = |list: &[Value]| -> Vec<String> {
        list.iter().map(|one| text(one, "snapshot_id").to_owned()).collect()
    };
    assert_eq!(ids_of(&oldest_first), ids[..2]);

    // Rescued, it should no longer be gone.
    app.call("POST", &format!("/v1/snapshots/{}/rescue", ids[0]), Value::Null).await.expect(200);
    assert_eq!(ids_of(&app.list(LEDGER).await), ids[1..2]);
}

#[tokio::test]
async fn what_is_gone_for_good_is_in_no_ledger() {
    let app = App::start().await;
    let ids = with_four(&app).await;
    register_image(&app, &ids[0]);
    sweep(&app, "execute").await;
    let hold = json!({ "hold": { "type": "never" } });
    app.call("PATCH", &format!("/v1/snapshots/{}", ids[3]), hold).await.expect(200);

    for id in [&ids[0], &ids[3]] {
        let path = format!("/v1/snapshots/{id}?record_only=true");
        app.call("DELETE", &path, Value::Null).await.expect(200);
    }

    assert!(app.list(LEDGER).await.is_empty());
    assert!(app.list("/v1/holds").await.is_empty());
}
