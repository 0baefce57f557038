//! Examples: of every operation a request that was really sent, and what was really answered.
//!
//! `examples.json` is written by a test of the whole system, which walks through all operations
//! (`tests/api/examples.rs`); nobody edits it by hand.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, RefOr};

const EXAMPLES: &str = include_str!("examples.json");

/// The examples of one operation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Examples {
    /// A body that was sent; none where the operation takes none.
    request: Option<Value>,
    /// What was answered, by status.
    answers: BTreeMap<String, Value>,
}

/// The examples of all operations, by the operation's identifier.
#[derive(Debug, Default)]
pub(super) struct AllExamples(BTreeMap<String, Examples>);

impl AllExamples {
    /// Those that are kept. A test holds that they can be read.
    pub(super) fn kept() -> Self {
        Self(serde_json::from_str(EXAMPLES).unwrap_or_default())
    }

    /// Gives an operation its examples.
    pub(super) fn complete(&mut self, operation: &mut Operation) {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let Some(Examples { request, answers }) = self.0.remove(id) else { return };
        if let (Some(request), Some(RefOr::T(body))) = (request, &mut operation.request_body) {
            body.content.values_mut().for_each(|content| show(content, &request));
        }
        for (status, answer) in answers {
            if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(&status) {
                for content in response.content.values_mut() {
                    show(content, &answer);
                }
            }
        }
    }

    /// Those that no operation has taken.
    pub(super) fn left(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

fn show(content: &mut RefOr<Content>, answer: &Value) {
    if let RefOr::T(content) = content {
        content.example = Some(answer.clone());
    }
}
