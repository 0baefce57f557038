//! Previews and simulations of what need not exist: answers and refusals.

use serde_json::{Value, json};

use super::support::{Answer, Call};

const SCHEDULE: &str = "sch_0195500c-6d00-7000-8000-000000000000";

async fn post(path: &str, body: &Value) -> Answer {
    Call::new("POST", path).json(body).send().await
}

#[track_caller]
fn assert_refused(answer: &Answer, field: &str, says: &str) {
    let detail = answer.body["detail"].as_str().unwrap_or_default();
    assert_eq!((answer.status, answer.field()), (400, field), "{detail}");
    assert!(detail.contains(says), "{detail}");
}

/// The body with these fields changed; null takes one out.
fn changed(body: &Value, change: &Value) -> Value {
    let mut body = body.clone();
    let fields = body.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    body
}

#[tokio::test]
async fn a_schedule_preview_has_fires_and_what_clock_changes_do_to_them() {
    let body = json!({
        "expression": "cron(30 2 * * ? *)", "timezone": "Europe/Berlin",
        "from": "2026-03-28T00:00:00Z", "count": 2,
    });
    let autumn = json!({"from": "2026-10-24T12:00:00Z", "count": 1});

    let spring = post("/v1/schedules/preview", &body).await;
    let autumn = post("/v1/schedules/preview", &changed(&body, &autumn)).await;

    assert_eq!(
        spring.body,
        json!({
            "fires": [
                {"at": "2026-03-28T01:30:00Z", "local": "2026-03-28T02:30:00+01:00"},
                {"at": "2026-03-30T00:30:00Z", "local": "2026-03-30T02:30:00+02:00"},
            ],
            "skipped": [{
                "local": "2026-03-29T02:30:00",
                "reason": "the clock goes from 02:00 to 03:00 in Europe/Berlin on 2026-03-29",
            }],
            "repeated": [],
            "description": "at 02:30 every day, Europe/Berlin",
        })
    );
    assert_eq!(
        autumn.body["repeated"],
        json!([{"local": "2026-10-25T02:30:00", "fires_at": "2026-10-25T00:30:00Z"}])
    );
}

#[tokio::test]
async fn a_schedule_preview_begins_now_in_utc_with_ten_fires() {
    let answer = post("/v1/schedules/preview", &json!({"expression": "rate(1 hour)"})).await;

    let fires = answer.body["fires"].as_array().unwrap();
    assert_eq!((answer.status, fires.len()), (200, 10));
    let first = json!({"at": "2026-03-01T01:00:00Z", "local": "2026-03-01T01:00:00+00:00"});
    assert_eq!((&fires[0], &answer.body["description"]), (&first, &json!("every hour")));
}

#[tokio::test]
async fn a_schedule_that_never_fires_has_an_empty_preview() {
    let answer = post("/v1/schedules/preview", &json!({"expression": "cron(0 0 30 2 ? *)"})).await;

    assert_eq!((answer.status, &answer.body["fires"]), (200, &json!([])));
    assert!(answer.body["description"].as_str().unwrap().contains("never fires"));
}

#[tokio::test]
async fn a_schedule_preview_that_does_not_fit_is_refused_at_the_field() {
    let good = json!({"expression": "rate(1 day)"});
    for (change, field, says) in [
        (json!({"expression": null}), "expression", "missing"),
        (json!({"expression": "cron(0 25 * * ? *)"}), "expression", "hours"),
        (json!({"timezone": "Mars/Olympus"}), "timezone", "IANA"),
        (json!({"from": "soon"}), "from", "RFC 3339"),
        (json!({"count": 0}), "count", "1 to 500"),
        (json!({"count": 501}), "count", "1 to 500"),
        (json!({"count": -1}), "count", "1 to 500"),
        (
            json!({"start_at": "2026-04-01T00:00:00Z", "end_at": "2026-04-01T00:00:00Z"}),
            "end_at",
            "after",
        ),
        (json!({"name": "x"}), "name", "unknown field"),
    ] {
        let answer = post("/v1/schedules/preview", &changed(&good, &change)).await;

        assert_refused(&answer, field, says);
    }
}

