//! Audit entries of an image.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Action, Entry, Fields, differences, shortened, shown};
use crate::domain::image::{Image, ImageStatus};

/// What became of an image by a write at `now`: nothing for attempts and looks.
pub fn entries_of_image(old: Option<&Image>, new: &Image, now: Timestamp) -> Vec<Entry> {
    let told = match (old.map(|old| old.status), new.status) {
        _ if is_unwanted_anew(old, new) => Some(Action::ImageDeregistrationRequested),
        (before, after) if before == Some(after) => None,
        (None, ImageStatus::Requested) => Some(Action::ImageRequested),
        // An attempt was put off, or is made.
        (_, ImageStatus::Requested | ImageStatus::Registering | ImageStatus::Deregistering) => None,
        (Some(ImageStatus::Deregistering), ImageStatus::Available) => Some(Action::ImageKept),
        (_, ImageStatus::Available) => Some(Action::ImageAvailable),
        (_, ImageStatus::Failed) => Some(Action::ImageFailed),
        (_, ImageStatus::Deregistered) => Some(Action::ImageDeregistered),
        (_, ImageStatus::Missing) => Some(Action::ImageMissing),
    };
    told.into_iter().map(|action| entry(action, (old, new), now)).collect()
}

/// A person wants it deregistered, or once more, with its snapshot.
fn is_unwanted_anew(old: Option<&Image>, new: &Image) -> bool {
    let asked_at = |image: &Image| image.deregistration.as_ref().map(|wanted| wanted.at);
    asked_at(new).is_some() && asked_at(new) != old.and_then(asked_at)
}

fn entry(action: Action, (old, new): (Option<&Image>, &Image), now: Timestamp) -> Entry {
    let (id, name, snapshot) = (&new.id, &new.name, &new.snapshot_id);
    let summary = format!("Image {id} ({name}) of {snapshot} {}", action.phrase());
    let is_refusal = matches!(action, Action::ImageFailed | Action::ImageKept);
    let failure = words(new).filter(|_| is_refusal);
    Entry::new(action, (id.as_str(), new.version), now, summary)
        .of_instance(&new.instance_id)
        .changing(differences(old.map(fields).as_ref(), Some(&fields(new))))
        .because(failure.as_deref())
        .about(subject(new))
}

fn words(image: &Image) -> Option<String> {
    image.failure.as_ref().map(|failure| shortened(&failure.message))
}

/// What the audit compares.
fn fields(image: &Image) -> Fields {
    let unwanted = image.deregistration.as_ref();
    let snapshot = unwanted.and_then(|wanted| wanted.snapshot.as_ref());
    vec![
        ("status", shown(&image.status)),
        ("snapshot_id", shown(&image.snapshot_id)),
        ("name", shown(&image.name)),
        ("image_id", shown(&image.ami_id)),
        ("deregistered_by", shown(&unwanted.map(|wanted| &wanted.by))),
        ("snapshot_deletion", shown(&snapshot.map(|wanted| wanted.outcome))),
        ("failure", shown(&words(image))),
    ]
}

