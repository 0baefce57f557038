//! A page of the audit, of one part of it or of several merged.

use crate::domain::cursor::PageRequest;
use crate::error::Error;
use crate::service::Service;
use crate::table::audit::{Entries, Pages, instant_of};

/// The place where a page goes on. A cursor that is none of ours is refused.
pub(crate) fn position(request: &PageRequest) -> Result<Option<String>, Error> {
    let refusal = "is no cursor of this list; take the next_cursor of the page before, unchanged";
    match &request.cursor {
        Some(cursor) if instant_of(cursor.key()).is_none() => {
            Err(Error::invalid("cursor", refusal))
        }
        cursor => Ok(cursor.as_ref().map(|cursor| cursor.key().to_owned())),
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
