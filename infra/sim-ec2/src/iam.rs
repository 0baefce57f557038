//! IAM, as far as Snapkeep's roles need it: explicit denial, then permission, else refusal
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>).
//!
//! A condition operator that is not known is refused when a policy is read, and so is whatever else a statement has that
//! would be passed over in silence.

mod pattern;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use pattern::Pattern;

/// What a role may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy(Vec<Statement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    sid: String,
    effect: Effect,
    actions: Vec<Pattern>,
    resources: Vec<Pattern>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    operator: Operator,
    key: String,
    wanted: Vec<String>,
    /// The same as patterns, where the operator takes them so.
    patterns: Vec<Pattern>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    StringEquals,
    StringEqualsIfExists,
    StringNotEquals,
    EachEquals,
    EachLike,
    Bool,
    Null,
}

/// What is asked: an action on a resource, with what AWS knows of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// For example `ec2:DeleteSnapshot`.
    pub action: String,
    /// An ARN, or `*` where the action knows no resources.
    pub resource: String,
    /// Condition keys and their values.
    pub context: BTreeMap<String, Vec<String>>,
}

/// Why something is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// A statement says so.
    #[error("{action} on {resource} with an explicit deny ({sid})")]
    Explicit {
        /// What was asked.
        action: String,
        /// Of what.
        resource: String,
        /// By which statement.
        sid: String,
    },
    /// No statement allows it.
    #[error("{action} on {resource}: no identity-based policy allows it")]
    Implicit {
        /// What was asked.
        action: String,
        /// Of what.
        resource: String,
    },
}

/// A right: the statement's `Sid` and the action.
pub type Right = (String, String);

impl Policy {
    /// The statements of a policy document, with every reference resolved.
    pub fn read(statements: &[Value]) -> Result<Self, String> {
        statements.iter().map(statement).collect::<Result<_, _>>().map(Self)
    }

    /// Whether something is allowed, and by which statements.
    pub fn allows(&self, asked: &Asked) -> Result<BTreeSet<Right>, Denial> {
        let (action, resource) = (asked.action.clone(), asked.resource.clone());
        let mut allowed = BTreeSet::new();
        for statement in self.0.iter().filter(|statement| statement.applies(asked)) {
            let sid = statement.sid.clone();
            match statement.effect {
                Effect::Allow => drop(allowed.insert((sid, asked.action.clone()))),
                Effect::Deny => return Err(Denial::Explicit { action, resource, sid }),
            }
        }
        if allowed.is_empty() { Err(Denial::Implicit { action, resource }) } else { Ok(allowed) }
    }

    /// Every right that is given, of the services whose prefix is `service`.
    pub fn rights(&self, service: &str) -> BTreeSet<Right> {
        let given = self.0.iter().filter(|statement| statement.effect == Effect::Allow);
        let of_service = |action: &&str| action.split(':').next() == Some(service);
        given
            .flat_map(|statement| {
                let actions = statement.actions.iter().map(Pattern::written).filter(of_service);
                actions.map(|action| (statement.sid.clone(), action.to_owned()))
            })
            .collect()
    }
}

impl Statement {
    fn applies(&self, asked: &Asked) -> bool {
        self.actions.iter().any(|one| one.fits_any_case(&asked.action))
            && self.resources.iter().any(|one| one.fits(&asked.resource))
            && self.conditions.iter().all(|condition| condition.holds(&asked.context))
    }
}

impl Condition {
    fn holds(&self, context: &BTreeMap<String, Vec<String>>) -> bool {
        let present = context.get(&self.key).map_or(&[][..], Vec::as_slice);
        let is_wanted = |value: &String| self.wanted.contains(value);
        match self.operator {
            Operator::StringEquals | Operator::Bool => present.iter().any(is_wanted),
            Operator::StringEqualsIfExists => present.is_empty() || present.iter().any(is_wanted),
            Operator::StringNotEquals => !present.iter().any(is_wanted),
            // Of nothing all is true: AWS's own warning about ForAllValues.
            Operator::EachEquals => present.iter().all(is_wanted),
            Operator::EachLike => {
                present.iter().all(|value| self.patterns.iter().any(|one| one.fits(value)))
            }
            Operator::Null => present.is_empty() == self.wanted.iter().any(|one| one == "true"),
        }
    }
}

fn statement(value: &Value) -> Result<Statement, String> {
    let fields = value.as_object().ok_or("a statement should be a mapping")?;
    let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
    if let Some(other) = fields.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("{other} in a statement is not understood here"));
    }
    let effect = match fields.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        Some(_) | None => return Err("Effect should be Allow or Deny".to_owned()),
    };
    let mut conditions = Vec::new();
    let blocks = fields.get("Condition").and_then(Value::as_object);
    for (name, block) in blocks.into_iter().flatten() {
        let operator = operator(name)?;
        let keys = block.as_object().ok_or("a condition should be a mapping")?;
        for (key, wanted) in keys {
            let wanted = texts(wanted)?;
            let patterns = match operator {
                Operator::EachLike => patterns(&wanted),
                Operator::StringEquals
                | Operator::StringEqualsIfExists
                | Operator::StringNotEquals
                | Operator::EachEquals
                | Operator::Bool
                | Operator::Null => Vec::new(),
            };
            conditions.push(Condition { operator, key: key.clone(), wanted, patterns });
        }
    }
    Ok(Statement {
        sid: fields.get("Sid").and_then(Value::as_str).unwrap_or_default().to_owned(),
        effect,
        actions: patterns(&texts(fields.get("Action").unwrap_or(&Value::Null))?),
        resources: patterns(&texts(fields.get("Resource").unwrap_or(&Value::Null))?),
        conditions,
    })
}

