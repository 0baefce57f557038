//! The grammar: what an expression of conditions, keys or updates says.

use super::{Comparison, Condition, Meanings, Operand, PLAIN_NAMES, Path};
use crate::{
    refusal::{Outcome, Refusal},
    tokens::{Token, tokens},
    values::Value,
};

/// Reads an expression from its beginning to its end.
pub(super) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    meanings: &'a Meanings<'a>,
}

impl<'a> Parser<'a> {
    pub(super) fn of(text: &'a str, meanings: &'a Meanings<'a>) -> Outcome<Self> {
        Ok(Self { tokens: tokens(text)?, at: 0, meanings })
    }

    fn next(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    /// Whether the next one is this, which is then behind us.
    pub(super) fn takes(&mut self, token: &Token<'_>) -> bool {
        let is_next = self.next().as_ref() == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_next =
            matches!(self.next(), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn word(&mut self) -> Option<&'a str> {
        let Some(Token::Word(word)) = self.next() else { return None };
        self.at += 1;
        Some(word)
    }

    fn unexpected(&self) -> Refusal {
        Refusal::invalid(format!("the expression goes wrong at {:?}", self.next()))
    }

    pub(super) fn expect(&mut self, token: &Token<'_>) -> Outcome<()> {
        if self.takes(token) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn end(&self) -> Outcome<()> {
        if self.next().is_none() { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn alternatives(&mut self) -> Outcome<Condition> {
        let mut condition = self.conjunction()?;
        while self.takes_word("OR") {
            condition = Condition::Or(Box::new(condition), Box::new(self.conjunction()?));
        }
        Ok(condition)
    }

    fn conjunction(&mut self) -> Outcome<Condition> {
        let mut condition = self.negation()?;
        while self.takes_word("AND") {
            condition = Condition::And(Box::new(condition), Box::new(self.negation()?));
        }
        Ok(condition)
    }

    fn negation(&mut self) -> Outcome<Condition> {
        if self.takes_word("NOT") {
            return Ok(Condition::Not(Box::new(self.negation()?)));
        }
        if self.takes(&Token::Open) {
            let condition = self.alternatives()?;
            self.expect(&Token::Close)?;
            return Ok(condition);
        }
        if self.takes_word("attribute_exists") {
            return Ok(Condition::Exists(self.argument()?));
        }
        if self.takes_word("attribute_not_exists") {
            return Ok(Condition::Not(Box::new(Condition::Exists(self.argument()?))));
        }
        let one = self.operand()?;
        let comparison = match self.next() {
            Some(Token::Equal) => Comparison::Equal,
            Some(Token::Other) => Comparison::Other,
            Some(Token::Less) => Comparison::Less,
            Some(Token::AtMost) => Comparison::AtMost,
            Some(Token::More) => Comparison::More,
            Some(Token::AtLeast) => Comparison::AtLeast,
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        let other = self.operand()?;
        let is_ordered = !matches!(comparison, Comparison::Equal | Comparison::Other);
        if is_ordered && !(one.has_order() && other.has_order()) {
            return Err(Refusal::invalid("only texts and numbers are less or more"));
        }
        Ok(Condition::Compared(one, comparison, other))
    }

    fn argument(&mut self) -> Outcome<Path> {
        self.expect(&Token::Open)?;
        let path = self.path()?;
        self.expect(&Token::Close)?;
        Ok(path)
    }

    fn operand(&mut self) -> Outcome<Operand> {
        match self.next() {
            Some(Token::Value(_)) => self.value().map(Operand::Value),
            _ => self.path().map(Operand::Path),
        }
    }

    pub(super) fn value(&mut self) -> Outcome<Value> {
        let Some(Token::Value(placeholder)) = self.next() else { return Err(self.unexpected()) };
        self.at += 1;
        self.meanings.value(placeholder)
    }

    pub(super) fn path(&mut self) -> Outcome<Path> {
        let mut names = vec![self.name()?];
        while self.takes(&Token::Dot) {
            names.push(self.name()?);
        }
        Ok(Path(names))
    }

    fn name(&mut self) -> Outcome<String> {
        let name = match self.next() {
            Some(Token::Name(placeholder)) => self.meanings.name(placeholder)?,
            Some(Token::Word(word)) if PLAIN_NAMES.contains(&word) => word.to_owned(),
            Some(Token::Word(word)) => {
                return Err(Refusal::invalid(format!("write #{word}: it may be a reserved word")));
            }
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(name)
    }
}
