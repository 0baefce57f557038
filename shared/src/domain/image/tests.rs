//! The states of an image: each transition, what is refused, and what holds in any order.

use jiff::{SignedDuration, Timestamp, ToSpan};
use proptest::prelude::*;

use super::recipe::{Device, Given, Recipe, Unregistrable, launchable};
use super::seen::{SeenImage, SeenState};
use super::transitions::WantedImage;
use super::*;
use crate::domain::ids::VolumeId;
use crate::domain::instance::launch::{LaunchSettings, VolumeSettings};
use crate::domain::notes::Notes;
use crate::domain::ownership::{EbsState, StorageTier};
use crate::domain::snapshot::condemnation::CondemnedBy;
use crate::domain::snapshot::member::Member;
use crate::domain::snapshot::{Origin, Snapshot, Source, Status};

fn at(minute: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + minute.minutes()
}

fn volume(number: u8) -> VolumeId {
    format!("vol-{number:08x}").parse().unwrap()
}

fn member(number: u8, device: &str, volume_type: &str) -> Member {
    Member {
        ebs_snapshot_id: format!("snap-{number:08x}").parse().unwrap(),
        volume_id: volume(number),
        device: Some(device.to_owned()),
        boot: number == 1,
        size_gib: 8,
        state: EbsState::Completed,
        progress_percent: 100,
        full_size_bytes: None,
        volume: Some(VolumeSettings {
            volume_type: volume_type.to_owned(),
            iops: Some(3_000),
            throughput_mibps: Some(125),
            kms_key_id: None,
            delete_on_termination: Some(number == 1),
            multi_attach: false,
            tags: Tags::default(),
        }),
        tier: StorageTier::Standard,
        restore_expires_at: None,
        notes: Notes::default(),
        deleted: false,
    }
}

fn snapshot() -> Snapshot {
    let source = Source {
        instance_id: "i-0123456789abcdef0".parse().unwrap(),
        instance_name: None,
        instance_type: None,
        architecture: Some("arm64".to_owned()),
        platform: Some("Linux/UNIX".to_owned()),
        region: "us-east-1".to_owned(),
        zone: None,
        tags: Tags::new(),
        launch: LaunchSettings {
            root_device: Some("/dev/xvda".to_owned()),
            virtualization_type: Some("hvm".to_owned()),
            boot_mode: Some("uefi".to_owned()),
            ena_support: Some(true),
            ..LaunchSettings::default()
        },
        machine: None,
    };
    let id = "snp_0195500c-6d00-7000-8000-000000000000".parse().unwrap();
    Snapshot {
        status: Status::Available,
        members: vec![member(2, "/dev/sdf", "io2"), member(1, "/dev/xvda", "gp3")],
        name: "web".to_owned(),
        ..Snapshot::requested(id, Origin::Manual, source, None, at(0))
    }
}

fn recipe(snapshot: &Snapshot, given: &Given) -> Result<Recipe, Unregistrable> {
    Recipe::of(snapshot, given, at(10))
}

/// Why no image can be registered of the snapshot once `change` has been done to it.
fn refusal(change: impl FnOnce(&mut Snapshot)) -> String {
    let mut snapshot = snapshot();
    change(&mut snapshot);
    recipe(&snapshot, &Given::default()).unwrap_err().to_string()
}

fn image() -> Image {
    let snapshot = snapshot();
    let wanted = WantedImage {
        id: ImageJobId::derived(at(0), &["x"]),
        name: None,
        description: None,
        tags: Tags::new(),
        who: "ada".to_owned(),
    };
    let recipe = recipe(&snapshot, &Given::default()).unwrap();
    Image::requested(wanted, &snapshot, recipe, at(0))
}

fn ami() -> ImageId {
    "ami-0123456789abcdef0".parse().unwrap()
}

fn seen(state: SeenState) -> SeenImage {
    SeenImage {
        id: ami(),
        name: "x".to_owned(),
        state,
        ec2_state: "some".to_owned(),
        reason: None,
        created_at: None,
        ebs_snapshot_ids: Vec::new(),
        tags: Tags::new(),
    }
}

