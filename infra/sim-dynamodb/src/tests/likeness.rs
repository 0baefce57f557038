//! Random calls, each made of both: they answer the same, and in the end have the same items.

use proptest::prelude::*;
use serde_json::Map;

use super::{reference::Reference, *};

/// Conditions that our functions write, and some more.
const CONDITIONS: [&str; 9] = [
    "attribute_not_exists(pk)",
    "version = :version",
    "attribute_not_exists(pk) OR version < :version OR version > :other",
    "attribute_not_exists(pk) OR body = :same",
    "attribute_exists(body) AND NOT version >= :version",
    "(version <> :version OR attribute_exists(sk)) and #body.#deep <= :other",
    "version = ",
    "version = :nothing",
    "attribute_not_exists(#unknown)",
];

const UPDATES: [&str; 8] = [
    "SET #body = :same ADD version :version",
    "ADD version :version, #deep :other SET #body = :same",
    "REMOVE #body",
    "SET #body.#deep = :other",
    "ADD #body :version",
    "SET pk = :same",
    "SET #body = :same, #body = :other",
    "ADD version :version REMOVE #due",
];

const KEY_CONDITIONS: [&str; 7] = [
    "#p = :p",
    "#p = :p AND #s < :s",
    "#p = :p AND #s <= :s",
    "#s > :s AND #p = :p",
    "#p = :p AND #s >= :s",
    "#p = :p AND #s = :s",
    "#p < :p",
];

/// A call: which, and of what.
#[derive(Clone, Debug)]
struct Call {
    operation: &'static str,
    body: Value,
}

fn text(letters: &'static str) -> impl Strategy<Value = String> {
    let letters: Vec<char> = letters.chars().collect();
    prop::sample::select(letters).prop_map(String::from)
}

fn number() -> impl Strategy<Value = Value> {
    let numbers = [
        "0",
        "1",
        "2",
        "3",
        "-1",
        "-2",
        "10",
        "0.5",
        "2.50",
        "1e3",
        "-0.001",
        "007",
        "+3",
        "-0",
        "1234567890123456789012345",
        "0.1234567890123456789",
    ];
    prop::sample::select(numbers.to_vec()).prop_map(|number| json!({ "N": number }))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text("abé").prop_map(|text| json!({ "S": text })),
        Just(json!({ "S": "" })),
        Just(json!({ "S": "\"\n\u{1}" })),
        number(),
        any::<bool>().prop_map(|is| json!({ "BOOL": is })),
        Just(json!({ "NULL": true })),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        let fields = prop::collection::btree_map(text("de"), inner.clone(), 0..3);
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(|list| json!({ "L": list })),
            fields.prop_map(|fields| json!({ "M": fields })),
        ]
    })
}

fn keys() -> impl Strategy<Value = Value> {
    let wrong = prop_oneof![
        Just(json!({ "pk": { "S": "a" } })),
        Just(json!({ "pk": { "S": "" }, "sk": { "S": "1" } })),
        Just(json!({ "pk": { "N": "1" }, "sk": { "S": "1" } })),
        Just(json!({ "pk": { "S": "a" }, "sk": { "S": "1" }, "x": { "S": "1" } })),
    ];
    let right = (text("ab"), text("1234"))
        .prop_map(|(pk, sk)| json!({ "pk": { "S": pk }, "sk": { "S": sk } }));
    prop_oneof![20 => right, 1 => wrong]
}

fn item() -> impl Strategy<Value = Value> {
    let index = prop::option::of((text("xy"), text("12345")));
    let half = prop::option::weighted(0.05, prop::sample::select(vec!["", "z"]));
    (keys(), number(), prop::option::of(value()), index, half).prop_map(
        |(mut item, version, body, index, half)| {
            item["version"] = version;
            if let Some(body) = body {
                item["body"] = body;
            }
            if let Some((partition, sort)) = index {
                item["due_pk"] = json!({ "S": partition });
                item["due_sk"] = json!({ "S": sort });
            }
            if let Some(half) = half {
                item["due_pk"] = json!({ "S": half });
            }
            item
        },
    )
}

