//! Tags: ours on an EBS snapshot, and which of an instance's tags go along.

use std::collections::BTreeMap;

use crate::domain::ids::{EbsSnapshotId, InstanceId, SnapshotId};
use crate::domain::snapshot::{Origin, ScheduleSlot};

/// What all of ours begin with.
pub const PREFIX: &str = "snapkeep:";
/// Which of our snapshots an EBS snapshot belongs to.
pub const ID: &str = "snapkeep:id";
/// Whose it is; what IAM policies test.
pub const MANAGED_BY: &str = "snapkeep:managed-by";
/// The value of [`MANAGED_BY`].
pub const MANAGER: &str = "snapkeep";
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
/// How many we keep for ourselves on what is not a copy: the instance, schedule, slot, set, owner and state, and `Name`.
const OWN_TAGS: usize = 7;
/// How many tags a caller may set on a snapshot.
pub const CALLER_TAGS_MAX: usize = TAGS_MAX - OWN_TAGS;

/// Tags as EC2 has them.
pub type Tags = BTreeMap<String, String>;

/// The tags of every EBS snapshot of one set, to be given in the create call itself.
///
/// Ours come first, then the caller's, then the instance's (without `aws:` ones) in the order of their
/// names, until the 50 that EC2 allows are reached.
pub fn for_creation(identity: &Identity<'_>, caller: &Tags, copied: &Tags) -> Tags {
    let mut tags = identity.tags();
    let others = caller.iter().chain(copied);
    for (key, value) in others.filter(|(key, _)| is_free(key)) {
        if tags.len() == TAGS_MAX - 1 {
            // One place is left for the mark of condemnation: without it the snapshot could never be deleted.
            break;
        }
        tags.entry(key.clone()).or_insert_with(|| value.clone());
    }
    tags
}

/// The tags that make an EBS snapshot that is there already ours. Its own stay, its name too.
pub fn for_adoption(identity: &Identity<'_>) -> Tags {
    let mut tags = identity.tags();
    tags.remove("Name");
    tags.insert(ORIGIN.to_owned(), Origin::Adopted.to_string());
    tags
}

/// Why an EBS snapshot with these tags has no room for those of [`for_adoption`] and the mark of condemnation, in
/// words; nothing if it has.
pub fn no_room(present: &Tags, added: &Tags) -> Option<String> {
    let kept = present.keys().filter(|key| !key.starts_with("aws:") && !added.contains_key(*key));
    let kept = kept.count();
    let most = TAGS_MAX - 1 - added.len();
    (kept > most)
        .then(|| format!("it has {kept} tags, and ours need room for {} more", TAGS_MAX - most))
}

/// What the tags of an EBS snapshot say about its set.
#[derive(Clone, Debug)]
pub struct Identity<'a> {
    pub snapshot_id: &'a SnapshotId,
    pub instance_id: &'a InstanceId,
    /// The schedule and due time, if a schedule asked.
    pub slot: Option<&'a ScheduleSlot>,
    /// The display name, EC2's `Name`.
    pub name: &'a str,
    /// What it is a copy of, if it is one.
    pub copied_from: Option<CopiedFrom<'a>>,
}

/// What an EBS snapshot is a copy of.
#[derive(Clone, Copy, Debug)]
pub struct CopiedFrom<'a> {
    pub snapshot_id: &'a SnapshotId,
    pub region: &'a str,
    pub ebs_snapshot_id: &'a EbsSnapshotId,
}

impl Identity<'_> {
    fn tags(&self) -> Tags {
        let mut tags = Tags::from([
            (ID.to_owned(), self.snapshot_id.to_string()),
            (MANAGED_BY.to_owned(), MANAGER.to_owned()),
            (INSTANCE.to_owned(), self.instance_id.to_string()),
            ("Name".to_owned(), self.name.to_owned()),
        ]);
        if let Some(slot) = self.slot {
            tags.insert(SCHEDULE.to_owned(), slot.schedule_id.to_string());
            tags.insert(SLOT.to_owned(), slot.slot.to_string());
        }
        if let Some(CopiedFrom { snapshot_id, region, ebs_snapshot_id }) = self.copied_from {
            tags.insert(ORIGIN.to_owned(), Origin::Copy.to_string());
            tags.insert(COPY_OF.to_owned(), snapshot_id.to_string());
            tags.insert(COPIED_FROM.to_owned(), format!("{region}/{ebs_snapshot_id}"));
        }
        tags
    }
}

