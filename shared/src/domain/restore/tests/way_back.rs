//! The steps back: what is stopped, taken off and put back, and what is waited for.

use super::*;

/// An instance with its old volumes back at their places.
fn as_before(state: InstanceState) -> RestoreFacts {
    let instance = instance(state, &[("/dev/sda", 1), ("/dev/sdb", 2)]);
    RestoreFacts {
        instance: Some(Instance { launched_at: Some(NOW), ..instance }),
        volumes: vec![
            seen_volume(1, Some("/dev/sda"), Tags::new()),
            seen_volume(2, Some("/dev/sdb"), Tags::new()),
        ],
        ..RestoreFacts::default()
    }
}

fn waits(restore: &Restore, seen: &RestoreFacts, now: Timestamp) -> bool {
    matches!(next(restore, seen, now), Some(Next::Wait(_)))
}

#[test]
fn what_runs_is_noted_as_running_and_as_in_use_before_it_is_stopped() {
    for (is_in_use, was_running) in [(false, None), (true, None), (true, Some(false))] {
        let mut back = on_the_way_back(StepName::StopAgain);
        back.made.is_in_use = is_in_use;
        back.before.was_running = was_running;
        // It was started before the new volumes were attached: nothing says that it writes to them.
        let seen = with_new_volumes(&back, InstanceState::Running, Some(9));

        let mut noted = back;
        while let Some(Next::Record(record)) = next(&noted, &seen, at(30)) {
            noted = *record;
        }

        assert_eq!((noted.before.was_running, noted.made.is_in_use), (Some(true), true));
        assert_eq!(next(&noted, &seen, at(30)), Some(Next::Act(Act::Stop)));
        let coming = with_new_volumes(&noted, InstanceState::Pending, Some(9));
        let then = next(&noted, &coming, at(30));
        assert!(matches!(then, Some(Next::Wait(_))), "{then:?}");
    }
}

#[test]
fn who_has_started_it_again_finds_it_running_again() {
    let mut back = on_the_way_back(StepName::DetachNewVolumes);
    back.made.is_in_use = true;
    back.before.was_running = Some(false);
    let seen = with_new_volumes(&back, InstanceState::Running, Some(20));

    let noted = recorded(next(&back, &seen, at(30)));

    assert_eq!(noted.before.was_running, Some(true));
    assert_eq!(next(&noted, &seen, at(30)), Some(Next::Act(Act::Stop)));
}

#[test]
fn an_instance_whose_volumes_are_as_they_were_is_not_stopped() {
    let mut back = on_the_way_back(StepName::StopAgain);
    back.made.is_in_use = true;
    for state in [InstanceState::Running, InstanceState::Stopped, InstanceState::Pending] {
        assert!(matches!(next(&back, &as_before(state), at(30)), Some(Next::Skip(_))), "{state}");
    }
    assert!(waits(&back, &as_before(InstanceState::Stopping), at(30)));

    let mut half = as_before(InstanceState::Stopped);
    half.volumes[1].attachments[0].is_settled = false;
    assert_eq!(next(&back, &half, at(30)), Some(Next::Done), "one is still on its way");
    let mut unlisted = as_before(InstanceState::Stopped);
    let another = [("/dev/sda", 1), ("/dev/sdf", 21)];
    unlisted.instance = Some(instance(InstanceState::Stopped, &another));
    assert_eq!(next(&back, &unlisted, at(30)), Some(Next::Done), "the instance lacks one");
}

#[test]
fn volumes_beside_a_running_instance_stay_at_it() {
    let mut back = on_the_way_back(StepName::DetachNewVolumes);
    back.mode = RestoreMode::NewVolumes { attach_to: Some(instance_id()) };
    let at_state = |state| next(&back, &with_new_volumes(&back, state, Some(20)), at(30));

    assert_eq!(at_state(InstanceState::Running), Some(Next::Done));
    let new = vec![volume_id(11), volume_id(12)];
    assert_eq!(at_state(InstanceState::Stopped), Some(Next::Act(Act::Detach(new))));
}

