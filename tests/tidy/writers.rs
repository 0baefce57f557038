//! Who writes: the operations, and nobody else.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{before_tests, files};

/// What speaks to AWS.
const ADAPTERS: [&str; 3] = ["shared/src/table/", "shared/src/ec2/", "shared/src/bus.rs"];
/// How they speak to it.
const CLIENTS: [&str; 2] = ["self.client.", "self.creator."];
/// The calls of AWS that change nothing, by what they begin with.
const READS: [&str; 4] = ["describe_", "get_item", "batch_get_item", "query"];
/// Who calls the adapters and must not write: the answers, what both they and the operations ask, and the functions.
const READERS: [&str; 6] = [
    "shared/src/views",
    "shared/src/regions.rs",
    "shared/src/service.rs",
    "shared/src/lambda.rs",
    "shared/src/queue.rs",
    "functions/",
];

#[test]
fn only_operations_write() {
    let writers = writers();
    for (name, text) in files(&["shared/src", "functions"], "rs") {
        if !READERS.iter().any(|place| name.starts_with(place)) || name.contains("tests") {
            continue;
        }
        for method in methods(before_tests(&text), ".") {
            assert!(!writers.contains(method), "{name} calls {method}, which writes");
        }
    }
}

#[test]
fn what_writes_is_known_from_the_calls_of_aws() {
    let writers = writers();

    for name in ["insert_snapshot", "update_members", "serve", "clear_outbox", "note_first_look"] {
        assert!(writers.contains(name), "{name} of the table writes");
    }
    for name in ["create_set", "mark_condemned", "delete_ebs_snapshot", "tag_adopted", "publish"] {
        assert!(writers.contains(name), "{name} asks for a change");
    }
    for name in ["snapshot", "list_snapshots", "unlisted", "every_image", "instances", "is_ready"] {
        assert!(!writers.contains(name), "{name} only reads");
    }
}

/// The public functions of the adapters that write to the table, ask EC2 for a change, or publish: those that make such
/// a call of AWS, and those that call one of them.
fn writers() -> BTreeSet<String> {
    let mut functions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut public = BTreeSet::new();
    for (name, text) in files(&["shared/src"], "rs") {
        if ADAPTERS.iter().any(|place| name.starts_with(place)) {
            public.extend(named_behind("pub async fn ", before_tests(&text)).map(|(name, _)| name));
            for (function, body) in named_behind("fn ", before_tests(&text)) {
                functions.entry(function).or_default().push(body);
            }
        }
    }
    let mut writers = BTreeSet::new();
    loop {
        let more: BTreeSet<_> = functions
            .iter()
            .filter(|(_, bodies)| bodies.iter().any(|body| writes(body, &writers)))
            .map(|(name, _)| name.clone())
            .collect();
        if more == writers {
            return writers.into_iter().filter(|name| public.contains(name)).collect();
        }
        writers = more;
    }
}

/// What is named behind these words, each with what stands before the next.
fn named_behind(words: &str, text: &str) -> impl Iterator<Item = (String, String)> {
    text.split(words).skip(1).filter_map(|part| {
        let (name, body) = part.split_at(part.find(['(', '<'])?);
        Some((name.to_owned(), body.split_whitespace().collect::<String>()))
    })
}

/// Whether a function without its spaces makes a call of AWS that changes something, or calls one of `writers`.
fn writes(body: &str, writers: &BTreeSet<String>) -> bool {
    let changes = |call: &str| !READS.iter().any(|read| call.starts_with(read));
    let mut calls = CLIENTS.iter().flat_map(|client| body.split(client).skip(1));
    calls.any(changes) || methods(body, "self.").any(|method| writers.contains(method))
}

/// The methods that a text calls on what ends like this.
fn methods<'a>(text: &'a str, on: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(on).skip(1).filter_map(|part| {
        let end = part.find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))?;
        (part.as_bytes().get(end) == Some(&b'(')).then(|| &part[..end])
    })
}
