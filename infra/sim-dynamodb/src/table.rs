//! A table with its indexes: items in the order of their keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use serde::{Deserialize, Serialize};

use crate::{
    refusal::{Outcome, Refusal},
    values::{Value, Values, is_too_deep, size},
};

/// How large an item may be
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const ITEM_MAX: usize = 400 * 1024;

/// Partition and sort key. All keys here are texts; a table without sort keys has empty ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) partition: String,
    pub(crate) sort: String,
}

/// An attribute of a key, as requests write it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct KeyAttribute {
    attribute_name: String,
    key_type: String,
}

/// The names of a key's attributes.
#[derive(Clone, Debug)]
pub(crate) struct KeyNames {
    pub(crate) partition: String,
    pub(crate) sort: Option<String>,
}

/// An item: its attributes, the same as they are answered, and what they count.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) values: Values,
    pub(crate) text: String,
    pub(crate) size: usize,
}

/// An index, which holds keys and few attributes.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) names: KeyNames,
    /// The attributes that it holds beside keys.
    pub(crate) holds: Vec<String>,
    /// Its own key, and that of the item.
    pub(crate) entries: BTreeSet<(Key, Key)>,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) names: KeyNames,
    pub(crate) items: BTreeMap<Key, Item>,
    pub(crate) indexes: BTreeMap<String, Index>,
    /// The attribute of the time to live. What is over stays here: DynamoDB may take days.
    pub(crate) time_to_live: Option<String>,
}

impl Key {
    /// The first key behind this one.
    pub(crate) fn next(&self) -> Self {
        Self { partition: self.partition.clone(), sort: format!("{}\0", self.sort) }
    }

    /// The first key of a partition.
    pub(crate) fn first_of(partition: &str) -> Self {
        Self { partition: partition.to_owned(), sort: String::new() }
    }

    /// The first key that may be behind a partition.
    pub(crate) fn behind(partition: &str) -> Self {
        Self::first_of(&format!("{partition}\0"))
    }
}

impl KeyNames {
    pub(crate) fn of(schema: &[KeyAttribute]) -> Outcome<Self> {
        let named = |kind: &str| {
            let found = schema.iter().find(|one| one.key_type == kind);
            found.map(|one| one.attribute_name.clone())
        };
        let partition = named("HASH").ok_or_else(|| Refusal::invalid("there is no HASH key"))?;
        Ok(Self { partition, sort: named("RANGE") })
    }

    pub(crate) fn schema(&self) -> Vec<KeyAttribute> {
        let attribute = |name: &String, kind: &str| KeyAttribute {
            attribute_name: name.clone(),
            key_type: kind.to_owned(),
        };
        let partition = attribute(&self.partition, "HASH");
        let sort = self.sort.as_ref().map(|name| attribute(name, "RANGE"));
        std::iter::once(partition).chain(sort).collect()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.partition).chain(&self.sort)
    }

    /// The key among these attributes.
    pub(crate) fn key_in(&self, values: &Values) -> Outcome<Key> {
        let part = |name: &String| match values.get(name) {
            Some(Value::Text(text)) if text.is_empty() => {
                Err(Refusal::invalid(format!("the key attribute {name} is an empty text")))
            }
            Some(Value::Text(text)) => Ok(text.clone()),
            _ => Err(Refusal::invalid(format!("the key attribute {name} is missing or no text"))),
        };
        let sort = self.sort.as_ref().map(part).transpose()?.unwrap_or_default();
        Ok(Key { partition: part(&self.partition)?, sort })
    }

    /// The key that these attributes are, with nothing else.
    pub(crate) fn key(&self, values: &Values) -> Outcome<Key> {
        if values.len() != self.names().count() {
            return Err(Refusal::invalid("The provided key element does not match the schema"));
        }
        self.key_in(values)
    }

    /// A key as attributes.
    pub(crate) fn values(&self, key: &Key) -> Values {
        let Key { partition, sort } = key;
        let mut values = Values::from([(self.partition.clone(), Value::Text(partition.clone()))]);
        if let Some(name) = &self.sort {
            values.insert(name.clone(), Value::Text(sort.clone()));
        }
        values
    }
}

impl Item {
    /// An item that may be stored.
    pub(crate) fn of(values: Values) -> Outcome<Self> {
        let size = size(&values);
        if size > ITEM_MAX {
            return Err(Refusal::invalid("Item size has exceeded the maximum allowed size"));
        }
        if is_too_deep(&values) {
            return Err(Refusal::invalid("Nesting Levels have exceeded supported limits"));
        }
        let text = serde_json::to_string(&values)
            .map_err(|error| Refusal::Unreadable(error.to_string()))?;
        Ok(Self { values, text, size })
    }
}

impl Index {
    /// Each partition with the first sort key in it.
    pub(crate) fn first_of_each(&self) -> Vec<(String, String)> {
        let mut found: Vec<(String, String)> = Vec::new();
        let mut from = Key::default();
        while let Some((Key { partition, sort }, _)) =
            self.entries.range((from, Key::default())..).next()
        {
            found.push((partition.clone(), sort.clone()));
            from = Key::behind(partition);
        }
        found
    }

    /// The key that an item has here; none if it lacks a part.
    fn key_of(&self, item: &Values) -> Outcome<Option<Key>> {
        if self.names.names().all(|name| item.contains_key(name)) {
            return self.names.key_in(item).map(Some);
        }
        // What is there must be a key all the same.
        let there = self.names.names().filter_map(|name| item.get(name));
        match there.map(Value::text).find(|text| text.is_none_or(str::is_empty)) {
            None => Ok(None),
            Some(_) => Err(Refusal::invalid("the key of an index is no text, or an empty one")),
        }
    }
}

impl Table {
    /// Refuses an item that some index cannot take.
    pub(crate) fn fits(&self, item: &Item) -> Outcome<()> {
        self.indexes.values().try_for_each(|index| index.key_of(&item.values).map(drop))
    }

    /// Stores an item that [fits](Self::fits).
    pub(crate) fn put(&mut self, key: Key, item: Item) {
        self.remove(&key);
        for index in self.indexes.values_mut() {
            if let Ok(Some(place)) = index.key_of(&item.values) {
                index.entries.insert((place, key.clone()));
            }
        }
        self.items.insert(key, item);
    }

    pub(crate) fn remove(&mut self, key: &Key) {
        let Some(before) = self.items.remove(key) else { return };
        for index in self.indexes.values_mut() {
            if let Ok(Some(place)) = index.key_of(&before.values) {
                index.entries.remove(&(place, key.clone()));
            }
        }
    }
}

/// From one to before the other; nothing if the second is not behind the first.
pub(crate) fn between<T: Ord>(from: T, to: T) -> Option<(Bound<T>, Bound<T>)> {
    (from < to).then_some((Bound::Included(from), Bound::Excluded(to)))
}
