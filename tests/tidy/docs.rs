//! Docs where a reader needs them: on every public type, function, constant and trait of the code that runs in AWS.
//!
//! The lint `missing_docs` would ask for them on fields too, whose names and types mostly say it all.

use super::sources::{before_tests, files};

const ITEMS: [&str; 8] =
    ["fn ", "async fn ", "const fn ", "struct ", "enum ", "trait ", "type ", "const "];

/// The public items of a text that no doc stands before.
fn undocumented(text: &str) -> Vec<&str> {
    let mut bare = Vec::new();
    let mut has_doc = false;
    let mut within_attribute = false;
    for line in text.lines().map(str::trim) {
        if within_attribute {
            within_attribute = !line.ends_with(']');
        } else if line.starts_with("#[") {
            within_attribute = !line.ends_with(']');
        } else if line.starts_with("///") {
            has_doc = true;
        } else {
            let item = line.strip_prefix("pub ");
            if item.is_some_and(|item| ITEMS.iter().any(|kind| item.starts_with(kind))) && !has_doc
            {
                bare.push(line);
            }
            has_doc = line.starts_with("$(#[");
        }
    }
    bare
}

#[test]
fn every_public_item_has_a_doc() {
    for (name, text) in files(&["shared/src", "functions"], "rs") {
        assert_eq!(undocumented(before_tests(&text)), Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn an_item_without_a_doc_is_found() {
    let text = "/// One.\n#[derive(\n    Debug,\n)]\npub struct One {\n    pub field: u32,\n}\n\npub fn two() {}\n";

    assert_eq!(undocumented(text), ["pub fn two() {}"]);
}
