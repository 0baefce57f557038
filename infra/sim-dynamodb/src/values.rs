//! Values of attributes: texts, numbers, truth, nothing, lists and maps. Nobody here stores binaries or sets.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor},
    ser::SerializeMap as _,
};

use crate::number::Number;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(Number),
    Bool(bool),
    Null,
    List(Vec<Self>),
    Map(Values),
}

/// The attributes of an item, what is in a map, or the values of an expression.
pub(crate) type Values = BTreeMap<String, Value>;

/// How deep values may lie in each other.
const DEPTH_MAX: usize = 32;

impl Value {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Bool(_) | Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// What it counts of an item's 400 KB
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>).
    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Number(number) => number.size(),
            Self::Bool(_) | Self::Null => 1,
            Self::List(values) => 3 + values.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::Map(values) => 3 + values.len() + size(values),
        }
    }

    fn depth(&self) -> usize {
        let deepest = match self {
            Self::Text(_) | Self::Number(_) | Self::Bool(_) | Self::Null => return 1,
            Self::List(values) => values.iter().map(Self::depth).max(),
            Self::Map(values) => values.values().map(Self::depth).max(),
        };
        1 + deepest.unwrap_or(0)
    }
}

/// What an item of these attributes counts.
pub(crate) fn size(values: &Values) -> usize {
    values.iter().map(|(name, value)| name.len() + value.size()).sum()
}

/// Whether a value lies deeper than DynamoDB takes it.
pub(crate) fn is_too_deep(values: &Values) -> bool {
    values.values().any(|value| value.depth() > DEPTH_MAX)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut one = serializer.serialize_map(Some(1))?;
        match self {
            Self::Text(text) => one.serialize_entry("S", text)?,
            Self::Number(number) => one.serialize_entry("N", number.text())?,
            Self::Bool(is) => one.serialize_entry("BOOL", is)?,
            Self::Null => one.serialize_entry("NULL", &true)?,
            Self::List(values) => one.serialize_entry("L", values)?,
            Self::Map(values) => one.serialize_entry("M", values)?,
        }
        one.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfOneKind)
    }
}

/// Reads `{"S": "…"}` and the like.
struct OfOneKind;

impl<'de> Visitor<'de> for OfOneKind {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("one value of one kind")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let kind: &str = map.next_key()?.ok_or_else(|| Error::custom("a value of no kind"))?;
        let value = match kind {
            "S" => Value::Text(map.next_value()?),
            "N" => {
                let text: String = map.next_value()?;
                let refused = || Error::custom(format!("{text} is not a number"));
                Value::Number(Number::parse(&text).ok_or_else(refused)?)
            }
            "BOOL" => Value::Bool(map.next_value()?),
            "NULL" if map.next_value()? => Value::Null,
            "L" => Value::List(map.next_value()?),
            "M" => Value::Map(map.next_value()?),
            kind => return Err(Error::custom(format!("a value of the kind {kind}"))),
        };
        match map.next_key::<&str>()? {
            None => Ok(value),
            Some(further) => Err(Error::custom(format!("one value has also {further}"))),
        }
    }
}
