//! The OpenAPI document: valid where tools are lax, and the same as the one that is kept.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::openapi::{examples_left, finished, text};
use crate::router::documented;

/// Names of identifiers without a pattern: EC2's own words for other things, and what may be of any kind.
const OF_ANY_FORM: [&str; 6] =
    ["request_id", "resource_id", "root_task_id", "subnet_id", "security_group_ids", "kms_key_id"];

fn document() -> Value {
    finished(&documented().into_openapi())
}

/// Every operation with its name.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap();
            methods.iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
        })
        .collect()
}

/// The document is the contract. If the change is meant, take the new one over and look at its difference.
#[test]
fn the_document_is_the_one_that_is_kept() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/openapi.json");
    let new = text(&documented().into_openapi());

    if fs::read_to_string(kept).unwrap_or_default() != new {
        let beside = format!("{kept}.new");
        fs::write(&beside, new).unwrap();
        panic!(
            "the contract has changed; if that is meant: mv tests/openapi.json.new tests/openapi.json"
        );
    }
}

#[test]
fn no_operation_id_repeats() {
    let document = document();
    let operations = operations(&document);

    let ids: BTreeSet<_> = operations
        .iter()
        .map(|(_, operation)| operation["operationId"].as_str().unwrap())
        .collect();

    assert_eq!(ids.len(), operations.len());
}

#[test]
fn every_operation_and_response_has_a_description() {
    let document = document();
    let is_said =
        |value: &Value| value["description"].as_str().is_some_and(|text| !text.is_empty());

    for (name, operation) in operations(&document) {
        assert!(is_said(operation) && operation["summary"].is_string(), "{name}");
        for (status, response) in operation["responses"].as_object().unwrap() {
            let response = match response["$ref"].as_str() {
                Some(reference) => document.pointer(&reference[1..]).expect(reference),
                None => response,
            };
            assert!(is_said(response), "{name} {status}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(is_said(parameter), "{name} {parameter}");
        }
    }
}

#[test]
fn every_operation_says_how_it_is_refused() {
    let document = document();

    for (name, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap();
        let is_open = operation["security"] == serde_json::json!([{}]);
        let expected: &[&str] =
            if is_open { &["400", "500"] } else { &["400", "401", "403", "500", "503"] };
        for status in expected {
            assert!(responses.contains_key(*status), "{name} {status}");
        }
        let names_another = [
            "/v1/snapshots",
            "/v1/reconciliation/adopt",
            "/v1/retention/preview",
            "/v1/retention/simulate",
        ]
        .iter()
        .any(|path| name == format!("post {path}"));
        assert_eq!(responses.contains_key("404"), name.contains('{') || names_another, "{name}");
    }
}

/// Every request's body has an example, and every answer of success that has a body.
#[test]
fn every_operation_has_examples() {
    let document = document();
    let mut missing = Vec::new();

    for (name, operation) in operations(&document) {
        // Its answer is this document.
        if name == "get /v1/openapi.json" {
            continue;
        }
        let responses = operation["responses"].as_object().unwrap();
        let answers = responses.iter().filter(|(status, _)| status.starts_with('2'));
        let request = ("request", &operation["requestBody"]);
        for (what, holder) in answers.map(|(status, answer)| (&**status, answer)).chain([request]) {
            for (_, content) in holder["content"].as_object().into_iter().flatten() {
                if content["example"].is_null() {
                    missing.push(format!("{name}: {what}"));
                }
            }
        }
    }

    assert!(missing.is_empty(), "without an example, see tests/api/examples.rs: {missing:#?}");
}

#[test]
fn every_example_belongs_to_an_operation() {
    let left = examples_left(&mut documented().into_openapi());

    assert!(left.is_empty(), "{left:?}");
}

/// What follows from what an operation takes.
#[test]
fn every_operation_has_the_errors_that_it_can_answer_with() {
    let document = document();
    let mut missing = Vec::new();

    for (name, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array();
        let has = |wanted: &str| {
            parameters.into_iter().flatten().any(|parameter| parameter["name"] == wanted)
        };
        let (method, path) = name.split_once(' ').unwrap();
        let mut wanted = vec!["400"];
        if path.contains('{') {
            wanted.push("404");
        }
        if method == "post" || operation["requestBody"].is_object() {
            wanted.extend(["413", "415"]);
        }
        if has("If-Match") {
            wanted.extend(["409", "412"]);
        }
        if has("Idempotency-Key") {
            wanted.push("422");
        }
        // What makes or changes something by its identifier finds it in some state.
        let changes = ["delete", "patch", "put"].contains(&method);
        if changes {
            wanted.push("409");
        }
        // What makes something of a snapshot finds it in some state, perhaps past its restore window.
        if ["/restore", "/drill", "/image"].iter().any(|end| path.ends_with(end)) {
            wanted.extend(["409", "410"]);
        }
        if ["/retry", "/cancel"].iter().any(|end| path.ends_with(end)) {
            wanted.push("409");
        }
        let responses = operation["responses"].as_object().unwrap();
        missing.extend(
            wanted
                .into_iter()
                .filter(|status| !responses.contains_key(*status))
                .map(|status| format!("{name}: {status}")),
        );
    }

    assert!(missing.is_empty(), "{missing:#?}");
}

/// What a program reads can be told from the document: identifiers by their pattern, instants by their format,
/// and of texts that are sent how long they may be.
#[test]
fn identifiers_have_a_pattern_wherever_they_stand() {
    fn look(at: &str, schema: &Value, without: &mut Vec<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            let text = if property["items"].is_object() { &property["items"] } else { property };
            let kind = &text["type"];
            let is_text = kind == "string"
                || kind.as_array().is_some_and(|kinds| kinds.contains(&"string".into()));
            let example = property["example"].as_str().unwrap_or_default();
            let is_id = name == "id" && example.contains(['-', '_']);
            let is_reference = (name.ends_with("_id") || name.ends_with("_ids"))
                && !OF_ANY_FORM.contains(&name.as_str());
            if is_text && (is_id || is_reference) && text["pattern"].is_null() {
                without.push(at.clone());
            }
            look(&at, property, without);
            look(&at, &property["items"], without);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            look(at, part, without);
        }
    }
    let document = document();
    let mut without = Vec::new();

    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        look(name, schema, &mut without);
    }
    for (name, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let given = parameter["name"].as_str().unwrap();
            let is_id = ["id", "If-Match", "Idempotency-Key"].contains(&given)
                || (given.ends_with("_id") && !OF_ANY_FORM.contains(&given));
            if is_id && parameter["schema"]["pattern"].is_null() {
                without.push(format!("{name}: {given}"));
            }
        }
    }

    assert!(without.is_empty(), "add them to openapi/patterns.rs: {without:#?}");
}

#[test]
fn every_request_refuses_fields_that_it_does_not_know() {
    let document = document();

    for (name, operation) in operations(&document) {
        for (_, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            let reference = content["schema"]["$ref"].as_str().expect(&name);
            let schema = document.pointer(&reference[1..]).unwrap();
            assert_eq!(schema["additionalProperties"], false, "{name} {reference}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    found.insert(reference.clone());
                }
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();

    references(&document, &mut found);

    for reference in &found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
}
