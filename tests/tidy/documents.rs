//! What the documents list, they list whole.

use std::collections::BTreeSet;

use super::sources::root;

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
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
    let read_by_code = variables(&read("shared/src/settings.rs"));

    assert!(read_by_code.len() >= 10);
    assert_eq!(variables(&read("infra/template.yaml")), read_by_code);
    assert!(read_by_code.is_subset(&variables(&read("README.md"))));
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
    let run = readme.find("cargo run -p local").unwrap();
    let test = readme.find("cargo test --workspace").unwrap();
    let deploy = readme.find("sam build").unwrap();

    assert!(run < test && test < deploy);
}