/// The names and values that expressions mention, and now and then one more.
#[expect(clippy::fn_params_excessive_bools, reason = "drawn by chance")]
fn meant(expressions: &[&str], values: [(&str, &Value); 3], more: bool) -> (Value, Value) {
    let is_meant = |name: &str| {
        expressions.iter().any(|expression| {
            expression.match_indices(name).any(|(at, _)| {
                let behind = expression[at + name.len()..].chars().next();
                behind.is_none_or(|letter| !letter.is_ascii_alphanumeric())
            })
        })
    };
    let mut names = Map::new();
    for (placeholder, name) in [
        ("#body", "body"),
        ("#deep", "d"),
        ("#p", "pk"),
        ("#s", "sk"),
        ("#unknown", "unknown"),
        ("#due", "due_pk"),
    ] {
        if is_meant(placeholder) {
            names.insert(placeholder.to_owned(), json!(name));
        }
    }
    let mut meant = Map::new();
    for (placeholder, value) in values {
        if is_meant(placeholder) {
            meant.insert(placeholder.to_owned(), value.clone());
        }
    }
    if more {
        meant.insert(":more".to_owned(), json!({ "S": "x" }));
    }
    (Value::Object(names), Value::Object(meant))
}

#[expect(clippy::fn_params_excessive_bools, reason = "drawn by chance")]
fn with(mut body: Value, expressions: &[&str], values: [(&str, &Value); 3], more: bool) -> Value {
    let (names, values) = meant(expressions, values, more);
    if names != json!({}) {
        body["ExpressionAttributeNames"] = names;
    }
    if values != json!({}) {
        body["ExpressionAttributeValues"] = values;
    }
    body
}

/// What a write is made of, whichever it is.
fn parts() -> impl Strategy<Value = (Value, Option<&'static str>, [Value; 3], bool)> {
    let condition = prop::option::of(prop::sample::select(CONDITIONS.to_vec()));
    let values = (number(), number(), value()).prop_map(|(one, two, same)| [one, two, same]);
    (item(), condition, values, prop::bool::weighted(0.03))
}

fn write() -> impl Strategy<Value = Call> {
    let update = prop::sample::select(UPDATES.to_vec());
    (parts(), update, 0..4_u8).prop_map(|((item, condition, values, more), update, kind)| {
        let [version, other, same] = &values;
        let values = [(":version", version), (":other", other), (":same", same)];
        let key: Map<String, Value> = ["pk", "sk"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), item.get(name)?.clone())))
            .collect();
        let (operation, mut body, mut expressions) = match kind {
            0 | 1 => ("PutItem", json!({ "TableName": TABLE, "Item": item }), vec![]),
            2 => ("DeleteItem", json!({ "TableName": TABLE, "Key": key }), vec![]),
            _ => (
                "UpdateItem",
                json!({ "TableName": TABLE, "Key": key, "UpdateExpression": update }),
                vec![update],
            ),
        };
        if let Some(condition) = condition {
            body["ConditionExpression"] = json!(condition);
            expressions.push(condition);
        }
        // An expression's values without one are refused with other words by each.
        let more = more && !expressions.is_empty();
        Call { operation, body: with(body, &expressions, values, more) }
    })
}

fn transaction() -> impl Strategy<Value = Call> {
    let check = any::<bool>();
    // In a transaction the embedded one lets a key be changed, which DynamoDB refuses everywhere.
    let is_alike = |call: &Call| call.body["UpdateExpression"] != "SET pk = :same";
    let write = write().prop_filter("no key is changed", is_alike);
    prop::collection::vec((write, check), 1..5).prop_map(|writes| {
        let parts = writes.into_iter().map(|(Call { operation, mut body }, check)| {
            let kind = match operation {
                "PutItem" => "Put",
                "UpdateItem" => "Update",
                _ if check && body["ConditionExpression"].is_string() => "ConditionCheck",
                _ => "Delete",
            };
            json!({ kind: body.take() })
        });
        let parts: Vec<_> = parts.collect();
        Call { operation: "TransactWriteItems", body: json!({ "TransactItems": parts }) }
    })
}

fn reading() -> impl Strategy<Value = Call> {
    let get = keys().prop_map(|key| Call {
        operation: "GetItem",
        body: json!({ "TableName": TABLE, "Key": key, "ConsistentRead": true }),
    });
    let batch = prop::collection::vec(keys(), 0..5).prop_map(|keys| Call {
        operation: "BatchGetItem",
        body: json!({ "RequestItems": { TABLE: { "Keys": keys } } }),
    });
    prop_oneof![1 => get, 1 => batch, 4 => querying()]
}

