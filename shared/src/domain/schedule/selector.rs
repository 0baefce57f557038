//! Tag selectors: which instances a schedule is for, by the tags they bear when its slot is due.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::tags::Tags;

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

/// A tag of this key whose value matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagPattern {
    /// The tag's key, exactly.
    pub key: String,
    /// What its value is like.
    pub value: Pattern,
}

/// A text in which `*` stands for any text, also for none, and `\*` for a star, `\\` for a backslash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

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

impl TagPattern {
    /// Whether one of these tags is like this.
    pub fn matches(&self, tags: &Tags) -> bool {
        tags.get(&self.key).is_some_and(|value| self.value.matches(value))
    }
}

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Any text.
    Star,
    /// This letter.
    Letter(char),
}

impl Pattern {
    /// A pattern as it is written.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The pattern that only `text` itself matches.
    pub fn exactly(text: &str) -> Self {
        Self(text.replace('\\', "\\\\").replace('*', "\\*"))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts in order. A backslash before anything but a star or a backslash is itself.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut letters = self.0.chars().peekable();
        while let Some(letter) = letters.next() {
            parts.push(match (letter, letters.peek()) {
                ('\\', Some(&escaped @ ('*' | '\\'))) => {
                    letters.next();
                    Part::Letter(escaped)
                }
                ('*', _) => Part::Star,
                (letter, _) => Part::Letter(letter),
            });
        }
        parts
    }

    /// Whether `text` as a whole is like this; case matters.
    pub fn matches(&self, text: &str) -> bool {
        let (parts, text) = (self.parts(), text.chars().collect::<Vec<_>>());
        let (mut part, mut letter) = (0, 0);
        // Where to go back to: behind the last star, with one more letter given to it.
        let mut star: Option<(usize, usize)> = None;
        while letter < text.len() {
            match parts.get(part) {
                Some(Part::Star) => {
                    star = Some((part + 1, letter));
                    part += 1;
                }
                Some(Part::Letter(wanted)) if text.get(letter) == Some(wanted) => {
                    part += 1;
                    letter += 1;
                }
                Some(Part::Letter(_)) | None => {
                    let Some((behind, given)) = star else { return false };
                    star = Some((behind, given + 1));
                    (part, letter) = (behind, given + 1);
                }
            }
        }
        parts.iter().skip(part).all(|part| *part == Part::Star)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
    use proptest::prelude::*;

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
    fn a_star_is_any_text_and_an_escaped_one_is_itself() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("web-*", "web-1", true),
            ("web-*", "webs-1", false),
            ("*-db-*", "eu-db-1-db-2", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("w?b", "web", false),
            ("w?b", "w?b", true),
            (r"\*", "*", true),
            (r"\*", "x", false),
            (r"a\\*", r"a\b", true),
            (r"a\b", r"a\b", true),
            ("WEB", "web", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_list_that_an_earlier_version_stored_means_all_of_these_exactly() {
        let selector = selector(r#"[{"key": "a", "value": "x*"}]"#);

        assert!(selector.selects(&tags(&[("a", "x*")])));
        assert!(!selector.selects(&tags(&[("a", "xy")])));
    }

    proptest! {
        #[test]
        fn matching_agrees_with_trying_everything(
            pattern in "[ab*\\\\]{0,7}",
            text in "[ab*\\\\]{0,7}",
        ) {
            fn tried(parts: &[Part], text: &[char]) -> bool {
                match parts.split_first() {
                    None => text.is_empty(),
                    Some((Part::Star, rest)) => {
                        (0..=text.len()).any(|given| tried(rest, &text[given..]))
                    }
                    Some((Part::Letter(letter), rest)) => {
                        text.first() == Some(letter) && tried(rest, &text[1..])
                    }
                }
            }
            let pattern = Pattern::new(pattern);
            let letters: Vec<_> = text.chars().collect();

            prop_assert_eq!(pattern.matches(&text), tried(&pattern.parts(), &letters));
        }

        #[test]
        fn what_is_meant_exactly_matches_itself_only(text in "\\PC{0,9}", other in "\\PC{0,9}") {
            let pattern = Pattern::exactly(&text);

            prop_assert!(pattern.matches(&text));
            prop_assert_eq!(pattern.matches(&other), text == other);
        }
    }
}
