//! Pages of what is wanted of a list: read part by part, and short rather than slow.

use std::future::Future;

use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::error::Error;
use crate::table::snapshots::Slice;

/// How many records one page looks at before it answers with what it has and a cursor.
const EXAMINED_MAX: usize = 1_000;
/// How many records are read at once where the first so many did not do: few of many are wanted.
const READ_MIN: usize = 200;

/// Some items of a list with their positions, and whether there may be more behind.
pub(crate) type Part<T> = (Vec<(String, T)>, bool);

/// A page being filled.
pub(crate) struct Filling<T> {
    limit: usize,
    examined: usize,
    items: Vec<T>,
}

impl<T> Filling<T> {
    /// A page of at most `limit` items.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, examined: 0, items: Vec::new() }
    }

    /// Takes what is wanted of these; answers where the page ends, if it is full or has seen enough.
    pub(crate) fn take(
        &mut self,
        found: Vec<(String, T)>,
        is_wanted: impl Fn(&T) -> bool,
    ) -> Option<String> {
        for (position, item) in found {
            self.examined += 1;
            if is_wanted(&item) {
                self.items.push(item);
            }
            if self.items.len() == self.limit || self.examined >= EXAMINED_MAX {
                return Some(position);
            }
        }
        None
    }

    /// How many items to ask for: at first no more than are shown, and one to know whether there are more.
    pub(crate) fn slice(&self) -> usize {
        let least = if self.examined == 0 { 0 } else { READ_MIN };
        self.limit.max(least) + 1
    }

    /// The page, which goes on after `next`.
    pub(crate) fn page(self, next: Option<String>) -> Page<T> {
        Page { items: self.items, next_cursor: next.map(Cursor::after) }
    }
}

/// One page of the items that are wanted of a list, which `read` reads a part of. The page may be short although more
/// follow, where few of many are wanted: its cursor leads on.
pub(crate) async fn collect<T, R: Future<Output = Result<Part<T>, Error>>>(
    request: &PageRequest,
    read: impl Fn(Slice) -> R,
    is_wanted: impl Fn(&T) -> bool,
) -> Result<Page<T>, Error> {
    let mut filling = Filling::new(request.limit);
    let mut after = request.cursor.as_ref().map(|cursor| cursor.key().to_owned());
    loop {
        let slice = Slice { order: request.order, limit: filling.slice(), after };
        let (items, more) = read(slice).await?;
        let last = items.last().map(|(position, _)| position.clone());
        if let Some(end) = filling.take(items, &is_wanted) {
            let goes_on = more || Some(&end) != last.as_ref();
            return Ok(filling.page(Some(end).filter(|_| goes_on)));
        }
        if !more || last.is_none() {
            return Ok(filling.page(None));
        }
        after = last;
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    /// The page of those of `count` numbers that `step` divides, and where it goes on.
    async fn page(count: usize, step: usize, after: Option<&str>) -> (Vec<usize>, Option<String>) {
        let cursor = after.map(Cursor::after);
        let request = PageRequest { limit: 2, cursor, ..PageRequest::default() };
        let read = |slice: Slice| {
            let first = slice.after.map_or(0, |after| after.parse::<usize>().unwrap() + 1);
            let end = (first + slice.limit).min(count);
            let items: Vec<_> = (first..end).map(|number| (format!("{number}"), number)).collect();
            ready(Ok((items, end < count)))
        };
        let page = collect(&request, read, |number| number % step == 0).await.unwrap();
        (page.items, page.next_cursor.map(|cursor| cursor.key().to_owned()))
    }

    #[tokio::test]
    async fn a_full_page_goes_on_after_its_last_item_unless_that_is_the_lists() {
        assert_eq!(page(3, 1, None).await, (vec![0, 1], Some("1".to_owned())));
        assert_eq!(page(3, 1, Some("1")).await, (vec![2], None));
        assert_eq!(page(2, 1, None).await, (vec![0, 1], None));
    }

    #[tokio::test]
    async fn parts_are_read_until_the_page_is_full_or_a_thousand_are_seen() {
        assert_eq!(page(2_000, 300, None).await, (vec![0, 300], Some("300".to_owned())));
        assert_eq!(page(2_000, 3_000, Some("0")).await, (vec![], Some("1000".to_owned())));
        assert_eq!(page(900, 3_000, Some("0")).await, (vec![], None));
    }
}