/// Whether EC2 would accept a tag of this key from us, and it is not one of our own.
pub fn is_free(key: &str) -> bool {
    !key.starts_with("aws:") && !key.starts_with("snapkeep:")
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

    fn creation(caller: &Tags, copied: &Tags) -> Tags {
        let snapshot_id = "snp_0195500c-6d00-7000-8000-000000000000".parse().unwrap();
        let instance_id = "i-0123456789abcdef0".parse().unwrap();
        let identity = Identity {
            snapshot_id: &snapshot_id,
            instance_id: &instance_id,
            slot: None,
            name: "web",
            copied_from: None,
        };
        for_creation(&identity, caller, copied)
    }

    #[test]
    fn ours_are_always_there_and_one_place_stays_free() {
        let tags = creation(&many(43, "caller"), &many(50, "instance"));

        assert_eq!(tags.len(), TAGS_MAX - 1);
        assert!(tags.contains_key(ID) && tags.contains_key(MANAGED_BY));
    }

    #[test]
    fn the_callers_tags_go_before_the_instances() {
        let tags = creation(&many(43, "z"), &many(50, "a"));

        assert_eq!(tags.keys().filter(|key| key.starts_with('z')).count(), 43);
    }

    #[test]
    fn reserved_tags_of_the_instance_are_dropped() {
        let copied = Tags::from([
            ("aws:cloudformation:stack-name".to_owned(), "x".to_owned()),
            (STATE.to_owned(), CONDEMNED.to_owned()),
            ("team".to_owned(), "blue".to_owned()),
        ]);

        let tags = creation(&Tags::new(), &copied);

        assert!(!tags.contains_key(STATE));
        assert_eq!(tags.get("team").map(String::as_str), Some("blue"));
        assert_eq!(tags.len(), 5);
    }

    #[test]
    fn adoption_leaves_a_place_for_the_mark() {
        let snapshot_id = "snp_0195500c-6d00-7000-8000-000000000000".parse().unwrap();
        let instance_id = "i-0123456789abcdef0".parse().unwrap();
        let identity = Identity {
            snapshot_id: &snapshot_id,
            instance_id: &instance_id,
            slot: None,
            name: "web",
            copied_from: None,
        };

        let added = for_adoption(&identity);

        assert!(!added.contains_key("Name") && !added.contains_key(STATE));
        assert_eq!(added.get(ORIGIN).map(String::as_str), Some("adopted"));
        let most = TAGS_MAX - 1 - added.len();
        assert_eq!(no_room(&many(most, "k"), &added), None);
        let mut full = many(most + 1, "k");
        assert!(no_room(&full, &added).unwrap().contains(&format!("it has {} tags", most + 1)));
        // EC2 does not count its own.
        full = many(most, "k");
        full.insert("aws:x".to_owned(), String::new());
        assert_eq!(no_room(&full, &added), None);
    }

    #[test]
    fn a_caller_is_told_what_is_wrong() {
        assert_eq!(refusal(&many(CALLER_TAGS_MAX, "k")), None);
        assert!(refusal(&many(CALLER_TAGS_MAX + 1, "k")).unwrap().contains("at most 43"));
        assert!(
            refusal(&Tags::from([("aws:x".to_owned(), String::new())]))
                .unwrap()
                .contains("reserved")
        );
        assert!(refusal(&Tags::from([("k".repeat(129), String::new())])).unwrap().contains("128"));
        assert!(refusal(&Tags::from([("k".to_owned(), "v".repeat(257))])).unwrap().contains("256"));
    }
}
