//! Volumes that were made and came to nothing.

use super::*;

#[test]
fn a_volume_that_came_to_nothing_is_made_anew_under_another_token() {
    let mut restore = at_step(&in_place(), StepName::CreateVolumes);
    restore.made.volumes[0].volume_id = Some(volume_id(11));
    restore.made.volumes[1].volume_id = Some(volume_id(12));
    let lost = SeenVolume {
        state: VolumeState::Error,
        ..seen_volume(11, None, restore.made_tags(&part(0, 0)))
    };
    let seen = RestoreFacts {
        volumes: vec![lost, seen_volume(12, None, Tags::new())],
        ..RestoreFacts::default()
    };

    let Some(Next::Fail { record, .. }) = next(&restore, &seen, NOW) else { panic!() };

    assert_eq!(
        (record.made.volumes[0].volume_id.clone(), record.made.volumes[0].attempt),
        (None, 1)
    );
    assert_ne!(
        record.token(StepName::CreateVolumes, &part(0, 1)),
        record.token(StepName::CreateVolumes, &part(0, 0))
    );
}

// Where a key may not be used, all volumes vanish at once, and one try more makes all of them:
// github.com/kubernetes/kubernetes/issues/62171.
#[test]
fn all_volumes_that_came_to_nothing_are_made_anew_by_one_try() {
    let mut restore = at_step(&in_place(), StepName::CreateVolumes);
    restore.made.volumes[0].volume_id = Some(volume_id(11));
    restore.made.volumes[1].volume_id = Some(volume_id(12));
    let lost = |number: usize, place: usize| SeenVolume {
        state: VolumeState::Error,
        ..seen_volume(number, None, restore.made_tags(&part(place, 0)))
    };
    let volumes = vec![lost(11, 0), lost(12, 1)];
    let seen = RestoreFacts { volumes, ..RestoreFacts::default() };

    let Some(Next::Fail { record, message, .. }) = next(&restore, &seen, NOW) else { panic!() };

    assert!(record.made.volumes.iter().all(|one| one.volume_id.is_none() && one.attempt == 1));
    for number in [11, 12] {
        assert!(message.contains(volume_id(number).as_str()), "{message}");
    }
}
