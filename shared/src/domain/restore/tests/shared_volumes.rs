//! Volumes that more than one instance has attached.

use super::*;

/// Volumes 1 and 2 at the instance; the second is shared.
fn with_a_shared_one(state: InstanceState) -> RestoreFacts {
    let volumes = vec![
        seen_volume(1, Some("/dev/sda"), Tags::new()),
        shared(seen_volume(2, Some("/dev/sdb"), Tags::new())),
    ];
    let instance = instance(state, &[("/dev/sda", 1), ("/dev/sdb", 2)]);
    let instance = Instance { launched_at: Some(NOW), ..instance };
    RestoreFacts { instance: Some(instance), volumes, ..RestoreFacts::default() }
}

#[test]
fn a_volume_that_another_instance_has_too_is_not_replaced() {
    let seen = with_a_shared_one(InstanceState::Running);
    let here = seen.instance.as_ref().unwrap();
    let planned = in_place().made.volumes;

    let refused = room::refuse_shared(&planned, here, &seen.volumes);
    let Err(refusal::Refusal::State(why)) = refused else { panic!() };
    for word in [volume_id(2).as_str(), "/dev/sdb", here.id.as_str(), other_instance().as_str()] {
        assert!(why.contains(word), "{word}: {why}");
    }
    assert_eq!(room::refuse_shared(&planned[..1], here, &seen.volumes), Ok(()));

    // Attached there after the restore was asked for: the instance is not stopped, and nothing taken off it.
    for (step, state) in [
        (StepName::StopInstance, InstanceState::Running),
        (StepName::DetachVolumes, InstanceState::Stopped),
    ] {
        let mut restore = at_step(&in_place(), step);
        restore.before.was_running = Some(true);
        restore.before.old_volumes = Some(room::in_the_way(&restore.made.volumes, here));
        let stops = next(&restore, &with_a_shared_one(state), NOW);
        let Some(Next::Fail { code: "VolumeShared", message, .. }) = stops else {
            panic!("{stops:?}")
        };
        assert!(message.contains(other_instance().as_str()), "{message}");
    }
}

#[test]
fn every_place_of_a_volume_is_looked_at() {
    let mut attached = at_step(&in_place(), StepName::AttachVolumes);
    for (position, planned) in attached.made.volumes.iter_mut().enumerate() {
        planned.volume_id = Some(volume_id(11 + position));
    }
    let mut seen = with_new_volumes(&attached, InstanceState::Stopped, Some(0));
    seen.volumes = seen.volumes.into_iter().map(shared).collect();
    assert_eq!(next(&attached, &seen, NOW), Some(Next::Done));

    // Back: the new ones go from our instance, and the old ones count as back where they are at ours.
    let back = on_the_way_back(StepName::DetachNewVolumes);
    let new = vec![volume_id(11), volume_id(12)];
    assert_eq!(next(&back, &seen, at(30)), Some(Next::Act(Act::Detach(new))));
    let back = on_the_way_back(StepName::ReattachOldVolumes);
    let whole = with_a_shared_one(InstanceState::Stopped);
    assert_eq!(next(&back, &whole, at(30)), Some(Next::Done));
    let back = on_the_way_back(StepName::StopAgain);
    assert!(matches!(next(&back, &whole, at(30)), Some(Next::Skip(_))));
}