/// What other systems are told.
fn subject(image: &Image) -> Value {
    json!({
        "id": image.id,
        "snapshot_id": image.snapshot_id,
        "instance_id": image.instance_id,
        "region": image.region,
        "status": image.status,
        "failure": words(image),
        "name": image.name,
        "image_id": image.ami_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::Author;
    use crate::domain::ids::{ImageId, ImageJobId};
    use crate::domain::image::SnapshotDeletion;
    use crate::domain::image::recipe::Recipe;
    use crate::domain::image::seen::{SeenImage, SeenState};
    use crate::domain::snapshot::Failure;
    use crate::domain::tags::Tags;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn ami() -> ImageId {
        "ami-0123456789abcdef0".parse().unwrap()
    }

    fn image() -> Image {
        let recipe = Recipe {
            architecture: "x86_64".to_owned(),
            root_device: "/dev/xvda".to_owned(),
            boot_mode: None,
            ena_support: true,
            metadata_tokens: None,
            devices: Vec::new(),
        };
        Image {
            id: ImageJobId::derived(NOW, &["x"]),
            version: 1,
            status: ImageStatus::Requested,
            snapshot_id: "snp_0195500c-6d00-7000-8000-000000000000".parse().unwrap(),
            instance_id: "i-0123456789abcdef0".parse().unwrap(),
            region: "us-east-1".to_owned(),
            name: "golden".to_owned(),
            description: None,
            tags: Tags::new(),
            recipe,
            requested_by: "ada".to_owned(),
            created_at: NOW,
            ami_id: None,
            registered_at: None,
            ec2_state: None,
            attempt: None,
            failure: None,
            deregistration: None,
            absent_since: None,
            attention_at: None,
            gone_at: None,
        }
    }

    fn registered() -> Image {
        image().begin_attempt(NOW).unwrap().registered(ami(), NOW).unwrap()
    }

    fn seen(image: &Image, state: SeenState) -> Image {
        let seen = SeenImage {
            id: ami(),
            name: "golden".to_owned(),
            state,
            ec2_state: "some".to_owned(),
            reason: None,
            created_at: None,
            ebs_snapshot_ids: Vec::new(),
            tags: Tags::new(),
        };
        image.observed(Some(&seen), NOW).unwrap()
    }

    fn of(old: &Image, new: &Image) -> Vec<&'static str> {
        let entries = entries_of_image(Some(old), new, NOW);
        entries.iter().map(|entry| entry.action.as_str()).collect()
    }

    #[test]
    fn each_turn_of_an_image_gives_its_entry() {
        let available = seen(&registered(), SeenState::There);
        let unwanted = available.deregister("ada", None, NOW).unwrap();
        let refusal = Failure::new("X", "in use");
        let kept = unwanted.deregistration_refused(refusal, NOW).unwrap();
        let failed = image().fail(Failure::new("X", "no")).unwrap();

        let requested = entries_of_image(None, &image(), NOW);
        assert_eq!(requested.len(), 1);
        assert_eq!(requested[0].action, Action::ImageRequested);
        assert_eq!(requested[0].instance_id, Some(image().instance_id));
        assert_eq!(of(&registered(), &available), ["image.available"]);
        // Found in EC2 after an attempt that nobody heard of.
        assert_eq!(of(&image(), &available), ["image.available"]);
        assert_eq!(of(&image(), &failed), ["image.failed"]);
        assert_eq!(of(&available, &unwanted), ["image.deregistration_requested"]);
        assert_eq!(of(&unwanted, &unwanted.deregistered(NOW).unwrap()), ["image.deregistered"]);
        assert_eq!(of(&unwanted, &kept), ["image.kept"]);
        assert_eq!(of(&available, &seen(&available, SeenState::Gone)), ["image.missing"]);
    }

    #[test]
    fn attempts_and_looks_and_nudges_give_none() {
        let attempt = image().begin_attempt(NOW).unwrap();
        let put_off = attempt.put_off(Failure::new("X", "later"), NOW).unwrap();
        let available = seen(&registered(), SeenState::There);
        let wanted = SnapshotDeletion::waiting();
        let unwanted = available.deregister("ada", Some(wanted.clone()), NOW).unwrap();
        let gone = unwanted.deregistered(NOW).unwrap();
        let settled = gone.snapshot_settled(wanted.refused("held"), NOW).unwrap();

        for (old, new) in [
            (image(), attempt.clone()),
            (attempt.clone(), put_off),
            (attempt, registered()),
            (registered(), seen(&registered(), SeenState::Coming)),
            (available.clone(), available.nudged(NOW)),
            (unwanted.clone(), unwanted.deregistration_put_off(None, None, NOW).unwrap()),
            (gone, settled),
        ] {
            assert_eq!(of(&old, &new), [""; 0], "{} to {}", old.status, new.status);
        }
    }

    #[test]
    fn a_failure_is_told_in_ec2s_words() {
        let failed = image().fail(Failure::new("X", "no such snapshot")).unwrap();

        let entry = entries_of_image(Some(&image()), &failed, NOW).remove(0);
        let event = entry.event(&Author::rule("restorer")).unwrap();

        assert_eq!(entry.reason.as_deref(), Some("no such snapshot"));
        assert_eq!(event.detail["image"]["failure"], json!("no such snapshot"));
        assert_eq!(event.detail["image"]["image_id"], Value::Null);
    }
}
