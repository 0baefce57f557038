//! Writes of plain items, as the functions ask for them.

use std::collections::BTreeMap;

use dynoxide::actions::{
    put_item::PutItemRequest,
    transact_write_items::{
        TransactConditionCheck, TransactDelete, TransactPut, TransactUpdate, TransactWriteItem,
        TransactWriteItemsRequest,
    },
};
use serde::Deserialize;

use crate::values::{Values, plain, plain_or_none};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PlainPut {
    table_name: String,
    #[serde(deserialize_with = "plain")]
    item: Values,
    condition_expression: Option<String>,
    expression_attribute_names: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "plain_or_none")]
    expression_attribute_values: Option<Values>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PlainTransaction {
    transact_items: Vec<PlainWrite>,
    /// Each token is remembered for ten minutes, and each transaction looks at all of them. No answer is lost on the
    /// way here, so none is ever asked for again, and the token is dropped.
    #[serde(rename = "ClientRequestToken")]
    _token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PlainWrite {
    put: Option<PlainPut>,
    update: Option<TransactUpdate>,
    delete: Option<TransactDelete>,
    condition_check: Option<TransactConditionCheck>,
}

/// A `PutItem` of a plain item.
pub(crate) fn put(body: &[u8]) -> Option<PutItemRequest> {
    let PlainPut {
        table_name,
        item,
        condition_expression,
        expression_attribute_names,
        expression_attribute_values,
    } = serde_json::from_slice(body).ok()?;
    // The checks that are made as a request is read.
    if table_name.len() < 3 {
        return None;
    }
    Some(PutItemRequest {
        table_name,
        item: item.into_iter().collect(),
        condition_expression,
        expression_attribute_names: expression_attribute_names.map(collected),
        expression_attribute_values: expression_attribute_values.map(collected),
        ..PutItemRequest::default()
    })
}

/// A `TransactWriteItems` whose puts are of plain items.
pub(crate) fn transaction(body: &[u8]) -> Option<TransactWriteItemsRequest> {
    let PlainTransaction { transact_items, _token } = serde_json::from_slice(body).ok()?;
    let transact_items = transact_items.into_iter().map(PlainWrite::into_item).collect();
    Some(TransactWriteItemsRequest { transact_items, ..TransactWriteItemsRequest::default() })
}

impl PlainWrite {
    fn into_item(self) -> TransactWriteItem {
        let Self { put, update, delete, condition_check } = self;
        TransactWriteItem { put: put.map(PlainPut::into_put), update, delete, condition_check }
    }
}

impl PlainPut {
    fn into_put(self) -> TransactPut {
        let Self {
            table_name,
            item,
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
        } = self;
        TransactPut {
            table_name,
            item: item.into_iter().collect(),
            condition_expression,
            expression_attribute_names: expression_attribute_names.map(collected),
            expression_attribute_values: expression_attribute_values.map(collected),
            ..TransactPut::default()
        }
    }
}

fn collected<V, M: FromIterator<(String, V)>>(named: BTreeMap<String, V>) -> M {
    named.into_iter().collect()
}
