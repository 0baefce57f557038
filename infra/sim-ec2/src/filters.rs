//! Filters of the Describe calls: names, values, wildcards.

use std::{borrow::Cow, collections::BTreeSet};

use crate::{errors::Ec2Error, request::Params, state::Tags};

/// EC2 takes no more filters than this in one call, no more values in one filter, and no longer texts
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>).
const FILTERS_MAX: usize = 50;
const VALUES_MAX: usize = 200;
const LENGTH_MAX: usize = 255;

/// The filters of one call; an object must pass all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filters(Vec<Filter>);

#[derive(Clone, Debug)]
struct Filter {
    name: String,
    exact: BTreeSet<String>,
    patterns: Vec<Vec<Token>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    One,
    Any,
}

impl Filters {
    /// The filters in `params`, all of which must be `known` or, when `tag-key` is known, tags.
    pub(crate) fn parse(params: &Params, known: &[&str]) -> Result<Self, Ec2Error> {
        let mut filters = Vec::new();
        let mut count = 0;
        for filter in params.structures("Filter") {
            let name = filter.required("Name")?;
            let is_tag = name.strip_prefix("tag:").is_some_and(|key| !key.is_empty());
            let is_known = known.contains(&name) || (is_tag && known.contains(&"tag-key"));
            if !is_known {
                return Err(Ec2Error::invalid_parameter(format!("The filter '{name}' is invalid")));
            }
            let values = filter.values("Value");
            if values.is_empty() {
                return Err(Ec2Error::invalid_parameter(format!(
                    "The filter '{name}' must have at least one value"
                )));
            }
            count += values.len();
            if count > VALUES_MAX {
                let words = format!(
                    "The maximum number of filter values specified on a single call is {VALUES_MAX}"
                );
                return Err(Ec2Error::new("FilterLimitExceeded", words));
            }
            let is_long = |text: &&str| text.chars().count() > LENGTH_MAX;
            if values.iter().map(String::as_str).chain([name]).any(|text| is_long(&text)) {
                let words =
                    format!("The maximum length for a filter value is {LENGTH_MAX} characters");
                return Err(Ec2Error::new("FilterLimitExceeded", words));
            }
            if filters.len() == FILTERS_MAX {
                return Err(Ec2Error::new(
                    "FilterLimitExceeded",
                    format!("The maximum number of filters is {FILTERS_MAX}"),
                ));
            }
            filters.push(Filter::new(name, values));
        }
        Ok(Self(filters))
    }

    /// Whether an object with these tags passes, `field` giving its values by a filter's name.
    pub(crate) fn admit<'a>(
        &self,
        tags: &'a Tags,
        field: impl Fn(&str) -> Vec<Cow<'a, str>>,
    ) -> bool {
        self.0.iter().all(|filter| {
            if let Some(key) = filter.name.strip_prefix("tag:") {
                return tags.get(key).is_some_and(|value| filter.matches(value));
            }
            if filter.name == "tag-key" {
                return tags.keys().any(|key| filter.matches(key));
            }
            field(&filter.name).iter().any(|value| filter.matches(value))
        })
    }

    /// The values of the filter `name`, when there is one and none of them has a wildcard.
    pub(crate) fn exact(&self, name: &str) -> Option<&BTreeSet<String>> {
        let filter = self.0.iter().find(|filter| filter.name == name)?;
        filter.patterns.is_empty().then_some(&filter.exact)
    }
}

impl Filter {
    fn new(name: &str, values: Vec<String>) -> Self {
        let mut filter =
            Self { name: name.to_owned(), exact: BTreeSet::new(), patterns: Vec::new() };
        for value in values {
            if value.contains(['*', '?', '\\']) {
                filter.patterns.push(tokens(&value));
            } else {
                filter.exact.insert(value);
            }
        }
        filter
    }

    fn matches(&self, value: &str) -> bool {
        self.exact.contains(value) || self.patterns.iter().any(|pattern| glob(pattern, value))
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        tokens.push(match character {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Literal(characters.next().unwrap_or('\\')),
            other => Token::Literal(other),
        });
    }
    tokens
}

/// Matches greedily with one point to come back to, so that its time is bounded by the product
/// of the lengths.
fn glob(pattern: &[Token], value: &str) -> bool {
    let value: Vec<char> = value.chars().collect();
    let (mut token, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = value.get(at) {
        match pattern.get(token) {
            Some(Token::Any) => {
                star = Some((token, at));
                token += 1;
            }
            Some(Token::One) => {
                token += 1;
                at += 1;
            }
            Some(Token::Literal(literal)) if literal == character => {
                token += 1;
                at += 1;
            }
            Some(Token::Literal(_)) | None => {
                let Some((star_token, star_at)) = star else { return false };
                star = Some((star_token, star_at + 1));
                token = star_token + 1;
                at = star_at + 1;
            }
        }
    }
    pattern.iter().skip(token).all(|rest| *rest == Token::Any)
}

/// One value of a field.
pub(crate) fn one<'a>(value: impl Into<Cow<'a, str>>) -> Vec<Cow<'a, str>> {
    vec![value.into()]
}

