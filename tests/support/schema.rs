//! A JSON value held against a JSON Schema: the few words that `events/schemas` uses.

use std::path::PathBuf;

use serde_json::Value;

/// The schema of a detail type.
pub(crate) fn schema_of(detail_type: &str) -> Value {
    let path = folder().join(format!("{detail_type}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The detail types that have a schema.
pub(crate) fn detail_types() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    let name = |file: PathBuf| file.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut types: Vec<_> = files.map(|file| name(file.unwrap().path())).collect();
    types.sort();
    types
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events/schemas")
}

/// What is wrong with `value`, each with its place.
pub(crate) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, value, "$", &mut found);
    found
}

fn check(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (word, wanted) in schema.as_object().unwrap() {
        match word.as_str() {
            "type" => {
                let names = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                if !names.iter().any(|name| is_of(value, name.as_str().unwrap())) {
                    found.push(format!("{place} is {value}, not {wanted}"));
                }
            }
            "const" if value != wanted => found.push(format!("{place} is {value}, not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                found.push(format!("{place} is {value}, none of {wanted}"));
            }
            "required" => {
                let names = wanted.as_array().unwrap().iter().filter_map(Value::as_str);
                let missing = names.filter(|name| value.get(name).is_none());
                found.extend(missing.map(|name| format!("{place}.{name} is missing")));
            }
            "properties" => check_properties(schema, value, place, found),
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(wanted, item, &format!("{place}[{n}]"), found);
                }
            }
            "oneOf" => {
                let fits = |one: &&Value| problems(one, value).is_empty();
                if wanted.as_array().unwrap().iter().filter(fits).count() != 1 {
                    found.push(format!("{place} is {value}, not one of oneOf"));
                }
            }
            "format" => {
                let is_time = |text: &str| text.parse::<jiff::Timestamp>().is_ok();
                if value.as_str().is_some_and(|text| !is_time(text)) {
                    found.push(format!("{place} is {value}, no instant"));
                }
            }
            "const" | "enum" | "additionalProperties" | "title" | "description" | "$schema" => {}
            other => panic!("the word {other} of JSON Schema is not known here"),
        }
    }
}

fn check_properties(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(schema) => check(schema, value, &format!("{place}.{name}"), found),
            None if schema["additionalProperties"] == false => {
                found.push(format!("{place}.{name} is not known"));
            }
            None => {}
        }
    }
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the type {other} of JSON Schema is not known here"),
    }
}
