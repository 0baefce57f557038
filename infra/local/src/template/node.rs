//! A place in the template, so that whatever is wrong there is reported by name.

use std::fmt::Display;

use jiff::SignedDuration;
use yaml_serde::Value;

/// Something in the template that the local run cannot interpret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("infra/template.yaml: {place}: {problem}")]
pub struct TemplateError {
    place: String,
    problem: String,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    place: String,
    value: &'a Value,
}

/// A mapping of which every key is known.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a>(Node<'a>);

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { place: "the template".to_owned(), value }
    }

    pub(super) fn refuse(&self, problem: impl Display) -> TemplateError {
        TemplateError { place: self.place.clone(), problem: problem.to_string() }
    }

    /// The value itself.
    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// The mapping here, whose keys must all be among these.
    pub(super) fn fields(&self, known: &[&str]) -> Result<Fields<'a>, TemplateError> {
        for (key, node) in self.entries()? {
            if !known.contains(&key) {
                return Err(node.refuse("the local run cannot interpret this"));
            }
        }
        Ok(Fields(self.clone()))
    }

    /// The mapping here, whatever its keys are.
    pub(super) fn entries(&self) -> Result<Vec<(&'a str, Self)>, TemplateError> {
        let Value::Mapping(mapping) = self.value else {
            return Err(self.refuse("should be a mapping"));
        };
        mapping
            .iter()
            .map(|(key, value)| {
                let key = key.as_str().ok_or_else(|| self.refuse("a key is not a text"))?;
                Ok((key, self.below(key, value)))
            })
            .collect()
    }

    /// The value under `key`, if this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let Value::Mapping(mapping) = self.value else { return None };
        mapping.get(key).map(|value| self.below(key, value))
    }

    pub(super) fn items(&self) -> Result<Vec<Self>, TemplateError> {
        let Value::Sequence(items) = self.value else {
            return Err(self.refuse("should be a list"));
        };
        Ok(items.iter().enumerate().map(|(n, value)| self.below(&n.to_string(), value)).collect())
    }

    pub(super) fn text(&self) -> Result<&'a str, TemplateError> {
        match self.value {
            Value::String(text) => Ok(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Sequence(_)
            | Value::Mapping(_)
            | Value::Tagged(_) => Err(self.refuse("should be a text")),
        }
    }

    /// A text, a number or a boolean, as a text.
    pub(super) fn scalar(&self) -> Result<String, TemplateError> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => {
                Err(self.refuse("should be a text or a number"))
            }
        }
    }

    pub(super) fn count(&self) -> Result<u32, TemplateError> {
        let number = self.value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| self.refuse("should be a whole number"))
    }

    pub(super) fn seconds(&self) -> Result<SignedDuration, TemplateError> {
        Ok(SignedDuration::from_secs(i64::from(self.count()?)))
    }

    /// What `!Ref` refers to, if this is one.
    pub(super) fn reference(&self) -> Option<&'a str> {
        self.intrinsic("Ref")?.as_str()
    }

    /// The text of `!Sub`, if this is one.
    pub(super) fn substitution(&self) -> Option<&'a str> {
        self.intrinsic("Sub")?.as_str()
    }

    /// The condition of `!If` and what stands where it does not hold, if this is one.
    pub(super) fn choice(&self) -> Option<(&'a str, Self)> {
        let parts = self.intrinsic("If")?.as_sequence()?;
        let [condition, _, otherwise] = parts.as_slice() else { return None };
        Some((condition.as_str()?, self.below("If.2", otherwise)))
    }

    /// The resource of `!GetAtt Resource.attribute`.
    pub(super) fn attribute(&self, attribute: &str) -> Result<&'a str, TemplateError> {
        let parts = match self.intrinsic("GetAtt") {
            Some(Value::String(text)) => text.split_once('.'),
            Some(Value::Sequence(parts)) => match parts.as_slice() {
                [resource, attribute] => resource.as_str().zip(attribute.as_str()),
                _ => None,
            },
            _ => None,
        };
        match parts {
            Some((resource, found)) if found == attribute => Ok(resource),
            Some(_) | None => {
                Err(self.refuse(format_args!("should be !GetAtt of a resource's {attribute}")))
            }
        }
    }

    /// The argument of `!Name`, or of its long form.
    fn intrinsic(&self, name: &str) -> Option<&'a Value> {
        if let Value::Tagged(tagged) = self.value {
            return (tagged.tag == name).then_some(&tagged.value);
        }
        let Value::Mapping(mapping) = self.value else { return None };
        let long = mapping.get(name).or_else(|| mapping.get(format!("Fn::{name}")));
        long.filter(|_| mapping.len() == 1)
    }

    fn below(&self, key: &str, value: &'a Value) -> Self {
        let place = match self.place.as_str() {
            "the template" => key.to_owned(),
            place => format!("{place}.{key}"),
        };
        Self { place, value }
    }
}

impl<'a> Fields<'a> {
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.0.get(key)
    }

    pub(super) fn required(&self, key: &str) -> Result<Node<'a>, TemplateError> {
        self.get(key).ok_or_else(|| self.0.refuse(format_args!("{key} is missing")))
    }
}
