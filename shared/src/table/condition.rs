//! Conditions of writes, as DynamoDB's expressions.

use aws_sdk_dynamodb::types::AttributeValue;

use super::record::Item;

/// What must hold for a write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Condition {
    /// There is no such record yet.
    Absent,
    /// The record has this version.
    Version(u64),
    /// There is no such record yet, or one that says the same.
    AbsentOrSame,
    /// There is no such record yet, or its version does not lie in this range, its ends included.
    Outside(u64, u64),
}

impl Condition {
    /// The expression for a write of `item`, and the values that it names.
    pub(super) fn parts(self, item: &Item) -> (&'static str, Option<Item>) {
        let value =
            |name: &str, version: u64| (name.to_owned(), AttributeValue::N(version.to_string()));
        match self {
            Self::Absent => ("attribute_not_exists(pk)", None),
            Self::Version(version) => {
                ("version = :version", Some(Item::from([value(":version", version)])))
            }
            Self::AbsentOrSame => {
                let body = item.get("body").cloned().unwrap_or(AttributeValue::Null(true));
                let values = Item::from([(":same".to_owned(), body)]);
                ("attribute_not_exists(pk) OR body = :same", Some(values))
            }
            Self::Outside(from, to) => (
                "attribute_not_exists(pk) OR version < :from OR version > :to",
                Some(Item::from([value(":from", from), value(":to", to)])),
            ),
        }
    }
}
