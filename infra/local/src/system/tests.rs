//! The whole run, started and stopped on free ports.

use std::{future::ready, iter, path::Path};

use bytes::Bytes;
use clap::Parser as _;
use http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::{options::Role, state::DataFolder};

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn machine(environment: &[(&str, &str)]) -> Machine {
    let pairs = environment.iter();
    let environment = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Machine { real: noon, environment: environment.collect() }
}

async fn start(folder: &Path, more: &str) -> Result<Running, StartError> {
    let fixed = ["local", "--port", "0", "--data", folder.to_str().unwrap()];
    let options = Options::parse_from(fixed.into_iter().chain(more.split_whitespace()));
    System::start(&options, machine(&[])).await
}

async fn get(running: &Running, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Bytes::new()).unwrap();
    let answer = running.world().request(request, Caller::Person(Role::Admin)).await;
    (answer.status(), serde_json::from_slice(answer.body()).unwrap_or_default())
}

async fn instances(running: &Running) -> Vec<String> {
    let (_, answer) = get(running, "/v1/instances").await;
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn end(running: Running) {
    running.run_until(|| ready(())).await.unwrap();
}

#[tokio::test]
async fn a_first_start_has_sample_instances_and_says_where_it_is() {
    let folder = tempfile::tempdir().unwrap();

    let running = start(folder.path(), "").await.unwrap();

    assert_eq!(get(&running, "/v1/health").await.0, StatusCode::OK);
    assert!(instances(&running).await.len() >= 6);
    let ready = running.ready();
    let parts: Vec<_> = ready.split(' ').collect();
    assert_eq!((parts.len(), parts[0], parts[1]), (4, "ready", running.api()));
    assert!(parts[2].starts_with("ec2=http://127.0.0.1:"), "{ready}");
    assert!(parts[3].starts_with("dynamodb=http://127.0.0.1:"), "{ready}");
    assert!(running.welcome().lines().count() <= 11);
    end(running).await;
}

#[tokio::test]
async fn a_later_start_finds_what_was_there_and_a_fresh_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), "").await.unwrap();
    let ids = instances(&first).await;
    let request = json!({ "instance_id": ids[0], "name": "kept" }).to_string();
    let request = Request::post("/v1/snapshots")
        .header("content-type", "application/json")
        .body(Bytes::from(request))
        .unwrap();
    let answer = first.world().request(request, Caller::Person(Role::Admin)).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    end(first).await;

    let second = start(folder.path(), "").await.unwrap();
    let (_, snapshots) = get(&second, "/v1/snapshots").await;
    assert_eq!(instances(&second).await, ids);
    assert_eq!(snapshots["items"][0]["name"], "kept");
    end(second).await;

    let fresh = start(folder.path(), "--fresh").await.unwrap();
    let (_, snapshots) = get(&fresh, "/v1/snapshots").await;
    assert_eq!(snapshots["items"], json!([]));
    end(fresh).await;
}

#[tokio::test]
async fn a_table_of_an_earlier_version_gets_the_indexes_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), "").await.unwrap();
    let ids = instances(&first).await;
    let body = json!({ "instance_id": ids[0], "hold": { "type": "never" } }).to_string();
    let request = Request::post("/v1/snapshots")
        .header("content-type", "application/json")
        .body(Bytes::from(body))
        .unwrap();
    let answer = first.world().request(request, Caller::Person(Role::Admin)).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    end(first).await;
    for index in ["held", "blocked"] {
        let table = folder.path().join("table.sqlite");
        let database = dynoxide::Database::new(table.to_str().unwrap()).unwrap();
        let request = json!({
            "TableName": world::TABLE,
            "GlobalSecondaryIndexUpdates": [{ "Delete": { "IndexName": index } }],
        });
        database.update_table(serde_json::from_value(request).unwrap()).unwrap();
    }

    let second = start(folder.path(), "").await.unwrap();
    let (status, holds) = get(&second, "/v1/holds").await;
    let (ledger, _) = get(&second, "/v1/sweeps/blocked").await;

    assert_eq!((status, ledger), (StatusCode::OK, StatusCode::OK));
    assert_eq!(holds["items"].as_array().unwrap().len(), 1);
    end(second).await;
}

#[tokio::test]
async fn a_second_start_on_the_same_folder_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), "").await.unwrap();

    let second = start(folder.path(), "--fresh").await.unwrap_err().to_string();

    assert!(second.contains("is in use by another run"), "{second}");
    assert!(!instances(&first).await.is_empty());
    end(first).await;
}

#[tokio::test]
async fn a_second_start_on_the_same_port_says_so() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = start(folder.path(), "").await.unwrap();
    let port = first.api().rsplit(':').next().unwrap();

    let arguments = format!("--ec2-port {port}");
    let second = start(other.path(), &arguments).await.unwrap_err().to_string();

    assert_eq!(
        second,
        format!("port {port} is taken: choose another with --ec2-port (0 for any free one)")
    );
    end(first).await;
}

