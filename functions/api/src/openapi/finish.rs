//! The last touch to the document: what utoipa cannot be told, done to the finished JSON.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::openapi::OpenApi;

/// Where schemas are, in references to them.
const SCHEMAS: &str = "#/components/schemas/";

/// The document as JSON.
pub(crate) fn finished(document: &OpenApi) -> Value {
    // Turning a document of texts and numbers into JSON cannot fail.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    name_lists(&mut document);
    document
}

/// The document as text, its parts in the order in which people look for them.
pub(crate) fn text(document: &OpenApi) -> String {
    let mut document = finished(document);
    let mut part = |name: &str| document.get_mut(name).map(Value::take);
    let ordered = Ordered {
        openapi: part("openapi"),
        info: part("info"),
        servers: part("servers"),
        tags: part("tags"),
        security: part("security"),
        paths: part("paths"),
        components: part("components"),
    };
    let mut text = serde_json::to_string_pretty(&ordered).unwrap_or_default();
    text.push('\n');
    text
}

/// A document's parts.
#[derive(Debug, Serialize)]
struct Ordered {
    openapi: Option<Value>,
    info: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    servers: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Value>,
    security: Option<Value>,
    paths: Option<Value>,
    components: Option<Value>,
}

/// Gives lists names as people form them: utoipa puts the generic before its argument.
fn name_lists(document: &mut Value) {
    rename_references(document);
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    let Some(schemas) = schemas else { return };
    let renamed: Map<_, _> = std::mem::take(schemas)
        .into_iter()
        .map(|(name, schema)| (list_name(&name).unwrap_or(name), schema))
        .collect();
    *schemas = renamed;
}

fn list_name(name: &str) -> Option<String> {
    name.strip_prefix("List_").map(|item| format!("{item}List"))
}

fn rename_references(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && let Some(name) = reference.strip_prefix(SCHEMAS).and_then(list_name)
            {
                *reference = format!("{SCHEMAS}{name}");
            }
            fields.values_mut().for_each(rename_references);
        }
        Value::Array(items) => items.iter_mut().for_each(rename_references),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
