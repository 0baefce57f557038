//! Transactions: several items written at once, or none.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem};

use super::client::{Table, Written, failed};
use super::condition::Condition;
use super::keys::Key;
use super::record::{Item, key_item};
use crate::error::Error;

/// How many writes one transaction takes
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
pub(super) const TRANSACTION_MAX: usize = 100;

/// Part of a transaction.
pub(super) enum Write {
    /// Puts an item under a condition.
    Put(Item, Condition),
    /// Puts an item whatever is there.
    Overwrite(Item),
    /// Checks that a record has this version.
    Unchanged(Key, u64),
    /// Removes a record that has this version.
    Remove(Key, u64),
    /// Removes an item whether it is there or not.
    Forget(Key),
}

impl Table {
    /// Writes all or nothing.
    pub(super) async fn transact(&self, writes: Vec<Write>) -> Result<Written, Error> {
        let items = writes.into_iter().map(|write| self.part(write)).collect::<Result<_, _>>()?;
        let answer =
            self.client.transact_write_items().set_transact_items(Some(items)).send().await;
        let Err(error) = answer else { return Ok(Written::Done) };
        let reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                canceled.cancellation_reasons()
            }
            Some(_) | None => &[],
        };
        if reasons.iter().any(|reason| reason.code() == Some("ConditionalCheckFailed")) {
            return Ok(Written::Changed);
        }
        // The same items are refused whenever they are sent again: they are too large, say.
        let is_ours =
            |code: &str| matches!(code, "ValidationError" | "ItemCollectionSizeLimitExceeded");
        if reasons.iter().filter_map(|reason| reason.code()).any(is_ours) {
            return Err(Error::internal("writing records", error));
        }
        Err(failed("writing records", error))
    }

    fn part(&self, write: Write) -> Result<TransactWriteItem, Error> {
        let wrong = |source| Error::internal("writing records", source);
        let item = TransactWriteItem::builder();
        let put = |content| Put::builder().table_name(&self.name).set_item(Some(content));
        Ok(match write {
            Write::Put(content, condition) => {
                let (expression, values) = condition.parts(&content);
                let put = put(content)
                    .condition_expression(expression)
                    .set_expression_attribute_values(values);
                item.put(put.build().map_err(wrong)?).build()
            }
            Write::Overwrite(content) => item.put(put(content).build().map_err(wrong)?).build(),
            Write::Unchanged(key, version) => {
                let (expression, values) = Condition::Version(version).parts(&Item::new());
                let check = ConditionCheck::builder()
                    .table_name(&self.name)
                    .set_key(Some(key_item(key)))
                    .condition_expression(expression)
                    .set_expression_attribute_values(values);
                item.condition_check(check.build().map_err(wrong)?).build()
            }
            Write::Remove(key, version) => {
                let (expression, values) = Condition::Version(version).parts(&Item::new());
                let delete = self
                    .removal(key)
                    .condition_expression(expression)
                    .set_expression_attribute_values(values);
                item.delete(delete.build().map_err(wrong)?).build()
            }
            Write::Forget(key) => item.delete(self.removal(key).build().map_err(wrong)?).build(),
        })
    }

    fn removal(&self, key: Key) -> aws_sdk_dynamodb::types::builders::DeleteBuilder {
        Delete::builder().table_name(&self.name).set_key(Some(key_item(key)))
    }
}
