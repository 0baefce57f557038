//! The last touch to the document: what utoipa cannot be told, done to the finished JSON.

mod variants;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use self::variants::name_variants;
use crate::problem::{MEDIA_TYPE, ProblemKind};

/// Where schemas are, in references to them.
pub(super) const SCHEMAS: &str = "#/components/schemas/";
/// The schema of an error: what it does not know it leaves out.
const PROBLEM: &str = "Problem";
/// What the groups of operations are about.
const TAGS: [(&str, &str); 13] = [
    ("overview", "The whole at a glance, what waits for a person, and the search"),
    ("instances", "What is there to be protected, and how it is"),
    ("snapshots", "Restore points: taken, held, deleted, rescued, counted"),
    ("holds", "What keeps snapshots from deletion, in one list"),
    ("restores", "Snapshots brought back, for use or for practice"),
    ("images", "AMIs registered from snapshots"),
    ("schedules", "When snapshots are taken, of which instances, and what became of it"),
    ("retention", "Rules tried out before they decide"),
    ("sweeps", "Retention carried out: plans, verdicts, the brake"),
    ("reconciliation", "What EC2 has and whose it is, and adoption"),
    ("audit", "Who did what to which, when and why"),
    ("billing", "What it costs, by estimate"),
    ("meta", "The API about itself"),
];

/// The document as JSON.
pub(crate) fn finished(document: &OpenApi) -> Value {
    // Turning a document of texts and numbers into JSON cannot fail.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    name_lists(&mut document);
    lift_descriptions(&mut document);
    name_variants(&mut document);
    require_what_is_always_sent(&mut document);
    describe_problems(&mut document);
    describe_gateway(&mut document);
    frame(&mut document);
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
    servers: Option<Value>,
    tags: Option<Value>,
    security: Option<Value>,
    paths: Option<Value>,
    components: Option<Value>,
}

/// What a program must know before it calls anything.
fn frame(document: &mut Value) {
    let tags: Vec<_> =
        TAGS.iter().map(|(name, about)| json!({ "name": name, "description": about })).collect();
    document["tags"] = tags.into();
    let here = "The installation that this document was read from";
    document["servers"] = json!([{ "url": "/", "description": here }]);
    document["info"]["contact"] = json!({ "name": "Whoever runs this installation" });
    document["info"]["license"]["identifier"] = "MIT OR Apache-2.0".into();
}

pub(super) fn schemas(document: &mut Value) -> Option<&mut Map<String, Value>> {
    document.pointer_mut("/components/schemas").and_then(Value::as_object_mut)
}

/// Gives lists names as people form them: utoipa puts the generic before its argument.
fn name_lists(document: &mut Value) {
    rename_references(document);
    let Some(schemas) = schemas(document) else { return };
    let renamed: Map<_, _> = std::mem::take(schemas)
        .into_iter()
        .map(|(name, schema)| (list_name(&name).unwrap_or(name), schema))
        .collect();
    *schemas = renamed;
}

fn list_name(name: &str) -> Option<String> {
    item_of(name).map(|item| format!("{item}List"))
}

/// What the items of a list are, by the name that utoipa gives it.
pub(super) fn item_of(list: &str) -> Option<&str> {
    list.strip_prefix("List_").or_else(|| list.strip_prefix("CountedList_"))
}

fn rename_references(value: &mut Value) {
    each_object(value, &mut |fields| {
        if let Some(Value::String(reference)) = fields.get_mut("$ref")
            && let Some(name) = reference.strip_prefix(SCHEMAS).and_then(list_name)
        {
            *reference = format!("{SCHEMAS}{name}");
        }
    });
}

