//! Tables, and the calls that make and describe them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::{
    refusal::{Outcome, Refusal},
    requests::{AttributeDefinition, CreateTable, NewIndex, OfTable, UpdateTimeToLive},
    table::{Index, KeyNames, Table},
    tokens_seen::TokensSeen,
};

/// All tables.
#[derive(Debug, Default)]
pub(crate) struct Database {
    tables: BTreeMap<String, Table>,
    pub(crate) tokens: TokensSeen,
}

impl Database {
    pub(crate) fn table(&self, name: &str) -> Outcome<&Table> {
        self.tables.get(name).ok_or_else(|| Refusal::NoTable(name.to_owned()))
    }

    pub(crate) fn table_mut(&mut self, name: &str) -> Outcome<&mut Table> {
        self.tables.get_mut(name).ok_or_else(|| Refusal::NoTable(name.to_owned()))
    }

    pub(crate) fn create_table(&mut self, request: &CreateTable) -> Outcome<Json> {
        let CreateTable { table_name, key_schema, attribute_definitions, .. } = request;
        if self.tables.contains_key(table_name) {
            return Err(Refusal::TableExists(table_name.clone()));
        }
        let names = KeyNames::of(key_schema)?;
        let mut keys: BTreeSet<String> = names.names().cloned().collect();
        let mut indexes = BTreeMap::new();
        for NewIndex { index_name, key_schema, projection } in &request.global_secondary_indexes {
            let holds = projection.non_key_attributes.clone();
            if projection.projection_type != projection_type(&holds) {
                return Err(Refusal::invalid("indexes here hold keys, or what they name beside"));
            }
            let names = KeyNames::of(key_schema)?;
            keys.extend(names.names().cloned());
            indexes.insert(index_name.clone(), Index { names, holds, entries: BTreeSet::new() });
        }
        are_texts(&keys, attribute_definitions)?;
        let table = Table { names, items: BTreeMap::new(), indexes, time_to_live: None };
        let answer = json!({ "TableDescription": described(table_name, &table) });
        self.tables.insert(table_name.clone(), table);
        Ok(answer)
    }

    pub(crate) fn describe_table(&self, OfTable { table_name }: &OfTable) -> Outcome<Json> {
        Ok(json!({ "Table": described(table_name, self.table(table_name)?) }))
    }

    pub(crate) fn update_time_to_live(&mut self, request: UpdateTimeToLive) -> Outcome<Json> {
        let UpdateTimeToLive { table_name, time_to_live_specification: given } = request;
        let attribute = given.enabled.then(|| given.attribute_name.clone());
        self.table_mut(&table_name)?.time_to_live = attribute;
        let answer = json!({ "Enabled": given.enabled, "AttributeName": given.attribute_name });
        Ok(json!({ "TimeToLiveSpecification": answer }))
    }

    pub(crate) fn describe_time_to_live(&self, OfTable { table_name }: &OfTable) -> Outcome<Json> {
        let description = match &self.table(table_name)?.time_to_live {
            Some(name) => json!({ "TimeToLiveStatus": "ENABLED", "AttributeName": name }),
            None => json!({ "TimeToLiveStatus": "DISABLED" }),
        };
        Ok(json!({ "TimeToLiveDescription": description }))
    }
}

/// Refuses keys that are no texts, and attributes that are not defined as they are used.
fn are_texts(keys: &BTreeSet<String>, definitions: &[AttributeDefinition]) -> Outcome<()> {
    let defined: BTreeSet<String> =
        definitions.iter().map(|one| one.attribute_name.clone()).collect();
    if defined != *keys || definitions.iter().any(|one| one.attribute_type != "S") {
        return Err(Refusal::invalid("the attributes of keys, and only these, are texts here"));
    }
    Ok(())
}

fn projection_type(holds: &[String]) -> &'static str {
    if holds.is_empty() { "KEYS_ONLY" } else { "INCLUDE" }
}

fn projection(holds: &[String]) -> Json {
    let kind = projection_type(holds);
    if holds.is_empty() {
        return json!({ "ProjectionType": kind });
    }
    json!({ "ProjectionType": kind, "NonKeyAttributes": holds })
}

fn described(name: &str, table: &Table) -> Json {
    let index = |(name, index): (&String, &Index)| {
        json!({
            "IndexName": name, "KeySchema": index.names.schema(), "IndexStatus": "ACTIVE",
            "Projection": projection(&index.holds),
        })
    };
    let indexes: Vec<_> = table.indexes.iter().map(index).collect();
    json!({
        "TableName": name, "TableStatus": "ACTIVE", "KeySchema": table.names.schema(),
        "GlobalSecondaryIndexes": indexes,
    })
}