fn operator(name: &str) -> Result<Operator, String> {
    Ok(match name {
        "StringEquals" => Operator::StringEquals,
        "StringEqualsIfExists" => Operator::StringEqualsIfExists,
        "StringNotEquals" => Operator::StringNotEquals,
        "ForAllValues:StringEquals" => Operator::EachEquals,
        "ForAllValues:StringLike" => Operator::EachLike,
        "Bool" => Operator::Bool,
        "Null" => Operator::Null,
        other => return Err(format!("the condition operator {other} is not understood here")),
    })
}

fn patterns(written: &[String]) -> Vec<Pattern> {
    written.iter().map(|one| Pattern::of(one)).collect()
}

/// A text, a boolean, or a list of them.
fn texts(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Bool(flag) => Ok(vec![flag.to_string()]),
        Value::Array(items) => {
            items.iter().map(texts).collect::<Result<Vec<_>, _>>().map(|lists| lists.concat())
        }
        Value::Null | Value::Number(_) | Value::Object(_) => {
            Err(format!("{value} should be a text or a list of texts"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(resource: &str, context: &[(&str, &str)]) -> Asked {
        let context =
            context.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()]));
        Asked {
            action: "ec2:DeleteSnapshot".to_owned(),
            resource: resource.to_owned(),
            context: context.collect(),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
    fn policy(statements: Value) -> Policy {
        Policy::read(statements.as_array().unwrap()).unwrap()
    }

    #[test]
    fn what_nobody_allows_is_refused_and_a_denial_wins() {
        let allow =
            json!({ "Sid": "A", "Effect": "Allow", "Action": "ec2:Delete*", "Resource": "*" });
        let deny = json!({
            "Sid": "D", "Effect": "Deny", "Action": "ec2:DeleteSnapshot", "Resource": "*",
            "Condition": { "StringNotEquals": { "aws:ResourceTag/state": "condemned" } },
        });
        let both = policy(json!([allow, deny]));

        assert!(policy(json!([])).allows(&asked("x", &[])).is_err());
        let rights = both.allows(&asked("x", &[("aws:ResourceTag/state", "condemned")])).unwrap();
        assert_eq!(rights, BTreeSet::from([("A".to_owned(), "ec2:DeleteSnapshot".to_owned())]));
        // A missing tag is another one.
        let denial = both.allows(&asked("x", &[])).unwrap_err();
        assert!(matches!(denial, Denial::Explicit { ref sid, .. } if sid == "D"), "{denial}");
    }

    #[test]
    fn a_condition_is_read_as_aws_reads_it() {
        let holds = |operator: &str, wanted: Value, present: &[&str]| {
            let statement = json!([{
                "Effect": "Allow", "Action": "*", "Resource": "*",
                "Condition": { operator: { "k": wanted } },
            }]);
            let present = present.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
            let mut asked = asked("x", &[]);
            if !present.is_empty() {
                asked.context.insert("k".to_owned(), present);
            }
            policy(statement).allows(&asked).is_ok()
        };

        assert!(holds("StringEquals", json!(["a", "b"]), &["b"]));
        assert!(!holds("StringEquals", json!("a"), &[]));
        assert!(holds("StringEqualsIfExists", json!("a"), &[]));
        assert!(!holds("StringEqualsIfExists", json!("a"), &["b"]));
        assert!(holds("StringNotEquals", json!("a"), &[]));
        assert!(!holds("StringNotEquals", json!("a"), &["a"]));
        assert!(holds("ForAllValues:StringEquals", json!(["a", "b"]), &["a", "b"]));
        assert!(!holds("ForAllValues:StringEquals", json!(["a"]), &["a", "b"]));
        assert!(holds("ForAllValues:StringEquals", json!(["a"]), &[]));
        assert!(holds("ForAllValues:StringLike", json!(["snapkeep.*"]), &["snapkeep.x"]));
        assert!(holds("Null", json!("true"), &[]) && !holds("Null", json!("true"), &["a"]));
        assert!(holds("Null", json!("false"), &["a"]) && !holds("Null", json!("false"), &[]));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for statement in [
            json!({ "Effect": "Allow", "NotAction": "*", "Resource": "*" }),
            json!({ "Effect": "Maybe", "Action": "*", "Resource": "*" }),
            json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": { "IpAddress": {} } }),
            json!({ "Effect": "Allow", "Action": 3, "Resource": "*" }),
        ] {
            assert!(Policy::read(std::slice::from_ref(&statement)).is_err(), "{statement}");
        }
    }
}