/// Calls `change` for every object there is, the outer before the inner.
fn each_object(value: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|value| each_object(value, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| each_object(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Puts the description of a field that may be null beside the choice: in it most generators lose it.
fn lift_descriptions(document: &mut Value) {
    each_object(document, &mut |fields| {
        if fields.contains_key("description") {
            return;
        }
        let Some(choices) = fields.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
        let is_null = |one: &Value| one["type"] == "null";
        if choices.len() != 2 || !choices.iter().any(is_null) {
            return;
        }
        let references = choices.iter_mut().filter(|one| one.get("$ref").is_some());
        let mut objects = references.filter_map(Value::as_object_mut);
        let description = objects.find_map(|one| one.remove("description"));
        fields.extend(description.map(|text| ("description".to_owned(), text)));
    });
}

/// Every field of what is only answered is required: what is not there is sent as null.
fn require_what_is_always_sent(document: &mut Value) {
    let mut asked = BTreeSet::new();
    each_object(&mut document["paths"].clone(), &mut |fields| {
        if let Some(body) = fields.get_mut("requestBody") {
            references(body, &mut asked);
        }
    });
    let mut waiting: Vec<_> = asked.iter().cloned().collect();
    while let Some(name) = waiting.pop() {
        let mut further = BTreeSet::new();
        let schema = document.pointer_mut(&format!("/components/schemas/{name}"));
        if let Some(schema) = schema {
            references(schema, &mut further);
        }
        waiting.extend(further.into_iter().filter(|name| asked.insert(name.clone())));
    }
    let Some(schemas) = schemas(document) else { return };
    for (name, schema) in schemas.iter_mut() {
        if name != PROBLEM && !asked.contains(name) {
            require_all(schema);
        }
    }
}

fn require_all(schema: &mut Value) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        let names: Vec<_> = properties.keys().cloned().collect();
        schema["required"] = names.into();
    }
    let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
    parts.into_iter().flatten().for_each(require_all);
}

/// The names of the schemas that are referred to.
fn references(value: &mut Value, found: &mut BTreeSet<String>) {
    each_object(value, &mut |fields| {
        let reference = fields.get("$ref").and_then(Value::as_str);
        found.extend(reference.and_then(|one| one.strip_prefix(SCHEMAS)).map(str::to_owned));
    });
}

/// Says of an error of which kinds it may be, and shows one of each.
fn describe_problems(document: &mut Value) {
    let kinds: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.uri()).collect();
    if let Some(kind) = document.pointer_mut("/components/schemas/Problem/properties/type") {
        kind["enum"] = kinds.into();
    }
    for kind in ProblemKind::ALL {
        let (status, name, title) = kind.facts();
        let Some(response) = document.pointer_mut(&format!("/components/responses/{name}")) else {
            continue;
        };
        response["content"][MEDIA_TYPE]["example"] = json!({
            "type": kind.uri(),
            "title": title,
            "status": status.as_u16(),
            "detail": kind.example(),
            "request_id": "JKJaXmPLvHcESHA=",
        });
    }
    if let Some(response) = document.pointer_mut("/components/responses/unavailable") {
        let schema = json!({ "type": "integer", "minimum": 1 });
        let about = "After how many seconds it makes sense to try again";
        response["headers"]["Retry-After"] = json!({ "description": about, "schema": schema });
    }
}

/// Adds what API Gateway and the envelope answer with, whatever the route: 429, and 304 to who has it already.
fn describe_gateway(document: &mut Value) {
    document["components"]["schemas"]["GatewayRefusal"] = json!({
        "type": "object",
        "description": "What API Gateway refuses a request with before it reaches Snapkeep",
        "properties": { "message": { "type": "string", "description": "In API Gateway's words" } },
        "required": ["message"],
    });
    document["components"]["responses"]["too_many_requests"] = json!({
        "description": "API Gateway has let too many requests through within a second; try again in a moment",
        "content": { "application/json": {
            "schema": { "$ref": format!("{SCHEMAS}GatewayRefusal") },
            "example": { "message": "Too Many Requests" },
        } },
    });
    document["components"]["responses"]["not_modified"] =
        json!({ "description": "It is what the tag in If-None-Match says that the client has" });
    let paths = document["paths"].as_object_mut();
    for (method, operation) in
        paths.into_iter().flatten().flat_map(|(_, item)| item.as_object_mut().into_iter().flatten())
    {
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        let refer = |name: &str| json!({ "$ref": format!("#/components/responses/{name}") });
        responses.insert("429".to_owned(), refer("too_many_requests"));
        if method == "get" {
            responses.insert("304".to_owned(), refer("not_modified"));
            let about = "The tag of the answer, for If-None-Match; where the record has a version, it begins with that, \
                         for If-Match";
            responses["200"]["headers"]["ETag"] =
                json!({ "description": about, "schema": { "type": "string" } });
        }
    }
}
