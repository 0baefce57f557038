//! Documents: complete lists, links that lead somewhere, paths that exist, lengths that a reader finishes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use super::markdown::{anchors, code_spans, links};
use super::sources::{files, root};

/// How many lines a document may have.
const LINES_MAX: [(&str, usize); 7] = [
    ("README.md", 180),
    ("ARCHITECTURE.md", 220),
    ("functions/README.md", 60),
    ("functions/api/README.md", 150),
    ("functions/console/README.md", 90),
    ("infra/README.md", 120),
    ("tests/README.md", 80),
];
/// The documents whose code spans are held against the checkout.
const NAMING_PATHS: [&str; 7] = [
    "ARCHITECTURE.md",
    "events/README.md",
    "functions/README.md",
    "infra/README.md",
    "shared/DECISIONS.md",
    "shared/benches/README.md",
    "tests/README.md",
];
/// What the names of our files end with.
const ENDINGS: [&str; 6] = [".json", ".md", ".py", ".rs", ".toml", ".yaml"];
/// Where a path in a document may begin beside the checkout and the document's own folder.
const SHORT_FORM_OF: &str = "shared/src";

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All documents, by their path from the checkout.
fn documents() -> BTreeMap<String, String> {
    let below = files(&["shared", "functions", "infra", "events", "tests"], "md");
    let top = ["README.md", "ARCHITECTURE.md"].map(|name| (name.to_owned(), read(name)));
    top.into_iter().chain(below).collect()
}

/// The folder that a document is in.
fn folder(document: &str) -> &Path {
    Path::new(document).parent().unwrap()
}

/// A path from the checkout without `.` and `..`; none if it leads out of the checkout.
fn normal(path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// The file and the anchor that a link of a document leads to; none if it leads elsewhere in the world.
fn destination(document: &str, link: &str) -> Option<(Option<String>, Option<String>)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (link, None),
    };
    let file = match path {
        "" => Some(document.to_owned()),
        path => normal(&folder(document).join(path)),
    };
    Some((file, anchor))
}

/// The links that lead nowhere.
fn broken_links(documents: &BTreeMap<String, String>) -> Vec<String> {
    let mut broken = Vec::new();
    for (document, text) in documents {
        for link in links(text) {
            let Some((file, anchor)) = destination(document, &link) else { continue };
            let is_whole = file.is_some_and(|file| match (documents.get(&file), anchor) {
                (Some(text), Some(anchor)) => anchors(text).contains(&anchor),
                (Some(_), None) => true,
                (None, anchor) => anchor.is_none() && root().join(file).exists(),
            });
            if !is_whole {
                broken.push(format!("{document}: {link}"));
            }
        }
    }
    broken
}

/// The documents that links lead to from the README, over any number of others.
fn reachable(documents: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec!["README.md".to_owned()];
    while let Some(document) = waiting.pop() {
        let Some(text) = documents.get(&document) else { continue };
        if found.insert(document.clone()) {
            let targets = links(text).into_iter().filter_map(|link| destination(&document, &link));
            waiting.extend(targets.filter_map(|(file, _)| file));
        }
    }
    found
}

/// The paths in a document's code spans that do not exist. A span with a slash is a path where its first part exists or
/// its last has an ending of ours. What follows a placeholder (`<noun>`, `…`) is not looked at.
fn missing_paths(document: &str, text: &str) -> Vec<String> {
    let bases = [Path::new(""), Path::new(SHORT_FORM_OF), folder(document)];
    let exists = |path: &str| bases.iter().any(|base| root().join(base).join(path).exists());
    let is_path = |span: &str| {
        let first = span.split_once('/').map(|(first, _)| first).filter(|first| !first.is_empty());
        let has_our_ending = ENDINGS.iter().any(|ending| span.ends_with(ending));
        !span.contains(char::is_whitespace)
            && first.is_some_and(|first| has_our_ending || exists(first))
    };
    let certain = |span: &str| {
        let part_ends = span.find(['<', '…', '*']).and_then(|at| span[..at].rfind('/'));
        part_ends.map_or(span, |at| &span[..at]).to_owned()
    };
    let paths = code_spans(text).into_iter().filter(|span| is_path(span));
    paths.filter(|span| !exists(&certain(span))).map(|span| format!("{document}: {span}")).collect()
}

