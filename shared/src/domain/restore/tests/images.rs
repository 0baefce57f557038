//! Images on the way back.

use super::*;

#[test]
fn the_images_of_every_attempt_are_removed() {
    let restore =
        at_step(&restore(&RestoreMode::NewInstance(Box::default())), StepName::RunInstance);
    let back = restore.cancelled("ada", Cancellation::TakeBack, NOW).unwrap().unwrap();
    let image: ImageId = "ami-0123456789abcdef0".parse().unwrap();
    let seen = RestoreFacts { earlier_images: vec![image.clone()], ..RestoreFacts::default() };

    assert_eq!(next(&back, &seen, at(30)), Some(Next::Act(Act::Deregister(vec![image]))));
}