fn querying() -> impl Strategy<Value = Call> {
    let condition = prop::sample::select(KEY_CONDITIONS.to_vec());
    let start = prop::option::of((text("ab"), text("1234"), text("12345")));
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), prop::option::of(1..4_u8));
    (condition, text("abxy"), text("12345"), start, flags).prop_map(
        |(condition, partition, sort, start, (index, backward, consistent, limit))| {
            let (p, s) = (json!({ "S": partition }), json!({ "S": sort }));
            let body = json!({ "TableName": TABLE, "KeyConditionExpression": condition });
            let values = [(":p", &p), (":s", &s), (":none", &s)];
            let mut body = with(body, &[condition], values, false);
            body["ScanIndexForward"] = json!(!backward);
            body["ConsistentRead"] = json!(consistent);
            if index {
                body["IndexName"] = json!("due");
                body["ExpressionAttributeNames"] = if condition.contains("#s") {
                    json!({ "#p": "due_pk", "#s": "due_sk" })
                } else {
                    json!({ "#p": "due_pk" })
                };
            }
            if let Some(limit) = limit {
                body["Limit"] = json!(limit);
            }
            // A page begins where one has ended: in the partition, and with nothing said of the sort key.
            if let Some((pk, sk, due)) = start.filter(|_| condition == "#p = :p") {
                body["ExclusiveStartKey"] = if index {
                    json!({
                        "pk": { "S": pk }, "sk": { "S": sk }, "due_pk": p, "due_sk": { "S": due },
                    })
                } else {
                    json!({ "pk": p, "sk": { "S": sk } })
                };
            }
            Call { operation: "Query", body }
        },
    )
}

/// What of an answer must be the same: all of a success, the kinds of a refusal.
fn likened(operation: &str, (status, mut answer): (u16, Value)) -> (u16, Value) {
    if status == 200 {
        if operation == "BatchGetItem" {
            let items = answer["Responses"][TABLE].as_array_mut();
            if let Some(items) = items {
                items.sort_by_key(Value::to_string);
            }
        }
        return (status, answer);
    }
    let kind = answer["__type"].as_str().unwrap().to_owned();
    let reasons = answer["CancellationReasons"].as_array();
    let codes: Vec<_> =
        reasons.into_iter().flatten().filter_map(|reason| reason["Code"].as_str()).collect();
    // What is wrong with a request whatever is stored is found at once by the one and part by part by the other.
    let is_wrong = kind.ends_with("#ValidationException") || codes.contains(&"ValidationError");
    (status, if is_wrong { json!("wrong") } else { json!([kind, codes]) })
}

/// Whether both answer the same. Which one is named of two things that are in the way, what is stored and what is asked
/// for, is left to each.
fn are_alike(ours: &(u16, Value), theirs: &(u16, Value)) -> bool {
    let is_wrong = |answer: &(u16, Value)| answer.1 == json!("wrong");
    ours == theirs || (ours.0 == 400 && theirs.0 == 400 && (is_wrong(ours) || is_wrong(theirs)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_answers_as_the_embedded_one(
        calls in prop::collection::vec(
            prop_oneof![6 => write(), 3 => transaction(), 3 => reading()], 1..60,
        )
    ) {
        let (ours, theirs) = (with_table(), Reference::new());
        prop_assert_eq!(theirs.call("CreateTable", &new_table()).0, 200);

        for Call { operation, body } in &calls {
            let ours = likened(operation, call(&ours, operation, body));
            let theirs = likened(operation, theirs.call(operation, body));
            prop_assert!(are_alike(&ours, &theirs), "{operation} {body}: {ours:?} {theirs:?}");
        }

        let all = json!({ "TableName": TABLE });
        let items = |(_, answer): (u16, Value)| {
            let mut items = answer["Items"].as_array().unwrap().clone();
            items.sort_by_key(Value::to_string);
            items
        };
        prop_assert_eq!(items(call(&ours, "Scan", &all)), items(theirs.call("Scan", &all)));
    }
}
