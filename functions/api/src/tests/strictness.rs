//! Strictness, held for every operation that the document has: what it does not know it refuses and names.

use serde_json::{Map, Value, json};

use super::support::{Answer, Call};
use crate::router::documented;

/// What no operation knows.
const UNKNOWN: &str = "colour";
/// Bodies may have 64 KiB, and that of this operation 2 MiB: it takes 10,000 snapshots.
const LARGER: [(&str, usize); 1] = [("preview_retention", 2 * 1024)];

/// An operation of the document.
#[derive(Debug)]
struct Operation<'a> {
    document: &'a Value,
    method: String,
    /// With an identifier wherever the document has a variable.
    path: String,
    said: &'a Value,
}

impl<'a> Operation<'a> {
    fn all(document: &'a Value) -> Vec<Self> {
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, said)| (path, method, said))
        });
        operations
            .map(|(path, method, said)| {
                let (method, path) = (method.to_uppercase(), filled(path));
                Self { document, method, path, said }
            })
            .collect()
    }

    fn name(&self) -> &str {
        self.said["operationId"].as_str().unwrap()
    }

    fn schema(&self) -> &'a Value {
        follow(self.document, &self.said["requestBody"]["content"]["application/json"]["schema"])
    }

    fn example(&self) -> &'a Value {
        &self.said["requestBody"]["content"]["application/json"]["example"]
    }

    fn parameters(&self) -> impl Iterator<Item = &'a Value> {
        let parameters = self.said["parameters"].as_array().into_iter().flatten();
        parameters.filter(|parameter| parameter["in"] == "query")
    }

    /// Sends a body and a query to it.
    async fn send(&self, query: &str, body: &Value) -> Answer {
        let mark = if query.is_empty() { "" } else { "?" };
        let call = Call::new(&self.method, &format!("{}{mark}{query}", self.path));
        if body.is_null() { call.send().await } else { call.json(body).send().await }
    }
}

fn document() -> Value {
    serde_json::to_value(documented().into_openapi()).unwrap()
}

fn follow<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => schema,
    }
}

/// A path with an identifier of the right kind in place of each variable.
fn filled(path: &str) -> String {
    let uuid = "0195500c-6d00-7000-8000-000000000000";
    let noun = path.split('/').nth(2).unwrap();
    let id = match noun {
        "instances" => "i-0123456789abcdef0".to_owned(),
        "snapshots" => format!("snp_{uuid}"),
        "schedules" => format!("sch_{uuid}"),
        "sweeps" => format!("swp_{uuid}"),
        "restores" => format!("rst_{uuid}"),
        "images" => format!("img_{uuid}"),
        _ if path.contains('{') => panic!("of which kind is the identifier in {path}?"),
        _ => String::new(),
    };
    path.replace("{id}", &id).replace("{slot}", "2026-03-01T02:00:00Z")
}

/// Where in a value there are objects: those with fields of their own, and maps of anything.
fn objects<'a>(
    document: &'a Value,
    schema: &'a Value,
    value: &Value,
    at: &str,
    found: &mut Vec<(String, &'a Value)>,
) {
    let schema = follow(document, schema);
    for part in schema["oneOf"].as_array().into_iter().flatten() {
        objects(document, part, value, at, found);
    }
    if let Value::Array(values) = value {
        for (index, value) in values.iter().enumerate() {
            objects(document, &schema["items"], value, &format!("{at}/{index}"), found);
        }
    }
    let Value::Object(fields) = value else { return };
    if schema["type"] == "object" {
        found.push((at.to_owned(), schema));
    }
    for (name, value) in fields {
        objects(document, &schema["properties"][name], value, &format!("{at}/{name}"), found);
    }
}

/// A field as a problem names it: `targets.tags.all_of[0].key`.
fn field(pointer: &str, name: &str) -> String {
    let parts = pointer.split('/').skip(1).chain([name]);
    parts.fold(String::new(), |path, part| {
        if part.parse::<usize>().is_ok() {
            format!("{path}[{part}]")
        } else if path.is_empty() {
            part.to_owned()
        } else {
            format!("{path}.{part}")
        }
    })
}

#[tokio::test]
async fn a_field_that_is_unknown_is_named_wherever_it_stands() {
    let document = document();
    let mut tried = 0;
    for operation in Operation::all(&document) {
        let mut found = Vec::new();
        objects(&document, operation.schema(), operation.example(), "", &mut found);
        for (at, _) in
            found.iter().filter(|(_, schema)| !schema["additionalProperties"].is_object())
        {
            let mut body = operation.example().clone();
            body.pointer_mut(at).unwrap()[UNKNOWN] = "red".into();

            let answer = operation.send("", &body).await;

            let name = operation.name();
            assert_eq!(answer.status, 400, "{name} takes {at}/{UNKNOWN}: {answer:?}");
            assert_eq!(answer.field(), field(at, UNKNOWN), "{name}: {answer:?}");
            tried += 1;
        }
    }
    assert!(tried >= 15, "{tried}");
}

