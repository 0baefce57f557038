//! Removing records, which few ever are.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;

use super::client::{Table, Written, failed};
use super::keys::Key;
use super::record::key_item;
use crate::error::Error;

impl Table {
    /// Removes the record at `key`, if it still has this version.
    pub(super) async fn remove(&self, key: Key, version: u64) -> Result<Written, Error> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key_item(key)))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Written::Done),
            Err(SdkError::ServiceError(error))
                if error.err().code() == Some("ConditionalCheckFailedException") =>
            {
                Ok(Written::Changed)
            }
            Err(error) => Err(failed("deleting a record", error)),
        }
    }

    /// Removes what is at `key`, whether it is there or not; for several at once.
    pub(super) fn forget(
        &self,
        key: Key,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let removal = self.client.delete_item().table_name(&self.name).set_key(Some(key_item(key)));
        async move {
            removal.send().await.map_err(|error| failed("deleting a record", error))?;
            Ok(())
        }
    }
}
