//! Idempotency keys: the same key with the same request leads to the same identifier, and so to the same thing.

use jiff::Timestamp;

use crate::error::Error;
use crate::service::Service;
use crate::table::idempotency::Served;

/// The identifier and the instant that a request is to be carried out under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The identifier of what is made.
    pub id: String,
    /// The `now` of what is made.
    pub at: Timestamp,
}

/// What a request is carried out under: with a key that has served within 24 hours, what it was carried out
/// under then; else `fresh_id` and `now`. A key that has served for another request is [`Error::KeyReused`].
///
/// The identifier is recorded before anything is made, so a request that broke off goes on where it was.
pub async fn claim(
    service: &Service,
    caller: (&str, Option<&str>),
    fingerprint: &str,
    fresh_id: String,
    now: Timestamp,
) -> Result<Claim, Error> {
    let (caller, Some(key)) = caller else { return Ok(Claim { id: fresh_id, at: now }) };
    let fresh = Served { fingerprint: fingerprint.to_owned(), id: fresh_id, at: now };
    if service.table.serve(caller, key, &fresh).await?.is_done() {
        return Ok(Claim { id: fresh.id, at: now });
    }
    let served = service.table.served(caller, key, now).await?.unwrap_or(fresh);
    if served.fingerprint == fingerprint {
        Ok(Claim { id: served.id, at: served.at })
    } else {
        Err(Error::KeyReused)
    }
}
