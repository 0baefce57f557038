//! Parts that several nouns have on the wire: lists, short texts, fields of a PATCH.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use shared::domain::cursor::Page;
use shared::domain::snapshot;
use shared::domain::tags::{self, Tags};

use utoipa::ToSchema;

use crate::cursor::written;
use crate::problem::Problem;

/// The longest grace that can be asked for, in minutes: a year.
pub(crate) const GRACE_MINUTES_MAX: u32 = 525_600;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    /// The items. There may be fewer than `limit`, even none, although more follow.
    items: Vec<T>,
    /// Where the next page begins; null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
}

impl<T> List<T> {
    /// The page with its items as the wire has them.
    pub(crate) fn of<D>(page: Page<D>, wire: impl FnMut(D) -> T) -> Self {
        let Page { items, next_cursor } = page.map(wire);
        Self { items, next_cursor: next_cursor.as_ref().map(written) }
    }
}

/// A page of a list that can be counted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CountedList<T> {
    /// The items. There may be fewer than `limit`, even none, although more follow.
    items: Vec<T>,
    /// Where the next page begins; null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
    /// With `count=true` how many there are in all, on any page; null without.
    #[schema(required)]
    total: Option<u64>,
}

impl<T> CountedList<T> {
    /// The page with its items as the wire has them.
    pub(crate) fn of<D>(page: Page<D>, total: Option<u64>, wire: impl FnMut(D) -> T) -> Self {
        let List { items, next_cursor } = List::of(page, wire);
        Self { items, next_cursor, total }
    }
}

/// A field of a PATCH that can be cleared: absent, null, or a value.
pub(crate) type Clearable<T> = Option<Option<T>>;

/// Reads a field that can be cleared.
pub(crate) fn clearable<'de, D, T>(deserializer: D) -> Result<Clearable<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Reads a field that cannot be cleared: null is refused.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A text of at most `MAX` characters that says something, without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text<const MAX: usize>(pub(crate) String);

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_text = !text.trim().is_empty()
            && text.chars().count() <= MAX
            && !text
                .chars()
                .any(|char| (char.is_control() && char != '\n') || turns_text_round(char));
        if is_text {
            Ok(Self(text))
        } else {
            Err(D::Error::custom(format!(
                "must have 1 to {MAX} characters, not only spaces, and none that control how text is shown"
            )))
        }
    }
}

/// Whether a character is not seen and changes how those after it are shown: a name could look like another's.
fn turns_text_round(char: char) -> bool {
    matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A display name; EC2 shows it as the tag `Name`, whose values have 256 characters at the most.
pub(crate) type Name = Text<256>;
/// A description or a reason.
pub(crate) type Description = Text<1000>;

/// Why something failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Failure {
    /// EC2's error code, or one of ours.
    code: String,
    /// In words.
    message: String,
}

impl From<snapshot::Failure> for Failure {
    fn from(failure: snapshot::Failure) -> Self {
        let snapshot::Failure { code, message } = failure;
        Self { code, message }
    }
}

/// Refuses tags that EC2 would refuse.
pub(crate) fn checked_tags(field: &str, tags: Tags) -> Result<Tags, Problem> {
    match tags::refusal(&tags) {
        Some(reason) => Err(Problem::invalid(field, reason)),
        None => Ok(tags),
    }
}

/// Refuses an instant that does not lie ahead.
pub(crate) fn ahead(field: &str, instant: Timestamp, now: Timestamp) -> Result<(), Problem> {
    if instant > now {
        Ok(())
    } else {
        Err(Problem::invalid(field, format!("{instant} is past; it must lie ahead")))
    }
}

/// Refuses an end that does not lie after the start. `before` is what stands before the fields' names.
pub(crate) fn checked_bounds(
    before: &str,
    start_at: Option<Timestamp>,
    end_at: Option<Timestamp>,
) -> Result<(), Problem> {
    match (start_at, end_at) {
        (Some(start), Some(end)) if end <= start => {
            Err(Problem::invalid(format!("{before}end_at"), "must lie after start_at"))
        }
        (_, _) => Ok(()),
    }
}

/// Refuses a period that ends before it begins.
pub(crate) fn checked_period(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<(), Problem> {
    match (from, to) {
        (Some(from), Some(to)) if to <= from => Err(Problem::invalid("to", "must lie after from")),
        (_, _) => Ok(()),
    }
}

/// A whole number within these bounds, of what `unit` says.
pub(crate) fn checked_number<T: TryFrom<i64>>(
    field: &str,
    number: i64,
    (low, high): (i64, i64),
    unit: &str,
) -> Result<T, Problem> {
    let refused = || {
        Problem::invalid(field, format!("must be a whole number of {unit} from {low} to {high}"))
    };
    let number = Some(number).filter(|number| (low..=high).contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Patch {
        #[serde(default, deserialize_with = "clearable")]
        clearable: Clearable<u32>,
        #[serde(default, deserialize_with = "present")]
        present: Option<u32>,
    }

    fn patch(json: &str) -> Result<(Clearable<u32>, Option<u32>), serde_json::Error> {
        serde_json::from_str(json).map(|Patch { clearable, present }| (clearable, present))
    }

    #[test]
    fn absent_and_null_are_different_things() {
        assert_eq!(patch("{}").unwrap(), (None, None));
        assert_eq!(patch(r#"{"clearable": null}"#).unwrap(), (Some(None), None));
        assert_eq!(patch(r#"{"clearable": 1, "present": 2}"#).unwrap(), (Some(Some(1)), Some(2)));
        assert!(patch(r#"{"present": null}"#).is_err());
    }

    #[test]
    fn a_text_says_something_within_its_length() {
        let text = |text: &str| serde_json::from_value::<Text<3>>(text.into());

        assert!(text("äöü").is_ok());
        for bad in ["", "  ", "abcd", "a\u{0}", "a\u{202e}b"] {
            text(bad).expect_err(bad);
        }
    }
}
