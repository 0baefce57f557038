//! EC2's names of images.

use crate::domain::ids::ImageJobId;

/// How many characters EC2 allows
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>).
pub const NAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=128;

/// The name of an image for which nobody has chosen one: `wanted` as far as EC2 takes it, and our identifier, so that
/// no other image has it.
pub fn derived_name(wanted: &str, id: &ImageJobId) -> String {
    let room = NAME_LENGTH.end() - id.as_str().len() - 1;
    let words: String = wanted
        .chars()
        .map(|letter| if is_allowed(letter) { letter } else { '-' })
        .take(room)
        .collect();
    format!("{} {id}", words.trim()).trim().to_owned()
}

/// Why EC2 would refuse this name; nothing if it would take it.
pub fn name_refusal(name: &str) -> Option<String> {
    let length = name.chars().count();
    if !NAME_LENGTH.contains(&length) {
        Some(format!("must have {} to {} characters", NAME_LENGTH.start(), NAME_LENGTH.end()))
    } else if !name.chars().all(is_allowed) || name.trim() != name {
        Some(
            "may have letters, digits, spaces inside and ( ) [ ] . / - ' @ _, which is what EC2 takes"
                .to_owned(),
        )
    } else {
        None
    }
}

fn is_allowed(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || " ()[]./-'@_".contains(letter)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn id() -> ImageJobId {
        ImageJobId::derived(Timestamp::UNIX_EPOCH, &["x"])
    }

    proptest! {
        #[test]
        fn a_derived_name_is_one_that_ec2_takes(wanted in ".{0,300}") {
            let name = derived_name(&wanted, &id());

            prop_assert_eq!(name_refusal(&name), None);
            prop_assert!(name.ends_with(id().as_str()));
        }
    }

    #[test]
    fn what_ec2_takes_stays_as_it_is() {
        let name = derived_name("web 2026-03-02 10:00 (new)", &id());

        assert_eq!(name, format!("web 2026-03-02 10-00 (new) {}", id()));
    }

    #[test]
    fn what_ec2_does_not_take_is_refused() {
        for name in ["ab", &"a".repeat(129), "a:b", "größe", " ab ", ""] {
            assert!(name_refusal(name).is_some(), "{name}");
        }
        for name in ["abc", &"a".repeat(128), "golden (v2) [x86_64] team@example.org/it's"] {
            assert_eq!(name_refusal(name), None);
        }
    }
}
