//! Identifiers: ours (a prefix and a `UUIDv7`, so that they sort by time) and EC2's (parsed, then kept as they are).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use uuid::{Builder, Uuid};

/// A text that is no identifier of the kind wanted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not of the form {form}")]
pub struct ParseIdError {
    text: String,
    form: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $form:literal, $accepts:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    // A client's whole body could stand where an identifier should.
                    let text = text.chars().take(80).collect();
                    Err(ParseIdError { text, form: $form })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, ParseIdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! own_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $form:literal) => {
        text_id! { $(#[$doc])* $name, $form, |text| is_own(text, $prefix) }

        impl $name {
            /// The one identifier that these `parts` have at `at` (millisecond precision): the same for the same
            /// input, so that whoever repeats the work arrives at the same record.
            pub fn derived(at: Timestamp, parts: &[&str]) -> Self {
                Self(format!(concat!($prefix, "{}"), derived_uuid(at, parts)))
            }
        }
    };
}

own_id! {
    /// Our snapshot: one restore point of one instance.
    SnapshotId, "snp_", "snp_ and a UUIDv7 (snp_0193b2f4-…)"
}
own_id! {
    /// A schedule.
    ScheduleId, "sch_", "sch_ and a UUIDv7 (sch_0193b2f4-…)"
}
own_id! {
    /// One evaluation of retention over everything.
    SweepId, "swp_", "swp_ and a UUIDv7 (swp_0193b2f4-…)"
}
own_id! {
    /// A job that brings a snapshot back.
    RestoreId, "rst_", "rst_ and a UUIDv7 (rst_0193b2f4-…)"
}
own_id! {
    /// Our record of an image that is registered from a snapshot; [`ImageId`] is what EC2 calls the image.
    ImageJobId, "img_", "img_ and a UUIDv7 (img_0193b2f4-…)"
}
own_id! {
    /// An entry of the audit, and the event that tells of it.
    EventId, "evt_", "evt_ and a UUIDv7 (evt_0193b2f4-…)"
}
text_id! {
    /// An EC2 instance.
    InstanceId, "i- and 8 or 17 hexadecimal digits (i-0123456789abcdef0)", |text| is_aws(text, "i-")
}
text_id! {
    /// An EBS volume.
    VolumeId, "vol- and 8 or 17 hexadecimal digits (vol-0123456789abcdef0)", |text| is_aws(text, "vol-")
}
text_id! {
    /// An EBS snapshot: one member of one of our snapshots, or somebody else's.
    EbsSnapshotId, "snap- and 8 or 17 hexadecimal digits (snap-0123456789abcdef0)", |text| is_aws(text, "snap-")
}
text_id! {
    /// An Amazon Machine Image.
    ImageId, "ami- and 8 or 17 hexadecimal digits (ami-0123456789abcdef0)", |text| is_aws(text, "ami-")
}

/// A lower-case hexadecimal SHA-256 of `parts`, each closed by a byte that no text contains.
pub fn digest(parts: &[&str]) -> String {
    let bytes: [u8; 32] = sha256(parts);
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        use fmt::Write as _;
        // Writing to a String cannot fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

fn sha256(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0xff]);
    }
    hasher.finalize().into()
}

fn derived_uuid(at: Timestamp, parts: &[&str]) -> Uuid {
    let hash = sha256(parts);
    let mut random = [0; 10];
    for (to, from) in random.iter_mut().zip(hash) {
        *to = from;
    }
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

fn is_own(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        Uuid::try_parse(rest)
            .is_ok_and(|uuid| uuid.get_version_num() == 7 && uuid.to_string() == rest)
    })
}

fn is_aws(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        matches!(rest.len(), 8 | 17)
            && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_same_slot_of_the_same_schedule_and_instance_has_one_id() {
        let slot = at("2026-03-01T02:00:00Z");

        let first = SnapshotId::derived(slot, &["sch_a", "i-1"]);
        let again = SnapshotId::derived(slot, &["sch_a", "i-1"]);
        let other = SnapshotId::derived(slot, &["sch_a", "i-2"]);

        assert_eq!(first, again);
        assert_ne!(first, other);
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let slot = at("2026-03-01T02:00:00Z");

        assert_ne!(
            SnapshotId::derived(slot, &["ab", "c"]),
            SnapshotId::derived(slot, &["a", "bc"])
        );
    }

    #[test]
    fn derived_ids_sort_by_time() {
        let early = SnapshotId::derived(at("2026-03-01T02:00:00Z"), &["x"]);
        let late = SnapshotId::derived(at("2026-03-01T02:00:01Z"), &["x"]);

        assert!(early < late);
    }

    #[test]
    fn a_derived_id_parses_back() {
        let id = SnapshotId::derived(at("2026-03-01T02:00:00Z"), &["x"]);

        assert_eq!(id.as_str().parse(), Ok(id.clone()));
    }

    #[test]
    fn other_prefixes_versions_and_spellings_are_refused() {
        for text in [
            "",
            "snp_",
            "sch_0195500c-6d00-7000-8000-000000000000",
            "snp_0195500c-6d00-4000-8000-000000000000",
            "snp_0195500C-6D00-7000-8000-000000000000",
            "snp_0195500c6d0070008000000000000000",
        ] {
            assert!(text.parse::<SnapshotId>().is_err(), "{text}");
        }
        for text in
            ["i-", "i-1", "i-0123456789ABCDEF0", "vol-0123456789abcdef0", "i-0123456789abcdef00"]
        {
            assert!(text.parse::<InstanceId>().is_err(), "{text}");
        }
    }

    #[test]
    fn both_lengths_of_ec2_identifiers_are_accepted() {
        assert!("i-01234567".parse::<InstanceId>().is_ok());
        assert!("i-0123456789abcdef0".parse::<InstanceId>().is_ok());
    }

    #[test]
    fn an_error_names_the_form_and_cuts_what_is_long() {
        let error = "x".repeat(500).parse::<VolumeId>().unwrap_err();

        assert!(error.to_string().len() < 200);
        assert!(error.to_string().contains("vol-"));
    }
}
