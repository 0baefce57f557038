//! Expressions of conditions, keys and updates: those forms that our functions and tests write, and no other.

mod parser;

use std::{cell::RefCell, cmp::Ordering, collections::BTreeMap, collections::BTreeSet};

use self::parser::Parser;
use crate::{
    refusal::{Outcome, Refusal},
    tokens::Token,
    values::{Value, Values},
};

/// Names that may be written as they are. DynamoDB reserves 573 words; what is not among these is written `#name`, so
/// that nobody has to know them.
const PLAIN_NAMES: [&str; 6] = ["pk", "sk", "version", "body", "drills", "drill_every"];

/// What `#name` and `:value` stand for in a request's expressions.
#[derive(Debug)]
pub(crate) struct Meanings<'a> {
    names: &'a BTreeMap<String, String>,
    values: &'a Values,
    used: RefCell<BTreeSet<String>>,
}

impl<'a> Meanings<'a> {
    pub(crate) fn new(names: &'a BTreeMap<String, String>, values: &'a Values) -> Self {
        Self { names, values, used: RefCell::default() }
    }

    fn name(&self, placeholder: &str) -> Outcome<String> {
        self.used.borrow_mut().insert(placeholder.to_owned());
        let name = self.names.get(placeholder).cloned();
        name.ok_or_else(|| Refusal::invalid(format!("{placeholder} is the name of nothing")))
    }

    fn value(&self, placeholder: &str) -> Outcome<Value> {
        self.used.borrow_mut().insert(placeholder.to_owned());
        let value = self.values.get(placeholder).cloned();
        value.ok_or_else(|| Refusal::invalid(format!("{placeholder} is the value of nothing")))
    }

    /// Refuses what no expression has named.
    pub(crate) fn all_used(&self) -> Outcome<()> {
        let used = self.used.borrow();
        let mut given = self.names.keys().chain(self.values.keys());
        match given.find(|name| !used.contains(*name)) {
            None => Ok(()),
            Some(name) => Err(Refusal::invalid(format!("{name} is used in no expression"))),
        }
    }
}

/// An attribute, or a field in its maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path(Vec<String>);

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    Path(Path),
    Value(Value),
}

/// How two are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Other,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// A condition on an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Or(Box<Self>, Box<Self>),
    And(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Exists(Path),
    Compared(Operand, Comparison, Operand),
}

/// What an update does to an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Update {
    pub(crate) set: Vec<(Path, Value)>,
    pub(crate) add: Vec<(Path, Value)>,
    pub(crate) remove: Vec<Path>,
}

impl Condition {
    /// The condition that a text stands for.
    pub(crate) fn parse(text: &str, meanings: &Meanings<'_>) -> Outcome<Self> {
        let mut parser = Parser::of(text, meanings)?;
        let condition = parser.alternatives()?;
        parser.end()?;
        Ok(condition)
    }

    /// Whether it holds of these attributes; of none, if there is no item.
    pub(crate) fn holds(&self, item: &Values) -> bool {
        match self {
            Self::Or(one, other) => one.holds(item) || other.holds(item),
            Self::And(one, other) => one.holds(item) && other.holds(item),
            Self::Not(condition) => !condition.holds(item),
            Self::Exists(path) => path.of(item).is_some(),
            Self::Compared(one, comparison, other) => {
                match (one.of(item), other.of(item)) {
                    (Some(one), Some(other)) => comparison.holds(one, other),
                    // What is not there is nothing's equal.
                    (None, _) | (_, None) => *comparison == Comparison::Other,
                }
            }
        }
    }

    /// All that must hold at once.
    pub(crate) fn all(self) -> Vec<Self> {
        match self {
            Self::And(one, other) => [one.all(), other.all()].concat(),
            Self::Or(..) | Self::Not(_) | Self::Exists(_) | Self::Compared(..) => vec![self],
        }
    }
}

impl Comparison {
    fn holds(self, one: &Value, other: &Value) -> bool {
        let order = match (one, other) {
            (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
            (Value::Number(one), Value::Number(other)) => Some(one.compare(other)),
            _ => None,
        };
        match self {
            Self::Equal => one == other,
            Self::Other => one != other,
            Self::Less => order == Some(Ordering::Less),
            Self::AtMost => order.is_some_and(Ordering::is_le),
            Self::More => order == Some(Ordering::Greater),
            Self::AtLeast => order.is_some_and(Ordering::is_ge),
        }
    }
}

impl Operand {
    fn of<'a>(&'a self, item: &'a Values) -> Option<&'a Value> {
        match self {
            Self::Path(path) => path.of(item),
            Self::Value(value) => Some(value),
        }
    }

