//! What a piece of work belongs to: the caller's trace goes along with what it brings about.

use serde_json::{Value, json};
use shared::trace::TraceParent;

use crate::support::app::App;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The traces of the messages in a queue, none for one without.
fn queued(app: &App, queue: &str) -> Vec<Option<String>> {
    let dispatch = app.world.bus().dispatch();
    let messages = dispatch.messages(queue);
    let trace = |body: &str| {
        let event: Value = serde_json::from_str(body).unwrap();
        TraceParent::of_event(&event).map(|trace| trace.to_string())
    };
    messages.iter().map(|message| trace(&message.body)).collect()
}

#[tokio::test]
async fn a_callers_trace_goes_with_the_event_to_who_does_the_work() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let body = json!({ "instance_id": instance });

    app.send("POST", "/v1/snapshots", body, &[("traceparent", TRACE)]).await.expect(202);

    assert_eq!(queued(&app, "SnapshotterQueue"), [Some(TRACE.to_owned())]);
}

#[tokio::test]
async fn what_is_no_trace_is_left_out_and_nothing_fails_by_it() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let body = json!({ "instance_id": instance });

    app.send("POST", "/v1/snapshots", body, &[("traceparent", "00-nonsense")]).await.expect(202);

    assert_eq!(queued(&app, "SnapshotterQueue"), [None]);
}

#[tokio::test]
async fn a_sweep_that_is_asked_for_hands_the_trace_on() {
    let app = App::start().await;
    let body = json!({ "mode": "plan_only" });
    let answer = app.send("POST", "/v1/sweeps", body, &[("traceparent", TRACE)]).await.expect(202);

    app.settle().await;

    // The form of the event is still understood with it.
    let sweep = app.get(&format!("/v1/sweeps/{}", answer["id"].as_str().unwrap())).await;
    assert_ne!(sweep["status"], json!("requested"), "{sweep:#}");
}
