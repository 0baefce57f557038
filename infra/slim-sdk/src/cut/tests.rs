//! Cuts of a small crate.

use super::*;

/// A crate of three operations: one has a volume, which needs a tag, one has pages, one nothing. Its error has a reason.
fn sources() -> Sources {
    let manifest = "[package]\nname = \"aws-sdk-ec2\"\n\n[[test]]\nname = \"waiters\"\n\n[[bench]]\nname = \"put\"\n\n[dependencies]\nbytes = \"1\"\n\n[hints]\nmostly-unused = true\n";
    Sources::new(
        &[
            ("lib.rs", "pub mod client;\n\n/// Waits.\npub mod waiters;\n"),
            ("config.rs", "pub struct Config;\n"),
            (
                "client.rs",
                "mod attach;\nmod create;\nmod rest;\n/// How.\npub mod customize;\npub trait Waiters {\n}\nimpl Waiters for Client {\n}\n",
            ),
            ("client/attach.rs", "// attach\n"),
            ("client/create.rs", "// create\n"),
            ("client/rest.rs", "// rest\n"),
            ("client/customize.rs", "// customize\n"),
            ("client/customize/internal.rs", "// internal\n"),
            ("operation.rs", "pub mod attach;\npub mod create;\npub mod rest;\n"),
            ("operation/attach.rs", "crate::types::Volume\n"),
            ("operation/create.rs", "/// [`Volume`](crate::types::Volume)\nmod paginator;\n"),
            ("operation/create/paginator.rs", "crate::lens::lens_token()\n"),
            ("operation/rest.rs", ""),
            (
                "protocol_serde.rs",
                "pub(crate) mod shape_tag;\npub(crate) mod shape_volume;\nfn parse() {}\n",
            ),
            ("protocol_serde/shape_tag.rs", "crate::serde_util::tag_correct_errors\n"),
            ("protocol_serde/shape_volume.rs", "crate::types::builders::TagBuilder\n"),
            (
                "types.rs",
                "pub use crate::types::_tag::Tag;\npub use crate::types::_volume::Volume;\npub use crate::types::_reason::Reason;\nmod _reason;\nmod _tag;\nmod _volume;\n/// All.\npub mod builders;\npub mod error;\n",
            ),
            (
                "types/builders.rs",
                "pub use crate::types::_tag::TagBuilder;\npub use crate::types::_volume::VolumeBuilder;\n",
            ),
            ("types/_tag.rs", "struct Tag;\n"),
            ("types/_reason.rs", "struct Reason;\n"),
            ("types/error.rs", "mod _refused;\n"),
            ("types/error/_refused.rs", "crate::types::Reason\n"),
            ("types/_volume.rs", "crate::protocol_serde::shape_volume::de()\n"),
            (
                "lens.rs",
                "// Generated.\npub(crate) fn lens_token() {\n    crate::types::Tag;\n}\npub(crate) fn lens_other() {\n}\n",
            ),
            ("serde_util.rs", "pub(crate) fn tag_correct_errors() {\n}\n"),
            (
                "error_meta.rs",
                "impl From<crate::operation::attach::Error> for Error {\n}\nimpl From<crate::operation::create::Error> for Error {\n}\npub enum Error {\n}\n",
            ),
            ("waiters.rs", "crate::operation::rest\n"),
            ("waiters/done.rs", "\n"),
        ],
        manifest,
    )
}

fn cut_to(operations: &[&str]) -> Files {
    cut(&sources(), &operations.iter().copied().collect()).unwrap()
}

#[test]
fn what_an_operation_or_an_error_needs_comes_with_it() {
    let files = cut_to(&["attach"]);

    let names: Vec<_> = files.keys().map(|name| name.trim_start_matches("src/")).collect();

    assert_eq!(
        names,
        [
            "Cargo.toml",
            "client.rs",
            "client/attach.rs",
            "client/customize.rs",
            "client/customize/internal.rs",
            "config.rs",
            "error_meta.rs",
            "lens.rs",
            "lib.rs",
            "operation.rs",
            "operation/attach.rs",
            "protocol_serde.rs",
            "protocol_serde/shape_volume.rs",
            "serde_util.rs",
            "types.rs",
            "types/_reason.rs",
            "types/_tag.rs",
            "types/_volume.rs",
            "types/builders.rs",
            "types/error.rs",
            "types/error/_refused.rs",
        ]
    );
}

#[test]
fn lists_name_only_what_is_kept() {
    let files = cut_to(&["create"]);

    assert_eq!(files["src/lib.rs"], "#![allow(warnings)]\npub mod client;\n");
    assert_eq!(files["src/client.rs"], "mod create;\n/// How.\npub mod customize;\n");
    assert_eq!(files["src/operation.rs"], "pub mod create;\n");
    assert_eq!(files["src/protocol_serde.rs"], "fn parse() {}\n");
    assert_eq!(
        files["src/types.rs"],
        "pub use crate::types::_tag::Tag;\npub use crate::types::_reason::Reason;\nmod _reason;\nmod _tag;\n/// All.\npub mod builders;\npub mod error;\n"
    );
    assert_eq!(files["src/types/builders.rs"], "pub use crate::types::_tag::TagBuilder;\n");
    assert_eq!(
        files["src/lens.rs"],
        "// Generated.\npub(crate) fn lens_token() {\n    crate::types::Tag;\n}\n"
    );
    assert_eq!(files["src/serde_util.rs"], "");
    assert_eq!(
        files["src/error_meta.rs"],
        "impl From<crate::operation::create::Error> for Error {\n}\npub enum Error {\n}\n"
    );
}

#[test]
fn the_manifest_is_a_workspace_without_tests_and_hints() {
    assert_eq!(
        cut_to(&["rest"])["Cargo.toml"],
        "[package]\nname = \"aws-sdk-ec2\"\n\n[dependencies]\nbytes = \"1\"\n\n\n[workspace]\n"
    );
}

#[test]
fn an_operation_that_there_is_not_is_named() {
    let failure = cut(&sources(), &["attach", "detach"].into()).unwrap_err();

    assert_eq!(
        failure.to_string(),
        "the crate has no operation detach; infra/slim-sdk lists what is called"
    );
}

#[test]
fn a_crate_of_another_layout_is_refused() {
    let sources = Sources::new(&[("lib.rs", "pub mod types;\n")], "");

    let failure = cut(&sources, &["attach"].into()).unwrap_err().to_string();

    assert!(failure.contains("there is no src/types.rs"), "{failure}");
    assert!(failure.contains("`cargo run -p local`"), "{failure}");
}
