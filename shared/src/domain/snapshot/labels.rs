//! Labels: the tags of our EBS snapshots, which say whose they are and of what.

use crate::domain::ids::{EbsSnapshotId, InstanceId, SnapshotId};
use crate::domain::snapshot::{Origin, ScheduleSlot, Snapshot};
use crate::domain::tags::{
    COPIED_FROM, COPY_OF, ID, INSTANCE, LATER_TAGS, MANAGED_BY, MANAGER, ORIGIN, SCHEDULE, SLOT,
    TAGS_MAX, Tags, is_free,
};

/// What consoles show as a name.
const NAME: &str = "Name";
/// How many tags say what a set is and of what, its name with them.
const IDENTITY_TAGS: usize = 4;
/// How many more say for which slot.
const SLOT_TAGS: usize = 2;
/// And of what it is a copy.
const COPY_TAGS: usize = 3;

/// The tags of every EBS snapshot of one set, to be given in the create call itself.
///
/// Ours come first, then the caller's, then the instance's (without `aws:` ones) in the order of their
/// names, until there are as many as leave room for the installation's and the mark among the 50 that EC2 allows.
/// A caller's `Name` goes before the display name, and an instance's does not.
pub fn for_creation(identity: &Identity<'_>, caller: &Tags, copied: &Tags) -> Tags {
    let mut tags = identity.tags();
    if let Some(name) = caller.get(NAME) {
        tags.insert(NAME.to_owned(), name.clone());
    }
    let others = caller.iter().chain(copied);
    for (key, value) in others.filter(|(key, _)| is_free(key)) {
        if tags.len() == TAGS_MAX - LATER_TAGS {
            break;
        }
        tags.entry(key.clone()).or_insert_with(|| value.clone());
    }
    tags
}

/// The keys of the instance's tags for which there is no room on the EBS snapshots of `snapshot`: EC2 allows 50 tags.
/// Those that AWS and we keep for ourselves are not meant, nor its `Name`.
pub fn left_out(snapshot: &Snapshot) -> Vec<String> {
    let is_labelled = match snapshot.origin {
        Origin::Manual | Origin::Schedule | Origin::Copy => snapshot.request.copy_tags,
        Origin::Adopted => false,
    };
    if !is_labelled {
        return Vec::new();
    }
    let own = if snapshot.slot.is_some() { IDENTITY_TAGS + SLOT_TAGS } else { IDENTITY_TAGS };
    let own = if snapshot.copy_of.is_some() { own + COPY_TAGS } else { own };
    let caller = snapshot.tags.keys().filter(|key| *key != NAME).count();
    let room = (TAGS_MAX - LATER_TAGS).saturating_sub(own + caller);
    let copied = snapshot.source.tags.keys();
    let is_copied =
        |key: &&String| is_free(key) && *key != NAME && !snapshot.tags.contains_key(*key);
    copied.filter(is_copied).skip(room).cloned().collect()
}

/// The tags that make an EBS snapshot that is there already ours. Its own stay, its name too.
pub fn for_adoption(identity: &Identity<'_>) -> Tags {
    let mut tags = identity.tags();
    tags.remove(NAME);
    tags.insert(ORIGIN.to_owned(), Origin::Adopted.to_string());
    tags
}

/// What the tags of an EBS snapshot say about its set.
#[derive(Clone, Debug)]
pub struct Identity<'a> {
    /// Our snapshot.
    pub snapshot_id: &'a SnapshotId,
    /// The instance.
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
    /// Our snapshot.
    pub snapshot_id: &'a SnapshotId,
    /// Where it is.
    pub region: &'a str,
    /// Its member.
    pub ebs_snapshot_id: &'a EbsSnapshotId,
}

impl Identity<'_> {
    fn tags(&self) -> Tags {
        let mut tags = Tags::from([
            (ID.to_owned(), self.snapshot_id.to_string()),
            (MANAGED_BY.to_owned(), MANAGER.to_owned()),
            (INSTANCE.to_owned(), self.instance_id.to_string()),
            (NAME.to_owned(), self.name.to_owned()),
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::ids::ScheduleId;
    use crate::domain::snapshot::{Request, Source};
    use crate::domain::tags::{CONDEMNED, INSTALLATION, STATE, no_room};

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
    fn ours_are_always_there_and_two_places_stay_free() {
        let tags = creation(&many(42, "caller"), &many(50, "instance"));

        assert_eq!(tags.len(), TAGS_MAX - LATER_TAGS);
        assert!(tags.contains_key(ID) && tags.contains_key(MANAGED_BY));
    }

    #[test]
    fn the_callers_tags_go_before_the_instances() {
        let tags = creation(&many(42, "z"), &many(50, "a"));

        assert_eq!(tags.keys().filter(|key| key.starts_with('z')).count(), 42);
    }

    #[test]
    fn a_callers_name_is_the_name() {
        let named = |value: &str| Tags::from([("Name".to_owned(), value.to_owned())]);
        let name = |tags: Tags| tags.get("Name").cloned().unwrap();

        assert_eq!(name(creation(&named("gold"), &named("web-1"))), "gold");
        assert_eq!(name(creation(&Tags::new(), &named("web-1"))), "web");
        // The room does not matter.
        let mut caller = many(41, "a");
        caller.extend(named("gold"));
        assert_eq!(name(creation(&caller, &many(50, "b"))), "gold");
    }

    #[test]
    fn what_has_no_room_is_said_and_nothing_else_is_missing() {
        for (caller, instance, slot) in
            [(0, 50, false), (42, 50, true), (10, 20, true), (1, 43, false)]
        {
            let source = Source {
                tags: many(instance, "i"),
                ..Source::unknown("i-0123456789abcdef0".parse().unwrap(), "us-east-1")
            };
            let slot = slot.then(|| ScheduleSlot {
                schedule_id: ScheduleId::derived(Timestamp::UNIX_EPOCH, &["x"]),
                slot: Timestamp::UNIX_EPOCH,
            });
            let id = "snp_0195500c-6d00-7000-8000-000000000000".parse().unwrap();
            let asked =
                Snapshot::requested(id, Origin::Manual, source, slot, Timestamp::UNIX_EPOCH);
            let request = Request { copy_tags: true, ..asked.request.clone() };
            let snapshot = Snapshot { tags: many(caller, "c"), request, ..asked };
            let identity = Identity {
                snapshot_id: &snapshot.id,
                instance_id: &snapshot.source.instance_id,
                slot: snapshot.slot.as_ref(),
                name: "web",
                copied_from: None,
            };

            let made = for_creation(&identity, &snapshot.tags, &snapshot.source.tags);

            let left_out = left_out(&snapshot);
            let all = snapshot.source.tags.keys();
            let missing: Vec<_> = all.filter(|key| !made.contains_key(*key)).cloned().collect();
            assert_eq!(left_out, missing, "{caller} {instance}");
        }
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
    fn adoption_leaves_places_for_the_installation_and_the_mark() {
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
        let most = TAGS_MAX - LATER_TAGS - added.len();
        assert_eq!(no_room(&many(most, "k"), &added), None);
        let mut full = many(most + 1, "k");
        assert!(no_room(&full, &added).unwrap().contains(&format!("it has {} tags", most + 1)));
        // EC2 does not count its own.
        full = many(most, "k");
        full.insert("aws:x".to_owned(), String::new());
        // Another installation's is replaced by ours.
        full.insert(INSTALLATION.to_owned(), "other".to_owned());
        assert_eq!(no_room(&full, &added), None);
    }
}