fn given(count: usize) -> Vec<Value> {
    (0..count)
        .map(|number| json!({"id": number.to_string(), "taken_at": "2026-02-01T00:00:00Z"}))
        .collect()
}

#[tokio::test]
async fn given_snapshots_are_judged_in_their_order() {
    let body = json!({
        "rules": {"keep_last": 1, "max_age": "60d"},
        "timezone": "Europe/Berlin",
        "snapshots": [
            {"id": "old", "taken_at": "2025-02-01T00:00:00Z"},
            {"id": "new", "taken_at": "2026-02-01T00:00:00Z"},
            {"id": "old", "taken_at": "2026-01-31T00:00:00+01:00"},
        ],
    });

    let answer = post("/v1/retention/preview", &body).await;

    assert_eq!(answer.status, 200);
    assert_eq!((&answer.body["kept"], &answer.body["deleted"]), (&json!(2), &json!(1)));
    let verdict = |id, at, verdict, reasons: &[&str]| {
        json!({
            "id": id, "instance_id": null, "taken_at": at, "verdict": verdict, "reasons": reasons,
        })
    };
    assert_eq!(
        answer.body["verdicts"],
        json!([
            verdict("old", "2025-02-01T00:00:00Z", "delete", &["no rule keeps it"]),
            verdict("new", "2026-02-01T00:00:00Z", "keep", &["last 1 of 1", "younger than 60d"]),
            verdict("old", "2026-01-30T23:00:00Z", "keep", &["younger than 60d"]),
        ])
    );
}

#[tokio::test]
async fn now_can_be_given_to_a_retention_preview() {
    let body = json!({
        "rules": {"max_age": "60d"}, "now": "2026-04-01T00:00:00Z", "snapshots": given(1),
    });

    let answer = post("/v1/retention/preview", &body).await;

    assert_eq!(answer.body["verdicts"][0]["verdict"], "keep");
    let later = changed(&body, &json!({"now": "2026-04-02T00:00:00Z"}));
    assert_eq!(post("/v1/retention/preview", &later).await.body["deleted"], json!(1));
}

#[tokio::test]
async fn a_retention_preview_takes_ten_thousand_snapshots_and_no_more() {
    let body = |count| json!({"rules": {"keep_last": 3}, "snapshots": given(count)});

    let full = post("/v1/retention/preview", &body(10_000)).await;
    let over = post("/v1/retention/preview", &body(10_001)).await;
    let empty = post("/v1/retention/preview", &body(0)).await;

    assert_eq!((full.status, &full.body["deleted"]), (200, &json!(9_997)));
    assert_refused(&over, "snapshots", "10000 at the most");
    assert_eq!((empty.status, &empty.body["verdicts"]), (200, &json!([])));
}

#[tokio::test]
async fn a_retention_preview_may_have_2_mib_and_nothing_else_may() {
    let call = |path: &str, count: usize| {
        let call = Call::new("POST", path).header("content-type", "application/json");
        call.text(&format!("{{}}{}", " ".repeat(count - 2)))
    };
    let max = 2 * 1024 * 1024;

    assert_eq!(call("/v1/retention/preview", max).send().await.status, 400);
    let over = call("/v1/retention/preview", max + 1).send().await;
    assert_eq!((over.status, over.kind()), (413, "urn:snapkeep:problem:too_large"));
    assert_eq!(over.body["detail"], "the body may have 2 MiB at the most");
    let other = call("/v1/retention/simulate", 64 * 1024 + 1).send().await;
    assert_eq!(other.body["detail"], "the body may have 64 KiB at the most");
}

