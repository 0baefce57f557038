//! The fields of the table's items, as DynamoDB's own JSON has them.

use serde_json::{Map, Value};

/// Every field of an item by its path, with the type of its value.
pub(crate) fn fields(item: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk("", item.as_object().unwrap(), &mut found);
    found
}

fn walk(path: &str, fields: &Map<String, Value>, found: &mut Vec<(String, String)>) {
    for (name, value) in fields {
        let (kind, inner) = value.as_object().unwrap().iter().next().unwrap();
        let path = format!("{path}.{name}");
        if let ("M", Some(inner)) = (kind.as_str(), inner.as_object()) {
            walk(&path, inner, found);
        } else {
            found.push((path, kind.clone()));
        }
    }
}
