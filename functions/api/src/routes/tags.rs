//! Tag patterns and selectors on the wire.

use serde::{Deserialize, Serialize};
use shared::domain::schedule::selector as domain;
use utoipa::ToSchema;

/// A tag that something bears, or must not bear.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TagPattern {
    /// Its key, exactly.
    #[schema(example = "backup")]
    key: String,
    /// What its value is like: `*` stands for any text, `\*` for a star itself.
    #[schema(example = "daily*")]
    value: String,
}

/// Instances by the tags they bear; an empty list asks nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "what people call them")]
pub(super) struct Selector {
    /// They must bear all of these.
    #[serde(default)]
    #[schema(max_items = 50)]
    all_of: Vec<TagPattern>,
    /// They must bear at least one of these, if there are any.
    #[serde(default)]
    #[schema(max_items = 50)]
    any_of: Vec<TagPattern>,
    /// They must bear none of these.
    #[serde(default)]
    #[schema(max_items = 50)]
    none_of: Vec<TagPattern>,
}

impl From<TagPattern> for domain::TagPattern {
    fn from(tag: TagPattern) -> Self {
        let TagPattern { key, value } = tag;
        Self { key, value: domain::Pattern::new(value) }
    }
}

impl From<domain::TagPattern> for TagPattern {
    fn from(tag: domain::TagPattern) -> Self {
        let domain::TagPattern { key, value } = tag;
        Self { key, value: value.to_string() }
    }
}

impl From<Selector> for domain::Selector {
    fn from(selector: Selector) -> Self {
        let Selector { all_of, any_of, none_of } = selector;
        let [all_of, any_of, none_of] =
            [all_of, any_of, none_of].map(|tags| tags.into_iter().map(Into::into).collect());
        Self { all_of, any_of, none_of }
    }
}

impl From<domain::Selector> for Selector {
    fn from(selector: domain::Selector) -> Self {
        let domain::Selector { all_of, any_of, none_of } = selector;
        let [all_of, any_of, none_of] =
            [all_of, any_of, none_of].map(|tags| tags.into_iter().map(Into::into).collect());
        Self { all_of, any_of, none_of }
    }
}
