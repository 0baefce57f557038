//! Why there is no copy.

use std::{fmt, io, path::Path};

/// A sentence for whoever called.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// The crate has changed its shape, and the rules here must follow.
    pub(crate) fn unknown_layout(what: impl fmt::Display) -> Self {
        Self(format!(
            "the crate is laid out differently from what infra/slim-sdk knows: {what}; until that is mended, use the \
             whole crate: `cargo run -p local`, `cargo test --workspace`"
        ))
    }

    pub(crate) fn file(path: &Path, error: &io::Error) -> Self {
        Self(format!("{}: {error}", path.display()))
    }

    /// The same, with the crate's name.
    pub(crate) fn of(self, name: &str) -> Self {
        Self(format!("{name}: {}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