fn available() -> Image {
    let registered = image().begin_attempt(at(1)).unwrap().registered(ami(), at(1)).unwrap();
    registered.observed(Some(&seen(SeenState::There)), at(2)).unwrap()
}

#[test]
fn an_image_is_made_of_what_is_recorded() {
    let recipe = recipe(&snapshot(), &Given::default()).unwrap();

    assert_eq!((&*recipe.architecture, &*recipe.root_device), ("arm64", "/dev/xvda"));
    assert_eq!((recipe.boot_mode.as_deref(), recipe.ena_support), (Some("uefi"), true));
    let device = |device: &str, number: u8, volume_type: &str, throughput_mibps, boots| Device {
        device: device.to_owned(),
        ebs_snapshot_id: format!("snap-{number:08x}").parse().unwrap(),
        size_gib: 8,
        volume_type: volume_type.to_owned(),
        iops: Some(3_000),
        throughput_mibps,
        delete_on_termination: boots,
    };
    let expected =
        [device("/dev/sdf", 2, "io2", None, false), device("/dev/xvda", 1, "gp3", Some(125), true)];
    assert_eq!(recipe.devices, expected);
}

#[test]
fn speed_is_said_only_of_types_that_take_it() {
    let mut snapshot = snapshot();
    snapshot.members = vec![member(1, "/dev/xvda", "gp2")];

    let device = recipe(&snapshot, &Given::default()).unwrap().devices.remove(0);

    assert_eq!((device.iops, device.throughput_mibps), (None, None));
}

#[test]
fn only_an_available_snapshot_within_its_window_becomes_an_image() {
    assert!(refusal(|one| one.status = Status::Pending).contains("is pending"));
    assert!(refusal(|one| one.course.absent_since = Some(at(1))).contains("does not show all"));
    assert!(refusal(|one| one.ending.restore_until = Some(at(10))).contains("was over at"));
    let just_in_time = {
        let mut next = snapshot();
        next.ending.restore_until = Some(at(11));
        next
    };
    recipe(&just_in_time, &Given::default()).unwrap();
}

#[test]
fn a_licence_is_not_lost_unnoticed() {
    for platform in [
        "Windows",
        "Red Hat Enterprise Linux",
        "SUSE Linux",
        "SQL Server Web",
        "Ubuntu Pro Linux",
        "Red Hat BYOL Linux",
    ] {
        let text = refusal(|one| one.source.platform = Some(platform.to_owned()));
        assert!(text.contains(platform) && text.contains("CreateImage"), "{text}");
    }
}

#[test]
fn without_what_it_boots_from_there_is_no_image() {
    let text = refusal(|one| one.members.truncate(1));

    assert_eq!(text, "the snapshot has no volume at /dev/xvda, which its instance booted from");
    let old = refusal(|one| one.source.launch.virtualization_type = Some("paravirtual".to_owned()));
    assert!(old.contains("paravirtual"));
}

#[test]
fn what_is_not_recorded_is_refused_by_the_field_to_give_it_in() {
    type Forget = fn(&mut Snapshot);
    let cases: [(&str, Forget); 6] = [
        ("architecture", |one| one.source.architecture = None),
        ("platform", |one| one.source.platform = None),
        ("ena_support", |one| one.source.launch.ena_support = None),
        ("volume_type", |one| one.members[0].volume = None),
        ("devices", |one| one.members[0].device = None),
        ("root_device", |one| {
            one.source.launch.root_device = None;
            one.members[1].boot = false;
        }),
    ];
    for (field, forget) in cases {
        let text = refusal(forget);
        assert!(text.ends_with(&format!("give it as `{field}`")), "{text}");
    }
}

