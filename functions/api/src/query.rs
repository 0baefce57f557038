//! Query parameters: each known by name, given once unless it may be repeated, and nothing else.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::Uri;
use http::request::Parts;
use jiff::civil::Date;
use shared::domain::cursor::{Cursor, Order, PAGE_DEFAULT, PAGE_MAX, PageRequest};
use shared::domain::schedule::TagMatch;
use utoipa::IntoParams;

use crate::app::App;
use crate::cursor::Scope;
use crate::problem::Problem;

/// The query as its parameters.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

/// What can be read from a query.
pub(crate) trait FromQuery: Sized + Send {
    /// Takes its parameters; those that nobody takes are refused afterwards.
    fn from_query(given: &mut Parameters) -> Result<Self, Problem>;
}

/// The parameters of a query that have not been taken yet.
#[derive(Debug)]
pub(crate) struct Parameters {
    scope: Scope,
    given: Vec<(String, String)>,
    known: Vec<&'static str>,
}

/// A path without parameters.
#[derive(Debug)]
pub(crate) struct NoParameters;

/// Which part of a list is wanted.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParameters {
    /// How many items a page has at the most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// The `next_cursor` of the page before; the first page without it.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// A tag as a query has it: `Key=Value`. What follows the first `=` is the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagText(pub(crate) TagMatch);

impl FromStr for TagText {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or("must be of the form Key=Value, such as tag=team=blue")?;
        Ok(Self(TagMatch { key: key.to_owned(), value: value.to_owned() }))
    }
}

impl PageParameters {
    /// The part of a list that runs this way.
    pub(crate) fn request(&self, order: Order) -> PageRequest {
        let limit = self.limit.unwrap_or(PAGE_DEFAULT);
        PageRequest { limit, cursor: self.cursor.clone(), order }
    }
}

/// What the cursors of an answer to this request belong to.
pub(crate) fn scope_of(uri: &Uri) -> Scope {
    Parameters::of(uri).map_or_else(|_| Scope::of(uri.path(), &[]), |given| given.scope().clone())
}

impl Parameters {
    /// The parameters of a query.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let axum::extract::Query(given) =
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(uri)
                .map_err(|_| Problem::invalid("query", "is not readable as name=value pairs"))?;
        Ok(Self { scope: Scope::of(uri.path(), &given), given, known: Vec::new() })
    }

    /// What the cursors of the answer belong to.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The cursor, if one is given; it must belong to this list.
    fn cursor(&mut self) -> Result<Option<Cursor>, Problem> {
        let text: Option<String> = self.one("cursor")?;
        text.map(|text| self.scope.read(&text)).transpose()
    }

    /// A parameter that may be given once.
    pub(crate) fn one<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, Problem> {
        let mut all = self.all(name)?;
        if all.len() > 1 {
            return Err(Problem::invalid(name, "may be given only once"));
        }
        Ok(all.pop())
    }

    /// A parameter that may be repeated.
    pub(crate) fn all<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<Vec<T>, Problem> {
        self.known.push(name);
        let given = self.given.extract_if(.., |(key, _)| key == name);
        given
            .map(|(_, text)| {
                text.parse().map_err(|error: T::Err| match plus_hint::<T>(&text) {
                    Some(hint) => Problem::invalid(name, format!("{error}; {hint}")),
                    None => Problem::invalid(name, error),
                })
            })
            .collect()
    }

    /// A text to look for, of at most so many characters.
    pub(crate) fn text(
        &mut self,
        name: &'static str,
        most: usize,
    ) -> Result<Option<String>, Problem> {
        let text: Option<String> = self.one(name)?;
        if text.as_ref().is_some_and(|text| text.chars().count() > most) {
            let allowed = format!("may have {most} characters at the most");
            return Err(Problem::invalid(name, allowed));
        }
        Ok(text)
    }

    /// A day of our calendar.
    pub(crate) fn date(&mut self, name: &'static str) -> Result<Option<Date>, Problem> {
        let Some(text) = self.one::<String>(name)? else { return Ok(None) };
        let refused = |_| Problem::invalid(name, "must be a day such as 2026-11-22");
        text.parse().map(Some).map_err(refused)
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        match self.one::<String>(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Problem::invalid(name, "must be true or false")),
        }
    }

    /// A whole number from `low` to `high`.
    pub(crate) fn number(
        &mut self,
        name: &'static str,
        (low, high): (u32, u32),
    ) -> Result<Option<u32>, Problem> {
        let Some(text) = self.one::<String>(name)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        let refused = || Problem::invalid(name, format!("must be a number from {low} to {high}"));
        number.map(Some).ok_or_else(refused)
    }

    fn finish(self) -> Result<(), Problem> {
        let Some((name, _)) = self.given.into_iter().next() else { return Ok(()) };
        let name: String = name.chars().take(80).collect();
        if name.is_empty() {
            return Err(Problem::invalid("query", "has a value without a name"));
        }
        let known = match self.known.as_slice() {
            [] => "this path has no query parameters".to_owned(),
            known => format!("there are {}", known.join(", ")),
        };
        Err(Problem::invalid(name, format!("is no query parameter here; {known}")))
    }
}

