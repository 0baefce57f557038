//! The table as the code makes it and as the template does: the same.

use shared::table::schema::{IndexSchema, schema};
use yaml_serde::Value;

use super::sources::root;

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The properties of the template's table.
fn table() -> Value {
    let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let template: Value = yaml_serde::from_str(&template).unwrap();
    template["Resources"]["Table"]["Properties"].clone()
}

/// Partition and sort key.
fn keys(schema: &Value) -> (String, String) {
    let keys = schema.as_sequence().unwrap();
    assert_eq!(text(&keys[0]["KeyType"]), "HASH");
    assert_eq!(text(&keys[1]["KeyType"]), "RANGE");
    (text(&keys[0]["AttributeName"]), text(&keys[1]["AttributeName"]))
}

#[test]
fn the_keys_are_the_same() {
    assert_eq!(keys(&table()["KeySchema"]), schema().key);
}

#[test]
fn the_indexes_are_the_same() {
    let table = table();
    let indexes = table["GlobalSecondaryIndexes"].as_sequence().unwrap();
    let mut there: Vec<_> = indexes
        .iter()
        .map(|index| {
            let projection = &index["Projection"];
            let attributes = projection["NonKeyAttributes"].as_sequence();
            let holds = attributes.map(|names| text(&names[0]));
            let kind = if holds.is_some() { "INCLUDE" } else { "KEYS_ONLY" };
            assert_eq!(text(&projection["ProjectionType"]), kind);
            let (partition, sort) = keys(&index["KeySchema"]);
            IndexSchema { name: text(&index["IndexName"]), partition, sort, holds }
        })
        .collect();
    let mut here = schema().indexes;

    there.sort();
    here.sort();

    assert_eq!(there, here);
}

#[test]
fn the_time_to_live_is_the_same() {
    let table = table();
    let specification = &table["TimeToLiveSpecification"];

    assert_eq!(text(&specification["AttributeName"]), schema().time_to_live);
    assert_eq!(specification["Enabled"].as_bool(), Some(true));
}

#[test]
fn the_data_survive_the_stack() {
    let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let template: Value = yaml_serde::from_str(&template).unwrap();
    let resource = &template["Resources"]["Table"];

    assert_eq!(text(&resource["DeletionPolicy"]), "RetainExceptOnCreate");
    assert_eq!(text(&resource["UpdateReplacePolicy"]), "Retain");
    assert_eq!(resource["Properties"]["DeletionProtectionEnabled"].as_bool(), Some(true));
}
