//! Schedules: what is sent comes back, and an edit changes what it names.

use serde_json::{Value, json};

use crate::support::app::App;
use crate::support::reply::text;

/// A schedule with every field there is.
fn whole() -> Value {
    json!({
        "name": "nightly",
        "expression": "cron(30 2 ? * MON-FRI *)",
        "timezone": "Europe/Berlin",
        "targets": {
            "instance_ids": ["i-0123456789abcdef0"],
            "tags": {
                "all_of": [{ "key": "Env", "value": "prod*" }],
                "any_of": [{ "key": "Tier", "value": "1" }, { "key": "Tier", "value": r"\*" }],
                "none_of": [{ "key": "Backup", "value": "no" }],
            },
            "exclude_instance_ids": ["i-0123456789abcdef1"],
        },
        "retention": {
            "keep_last": 3, "keep_hourly": 24, "keep_daily": 7, "keep_weekly": 4, "keep_monthly": 12,
            "keep_yearly": -1, "keep_within": "2d", "keep_within_hourly": "3d",
            "keep_within_daily": "14d", "keep_within_weekly": "2m", "keep_within_monthly": "1y",
            "keep_within_yearly": "1y2m3d4h", "max_age": "30d",
        },
        "when_gone": { "type": "keep_last", "count": 3 },
        "options": {
            "exclude_boot_volume": true,
            "exclude_volumes": ["vol-0123456789abcdef0"],
            "exclude_volumes_tagged": [{ "key": "use", "value": "scratch*" }],
            "copy_tags": false,
            "name_template": "{schedule} {date}",
            "extra_tags": { "team": "blue" },
        },
        "spread_minutes": 30,
        "restore_window": "14d",
        "drill_every": "7d",
        "start_at": "2026-04-01T00:00:00Z",
        "end_at": "2027-04-01T00:00:00Z",
        "enabled": false,
        "grace_minutes": 90,
    })
}

/// What of `shown` was sent.
fn sent(shown: &Value) -> Value {
    let fields = whole();
    let fields = fields.as_object().unwrap().keys();
    fields
        .map(|field| (field.clone(), shown[field].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

async fn made(app: &App) -> String {
    let made = app.call("POST", "/v1/schedules", whole()).await.expect(201);
    format!("/v1/schedules/{}", text(&made, "id"))
}

#[tokio::test]
async fn a_schedule_comes_back_as_it_was_sent() {
    let app = App::start().await;

    let preview = app.call("POST", "/v1/schedules?preview=true", whole()).await.expect(200);
    let answer = app.call("POST", "/v1/schedules", whole()).await.expect(201);
    let shown = app.get(&format!("/v1/schedules/{}", text(&answer, "id"))).await;

    assert_eq!(sent(&preview), whole());
    assert_eq!(sent(&answer), whole());
    assert_eq!(sent(&shown), whole());
    assert_eq!(sent(&app.list("/v1/schedules").await[0]), whole());
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_nothing_else() {
    let app = App::start().await;
    for (edit, pointer, expected) in [
        (json!({ "name": "weekly" }), "/name", json!("weekly")),
        (json!({ "expression": "rate(7 days)" }), "/expression", json!("rate(7 days)")),
        (json!({ "timezone": "UTC" }), "/timezone", json!("UTC")),
        (json!({ "targets": { "instance_ids": [] } }), "/targets/instance_ids", json!([])),
        (
            json!({ "targets": { "tags": { "all_of": [{ "key": "a", "value": "*" }] } } }),
            "/targets/tags",
            json!({ "all_of": [{ "key": "a", "value": "*" }], "any_of": [], "none_of": [] }),
        ),
        (
            json!({ "targets": { "exclude_instance_ids": [] } }),
            "/targets/exclude_instance_ids",
            json!([]),
        ),
        (json!({ "retention": { "keep_last": 1 } }), "/retention", json!({ "keep_last": 1 })),
        (json!({ "retention": null }), "/retention", Value::Null),
        (
            json!({ "when_gone": { "type": "keep_all" } }),
            "/when_gone",
            json!({ "type": "keep_all" }),
        ),
        (
            json!({ "options": { "exclude_boot_volume": false } }),
            "/options/exclude_boot_volume",
            json!(false),
        ),
        (json!({ "options": { "exclude_volumes": [] } }), "/options/exclude_volumes", json!([])),
        (
            json!({ "options": { "exclude_volumes_tagged": [] } }),
            "/options/exclude_volumes_tagged",
            json!([]),
        ),
        (json!({ "options": { "copy_tags": true } }), "/options/copy_tags", json!(true)),
        (
            json!({ "options": { "name_template": "{time}" } }),
            "/options/name_template",
            json!("{time}"),
        ),
        (json!({ "options": { "extra_tags": {} } }), "/options/extra_tags", json!({})),
        (json!({ "spread_minutes": 5 }), "/spread_minutes", json!(5)),
        (json!({ "spread_minutes": null }), "/spread_minutes", Value::Null),
        (json!({ "restore_window": "1y" }), "/restore_window", json!("1y")),
        (json!({ "restore_window": null }), "/restore_window", Value::Null),
        (json!({ "drill_every": "1m" }), "/drill_every", json!("1m")),
        (json!({ "drill_every": null }), "/drill_every", Value::Null),
        (json!({ "start_at": null }), "/start_at", Value::Null),
        (json!({ "end_at": "2028-01-01T00:00:00Z" }), "/end_at", json!("2028-01-01T00:00:00Z")),
        (json!({ "end_at": null }), "/end_at", Value::Null),
        (json!({ "enabled": true }), "/enabled", json!(true)),
        (json!({ "grace_minutes": 0 }), "/grace_minutes", json!(0)),
        (json!({ "grace_minutes": null }), "/grace_minutes", Value::Null),
    ] {
        let path = made(&app).await;
        let mut wanted = whole();
        *wanted.pointer_mut(pointer).unwrap() = expected;

        let edited = app.call("PATCH", &path, edit.clone()).await.expect(200);

        assert_eq!(sent(&edited), wanted, "{edit}");
        assert_eq!(edited["version"], json!(2), "{edit}");
        assert_eq!(sent(&app.get(&path).await), wanted, "{edit}");
    }
}

#[tokio::test]
async fn what_cannot_be_cleared_is_named() {
    let app = App::start().await;
    let path = made(&app).await;
    for field in ["name", "expression", "timezone", "targets", "when_gone", "options", "enabled"] {
        let problem = app.call("PATCH", &path, json!({ field: null })).await.expect(400);
        assert_eq!(text(&problem, "field"), field);
    }
    for list in ["instance_ids", "tags", "exclude_instance_ids"] {
        let edit = json!({ "targets": { list: null } });
        let problem = app.call("PATCH", &path, edit).await.expect(400);
        assert_eq!(text(&problem, "field"), format!("targets.{list}"));
    }
}
