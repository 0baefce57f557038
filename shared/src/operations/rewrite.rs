//! Writes of records that others write too: read, changed, written if unchanged, and all of it again.

use std::future::Future;

use crate::error::Error;

/// How often a record is read anew before its writer gives up.
const TRIES_MAX: usize = 5;

/// Has `once` read, change and write until it answers something; none where others have written in between each time.
pub(crate) async fn until_written<T, R: Future<Output = Result<Option<T>, Error>>>(
    mut once: impl FnMut() -> R,
) -> Result<Option<T>, Error> {
    for _ in 0..TRIES_MAX {
        let settled = once().await?;
        if settled.is_some() {
            return Ok(settled);
        }
    }
    Ok(None)
}
