//! How EC2 lies.

use jiff::SignedDuration;
use sim_ec2::{SimEc2, Snapshot, Volume, VolumeState};

use super::Lie;
use crate::world::{ABROAD, HOME};

/// How long EC2 makes no second snapshot of a volume, and more.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// The tag of a volume that is shown no more.
const HIDDEN: &str = "lie";

/// What becomes of a call of EC2.
pub(crate) enum Told {
    /// EC2 is asked this.
    Asked(Vec<u8>),
    /// EC2 is asked nothing, and answers this.
    Said(&'static str),
}

impl Lie {
    /// What becomes of this call.
    pub(crate) fn told_to_ec2(self, ec2: &SimEc2, action: &str, body: &[u8]) -> Told {
        let text = String::from_utf8_lossy(body).into_owned();
        let is_real = !text.contains("DryRun=true");
        let named = |field: &str| {
            let found = text.split('&').find_map(|one| one.strip_prefix(field));
            found.unwrap_or_default().to_owned()
        };
        let in_place_of = |id: &str, other: Option<String>| match other {
            Some(other) => Told::Asked(text.replace(id, &other).into_bytes()),
            None => Told::Asked(body.to_vec()),
        };
        match (self, action) {
            (Self::DeletionsDropped, "DeleteSnapshot") if is_real && is_odd(body) => {
                Told::Said("<DeleteSnapshotResponse><return>true</return></DeleteSnapshotResponse>")
            }
            (Self::VolumesKept, "DeleteVolume") if is_real => {
                Told::Said("<DeleteVolumeResponse><return>true</return></DeleteVolumeResponse>")
            }
            (Self::VolumesHidden, "DeleteVolume") if is_real => {
                let mark = format!(
                    "Action=CreateTags&ResourceId.1={}&Tag.1.Key={HIDDEN}&Tag.1.Value=",
                    named("VolumeId=")
                );
                for region in [HOME, ABROAD] {
                    ec2.answer(region, mark.as_bytes());
                }
                Told::Said("<DeleteVolumeResponse><return>true</return></DeleteVolumeResponse>")
            }
            (Self::VolumesHidden, "DescribeVolumes") if asks_for_hidden(ec2, &text) => {
                Told::Said("<DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>")
            }
            (Self::LocksHidden, "DescribeLockedSnapshots") => Told::Said(
                "<DescribeLockedSnapshotsResponse><snapshotSet/></DescribeLockedSnapshotsResponse>",
            ),
            (Self::NewestDeleted, "DeleteSnapshot") if is_real => {
                let id = named("SnapshotId=");
                let other = instead(&ec2.snapshots(), &id, is_of);
                in_place_of(&id, other)
            }
            (Self::ForeignDeleted, "DeleteSnapshot") if is_real => {
                let id = named("SnapshotId=");
                let other = instead(&ec2.snapshots(), &id, |one, _| !is_ours(one));
                in_place_of(&id, other)
            }
            (Self::VolumesMistaken, "DeleteVolume") if is_real => {
                let id = named("VolumeId=");
                let free = ec2.volumes().into_iter().filter(|one| one.id != id);
                let mut free = free.filter(|one| one.state == VolumeState::Available);
                in_place_of(&id, free.next().map(|one| one.id))
            }
            _ => Told::Asked(body.to_vec()),
        }
    }

    /// What EC2 does besides what it was asked.
    pub(crate) fn besides(self, ec2: &SimEc2, (region, body): (&str, &[u8]), action: &str) {
        match (self, action) {
            (Self::TwinsMade, "CreateSnapshots") => {
                // Between two snapshots of a volume EC2 wants a pause, so it is the set of another instance.
                let before = ec2.snapshots();
                let is_ripe = |one: &&Snapshot| {
                    is_ours(one)
                        && ec2.now().duration_since(one.started_at) > PAUSE
                        && before.iter().all(|other| {
                            other.volume_id != one.volume_id || other.started_at <= one.started_at
                        })
                };
                for one in before.iter().filter(is_ripe) {
                    let volume = &one.volume_id;
                    let tags = one.tags.iter().filter(|(key, _)| *key != "snapkeep:managed-by");
                    let another = |(key, value): (&String, &String)| match key.as_str() {
                        "snapkeep:id" => (key.clone(), format!("{value}x")),
                        _ => (key.clone(), value.clone()),
                    };
                    let tags = tags.map(another);
                    let mut call = format!("Action=CreateSnapshot&VolumeId={volume}");
                    for (at, (key, value)) in tags.enumerate() {
                        let tag = format!("&TagSpecification.1.Tag.{}", at + 1);
                        call.extend([&*tag, ".Key=", &*key, &*tag, ".Value=", &*value]);
                    }
                    call.push_str("&TagSpecification.1.ResourceType=snapshot");
                    ec2.answer(region, call.as_bytes());
                }
            }
            (Self::OthersTagged, "CreateTags") => {
                let all = ec2.snapshots();
                let is_others = |one: &&Snapshot| {
                    one.tags.get("snapkeep:installation").is_some_and(|of| of == "another")
                };
                if let Some(other) = all.iter().find(is_others) {
                    ec2.tag_snapshot(&other.id, "snapkeep:state", "condemned");
                    ec2.tag_snapshot(
                        &other.id,
                        "snapkeep:lie",
                        &String::from_utf8_lossy(&body[..8]),
                    );
                }
            }
            _ => {}
        }
    }
}

/// Whether a call asks for volumes, by their ids or their restore, of which all are hidden.
fn asks_for_hidden(ec2: &SimEc2, text: &str) -> bool {
    let is_named = |one: &Volume| {
        let restore = one.tags.get("snapkeep:restore");
        text.contains(&one.id) || restore.is_some_and(|restore| text.contains(restore))
    };
    let mut named = ec2.volumes().into_iter().filter(is_named).peekable();
    named.peek().is_some() && named.all(|one| one.tags.contains_key(HIDDEN))
}

fn is_odd(body: &[u8]) -> bool {
    body.last().is_some_and(|byte| byte % 2 == 1)
}

fn is_ours(one: &Snapshot) -> bool {
    one.tags.contains_key("snapkeep:managed-by")
}

/// Whether it is one of ours of the same instance.
fn is_of(one: &Snapshot, asked: &Snapshot) -> bool {
    let instance = |of: &Snapshot| of.tags.get("snapkeep:instance").cloned();
    is_ours(one) && instance(one) == instance(asked)
}

/// The newest that fits, in the region of the one that was asked for.
fn instead(
    all: &[Snapshot],
    id: &str,
    fits: impl Fn(&Snapshot, &Snapshot) -> bool,
) -> Option<String> {
    let asked = all.iter().find(|one| one.id == id)?;
    let others = all.iter().filter(|one| one.id != id && one.region == asked.region);
    let others = others.filter(|one| fits(one, asked));
    others.max_by_key(|one| one.started_at).map(|one| one.id.clone())
}
