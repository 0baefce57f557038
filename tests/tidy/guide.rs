//! The API's page and its guide: whole, and true to the words of the code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::sources::{before_tests, files, root, sources};

const PAGE: &str = "functions/api/README.md";
const GUIDE: &str = "functions/api/guide";

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn chapter(name: &str) -> String {
    read(&format!("{GUIDE}/{name}.md"))
}

fn document() -> Value {
    serde_json::from_str(&read("tests/openapi.json")).unwrap()
}

/// The words that a schema allows.
fn words(document: &Value, schema: &str) -> Vec<String> {
    let schema = &document["components"]["schemas"][schema];
    let words = schema["enum"].as_array().unwrap().iter();
    words.map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// What stands in backticks, all of it cut at blanks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace).collect()
}

/// The row of each route on the API's page: its methods with their roles, and what is said of it.
fn rows(page: &str) -> BTreeMap<String, (Vec<String>, String)> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `/"));
    rows.map(|row| {
        let cells: Vec<_> = row.split(" | ").collect();
        let methods = cells[1].split(", ").map(str::to_owned).collect();
        (format!("/v1/{}", cells[0].trim_end_matches('`')), (methods, cells[2].to_owned()))
    })
    .collect()
}

#[test]
fn every_route_is_on_the_apis_page_with_its_role_and_parameters() {
    let (document, page) = (document(), read(PAGE));
    let mut rows = rows(&page);

    for (path, operations) in document["paths"].as_object().unwrap() {
        let (methods, said) = rows.remove(path).unwrap_or_else(|| panic!("{path} is not there"));
        let operations: BTreeMap<_, _> = operations
            .as_object()
            .unwrap()
            .iter()
            .filter(|(method, _)| {
                ["get", "post", "put", "patch", "delete"].contains(&method.as_str())
            })
            .map(|(method, operation)| (method.to_uppercase(), operation))
            .collect();
        let mut wanted = BTreeSet::new();
        for (method, operation) in &operations {
            let description = operation["description"].as_str().unwrap();
            let role = description.split_once("Role: ").map(|(_, role)| role);
            let role =
                role.and_then(|role| role.chars().next()).map(|role| role.to_ascii_uppercase());
            wanted.insert(role.map_or_else(|| method.clone(), |role| format!("{method} {role}")));
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            for name in parameters.filter(|one| one["in"] == "query").map(|one| &one["name"]) {
                let name = name.as_str().unwrap();
                let is_of_every_list = ["limit", "cursor"].contains(&name);
                assert!(
                    is_of_every_list || quoted(&said).contains(name),
                    "{method} {path}: {name}"
                );
            }
        }
        assert_eq!(methods.into_iter().collect::<BTreeSet<_>>(), wanted, "{path}");
    }

    assert!(rows.is_empty(), "there are no such routes: {:?}", rows.keys());
}

#[test]
fn the_words_of_the_api_are_explained() {
    let document = document();

    for (schema, name) in [
        ("SnapshotStatus", "taking-snapshots"),
        ("RunStatus", "schedules"),
        ("Condemner", "managing-and-deleting"),
        ("HoldType", "managing-and-deleting"),
        ("RestoreMode", "restoring"),
        ("ImageStatus", "images"),
        ("ProtectionStatus", "instances"),
        ("EbsSnapshotOwner", "adoption"),
        ("RefusalReason", "adoption"),
        ("AuditKind", "audit-and-events"),
        ("BlockedBy", "troubleshooting"),
    ] {
        let chapter = chapter(name);
        for word in words(&document, schema) {
            assert!(quoted(&chapter).contains(word.as_str()), "{name} lacks {word} of {schema}");
        }
    }
}

#[test]
fn every_type_of_problem_is_in_troubleshooting() {
    let kinds = read("functions/api/src/problem/kind.rs");
    let is_word = |text: &&str| {
        !text.is_empty() && text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
    };
    let types: BTreeSet<_> = kinds.split('"').skip(1).step_by(2).filter(is_word).collect();

    assert!(types.len() >= 14, "{types:?}");
    let chapter = chapter("troubleshooting");
    for one in types {
        assert!(chapter.contains(&format!("| `{one}` | ")), "{one}");
    }
}

/// The codes of failures that our code writes: what stands first, or after the restore, where one is made.
fn codes() -> BTreeSet<String> {
    let texts: Vec<String> = sources()
        .into_iter()
        .filter(|(name, _)| name.starts_with("shared/src/") && !name.contains("tests"))
        .map(|(_, text)| before_tests(&text).chars().filter(|one| !one.is_whitespace()).collect())
        .collect();
    let constant = |name: &str| {
        let declared = format!("{name}:&str=\"");
        let value =
            texts.iter().find_map(|text| text.split_once(&declared)).map(|(_, value)| value);
        value.and_then(|value| value.split('"').next()).map(str::to_owned)
    };
    let mut codes = BTreeSet::new();
    for maker in ["Failure::new(", "fail(restore,", "code:", ".fail(", ".failure("] {
        for after in texts.iter().flat_map(|text| text.split(maker).skip(1)) {
            let code = if let Some(literal) = after.strip_prefix('"') {
                literal.split('"').next().map(str::to_owned)
            } else {
                let is_of_name = |letter: char| letter.is_ascii_uppercase() || letter == '_';
                let name = after.split(|letter| !is_of_name(letter)).next().unwrap();
                constant(name).filter(|_| name.len() > 1)
            };
            codes.extend(code);
        }
    }
    codes
}

#[test]
fn every_code_of_a_failure_is_in_troubleshooting() {
    let codes = codes();

    assert!(codes.len() >= 30, "{codes:?}");
    let chapter = chapter("troubleshooting");
    for code in codes {
        assert!(quoted(&chapter).contains(code.as_str()), "{code}");
    }
}

#[test]
fn every_chapter_says_what_it_is_about_and_links_on() {
    let page = read(PAGE);

    assert!(page.lines().count() <= 150);
    for (name, text) in files(&[GUIDE], "md") {
        let lines: Vec<_> = text.lines().collect();
        assert!((60..=250).contains(&lines.len()), "{name} has {} lines", lines.len());
        assert!(lines[0].starts_with("# ") && lines[2].starts_with("This chapter "), "{name}");
        let (_, last) = text.rsplit_once("\n## ").unwrap();
        assert!(last.starts_with("Further reading\n") && last.contains("]("), "{name}");
        let file = name.rsplit('/').next().unwrap();
        assert!(page.contains(&format!("](guide/{file})")), "{PAGE} does not link {file}");
    }
}