#[tokio::test]
async fn time_goes_on_from_where_the_last_run_may_have_been() {
    let folder = tempfile::tempdir().unwrap();
    let later = noon() + SignedDuration::from_mins(5);
    DataFolder::open(folder.path()).unwrap().keep_time(later).unwrap();

    let running = start(folder.path(), "").await.unwrap();

    assert_eq!(running.clock.now(), later);
    end(running).await;
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["local", "--port", "0", "--data", folder.path().to_str().unwrap()];
    let options = Options::parse_from(arguments);
    let machine = machine(&[("SNAPKEEP_GRACE_MINUTES", "soon"), ("SNAPKEEP_TABLE", "other")]);

    let error = System::start(&options, machine).await.unwrap_err();

    let text = shared::error::chain(&error);
    assert!(text.contains("SNAPKEEP_GRACE_MINUTES is `soon`"), "{text}");
}

/// The status of a request that is written out, and what is said.
async fn raw(url: &str, request: &str) -> (u16, String) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let address = url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

/// A request as a browser or a program sends it, without a body or with a form's.
fn written(line: &str, headers: &[String]) -> String {
    let first = format!("{line} HTTP/1.1");
    let last = ["connection: close", "content-length: 0", "", ""];
    let lines = iter::once(&*first).chain(headers.iter().map(String::as_str)).chain(last);
    lines.collect::<Vec<_>>().join("\r\n")
}

#[tokio::test]
async fn no_port_answers_a_page_of_somebody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path(), "").await.unwrap();
    let ready = running.ready();
    let urls: Vec<_> =
        ready.split(' ').skip(1).map(|part| &part[part.find("http").unwrap()..]).collect();
    assert_eq!(urls.len(), 3, "{ready}");

    for url in urls {
        let host = url.strip_prefix("http://").unwrap();
        let port = host.rsplit(':').next().unwrap();
        let own = format!("host: {host}");
        let hostile = [
            // What DNS rebinding looks like.
            vec![format!("host: evil.example:{port}")],
            vec![
                format!("host: evil.example:{port}"),
                format!("origin: http://evil.example:{port}"),
            ],
            // A page elsewhere, by `fetch` and by form.
            vec![
                own.clone(),
                "origin: https://evil.example".to_owned(),
                "sec-fetch-site: cross-site".to_owned(),
            ],
            vec![
                own.clone(),
                "sec-fetch-site: cross-site".to_owned(),
                "sec-fetch-mode: no-cors".to_owned(),
            ],
            vec![own.clone(), "origin: null".to_owned()],
            // A page that another port of this machine serves.
            vec![
                own.clone(),
                "origin: http://127.0.0.1:1".to_owned(),
                "sec-fetch-site: same-site".to_owned(),
            ],
        ];
        for headers in &hostile {
            for line in ["GET /v1/me", "POST /v1/reconciliation", "POST /", "OPTIONS /"] {
                let (status, said) = raw(url, &written(line, headers)).await;

                assert_eq!(status, 403, "{line} {headers:?}: {said}");
                assert!(!said.to_lowercase().contains("access-control-allow"), "{said}");
            }
        }
        for name in ["127.0.0.1", "localhost", "[::1]"] {
            let own = vec![format!("host: {name}:{port}"), "sec-fetch-site: none".to_owned()];
            assert_ne!(raw(url, &written("GET /v1/me", &own)).await.0, 403, "{name}");
        }
    }
}

#[tokio::test]
async fn a_demonstration_begins_with_a_history_at_its_own_time_and_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();

    let first = start(folder.path(), "--demo").await.unwrap();
    let (_, snapshots) = get(&first, "/v1/snapshots?limit=200").await;
    let (_, schedules) = get(&first, "/v1/schedules").await;
    let begun = first.clock.now();
    assert_eq!(snapshots["items"].as_array().unwrap().len(), 200);
    assert_eq!(schedules["items"].as_array().unwrap().len(), 12);
    assert!(instances(&first).await.len() >= 40);
    let distance = noon().duration_since(begun).abs();
    assert!(distance > SignedDuration::from_hours(24), "{begun}");
    assert!(first.welcome().contains("made up"));
    end(first).await;

    let second = start(folder.path(), "").await.unwrap();
    let went_on = second.clock.now().duration_since(begun);
    assert!(!went_on.is_negative() && went_on < SignedDuration::from_hours(1), "{went_on}");
    end(second).await;
}

#[tokio::test]
async fn a_demonstration_does_not_stand_where_somebody_works() {
    let folder = tempfile::tempdir().unwrap();
    end(start(folder.path(), "").await.unwrap()).await;

    let refused = start(folder.path(), "--demo").await.unwrap_err().to_string();

    assert!(refused.contains("--fresh"), "{refused}");
    let fresh = start(folder.path(), "--demo --fresh").await.unwrap();
    assert!(instances(&fresh).await.len() >= 40);
    end(fresh).await;
}

#[tokio::test]
async fn the_page_is_served_beside_the_api_and_says_what_stands_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path(), "").await.unwrap();

    let request = Request::get("/").body(Bytes::new()).unwrap();
    let answer = running.world().request(request, Caller::Anonymous).await;

    assert_eq!(answer.status(), StatusCode::OK);
    let page = String::from_utf8(answer.body().to_vec()).unwrap();
    assert!(page.contains("content=\"local\""), "{page}");
    assert_eq!(answer.headers()["x-snapkeep-speed"], "1");
    assert!(running.welcome().lines().next().unwrap().contains(running.api()));
    end(running).await;
}
