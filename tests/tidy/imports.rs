//! Who may import whom.

use super::circles::{code, spelt_out};
use super::sources::files;

/// Below each folder or file: what may not be named there.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "shared/src/domain",
        &[
            "aws_",
            "lambda_",
            "axum",
            "tokio",
            "tracing",
            "crate::table",
            "crate::ec2",
            "crate::bus",
            "crate::operations",
            "crate::views",
            "crate::regions",
            "crate::service",
            "crate::settings",
            "crate::error",
            "crate::clock",
        ],
    ),
    (
        "shared/src/operations",
        &[
            "aws_",
            "lambda_",
            "axum",
            "http::",
            "crate::lambda",
            "serde_dynamo",
            "crate::table::keys",
        ],
    ),
    // A deletion is never decided by what is made for showing.
    ("shared/src/operations/snapshots/reap", &["crate::views"]),
    (
        "shared/src/views",
        &[
            "aws_",
            "lambda_",
            "axum",
            "http::",
            "crate::lambda",
            "serde_dynamo",
            "crate::table::keys",
            "crate::operations",
        ],
    ),
    (
        "shared/src/regions.rs",
        &["aws_", "lambda_", "crate::table::keys", "crate::operations", "crate::views"],
    ),
    (
        "shared/src/table",
        &[
            "aws_sdk_ec2",
            "aws_sdk_eventbridge",
            "crate::ec2",
            "crate::bus",
            "crate::operations",
            "crate::views",
        ],
    ),
    (
        "shared/src/ec2",
        &[
            "aws_sdk_dynamodb",
            "aws_sdk_eventbridge",
            "crate::table",
            "crate::bus",
            "crate::operations",
            "crate::views",
        ],
    ),
    (
        "shared/src/bus.rs",
        &[
            "aws_sdk_dynamodb",
            "aws_sdk_ec2",
            "crate::table",
            "crate::ec2",
            "crate::operations",
            "crate::views",
        ],
    ),
    ("functions", &["aws_sdk_", "shared::table", "shared::ec2", "shared::bus"]),
];

#[test]
fn nobody_imports_what_is_not_for_it() {
    let sources = files(&["shared", "functions"], "rs");
    for (place, forbidden) in FORBIDDEN {
        let below: Vec<_> = sources.iter().filter(|(name, _)| name.starts_with(place)).collect();
        assert!(!below.is_empty(), "{place}");
        for (name, text) in below.into_iter().filter(|(name, _)| !name.contains("tests")) {
            let code = code(text);
            for line in code.lines() {
                for word in *forbidden {
                    assert!(!names(line, word), "{name} names {word}: {line}");
                }
            }
            // What a group of imports says in several lines, or apart from what it begins with.
            for path in spelt_out(&code) {
                for word in *forbidden {
                    assert!(!names(&path, word), "{name} imports {word}: {path}");
                }
            }
        }
    }
}

/// Whether a line names a path that begins like this.
fn names(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|letter| !(letter.is_alphanumeric() || letter == '_' || letter == '"'))
    })
}

#[test]
fn only_the_keys_spell_keys() {
    for (name, text) in files(&["shared/src"], "rs") {
        if name.ends_with("table/keys.rs") {
            continue;
        }
        for word in ["\"SNAPSHOT#", "\"SCHEDULES\"", "\"RUNS#", "\"EBS#", "\"SWEEP#"] {
            assert!(!text.contains(word), "{name} spells {word}");
        }
    }
}

#[test]
fn only_the_settings_read_the_environment() {
    for (name, text) in files(&["shared/src", "functions"], "rs") {
        // A build script reads what Cargo tells it.
        let may = ["shared/src/settings.rs", "functions/console/src/main.rs", "/build.rs"];
        let may = may.iter().any(|one| name.ends_with(one));
        assert!(may || !text.contains("env::var"), "{name}");
    }
}
