//! Idempotency keys in the table: which request a caller's key has served for.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::client::{Condition, Table, Written};
use super::keys;
use super::record::Record;
use crate::error::Error;

/// How long a key is honoured.
pub const HONOURED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What an idempotency key has served for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// A digest of the request: method, path and body.
    pub fingerprint: String,
    /// The identifier of what it made, chosen before it was made.
    pub id: String,
    /// When the key was first used: the `now` of what it made.
    pub at: Timestamp,
}

impl Table {
    /// What `key` of `caller` has served for within the last 24 hours.
    pub async fn served(
        &self,
        caller: &str,
        key: &str,
        now: Timestamp,
    ) -> Result<Option<Served>, Error> {
        let served: Option<Served> = self.get(keys::idempotency(caller, key)).await?;
        // DynamoDB deletes late, sometimes by days.
        Ok(served.filter(|served| now.duration_since(served.at) < HONOURED_FOR))
    }

    /// From now on `key` of `caller` has served for this, unless it has for something else already.
    pub async fn serve(&self, caller: &str, key: &str, served: &Served) -> Result<Written, Error> {
        let record = |condition| {
            let record = Record {
                key: keys::idempotency(caller, key),
                version: u64::try_from(served.at.as_millisecond()).unwrap_or(0),
                indexes: Vec::new(),
                body: served,
                expires_at: Some(served.at.as_second().saturating_add(HONOURED_FOR.as_secs())),
            };
            self.put(record, condition)
        };
        if record(Condition::Absent).await?.is_done() {
            return Ok(Written::Done);
        }
        // What is there may be over and only waiting for DynamoDB to delete it.
        let old: Option<Served> = self.get(keys::idempotency(caller, key)).await?;
        match old {
            Some(old) if served.at.duration_since(old.at) >= HONOURED_FOR => {
                let version = u64::try_from(old.at.as_millisecond()).unwrap_or(0);
                record(Condition::Version(version)).await
            }
            Some(_) | None => Ok(Written::Changed),
        }
    }
}