#[tokio::test]
async fn a_retention_preview_that_does_not_fit_is_refused_at_the_field() {
    let good = json!({"rules": {"keep_last": 3}, "snapshots": given(2)});
    let at = "2026-02-01T00:00:00Z";
    for (change, field, says) in [
        (json!({"rules": null}), "rules", "must be given"),
        (json!({"rules": {"keep_daily": -2}}), "rules.keep_daily", "-1"),
        (json!({"rules": {"keep_within": "2w"}}), "rules.keep_within", "14d"),
        (json!({"rules": {}}), "rules", "keep nothing"),
        (json!({"rules": {"keep_lats": 1}}), "rules.keep_lats", "unknown field"),
        (json!({"timezone": "CEST"}), "timezone", "IANA"),
        (json!({"now": "now"}), "now", "RFC 3339"),
        (json!({"snapshots": null}), "snapshots", "schedule_id"),
        (json!({"schedule_id": SCHEDULE}), "schedule_id", "give one"),
        (json!({"schedule_id": "nightly"}), "schedule_id", "sch_"),
        (json!({"snapshots": [{"id": "", "taken_at": at}]}), "snapshots[0].id", "1 to 256"),
        (
            json!({"snapshots": [{"id": "ä".repeat(257), "taken_at": at}]}),
            "snapshots[0].id",
            "1 to 256",
        ),
        (
            json!({"snapshots": [{"id": "a", "taken_at": at}, {"id": "b", "taken_at": "x"}]}),
            "snapshots[1].taken_at",
            "RFC 3339",
        ),
        (json!({"snapshots": [{"id": "a"}]}), "snapshots[0].taken_at", "missing"),
        (json!({"snapshots": [{"id": "a", "taken_at": at, "x": 1}]}), "snapshots[0].x", "unknown"),
        (json!({"snaphots": []}), "snaphots", "unknown field"),
    ] {
        let answer = post("/v1/retention/preview", &changed(&good, &change)).await;

        assert_refused(&answer, field, says);
    }
    let longest = json!({"snapshots": [{"id": "ä".repeat(256), "taken_at": at}]});
    assert_eq!(post("/v1/retention/preview", &changed(&good, &longest)).await.status, 200);
}

fn simulated() -> Value {
    json!({
        "schedule": {
            "expression": "cron(30 2 * * ? *)", "timezone": "Europe/Berlin",
            "retention": {"keep_last": 2},
        },
        "from": "2026-03-27T12:00:00Z", "days": 4, "size_gib": 200, "daily_change_percent": 10,
    })
}

#[tokio::test]
async fn a_simulation_says_day_by_day_what_exists_and_what_it_may_cost() {
    let answer = post("/v1/retention/simulate", &simulated()).await;

    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let day = |date,
               fires,
               snapshots,
               oldest: Value,
               gib: (f64, f64),
               cost: (f64, f64),
               missed: &[&str]| {
        json!({
            "date": date, "fires": fires, "snapshots": snapshots, "oldest": oldest,
            "gib_upper_bound": gib.0, "gib_estimate": gib.1,
            "cost_upper_bound": cost.0, "cost_estimate": cost.1, "missed": missed,
            "survivors": null,
        })
    };
    // Two days lie between the 28th and the 30th, since the 29th is missed: 20 % of the volume.
    let first = json!("2026-03-28T01:30:00Z");
    let (nothing, one, two) = ((0.0, 0.0), (200.0, 200.0), (400.0, 239.166_667));
    let (no_cost, one_cost) = ((0.0, 0.0), (0.333_333, 0.333_333));
    assert_eq!(
        answer.body["days"],
        json!([
            day("2026-03-27", 0, 0, Value::Null, nothing, no_cost, &[]),
            day("2026-03-28", 1, 1, first.clone(), one, one_cost, &[]),
            day("2026-03-29", 0, 1, first.clone(), one, one_cost, &["2026-03-29T02:30:00"]),
            day("2026-03-30", 1, 2, first, two, (0.666_667, 0.398_611), &[]),
        ])
    );
    assert_eq!(
        answer.body["totals"],
        json!({
            "fires": 2, "missed": 1, "snapshots_max": 2,
            "cost_upper_bound": 1.333_333, "cost_estimate": 1.065_277,
        })
    );
    assert_eq!(answer.body["description"], "at 02:30 every day, Europe/Berlin; keep the last 2");
    let price = &answer.body["price"];
    assert_eq!((&price["per_gib_month"], &price["region"]), (&json!(0.05), &json!("us-east-1")));
    let assumed = answer.body["assumptions"].as_object().unwrap();
    assert!(assumed.values().all(|text| !text.as_str().unwrap().is_empty()));
    assert!(assumed["gib_estimate"].as_str().unwrap().contains("10 % of 200 GiB"));
}

