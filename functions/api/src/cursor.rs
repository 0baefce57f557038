//! Cursors on the wire: each belongs to its list, its filters and its order.
//!
//! A cursor of another list would be read as a position of this one, and look like its end. So each bears a digest of the
//! path and the parameters that it was answered to, all but `limit`, `count` and itself.

use std::future::Future;

use shared::domain::cursor::Cursor;
use shared::domain::ids::digest;
use tokio::task_local;

use crate::problem::Problem;

/// How many characters of the digest a cursor bears.
const LENGTH: usize = 8;

task_local! {
    /// What the cursors of the answer at hand belong to.
    static SCOPE: Scope;
}

/// What a cursor belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope(String);

impl Scope {
    /// What the cursors of an answer to this path and these parameters belong to.
    pub(crate) fn of(path: &str, given: &[(String, String)]) -> Self {
        let counts = |name: &str| !matches!(name, "limit" | "cursor" | "count");
        let mut pairs: Vec<_> = given
            .iter()
            .filter(|(name, _)| counts(name))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.sort();
        let parts: Vec<_> = std::iter::once(path).chain(pairs.iter().map(String::as_str)).collect();
        let mut text = digest(&parts);
        text.truncate(LENGTH);
        Self(text)
    }

    /// Answers a request whose cursors belong here.
    pub(crate) async fn within<F: Future>(self, answer: F) -> F::Output {
        SCOPE.scope(self, answer).await
    }

    /// The cursor that a client gives, if it belongs here.
    pub(crate) fn read(&self, text: &str) -> Result<Cursor, Problem> {
        let given: Cursor = text.parse().map_err(|reason| Problem::invalid("cursor", reason))?;
        let own = given.key().strip_prefix(self.0.as_str()).filter(|key| !key.is_empty());
        own.map(Cursor::after).ok_or_else(|| {
            let reason = "is of another list, other filters or another order; take the next_cursor of the page \
                          before, with the same parameters";
            Problem::invalid("cursor", reason)
        })
    }
}

/// A cursor as the answer at hand has it.
pub(crate) fn written(cursor: &Cursor) -> String {
    let own = SCOPE.try_with(|Scope(scope)| format!("{scope}{}", cursor.key()));
    own.map_or_else(|_| cursor.to_string(), |key| Cursor::after(key).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::scope_of;

    fn scope(uri: &str) -> Scope {
        scope_of(&uri.parse().unwrap())
    }

    #[tokio::test]
    async fn a_cursor_is_read_by_its_list_with_its_filters_in_any_order_and_any_limit() {
        let cursor = Cursor::after("2026-03-01#x");
        let first = scope("/v1/snapshots?status=available&q=a%20b&limit=5");

        let text = first.clone().within(async { written(&cursor) }).await;

        for same in [
            "/v1/snapshots?status=available&q=a%20b&limit=7",
            "/v1/snapshots?cursor=x&q=a+b&status=available",
            "/v1/snapshots?status=available&q=a%20b&count=true",
        ] {
            assert_eq!(scope(same).read(&text).unwrap(), cursor, "{same}");
        }
        for other in [
            "/v1/restores?status=available&q=a%20b",
            "/v1/snapshots?status=error&q=a%20b",
            "/v1/snapshots?status=available&q=a%20b&sort=created_at",
            "/v1/snapshots",
        ] {
            let refusal = format!("{:?}", scope(other).read(&text).unwrap_err());
            assert!(refusal.contains("of another list"), "{other}: {refusal}");
        }
    }
}
