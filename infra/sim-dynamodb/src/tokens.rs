//! The words and signs of an expression.

use crate::refusal::{Outcome, Refusal};

/// A word or a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Word(&'a str),
    /// `#name`.
    Name(&'a str),
    /// `:value`.
    Value(&'a str),
    Equal,
    Other,
    Less,
    AtMost,
    More,
    AtLeast,
    Open,
    Close,
    Comma,
    Dot,
}

/// How long an expression may be, in bytes.
const LENGTH_MAX: usize = 4_096;

/// The signs, the longer ones first.
const SIGNS: [(&str, Token<'_>); 10] = [
    ("<>", Token::Other),
    ("<=", Token::AtMost),
    (">=", Token::AtLeast),
    ("=", Token::Equal),
    ("<", Token::Less),
    (">", Token::More),
    ("(", Token::Open),
    (")", Token::Close),
    (",", Token::Comma),
    (".", Token::Dot),
];

/// What an expression consists of.
pub(crate) fn tokens(text: &str) -> Outcome<Vec<Token<'_>>> {
    if text.len() > LENGTH_MAX {
        return Err(Refusal::invalid("Expression size has exceeded the maximum allowed size"));
    }
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (token, behind) = first(rest)?;
        tokens.push(token);
        rest = behind.trim_start();
    }
    if tokens.is_empty() {
        return Err(Refusal::invalid("The expression can not be empty"));
    }
    Ok(tokens)
}

fn first(text: &str) -> Outcome<(Token<'_>, &str)> {
    for (sign, token) in SIGNS {
        if let Some(rest) = text.strip_prefix(sign) {
            return Ok((token, rest));
        }
    }
    let mark = usize::from(text.starts_with(['#', ':']));
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let length = text.char_indices().skip(mark).find(|(_, letter)| !is_part(*letter));
    let (word, rest) = text.split_at(length.map_or(text.len(), |(at, _)| at));
    let token = match word.get(..1) {
        _ if word.len() == mark => {
            return Err(Refusal::invalid(format!("the expression goes wrong at {text:?}")));
        }
        Some("#") => Token::Name(word),
        Some(":") => Token::Value(word),
        _ => Token::Word(word),
    };
    Ok((token, rest))
}