#[test]
fn what_is_given_stands_in_for_what_is_not_recorded() {
    let mut snapshot = snapshot();
    snapshot.source.architecture = None;
    snapshot.source.platform = None;
    snapshot.source.launch = LaunchSettings::default();
    snapshot.members[0].device = None;
    snapshot.members[0].volume = None;
    let given = Given {
        architecture: Some("x86_64".to_owned()),
        platform: Some("Linux/UNIX".to_owned()),
        root_device: None,
        ena_support: Some(false),
        volume_type: Some("gp3".to_owned()),
        devices: [(volume(2), "/dev/sdg".to_owned())].into(),
    };

    let recipe = recipe(&snapshot, &given).unwrap();

    // The device it boots from is where the volume is that its instance booted from.
    assert_eq!((&*recipe.root_device, recipe.ena_support), ("/dev/xvda", false));
    let device = &recipe.devices[0];
    assert_eq!((&*device.device, &*device.volume_type, device.iops), ("/dev/sdg", "gp3", None));
    assert!(!device.delete_on_termination && recipe.devices[1].delete_on_termination);
}

#[test]
fn what_is_recorded_is_not_given_otherwise() {
    let given = Given { architecture: Some("x86_64".to_owned()), ..Given::default() };
    let text = recipe(&snapshot(), &given).unwrap_err().to_string();
    assert_eq!(text, "`architecture` is x86_64, but the snapshot records arm64");

    let devices = [(volume(9), "/dev/sdh".to_owned())].into();
    let unknown = Given { devices, ..Given::default() };
    assert_eq!(recipe(&snapshot(), &unknown).unwrap_err(), Unregistrable::UnknownVolume(volume(9)));

    let twice = refusal(|one| one.members[0].device = Some("/dev/xvda".to_owned()));
    assert!(twice.contains("two volumes would be at /dev/xvda"));
}

#[test]
fn a_snapshot_that_was_condemned_since_no_longer_fits() {
    let decided = recipe(&snapshot(), &Given::default()).unwrap();
    decided.still_fits(&snapshot(), at(20)).unwrap();

    let condemned = snapshot().condemn(CondemnedBy::Failed, "x", at(90), at(15)).unwrap();
    let reason = decided.still_fits(&condemned, at(20)).unwrap_err();
    assert_eq!(reason, Unregistrable::NotAvailable(Status::Condemned));

    let mut other = snapshot();
    other.members[0].deleted = true;
    let reason = decided.still_fits(&other, at(20)).unwrap_err();
    assert!(matches!(reason, Unregistrable::Changed(_)));
}

#[test]
fn it_goes_from_request_to_available() {
    let available = available();

    assert_eq!(available.status, ImageStatus::Available);
    assert_eq!((available.ami_id.as_ref(), available.registered_at), (Some(&ami()), Some(at(1))));
    // Looked at now and then, so that its being gone is found.
    assert_eq!(available.attention_at, Some(at(2) + SignedDuration::from_hours(6)));
}

#[test]
fn an_attempt_is_repeated_only_once_its_absence_is_believed() {
    let first = image().begin_attempt(at(1)).unwrap();

    first.begin_attempt(at(1) + SignedDuration::from_secs(299)).unwrap_err();
    let second = first.begin_attempt(at(6)).unwrap();

    assert_eq!(second.attempt.unwrap().number, 2);
    let put_off = first.put_off(Failure::new("RequestLimitExceeded", "slow"), at(1)).unwrap();
    assert_eq!((put_off.status, put_off.attention_at), (ImageStatus::Requested, Some(at(2))));
    put_off.begin_attempt(at(2)).unwrap();
    available().begin_attempt(at(60)).unwrap_err();
}

#[test]
fn that_ec2_does_not_show_it_is_believed_at_the_second_look() {
    let new = available().observed(None, at(5)).unwrap();
    assert_eq!((new.status, new.absent_since), (ImageStatus::Available, None));

    let first = available().observed(None, at(60)).unwrap();
    assert_eq!((first.status, first.attention_at), (ImageStatus::Available, Some(at(70))));
    assert_eq!(first.observed(None, at(69)).unwrap().status, ImageStatus::Available);
    let missing = first.observed(None, at(70)).unwrap();
    assert_eq!((missing.status, missing.attention_at), (ImageStatus::Missing, None));
    let back = first.observed(Some(&seen(SeenState::There)), at(70)).unwrap();
    assert_eq!((back.status, back.absent_since), (ImageStatus::Available, None));
}