#[tokio::test]
async fn a_body_where_there_is_nothing_to_say_is_refused_too() {
    let document = document();
    for operation in Operation::all(&document) {
        if operation.method == "POST" && operation.schema().is_null() {
            let answer = operation.send("", &json!({ UNKNOWN: "red" })).await;

            assert_eq!((answer.status, answer.field()), (400, UNKNOWN), "{}", operation.name());
        }
    }
}

#[tokio::test]
async fn an_unknown_query_parameter_is_named_by_every_operation() {
    let document = document();
    for operation in Operation::all(&document) {
        let answer = operation.send("colour=red", operation.example()).await;

        assert_eq!((answer.status, answer.field()), (400, UNKNOWN), "{}", operation.name());
    }
}

#[tokio::test]
async fn a_parameter_of_another_kind_is_named_by_every_operation() {
    let document = document();
    let mut tried = 0;
    for operation in Operation::all(&document) {
        for parameter in operation.parameters() {
            let name = parameter["name"].as_str().unwrap();
            let schema = follow(&document, &parameter["schema"]);
            let wrong: &[&str] = match (name, schema["type"].as_str()) {
                ("limit", _) => &["0", "201", "-1", "1.5", "abc", ""],
                ("cursor", _) => &["", "%21"],
                (_, Some("boolean")) => &["yes", "1", "TRUE", ""],
                (_, Some("integer")) => &["-1", "1.5", "abc", "99999999999"],
                _ if schema["format"] == "date-time" => &["yesterday", "2026-03-01", ""],
                _ if !schema["enum"].is_null() || !schema["pattern"].is_null() => &["nonsense", ""],
                _ => &[],
            };
            for text in wrong {
                let query = format!("{name}={text}");
                let answer = operation.send(&query, operation.example()).await;

                let of = operation.name();
                assert_eq!((answer.status, answer.field()), (400, name), "{of} takes {query}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 80, "{tried}");
}

#[test]
fn no_page_has_more_than_200_items() {
    let document = document();
    for operation in Operation::all(&document) {
        let limit = operation.parameters().find(|parameter| parameter["name"] == "limit");
        let cursor = operation.parameters().any(|parameter| parameter["name"] == "cursor");
        assert_eq!(limit.is_some(), cursor, "{}", operation.name());
        if let Some(limit) = limit {
            assert_eq!(limit["schema"]["maximum"], 200, "{}", operation.name());
            assert_eq!(limit["schema"]["minimum"], 1, "{}", operation.name());
        }
    }
}

#[tokio::test]
async fn a_body_of_more_than_it_may_have_is_413_for_every_operation() {
    let document = document();
    for operation in Operation::all(&document) {
        if operation.method == "POST" || !operation.schema().is_null() {
            let larger = LARGER.iter().find(|(name, _)| *name == operation.name());
            let kib = larger.map_or(64, |(_, kib)| *kib);
            let call = Call::new(&operation.method, &operation.path)
                .header("content-type", "application/json");
            let spaces = |count: usize| format!("{{}}{}", " ".repeat(count - 2));

            let fits = call.clone().text(&spaces(kib * 1024)).send().await;
            let over = call.text(&spaces(kib * 1024 + 1)).send().await;

            assert_ne!(fits.status, 413, "{}", operation.name());
            assert_eq!(over.status, 413, "{}", operation.name());
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_415_for_every_operation() {
    let document = document();
    for operation in Operation::all(&document) {
        if operation.method == "POST" || !operation.schema().is_null() {
            let call = Call::new(&operation.method, &operation.path).text("{}");

            let answer = call.header("content-type", "text/plain").send().await;

            assert_eq!(answer.status, 415, "{}", operation.name());
        }
    }
}

#[tokio::test]
async fn more_than_50_tags_are_refused_wherever_tags_are_taken() {
    let many: Map<_, _> = (0..51).map(|n| (format!("k{n}"), json!(""))).collect();
    let document = document();
    let mut tried = 0;
    for operation in Operation::all(&document) {
        let mut found = Vec::new();
        objects(&document, operation.schema(), operation.example(), "", &mut found);
        for (at, _) in found.iter().filter(|(_, schema)| schema["additionalProperties"].is_object())
        {
            let mut body = operation.example().clone();
            *body.pointer_mut(at).unwrap() = many.clone().into();

            let answer = operation.send("", &body).await;

            let (parent, name) = at.rsplit_once('/').unwrap();
            assert_eq!(answer.status, 400, "{} {at}: {answer:?}", operation.name());
            assert_eq!(answer.field(), field(parent, name), "{}", operation.name());
            tried += 1;
        }
    }
    assert!(tried >= 2, "{tried}");
}

#[tokio::test]
async fn no_origin_is_allowed_anything() {
    let document = document();
    for operation in Operation::all(&document) {
        let call = Call::new(&operation.method, &operation.path)
            .header("origin", "https://elsewhere.example");
        let preflight = Call::new("OPTIONS", &operation.path)
            .header("origin", "https://elsewhere.example")
            .header("access-control-request-method", &operation.method);

        let (answer, refused) = (call.send().await, preflight.send().await);

        assert_eq!(refused.status, 405, "{}", operation.name());
        for headers in [&answer.headers, &refused.headers] {
            let allowing = headers.keys().find(|name| name.as_str().starts_with("access-control"));
            assert_eq!(allowing, None, "{}", operation.name());
        }
    }
}
