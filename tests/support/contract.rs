//! The OpenAPI document, held against what the API really answers.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::reply::Reply;

/// The document as it is kept; a test of the API holds that it is the one that is served.
pub(crate) fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_json::from_str(include_str!("../openapi.json")).unwrap())
}

/// All operations with their paths and methods, in capitals.
pub(crate) fn operations() -> impl Iterator<Item = (&'static str, String, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap();
        methods
            .iter()
            .map(move |(method, operation)| (path.as_str(), method.to_uppercase(), operation))
    })
}

/// The operation that answers a request, if there is one. A path that is there as it stands goes before one with
/// variables.
pub(crate) fn operation(method: &str, uri: &str) -> Option<&'static Value> {
    let path = uri.split('?').next()?;
    operations()
        .filter(|(template, of, _)| of == method && fits(template, path))
        .min_by_key(|(template, ..)| template.matches('{').count())
        .map(|(_, _, operation)| operation)
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    let same = |(wanted, part): (&&str, &&str)| wanted == part || wanted.starts_with('{');
    template.len() == path.len() && template.iter().zip(&path).all(same)
}

/// Fails if an answer is not one that the document has for the operation: its status, its kind of content, and
/// every field of its body.
#[track_caller]
pub(crate) fn hold(method: &str, uri: &str, reply: &Reply) {
    let is_gateways = reply.body.get("message").is_some() && reply.body.get("type").is_none();
    let Some(operation) = operation(method, uri).filter(|_| !is_gateways) else { return };
    let status = reply.status.to_string();
    let response = follow(&operation["responses"][&status]);
    assert!(!response.is_null(), "{method} {uri} has no answer {status}: {:#}", reply.body);
    let Some(contents) = response["content"].as_object() else {
        assert!(reply.body.is_null(), "{method} {uri} {status} should have no body");
        return;
    };
    let kind = reply.header("content-type").split(';').next().unwrap_or_default();
    let content = contents.get(kind);
    let content = content.unwrap_or_else(|| panic!("{method} {uri} {status} is no {kind}"));
    let faults = faults(&content["schema"], &reply.body);
    assert!(faults.is_empty(), "{method} {uri} {status}: {faults:#?}\n{:#}", reply.body);
}

/// What of a value its schema does not allow.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look("", schema, value, &mut found);
    undeclared("", schema, value, &mut found);
    found
}

fn follow(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(reference) => document().pointer(&reference[1..]).expect(reference),
        None => schema,
    }
}

fn items<'a>(schema: &'a Value, name: &str) -> &'a [Value] {
    schema[name].as_array().map_or(&[], Vec::as_slice)
}

fn look(at: &str, schema: &Value, value: &Value, found: &mut Vec<String>) {
    let schema = follow(schema);
    let fits = |part: &&Value| {
        let mut faults = Vec::new();
        look(at, part, value, &mut faults);
        faults.is_empty()
    };
    let ways = items(schema, "oneOf");
    if !ways.is_empty() && ways.iter().filter(fits).count() != 1 {
        found.push(format!("{at} is not exactly one of what it may be: {value}"));
    }
    for part in items(schema, "allOf") {
        look(at, part, value, found);
    }
    let words = items(schema, "enum");
    if !words.is_empty() && !words.contains(value) {
        found.push(format!("{at} is none of {words:?}: {value}"));
    }
    if !is_of_type(&schema["type"], value) {
        found.push(format!("{at} is not {}: {value}", schema["type"]));
    }
    match value {
        Value::String(text) => look_at_text(at, schema, text, found),
        Value::Number(number) => {
            let number = number.as_f64().unwrap();
            let least = schema["minimum"].as_f64().is_none_or(|least| number >= least);
            let most = schema["maximum"].as_f64().is_none_or(|most| number <= most);
            if !(least && most) {
                found.push(format!("{at} is out of bounds: {number}"));
            }
        }
        Value::Array(values) if !schema["items"].is_null() => {
            for (index, value) in values.iter().enumerate() {
                look(&format!("{at}/{index}"), &schema["items"], value, found);
            }
        }
        Value::Object(fields) => look_at_fields(at, schema, fields, found),
        Value::Null | Value::Bool(_) | Value::Array(_) => {}
    }
}

