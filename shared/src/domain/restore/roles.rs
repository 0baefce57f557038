//! Which role a restored instance gets: whoever may give an instance any role could act as anybody through it.

use super::mode::Launch;
use super::wanted::{LaunchChoice, WantedMode};

/// What a request says in the place of a profile's ARN for an instance without one.
pub const WITHOUT_PROFILE: &str = "none";

/// The roles that our own role may give to an instance, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceRoles {
    /// Nothing is said: EC2 will say.
    Unknown,
    /// None.
    None,
    /// Some; whether this one is among them EC2 will say.
    Some,
}

/// The ARN of the profile that the instance is to have: the recorded one unless the request says another, or none.
pub(super) fn profile(choice: &LaunchChoice, recorded: Option<String>) -> Option<String> {
    match choice.instance_profile_arn.as_deref() {
        None => recorded,
        Some(WITHOUT_PROFILE) => None,
        Some(arn) => Some(arn.to_owned()),
    }
}

/// Whether the request gives the instance another profile than the recorded one. None at all is no other one: it gives
/// nothing.
pub fn gives_another_profile(wanted: &WantedMode, recorded: Option<&str>) -> bool {
    let WantedMode::NewInstance(choice) = wanted else { return false };
    let given = choice.instance_profile_arn.as_deref();
    given.is_some_and(|arn| arn != WITHOUT_PROFILE && Some(arn) != recorded)
}

/// Why an instance cannot be launched so, where that is certain beforehand.
pub fn cannot_be_passed(launch: &Launch, roles: InstanceRoles) -> Option<String> {
    let arn = launch.instance_profile_arn.as_ref()?;
    match roles {
        InstanceRoles::Unknown | InstanceRoles::Some => None,
        InstanceRoles::None => Some(format!(
            "the instance would get the profile {arn}, and the parameter InstanceRoles of this installation names no \
             role; have its role named there and retry, or cancel and ask again with instance.instance_profile_arn \
             \"{WITHOUT_PROFILE}\", or with another mode"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &str = "arn:aws:iam::123456789012:instance-profile/web";
    const ADMIN: &str = "arn:aws:iam::123456789012:instance-profile/OrganizationAdmin";

    fn asked(arn: Option<&str>) -> LaunchChoice {
        LaunchChoice { instance_profile_arn: arn.map(str::to_owned), ..LaunchChoice::default() }
    }

    fn gives(arn: Option<&str>, recorded: Option<&str>) -> bool {
        gives_another_profile(&WantedMode::NewInstance(Box::new(asked(arn))), recorded)
    }

    #[test]
    fn another_profile_is_whatever_was_not_recorded() {
        assert!(gives(Some(ADMIN), Some(RECORDED)));
        assert!(gives(Some(ADMIN), None));
        assert!(gives(Some(""), Some(RECORDED)));
        // Names of profiles are compared without regard to case in IAM, so another spelling may be another one's.
        assert!(gives(Some(&RECORDED.to_uppercase()), Some(RECORDED)));
    }

    #[test]
    fn the_recorded_one_and_none_are_no_other() {
        assert!(!gives(None, Some(RECORDED)));
        assert!(!gives(Some(RECORDED), Some(RECORDED)));
        assert!(!gives(Some(WITHOUT_PROFILE), Some(RECORDED)));
        assert!(!gives(None, None));
        assert!(!gives_another_profile(&WantedMode::ReplaceRoot, Some(RECORDED)));
    }

    #[test]
    fn the_instance_gets_what_is_asked_for_and_else_what_was_recorded() {
        let got = |arn| profile(&asked(arn), Some(RECORDED.to_owned()));

        assert_eq!(got(None).as_deref(), Some(RECORDED));
        assert_eq!(got(Some(ADMIN)).as_deref(), Some(ADMIN));
        assert_eq!(got(Some(WITHOUT_PROFILE)), None);
    }

    #[test]
    fn a_profile_cannot_be_passed_where_no_role_may_be() {
        let launch = |arn: Option<&str>| Launch {
            instance_profile_arn: arn.map(str::to_owned),
            ..Launch::default()
        };

        let why = cannot_be_passed(&launch(Some(RECORDED)), InstanceRoles::None).unwrap();
        assert!(why.contains(RECORDED) && why.contains("InstanceRoles"), "{why}");
        assert_eq!(cannot_be_passed(&launch(Some(RECORDED)), InstanceRoles::Some), None);
        assert_eq!(cannot_be_passed(&launch(Some(RECORDED)), InstanceRoles::Unknown), None);
        assert_eq!(cannot_be_passed(&launch(None), InstanceRoles::None), None);
    }
}
