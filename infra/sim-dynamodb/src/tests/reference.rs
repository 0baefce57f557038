//! The embedded DynamoDB that ours is held against.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use dynoxide::{
    actions::{
        batch_get_item, create_table, delete_item, get_item, put_item, query, scan,
        transact_write_items, update_item,
    },
    storage::Storage,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub(super) struct Reference(Storage);

impl Reference {
    pub(super) fn new() -> Self {
        Self(Storage::memory().unwrap())
    }

    pub(super) fn call(&self, operation: &str, body: &Value) -> (u16, Value) {
        let storage = &self.0;
        match operation {
            "BatchGetItem" => run(body, |request| batch_get_item::execute(storage, request)),
            "CreateTable" => run(body, |request| create_table::execute(storage, request)),
            "DeleteItem" => run(body, |request| delete_item::execute(storage, request)),
            "GetItem" => run(body, |request| get_item::execute(storage, request)),
            "PutItem" => run(body, |request| put_item::execute(storage, request)),
            "Query" => run(body, |request| query::execute(storage, request)),
            "Scan" => run(body, |request| scan::execute(storage, request)),
            "TransactWriteItems" => {
                run(body, |request| transact_write_items::execute(storage, request))
            }
            "UpdateItem" => run(body, |request| update_item::execute(storage, request)),
            other => panic!("{other}"),
        }
    }
}

fn run<Q: DeserializeOwned, A: Serialize, F: Future<Output = dynoxide::Result<A>>>(
    body: &Value,
    call: impl FnOnce(Q) -> F,
) -> (u16, Value) {
    let request = serde_json::from_value(body.clone()).unwrap();
    let mut context = Context::from_waker(Waker::noop());
    match pin!(call(request)).poll(&mut context) {
        Poll::Ready(Ok(answer)) => (200, serde_json::to_value(&answer).unwrap()),
        Poll::Ready(Err(error)) => {
            (error.status_code(), serde_json::from_str(&error.to_json()).unwrap())
        }
        Poll::Pending => panic!("the embedded database waits"),
    }
}
