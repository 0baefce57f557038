//! Every file in `events/` is what its function gets, and its function makes something of it.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde_json::Value;
use shared::Error;
use shared::operations::nudge_stuck::nudge_stuck;
use shared::operations::sweeps;

use crate::support::app::App;

fn files() -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(path).unwrap();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect();
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    files
}

#[tokio::test]
async fn every_event_file_is_understood_by_its_function() {
    let app = App::start().await;
    let files = files();

    for (name, event) in &files {
        let function = name.split('-').next().unwrap();
        if function == "api" {
            let request = lambda_http::request::from_str(&event.to_string()).unwrap();
            let router = api::router(app.service().clone(), app.function_clock());
            let status = api::handle(router, request).await.status().as_u16();
            assert!(status < 500, "{name}: {status}");
            assert_eq!(
                status == 401,
                name.ends_with("-without-claims") || name.ends_with("-id-token"),
                "{name}: {status}"
            );
            continue;
        }
        let answer = Box::pin(invoke(&app, function, event.clone())).await;
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        if let Some(failures) = answer.get("batchItemFailures") {
            assert_eq!(failures.as_array().unwrap().len(), 0, "{name}");
        }
    }

    for function in [
        "api",
        "scheduler",
        "snapshotter",
        "tracker",
        "sweeper",
        "reaper",
        "reconciler",
        "restorer",
    ] {
        assert!(files.iter().any(|(name, _)| name.starts_with(function)), "{function}");
    }
}

async fn invoke(app: &App, function: &str, event: Value) -> Result<Value, Error> {
    let (service, clock) = (app.service(), &app.function_clock());
    match function {
        "scheduler" => Box::pin(scheduler::handle(service, clock, event)).await,
        "snapshotter" => snapshotter::handle(service, clock, event).await,
        "tracker" => tracker::handle(service, clock, event).await,
        "sweeper" if event["detail-type"] == "SweepRequested" => {
            let id = event["detail"]["sweep_id"].as_str().unwrap().parse().unwrap();
            let mode = shared::domain::sweep::SweepMode::PlanOnly;
            sweeps::request(service, id, mode, "ada", app.now()).await?;
            sweeper::handle(service, clock, event).await
        }
        "sweeper" => sweeper::handle(service, clock, event).await,
        "reaper" => reaper::handle(service, clock, event).await,
        "reconciler" => reconciler::handle(service, clock, event).await,
        "restorer" => Box::pin(restorer::handle(service, clock, event)).await,
        other => panic!("{other} is no function"),
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_nothing_else_from_being_made_known() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    let old = app.take_snapshot(&instance).await;
    let path = format!("/v1/snapshots/{old}?grace_minutes=10");
    app.call("DELETE", &path, Value::Null).await.expect(202);
    let unreadable = app.request_snapshot(&instance).await;
    app.forget_attribute(&unreadable, "schema").await;
    app.clock.advance(SignedDuration::from_mins(30));

    let nudged = nudge_stuck(app.service(), app.now()).await;
    app.settle().await;

    assert!(nudged.is_ok());
    assert_eq!(app.status(&old).await, "deleted");
}
