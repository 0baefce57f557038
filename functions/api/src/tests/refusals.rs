//! What is refused, how, and with which headers.

use serde_json::json;

use super::support::{Answer, Call, SNAPSHOT};

const INSTANCE: &str = "i-0123456789abcdef0";

async fn get(path: &str) -> Answer {
    Call::new("GET", path).send().await
}

async fn refused(method: &str, path: &str, body: &serde_json::Value) -> (u16, String, String) {
    let answer = Call::new(method, path).json(body).send().await;
    let detail = answer.body["detail"].as_str().unwrap_or_default().to_owned();
    (answer.status, answer.field().to_owned(), detail)
}

#[tokio::test]
async fn a_problem_says_everything_that_rfc_9457_has() {
    let answer = get("/v1/snapshots/snp_1").await;

    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(
        answer.body,
        json!({
            "type": "urn:snapkeep:problem:invalid",
            "title": "A value is not valid",
            "status": 400,
            "detail": "id: `snp_1` is not of the form snp_ and a UUIDv7 (snp_0193b2f4-…)",
            "field": "id",
            "request_id": "request-1",
        })
    );
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405_with_allow() {
    let unknown = get("/v1/archives").await;
    let wrong = Call::new("PUT", "/v1/snapshots").send().await;

    assert_eq!((unknown.status, unknown.kind()), (404, "urn:snapkeep:problem:not_found"));
    assert_eq!((wrong.status, wrong.kind()), (405, "urn:snapkeep:problem:method_not_allowed"));
    let mut allowed: Vec<_> = wrong.header("allow").split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
}

#[tokio::test]
async fn an_unknown_query_parameter_is_named_on_every_path() {
    for path in [
        "/v1/health?x=1".to_owned(),
        "/v1/openapi.json?x=1".to_owned(),
        "/v1/me?x=1".to_owned(),
        "/v1/capabilities?x=1".to_owned(),
        "/v1/instances?x=1".to_owned(),
        format!("/v1/instances/{INSTANCE}?x=1"),
        "/v1/snapshots?x=1".to_owned(),
        format!("/v1/snapshots/{SNAPSHOT}?x=1"),
        "/v1/schedules?x=1".to_owned(),
        "/v1/sweeps?x=1".to_owned(),
        "/v1/sweeps/blocked?x=1".to_owned(),
        "/v1/holds?x=1".to_owned(),
    ] {
        let answer = get(&path).await;

        assert_eq!((answer.status, answer.field()), (400, "x"), "{path}");
    }
}

#[tokio::test]
async fn a_malformed_parameter_is_named_with_what_is_allowed() {
    for (query, field, allowed) in [
        ("instance_id=web-1", "instance_id", "i-"),
        ("status=ready", "status", "available"),
        ("origin=robot", "origin", "adopted"),
        ("schedule_id=nightly", "schedule_id", "sch_"),
        ("tag=team", "tag", "Key=Value"),
        ("from=yesterday", "from", ""),
        ("include_deleted=yes", "include_deleted", "true or false"),
        ("sort=name", "sort", "-created_at"),
        ("limit=201", "limit", "1 to 200"),
        ("cursor=!", "cursor", "next_cursor"),
        ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to", "after from"),
    ] {
        let answer = get(&format!("/v1/snapshots?{query}")).await;

        assert_eq!((answer.status, answer.field()), (400, field), "{query}");
        assert!(answer.body["detail"].as_str().unwrap().contains(allowed), "{:?}", answer.body);
    }
}

#[tokio::test]
async fn a_malformed_parameter_of_instances_is_named() {
    for (query, field, allowed) in [
        ("state=asleep", "state", "shutting-down"),
        ("protection=late&protection=ok", "protection", "only once"),
        ("protection=good", "protection", "unprotected"),
        ("schedule_id=nightly", "schedule_id", "sch_"),
        ("eligible=1", "eligible", "true or false"),
        ("region=mars", "region", "us-east-1"),
    ] {
        let answer = get(&format!("/v1/instances?{query}")).await;

        assert_eq!((answer.status, answer.field()), (400, field), "{query}");
        assert!(answer.body["detail"].as_str().unwrap().contains(allowed), "{:?}", answer.body);
    }
}

#[tokio::test]
async fn schedules_that_cannot_be_assigned_are_refused_at_the_field() {
    let path = format!("/v1/instances/{INSTANCE}/schedules");
    let ids: Vec<_> =
        (10..36).map(|n| format!("sch_0195500c-6d00-7000-8000-0000000000{n}")).collect();
    for (body, field) in [
        (json!({}), "schedule_ids"),
        (json!({"schedule_ids": null}), "schedule_ids"),
        (json!({"schedule_ids": ["nightly"]}), "schedule_ids[0]"),
        (json!({"schedule_ids": ids}), "schedule_ids"),
        (json!({"schedule_ids": [], "add": true}), "add"),
    ] {
        let (status, at, _) = refused("PUT", &path, &body).await;

        assert_eq!((status, at.as_str()), (400, field), "{body}");
    }
}

#[tokio::test]
async fn a_malformed_parameter_of_a_ledger_is_named() {
    for (path, field, allowed) in [
        ("/v1/holds?review_due=yes", "review_due", "true or false"),
        ("/v1/holds?sort=until", "sort", "-created_at"),
        ("/v1/holds?cursor=!", "cursor", "next_cursor"),
        ("/v1/sweeps/blocked?sort=since", "sort", "-created_at"),
        ("/v1/sweeps/blocked?limit=0", "limit", "1 to 200"),
    ] {
        let answer = get(path).await;

        assert_eq!((answer.status, answer.field()), (400, field), "{path}");
        assert!(answer.body["detail"].as_str().unwrap().contains(allowed), "{:?}", answer.body);
    }
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_refused_at_the_field() {
    for (body, field) in [
        (json!({}), "instance_id"),
        (json!({"instance_id": "web-1"}), "instance_id"),
        (json!({"instance_id": 7}), "instance_id"),
        (json!({"instance_id": INSTANCE, "nmae": "x"}), "nmae"),
        (json!({"instance_id": INSTANCE, "name": ""}), "name"),
        (json!({"instance_id": INSTANCE, "name": "x".repeat(257)}), "name"),
        (json!({"instance_id": INSTANCE, "exclude_volumes": ["vol-1"]}), "exclude_volumes[0]"),
        (json!({"instance_id": INSTANCE, "hold": {"type": "until"}}), "hold"),
        (json!({"instance_id": INSTANCE, "hold": {"type": "never", "x": 1}}), "hold.x"),
        (
            json!({"instance_id": INSTANCE, "hold": {"type": "until", "until": "2026-02-28T00:00:00Z"}}),
            "hold.until",
        ),
        (
            json!({"instance_id": INSTANCE, "hold": {"type": "never", "review_at": "2026-03-01T00:00:00Z"}}),
            "hold.review_at",
        ),
        (json!({"instance_id": INSTANCE, "expires_at": "2026-03-01T00:00:00Z"}), "expires_at"),
        (json!({"instance_id": INSTANCE, "expires_at": "soon"}), "expires_at"),
        (json!({"instance_id": INSTANCE, "tags": {"aws:x": "1"}}), "tags"),
        (json!([]), "body"),
    ] {
        let (status, at, detail) = refused("POST", "/v1/snapshots", &body).await;

        assert_eq!((status, &*at), (400, field), "{body}: {detail}");
        assert!(!detail.contains(" at line "), "{detail}");
    }
}

#[tokio::test]
async fn a_schedule_that_does_not_fit_is_refused_at_the_field() {
    let good = json!({
        "name": "nightly", "expression": "rate(1 day)", "targets": {"instance_ids": [INSTANCE]},
    });
    for (change, field) in [
        (json!({"expression": "rate(1 days)"}), "expression"),
        (json!({"expression": "cron(0 25 * * ? *)"}), "expression"),
        (json!({"timezone": "Mars/Olympus"}), "timezone"),
        (json!({"time_zone": "UTC"}), "time_zone"),
        (json!({"targets": {}}), "targets"),
        (json!({"targets": {"instance_ids": ["x"]}}), "targets.instance_ids[0]"),
        (
            json!({"targets": {"tags": { "all_of": [{"key": "", "value": ""}] }}}),
            "targets.tags.all_of[0].key",
        ),
        (
            json!({"targets": {"tags": { "all_of": [{"key": "a", "valeu": ""}] }}}),
            "targets.tags.all_of[0].valeu",
        ),
        (json!({"retention": {"keep_last": -2}}), "retention.keep_last"),
        (json!({"retention": {"keep_within": "2w"}}), "retention.keep_within"),
        (json!({"retention": {"keep_last": 0}}), "retention"),
        (json!({"retention": {"keep_lats": 1}}), "retention.keep_lats"),
        (json!({"options": {"name_template": "{x}"}}), "options.name_template"),
        (json!({"options": {"extra_tags": {"snapkeep:id": "x"}}}), "options.extra_tags"),
        (json!({"grace_minutes": 525_601}), "grace_minutes"),
        (json!({"grace_minutes": -1}), "grace_minutes"),
        (json!({"start_at": "2026-04-01T00:00:00Z", "end_at": "2026-04-01T00:00:00Z"}), "end_at"),
    ] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());

        let (status, at, detail) = refused("POST", "/v1/schedules", &body).await;

        assert_eq!((status, &*at), (400, field), "{change}: {detail}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_schedule_is_said_with_what_is_allowed() {
    let many: Vec<_> = (0..51).map(|n| json!({"key": format!("k{n}"), "value": ""})).collect();
    let tag = |key: &str, value: &str| json!([{"key": key, "value": value}]);
    for (change, field, allowed) in [
        (json!({"spread_minutes": 0}), "spread_minutes", "1 to 1440, or null"),
        (json!({"spread_minutes": 1_441}), "spread_minutes", "1 to 1440, or null"),
        (json!({"spread_minutes": -5}), "spread_minutes", "1 to 1440, or null"),
        (json!({"spread_minutes": 1.5}), "spread_minutes", "expected a whole number"),
        (json!({"spread_minutes": "10"}), "spread_minutes", "expected a whole number"),
        (json!({"grace_minutes": -1}), "grace_minutes", "0 to 525600"),
        (json!({"restore_window": "0d"}), "restore_window", "or null for ever"),
        (json!({"restore_window": "2w"}), "restore_window", "such as 14d"),
        (json!({"restore_window": 14}), "restore_window", "a string"),
        (json!({"drill_every": "23h"}), "drill_every", "1d to 1y, or null"),
        (json!({"drill_every": "2y"}), "drill_every", "1d to 1y, or null"),
        (json!({"drill_every": "1w"}), "drill_every", "such as 14d"),
        (json!({"drill_every": 7}), "drill_every", "a string"),
        (json!({"when_gone": {"type": "keep_last"}}), "when_gone.count", "1 or more"),
        (json!({"when_gone": {"type": "keep_last", "count": 0}}), "when_gone.count", "from 1 to"),
        (json!({"when_gone": {"type": "keep_last", "count": -1}}), "when_gone.count", "from 1 to"),
        (json!({"when_gone": {"type": "keep_all", "count": 3}}), "when_gone.count", "leave it out"),
        (json!({"when_gone": {"type": "keep"}}), "when_gone.type", "`keep_last`"),
        (json!({"when_gone": {"count": 3}}), "when_gone.type", "missing"),
        (json!({"when_gone": {"type": "apply", "x": 1}}), "when_gone.x", "expected"),
        (
            json!({"targets": {"tags": {"any_of": tag("", "x")}}}),
            "targets.tags.any_of[0].key",
            "1 to 128 characters",
        ),
        (
            json!({"targets": {"tags": {"none_of": tag("k", &"x".repeat(257))}}}),
            "targets.tags.none_of[0].value",
            "at most 256 characters",
        ),
        (
            json!({"targets": {"tags": {"all_of": [{"key": "k"}]}}}),
            "targets.tags.all_of[0].value",
            "missing",
        ),
        (json!({"targets": {"tags": {"all_of": many}}}), "targets.tags.all_of", "at most 50"),
        (json!({"targets": {"tags": {"one_of": []}}}), "targets.tags.one_of", "any_of"),
        (json!({"targets": {"tags": {}}}), "targets", "at least one instance"),
        (
            json!({"targets": {"exclude_instance_ids": ["web"]}}),
            "targets.exclude_instance_ids[0]",
            "i-",
        ),
        (
            json!({"options": {"exclude_volumes_tagged": tag("", "x")}}),
            "options.exclude_volumes_tagged[0].key",
            "1 to 128 characters",
        ),
        (
            json!({"options": {"exclude_volumes_tagged": many}}),
            "options.exclude_volumes_tagged",
            "at most 50",
        ),
        (json!({"options": {"exclude_volumes": ["x"]}}), "options.exclude_volumes[0]", "vol-"),
        (json!({"start_at": "tomorrow"}), "start_at", "2026-11-22T08:00:00Z"),
    ] {
        let mut body = json!({
            "name": "nightly", "expression": "rate(1 day)", "targets": {"instance_ids": [INSTANCE]},
        });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());

        for path in ["/v1/schedules", "/v1/schedules?preview=true"] {
            let (status, at, detail) = refused("POST", path, &body).await;

            assert_eq!((status, &*at), (400, field), "{change}: {detail}");
            assert!(detail.contains(allowed), "{change}: {detail}");
        }
    }
}

#[tokio::test]
async fn a_preview_is_asked_for_by_true() {
    let answer = Call::new("POST", "/v1/schedules?preview=yes").json(&json!({})).send().await;

    assert_eq!((answer.status, answer.field()), (400, "preview"));
}

#[tokio::test]
async fn null_clears_only_what_can_be_cleared() {
    let path = format!("/v1/snapshots/{SNAPSHOT}");

    let (status, field, _) = refused("PATCH", &path, &json!({"name": null})).await;
    let (cleared, ..) = refused("PATCH", &path, &json!({"description": null, "hold": null})).await;

    assert_eq!((status, &*field), (400, "name"));
    assert_eq!(cleared, 503);
}

#[tokio::test]
async fn what_is_not_json_is_415_and_what_is_broken_400() {
    let call = Call::new("POST", "/v1/snapshots");

    let undeclared = call.clone().text("{}").send().await;
    let form = call
        .clone()
        .text("a=b")
        .header("content-type", "application/x-www-form-urlencoded")
        .send()
        .await;
    let broken = call.text("{").header("content-type", "application/json").send().await;

    assert_eq!((undeclared.status, undeclared.kind()), (415, "urn:snapkeep:problem:not_json"));
    assert_eq!(form.status, 415);
    assert_eq!((broken.status, broken.field()), (400, "body"));
}

#[tokio::test]
async fn a_body_may_have_64_kib_and_no_more() {
    let spaces = |count: usize| {
        let call = Call::new("POST", "/v1/snapshots").header("content-type", "application/json");
        call.text(&format!("{{}}{}", " ".repeat(count - 2)))
    };

    assert_eq!(spaces(64 * 1024).send().await.status, 400);
    let over = spaces(64 * 1024 + 1).send().await;
    assert_eq!((over.status, over.kind()), (413, "urn:snapkeep:problem:too_large"));
    assert_eq!(over.body["detail"], "the body may have 64 KiB at the most");
}

#[tokio::test]
async fn a_body_where_none_belongs_is_refused() {
    let path = format!("/v1/snapshots/{SNAPSHOT}/rescue");

    let (status, field, _) = refused("POST", &path, &json!({"why": "x"})).await;

    assert_eq!((status, &*field), (400, "why"));
}

#[tokio::test]
async fn malformed_headers_are_named() {
    let path = format!("/v1/snapshots/{SNAPSHOT}");

    let version = Call::new("DELETE", &path).header("if-match", "7").send().await;
    let key = Call::new("POST", "/v1/snapshots").header("idempotency-key", "a b").send().await;

    assert_eq!((version.status, version.field()), (400, "If-Match"));
    assert_eq!((key.status, key.field()), (400, "Idempotency-Key"));
}

#[tokio::test]
async fn a_service_out_of_reach_is_503_with_retry_after_and_no_cause() {
    let answer = get("/v1/snapshots").await;

    assert_eq!((answer.status, answer.kind()), (503, "urn:snapkeep:problem:unavailable"));
    assert_eq!(answer.header("retry-after"), "5");
    assert!(!answer.body.to_string().contains("nothing answers here"));
}

#[tokio::test]
async fn grace_and_record_only_do_not_go_together() {
    let path = format!("/v1/snapshots/{SNAPSHOT}?record_only=true&grace_minutes=5");

    let answer = Call::new("DELETE", &path).send().await;

    assert_eq!((answer.status, answer.field()), (400, "grace_minutes"));
}

#[tokio::test]
async fn what_is_wrong_with_an_image_is_named() {
    let path = format!("/v1/snapshots/{SNAPSHOT}/image");
    for (body, field) in [
        (json!({"name": "ab"}), "name"),
        (json!({"name": "a:b"}), "name"),
        (json!({"description": "x".repeat(256)}), "description"),
        (json!({"architecture": "mips"}), "architecture"),
        (json!({"volume_type": "io2"}), "volume_type"),
        (json!({"ena_support": "yes"}), "ena_support"),
        (json!({"root_device": ""}), "root_device"),
        (json!({"tags": {"aws:x": "y"}}), "tags"),
        (json!({"virtualization": "hvm"}), "virtualization"),
    ] {
        let (status, named, detail) = refused("POST", &path, &body).await;
        assert_eq!((status, &*named), (400, field), "{body} {detail}");
    }
    let devices = json!({"devices": {"i-1": "/dev/sdf"}});
    assert_eq!(refused("POST", &path, &devices).await.0, 400);
}

#[tokio::test]
async fn what_is_wrong_with_a_batch_of_snapshots_is_named() {
    let path = "/v1/snapshots/images:batch";
    for body in
        [json!({"snapshot_ids": []}), json!({"snapshot_ids": vec![SNAPSHOT; 101]}), json!({})]
    {
        let (status, named, detail) = refused("POST", path, &body).await;
        assert_eq!((status, &*named), (400, "snapshot_ids"), "{detail}");
    }
    let (status, named, _) = refused("POST", path, &json!({"snapshot_ids": ["snap-1"]})).await;
    assert_eq!((status, &*named), (400, "snapshot_ids[0]"));
    // It is no snapshot's identifier, and no snapshot's path has a POST.
    assert_eq!(get(path).await.status, 405);
}
