//! Who may: every route with no claims, no role and each role.

use serde_json::{Value, json};

use super::support::{Call, SNAPSHOT};
use crate::role::Role;
use crate::router::documented;

const SCHEDULE: &str = "sch_0195500c-6d00-7000-8000-000000000000";
const SWEEP: &str = "swp_0195500c-6d00-7000-8000-000000000000";
const IMAGE: &str = "img_0195500c-6d00-7000-8000-000000000000";
const INSTANCE: &str = "i-0123456789abcdef0";
const RESTORE: &str = "rst_0195500c-6d00-7000-8000-000000000000";

/// Every route with the lowest role that may call it.
#[expect(clippy::too_many_lines, reason = "a table")]
fn routes() -> Vec<(&'static str, String, Role, Option<Value>)> {
    use Role::{Admin, Operator, Viewer};

    let snapshot = format!("/v1/snapshots/{SNAPSHOT}");
    let schedule = format!("/v1/schedules/{SCHEDULE}");
    let runs = format!("{schedule}/runs");
    let rules = json!({"retention": {"keep_last": 3}});
    let at = "2026-01-01T00:00:00Z";
    let given = json!({"rules": {"keep_last": 1}, "snapshots": [{"id": "a", "taken_at": at}]});
    let simulated = json!({"schedule": {"expression": "rate(1 hour)"}, "days": 1});
    let new_schedule = json!({
        "name": "hourly", "expression": "rate(1 hour)", "targets": {"instance_ids": [INSTANCE]},
    });
    vec![
        ("GET", "/v1/me".to_owned(), Viewer, None),
        ("GET", "/v1/capabilities".to_owned(), Viewer, None),
        ("GET", "/v1/overview".to_owned(), Viewer, None),
        ("GET", "/v1/todo".to_owned(), Viewer, None),
        ("GET", "/v1/search?q=web".to_owned(), Viewer, None),
        ("GET", "/v1/schedules/upcoming?hours=48".to_owned(), Viewer, None),
        ("GET", "/v1/snapshots/stats/growth?step=week".to_owned(), Viewer, None),
        ("GET", "/v1/instances".to_owned(), Viewer, None),
        ("GET", format!("/v1/instances/{INSTANCE}"), Viewer, None),
        ("GET", format!("/v1/instances/{INSTANCE}/comb?include_deleted=true"), Viewer, None),
        (
            "POST",
            "/v1/instances/combs:batch".to_owned(),
            Viewer,
            Some(json!({"instance_ids": [INSTANCE]})),
        ),
        ("GET", "/v1/instances/slots?timezone=Europe/Berlin".to_owned(), Viewer, None),
        ("GET", format!("/v1/instances/{INSTANCE}/slots"), Viewer, None),
        (
            "PUT",
            format!("/v1/instances/{INSTANCE}/schedules"),
            Operator,
            Some(json!({"schedule_ids": [SCHEDULE]})),
        ),
        ("GET", "/v1/snapshots".to_owned(), Viewer, None),
        ("POST", "/v1/snapshots".to_owned(), Operator, Some(json!({"instance_id": INSTANCE}))),
        ("GET", snapshot.clone(), Viewer, None),
        ("PATCH", snapshot.clone(), Operator, Some(json!({"name": "x"}))),
        ("PATCH", snapshot.clone(), Admin, Some(json!({"schedule_id": SCHEDULE}))),
        ("DELETE", snapshot.clone(), Admin, None),
        ("DELETE", format!("{snapshot}?record_only=true"), Admin, None),
        ("POST", format!("{snapshot}/rescue"), Operator, None),
        (
            "POST",
            "/v1/snapshots:batch?preview=true".to_owned(),
            Operator,
            Some(json!({"snapshot_ids": [SNAPSHOT], "action": "rescue"})),
        ),
        (
            "POST",
            "/v1/snapshots:batch".to_owned(),
            Admin,
            Some(json!({"snapshot_ids": [SNAPSHOT], "action": "delete"})),
        ),
        ("POST", format!("{snapshot}/image"), Operator, None),
        ("GET", format!("{snapshot}/images"), Viewer, None),
        (
            "POST",
            "/v1/snapshots/images:batch".to_owned(),
            Viewer,
            Some(json!({"snapshot_ids": [SNAPSHOT]})),
        ),
        ("GET", "/v1/images".to_owned(), Viewer, None),
        ("GET", format!("/v1/images/{IMAGE}"), Viewer, None),
        ("DELETE", format!("/v1/images/{IMAGE}"), Admin, None),
        ("DELETE", format!("/v1/images/{IMAGE}?delete_snapshots=true"), Admin, None),
        (
            "POST",
            format!("{snapshot}/restore"),
            Operator,
            Some(json!({"confirm": "x", "mode": "new_volumes"})),
        ),
        ("POST", format!("{snapshot}/drill"), Operator, None),
        ("GET", "/v1/restores".to_owned(), Viewer, None),
        ("GET", format!("/v1/restores/{RESTORE}"), Viewer, None),
        ("POST", format!("/v1/restores/{RESTORE}/retry"), Operator, None),
        ("POST", format!("/v1/restores/{RESTORE}/cancel"), Operator, None),
        ("GET", "/v1/schedules".to_owned(), Viewer, None),
        ("POST", "/v1/schedules".to_owned(), Operator, Some(new_schedule.clone())),
        ("POST", "/v1/schedules?preview=true".to_owned(), Operator, Some(new_schedule)),
        (
            "POST",
            "/v1/schedules/preview".to_owned(),
            Viewer,
            Some(json!({"expression": "rate(1 hour)"})),
        ),
        ("GET", schedule.clone(), Viewer, None),
        ("PATCH", schedule.clone(), Operator, Some(json!({"enabled": false}))),
        ("PATCH", schedule.clone(), Admin, Some(rules.clone())),
        ("PATCH", format!("{schedule}?preview=true"), Operator, Some(json!({"enabled": false}))),
        ("PATCH", format!("{schedule}?preview=true"), Operator, Some(rules)),
        ("PATCH", schedule.clone(), Admin, Some(json!({"retention": null}))),
        ("DELETE", schedule.clone(), Admin, None),
        (
            "POST",
            format!("{schedule}/leftovers"),
            Admin,
            Some(json!({"expires_at": "2100-01-01T00:00:00Z"})),
        ),
        ("GET", "/v1/runs?status=failed".to_owned(), Viewer, None),
        ("GET", runs.clone(), Viewer, None),
        ("POST", runs.clone(), Operator, None),
        ("GET", format!("{runs}/2026-03-01T02:00:00Z"), Viewer, None),
        ("POST", "/v1/retention/preview".to_owned(), Viewer, Some(given)),
        (
            "POST",
            "/v1/retention/preview".to_owned(),
            Viewer,
            Some(json!({"schedule_id": SCHEDULE})),
        ),
        ("POST", "/v1/retention/simulate".to_owned(), Viewer, Some(simulated)),
        ("GET", "/v1/sweeps".to_owned(), Viewer, None),
        ("POST", "/v1/sweeps".to_owned(), Operator, Some(json!({"mode": "plan_only"}))),
        ("POST", "/v1/sweeps".to_owned(), Admin, Some(json!({"mode": "execute"}))),
        ("GET", "/v1/sweeps/blocked".to_owned(), Viewer, None),
        ("GET", "/v1/holds?review_due=true".to_owned(), Viewer, None),
        ("GET", "/v1/reconciliation?orphaned=true".to_owned(), Viewer, None),
        ("POST", "/v1/reconciliation".to_owned(), Operator, None),
        (
            "POST",
            "/v1/reconciliation/adopt".to_owned(),
            Admin,
            Some(json!({"ebs_snapshot_ids": ["snap-0123456789abcdef0"]})),
        ),
        ("GET", "/v1/audit?day=2026-03-01".to_owned(), Viewer, None),
        ("GET", format!("/v1/instances/{INSTANCE}/history?kind=snapshot"), Viewer, None),
        ("GET", format!("/v1/sweeps/{SWEEP}"), Viewer, None),
        ("GET", "/v1/billing?group_by=month&daily_change_percent=1.5".to_owned(), Viewer, None),
        ("GET", format!("{snapshot}/billing"), Viewer, None),
        ("GET", "/v1/snapshots/stats".to_owned(), Viewer, None),
        ("GET", "/v1/snapshots/review?older_than_days=30".to_owned(), Viewer, None),
        ("GET", "/v1/snapshots/stats/instances".to_owned(), Viewer, None),
        ("GET", "/v1/snapshots/stats/schedules?limit=10".to_owned(), Viewer, None),
        ("POST", format!("/v1/sweeps/{SWEEP}/approve"), Admin, Some(json!({"plan_hash": "x"}))),
    ]
}

