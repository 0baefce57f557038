//! The table itself: its keys and indexes, as one function. `infra/template.yaml` says the same, and a test
//! holds the two equal.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableStatus, TimeToLiveSpecification,
};

use super::client::{Table, failed};
use super::keys::{Index, TIME_TO_LIVE};
use crate::error::Error;

/// What a table of ours looks like: names of attributes, all of them texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Partition and sort key.
    pub key: (String, String),
    /// Every index.
    pub indexes: Vec<IndexSchema>,
    /// The attribute of the time to live.
    pub time_to_live: String,
}

/// What an index of ours looks like.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexSchema {
    pub name: String,
    pub partition: String,
    pub sort: String,
    /// The attribute that it holds beside keys.
    pub holds: Option<String>,
}

/// Whether a table was there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It was made.
    Now,
    /// It was there.
    Before,
}

/// The schema of the table.
pub fn schema() -> Schema {
    let index = |index: Index| IndexSchema {
        name: index.name().to_owned(),
        partition: index.partition().to_owned(),
        sort: index.sort().to_owned(),
        holds: index.holds().map(str::to_owned),
    };
    Schema {
        key: ("pk".to_owned(), "sk".to_owned()),
        indexes: Index::ALL.into_iter().map(index).collect(),
        time_to_live: TIME_TO_LIVE.to_owned(),
    }
}

impl Table {
    /// Whether the table is there and ready.
    pub async fn is_ready(&self) -> Result<bool, Error> {
        match self.client.describe_table().table_name(&self.name).send().await {
            Ok(answer) => Ok(answer
                .table
                .and_then(|table| table.table_status)
                .is_some_and(|status| status == TableStatus::Active)),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), DescribeTableError::ResourceNotFoundException(_)) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed("describing the table", error)),
        }
    }

    /// Makes the table, billed by request, if there is none of its name. It may take a while to be ready.
    pub async fn create(&self) -> Result<Created, Error> {
        let schema = schema();
        let (partition, sort) = &schema.key;
        let wrong = |source| Error::internal("describing the table", source);
        let indexes: Vec<_> =
            schema.indexes.iter().map(index).collect::<Result<_, _>>().map_err(wrong)?;
        let answer = self
            .client
            .create_table()
            .table_name(&self.name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(attributes(&schema).map_err(wrong)?))
            .set_key_schema(Some(key_schema(partition, sort).map_err(wrong)?))
            .set_global_secondary_indexes(Some(indexes))
            .send()
            .await;
        match answer {
            Ok(_) => {
                self.set_time_to_live(&schema.time_to_live).await;
                Ok(Created::Now)
            }
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), CreateTableError::ResourceInUseException(_)) =>
            {
                Ok(Created::Before)
            }
            Err(error) => Err(failed("creating the table", error)),
        }
    }

    /// The indexes that the table, made by an earlier version, does not have.
    pub async fn missing_indexes(&self) -> Result<Vec<String>, Error> {
        let answer = self.client.describe_table().table_name(&self.name).send().await;
        let answer = answer.map_err(|error| failed("describing the table", error))?;
        let there = answer.table.and_then(|table| table.global_secondary_indexes);
        let there: BTreeSet<_> =
            there.into_iter().flatten().filter_map(|index| index.index_name).collect();
        let names = schema().indexes.into_iter().map(|index| index.name);
        Ok(names.filter(|name| !there.contains(name)).collect())
    }

    /// Adds one index of ours to a table that lacks it. DynamoDB takes one at a time and fills it in the background.
    pub async fn add_index(&self, name: &str) -> Result<(), Error> {
        let schema = schema();
        let Some(wanted) = schema.indexes.iter().find(|known| known.name == name) else {
            return Err(Error::not_found("index", name));
        };
        let wrong = |source| Error::internal("describing the table", source);
        let IndexSchema { name, partition, sort, holds } = wanted;
        let create = CreateGlobalSecondaryIndexAction::builder()
            .index_name(name)
            .set_key_schema(Some(key_schema(partition, sort).map_err(wrong)?))
            .projection(projection(holds.as_deref()))
            .build()
            .map_err(wrong)?;
        self.client
            .update_table()
            .table_name(&self.name)
            .attribute_definitions(attribute(partition).map_err(wrong)?)
            .attribute_definitions(attribute(sort).map_err(wrong)?)
            .global_secondary_index_updates(
                GlobalSecondaryIndexUpdate::builder().create(create).build(),
            )
            .send()
            .await
            .map_err(|error| failed("adding an index", error))?;
        Ok(())
    }

    /// The time to live only tidies up: a table that is not ready for it yet goes without.
    async fn set_time_to_live(&self, attribute: &str) {
        let specification =
            TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute).build();
        let Ok(specification) = specification else { return };
        let answer = self
            .client
            .update_time_to_live()
            .table_name(&self.name)
            .time_to_live_specification(specification)
            .send()
            .await;
        if let Err(error) = answer {
            tracing::warn!(%error, "The time to live of table {} is not set", self.name);
        }
    }
}

type BuildError = aws_sdk_dynamodb::error::BuildError;

fn attributes(schema: &Schema) -> Result<Vec<AttributeDefinition>, BuildError> {
    let (partition, sort) = &schema.key;
    let mut names = BTreeSet::from([partition, sort]);
    names.extend(schema.indexes.iter().flat_map(|index| [&index.partition, &index.sort]));
    names.into_iter().map(|name| attribute(name)).collect()
}

fn attribute(name: &str) -> Result<AttributeDefinition, BuildError> {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
}

fn key_schema(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, BuildError> {
    let element =
        |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    Ok(vec![element(partition, KeyType::Hash)?, element(sort, KeyType::Range)?])
}

fn index(index: &IndexSchema) -> Result<GlobalSecondaryIndex, BuildError> {
    let IndexSchema { name, partition, sort, holds } = index;
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(key_schema(partition, sort)?))
        .projection(projection(holds.as_deref()))
        .build()
}

/// Keys, and one attribute if there is one.
fn projection(holds: Option<&str>) -> Projection {
    let kind = if holds.is_some() { ProjectionType::Include } else { ProjectionType::KeysOnly };
    let attributes = holds.map(|name| vec![name.to_owned()]);
    Projection::builder().projection_type(kind).set_non_key_attributes(attributes).build()
}
