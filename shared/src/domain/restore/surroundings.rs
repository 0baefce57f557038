//! What a restore needs of a region beside its snapshot: the zone, and the subnet, security groups and key pair of a new
//! instance.

use super::mode::{Launch, RestoreMode};
use super::plan::Plan;
use super::refusal::{Refusal, field};

/// What a plan names, and a region may have lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    pub zone: Option<String>,
    pub subnet_id: Option<String>,
    pub security_group_ids: Vec<String>,
    pub key_name: Option<String>,
}

/// What EC2 shows of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The zones of the region that the account may use.
    pub zones: Vec<String>,
    /// The network of the subnet, if it is there.
    pub subnet: Option<Network>,
    /// The security groups that are there, and the network of each.
    pub security_groups: Vec<(String, Network)>,
    /// Whether the key pair is there.
    pub key: Presence,
}

/// A network, by its id; nothing where EC2 says none.
pub type Network = Option<String>;

/// Whether EC2 shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// It does.
    There,
    /// It does not.
    #[default]
    Gone,
}

impl Named {
    /// What the plan names: nothing where it makes volumes at an instance, whose zone it has.
    pub fn of(plan: &Plan) -> Self {
        match &plan.mode {
            RestoreMode::NewVolumes { attach_to: None } => {
                Self { zone: plan.zone.clone(), ..Self::default() }
            }
            RestoreMode::NewInstance(launch) => {
                let Launch { zone, subnet_id, security_group_ids, key_name, .. } = &**launch;
                Self {
                    zone: zone.clone(),
                    subnet_id: subnet_id.clone(),
                    security_group_ids: security_group_ids.clone(),
                    key_name: key_name.clone(),
                }
            }
            RestoreMode::NewVolumes { attach_to: Some(_) }
            | RestoreMode::ReplaceVolumes { .. }
            | RestoreMode::ReplaceRoot { .. }
            | RestoreMode::Drill => Self::default(),
        }
    }

    /// Refuses what is not there any more, and says which field names another.
    pub fn refuse_lost(&self, there: &Surroundings) -> Result<(), Refusal> {
        if let Some(zone) = self.zone.as_ref().filter(|zone| !there.zones.contains(zone)) {
            let zones = there.zones.join(", ");
            return field("zone", format!("the account has no zone {zone}; it has {zones}"));
        }
        if let (Some(subnet), None) = (&self.subnet_id, &there.subnet) {
            return field(
                "instance.subnet_id",
                format!("EC2 has no subnet {subnet}; say another, in which the instance is to be"),
            );
        }
        for group in &self.security_group_ids {
            let found = there.security_groups.iter().find(|(id, _)| id == group);
            let Some((_, network)) = found else {
                return field(
                    "instance.security_group_ids",
                    format!("EC2 has no security group {group}; say the ones that it is to have"),
                );
            };
            if let (Some(Some(of_subnet)), Some(of_group)) = (&there.subnet, network)
                && of_subnet != of_group
            {
                return field(
                    "instance.security_group_ids",
                    format!("{group} is in {of_group}, and the subnet is in {of_subnet}"),
                );
            }
        }
        match &self.key_name {
            Some(key) if there.key == Presence::Gone => field(
                "instance.key_name",
                format!("EC2 has no key pair {key}; say another, which the instance is to have"),
            ),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named() -> Named {
        Named {
            zone: Some("eu-west-1a".to_owned()),
            subnet_id: Some("subnet-1".to_owned()),
            security_group_ids: vec!["sg-1".to_owned(), "sg-2".to_owned()],
            key_name: Some("ops".to_owned()),
        }
    }

    fn whole() -> Surroundings {
        let network = Some("vpc-1".to_owned());
        Surroundings {
            zones: vec!["eu-west-1a".to_owned(), "eu-west-1b".to_owned()],
            subnet: Some(network.clone()),
            security_groups: vec![
                ("sg-1".to_owned(), network.clone()),
                ("sg-2".to_owned(), network),
            ],
            key: Presence::There,
        }
    }

    #[test]
    fn what_is_there_is_not_refused() {
        assert_eq!(named().refuse_lost(&whole()), Ok(()));
        assert_eq!(Named::default().refuse_lost(&Surroundings::default()), Ok(()));
    }

    #[test]
    fn what_is_lost_is_refused_by_the_field_that_names_another() {
        let lost: [(&str, &str, fn(&mut Surroundings)); 5] = [
            ("zone", "it has eu-west-1b", |there| drop(there.zones.remove(0))),
            ("instance.subnet_id", "no subnet subnet-1", |there| there.subnet = None),
            ("instance.security_group_ids", "no security group sg-2", |there| {
                there.security_groups.truncate(1);
            }),
            ("instance.security_group_ids", "sg-2 is in vpc-2", |there| {
                there.security_groups[1].1 = Some("vpc-2".to_owned());
            }),
            ("instance.key_name", "no key pair ops", |there| there.key = Presence::Gone),
        ];
        for (field, words, lose) in lost {
            let mut there = whole();
            lose(&mut there);

            let refused = named().refuse_lost(&there).unwrap_err();

            let Refusal::Field(named, reason) = refused else { panic!("{field}") };
            assert_eq!(named, field);
            assert!(reason.contains(words), "{reason}");
        }
    }
}
