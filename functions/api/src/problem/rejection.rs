//! axum's own rejections as problems.

use std::error::Error as _;

use axum::extract::rejection::{BytesRejection, JsonRejection};
use http::StatusCode;

use super::{Problem, ProblemKind};

impl Problem {
    /// A body that could not be read where it may have so many KiB.
    pub(crate) fn unread_body(rejection: &BytesRejection, kib_max: usize) -> Self {
        if rejection.status() != StatusCode::PAYLOAD_TOO_LARGE {
            return Self::invalid("body", "could not be read");
        }
        let limit = match (kib_max / 1024, kib_max % 1024) {
            (mib @ 1.., 0) => format!("{mib} MiB"),
            (_, _) => format!("{kib_max} KiB"),
        };
        Self::new(ProblemKind::TooLarge, format!("the body may have {limit} at the most"))
    }
}

impl From<JsonRejection> for Problem {
    /// serde says what is wrong and at which line, axum puts the path of the field before it.
    fn from(rejection: JsonRejection) -> Self {
        let said = rejection.source().map_or_else(|| rejection.body_text(), ToString::to_string);
        if let JsonRejection::JsonSyntaxError(_) = rejection {
            let said = said.trim_start_matches(". : ");
            return Self::invalid("body", format!("is not valid JSON: {said}"));
        }
        misfit(&said)
    }
}

/// A body that is JSON but not what is wanted: `path: reason at line 1 column 7`.
fn misfit(said: &str) -> Problem {
    let said = said.rsplit_once(" at line ").map_or(said, |(reason, _)| reason);
    let quoted = |after: &str| {
        let name = said.strip_prefix(after).or_else(|| Some(said.split_once(after)?.1))?;
        name.split_once('`').map(|(name, _)| name)
    };
    let named = quoted("unknown field `").or_else(|| quoted("missing field `"));
    let (path, reason) = match said.split_once(": ") {
        Some((path, reason)) if !path.contains([' ', '`']) => (path.trim_matches('.'), reason),
        Some(_) | None => ("", said),
    };
    let field = match named {
        Some(name) if path.is_empty() || path == name => name.to_owned(),
        Some(name) if path.ends_with(&format!(".{name}")) => path.to_owned(),
        Some(name) => format!("{path}.{name}"),
        None if path.is_empty() => "body".to_owned(),
        None => path.to_owned(),
    };
    Problem::invalid(field, in_json(reason))
}

/// What serde expects, which are Rust's types, in the words of JSON.
fn in_json(reason: &str) -> String {
    const NUMBERS: [&str; 4] = ["i64", "u64", "u32", "usize"];
    let Some((said, expected)) = reason.rsplit_once("expected ") else { return reason.to_owned() };
    if NUMBERS.contains(&expected) {
        format!("{said}expected a whole number")
    } else if expected.starts_with("struct ") || expected.starts_with("internally tagged enum ") {
        format!("{said}expected a JSON object")
    } else {
        reason.to_owned()
    }
}
