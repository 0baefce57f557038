//! What answers and plans cost by size, counted in requests of the table and in whole records that come back.
//!
//! Whatever is asked of an instance's snapshots costs a request for each megabyte of its comb, and no record but those that are
//! shown.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::grown::{Grown, grown};
use crate::support::meter::Calls;
use crate::support::reply::text;

/// How many snapshots of an instance one Query of its comb reads at least.
const QUERY_READS: usize = 1_000;
/// What one answer of a function may have, in bytes
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const ANSWER_MAX: usize = 6 * 1024 * 1024;

/// What was asked of the table for one answer, held against what it may have asked.
#[track_caller]
fn hold(calls: &Calls, requests: &[(&str, usize)], records: &[(&str, usize)]) {
    let named = |all: &[(&str, usize)]| -> Vec<(String, u64)> {
        all.iter().map(|(name, count)| ((*name).to_owned(), *count as u64)).collect()
    };
    let within = |found: &std::collections::BTreeMap<String, u64>, most: &[(String, u64)]| {
        found.iter().all(|(name, count)| most.iter().any(|(it, most)| it == name && count <= most))
    };
    assert!(within(&calls.requests, &named(requests)), "{calls:?}, of {requests:?}");
    assert!(within(&calls.records, &named(records)), "{calls:?}, of {records:?}");
}

/// The answer to a GET, and what it asked of the table.
async fn asked(grown: &Grown, path: &str) -> (Value, Calls) {
    grown.meter.take_calls();
    let answer = grown.app.get(path).await;
    (answer, grown.meter.take_calls())
}

async fn lists_cost_what_they_show(grown: &Grown, combs: usize) {
    let (page, calls) = asked(grown, "/v1/snapshots?limit=50").await;
    assert_eq!(page["items"].as_array().unwrap().len(), 50);
    assert_eq!((calls.total(), calls.of("Query all"), calls.of("BatchGetItem")), (2, 1, 1));
    assert_eq!(calls.records_of("SNAPSHOT"), 51);

    let (page, calls) = asked(grown, "/v1/snapshots?limit=50&include=fate").await;
    assert!(
        page["items"].as_array().unwrap().iter().all(|one| one["fate"]["outlook"] != "unknown")
    );
    hold(
        &calls,
        &[("Query all", 1), ("Query comb", combs), ("BatchGetItem", 2)],
        &[("SNAPSHOT", 51), ("SCHEDULES", 1)],
    );

    let path = format!("/v1/snapshots?limit=50&count=true&instance_id={}", grown.instance);
    let (page, calls) = asked(grown, &path).await;
    let count = grown.snapshots.len();
    assert_eq!(page["total"], json!(count));
    let positions = 2 + count / 2_500;
    hold(&calls, &[("Query instance", positions), ("BatchGetItem", 1)], &[("SNAPSHOT", 51)]);

    let oldest = grown.snapshots.last().unwrap();
    let (shown, calls) = asked(grown, &format!("/v1/snapshots/{oldest}")).await;
    assert_ne!(text(&shown["fate"], "outlook"), "unknown");
    hold(
        &calls,
        &[("GetItem", 1), ("Query comb", combs), ("BatchGetItem", 1)],
        &[("SNAPSHOT", 1), ("SCHEDULES", 1)],
    );
}

async fn a_calendar_costs_its_days(grown: &Grown) {
    for path in
        ["/v1/instances/slots".to_owned(), format!("/v1/instances/{}/slots", grown.instance)]
    {
        let (answer, calls) = asked(grown, &path).await;
        assert!(answer.to_string().len() < ANSWER_MAX);
        // A month of it, whatever lies before: its part of the comb, of what is here and of what is gone.
        assert_eq!(calls.of("Query comb"), 2, "{calls:?}");
        assert!(calls.total() <= 8 && calls.records_of("RUNS") <= 31 * 24 + 60, "{calls:?}");
        assert_eq!(calls.records_of("SNAPSHOT"), 0, "{calls:?}");
    }
}

async fn previews_never_stop(grown: &Grown, combs: usize) {
    let count = grown.snapshots.len();
    let rules = json!({ "keep_last": 3 });
    // A thousand records are read; of more, the combs.
    let (records, combs) = if count <= 1_000 { (count, 0) } else { (0, combs) };
    let requests = [
        ("GetItem", 1),
        ("Query", 1),
        ("Query schedule", 1),
        ("Query comb", combs),
        ("BatchGetItem", 10),
    ];
    let most = [("SNAPSHOT", records), ("SCHEDULES", 1), ("STATISTICS", 1)];

    grown.meter.take_calls();
    let body = json!({ "schedule_id": grown.schedule, "rules": rules });
    let tried = grown.app.call("POST", "/v1/retention/preview", body).await.expect(200);
    hold(&grown.meter.take_calls(), &requests, &most);
    assert_eq!((&tried["kept"], &tried["deleted"]), (&json!(3), &json!(count - 3)));
    assert_eq!(tried["verdicts"].as_array().unwrap().len(), count);
    assert!(tried.to_string().len() < ANSWER_MAX);

    let path = format!("/v1/schedules/{}?preview=true", grown.schedule);
    let edit = grown.app.call("PATCH", &path, json!({ "retention": rules })).await.expect(200);
    hold(&grown.meter.take_calls(), &requests, &most);
    assert_eq!(edit["changes_total"], json!(count - 3));
    assert_eq!(edit["changes"].as_array().unwrap().len(), (count - 3).min(1_000));
    assert_eq!(edit["braked"], true);
    assert!(edit.to_string().len() < ANSWER_MAX);
}

/// The sweep plans over all of it and reads no record of a snapshot.
async fn a_plan_reads_no_records(grown: &Grown, combs: usize) {
    let Grown { app, meter, snapshots, .. } = grown;
    let count = snapshots.len();
    app.clock.advance(SignedDuration::from_secs(1));
    let asked = app.call("POST", "/v1/sweeps", json!({ "mode": "plan_only" })).await.expect(202);
    meter.take_calls();

    app.settle().await;

    let calls = meter.take_calls();
    assert_eq!(calls.records_of("SNAPSHOT"), 0, "{calls:?}");
    assert!((1..=combs as u64).contains(&calls.of("Query comb")), "{calls:?}");
    assert!(calls.of("Query all") <= 1 + count as u64 / 2_500, "{calls:?}");
    assert_eq!(calls.of("BatchGetItem"), 0, "{calls:?}");
    let sweep = app.get(&format!("/v1/sweeps/{}", text(&asked, "id"))).await;
    assert_eq!(sweep["planned"]["snapshots"], json!(count));
}

async fn all_of(count: usize) {
    let grown = grown(count).await;
    let combs = 1 + count / QUERY_READS;

    lists_cost_what_they_show(&grown, combs).await;
    a_calendar_costs_its_days(&grown).await;
    previews_never_stop(&grown, combs).await;
    a_plan_reads_no_records(&grown, combs).await;
}

#[tokio::test]
async fn a_hundred_snapshots_of_an_instance_cost_what_is_shown() {
    Box::pin(all_of(100)).await;
}

#[tokio::test]
async fn a_thousand_snapshots_of_an_instance_cost_what_is_shown() {
    Box::pin(all_of(1_000)).await;
}

#[tokio::test]
async fn ten_thousand_snapshots_of_an_instance_cost_what_is_shown() {
    Box::pin(all_of(10_000)).await;
}
