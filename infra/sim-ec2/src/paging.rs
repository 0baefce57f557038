//! Pages of the Describe calls.

use std::ops::RangeInclusive;

use crate::{errors::Ec2Error, ids, request::Params};

/// What most calls take as `MaxResults`.
pub(crate) const USUAL: RangeInclusive<usize> = 5..=1000;

/// Where a page begins and how long it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    action: &'static str,
    /// The key the last page ended with.
    pub(crate) after: Option<String>,
    size: usize,
}

impl Page {
    /// The page that `params` ask for; without `MaxResults` the longest there is.
    pub(crate) fn parse(
        params: &Params,
        action: &'static str,
        range: RangeInclusive<usize>,
    ) -> Result<Self, Ec2Error> {
        let size = match params.number::<usize>("MaxResults")? {
            None => *range.end(),
            Some(size) if range.contains(&size) => size,
            Some(size) => {
                return Err(Ec2Error::invalid_parameter(format!(
                    "Value ( {size} ) for parameter maxResults is invalid. Expecting a value \
                     from {} to {}.",
                    range.start(),
                    range.end()
                )));
            }
        };
        let after = match params.get("NextToken") {
            None => None,
            Some(token) => Some(read_token(action, token)?),
        };
        Ok(Self { action, after, size })
    }

    /// Refuses a page together with a list of ids, as EC2 does.
    pub(crate) fn refuse_with_ids(params: &Params, list: &str) -> Result<(), Ec2Error> {
        if params.get("MaxResults").is_some() && !params.values(list).is_empty() {
            return Err(Ec2Error::combination(format!(
                "The parameter {list} cannot be used with the parameter maxResults"
            )));
        }
        Ok(())
    }

    /// The first members of `all`, which come after the key this page begins at, in the order of
    /// their keys; and the token for the next page, when this one is full. That may be an empty one: EC2 was recorded to
    /// give a token with the last of twelve instances (<https://github.com/aws/aws-sdk-js/issues/939>).
    pub(crate) fn cut<'a, T>(
        &self,
        all: impl Iterator<Item = (&'a str, T)>,
    ) -> (Vec<T>, Option<String>) {
        let mut members = Vec::new();
        let mut last = "";
        for (key, member) in all.take(self.size) {
            members.push(member);
            last = key;
        }
        let is_full = members.len() == self.size;
        let next = is_full.then(|| write_token(self.action, last));
        (members, next)
    }
}

fn write_token(action: &str, key: &str) -> String {
    use std::fmt::Write as _;

    let mut token = signature(action, key);
    for byte in key.bytes() {
        // Writing to a String does not fail.
        let _: std::fmt::Result = write!(token, "{byte:02x}");
    }
    token
}

fn read_token(action: &str, token: &str) -> Result<String, Ec2Error> {
    let invalid = || Ec2Error::new("InvalidNextToken", "The specified NextToken is not valid.");
    let (signed, digits) = token.split_at_checked(16).ok_or_else(invalid)?;
    let digits: Vec<char> = digits.chars().collect();
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok())
        .collect();
    let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid)?;
    if signature(action, &key) != signed {
        return Err(invalid());
    }
    Ok(key)
}

fn signature(action: &str, key: &str) -> String {
    ids::hex(0, &["next token", action, key]).chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(form: &str) -> Result<Page, Ec2Error> {
        Page::parse(&Params::parse(form.as_bytes()), "DescribeSnapshots", USUAL)
    }

    #[test]
    fn pages_join_to_the_whole() {
        let all: Vec<String> = (0..23).map(|n| format!("snap-{n:03}")).collect();
        let (mut seen, mut token, mut pages) = (Vec::new(), String::new(), 0);

        loop {
            let page = page(&format!("MaxResults=5&NextToken={token}")).unwrap();
            let after = page.after.clone().unwrap_or_default();
            let rest =
                all.iter().filter(|key| **key > after).map(|key| (key.as_str(), key.clone()));
            let (members, next) = page.cut(rest);
            seen.extend(members);
            pages += 1;
            match next {
                Some(next) => token = next,
                None => break,
            }
        }

        assert_eq!(seen, all);
        assert_eq!(pages, 5);
    }

    #[test]
    fn a_page_that_is_full_has_a_token_although_nothing_may_follow() {
        let first = page("MaxResults=5").unwrap();
        let all = ["a", "b", "c", "d", "e"].map(|key| (key, key));

        let (members, next) = first.cut(all.into_iter());

        assert_eq!(members.len(), 5);
        let second = page(&format!("MaxResults=5&NextToken={}", next.unwrap())).unwrap();
        assert_eq!(second.after.as_deref(), Some("e"));
        let (members, next) = second.cut(std::iter::empty::<(&str, &str)>());
        assert_eq!((members.len(), next), (0, None));
    }

    #[test]
    fn max_results_is_five_to_a_thousand() {
        for (size, expected) in [("4", false), ("5", true), ("1000", true), ("1001", false)] {
            assert_eq!(page(&format!("MaxResults={size}")).is_ok(), expected, "{size}");
        }
        assert_eq!(page("MaxResults=x").unwrap_err().code, "InvalidParameterValue");
        assert_eq!(page("").unwrap().size, 1000);
    }

    #[test]
    fn a_token_that_we_did_not_write_is_refused() {
        let token = write_token("DescribeSnapshots", "snap-1");

        assert_eq!(page(&format!("NextToken={token}")).unwrap().after.as_deref(), Some("snap-1"));
        for forged in ["abc", "é", &token.replace('7', "8"), &write_token("DescribeTags", "snap-1")]
        {
            let error = page(&format!("NextToken={forged}")).unwrap_err();
            assert_eq!(error.code, "InvalidNextToken", "{forged}");
        }
    }
}
