//! The OpenAPI document: valid where tools are lax, and the same as the one that is kept.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::openapi::text;
use crate::router::documented;

fn document() -> Value {
    serde_json::to_value(documented().into_openapi()).unwrap()
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
        let names_another = ["/v1/snapshots", "/v1/retention/preview", "/v1/retention/simulate"]
            .iter()
            .any(|path| name == format!("post {path}"));
        assert_eq!(responses.contains_key("404"), name.contains('{') || names_another, "{name}");
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