fn look_at_text(at: &str, schema: &Value, text: &str, found: &mut Vec<String>) {
    let length = text.chars().count() as u64;
    let least = schema["minLength"].as_u64().is_none_or(|least| length >= least);
    let most = schema["maxLength"].as_u64().is_none_or(|most| length <= most);
    let is_instant = schema["format"] != "date-time" || text.parse::<Timestamp>().is_ok();
    // Ours are all of the form prefix and digits; the prefix is what can be mistaken.
    let begins = schema["pattern"].as_str().and_then(|pattern| {
        let prefix: String = pattern.trim_start_matches('^').chars().take(4).collect();
        prefix.ends_with('_').then_some(prefix)
    });
    if !(least && most && is_instant && begins.is_none_or(|prefix| text.starts_with(&prefix))) {
        found.push(format!("{at} is not as its schema wants it: {text}"));
    }
}

fn look_at_fields(at: &str, schema: &Value, fields: &Map<String, Value>, found: &mut Vec<String>) {
    for name in items(schema, "required") {
        let name = name.as_str().unwrap();
        if !fields.contains_key(name) {
            found.push(format!("{at}/{name} is missing"));
        }
    }
    for (name, value) in fields {
        let property = &schema["properties"][name];
        let property = if property.is_null() { &schema["additionalProperties"] } else { property };
        if property.is_object() {
            look(&format!("{at}/{name}"), property, value, found);
        } else if *property == Value::Bool(false) {
            found.push(format!("{at}/{name} is not allowed"));
        }
    }
}

fn is_of_type(wanted: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    match wanted {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    }
}

/// Finds fields that the document does not know. A schema may be put together of parts, so this goes by all of
/// them at once.
fn undeclared(at: &str, schema: &Value, value: &Value, found: &mut Vec<String>) {
    let parts = parts(schema);
    match value {
        Value::Object(fields) => {
            let is_map = parts.iter().any(|part| part["additionalProperties"].is_object());
            let is_said = parts.iter().any(|part| part["properties"].is_object());
            for (name, value) in fields {
                let at = format!("{at}/{name}");
                let of =
                    parts.iter().map(|part| &part["properties"][name]).find(|of| !of.is_null());
                match of {
                    Some(of) => undeclared(&at, of, value, found),
                    None if is_said && !is_map => found.push(format!("{at} is not declared")),
                    None => {}
                }
            }
        }
        Value::Array(values) => {
            for part in parts {
                for value in values.iter().filter(|_| !part["items"].is_null()) {
                    undeclared(&format!("{at}[]"), &part["items"], value, found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A schema with everything that it is put together of, or may be.
fn parts(schema: &Value) -> Vec<&Value> {
    let schema = follow(schema);
    let mut found = vec![schema];
    for part in items(schema, "allOf").iter().chain(items(schema, "oneOf")) {
        found.extend(parts(part));
    }
    found
}

/// The names of the operations that the document has.
pub(crate) fn operation_ids() -> BTreeSet<&'static str> {
    operations().map(|(_, _, operation)| operation["operationId"].as_str().unwrap()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults_of(hold: &Value) -> Vec<String> {
        faults(&document()["components"]["schemas"]["PlaceHold"], hold)
    }

    #[test]
    fn a_fault_is_found_where_it_is() {
        assert!(faults_of(&json!({ "type": "never" })).is_empty());
        assert_eq!(faults_of(&json!({})), ["/type is missing"]);
        assert_eq!(faults_of(&json!({ "type": "ever" })).len(), 1);
        assert_eq!(faults_of(&json!({ "type": "until", "until": "soon" })).len(), 1);
        assert!(
            faults_of(&json!({ "type": "never", "x": 1 }))
                .contains(&"/x is not declared".to_owned())
        );
    }
}
