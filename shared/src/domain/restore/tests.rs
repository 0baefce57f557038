//! Restores: what is decided from a record and what EC2 shows.

mod images;
mod lost_volumes;
mod shared_volumes;
mod way_back;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::decision::{Act, Next};
use super::mode::{OldVolume, PlannedVolume, RestoreMode};
use super::next::{next as next_of, part};
use super::plan::{SnapshotFirst, steps};
use super::seen::{RestoreFacts, SeenAttachment, SeenTask, SeenVolume, TaskState, VolumeState};
use super::step::{Step, StepName, StepStatus};
use super::transitions::Cancellation;
use super::*;
use crate::domain::ids::{EbsSnapshotId, VolumeId};
use crate::domain::instance::{AttachedVolume, Instance, InstanceState, RootKind};
use crate::domain::tags::{self, Tags};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn at(minutes: i64) -> Timestamp {
    NOW + SignedDuration::from_mins(minutes)
}

fn instance_id() -> InstanceId {
    "i-0123456789abcdef0".parse().unwrap()
}

fn volume_id(number: usize) -> VolumeId {
    format!("vol-{number:08x}").parse().unwrap()
}

fn planned(device: &str, number: usize) -> PlannedVolume {
    let ebs_snapshot_id: EbsSnapshotId = format!("snap-{number:08x}").parse().unwrap();
    PlannedVolume {
        ebs_snapshot_id,
        device: Some(device.to_owned()),
        attach_as: Some(device.to_owned()),
        boot: device == "/dev/sda",
        size_gib: 8,
        volume_type: "gp3".to_owned(),
        iops: None,
        throughput_mibps: None,
        initialization_rate_mibps: None,
        delete_on_termination: false,
        volume_id: None,
        attempt: 0,
        attached_at: None,
        multi_attach: false,
        tags: Tags::new(),
    }
}

fn restore(mode: &RestoreMode) -> Restore {
    let record = json!({
        "id": "rst_0195500c-6d00-7000-8000-000000000000", "version": 1,
        "snapshot_id": "snp_0195500c-6d00-7000-8000-000000000000", "snapshot_name": "web",
        "instance_id": instance_id(), "instance_name": null, "region": "us-east-1",
        "zone": "us-east-1a", "mode": mode, "requested_by": "ada", "created_at": NOW,
        "status": "requested", "steps": [], "volumes": [], "keep_old_days": 14,
    });
    let restore: Restore = serde_json::from_value(record).unwrap();
    let steps = steps(&restore.mode, SnapshotFirst::No).into_iter().map(Step::new).collect();
    let volumes = vec![planned("/dev/sda", 1), planned("/dev/sdb", 2)];
    Restore { steps, made: Made { volumes, ..restore.made }, ..restore }
}

fn in_place() -> Restore {
    restore(&RestoreMode::ReplaceVolumes { instance_id: instance_id(), stop: true })
}

/// The restore with its steps up to this one behind.
fn at_step(restore: &Restore, name: StepName) -> Restore {
    let mut restore = restore.leased(NOW).unwrap();
    while restore.step().unwrap().1.name != name {
        restore = restore.step_over(StepStatus::Done, None, NOW);
    }
    restore
}

fn instance(state: InstanceState, volumes: &[(&str, usize)]) -> Instance {
    let volumes = volumes.iter().map(|(device, number)| AttachedVolume {
        volume_id: volume_id(*number),
        device: (*device).to_owned(),
        boot: *device == "/dev/sda",
        delete_on_termination: None,
        attached_at: None,
    });
    Instance {
        id: instance_id(),
        name: None,
        state,
        instance_type: "t3.micro".to_owned(),
        region: "us-east-1".to_owned(),
        zone: "us-east-1a".to_owned(),
        architecture: None,
        platform: None,
        image_id: None,
        root_device: Some("/dev/sda".to_owned()),
        volumes: volumes.collect(),
        tags: Tags::new(),
        launched_at: None,
        launch: crate::domain::instance::launch::LaunchSettings::default(),
        root: RootKind::Ebs,
        can_hibernate: false,
        circumstances: crate::domain::instance::circumstances::Circumstances::default(),
    }
}

/// An old volume that the restore has taken off.
fn old_volume(number: usize, device: &str) -> OldVolume {
    let device = device.to_owned();
    OldVolume {
        volume_id: volume_id(number),
        device,
        detached_at: Some(NOW),
        delete_on_termination: None,
    }
}

