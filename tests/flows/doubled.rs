//! Everything delivered twice: every tick, every event, every message.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::json;

use crate::support::app::App;
use crate::support::reply::text;

#[tokio::test]
async fn everything_delivered_twice_does_everything_once() {
    let app = App::start().await;
    let (web, db) = (app.instance("web", 1), app.instance("db", 2));
    let schedule = app.schedule("rate(10 minutes)", &[&web, &db], json!({ "keep_last": 2 })).await;

    app.pass_doubled(SignedDuration::from_mins(185)).await;

    // Eighteen slots: one snapshot of each instance for each, and each is in EC2 or was deleted once.
    let runs = app.list(&format!("/v1/schedules/{schedule}/runs")).await;
    assert_eq!(runs.len(), 18);
    assert_eq!(app.ec2.calls()["CreateSnapshots"], 36);
    let all = app.list("/v1/snapshots?include_deleted=true").await;
    assert_eq!(all.len(), 36);
    let mut statuses: BTreeMap<&str, usize> = BTreeMap::new();
    for snapshot in &all {
        *statuses.entry(text(snapshot, "status")).or_default() += 1;
    }
    assert!(statuses["deleted"] >= 15, "{statuses:?}");
    assert!(!statuses.contains_key("error") && !statuses.contains_key("missing"), "{statuses:?}");
    // Each member is deleted, and all but the first are tried out before.
    let calls = |volumes: usize| 2 * volumes - 1;
    let deleted = all.iter().filter(|one| text(one, "status") == "deleted");
    let calls: usize = deleted.map(|one| calls(one["volumes"].as_array().unwrap().len())).sum();
    assert_eq!(app.ec2.calls()["DeleteSnapshot"], u64::try_from(calls).unwrap());
}