#[test]
fn what_ec2_reports_as_failed_is_failed() {
    let registering = image().begin_attempt(at(1)).unwrap().registered(ami(), at(1)).unwrap();

    let coming = registering.observed(Some(&seen(SeenState::Coming)), at(2)).unwrap();
    let failed = registering.observed(Some(&seen(SeenState::Failed)), at(2)).unwrap();

    assert_eq!((coming.status, coming.attention_at), (ImageStatus::Registering, Some(at(3))));
    assert_eq!(failed.status, ImageStatus::Failed);
    assert!(failed.failure.unwrap().message.contains("does not say why"));
}

#[test]
fn who_deregisters_it_twice_changes_nothing() {
    let going = available().deregister("ada", None, at(9)).unwrap();
    let gone = going.deregistered(at(10)).unwrap();

    for image in [&going, &gone] {
        assert_eq!(image.deregister("eve", None, at(11)), None);
    }
    assert_eq!((gone.status, gone.attention_at), (ImageStatus::Deregistered, None));
    assert_eq!(gone.gone_at, Some(at(10)));
}

#[test]
fn the_snapshot_can_be_asked_for_afterwards_and_once() {
    let gone = available().deregister("ada", None, at(9)).unwrap().deregistered(at(10)).unwrap();
    let waiting = SnapshotDeletion::waiting();

    let asked = gone.deregister("eve", Some(waiting.clone()), at(11)).unwrap();
    assert_eq!(asked.status, ImageStatus::Deregistered);
    assert!(asked.attention_at.is_some() && asked.waiting_deletion().is_some());
    assert_eq!(asked.deregister("eve", Some(waiting.clone()), at(12)), None);

    let refused = asked.snapshot_settled(waiting.refused("held"), at(12)).unwrap();
    assert_eq!((refused.attention_at, refused.waiting_deletion()), (None, None));
    assert!(refused.deregister("eve", Some(waiting), at(13)).is_some());
}

#[test]
fn one_that_ec2_will_not_deregister_stays() {
    let going = available().deregister("ada", None, at(9)).unwrap();

    let kept = going.deregistration_refused(Failure::new("X", "protected"), at(10)).unwrap();
    let looked_at = kept.observed(Some(&seen(SeenState::There)), at(11)).unwrap();

    assert_eq!((kept.status, &kept.deregistration), (ImageStatus::Available, &None));
    assert_eq!(looked_at.failure.unwrap().message, "protected");
}

#[test]
fn its_tags_say_whose_it_is_and_the_callers_name_goes_before_ours() {
    let tags = Tags::from([
        ("Name".to_owned(), "golden".to_owned()),
        ("team".to_owned(), "blue".to_owned()),
    ]);
    let image = Image { tags, ..image() };

    let tags = image.ami_tags();

    assert_eq!(tags["Name"], "golden");
    assert_eq!(tags["snapkeep:managed-by"], "snapkeep");
    assert_eq!(tags["snapkeep:image"], image.id.as_str());
    assert_eq!(tags.len(), 5);
}

#[test]
fn a_stored_image_is_read_back() {
    let image =
        available().deregister("ada", Some(SnapshotDeletion::waiting_named()), at(9)).unwrap();

    let text = serde_json::to_string(&image).unwrap();

    assert_eq!(serde_json::from_str::<Image>(&text).unwrap(), image);
}