fn seen_volume(number: usize, device: Option<&str>, tags: Tags) -> SeenVolume {
    let attachments = device.map(|device| SeenAttachment {
        instance_id: instance_id(),
        device: device.to_owned(),
        is_settled: true,
    });
    let attachments = attachments.into_iter().collect();
    let state = if device.is_some() { VolumeState::InUse } else { VolumeState::Available };
    SeenVolume {
        id: volume_id(number),
        state,
        attachments,
        volume_type: "gp3".to_owned(),
        size_gib: 8,
        multi_attach: false,
        tags,
    }
}

/// What is next once it is noted what is attached.
fn next(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> Option<Next> {
    let noted = restore.noticing(seen).unwrap_or_else(|| restore.clone());
    next_of(&noted, seen, now)
}

fn recorded(next: Option<Next>) -> Restore {
    match next {
        Some(Next::Record(record)) => *record,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_volume_that_a_dead_worker_made_is_adopted_and_only_the_missing_one_asked_for() {
    let restore = at_step(&in_place(), StepName::CreateVolumes);
    let tags = restore.made_tags(&part(0, 0));
    let seen =
        RestoreFacts { volumes: vec![seen_volume(11, None, tags)], ..RestoreFacts::default() };

    let adopted = recorded(next(&restore, &seen, NOW));

    assert_eq!(adopted.made.volumes[0].volume_id, Some(volume_id(11)));
    let then = next(&adopted, &seen, NOW);
    assert_eq!(then, Some(Next::Act(Act::CreateVolumes(vec![1]))));
}

#[test]
fn what_another_restore_or_an_earlier_attempt_made_is_not_adopted() {
    let mut restore = at_step(&in_place(), StepName::CreateVolumes);
    let earlier = restore.made_tags(&part(0, 0));
    restore.made.volumes[0].attempt = 1;
    let mut foreign = restore.made_tags(&part(0, 1));
    foreign.insert(tags::RESTORE.to_owned(), "rst_x".to_owned());
    let volumes = vec![seen_volume(11, None, earlier), seen_volume(12, None, foreign)];
    let seen = RestoreFacts { volumes, ..RestoreFacts::default() };

    assert_eq!(next(&restore, &seen, NOW), Some(Next::Act(Act::CreateVolumes(vec![0, 1]))));
}

#[test]
fn whether_it_ran_is_recorded_before_it_is_stopped() {
    let restore = at_step(&in_place(), StepName::StopInstance);
    let running = instance(InstanceState::Running, &[("/dev/sda", 1), ("/dev/sdb", 2)]);
    let seen = RestoreFacts { instance: Some(running), ..RestoreFacts::default() };

    let noted = recorded(next(&restore, &seen, NOW));

    assert_eq!(noted.before.was_running, Some(true));
    assert_eq!(next(&noted, &seen, NOW), Some(Next::Act(Act::Stop)));
}

#[test]
fn the_old_volumes_are_recorded_before_the_first_is_taken_off() {
    let restore = at_step(&in_place(), StepName::DetachVolumes);
    let stopped =
        instance(InstanceState::Stopped, &[("/dev/sda", 1), ("/dev/sdb", 2), ("/dev/sdc", 3)]);
    let volumes = vec![
        seen_volume(1, Some("/dev/sda"), Tags::new()),
        seen_volume(2, Some("/dev/sdb"), Tags::new()),
        seen_volume(3, Some("/dev/sdc"), Tags::new()),
    ];
    let seen = RestoreFacts { instance: Some(stopped), volumes, ..RestoreFacts::default() };

    let noted = recorded(next(&restore, &seen, NOW));

    let old: Vec<_> =
        noted.before.old_volumes.iter().flatten().map(|old| old.volume_id.clone()).collect();
    assert_eq!(old, [volume_id(1), volume_id(2)]);
    assert!(noted.taken_off().is_empty());
    let claimed = recorded(next(&noted, &seen, NOW));
    assert_eq!(claimed.taken_off().len(), 2);
    assert_eq!(next(&claimed, &seen, NOW), Some(Next::Act(Act::Detach(old))));
}

#[test]
fn nothing_is_taken_off_an_instance_that_somebody_has_started() {
    let restore = at_step(&in_place(), StepName::DetachVolumes);
    let running = instance(InstanceState::Running, &[("/dev/sda", 1)]);
    let seen = RestoreFacts { instance: Some(running), ..RestoreFacts::default() };

    assert!(matches!(next(&restore, &seen, NOW), Some(Next::Fail { code: "InstanceRunning", .. })));
}

#[test]
fn two_workers_never_have_it_at_once() {
    let leased = in_place().leased(NOW).unwrap();

    assert!(leased.leased(at(5)).is_none());
    let next = leased.leased(at(6)).unwrap();
    assert!(next.course.lease.unwrap().number > leased.course.lease.unwrap().number);
    assert!(leased.released(at(1)).leased(at(1)).is_some());
}

#[test]
fn after_the_last_step_it_is_done() {
    let mut restore = in_place().leased(NOW).unwrap();
    let mut percents = vec![restore.progress_percent()];
    while !restore.status.is_over() {
        restore = restore.step_over(StepStatus::Done, None, at(1));
        percents.push(restore.progress_percent());
    }

    assert_eq!(restore.status, RestoreStatus::Done);
    assert!(percents.is_sorted() && percents.last() == Some(&100));
    assert_eq!((restore.course.lease, restore.course.attention_at), (None, None));
}

#[test]
fn only_what_bears_the_tag_of_this_restore_is_deleted() {
    let mut restore = at_step(&in_place(), StepName::AttachVolumes);
    restore.before.old_volumes = Some(vec![old_volume(1, "/dev/sda")]);
    let mut back = restore.cancelled("ada", Cancellation::TakeBack, NOW).unwrap().unwrap();
    for step in back.undo.iter_mut().filter(|step| step.name != StepName::DeleteNewVolumes) {
        step.status = StepStatus::Done;
    }
    let ours = restore.made_tags(&part(0, 0));
    let mut others = ours.clone();
    others.insert(tags::RESTORE.to_owned(), "rst_0195500c-6d00-7000-8000-000000000001".to_owned());
    let unmanaged = Tags::from([(tags::RESTORE.to_owned(), restore.id.to_string())]);
    let volumes = vec![
        seen_volume(1, None, Tags::new()),
        seen_volume(11, None, ours),
        seen_volume(12, None, others),
        seen_volume(13, None, unmanaged),
    ];
    let seen = RestoreFacts { volumes, ..RestoreFacts::default() };

    assert_eq!(next(&back, &seen, at(10)), Some(Next::Act(Act::Delete(vec![volume_id(11)]))));
}

#[test]
fn the_way_back_begins_once_what_was_asked_for_shows() {
    let asked = {
        let mut next = at_step(&in_place(), StepName::DetachVolumes);
        next.course.asked_at = Some(NOW);
        next
    };
    let back = asked.cancelled("ada", Cancellation::TakeBack, NOW).unwrap().unwrap();
    let seen = RestoreFacts {
        instance: Some(instance(InstanceState::Stopped, &[("/dev/sda", 1)])),
        ..RestoreFacts::default()
    };

    assert!(matches!(next(&back, &seen, NOW), Some(Next::Wait(_))));
    assert!(matches!(next(&back, &seen, at(1)), Some(Next::Skip(_))));
}

#[test]
fn what_an_instance_may_have_written_to_is_kept_and_noted() {
    let mut restore = at_step(&in_place(), StepName::StartInstance);
    restore.made.is_in_use = true;
    restore.made.volumes[0].volume_id = Some(volume_id(11));
    restore.made.volumes[0].attached_at = Some(NOW);
    let mut back = restore.cancelled("ada", Cancellation::TakeBack, NOW).unwrap().unwrap();
    for step in back.undo.iter_mut().filter(|step| step.name != StepName::DeleteNewVolumes) {
        step.status = StepStatus::Done;
    }
    let ours = restore.made_tags(&part(0, 0));
    let seen =
        RestoreFacts { volumes: vec![seen_volume(11, None, ours)], ..RestoreFacts::default() };

    let noted = recorded(next(&back, &seen, at(10)));

    assert!(noted.notes[0].contains(volume_id(11).as_str()));
    assert_eq!(next(&noted, &seen, at(10)), Some(Next::Done));
}

#[test]
fn a_step_that_takes_too_long_is_given_up() {
    let restore = at_step(&in_place(), StepName::CreateVolumes);

    assert!(!restore.is_overdue(at(119)));
    assert!(restore.is_overdue(at(120)));
}

#[test]
fn a_root_that_is_being_replaced_cannot_be_cancelled() {
    let restore = restore(&RestoreMode::ReplaceRoot { instance_id: instance_id() });
    let begun = at_step(&restore, StepName::ReplaceRoot);
    assert!(restore.cancelled("ada", Cancellation::TakeBack, NOW).unwrap().is_some());
    assert!(begun.cancelled("ada", Cancellation::TakeBack, NOW).is_err());
}

/// A replacement whose new volumes 11 and 12 were attached at minute 10, cancelled, at this step back.
fn on_the_way_back(name: StepName) -> Restore {
    let mut restore = at_step(&in_place(), StepName::StartInstance);
    for (position, planned) in restore.made.volumes.iter_mut().enumerate() {
        planned.volume_id = Some(volume_id(11 + position));
        planned.attached_at = Some(at(10));
    }
    restore.before.old_volumes = Some(vec![old_volume(1, "/dev/sda"), old_volume(2, "/dev/sdb")]);
    let mut back = restore.cancelled("ada", Cancellation::TakeBack, NOW).unwrap().unwrap();
    for step in back.undo.iter_mut().take_while(|step| step.name != name) {
        step.status = StepStatus::Done;
    }
    back
}

/// The instance with both new volumes, started last at this minute.
fn with_new_volumes(restore: &Restore, state: InstanceState, started: Option<i64>) -> RestoreFacts {
    let new = [("/dev/sda", 11), ("/dev/sdb", 12)];
    let instance = Instance { launched_at: started.map(at), ..instance(state, &new) };
    let mut volumes = vec![seen_volume(1, None, Tags::new()), seen_volume(2, None, Tags::new())];
    for (position, (device, number)) in new.into_iter().enumerate() {
        let tags = restore.made_tags(&part(position, 0));
        volumes.push(seen_volume(number, Some(device), tags));
    }
    RestoreFacts { instance: Some(instance), volumes, ..RestoreFacts::default() }
}

#[test]
fn a_start_since_the_new_volumes_were_attached_is_taken_for_writing() {
    for step in [StepName::StopAgain, StepName::DetachNewVolumes] {
        let back = on_the_way_back(step);
        for (started, is_in_use) in [(Some(9), false), (Some(10), true), (None, true)] {
            let seen = with_new_volumes(&back, InstanceState::Stopped, started);
            match next(&back, &seen, at(30)) {
                Some(Next::Record(record)) => {
                    assert!(is_in_use && record.made.is_in_use, "{started:?}");
                }
                other => assert!(!is_in_use, "{started:?}: {other:?}"),
            }
        }
        let unseen = RestoreFacts {
            instance: None,
            ..with_new_volumes(&back, InstanceState::Stopped, None)
        };
        assert!(recorded(next(&back, &unseen, at(30))).made.is_in_use);
    }
}

#[test]
fn no_new_volume_is_taken_off_an_instance_that_does_not_stand_still() {
    let mut back = on_the_way_back(StepName::DetachNewVolumes);
    back.made.is_in_use = true;
    back.before.was_running = Some(true);
    let next_at = |state| next(&back, &with_new_volumes(&back, state, Some(20)), at(30));

    assert_eq!(next_at(InstanceState::Running), Some(Next::Act(Act::Stop)));
    assert!(matches!(next_at(InstanceState::Pending), Some(Next::Wait(_))));
    let new = vec![volume_id(11), volume_id(12)];
    assert_eq!(next_at(InstanceState::Stopped), Some(Next::Act(Act::Detach(new))));
}

#[test]
fn an_instance_is_not_taken_apart_for_an_old_volume_that_cannot_come_back() {
    let back = on_the_way_back(StepName::StopAgain);
    let mut seen = with_new_volumes(&back, InstanceState::Stopped, Some(0));
    assert_eq!(next(&back, &seen, at(30)), Some(Next::Done));

    seen.volumes[1] = shared(seen_volume(2, None, Tags::new()));
    let elsewhere = next(&back, &seen, at(30));
    seen.volumes.retain(|volume| volume.id != volume_id(2));
    for (stops, help) in [(elsewhere, true), (next(&back, &seen, at(30)), false)] {
        let Some(Next::Fail { code: "OldVolumeGone", message, .. }) = stops else { panic!() };
        assert!(message.contains(volume_id(2).as_str()), "{message}");
        assert_eq!(message.contains("i-0fedcba9876543210 and retry, or end"), help, "{message}");
    }
}

#[test]
fn what_was_ever_attached_is_kept_whoever_has_attached_it_and_however_long_ago() {
    let ours = |restore: &Restore, position| restore.made_tags(&part(position, 0));
    let mut back = on_the_way_back(StepName::DeleteNewVolumes);
    back.not_attached(&volume_id(12));
    let volumes = |second: Option<&str>| {
        vec![
            seen_volume(1, Some("/dev/sda"), Tags::new()),
            seen_volume(2, Some("/dev/sdb"), Tags::new()),
            seen_volume(11, None, ours(&back, 0)),
            seen_volume(12, second, ours(&back, 1)),
        ]
    };

    let loose = RestoreFacts { volumes: volumes(None), ..RestoreFacts::default() };
    let noted = recorded(next(&back, &loose, at(30)));
    assert!(noted.notes.concat().contains("vol-0000000b stays"), "{:?}", noted.notes);
    let goes = Some(Next::Act(Act::Delete(vec![volume_id(12)])));
    assert_eq!(next(&noted, &loose, at(30)), goes);

    // Once it was seen attached by somebody, it stays for good.
    let by_hand = RestoreFacts { volumes: volumes(Some("/dev/sdg")), ..RestoreFacts::default() };
    let seen_once = noted.noticing(&by_hand).unwrap();
    let kept = recorded(next(&seen_once, &loose, at(30)));
    assert!(kept.notes.concat().contains("vol-0000000c stays"), "{:?}", kept.notes);
    assert_eq!(next(&kept, &loose, at(30)), Some(Next::Done));
}

#[test]
fn what_a_person_has_attached_is_not_taken_off_on_the_way_back() {
    let mut back = on_the_way_back(StepName::StopAgain);
    back.not_attached(&volume_id(12));
    back.made.is_in_use = true;
    let seen = with_new_volumes(&back, InstanceState::Running, Some(0));

    let stops = next(&back, &seen, at(30));

    let Some(Next::Fail { code: "AttachedByHand", message, .. }) = stops else {
        panic!("{stops:?}")
    };
    assert!(message.contains("vol-0000000c") && message.contains("/dev/sdb"), "{message}");
}

#[test]
fn an_old_volume_is_not_attached_while_another_has_its_place() {
    let back = on_the_way_back(StepName::ReattachOldVolumes);
    let seen = with_new_volumes(&back, InstanceState::Stopped, Some(0));
    let new = vec![volume_id(11), volume_id(12)];
    assert_eq!(next(&back, &seen, at(30)), Some(Next::Act(Act::Detach(new))));

    // The root comes first.
    let foreign = |root: Option<&str>, there: &[(&str, usize)]| RestoreFacts {
        instance: Some(instance(InstanceState::Stopped, there)),
        volumes: vec![seen_volume(1, root, Tags::new()), seen_volume(2, None, Tags::new())],
        ..RestoreFacts::default()
    };
    let taken = foreign(None, &[("/dev/sdb", 21)]);
    let comes_back = vec![(volume_id(1), "/dev/sda".to_owned())];
    assert_eq!(next(&back, &taken, at(30)), Some(Next::Act(Act::Attach(comes_back))));
    let rooted = foreign(Some("/dev/sda"), &[("/dev/sda", 1), ("/dev/sdb", 21)]);
    assert!(matches!(next(&back, &rooted, at(30)), Some(Next::Fail { code: "DeviceInUse", .. })));
}

#[test]
fn an_instance_that_its_group_would_end_is_not_stopped() {
    let restore = at_step(&in_place(), StepName::StopInstance);
    let seen = |state| {
        let instance = grouped(instance(state, &[("/dev/sda", 1)]));
        RestoreFacts { instance: Some(instance), ..RestoreFacts::default() }
    };

    let running = next(&restore, &seen(InstanceState::Running), NOW);
    assert!(matches!(running, Some(Next::Fail { code: "AutoScalingGroup", .. })));
    let stopped = next(&restore, &seen(InstanceState::Stopped), NOW);
    assert_eq!(recorded(stopped).before.was_running, Some(false));
}

/// Whose tags say that it belongs to an Auto Scaling group.
fn grouped(instance: Instance) -> Instance {
    let tags = Tags::from([("aws:autoscaling:groupName".to_owned(), "web".to_owned())]);
    Instance { tags, ..instance }
}

#[test]
fn the_way_back_does_not_stop_an_instance_that_its_group_would_end_either() {
    for step in [StepName::StopAgain, StepName::DetachNewVolumes] {
        let mut back = on_the_way_back(step);
        back.made.is_in_use = true;
        for was_running in [None, Some(true)] {
            back.before.was_running = was_running;
            let mut seen = with_new_volumes(&back, InstanceState::Running, Some(20));
            seen.instance = seen.instance.map(grouped);

            let stops = next(&back, &seen, at(30));

            let Some(Next::Fail { code, message, .. }) = stops else { panic!("{step}: {stops:?}") };
            assert_eq!(code, "AutoScalingGroup");
            for word in ["web", "Standby", "stop it", "retry", "leave"] {
                assert!(message.contains(word), "{word}: {message}");
            }
        }
        let mut stopped = with_new_volumes(&back, InstanceState::Stopped, Some(20));
        stopped.instance = stopped.instance.map(grouped);
        let then = next(&back, &stopped, at(30));
        assert!(matches!(then, Some(Next::Done | Next::Act(Act::Detach(_)))), "{then:?}");
    }
}

fn other_instance() -> InstanceId {
    "i-0fedcba9876543210".parse().unwrap()
}

/// The volume, which is at the other instance as well, and there first.
fn shared(volume: SeenVolume) -> SeenVolume {
    let there = SeenAttachment {
        instance_id: other_instance(),
        device: "/dev/sdx".to_owned(),
        is_settled: true,
    };
    let attachments = [there].into_iter().chain(volume.attachments).collect();
    SeenVolume { state: VolumeState::InUse, attachments, ..volume }
}

#[test]
fn a_root_volume_that_is_off_is_named_with_its_device() {
    let mut restore = at_step(
        &restore(&RestoreMode::ReplaceRoot { instance_id: instance_id() }),
        StepName::ReplaceRoot,
    );
    restore.made.task_id = Some("replacevol-1".to_owned());
    restore.before.old_volumes =
        Some(vec![OldVolume { detached_at: None, ..old_volume(1, "/dev/sda") }]);
    let task = SeenTask { id: "replacevol-1".to_owned(), state: TaskState::FailedDetached };
    let instance = instance(InstanceState::Stopped, &[("/dev/sdb", 2)]);
    let seen =
        RestoreFacts { instance: Some(instance), task: Some(task), ..RestoreFacts::default() };

    let Some(Next::Fail { code, message, record }) = next(&restore, &seen, NOW) else { panic!() };
    assert_eq!(code, "RootDetached");
    assert!(message.contains(volume_id(1).as_str()) && message.contains("/dev/sda"), "{message}");

    restore = record.failed(failure(), NOW);
    let standing = restore.standing().unwrap();
    assert!(standing.go_on.contains("attach vol-00000001 at /dev/sda to"), "{standing:?}");
    assert!(standing.go_back.contains("stays off"), "{standing:?}");

    // Taken up again before anything was done, whether it runs or not, it says the same.
    let again = restore.retried(NOW).unwrap().unwrap().leased(NOW).unwrap();
    for state in [InstanceState::Stopped, InstanceState::Running] {
        let bare =
            RestoreFacts { instance: seen.instance.clone(), task: None, ..RestoreFacts::default() };
        let bare =
            RestoreFacts { instance: bare.instance.map(|one| Instance { state, ..one }), ..bare };
        let Some(Next::Fail { code, message, .. }) = next(&again, &bare, NOW) else { panic!() };
        assert_eq!(code, "RootDetached");
        let help = "attach the old one, vol-00000001, at /dev/sda by hand, start the instance";
        assert!(message.contains(help) && message.contains("retry"), "{message}");
        let asked = next(
            &Restore {
                made: Made { creating_at: Some(NOW), ..again.made.clone() },
                ..again.clone()
            },
            &bare,
            at(4),
        );
        assert!(matches!(asked, Some(Next::Wait(_))), "it may not show yet: {asked:?}");
    }
    // Attached by hand and started, it goes on.
    let whole = self::instance(InstanceState::Running, &[("/dev/sda", 1)]);
    let whole = RestoreFacts { instance: Some(whole), ..RestoreFacts::default() };
    assert_eq!(next(&again, &whole, NOW), Some(Next::Act(Act::ReplaceRoot)));
    let back = restore.cancelled("ada", Cancellation::TakeBack, NOW).unwrap().unwrap();
    let seen = RestoreFacts { task: None, ..seen };
    let note = recorded(next(&back, &seen, at(30))).notes.concat();
    assert!(note.contains(volume_id(1).as_str()) && note.contains("/dev/sda"), "{note}");
}

fn failure() -> RestoreFailure {
    RestoreFailure {
        step: StepName::ReplaceRoot,
        code: "RootDetached".to_owned(),
        message: String::new(),
        missing_right: None,
        at: NOW,
    }
}
