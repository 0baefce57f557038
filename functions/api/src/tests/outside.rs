//! Requests and claims with anything in them: each is answered, and none gives a role that it does not name.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{Call, SNAPSHOT};

/// What the claims of a token may hold.
fn claim() -> impl Strategy<Value = Value> {
    let group = prop_oneof![
        prop::sample::select(vec![
            "snapkeep-admins",
            "snapkeep-viewers",
            "[snapkeep-admins]",
            "x,snapkeep-admins",
            "snapkeep/admin",
            "[",
            "]",
            " ",
            ",",
            "\"",
            "[\"",
            "\"]",
            "[[",
            "snapkeep-admin",
            "SNAPKEEP-ADMINS",
            "\u{202e}snimda-peekpans",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(group, 0..5).prop_map(|all| Value::from(all.concat()))
}

/// Whether a claim names a group in the one way that API Gateway writes, or as JSON.
fn names(claim: &str, group: &str) -> bool {
    if let Ok(items) = serde_json::from_str::<Vec<String>>(claim) {
        return items.iter().any(|item| item == group);
    }
    let inner = claim.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(claim);
    inner.split(' ').any(|item| item == group)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        prop::collection::vec(
            prop::sample::select(vec![
                "%00",
                "%",
                "%zz",
                "../",
                "\u{202e}",
                "😀",
                "&",
                "=",
                "limit=",
                "cursor=",
                "status=",
                "q=",
                "9",
                "-1",
                "#",
                "\n",
                "snp_",
                "{",
                "}",
                "\"",
                "instance_id",
                ":",
                ",",
                "null",
                "[",
                "]",
                "1e999",
            ]),
            0..40
        )
        .prop_map(|parts| parts.concat()),
    ]
}

/// A path as a client may write it: what is no letter of a URI is escaped.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'=' | b'&' | b'%' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn answered<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn nobody_has_a_role_that_their_groups_do_not_name(groups in claim(), scope in claim()) {
        let call = Call::new("GET", "/v1/me").claims(json!({
            "sub": "ada", "username": "ada", "token_use": "access", "cognito:groups": groups, "scope": scope,
        }));

        let answer = answered(call.send());

        let groups = groups.as_str().unwrap();
        let is_any = ["snapkeep-viewers", "snapkeep-operators", "snapkeep-admins"].iter().any(|group| names(groups, group));
        assert_eq!(answer.status == 200, is_any, "{groups:?}");
        let is_admin = answer.body["role"] == "admin";
        assert_eq!(is_admin, names(groups, "snapkeep-admins"), "{groups:?}");
    }

    #[test]
    fn whatever_is_asked_is_answered(path in text(), query in text(), body in text()) {
        for (method, route) in [
            ("GET", format!("/v1/snapshots?{}", escaped(&query))),
            ("GET", format!("/v1/audit?{}", escaped(&query))),
            ("GET", format!("/v1/snapshots/{}", escaped(&path))),
            ("DELETE", format!("/v1/schedules/{}", escaped(&path))),
            ("POST", "/v1/snapshots".to_owned()),
            ("POST", "/v1/schedules".to_owned()),
            ("POST", "/v1/retention/preview".to_owned()),
            ("POST", "/v1/reconciliation/adopt".to_owned()),
            ("PATCH", format!("/v1/snapshots/{SNAPSHOT}")),
        ] {
            let call = Call::new(method, &route);
            let call = if method == "GET" { call } else { call.text(&body).header("content-type", "application/json") };

            let answer = answered(call.send());

            // Nothing behind it answers here: 503 is as far as a good request comes.
            assert!(answer.status < 500 || answer.status == 503, "{method} {route}: {}", answer.status);
            let shown = answer.body.to_string();
            assert!(!shown.contains("panicked"), "{shown}");
        }
    }
}
