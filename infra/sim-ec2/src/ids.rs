//! Identifiers: their kinds, their shape, and new ones that are the same in every run.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::errors::Ec2Error;

/// What an id is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdKind {
    Instance,
    Volume,
    Snapshot,
    Image,
    RootReplacement,
}

impl IdKind {
    const ALL: [Self; 5] =
        [Self::Instance, Self::Volume, Self::Snapshot, Self::Image, Self::RootReplacement];

    /// The kind whose prefix `id` bears.
    pub(crate) fn of(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| id.starts_with(kind.prefix()))
    }

    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Instance => "i-",
            Self::Volume => "vol-",
            Self::Snapshot => "snap-",
            Self::Image => "ami-",
            Self::RootReplacement => "replacevol-",
        }
    }

    /// The name of the kind in tag specifications and `DescribeTags`.
    pub(crate) fn resource_type(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Volume => "volume",
            Self::Snapshot => "snapshot",
            Self::Image => "image",
            Self::RootReplacement => "replace-root-volume-task",
        }
    }

    /// `Ok` when `id` has the shape of this kind: the prefix and 8 or 17 hex digits.
    pub(crate) fn check(self, id: &str) -> Result<(), Ec2Error> {
        let digits = id.strip_prefix(self.prefix()).unwrap_or_default();
        let hex = digits.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f'));
        if hex && matches!(digits.len(), 8 | 17) {
            return Ok(());
        }
        Err(match self {
            Self::Instance => {
                Ec2Error::new("InvalidInstanceID.Malformed", format!("Invalid id: \"{id}\""))
            }
            Self::Volume => Ec2Error::new(
                "InvalidVolumeID.Malformed",
                format!("Invalid id: \"{id}\" (expecting \"vol-...\")"),
            ),
            Self::Snapshot => Ec2Error::new(
                "InvalidSnapshotID.Malformed",
                format!("Invalid id: \"{id}\" (expecting \"snap-...\")"),
            ),
            Self::Image => Ec2Error::new(
                "InvalidAMIID.Malformed",
                format!("Invalid id: \"{id}\" (expecting \"ami-...\")"),
            ),
            Self::RootReplacement => Ec2Error::new(
                "InvalidReplaceRootVolumeTaskId.Malformed",
                format!("Invalid id: \"{id}\" (expecting \"replacevol-...\")"),
            ),
        })
    }

    /// The error for an id of this kind that nothing bears.
    pub(crate) fn not_found(self, id: &str) -> Ec2Error {
        match self {
            Self::Instance => Ec2Error::new(
                "InvalidInstanceID.NotFound",
                format!("The instance ID '{id}' does not exist"),
            ),
            Self::Volume => Ec2Error::new(
                "InvalidVolume.NotFound",
                format!("The volume '{id}' does not exist."),
            ),
            Self::Snapshot => Ec2Error::new(
                "InvalidSnapshot.NotFound",
                format!("The snapshot '{id}' does not exist."),
            ),
            Self::Image => Ec2Error::new(
                "InvalidAMIID.NotFound",
                format!("The image id '[{id}]' does not exist"),
            ),
            Self::RootReplacement => Ec2Error::new(
                "InvalidReplaceRootVolumeTaskId.NotFound",
                format!("The replace root volume task ID '{id}' does not exist"),
            ),
        }
    }
}

/// Where new ids come from: a seed and a count, through a hash.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Mint {
    count: u64,
}

impl Mint {
    /// `prefix` and 17 hex digits, the first of them 0 as EC2's are.
    pub(crate) fn id(&mut self, seed: u64, prefix: &str) -> String {
        self.count += 1;
        let digest = hex(seed, &[prefix, &self.count.to_string()]);
        let digits: String = digest.chars().take(16).collect();
        format!("{prefix}0{digits}")
    }

    /// A UUID's shape, for request and event ids.
    pub(crate) fn uuid(&mut self, seed: u64) -> String {
        self.count += 1;
        uuid_of(seed, &["uuid", &self.count.to_string()])
    }
}

/// A UUID's shape that depends on nothing but the seed and the words.
pub(crate) fn uuid_of(seed: u64, words: &[&str]) -> String {
    let mut text = String::with_capacity(36);
    for (position, digit) in hex(seed, words).chars().take(32).enumerate() {
        if matches!(position, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(match position {
            12 => '4',
            16 => '8',
            _ => digit,
        });
    }
    text
}

/// A number that depends on nothing but the seed and the words.
pub(crate) fn chance(seed: u64, words: &[&str]) -> u64 {
    let digits: String = hex(seed, words).chars().take(15).collect();
    u64::from_str_radix(&digits, 16).unwrap_or_default()
}

/// The SHA-256 of the seed and the words, in hex.
pub(crate) fn hex(seed: u64, words: &[&str]) -> String {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    for word in words {
        hash.update(word.len().to_be_bytes());
        hash.update(word.as_bytes());
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a String does not fail.
        let _: std::fmt::Result = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (mut first, mut second) = (Mint::default(), Mint::default());

        let id = first.id(7, "snap-");

        assert_eq!(id, second.id(7, "snap-"));
        assert_ne!(id, first.id(7, "snap-"));
        assert_eq!(id.len(), "snap-".len() + 17);
        assert_eq!(IdKind::Snapshot.check(&id), Ok(()));
    }

    #[test]
    fn what_is_not_an_id_is_malformed() {
        for id in ["snap-", "snap-xyz", "vol-0123456789abcdef0", "snap-0123456789ABCDEF0", ""] {
            let error = IdKind::Snapshot.check(id).unwrap_err();
            assert_eq!(error.code, "InvalidSnapshotID.Malformed", "{id}");
        }
    }
}
