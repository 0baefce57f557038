//! Tags: the names of ours, and which tags EC2 and we let a caller set.

pub mod pattern;

use std::collections::BTreeMap;

/// What all of ours begin with.
pub const PREFIX: &str = "snapkeep:";
/// Which of our snapshots an EBS snapshot belongs to.
pub const ID: &str = "snapkeep:id";
/// Whose it is; what IAM policies test.
pub const MANAGED_BY: &str = "snapkeep:managed-by";
/// The value of [`MANAGED_BY`].
pub const MANAGER: &str = "snapkeep";
/// The installation that made it or took it over; what IAM policies test as well. What was made before there was this tag
/// lacks it.
pub const INSTALLATION: &str = "snapkeep:installation";
/// The schedule that asked for it.
pub const SCHEDULE: &str = "snapkeep:schedule";
/// The due time it was taken for.
pub const SLOT: &str = "snapkeep:slot";
/// The instance it was taken of.
pub const INSTANCE: &str = "snapkeep:instance";
/// How it came to be, where that was not by our creating it.
pub const ORIGIN: &str = "snapkeep:origin";
/// Of which of our snapshots it is a copy.
pub const COPY_OF: &str = "snapkeep:copy-of";
/// Of which EBS snapshot it is a copy, in which region: `us-east-1/snap-…`.
pub const COPIED_FROM: &str = "snapkeep:copied-from";
/// Set to [`CONDEMNED`] when the snapshot may be deleted; without it IAM refuses the deletion.
pub const STATE: &str = "snapkeep:state";
/// The value of [`STATE`].
pub const CONDEMNED: &str = "condemned";
/// The restore that made a volume, an image, an instance; only what bears it is ever deleted when that is taken back.
pub const RESTORE: &str = "snapkeep:restore";
/// Which part of the restore, and which attempt at it.
pub const RESTORE_PART: &str = "snapkeep:restore-part";
/// The snapshot that a volume or image was made from.
pub const SNAPSHOT: &str = "snapkeep:snapshot";
/// The restore whose new volume has taken an old one's place.
pub const REPLACED_BY: &str = "snapkeep:replaced-by";
/// When a person may delete an old volume. Nobody else does.
pub const EXPIRES_AT: &str = "snapkeep:expires-at";

/// Which record of ours an image belongs to.
pub const IMAGE: &str = "snapkeep:image";

/// How many tags EC2 allows a resource
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>).
pub const TAGS_MAX: usize = 50;
/// How many we keep for ourselves on what is not a copy: the instance, schedule, slot, set, owner, installation and state,
/// and `Name`.
const OWN_TAGS: usize = 8;
/// How many of these come after the others: EC2 is told the installation's with each call, and the mark of condemnation
/// when it is wanted. Without that one the snapshot could never be deleted.
pub const LATER_TAGS: usize = 2;
/// How many tags a caller may set on a snapshot.
pub const CALLER_TAGS_MAX: usize = TAGS_MAX - OWN_TAGS;

/// Tags as EC2 has them.
pub type Tags = BTreeMap<String, String>;

/// Why an EBS snapshot with these tags has no room for `added` and the mark of condemnation, in
/// words; nothing if it has.
pub fn no_room(present: &Tags, added: &Tags) -> Option<String> {
    let is_kept = |key: &&String| {
        !key.starts_with("aws:") && key.as_str() != INSTALLATION && !added.contains_key(*key)
    };
    let kept = present.keys().filter(is_kept).count();
    let most = TAGS_MAX - LATER_TAGS - added.len();
    (kept > most)
        .then(|| format!("it has {kept} tags, and ours need room for {} more", TAGS_MAX - most))
}

/// Whether there is room for the installation's tag, and for the mark of condemnation if that is still to come.
pub fn has_room_for_installation(present: &Tags) -> bool {
    let kept = present.keys().filter(|key| !key.starts_with("aws:")).count();
    let more = if present.contains_key(STATE) { 1 } else { LATER_TAGS };
    kept + more <= TAGS_MAX
}

/// Whether EC2 would accept a tag of this key from us, and it is not one of our own.
pub fn is_free(key: &str) -> bool {
    !is_awss(key) && !key.starts_with(PREFIX)
}

/// Whether AWS keeps a key to itself: "aws:, AWS:, or any upper or lowercase combination of such as a prefix for keys"
/// (<https://docs.aws.amazon.com/general/latest/gr/aws_tagging.html>).
fn is_awss(key: &str) -> bool {
    key.get(.."aws:".len()).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// Why EC2 would refuse these tags from a caller, in words; nothing if it would take them.
pub fn refusal(tags: &Tags) -> Option<String> {
    if tags.len() > CALLER_TAGS_MAX {
        return Some(format!(
            "at most {CALLER_TAGS_MAX} tags are allowed, {} were given",
            tags.len()
        ));
    }
    tags.iter().find_map(|(key, value)| {
        let (key_length, value_length) = (key.chars().count(), value.chars().count());
        if key_length == 0 || key_length > 128 {
            Some(format!("the key `{}` must have 1 to 128 characters", shortened(key)))
        } else if value_length > 256 {
            Some(format!("the value of `{key}` must have at most 256 characters"))
        } else if key.chars().chain(value.chars()).any(char::is_control) {
            Some(format!(
                "the tag `{}` has a control character, which EC2's answers cannot carry",
                shortened(&key.replace(char::is_control, " "))
            ))
        } else if !is_free(key) {
            Some(format!("the key `{key}` begins with a reserved prefix (aws:, snapkeep:)"))
        } else {
            None
        }
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize, prefix: &str) -> Tags {
        (0..count).map(|n| (format!("{prefix}{n:03}"), "v".to_owned())).collect()
    }

    #[test]
    fn what_has_its_mark_needs_no_place_for_it() {
        let mut full = many(48, "k");

        assert!(has_room_for_installation(&full));
        full.insert("k".to_owned(), String::new());
        assert!(!has_room_for_installation(&full));
        full.remove("k");
        full.insert(STATE.to_owned(), CONDEMNED.to_owned());
        assert!(has_room_for_installation(&full));
    }

    #[test]
    fn a_caller_is_told_what_is_wrong() {
        assert_eq!(refusal(&many(CALLER_TAGS_MAX, "k")), None);
        assert!(refusal(&many(CALLER_TAGS_MAX + 1, "k")).unwrap().contains("at most 42"));
        assert!(
            refusal(&Tags::from([("aws:x".to_owned(), String::new())]))
                .unwrap()
                .contains("reserved")
        );
        for key in ["AWS:x", "aWs:", "snapkeep:id"] {
            let tags = Tags::from([(key.to_owned(), String::new())]);
            assert!(refusal(&tags).unwrap().contains("reserved"), "{key}");
        }
        for key in ["aws", "awsome:x", "Name", "größe", "a b", "x:aws:"] {
            assert_eq!(
                refusal(&Tags::from([(key.to_owned(), "wert — ü".to_owned())])),
                None,
                "{key}"
            );
        }
        let control = Tags::from([("k".to_owned(), "a\u{1}b".to_owned())]);
        assert!(refusal(&control).unwrap().contains("control character"));
        assert!(refusal(&Tags::from([("k".repeat(129), String::new())])).unwrap().contains("128"));
        assert!(refusal(&Tags::from([("k".to_owned(), "v".repeat(257))])).unwrap().contains("256"));
    }
}
