//! Records as they were stored by earlier versions: each is still read, and written as it was.
//!
//! The files beside this one hold bodies of records. `<noun>.json` has every field, `<noun>_first.json` none of those
//! that came later.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::restore::Restore;
use crate::domain::schedule::Schedule;
use crate::domain::snapshot::Snapshot;

/// The body read and written again, through DynamoDB's attribute values as in [`super::record`].
fn written_again<T: Serialize + DeserializeOwned>(body: &str) -> (Value, Value) {
    let stored: Value = serde_json::from_str(body).unwrap();
    let attribute: aws_sdk_dynamodb::types::AttributeValue =
        serde_dynamo::to_attribute_value(&stored).unwrap();
    let read: T = serde_dynamo::from_attribute_value(attribute).unwrap();
    let attribute: aws_sdk_dynamodb::types::AttributeValue =
        serde_dynamo::to_attribute_value(&read).unwrap();
    (stored, serde_dynamo::from_attribute_value(attribute).unwrap())
}

/// Holds that what was stored is written again as it was.
fn keeps<T: Serialize + DeserializeOwned>(body: &str) {
    let (stored, written) = written_again::<T>(body);
    assert_eq!(written, stored);
}

/// Holds that a record of the first form is read, and that nothing it said is lost where the field still bears its name.
fn reads<T: Serialize + DeserializeOwned>(body: &str, rewritten: &[&str]) {
    let (stored, written) = written_again::<T>(body);
    for (name, value) in stored.as_object().unwrap() {
        if !rewritten.contains(&name.as_str()) {
            assert_eq!(written.get(name), Some(value), "{name}");
        }
    }
}

#[test]
fn a_stored_schedule_is_read_and_written_as_it_was() {
    keeps::<Schedule>(include_str!("stored_forms/schedule.json"));
    let rewritten = ["targets", "options", "enforced"];
    reads::<Schedule>(include_str!("stored_forms/schedule_first.json"), &rewritten);
}

#[test]
fn a_stored_snapshot_is_read_and_written_as_it_was() {
    keeps::<Snapshot>(include_str!("stored_forms/snapshot.json"));
    let rewritten = ["source", "request", "members"];
    reads::<Snapshot>(include_str!("stored_forms/snapshot_first.json"), &rewritten);
}

#[test]
fn a_stored_restore_is_read_and_written_as_it_was() {
    keeps::<Restore>(include_str!("stored_forms/restore.json"));
    reads::<Restore>(include_str!("stored_forms/restore_first.json"), &[]);
}
