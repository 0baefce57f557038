//! A page of the audit, of one part of it or of several merged.

use crate::domain::audit::AuditItem;
use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::error::Error;
use crate::service::Service;
use crate::table::audit::{Entries, Pages};
use crate::table::keys::audit as keys;

/// How many entries one page looks at before it answers with what it has and a cursor.
pub(crate) const EXAMINED_MAX: usize = 1_000;

/// The place where a page goes on. A cursor that is none of ours is refused.
pub(crate) fn position(request: &PageRequest) -> Result<Option<String>, Error> {
    let refusal = "is no cursor of this list; take the next_cursor of the page before, unchanged";
    match &request.cursor {
        Some(cursor) if keys::instant_of(cursor.key()).is_none() => {
            Err(Error::invalid("cursor", refusal))
        }
        cursor => Ok(cursor.as_ref().map(|cursor| cursor.key().to_owned())),
    }
}

/// A page being filled.
pub(crate) struct Filling {
    limit: usize,
    examined: usize,
    items: Vec<AuditItem>,
}

impl Filling {
    /// One of at most `limit` entries.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, examined: 0, items: Vec::new() }
    }

    /// Takes of these what is wanted; answers where the page ends, if it is full or has seen enough.
    pub(crate) fn take(
        &mut self,
        found: Vec<(String, AuditItem)>,
        is_wanted: impl Fn(&AuditItem) -> bool,
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

    /// The number of entries to ask for.
    pub(crate) fn slice(&self) -> usize {
        self.limit.max(50) + 1
    }

    /// The page, which goes on after `next`.
    pub(crate) fn page(self, next: Option<String>) -> Page<AuditItem> {
        Page { items: self.items, next_cursor: next.map(Cursor::after) }
    }
}

/// The next entries of all `parts` together before `before`, the newest first. `more`: whether there may be older
/// ones.
pub(crate) async fn merged(
    service: &Service,
    parts: &[Pages],
    before: Option<&str>,
    limit: usize,
) -> Result<Entries, Error> {
    let mut items = Vec::new();
    let mut more = false;
    // A part that goes on behind what was read bounds what can be merged: what lies behind that is not known yet.
    let mut bound: Option<String> = None;
    for part in parts {
        let found = service.table.entries(part, before, limit).await?;
        if found.more {
            more = true;
            let end = found.items.last().map(|(position, _)| position.clone());
            bound = bound.max(end);
        }
        items.extend(found.items);
    }
    items.sort_by(|(one, _), (other, _)| other.cmp(one));
    if let Some(bound) = bound {
        items.retain(|(position, _)| *position >= bound);
    }
    Ok(Entries { items, more })
}
