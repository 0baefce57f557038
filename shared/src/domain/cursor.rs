//! Pages of a list: how much, in which order, and from where on.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many items a page has unless the caller says.
pub const PAGE_DEFAULT: usize = 50;
/// How many items a page has at the most.
pub const PAGE_MAX: usize = 200;

/// A position in a list: opaque to the caller, and good after what it points at is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// The position right after the item that sorts at `key`.
    pub fn after(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// Where the item sorts that the page goes on after.
    pub fn key(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refusal = "is no cursor of ours; take the next_cursor of the page before, unchanged";
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refusal)?;
        let key = String::from_utf8(bytes).map_err(|_| refusal)?;
        if key.is_empty() || key.len() > 2_000 || key.chars().any(char::is_control) {
            return Err(refusal);
        }
        Ok(Self(key))
    }
}

/// Which way a list runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    #[default]
    NewestFirst,
    /// Oldest first.
    OldestFirst,
}

/// Which part of a list is wanted.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// How many items at the most, 1 to [`PAGE_MAX`].
    pub limit: usize,
    /// From where on; from the beginning if none.
    pub cursor: Option<Cursor>,
    pub order: Order,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: PAGE_DEFAULT, cursor: None, order: Order::default() }
    }
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items. There may be fewer than asked for, even none, although more follow.
    pub items: Vec<T>,
    /// From where on there may be more; none at the end.
    pub next_cursor: Option<Cursor>,
}

impl<T> Page<T> {
    /// The same page of other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        let Self { items, next_cursor } = self;
        Page { items: items.into_iter().map(change).collect(), next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_back(key in "[ -~]{1,200}") {
            let cursor = Cursor::after(key.clone());

            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            drop(text.parse::<Cursor>());
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "!", "bm8K"] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
