//! Items as requests write them, read in one pass.
//!
//! The embedded DynamoDB reads a value once more for each map and list it lies in, copying what is below. What our
//! functions write is read here instead; whatever is not of that plain form is left to it, refusals among them.

use std::{collections::BTreeMap, fmt};

use dynoxide::AttributeValue;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

/// The attributes of an item, or the values of an expression.
pub(crate) type Values = BTreeMap<String, AttributeValue>;

/// A longer number is left to the embedded DynamoDB, which knows how many digits there may be.
const DIGITS_MAX: usize = 18;

/// A value of a plain kind.
struct Plain(AttributeValue);

/// The attributes in a request; none of them is of another kind.
pub(crate) fn plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Values, D::Error> {
    let values = BTreeMap::<String, Plain>::deserialize(deserializer)?;
    Ok(values.into_iter().map(|(name, Plain(value))| (name, value)).collect())
}

/// The same where there may be none.
pub(crate) fn plain_or_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Values>, D::Error> {
    plain(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfOneKind).map(Self)
    }
}

/// Reads `{"S": "…"}` and the like.
struct OfOneKind;

impl<'de> Visitor<'de> for OfOneKind {
    type Value = AttributeValue;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("one value of a plain kind")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AttributeValue, A::Error> {
        let other = |what: &str| Error::custom(format!("not plain: {what}"));
        let kind: String = map.next_key()?.ok_or_else(|| other("nothing"))?;
        let value = match kind.as_str() {
            "S" => AttributeValue::S(map.next_value()?),
            "N" => AttributeValue::N(whole(map.next_value()?).ok_or_else(|| other("a number"))?),
            "BOOL" => AttributeValue::BOOL(map.next_value()?),
            "NULL" if map.next_value()? => AttributeValue::NULL(true),
            "L" => {
                let values: Vec<Plain> = map.next_value()?;
                AttributeValue::L(values.into_iter().map(|Plain(value)| value).collect())
            }
            "M" => {
                let values: BTreeMap<String, Plain> = map.next_value()?;
                let named = values.into_iter().map(|(name, Plain(value))| (name, value));
                AttributeValue::M(named.collect())
            }
            kind => return Err(other(kind)),
        };
        match map.next_key::<String>()? {
            None => Ok(value),
            Some(further) => Err(other(&further)),
        }
    }
}

fn whole(text: String) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let is_whole = (1..=DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    is_whole.then_some(text)
}