/// What may happen to an image, in any order.
#[derive(Clone, Copy, Debug)]
enum Event {
    Attempt,
    PutOff,
    Registered,
    Failed,
    Seen(SeenState),
    NotSeen,
    Delete,
    DeleteBoth,
    Refused,
    Gone,
    Settled,
    Nudged,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::Attempt),
        Just(Event::PutOff),
        Just(Event::Registered),
        Just(Event::Failed),
        Just(Event::Seen(SeenState::Coming)),
        Just(Event::Seen(SeenState::There)),
        Just(Event::Seen(SeenState::Failed)),
        Just(Event::Seen(SeenState::Gone)),
        Just(Event::NotSeen),
        Just(Event::Delete),
        Just(Event::DeleteBoth),
        Just(Event::Refused),
        Just(Event::Gone),
        Just(Event::Settled),
        Just(Event::Nudged),
    ]
}

/// The image after the event; as it was if the event is refused.
fn after(image: &Image, event: Event, now: Timestamp) -> Image {
    let failure = || Failure::new("X", "x");
    let waiting = SnapshotDeletion::waiting();
    let next = match event {
        Event::Attempt => image.begin_attempt(now).ok(),
        Event::PutOff => image.put_off(failure(), now).ok(),
        Event::Registered => image.registered(ami(), now).ok(),
        Event::Failed => image.fail(failure()).ok(),
        Event::Seen(state) => image.observed(Some(&seen(state)), now).ok(),
        Event::NotSeen => image.observed(None, now).ok(),
        Event::Delete => image.deregister("ada", None, now),
        Event::DeleteBoth => image.deregister("ada", Some(waiting), now),
        Event::Refused => image.deregistration_refused(failure(), now).ok(),
        Event::Gone => image.deregistered(now).ok(),
        Event::Settled => image.snapshot_settled(waiting.refused("x"), now).ok(),
        Event::Nudged => image.attention_at.map(|_| image.nudged(now)),
    };
    next.unwrap_or_else(|| image.clone())
}

proptest! {
    #[test]
    fn whatever_happens_it_is_over_or_looked_at_again(
        events in prop::collection::vec((event(), 0_i64..30), 0..40)
    ) {
        let mut image = image();
        let mut minute = 0;
        for (event, pause) in events {
            minute += pause;
            let next = after(&image, event, at(minute));

            let is_over = match next.status {
                ImageStatus::Failed | ImageStatus::Missing => true,
                ImageStatus::Deregistered => next.waiting_deletion().is_none(),
                ImageStatus::Requested
                | ImageStatus::Registering
                | ImageStatus::Available
                | ImageStatus::Deregistering => false,
            };
            prop_assert_eq!(next.attention_at.is_none(), is_over, "{:?} {:?}", event, &next);
            let changed = u64::from(next != image);
            prop_assert_eq!(next.version, image.version + changed);
            // What has been deregistered never comes back, and an AMI is never forgotten.
            if image.status == ImageStatus::Deregistered {
                prop_assert_eq!(next.status, ImageStatus::Deregistered);
            }
            prop_assert!(next.ami_id.is_some() || image.ami_id.is_none());
            // Two attempts lie far apart, unless EC2 has proven that the first did nothing.
            if let (Some(last), Some(new)) = (&image.attempt, &next.attempt)
                && last.number != new.number
                && image.status == ImageStatus::Registering
            {
                prop_assert!(new.started_at.duration_since(last.started_at).as_mins() >= 5);
            }
            image = next;
        }
    }
}

#[test]
fn a_platform_that_is_not_known_can_be_launched_and_one_with_a_licence_cannot() {
    let hvm = LaunchSettings::default();
    let older = LaunchSettings {
        virtualization_type: Some("paravirtual".to_owned()),
        ..LaunchSettings::default()
    };

    assert_eq!(launchable(None, &hvm), Ok(()));
    assert_eq!(launchable(Some("Linux/UNIX"), &hvm), Ok(()));
    let licensed = Unregistrable::Licensed("Windows".to_owned());
    assert_eq!(launchable(Some("Windows"), &hvm), Err(licensed));
    let not_hvm = Unregistrable::NotHvm("paravirtual".to_owned());
    assert_eq!(launchable(None, &older), Err(not_hvm));
}
