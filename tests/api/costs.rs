//! What answers cost by size, counted in requests of the table and whole records that come back.

use serde_json::{Value, json};

use crate::support::grown::{Grown, grown};
use crate::support::meter::Calls;
use crate::support::reply::text;

#[tokio::test]
async fn explore() {
    for count in [100, 1_000, 10_000] {
        let t = std::time::Instant::now();
        let Grown { app, meter, instance, schedule, snapshots } = grown(count).await;
        println!("== {count} loaded in {:?}", t.elapsed());
        let show = |what: &str, t: std::time::Instant, size: usize| {
            println!("{what}: {:?} {size} B in {:?}", meter.take_calls(), t.elapsed());
        };
        meter.take_calls();
        for path in [
            "/v1/snapshots?limit=50".to_owned(),
            "/v1/snapshots?limit=50&include=fate".to_owned(),
            format!("/v1/snapshots/{}", snapshots[1]),
            format!("/v1/instances/{instance}/comb"),
            format!("/v1/instances/{instance}/slots"),
            "/v1/instances/slots".to_owned(),
        ] {
            let t = std::time::Instant::now();
            let answer = app.get(&path).await;
            show(&path, t, answer.to_string().len());
        }
        let t = std::time::Instant::now();
        let body = json!({ "schedule_id": schedule, "rules": { "keep_last": 3 } });
        let answer = app.call("POST", "/v1/retention/preview", body).await.expect(200);
        show("preview", t, answer.to_string().len());
        let t = std::time::Instant::now();
        let path = format!("/v1/schedules/{schedule}?preview=true");
        let answer = app.call("PATCH", &path, json!({ "retention": { "keep_last": 3 } })).await;
        show("edit preview", t, answer.expect(200).to_string().len());
        let t = std::time::Instant::now();
        let sweep = app.call("POST", "/v1/sweeps", json!({ "mode": "plan_only" })).await.expect(202);
        app.settle().await;
        show("sweep", t, 0);
        let sweep = app.get(&format!("/v1/sweeps/{}", text(&sweep, "id"))).await;
        println!("{}", sweep["planned"]);
    }
}
