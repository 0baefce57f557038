//! A request of EC2's query protocol, as a tree of parameters.

use std::{borrow::Cow, collections::BTreeMap, str::FromStr};

use percent_encoding::percent_decode_str;

use crate::errors::Ec2Error;

/// Parameters by name; `A.1.B=c` is the child `B` of the child `1` of the child `A`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params {
    value: Option<String>,
    path: String,
    children: BTreeMap<String, Params>,
}

impl Params {
    /// The form in `body`. What is not UTF-8 is replaced, as EC2 has no binary parameters.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let mut root = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            root.insert(&decode(name), decode(value).into_owned());
        }
        root
    }

    fn insert(&mut self, name: &str, value: String) {
        let mut node = self;
        for part in name.split('.') {
            let path = match node.path.as_str() {
                "" => part.to_owned(),
                parent => format!("{parent}.{part}"),
            };
            node = node.children.entry(part.to_owned()).or_default();
            node.path = path;
        }
        node.value = Some(value);
    }

    /// The value of `name`; an empty one counts as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.children.get(name)?.value.as_deref().filter(|value| !value.is_empty())
    }

    /// The value of `name`, an empty one as well.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.children.get(name)?.value.as_deref()
    }

    /// The value of `name`, or `MissingParameter`.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Ec2Error> {
        self.get(name).ok_or_else(|| Ec2Error::missing_parameter(&self.full(name)))
    }

    /// The parameters below `name`; none are an empty tree.
    pub(crate) fn below(&self, name: &str) -> Cow<'_, Self> {
        match self.children.get(name) {
            Some(child) => Cow::Borrowed(child),
            None => Cow::Owned(Self { path: self.full(name), ..Self::default() }),
        }
    }

    /// The names of what is given here.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.children.keys().map(String::as_str)
    }

    /// The parameters below `name`, if there are any.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.get(name)
    }

    /// The structures of the list `name`, by their number.
    pub(crate) fn structures(&self, name: &str) -> Vec<&Self> {
        let Some(list) = self.children.get(name) else { return Vec::new() };
        let mut members: Vec<(u32, &Self)> = list
            .children
            .iter()
            .filter_map(|(number, member)| Some((number.parse().ok()?, member)))
            .collect();
        members.sort_by_key(|(number, _)| *number);
        members.into_iter().map(|(_, member)| member).collect()
    }

    /// The plain values of the list `name`, by their number.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        self.structures(name).into_iter().filter_map(|member| member.value.clone()).collect()
    }

    /// The values of the list `name`, or `MissingParameter` when there are none.
    pub(crate) fn required_values(&self, name: &str) -> Result<Vec<String>, Ec2Error> {
        let values = self.values(name);
        if values.is_empty() {
            return Err(Ec2Error::missing_parameter(&self.full(name)));
        }
        Ok(values)
    }

    /// `true` or `false`; anything else is `InvalidParameterValue`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Ec2Error> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "True" | "1") => Ok(Some(true)),
            Some("false" | "False" | "0") => Ok(Some(false)),
            Some(other) => Err(Ec2Error::invalid_value(other, &self.full(name))),
        }
    }

    /// A number; what is none is `InvalidParameterValue`.
    pub(crate) fn number<N: FromStr>(&self, name: &str) -> Result<Option<N>, Ec2Error> {
        self.get(name)
            .map(|text| text.parse().map_err(|_| Ec2Error::invalid_value(text, &self.full(name))))
            .transpose()
    }

    /// Everything asked for but the client token, as one text: the same for the same request.
    pub(crate) fn fingerprint(&self) -> String {
        let mut text = String::new();
        self.write_fingerprint(&mut text);
        text
    }

    fn write_fingerprint(&self, text: &mut String) {
        if self.path == "ClientToken" {
            return;
        }
        if let Some(value) = &self.value {
            text.push_str(&self.path);
            text.push('=');
            text.push_str(value);
            text.push('&');
        }
        for child in self.children.values() {
            child.write_fingerprint(text);
        }
    }

    fn full(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }
}

fn decode(text: &str) -> Cow<'_, str> {
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod published;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_in_the_order_of_their_numbers() {
        let names: Vec<String> = (1..=12).rev().map(|n| format!("Id.{n}=v{n}")).collect();
        let params = Params::parse(names.join("&").as_bytes());

        let expected: Vec<String> = (1..=12).map(|n| format!("v{n}")).collect();
        assert_eq!(params.values("Id"), expected);
    }

    #[test]
    fn a_plus_is_a_space_and_an_escaped_plus_is_a_plus() {
        let params = Params::parse(b"Description=a+b%2Bc%20d");

        assert_eq!(params.get("Description"), Some("a b+c d"));
    }

    #[test]
    fn a_missing_parameter_is_named_with_its_path() {
        let params = Params::parse(b"Filter.1.Value.1=x");
        let filter = params.structures("Filter")[0].clone();

        let error = filter.required("Name").unwrap_err();

        assert_eq!(error.code, "MissingParameter");
        assert!(error.message.contains("Filter.1.Name"), "{}", error.message);
    }
}
