//! Requests as the SDK writes them. A field that nobody of ours ever sends is refused as unreadable.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{table::KeyAttribute, values::Values};

/// What `#name` stands for.
pub(crate) type Names = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct CreateTable {
    pub(crate) table_name: String,
    pub(crate) key_schema: Vec<KeyAttribute>,
    pub(crate) attribute_definitions: Vec<AttributeDefinition>,
    #[serde(default)]
    pub(crate) global_secondary_indexes: Vec<NewIndex>,
    #[serde(rename = "BillingMode")]
    pub(crate) _billing: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct AttributeDefinition {
    pub(crate) attribute_name: String,
    pub(crate) attribute_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct NewIndex {
    pub(crate) index_name: String,
    pub(crate) key_schema: Vec<KeyAttribute>,
    pub(crate) projection: Projection,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Projection {
    pub(crate) projection_type: String,
    #[serde(default)]
    pub(crate) non_key_attributes: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct OfTable {
    pub(crate) table_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct UpdateTimeToLive {
    pub(crate) table_name: String,
    pub(crate) time_to_live_specification: TimeToLive,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct TimeToLive {
    pub(crate) enabled: bool,
    pub(crate) attribute_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Get {
    pub(crate) table_name: String,
    pub(crate) key: Values,
    #[serde(rename = "ConsistentRead")]
    pub(crate) _consistent: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct BatchGet {
    pub(crate) request_items: BTreeMap<String, Keys>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Keys {
    pub(crate) keys: Vec<Values>,
    #[serde(rename = "ConsistentRead")]
    pub(crate) _consistent: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Query {
    pub(crate) table_name: String,
    pub(crate) index_name: Option<String>,
    pub(crate) key_condition_expression: String,
    #[serde(default)]
    pub(crate) expression_attribute_names: Names,
    #[serde(default)]
    pub(crate) expression_attribute_values: Values,
    pub(crate) exclusive_start_key: Option<Values>,
    pub(crate) limit: Option<usize>,
    pub(crate) scan_index_forward: Option<bool>,
    pub(crate) consistent_read: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Scan {
    pub(crate) table_name: String,
    pub(crate) exclusive_start_key: Option<Values>,
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Put {
    pub(crate) table_name: String,
    pub(crate) item: Values,
    pub(crate) condition_expression: Option<String>,
    #[serde(default)]
    pub(crate) expression_attribute_names: Names,
    #[serde(default)]
    pub(crate) expression_attribute_values: Values,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Delete {
    pub(crate) table_name: String,
    pub(crate) key: Values,
    pub(crate) condition_expression: Option<String>,
    #[serde(default)]
    pub(crate) expression_attribute_names: Names,
    #[serde(default)]
    pub(crate) expression_attribute_values: Values,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "DynamoDB's name")]
pub(crate) struct Update {
    pub(crate) table_name: String,
    pub(crate) key: Values,
    pub(crate) update_expression: String,
    pub(crate) condition_expression: Option<String>,
    #[serde(default)]
    pub(crate) expression_attribute_names: Names,
    #[serde(default)]
    pub(crate) expression_attribute_values: Values,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Check {
    pub(crate) table_name: String,
    pub(crate) key: Values,
    pub(crate) condition_expression: String,
    #[serde(default)]
    pub(crate) expression_attribute_names: Names,
    #[serde(default)]
    pub(crate) expression_attribute_values: Values,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Transaction {
    pub(crate) transact_items: Vec<Part>,
    pub(crate) client_request_token: Option<String>,
}

/// One write, or a check.
#[derive(Debug, Deserialize)]
pub(crate) enum Part {
    Put(Put),
    Delete(Delete),
    Update(Update),
    ConditionCheck(Check),
}
