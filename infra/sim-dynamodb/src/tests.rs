//! What is answered; and that it is what an embedded DynamoDB, written by others after the real one, answers.

mod likeness;
mod reference;

use serde_json::{Value, json};

use super::*;

const TABLE: &str = "table";

fn call(database: &SimDynamoDb, operation: &str, body: &Value) -> (u16, Value) {
    let target = format!("{PREFIX}{operation}");
    let (status, answer) = database.answer(&target, body.to_string().as_bytes());
    (status.as_u16(), serde_json::from_str(&answer).unwrap())
}

fn new_table() -> Value {
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let keys = |partition: &str, sort: &str| {
        json!([
            { "AttributeName": partition, "KeyType": "HASH" },
            { "AttributeName": sort, "KeyType": "RANGE" },
        ])
    };
    let attributes = ["pk", "sk", "due_pk", "due_sk", "short_pk"].map(attribute);
    json!({
        "TableName": TABLE,
        "AttributeDefinitions": attributes,
        "KeySchema": keys("pk", "sk"),
        "GlobalSecondaryIndexes": [{
            "IndexName": "due", "KeySchema": keys("due_pk", "due_sk"),
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }, {
            "IndexName": "short", "KeySchema": keys("short_pk", "sk"),
            "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["short"] },
        }],
        "BillingMode": "PAY_PER_REQUEST",
    })
}

fn with_table() -> SimDynamoDb {
    let database = SimDynamoDb::memory();
    let made = call(&database, "CreateTable", &new_table());
    assert_eq!(made.0, 200, "{made:?}");
    database
}

fn key(sort: &str) -> Value {
    json!({ "pk": { "S": "a" }, "sk": { "S": sort } })
}

fn put(sort: &str, token: &str) -> Value {
    let put = json!({
        "TableName": TABLE, "Item": key(sort), "ConditionExpression": "attribute_not_exists(pk)",
    });
    json!({ "TransactItems": [{ "Put": put }], "ClientRequestToken": token })
}

#[test]
fn what_is_written_is_read() {
    let database = with_table();

    let written = call(&database, "TransactWriteItems", &put("1", "token"));
    let read = call(&database, "GetItem", &json!({ "TableName": TABLE, "Key": key("1") }));

    assert_eq!(written.0, 200);
    assert_eq!(read, (200, json!({ "Item": key("1") })));
}

#[test]
fn an_index_has_what_it_holds_and_nothing_else() {
    let database = with_table();
    let text = |text: &str| json!({ "S": text });
    let mut item = key("1");
    item["short_pk"] = text("b");
    item["short"] = text("x");
    item["long"] = text("y");
    call(&database, "PutItem", &json!({ "TableName": TABLE, "Item": item }));

    let query = json!({
        "TableName": TABLE, "IndexName": "short", "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": { "#p": "short_pk" },
        "ExpressionAttributeValues": { ":p": text("b") },
    });
    let (_, found) = call(&database, "Query", &query);

    item.as_object_mut().unwrap().remove("long");
    assert_eq!(found["Items"], json!([item]));
}

#[test]
fn a_refusal_says_why() {
    let database = with_table();
    call(&database, "TransactWriteItems", &put("1", "first"));

    let (status, refusal) = call(&database, "TransactWriteItems", &put("1", "second"));

    assert_eq!(status, 400);
    assert!(refusal["__type"].as_str().unwrap().ends_with("#TransactionCanceledException"));
    assert_eq!(refusal["CancellationReasons"][0]["Code"], "ConditionalCheckFailed");
}

#[test]
fn a_transaction_that_is_sent_again_is_not_carried_out_again() {
    let database = with_table();
    call(&database, "TransactWriteItems", &put("1", "token"));

    let again = call(&database, "TransactWriteItems", &put("1", "token"));
    let other = call(&database, "TransactWriteItems", &put("2", "token"));

    assert_eq!(again, (200, json!({})));
    let kind = other.1["__type"].as_str().unwrap();
    assert!(kind.ends_with("#IdempotentParameterMismatchException"), "{kind}");
}

#[test]
fn what_cannot_be_read_or_is_not_known_is_refused() {
    let database = with_table();

    for (operation, body) in [
        ("GetItem", json!({ "TableName": 1 })),
        ("ListTables", json!({})),
        ("PutItem", json!({ "TableName": TABLE, "Item": key("1"), "ReturnValues": "ALL_OLD" })),
        ("PutItem", json!({ "TableName": TABLE, "Item": { "pk": { "SS": ["a"] } } })),
    ] {
        let (status, answer) = call(&database, operation, &body);
        let kind = answer["__type"].as_str().unwrap();
        assert!(status == 400 && kind.ends_with("#SerializationException"), "{operation}: {kind}");
    }
}

#[test]
fn a_name_that_may_be_reserved_is_not_taken_as_it_is() {
    let database = with_table();
    let update = |expression: &str, names: Value| {
        json!({
            "TableName": TABLE, "Key": key("1"), "UpdateExpression": expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": { ":value": { "S": "x" } },
        })
    };

    let plain = call(&database, "UpdateItem", &update("SET status = :value", json!({})));
    let named = json!({ "#status": "status" });
    let named = call(&database, "UpdateItem", &update("SET #status = :value", named));

    assert_eq!((plain.0, named.0), (400, 200), "{plain:?}");
}

#[test]
fn the_time_to_live_is_kept() {
    let database = with_table();
    let wanted = json!({ "Enabled": true, "AttributeName": "expires" });

    let body = json!({ "TableName": TABLE, "TimeToLiveSpecification": wanted });
    call(&database, "UpdateTimeToLive", &body);
    let (_, answer) = call(&database, "DescribeTimeToLive", &json!({ "TableName": TABLE }));

    assert_eq!(answer["TimeToLiveDescription"]["AttributeName"], "expires");
}