#[test]
fn an_instance_without_the_new_volumes_is_not_stopped_to_take_them_off() {
    let mut back = on_the_way_back(StepName::DetachNewVolumes);
    back.made.is_in_use = true;
    assert_eq!(next(&back, &as_before(InstanceState::Running), at(30)), Some(Next::Done));
}

#[test]
fn old_volumes_are_waited_for_until_all_are_back_and_lose_their_marks_then() {
    let mut back = on_the_way_back(StepName::ReattachOldVolumes);
    let back_again = as_before(InstanceState::Stopped);
    assert_eq!(next(&back, &back_again, at(30)), Some(Next::Done));

    for unsettled in 0..2 {
        let mut coming = as_before(InstanceState::Stopped);
        coming.volumes[unsettled].attachments[0].is_settled = false;
        assert!(waits(&back, &coming, at(30)), "volume {unsettled} is on its way");
        let mut listed = as_before(InstanceState::Stopped);
        listed.volumes[unsettled].attachments.clear();
        assert!(waits(&back, &listed, at(30)), "volume {unsettled} does not show it yet");
    }
    let mut leaving = as_before(InstanceState::Stopped);
    leaving.volumes.push(seen_volume(21, None, Tags::new()));
    leaving.volumes[1].attachments.clear();
    leaving.instance = Some(instance(InstanceState::Stopped, &[("/dev/sda", 1), ("/dev/sdb", 21)]));
    assert!(waits(&back, &leaving, at(30)), "what has its place is on its way off");

    back.before.old_volumes_expire_at = Some(at(100));
    assert_eq!(next(&back, &back_again, at(30)), Some(Next::Act(Act::UntagOld)));
}

#[test]
fn only_what_ran_before_is_started_again() {
    let mut back = on_the_way_back(StepName::StartAgain);
    for was_running in [None, Some(false)] {
        back.before.was_running = was_running;
        let stays = next(&back, &as_before(InstanceState::Stopped), at(30));
        assert!(matches!(stays, Some(Next::Skip(_))), "{stays:?}");
    }
    back.before.was_running = Some(true);
    assert_eq!(next(&back, &as_before(InstanceState::Running), at(30)), Some(Next::Done));
    assert!(waits(&back, &as_before(InstanceState::Pending), at(30)));
}

#[test]
fn new_volumes_that_do_not_show_yet_are_waited_for() {
    let mut back = on_the_way_back(StepName::DeleteNewVolumes);
    back.made.volumes.truncate(1);
    back.not_attached(&volume_id(11));
    let tags = back.made_tags(&part(0, 0));
    let creating =
        SeenVolume { state: VolumeState::Creating, ..seen_volume(11, None, tags.clone()) };
    let seen = |volumes| RestoreFacts { volumes, ..RestoreFacts::default() };

    assert!(waits(&back, &seen(vec![creating]), at(30)));
    back.made.creating_at = Some(at(28));
    assert!(waits(&back, &seen(Vec::new()), at(30)), "it may come to show");
    let going = SeenVolume { state: VolumeState::Going, ..seen_volume(11, None, tags) };
    assert_eq!(next(&back, &seen(vec![going]), at(30)), Some(Next::Done), "all of them show");
    back.made.volumes[0].volume_id = None;
    assert!(waits(&back, &seen(Vec::new()), at(30)), "whether it was made nobody knows");
    assert_eq!(next(&back, &seen(Vec::new()), at(40)), Some(Next::Done));
}

#[test]
fn what_the_way_back_itself_has_asked_for_is_not_waited_for() {
    let mut back = on_the_way_back(StepName::StopAgain);
    back.undo[0].started_at = Some(at(20));
    let seen = as_before(InstanceState::Running);

    for (asked_at, is_waited_for) in [(at(20), true), (at(21), false)] {
        back.course.asked_at = Some(asked_at);
        let then = asked_at + SignedDuration::from_secs(1);
        assert_eq!(waits(&back, &seen, then), is_waited_for, "{asked_at}");
    }
}