    /// Whether it can be less than another, as far as the request says.
    fn has_order(&self) -> bool {
        matches!(self, Self::Path(_) | Self::Value(Value::Text(_) | Value::Number(_)))
    }
}

impl Path {
    fn of<'a>(&self, item: &'a Values) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        rest.iter().try_fold(item.get(first)?, |value, name| match value {
            Value::Map(fields) => fields.get(name),
            Value::Text(_) | Value::Number(_) | Value::Bool(_) | Value::Null | Value::List(_) => {
                None
            }
        })
    }

    /// The attribute it begins with.
    pub(crate) fn attribute(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Whether it is an attribute as a whole.
    pub(crate) fn is_attribute(&self) -> bool {
        self.0.len() == 1
    }

    /// Whether one of them lies in the other.
    fn overlaps(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }

    /// The map that it lies in, and its name there.
    fn place<'a>(&self, item: &'a mut Values) -> Outcome<(&'a mut Values, &str)> {
        let wrong = || Refusal::invalid("The document path in the update expression is not there");
        let (last, way) = self.0.split_last().ok_or_else(wrong)?;
        let mut place = item;
        for name in way {
            place = match place.get_mut(name) {
                Some(Value::Map(fields)) => fields,
                _ => return Err(wrong()),
            };
        }
        Ok((place, last))
    }
}

impl Update {
    /// The update that a text stands for.
    pub(crate) fn parse(text: &str, meanings: &Meanings<'_>) -> Outcome<Self> {
        let mut parser = Parser::of(text, meanings)?;
        let mut update = Self::default();
        let mut seen = BTreeSet::new();
        while let Some(clause) = parser.word() {
            if !seen.insert(clause.to_ascii_uppercase()) {
                return Err(Refusal::invalid(format!("{clause} is there twice")));
            }
            loop {
                match clause.to_ascii_uppercase().as_str() {
                    "SET" => {
                        let path = parser.path()?;
                        parser.expect(&Token::Equal)?;
                        update.set.push((path, parser.value()?));
                    }
                    "ADD" => update.add.push((parser.path()?, parser.value()?)),
                    "REMOVE" => update.remove.push(parser.path()?),
                    _ => return Err(Refusal::invalid(format!("{clause} begins no clause"))),
                }
                if !parser.takes(&Token::Comma) {
                    break;
                }
            }
        }
        parser.end()?;
        update.checked()
    }

    fn checked(self) -> Outcome<Self> {
        let paths: Vec<_> = self.paths().collect();
        let twice = paths
            .iter()
            .enumerate()
            .any(|(at, path)| paths.iter().skip(at + 1).any(|other| path.overlaps(other)));
        if paths.is_empty() {
            return Err(Refusal::invalid("Invalid UpdateExpression: it changes nothing"));
        }
        if twice {
            return Err(Refusal::invalid("Invalid UpdateExpression: two paths overlap"));
        }
        Ok(self)
    }

    /// Everything that it changes.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let set = self.set.iter().chain(&self.add).map(|(path, _)| path);
        set.chain(&self.remove)
    }

    /// Changes these attributes.
    pub(crate) fn apply(&self, item: &mut Values) -> Outcome<()> {
        for (path, value) in &self.set {
            let (place, name) = path.place(item)?;
            place.insert(name.to_owned(), value.clone());
        }
        for path in &self.remove {
            let (place, name) = path.place(item)?;
            place.remove(name);
        }
        for (path, value) in &self.add {
            let (place, name) = path.place(item)?;
            let sum = match (place.get(name), value) {
                (None, Value::Number(_)) => value.clone(),
                (Some(Value::Number(before)), Value::Number(number)) => {
                    let sum = before.plus(number);
                    let refused = || Refusal::invalid("the sum is no number of 38 digits");
                    Value::Number(sum.ok_or_else(refused)?)
                }
                (_, _) => return Err(Refusal::invalid("ADD is for numbers")),
            };
            place.insert(name.to_owned(), sum);
        }
        Ok(())
    }
}
