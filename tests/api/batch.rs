//! One deed done to many snapshots, and first only said.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;
use crate::support::sweeps::register_image;

/// Three snapshots of an instance.
async fn three(app: &App) -> Vec<String> {
    let instance = app.instance("web", 1);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(app.take_snapshot(&instance).await);
    }
    ids
}

async fn batch(app: &App, query: &str, body: Value) -> Value {
    app.call("POST", &format!("/v1/snapshots:batch{query}"), body).await.expect(200)
}

fn outcomes(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|item| text(item, "outcome")).collect()
}

#[tokio::test]
async fn a_preview_says_what_is_done_then_and_does_nothing() {
    let app = App::start().await;
    let ids = three(&app).await;
    register_image(&app, &ids[1]);
    let until = json!({ "hold": { "type": "until", "until": "2030-01-01T00:00:00Z" } });
    app.call("PATCH", &format!("/v1/snapshots/{}", ids[2]), until).await.expect(200);
    let body = json!({ "snapshot_ids": ids, "action": "delete", "grace_minutes": 60 });

    let preview = batch(&app, "?preview=true", body.clone()).await;
    let mut before = Vec::new();
    for id in &ids {
        before.push(app.status(id).await);
    }
    let done = batch(&app, "", body.clone()).await;
    let again = batch(&app, "", body).await;

    assert_eq!(outcomes(&preview), ["done", "refused", "refused"], "{preview:#}");
    assert_eq!(preview["items"][0]["status"], "condemned");
    assert_eq!(before, ["available"; 3]);
    assert_eq!(preview["items"], done["items"]);
    assert_eq!(outcomes(&again), ["unchanged", "refused", "refused"]);
    assert_eq!(done["counts"], json!({ "done": 1, "unchanged": 0, "refused": 2 }));
    assert!(text(&done["items"][1]["problem"], "detail").contains("in use by"), "{done:#}");
    assert!(text(&done["items"][2]["problem"], "detail").contains("remove the hold"), "{done:#}");
    let rescue = json!({ "snapshot_ids": [ids[0]], "action": "rescue" });
    assert_eq!(outcomes(&batch(&app, "", rescue).await), ["done"]);
    assert_eq!(app.status(&ids[0]).await, "available");
}

#[tokio::test]
async fn what_is_deleted_at_once_is_gone() {
    let app = App::start().await;
    let ids = three(&app).await;

    batch(&app, "", json!({ "snapshot_ids": ids, "action": "delete" })).await;
    app.pass_minutes(2).await;

    for id in &ids {
        assert_eq!(app.status(id).await, "deleted");
    }
}

#[tokio::test]
async fn holds_and_expiries_are_set_and_taken_off_again() {
    let app = App::start().await;
    let ids = three(&app).await;
    let hold = json!({ "type": "never", "reason": "audit" });
    let unknown = "snp_0195500c-6d00-7000-8000-000000000000";
    let some = json!([ids[0], unknown]);

    let holding = json!({ "snapshot_ids": some, "action": "hold", "hold": hold });
    let holding = batch(&app, "", holding).await;
    let expiring = json!({ "snapshot_ids": ids, "action": "set_expiry", "expires_at": "2027-01-01T00:00:00Z" });
    let expiring = batch(&app, "", expiring).await;
    let released = json!({ "snapshot_ids": ids, "action": "release_hold" });
    let released = batch(&app, "", released).await;

    assert_eq!(outcomes(&holding), ["done", "refused"]);
    assert_eq!(holding["items"][1]["problem"]["status"], 404);
    assert_eq!(outcomes(&expiring), ["done"; 3]);
    assert_eq!(outcomes(&released), ["done", "unchanged", "unchanged"]);
    let shown = app.get(&format!("/v1/snapshots/{}", ids[0])).await;
    assert_eq!(
        (&shown["hold"], &shown["expires_at"]),
        (&Value::Null, &json!("2027-01-01T00:00:00Z"))
    );
}

#[tokio::test]
async fn where_a_schedule_decides_no_end_is_set() {
    let app = App::start().await;
    let instance = app.instance("web", 1);
    app.schedule("rate(10 minutes)", &[&instance], json!({ "keep_last": 9 })).await;
    app.pass_minutes(15).await;
    let id = text(&app.list("/v1/snapshots").await[0], "id").to_owned();
    let body = json!({
        "snapshot_ids": [id], "action": "set_expiry", "expires_at": "2027-01-01T00:00:00Z",
    });

    let preview = batch(&app, "?preview=true", body.clone()).await;
    let done = batch(&app, "", body).await;

    assert_eq!((outcomes(&preview), outcomes(&done)), (vec!["refused"], vec!["refused"]));
    assert!(text(&done["items"][0]["problem"], "detail").contains("up to the rules"), "{done:#}");
    assert_eq!(app.record(&id).await.ending.expires_at, None);
}

#[tokio::test]
async fn parts_that_do_not_fit_are_refused_at_the_field() {
    let app = App::start().await;
    let id = "snp_0195500c-6d00-7000-8000-000000000000";
    let ids = json!([id]);
    for (body, field) in [
        (json!({ "snapshot_ids": ids, "action": "hold" }), "hold"),
        (json!({ "snapshot_ids": ids, "action": "set_expiry" }), "expires_at"),
        (json!({ "snapshot_ids": ids, "action": "rescue", "grace_minutes": 1 }), "grace_minutes"),
        (json!({ "snapshot_ids": ids, "action": "delete", "grace_minutes": -1 }), "grace_minutes"),
        (json!({ "snapshot_ids": [], "action": "rescue" }), "snapshot_ids"),
        (json!({ "snapshot_ids": [id, id], "action": "rescue" }), "snapshot_ids[1]"),
        (
            json!({ "snapshot_ids": ids, "action": "set_expiry", "expires_at": "2020-01-01T00:00:00Z" }),
            "expires_at",
        ),
    ] {
        let problem = app.call("POST", "/v1/snapshots:batch", body.clone()).await.expect(400);
        assert_eq!(problem["field"], field, "{body}");
    }
}