fn call(method: &str, path: &str, body: Option<&Value>) -> Call {
    let call = Call::new(method, path);
    body.map_or(call.clone(), |body| call.json(body))
}

#[tokio::test]
async fn every_route_asks_for_its_role() {
    for (method, path, lowest, body) in routes() {
        let call = call(method, &path, body.as_ref());

        let without_claims = call.clone().claims(Value::Null).send().await;
        assert_eq!(without_claims.status, 401, "{method} {path}");
        assert_eq!(without_claims.header("www-authenticate"), "Bearer");

        for role in [None, Some(Role::Viewer), Some(Role::Operator), Some(Role::Admin)] {
            let answer = call.clone().by(role).send().await;

            if role >= Some(lowest) {
                let status = answer.status;
                assert!(![400, 401, 403].contains(&status), "{method} {path} {role:?}: {answer:?}");
            } else {
                assert_eq!(answer.status, 403, "{method} {path} {role:?}");
                assert_eq!(answer.kind(), "urn:snapkeep:problem:role_too_low");
                let needed = answer.body["needed_role"].as_str().unwrap().to_owned();
                assert!(needed == lowest.as_str() || role.is_none() || role == Some(Role::Viewer));
            }
        }
    }
}

#[tokio::test]
async fn the_role_that_is_missing_is_named() {
    let path = format!("/v1/snapshots/{SNAPSHOT}");

    let answer = Call::new("DELETE", &path).by(Some(Role::Operator)).send().await;

    assert_eq!(answer.body["needed_role"], "admin");
    assert!(answer.body["detail"].as_str().unwrap().contains("snapkeep-admins"));
}