/// All words that begin with `SNAPKEEP_`.
fn variables(text: &str) -> BTreeSet<String> {
    text.split(|letter: char| !(letter.is_ascii_uppercase() || letter == '_'))
        .filter(|word| word.starts_with("SNAPKEEP_") && word.len() > "SNAPKEEP_".len())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_setting_is_read_set_and_explained() {
    let mut read_by_code = variables(&read("shared/src/settings.rs"));
    // The page has settings of its own; what is local about them has no place in the template.
    let page = variables(&read("functions/console/src/settings.rs"));
    read_by_code.extend(page.into_iter().filter(|name| !name.starts_with("SNAPKEEP_PAGE_")));

    assert!(read_by_code.len() >= 10);
    assert_eq!(variables(&read("infra/template.yaml")), read_by_code);
    assert!(read_by_code.is_subset(&variables(&read("infra/README.md"))));
}

/// Browsers may call from the page beside the API and from nowhere else.
#[test]
fn the_http_api_lets_in_no_other_origin() {
    let template = read("infra/template.yaml");

    assert!(template.contains("AWS::Serverless::HttpApi"));
    assert!(!template.contains("CorsConfiguration"));
}

#[test]
fn every_event_file_is_listed() {
    let list = read("events/README.md");

    for entry in std::fs::read_dir(root().join("events")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(list.contains(&name) || name == "README.md", "{name}");
    }
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let readme = read("README.md");
    let first_block = readme.split("```console\n").nth(1).unwrap().split("```").next().unwrap();

    assert_eq!(first_block, "$ cargo start\n$ cargo slim test --workspace\n");
}

#[test]
fn every_document_is_short_enough_to_finish() {
    for (document, max) in LINES_MAX {
        let lines = read(document).lines().count();
        assert!(lines <= max, "{document} has {lines} lines; at most {max}");
    }
}

#[test]
fn every_link_leads_somewhere() {
    assert_eq!(broken_links(&documents()), [""; 0]);
}

#[test]
fn every_document_can_be_reached_from_the_readme() {
    let documents = documents();
    let found = reachable(&documents);
    let lost: Vec<_> = documents.keys().filter(|document| !found.contains(*document)).collect();

    assert!(lost.is_empty(), "no link leads to {lost:?}");
}

#[test]
fn every_path_in_a_document_exists() {
    let missing: Vec<_> =
        NAMING_PATHS.iter().flat_map(|document| missing_paths(document, &read(document))).collect();

    assert_eq!(missing, [""; 0]);
}

/// The first column of the map is paths; an indented line names files or folders of the path above it.
#[test]
fn every_path_of_the_map_exists() {
    let text = read("ARCHITECTURE.md");
    let map = text.split("## Map\n\n```text\n").nth(1).unwrap().split("```").next().unwrap();
    let mut above = "";
    for line in map.lines() {
        let column = line.trim_start().split("  ").next().unwrap();
        if line.starts_with(' ') {
            for name in column.split_whitespace() {
                let path = root().join(above).join(name);
                assert!(path.exists() || path.with_extension("rs").exists(), "{above}/{name}");
            }
        } else {
            let path = column.split([' ', ',', '<', '*']).next().unwrap();
            assert!(root().join(path).exists(), "{path}");
            above = path;
        }
    }
}

#[test]
fn a_link_that_leads_nowhere_is_found_out() {
    let readme = "# Title\n[a](#title) [b](#none) [c](tests/README.md#one) [d](tests/README.md#two)\n\
        [e](Cargo.toml) [f](none.md) [g](../outside.md) [h](https://example.com/none)";
    let documents = BTreeMap::from([
        ("README.md".to_owned(), readme.to_owned()),
        ("tests/README.md".to_owned(), "## One\n[i](../Cargo.toml) [j](Cargo.lock)".to_owned()),
    ]);

    let broken = broken_links(&documents);

    assert_eq!(
        broken,
        [
            "README.md: #none",
            "README.md: tests/README.md#two",
            "README.md: none.md",
            "README.md: ../outside.md",
            "tests/README.md: Cargo.lock",
        ]
    );
}

#[test]
fn a_path_that_is_not_there_is_found_out() {
    let text = "`tests/tidy/documents.rs` `domain/schedule/none.rs` `tidy/none.rs` `tests/<noun>/none.rs` \
        `events/<noun>.json` `n/a` `cargo test tests/none` `table/` `nowhere/none.rs`";

    let missing = missing_paths("tests/README.md", text);

    assert_eq!(
        missing,
        [
            "tests/README.md: domain/schedule/none.rs",
            "tests/README.md: tidy/none.rs",
            "tests/README.md: nowhere/none.rs",
        ]
    );
}

#[test]
fn a_document_without_a_link_to_it_is_found_out() {
    let documents = BTreeMap::from([
        ("README.md".to_owned(), "[a](functions/README.md)".to_owned()),
        ("functions/README.md".to_owned(), "[b](api/README.md)".to_owned()),
        ("functions/api/README.md".to_owned(), "[c](../README.md)".to_owned()),
        ("infra/README.md".to_owned(), "[d](../README.md)".to_owned()),
    ]);

    let found = reachable(&documents);

    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        ["README.md", "functions/README.md", "functions/api/README.md"]
    );
}
