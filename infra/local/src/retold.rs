//! A text with identifiers and instants in it, told again with others: what many are made of one by.

use jiff::{SignedDuration, Timestamp};

/// What the identifiers begin with that are told again.
const KINDS: [&str; 5] = ["snap-", "vol-", "snp_", "i-", "r-"];
/// How an instant begins, up to its seconds.
const SECONDS: &str = "2026-03-02T10:00:00";

/// A text in parts.
#[derive(Clone, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Plain(String),
    /// An identifier, or one of the words.
    Name(String),
    /// An instant, and how many digits its seconds have behind the point.
    Instant(Timestamp, usize),
}

impl Template {
    /// The text in parts. `words` are names that stand between quotes, or at the beginning of what does.
    pub fn of(text: &str, words: &[&str]) -> Self {
        let (mut parts, mut plain) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let found = instant(rest).or_else(|| name(rest, plain.chars().next_back(), words));
            let length = if let Some((part, length)) = found {
                parts.push(Part::Plain(std::mem::take(&mut plain)));
                parts.push(part);
                length
            } else {
                plain.push(first);
                first.len_utf8()
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        parts.push(Part::Plain(plain));
        Self(parts)
    }

    /// The text with its instants moved, and with what `other` gives for its names; those it gives nothing for stay.
    pub fn told(&self, other: impl Fn(&str) -> Option<String>, by: SignedDuration) -> String {
        let Self(parts) = self;
        let part = |part: &Part| match part {
            Part::Plain(text) => text.clone(),
            Part::Name(name) => other(name).unwrap_or_else(|| name.clone()),
            Part::Instant(at, digits) => {
                let (at, digits) = (at.saturating_add(by).unwrap_or(*at), *digits);
                format!("{at:.digits$}")
            }
        };
        parts.iter().map(part).collect()
    }

    /// The names in it, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Plain(_) | Part::Instant(..) => None,
        })
    }
}

/// The instant that a text begins with, and how long it is.
fn instant(text: &str) -> Option<(Part, usize)> {
    let head = text.get(..SECONDS.len())?;
    let is_like = |(one, it): (char, char)| match it {
        '0'..='9' => one.is_ascii_digit(),
        sign => one == sign,
    };
    if !head.starts_with("20") || !head.chars().zip(SECONDS.chars()).all(is_like) {
        return None;
    }
    let length = text.find('Z')? + 1;
    let at = text.get(..length)?.parse().ok()?;
    Some((Part::Instant(at, length.saturating_sub(SECONDS.len() + 2)), length))
}

/// The name that a text begins with, and how long it is; `before` stands before the text.
fn name(text: &str, before: Option<char>, words: &[&str]) -> Option<(Part, usize)> {
    let found = |length: usize| Some((Part::Name(text.get(..length)?.to_owned()), length));
    if before.is_none_or(|before| !before.is_ascii_alphanumeric())
        && let Some(kind) = KINDS.iter().find(|kind| text.starts_with(**kind))
    {
        let is_in = |one: char| one.is_ascii_hexdigit() || one == '-';
        let tail = text.get(kind.len()..)?;
        let length = tail.find(|one| !is_in(one)).unwrap_or(tail.len());
        return found(kind.len() + length);
    }
    let is_end = |tail: &str| tail.starts_with(['"', '\\', ' ']);
    let is_word = |word: &&&str| text.strip_prefix(**word).is_some_and(is_end);
    let word = words.iter().filter(|_| before == Some('"')).find(is_word)?;
    found(word.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_others_and_instants_are_moved_as_finely_as_they_were() {
        let text = r#"{"id":"snp_01a-9","at":"2026-03-02T10:00:00.000Z#snp_01a-9","Name":"web-1 2026","of":"hi-3","t":"2026-03-02T00:30:24Z","n":"web-1"}"#;
        let template = Template::of(text, &["web-1"]);
        let other = |name: &str| match name {
            "snp_01a-9" => Some("snp_x".to_owned()),
            "web-1" => Some("web-2".to_owned()),
            _ => None,
        };

        assert_eq!(
            template.names().collect::<Vec<_>>(),
            ["snp_01a-9", "snp_01a-9", "web-1", "web-1"]
        );
        assert_eq!(template.told(|_| None, SignedDuration::ZERO), text);
        assert_eq!(
            template.told(other, SignedDuration::from_hours(-1)),
            r#"{"id":"snp_x","at":"2026-03-02T09:00:00.000Z#snp_x","Name":"web-2 2026","of":"hi-3","t":"2026-03-01T23:30:24Z","n":"web-2"}"#
        );
    }
}