/// A field that may have no value.
pub(crate) fn maybe<'a>(value: Option<impl Into<Cow<'a, str>>>) -> Vec<Cow<'a, str>> {
    value.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, value: &str) -> bool {
        Filter::new("x", vec![pattern.to_owned()]).matches(value)
    }

    fn filters(form: &str) -> Result<Filters, Ec2Error> {
        Filters::parse(&Params::parse(form.as_bytes()), &["status", "tag-key"])
    }

    #[test]
    fn wildcards_match_as_ec2_says() {
        for (pattern, value, expected) in [
            ("2026-11-22*", "2026-11-22T06:00:00.000Z", true),
            ("2026-11-22*", "2026-11-23T06:00:00.000Z", false),
            ("*", "", true),
            ("?", "", false),
            ("?", "a", true),
            ("a*b*c", "axxbxxbc", true),
            ("a*b*c", "axxbxxb", false),
            (r"\*", "*", true),
            (r"\*", "a", false),
            (r"a\\b", r"a\b", true),
            (r"\*amazon\?\\", r"*amazon?\", true),
            (r"\*amazon\?\\", r"xamazonx\", false),
            ("Web", "web", false),
            ("**x", "x", true),
        ] {
            assert_eq!(matches(pattern, value), expected, "{pattern} {value}");
        }
    }

    #[test]
    fn an_unknown_filter_is_refused_by_name() {
        let error = filters("Filter.1.Name=colour&Filter.1.Value.1=red").unwrap_err();

        assert_eq!(error.code, "InvalidParameterValue");
        assert_eq!(error.message, "The filter 'colour' is invalid");
    }

    #[test]
    fn two_hundred_values_are_taken_and_one_more_is_not() {
        let form = |count: usize| {
            let values: Vec<String> =
                (1..=count).map(|n| format!("Filter.1.Value.{n}=v{n}")).collect();
            format!("Filter.1.Name=status&{}", values.join("&"))
        };

        assert!(filters(&form(200)).is_ok());
        assert_eq!(filters(&form(201)).unwrap_err().code, "FilterLimitExceeded");
        // As recorded in gjbae1212/gossm#47 it is those of the call, and not of one filter.
        let one_more = format!("{}&Filter.2.Name=tag:k&Filter.2.Value.1=v", form(200));
        assert_eq!(filters(&one_more).unwrap_err().code, "FilterLimitExceeded");
    }

    #[test]
    fn fifty_filters_of_255_characters_are_taken_and_no_more() {
        let form = |count: usize, length: usize| {
            let filters = (1..=count).map(|n| {
                format!("Filter.{n}.Name=tag:k{n}&Filter.{n}.Value.1={}", "v".repeat(length))
            });
            filters.collect::<Vec<_>>().join("&")
        };

        assert!(filters(&form(50, 255)).is_ok());
        assert_eq!(filters(&form(51, 1)).unwrap_err().code, "FilterLimitExceeded");
        assert_eq!(filters(&form(1, 256)).unwrap_err().code, "FilterLimitExceeded");
    }

    #[test]
    fn values_of_one_filter_are_alternatives_and_filters_add_up() {
        let filters = filters(
            "Filter.1.Name=status&Filter.1.Value.1=pending&Filter.1.Value.2=completed\
             &Filter.2.Name=tag:a&Filter.2.Value.1=1*",
        )
        .unwrap();
        let tags = |value: &str| Tags::from([("a".to_owned(), value.to_owned())]);

        assert!(filters.admit(&tags("12"), |_| one("completed")));
        assert!(!filters.admit(&tags("2"), |_| one("completed")));
        assert!(!filters.admit(&tags("12"), |_| one("error")));
        assert!(!filters.admit(&Tags::new(), |_| one("completed")));
    }

    proptest! {
        #[test]
        fn a_value_with_its_wildcards_escaped_matches_itself(value in ".{0,20}") {
            let escaped = value.replace('\\', r"\\").replace('*', r"\*").replace('?', r"\?");
            prop_assert!(matches(&escaped, &value));
        }

        #[test]
        fn a_prefix_and_a_star_match(value in "[a-c*]{0,12}", cut in 0_usize..12) {
            let prefix: String = value.chars().take(cut).collect();
            let pattern = prefix.replace('*', r"\*") + "*";
            prop_assert!(matches(&pattern, &value));
        }
    }
}
