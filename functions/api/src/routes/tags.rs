//! Tag patterns and selectors on the wire.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use shared::domain::schedule::selector as domain;
use shared::domain::tags::{TAGS_MAX, pattern as patterns};
use utoipa::ToSchema;

/// How many characters EC2 allows a tag's key and its value.
const KEY_LENGTH_MAX: usize = 128;
const VALUE_LENGTH_MAX: usize = 256;

/// A tag that something bears, or must not bear.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TagPattern {
    /// Its key, exactly.
    #[serde(deserialize_with = "key")]
    #[schema(min_length = 1, max_length = 128, example = "backup")]
    key: String,
    /// What its value is like: `*` stands for any text, `\*` for a star itself.
    #[serde(deserialize_with = "value")]
    #[schema(max_length = 256, example = "daily*")]
    value: String,
}

/// Tags of which one or all are asked for, as many as EC2 allows a resource.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<TagPattern>")]
pub(super) struct Patterns(Vec<TagPattern>);

/// Instances by the tags they bear; an empty list asks nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "what people call them")]
pub(super) struct Selector {
    /// They must bear all of these.
    #[serde(default)]
    #[schema(value_type = Vec<TagPattern>, max_items = 50)]
    all_of: Patterns,
    /// They must bear at least one of these, if there are any.
    #[serde(default)]
    #[schema(value_type = Vec<TagPattern>, max_items = 50)]
    any_of: Patterns,
    /// They must bear none of these.
    #[serde(default)]
    #[schema(value_type = Vec<TagPattern>, max_items = 50)]
    none_of: Patterns,
}

fn key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let key = String::deserialize(deserializer)?;
    if (1..=KEY_LENGTH_MAX).contains(&key.chars().count()) {
        Ok(key)
    } else {
        Err(D::Error::custom(format!("must have 1 to {KEY_LENGTH_MAX} characters")))
    }
}

fn value<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = String::deserialize(deserializer)?;
    if value.chars().count() <= VALUE_LENGTH_MAX {
        Ok(value)
    } else {
        Err(D::Error::custom(format!("must have at most {VALUE_LENGTH_MAX} characters")))
    }
}

impl TryFrom<Vec<TagPattern>> for Patterns {
    type Error = String;

    fn try_from(tags: Vec<TagPattern>) -> Result<Self, Self::Error> {
        if tags.len() <= TAGS_MAX {
            Ok(Self(tags))
        } else {
            Err(format!("{} tags are too many; at most {TAGS_MAX} are possible", tags.len()))
        }
    }
}

impl From<Patterns> for Vec<patterns::TagPattern> {
    fn from(Patterns(tags): Patterns) -> Self {
        tags.into_iter().map(Into::into).collect()
    }
}

impl From<Vec<patterns::TagPattern>> for Patterns {
    fn from(tags: Vec<patterns::TagPattern>) -> Self {
        Self(tags.into_iter().map(Into::into).collect())
    }
}

impl From<TagPattern> for patterns::TagPattern {
    fn from(tag: TagPattern) -> Self {
        let TagPattern { key, value } = tag;
        Self { key, value: patterns::Pattern::new(value) }
    }
}

impl From<patterns::TagPattern> for TagPattern {
    fn from(tag: patterns::TagPattern) -> Self {
        let patterns::TagPattern { key, value } = tag;
        Self { key, value: value.to_string() }
    }
}

impl From<Selector> for domain::Selector {
    fn from(selector: Selector) -> Self {
        let Selector { all_of, any_of, none_of } = selector;
        Self { all_of: all_of.into(), any_of: any_of.into(), none_of: none_of.into() }
    }
}

impl From<domain::Selector> for Selector {
    fn from(selector: domain::Selector) -> Self {
        let domain::Selector { all_of, any_of, none_of } = selector;
        Self { all_of: all_of.into(), any_of: any_of.into(), none_of: none_of.into() }
    }
}
