//! Tag selectors: which instances a schedule is for, by the tags they bear when its slot is due.

use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::tags::Tags;
use crate::domain::tags::pattern::{Pattern, TagPattern};

/// Instances by their tags. An empty list asks nothing; a selector of empty lists selects nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Selector {
    /// An instance must bear all of these.
    pub all_of: Vec<TagPattern>,
    /// An instance must bear at least one of these, if there are any.
    pub any_of: Vec<TagPattern>,
    /// An instance must bear none of these.
    pub none_of: Vec<TagPattern>,
}

impl Selector {
    /// Whether it selects nothing, since it asks nothing.
    pub fn is_empty(&self) -> bool {
        let Self { all_of, any_of, none_of } = self;
        all_of.is_empty() && any_of.is_empty() && none_of.is_empty()
    }

    /// Whether it selects what bears these tags.
    pub fn selects(&self, tags: &Tags) -> bool {
        let is_borne = |pattern: &TagPattern| pattern.matches(tags);
        !self.is_empty()
            && self.all_of.iter().all(is_borne)
            && (self.any_of.is_empty() || self.any_of.iter().any(is_borne))
            && !self.none_of.iter().any(is_borne)
    }

    /// All its patterns.
    pub fn patterns(&self) -> impl Iterator<Item = &TagPattern> {
        self.all_of.iter().chain(&self.any_of).chain(&self.none_of)
    }
}

impl<'de> Deserialize<'de> for Selector {
    /// Reads a plain list as well, which an earlier version stored: all of these tags, exactly.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Stored {
            Lists {
                #[serde(default)]
                all_of: Vec<TagPattern>,
                #[serde(default)]
                any_of: Vec<TagPattern>,
                #[serde(default)]
                none_of: Vec<TagPattern>,
            },
            All(Vec<TagPattern>),
        }

        Ok(match Stored::deserialize(deserializer)? {
            Stored::Lists { all_of, any_of, none_of } => Self { all_of, any_of, none_of },
            Stored::All(tags) => {
                let exactly = |tag: TagPattern| TagPattern {
                    value: Pattern::exactly(tag.value.as_str()),
                    ..tag
                };
                Self { all_of: tags.into_iter().map(exactly).collect(), ..Self::default() }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(json: &str) -> Selector {
        serde_json::from_str(json).unwrap()
    }

    fn tags(tags: &[(&str, &str)]) -> Tags {
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn all_any_and_none_must_hold_together() {
        let selector = selector(
            r#"{
                "all_of": [{"key": "Backup", "value": "*"}],
                "any_of": [{"key": "Env", "value": "prod"}, {"key": "Env", "value": "stage-*"}],
                "none_of": [{"key": "Name", "value": "*test*"}]
            }"#,
        );

        for (borne, expected) in [
            (tags(&[("Backup", "daily"), ("Env", "prod")]), true),
            (tags(&[("Backup", ""), ("Env", "stage-1"), ("Name", "web")]), true),
            (tags(&[("Env", "prod")]), false),
            (tags(&[("Backup", "daily"), ("Env", "dev")]), false),
            (tags(&[("Backup", "daily"), ("Env", "prod"), ("Name", "my test 1")]), false),
        ] {
            assert_eq!(selector.selects(&borne), expected, "{borne:?}");
        }
    }

    #[test]
    fn none_alone_selects_all_the_others_and_nothing_asked_selects_nothing() {
        let others = selector(r#"{"none_of": [{"key": "Backup", "value": "no"}]}"#);

        assert!(others.selects(&tags(&[])) && others.selects(&tags(&[("Backup", "yes")])));
        assert!(!others.selects(&tags(&[("Backup", "no")])));
        assert!(!selector("{}").selects(&tags(&[("Backup", "yes")])));
    }

    #[test]
    fn a_list_that_an_earlier_version_stored_means_all_of_these_exactly() {
        let selector = selector(r#"[{"key": "a", "value": "x*"}]"#);

        assert!(selector.selects(&tags(&[("a", "x*")])));
        assert!(!selector.selects(&tags(&[("a", "xy")])));
    }
}