#[tokio::test]
async fn a_simulation_tells_the_snapshots_of_every_so_manieth_day() {
    let all = changed(&simulated(), &json!({"survivors_every_days": 2}));

    let days = post("/v1/retention/simulate", &all).await.body["days"].clone();

    let first = "2026-03-28T01:30:00Z";
    assert_eq!(days[0]["survivors"], json!([]));
    assert_eq!(days[1]["survivors"], Value::Null);
    assert_eq!(days[2]["survivors"], json!([first]));
    assert_eq!(days[3]["survivors"], Value::Null);
}

#[tokio::test]
async fn of_many_snapshots_a_simulation_tells_the_oldest_the_newest_and_some_between() {
    let change = json!({
        "schedule": {"expression": "rate(1 hour)", "retention": {"keep_last": 450}},
        "from": "2026-03-01T00:00:00Z", "days": 20, "survivors_every_days": 19,
    });

    let days =
        post("/v1/retention/simulate", &changed(&simulated(), &change)).await.body["days"].clone();

    assert!(days[19]["snapshots"].as_u64().unwrap() >= 450);
    let told = days[19]["survivors"].as_array().unwrap();
    assert_eq!(told.len(), 200);
    assert_eq!(told[0], days[19]["oldest"]);
    assert_eq!(told[199], "2026-03-20T23:00:00Z");
    assert!(told.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()));
}

#[tokio::test]
async fn rules_beside_the_schedule_take_the_place_of_its_own() {
    let all = changed(&simulated(), &json!({"rules": {"keep_last": 1}, "days": 10}));

    let answer = post("/v1/retention/simulate", &all).await;

    // The one of that night and none before it: the sweeps since then have seen it.
    assert_eq!(answer.body["days"][9]["snapshots"], 1);
    assert!(answer.body["description"].as_str().unwrap().ends_with("keep the last one"));
}

#[tokio::test]
async fn a_simulation_that_does_not_fit_is_refused_at_the_field() {
    let schedule = |change: Value| json!({"schedule": changed(&simulated()["schedule"], &change)});
    for (change, field, says) in [
        (json!({"schedule": null}), "schedule", "schedule_id"),
        (json!({"schedule_id": SCHEDULE}), "schedule_id", "give one"),
        (json!({"schedule": {}}), "schedule.expression", "missing"),
        (schedule(json!({"expression": "rate(1 days)"})), "schedule.expression", "rate"),
        (schedule(json!({"timezone": "X"})), "schedule.timezone", "IANA"),
        (schedule(json!({"name": "x"})), "schedule.name", "unknown"),
        (schedule(json!({"retention": {"keep_last": -5}})), "schedule.retention.keep_last", "-1"),
        (
            schedule(json!({"start_at": "2026-04-01T00:00:00Z", "end_at": "2026-03-01T00:00:00Z"})),
            "schedule.end_at",
            "after",
        ),
        (json!({"rules": {"keep_last": 0}}), "rules", "keep nothing"),
        (json!({"from": "x"}), "from", "RFC 3339"),
        (json!({"days": null}), "days", "missing"),
        (json!({"days": 0}), "days", "1 to 800"),
        (json!({"days": 801}), "days", "1 to 800"),
        (json!({"days": 70_000}), "days", "1 to 800"),
        (json!({"size_gib": 0}), "size_gib", "1 to 1000000"),
        (json!({"daily_change_percent": 100.5}), "daily_change_percent", "0 to 100"),
        (json!({"daily_change_percent": -1}), "daily_change_percent", "0 to 100"),
        (json!({"price": 1}), "price", "unknown"),
        (
            changed(&schedule(json!({"expression": "cron(* * * * ? *)"})), &json!({"days": 800})),
            "days",
            "more than 100000 times",
        ),
    ] {
        let answer = post("/v1/retention/simulate", &changed(&simulated(), &change)).await;

        assert_refused(&answer, field, says);
    }
}
