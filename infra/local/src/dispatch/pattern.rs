//! Event patterns of rules: EventBridge's, those of exact values.

use std::collections::BTreeMap;

use serde_json::Value;

/// A pattern: a field matches if the event has one of the values there, or an array with one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(BTreeMap<String, Node>);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    AnyOf(Vec<Value>),
    Fields(BTreeMap<String, Node>),
}

/// A pattern that this run cannot interpret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct PatternError {
    place: String,
    problem: &'static str,
}

impl Pattern {
    /// Whether the rule wants this event.
    pub fn matches(&self, event: &Value) -> bool {
        fields_match(&self.0, event)
    }
}

impl TryFrom<&Value> for Pattern {
    type Error = PatternError;

    fn try_from(value: &Value) -> Result<Self, Self::Error> {
        match Node::read("the pattern", value)? {
            Node::Fields(fields) => Ok(Self(fields)),
            Node::AnyOf(_) => Err(refused("the pattern", "should be an object")),
        }
    }
}

impl Node {
    fn read(place: &str, value: &Value) -> Result<Self, PatternError> {
        match value {
            Value::Object(fields) if fields.is_empty() => {
                Err(refused(place, "should not be empty"))
            }
            Value::Object(fields) => {
                let read = |(key, value): (&String, &Value)| {
                    if key.starts_with('$') {
                        return Err(refused(key, "the local run cannot interpret this"));
                    }
                    Ok((key.clone(), Self::read(key, value)?))
                };
                Ok(Self::Fields(fields.iter().map(read).collect::<Result<_, _>>()?))
            }
            Value::Array(values) if values.is_empty() => Err(refused(place, "should not be empty")),
            Value::Array(values) => {
                if values.iter().any(|each| each.is_object() || each.is_array()) {
                    let problem =
                        "the local run knows exact values only, no prefix, anything-but …";
                    return Err(refused(place, problem));
                }
                Ok(Self::AnyOf(values.clone()))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Err(refused(place, "should be a list of values"))
            }
        }
    }

    fn matches(&self, found: &Value) -> bool {
        match (self, found) {
            (_, Value::Array(items)) => items.iter().any(|item| self.matches(item)),
            (Self::AnyOf(values), _) => values.contains(found),
            (Self::Fields(fields), _) => fields_match(fields, found),
        }
    }
}

fn fields_match(fields: &BTreeMap<String, Node>, event: &Value) -> bool {
    fields.iter().all(|(key, node)| event.get(key).is_some_and(|found| node.matches(found)))
}

fn refused(place: &str, problem: &'static str) -> PatternError {
    PatternError { place: place.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pattern(value: &Value) -> Pattern {
        Pattern::try_from(value).unwrap()
    }

    #[test]
    fn every_field_must_have_one_of_its_values() {
        let pattern = pattern(&json!({
            "source": ["aws.ec2"], "detail": {"event": ["createSnapshot", "createSnapshots", "copySnapshot"]},
        }));

        let matches = |source: &str, event: &str| {
            pattern.matches(&json!({"source": source, "detail": {"event": event, "more": 1}}))
        };

        assert!(matches("aws.ec2", "createSnapshot"));
        assert!(matches("aws.ec2", "createSnapshots"));
        assert!(matches("aws.ec2", "copySnapshot"));
        assert!(!matches("aws.ec2", "shareSnapshot"));
        assert!(!matches("snapkeep", "createSnapshot"));
    }

    #[test]
    fn a_field_that_is_not_there_does_not_match() {
        let pattern = pattern(&json!({"detail": {"event": ["x"]}}));

        assert!(!pattern.matches(&json!({})));
        assert!(!pattern.matches(&json!({"detail": "x"})));
    }

    #[test]
    fn one_member_of_an_array_is_enough() {
        let pattern = pattern(&json!({"resources": ["b"]}));

        assert!(pattern.matches(&json!({"resources": ["a", "b"]})));
        assert!(!pattern.matches(&json!({"resources": ["a"]})));
    }

    #[test]
    fn a_text_is_not_the_number() {
        let pattern = pattern(&json!({"detail": {"n": [1]}}));

        assert!(pattern.matches(&json!({"detail": {"n": 1}})));
        assert!(!pattern.matches(&json!({"detail": {"n": "1"}})));
    }

    #[test]
    fn what_is_not_an_exact_value_is_refused_by_name() {
        let refused = |value: &Value| Pattern::try_from(value).unwrap_err().to_string();

        let prefix = refused(&json!({"source": [{"prefix": "aws."}]}));
        assert!(prefix.starts_with("source: the local run knows exact values only"), "{prefix}");
        assert!(refused(&json!({"$or": [{"a": [1]}]})).starts_with("$or: "));
        assert_eq!(refused(&json!({"source": "aws.ec2"})), "source: should be a list of values");
        assert_eq!(refused(&json!({"source": []})), "source: should not be empty");
        assert_eq!(refused(&json!({})), "the pattern: should not be empty");
    }
}