/// What to do about a `+` that was not encoded, where that is all that is wrong: in a query it stands for a blank.
fn plus_hint<T: FromStr>(text: &str) -> Option<&'static str> {
    let is_meant = text.contains(' ') && text.replace(' ', "+").parse::<T>().is_ok();
    is_meant.then_some("in a query + stands for a blank: write %2B for it, or Z for UTC")
}

impl FromQuery for NoParameters {
    fn from_query(_: &mut Parameters) -> Result<Self, Problem> {
        Ok(Self)
    }
}

impl FromQuery for PageParameters {
    fn from_query(given: &mut Parameters) -> Result<Self, Problem> {
        let most = u32::try_from(PAGE_MAX).unwrap_or(u32::MAX);
        let limit = given.number("limit", (1, most))?;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        Ok(Self { limit, cursor: given.cursor()? })
    }
}

impl<T: FromQuery> FromRequestParts<Arc<App>> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let mut given = Parameters::of(&parts.uri)?;
        let taken = T::from_query(&mut given)?;
        given.finish()?;
        Ok(Self(taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> Result<PageRequest, Problem> {
        let mut given = Parameters::of(&format!("/v1/x?{query}").parse().unwrap())?;
        let page = PageParameters::from_query(&mut given)?;
        given.finish()?;
        Ok(page.request(Order::NewestFirst))
    }

    fn refusal(query: &str) -> String {
        format!("{:?}", page(query).unwrap_err())
    }

    #[test]
    fn a_page_has_50_items_unless_told_and_200_at_the_most() {
        assert_eq!(page("").unwrap().limit, 50);
        assert_eq!(page("limit=1").unwrap().limit, 1);
        assert_eq!(page("limit=200").unwrap().limit, 200);
        for query in ["limit=0", "limit=201", "limit=-1", "limit=", "limit=ten"] {
            assert!(refusal(query).contains("from 1 to 200"), "{query}");
        }
    }

    #[test]
    fn an_unknown_parameter_is_named_with_those_there_are() {
        let refusal = refusal("limt=10");

        assert!(refusal.contains("limt") && refusal.contains("limit, cursor"), "{refusal}");
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        assert!(refusal("limit=1&limit=2").contains("only once"));
    }

    #[test]
    fn a_cursor_that_is_none_is_refused() {
        assert!(refusal("cursor=%21").contains("cursor"));
    }

    #[test]
    fn a_tag_is_a_key_and_a_value_and_may_be_repeated() {
        let mut given =
            Parameters::of(&"/?tag=team%3Dblue&tag=path=a=b&tag=x=".parse().unwrap()).unwrap();

        let tags: Vec<TagText> = given.all("tag").unwrap();

        let tags: Vec<_> = tags.iter().map(|TagText(tag)| (&*tag.key, &*tag.value)).collect();
        assert_eq!(tags, [("team", "blue"), ("path", "a=b"), ("x", "")]);
        assert!("team".parse::<TagText>().is_err());
        assert!("=x".parse::<TagText>().is_err());
    }
}
