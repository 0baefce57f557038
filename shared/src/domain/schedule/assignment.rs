//! Assigning a schedule to one instance by its id, and taking it off again, whatever its tags select.

use serde::{Deserialize, Serialize};

use crate::domain::instance::Instance;
use crate::domain::schedule::Targets;

/// What assigning an instance, or taking it off, has done to a schedule's targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assigned {
    /// It is named now.
    Named,
    /// It is no longer left out; it was named already, or the tags select it.
    Readmitted,
    /// It is no longer named.
    Unnamed,
    /// It is left out by its id now: the tags select it, or it is the only one that the schedule names, and a
    /// schedule must name something.
    Excluded,
}

impl Targets {
    /// These with `instance` among them, and what that took; nothing if it was among them.
    pub fn with(&self, instance: &Instance) -> (Self, Option<Assigned>) {
        if self.include(instance) {
            return (self.clone(), None);
        }
        let mut targets = self.clone();
        targets.exclude_instance_ids.retain(|id| *id != instance.id);
        if targets.include(instance) {
            return (targets, Some(Assigned::Readmitted));
        }
        targets.instance_ids.push(instance.id.clone());
        (targets, Some(Assigned::Named))
    }

    /// These without `instance` as it is now, and what that took; nothing if it was not among them.
    pub fn without(&self, instance: &Instance) -> (Self, Option<Assigned>) {
        if !self.include(instance) {
            return (self.clone(), None);
        }
        let mut targets = self.clone();
        targets.instance_ids.retain(|id| *id != instance.id);
        if !targets.is_empty() && !targets.include(instance) {
            return (targets, Some(Assigned::Unnamed));
        }
        if targets.is_empty() {
            targets.instance_ids.push(instance.id.clone());
        }
        targets.exclude_instance_ids.push(instance.id.clone());
        (targets, Some(Assigned::Excluded))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::InstanceId;
    use crate::domain::instance::launch::LaunchSettings;
    use crate::domain::instance::{InstanceState, RootKind};

    fn instance(number: u8, team: &str) -> Instance {
        Instance {
            id: id(number),
            name: None,
            state: InstanceState::Running,
            instance_type: "t3.micro".to_owned(),
            region: "us-east-1".to_owned(),
            zone: "us-east-1a".to_owned(),
            architecture: None,
            platform: None,
            image_id: None,
            root_device: None,
            volumes: Vec::new(),
            tags: [("team".to_owned(), team.to_owned())].into(),
            launched_at: None,
            launch: LaunchSettings::default(),
            root: RootKind::Ebs,
            can_hibernate: false,
            circumstances: crate::domain::instance::circumstances::Circumstances::default(),
        }
    }

    fn id(number: u8) -> InstanceId {
        format!("i-{number:08x}").parse().unwrap()
    }

    fn targets(named: &[u8], team: Option<&str>, excluded: &[u8]) -> Targets {
        let pattern = |value| format!(r#"{{"all_of": [{{"key": "team", "value": "{value}"}}]}}"#);
        Targets {
            instance_ids: named.iter().map(|number| id(*number)).collect(),
            tags: team
                .map(|value| serde_json::from_str(&pattern(value)).unwrap())
                .unwrap_or_default(),
            exclude_instance_ids: excluded.iter().map(|number| id(*number)).collect(),
        }
    }

    #[test]
    fn what_it_took_is_told() {
        let blue = instance(1, "blue");
        for (before, after, took) in [
            (targets(&[2], None, &[]), targets(&[2, 1], None, &[]), Assigned::Named),
            (targets(&[2], Some("red"), &[1]), targets(&[2, 1], Some("red"), &[]), Assigned::Named),
            (
                targets(&[], Some("blue"), &[1]),
                targets(&[], Some("blue"), &[]),
                Assigned::Readmitted,
            ),
            (targets(&[1], None, &[1]), targets(&[1], None, &[]), Assigned::Readmitted),
        ] {
            assert_eq!(before.with(&blue), (after, Some(took)));
        }
        for (before, after, took) in [
            (targets(&[1, 2], None, &[]), targets(&[2], None, &[]), Assigned::Unnamed),
            (targets(&[1], Some("red"), &[]), targets(&[], Some("red"), &[]), Assigned::Unnamed),
            (targets(&[], Some("blue"), &[]), targets(&[], Some("blue"), &[1]), Assigned::Excluded),
            (
                targets(&[1], Some("blue"), &[]),
                targets(&[], Some("blue"), &[1]),
                Assigned::Excluded,
            ),
            // The only one it names.
            (targets(&[1], None, &[]), targets(&[1], None, &[1]), Assigned::Excluded),
        ] {
            assert_eq!(before.without(&blue), (after, Some(took)));
        }
    }

    fn any_targets() -> impl Strategy<Value = Targets> {
        let ids = || prop::collection::vec(0_u8..4, 0..4);
        let team = prop::option::of(prop::sample::select(vec!["blue", "red", "*"]));
        (ids(), team, ids())
            .prop_map(|(named, team, excluded)| targets(&named, team, &excluded))
            .prop_filter("targets that can be", |targets| !targets.is_empty())
    }

    proptest! {
        #[test]
        fn it_is_among_them_afterwards_and_nobody_else_is_moved(
            targets in any_targets(),
            number in 0_u8..4,
            team in prop::sample::select(vec!["blue", "red"]),
        ) {
            let one = instance(number, team);
            let others: Vec<_> = (0..4_u8)
                .filter(|other| *other != number)
                .flat_map(|other| ["blue", "red"].map(|team| instance(other, team)))
                .collect();
            let (with, _) = targets.with(&one);
            let (without, _) = targets.without(&one);

            prop_assert!(with.include(&one));
            prop_assert!(!without.include(&one));
            prop_assert!(!with.is_empty() && !without.is_empty());
            for other in &others {
                prop_assert_eq!(with.include(other), targets.include(other));
                prop_assert_eq!(without.include(other), targets.include(other));
            }
            // Done twice, nothing more is done.
            prop_assert_eq!(with.with(&one), (with.clone(), None));
            prop_assert_eq!(without.without(&one), (without.clone(), None));
        }
    }
}
