//! Edits that do not say what they have read: where a record has changed meanwhile, it is read and edited again.

use std::future::Future;

use shared::Error;

/// How often an edit is tried.
const TRIES: usize = 5;

/// What `attempt` comes to. Without `If-Match` nothing was read that could be stale: a record that somebody else has written
/// between our read and our write is read again. With it, the first answer is the answer.
pub(crate) async fn again<T, F: Future<Output = Result<T, Error>>>(
    expected: Option<u64>,
    attempt: impl Fn() -> F,
) -> Result<T, Error> {
    for _ in 1..TRIES {
        match attempt().await {
            Err(Error::Stale { .. }) if expected.is_none() => {}
            outcome => return outcome,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use super::*;

    async fn tried(expected: Option<u64>, stale: usize) -> (usize, bool) {
        let count = Cell::new(0);
        let outcome = again(expected, || {
            count.set(count.get() + 1);
            let is_stale = count.get() <= stale;
            ready(if is_stale { Err(Error::Stale { noun: "it", current: 2 }) } else { Ok(()) })
        });
        let is_done = outcome.await.is_ok();
        (count.get(), is_done)
    }

    #[tokio::test]
    async fn without_a_version_what_is_stale_is_tried_five_times() {
        assert_eq!(tried(None, 0).await, (1, true));
        assert_eq!(tried(None, 4).await, (5, true));
        assert_eq!(tried(None, 9).await, (5, false));
    }

    #[tokio::test]
    async fn with_a_version_the_first_answer_counts() {
        assert_eq!(tried(Some(1), 1).await, (1, false));
    }
}
