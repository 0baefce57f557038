//! Patterns of tags: a key, and what its value is like.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Tags;

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