#[test]
fn every_route_is_in_the_table() {
    let document = serde_json::to_value(documented().into_openapi()).unwrap();
    let table = routes();

    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let is_listed = table.iter().any(|(listed, listed_path, ..)| {
                let listed_path = listed_path.split('?').next().unwrap();
                listed.eq_ignore_ascii_case(method) && fits(path, listed_path)
            });
            let is_open = ["/v1/health", "/v1/openapi.json"].contains(&path.as_str());
            assert_ne!(is_listed, is_open, "{method} {path}");
        }
    }
}

/// Readers of the document are told the lowest role that is enough for anything.
#[test]
fn every_description_names_the_lowest_role_of_its_route() {
    let document = serde_json::to_value(documented().into_openapi()).unwrap();
    let table = routes();

    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let rows = table.iter().filter(|(listed, listed_path, ..)| {
                let listed_path = listed_path.split('?').next().unwrap();
                listed.eq_ignore_ascii_case(method) && fits(path, listed_path)
            });
            let Some(lowest) = rows.map(|(_, _, role, _)| *role).min() else { continue };
            let description = operation["description"].as_str().unwrap().replace('\n', " ");
            let named = format!("Role: {lowest}");
            assert!(description.contains(&named), "{method} {path} should say {named}");
        }
    }
}

/// Whether a path is one of those that a template such as `/v1/schedules/{id}` stands for.
fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    let same = |(wanted, part): (&&str, &&str)| wanted == part || wanted.starts_with('{');
    template.len() == path.len() && template.iter().zip(&path).all(same)
}

#[tokio::test]
async fn health_and_the_document_need_no_claims() {
    let health = Call::new("GET", "/v1/health").claims(Value::Null).send().await;
    let document = Call::new("GET", "/v1/openapi.json").claims(Value::Null).send().await;

    assert_eq!((health.status, &health.body["status"]), (200, &json!("ok")));
    assert_eq!((document.status, &document.body["openapi"]), (200, &json!("3.1.0")));
}

#[tokio::test]
async fn the_caller_is_told_who_they_are() {
    let claims = json!({"sub": "s", "username": "ada", "cognito:groups": "[snapkeep-operators]"});

    let answer = Call::new("GET", "/v1/me").claims(claims).send().await;

    assert_eq!(answer.body, json!({"who": "ada", "role": "operator"}));
}

#[tokio::test]
async fn w4_w17_w21_what_can_be_done_is_told_with_its_limits() {
    let answer = Call::new("GET", "/v1/capabilities").send().await;

    let (snapshots, document) = (&answer.body["snapshots"], documented().into_openapi());
    assert_eq!((answer.status, &answer.body["provider"]), (200, &json!("ec2")));
    assert_eq!(answer.body["regions"], json!(["us-east-1"]));
    assert_eq!((&snapshots["take"], &snapshots["delete"]), (&json!(true), &json!(true)));
    let has_restore = document.paths.paths.contains_key("/v1/snapshots/{id}/restore");
    assert_eq!(snapshots["restore"], json!(has_restore));
    assert_eq!(answer.body["limits"]["pending_per_volume"], json!(5));
}

#[tokio::test]
async fn an_id_token_is_refused() {
    let claims = json!({"sub": "s", "token_use": "id", "cognito:groups": "[snapkeep-admins]"});

    let answer = Call::new("GET", "/v1/me").claims(claims).send().await;

    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn who_may_not_learns_nothing_more() {
    let bad = Call::new("POST", "/v1/snapshots?x=1").text("{").header("idempotency-key", "a b");

    assert_eq!(bad.clone().claims(Value::Null).send().await.status, 401);
    assert_eq!(bad.by(Some(Role::Viewer)).send().await.status, 403);
}
