//! What is answered, and that the short ways answer as the embedded DynamoDB does.

use serde_json::Value;

use super::*;

fn call(database: &SimDynamoDb, operation: &str, body: &Value) -> (u16, Value) {
    let target = format!("{PREFIX}{operation}");
    let (status, answer) = database.answer(&target, body.to_string().as_bytes());
    (status.as_u16(), serde_json::from_str(&answer).unwrap())
}

fn with_table() -> SimDynamoDb {
    let database = SimDynamoDb::memory().unwrap();
    let table = json!({
        "TableName": "table",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    let made = call(&database, "CreateTable", &table);
    assert_eq!(made.0, 200, "{made:?}");
    database
}

fn put(token: &str) -> Value {
    let put = json!({
        "TableName": "table",
        "Item": { "pk": { "S": "a" } },
        "ConditionExpression": "attribute_not_exists(pk)",
    });
    json!({ "TransactItems": [{ "Put": put }], "ClientRequestToken": token })
}

#[test]
fn what_is_written_is_read() {
    let database = with_table();

    let written = call(&database, "TransactWriteItems", &put("1"));
    let key = json!({ "TableName": "table", "Key": { "pk": { "S": "a" } } });
    let read = call(&database, "GetItem", &key);

    assert_eq!(written.0, 200);
    assert_eq!(read, (200, json!({ "Item": { "pk": { "S": "a" } } })));
}

#[test]
fn a_refusal_says_why_and_no_token_makes_a_second_write_the_first() {
    let database = with_table();
    call(&database, "TransactWriteItems", &put("1"));

    let (status, refusal) = call(&database, "TransactWriteItems", &put("1"));

    assert_eq!(status, 400);
    assert!(refusal["__type"].as_str().unwrap().ends_with("#TransactionCanceledException"));
    assert_eq!(refusal["CancellationReasons"][0]["Code"], "ConditionalCheckFailed");
}

#[test]
fn what_cannot_be_read_or_is_not_known_is_refused() {
    let database = with_table();

    let unreadable = call(&database, "GetItem", &json!({ "TableName": 1 }));
    let unknown = call(&database, "ListTables", &json!({}));

    assert_eq!((unreadable.0, &unreadable.1["__type"]), (400, &json!("SerializationException")));
    assert_eq!((unknown.0, &unknown.1["__type"]), (400, &json!("UnknownOperationException")));
}

/// What the embedded DynamoDB answers by itself.
fn by_itself(database: &SimDynamoDb, operation: &str, body: &Value) -> (u16, Value) {
    let storage = &*database.0.storage.lock().unwrap();
    let body = body.to_string();
    let (status, answer) = match operation {
        "GetItem" => run(body.as_bytes(), |request| get_item::execute(storage, request)),
        "BatchGetItem" => run(body.as_bytes(), |request| batch_get_item::execute(storage, request)),
        "PutItem" => run(body.as_bytes(), |request| put_item::execute(storage, request)),
        other => panic!("{other}"),
    };
    (status.as_u16(), serde_json::from_str(&answer).unwrap())
}

fn item(key: &str) -> Value {
    json!({
        "pk": { "S": key },
        "body": { "M": {
            "count": { "N": "-12" }, "is": { "BOOL": false }, "none": { "NULL": true },
            "list": { "L": [{ "M": { "deep": { "S": "\"é\"" } } }, { "S": "" }] },
        } },
    })
}

fn key(key: &str) -> Value {
    json!({ "pk": { "S": key } })
}

#[test]
fn a_plain_read_answers_as_the_database_does() {
    let database = with_table();
    call(&database, "PutItem", &json!({ "TableName": "table", "Item": item("a") }));
    let batch = |keys: &[Value]| json!({ "RequestItems": { "table": { "Keys": keys } } });
    let many: Vec<_> = (0..101).map(|number| key(&number.to_string())).collect();

    for (operation, body) in [
        ("GetItem", json!({ "TableName": "table", "Key": key("a"), "ConsistentRead": true })),
        ("GetItem", json!({ "TableName": "table", "Key": key("b") })),
        ("GetItem", json!({ "TableName": "table", "Key": key("") })),
        ("GetItem", json!({ "TableName": "table", "Key": { "pk": { "N": "1" } } })),
        ("GetItem", json!({ "TableName": "table", "Key": { "sk": { "S": "a" } } })),
        ("GetItem", json!({ "TableName": "elsewhere", "Key": key("a") })),
        ("BatchGetItem", batch(&[key("a"), key("b")])),
        ("BatchGetItem", batch(&[key("a"), key("a")])),
        ("BatchGetItem", batch(&[])),
        ("BatchGetItem", batch(&many)),
    ] {
        let answer = call(&database, operation, &body);
        assert_eq!(answer, by_itself(&database, operation, &body), "{body}");
    }
}

#[test]
fn a_plain_write_stores_what_the_database_would() {
    let database = with_table();
    let get = json!({ "TableName": "table", "Key": key("a") });
    let put = json!({ "TableName": "table", "Item": item("a") });
    let together = json!({ "TransactItems": [{ "Put": put }] });

    by_itself(&database, "PutItem", &put);
    let expected = by_itself(&database, "GetItem", &get);
    for (operation, body) in [("PutItem", &put), ("TransactWriteItems", &together)] {
        assert_eq!(call(&database, operation, body).0, 200);
        assert_eq!(by_itself(&database, "GetItem", &get), expected, "{operation}");
    }
    assert_eq!(expected.1["Item"], item("a"));
}

#[test]
fn a_write_that_is_not_plain_is_left_to_the_database() {
    let database = with_table();

    for value in [
        json!({ "N": "1.5e3" }),
        json!({ "N": "x" }),
        json!({ "SS": ["b", "a"] }),
        json!({ "SS": [] }),
        json!({ "NULL": false }),
        json!({ "S": "a", "N": "1" }),
        json!({ "X": "a" }),
        json!({}),
    ] {
        let body = json!({ "TableName": "table", "Item": { "pk": { "S": "a" }, "x": value } });
        let answer = call(&database, "PutItem", &body);
        assert_eq!(answer, by_itself(&database, "PutItem", &body), "{value}");
    }
}
