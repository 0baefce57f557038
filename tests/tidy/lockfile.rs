//! The bans of `deny.toml`, read off `Cargo.lock`.

use super::sources::root;

/// The versions of a package in the lockfile.
fn versions(name: &str) -> Vec<String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let wanted = format!("name = \"{name}\"\nversion = \"");
    lock.match_indices(&wanted)
        .map(|(at, _)| lock[at + wanted.len()..].split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_banned_is_not_locked() {
    for name in ["chrono-tz", "native-tls", "openssl", "openssl-sys"] {
        assert_eq!(versions(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_sdks_legacy_client_is_not_locked() {
    assert!(versions("rustls").iter().all(|version| !version.starts_with("0.21")));
    assert!(versions("hyper").iter().all(|version| version.starts_with("1.")));
}

#[test]
fn each_sdk_crate_is_locked_once() {
    for name in ["aws-sdk-ec2", "aws-sdk-dynamodb", "aws-sdk-eventbridge", "tokio", "jiff"] {
        assert_eq!(versions(name).len(), 1, "{name}");
    }
}

#[test]
fn everything_comes_from_the_registry() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();

    let elsewhere: Vec<_> = lock
        .lines()
        .filter(|line| line.starts_with("source = ") && !line.contains("registry+"))
        .collect();

    assert_eq!(elsewhere, Vec::<&str>::new());
}
