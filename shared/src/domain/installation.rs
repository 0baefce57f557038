//! Installations of Snapkeep: several may be in one account, and none touches what is another's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::tags::{self, Tags};

/// How long the id of an installation may be: it is the value of a tag.
const ID_MAX: usize = 128;

/// What tells one installation from the others of its account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstallationId(String);

/// Whose a thing is by the installation that its tags name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installation {
    /// Ours.
    Ours,
    /// Another one's.
    Another,
    /// It names none: it was made before installations had ids, or is nobody's.
    Unnamed,
}

impl InstallationId {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What these tags say, seen from this installation.
    pub fn look(&self, tags: &Tags) -> Installation {
        match tags.get(tags::INSTALLATION) {
            Some(named) if *named == self.0 => Installation::Ours,
            Some(_) => Installation::Another,
            None => Installation::Unnamed,
        }
    }

    /// These tags with this installation's.
    #[must_use]
    pub fn signed(&self, tags: &Tags) -> Tags {
        let mut signed = tags.clone();
        signed.insert(tags::INSTALLATION.to_owned(), self.0.clone());
        signed
    }
}

impl fmt::Display for InstallationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for InstallationId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_one = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if text.is_empty() || text.len() > ID_MAX || !text.bytes().all(is_one) {
            return Err(format!(
                "should be 1 to {ID_MAX} of the letters a-z, A-Z, 0-9, -, _ and ."
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_ours_from_anothers() {
        let ours: InstallationId = "snapkeep.us-east-1".parse().unwrap();
        let other: InstallationId = "staging.us-east-1".parse().unwrap();
        let tags = ours.signed(&Tags::new());

        assert_eq!(ours.look(&tags), Installation::Ours);
        assert_eq!(other.look(&tags), Installation::Another);
        assert_eq!(ours.look(&Tags::new()), Installation::Unnamed);
        assert_eq!(other.look(&other.signed(&tags)), Installation::Ours);
    }

    #[test]
    fn an_id_is_what_a_stack_and_a_region_make() {
        for good in ["a", "Snap-keep.eu-west-1", "local.snapkeep_2.us-east-1"] {
            assert_eq!(good.parse::<InstallationId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a/b", "ü", &"a".repeat(129)] {
            assert!(bad.parse::<InstallationId>().is_err(), "{bad}");
        }
    }
}
