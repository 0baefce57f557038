//! Settings: the environment, read once. Each variable is described in the table of `infra/README.md`.

use std::fmt::Display;
use std::str::FromStr;

use jiff::SignedDuration;
use thiserror::Error;

use crate::domain::installation::InstallationId;
use crate::domain::restore::roles::InstanceRoles;
use crate::domain::sweep::brake::BrakeLimits;

/// What can be set from outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The region, `AWS_REGION`.
    pub region: String,
    /// The regions whose instances and snapshots are looked after, `SNAPKEEP_REGIONS`: the own one first, each once.
    pub regions: Vec<String>,
    /// The DynamoDB table, `SNAPKEEP_TABLE`.
    pub table: String,
    /// The event bus, `SNAPKEEP_BUS`.
    pub bus: String,
    /// What tells this installation from others of the account, `SNAPKEEP_INSTALLATION`; the table's name if it is not
    /// set.
    pub installation: InstallationId,
    /// The claim that names a person's groups, `SNAPKEEP_ROLE_CLAIM`.
    pub role_claim: String,
    /// When the brake stops a schedule, `SNAPKEEP_BRAKE_DELETIONS` and `SNAPKEEP_BRAKE_PERCENT`.
    pub brake: BrakeLimits,
    /// How long what a sweep condemns can be rescued, `SNAPKEEP_GRACE_MINUTES`.
    pub grace: SignedDuration,
    /// How long a failed set is kept, `SNAPKEEP_FAILED_KEPT_HOURS`.
    pub failed_kept: SignedDuration,
    /// The pause between two creations of one worker, from `SNAPKEEP_CREATES_PER_SECOND`.
    pub create_pace: SignedDuration,
    /// The pause between two deletions of one worker, from `SNAPKEEP_DELETES_PER_SECOND`.
    pub delete_pace: SignedDuration,
    /// How many snapshots one sweep condemns at the most, `SNAPKEEP_CONDEMN_MAX`.
    pub condemn_max: u32,
    /// How many EBS snapshots the account may have in the region, `SNAPKEEP_SNAPSHOT_QUOTA`. It is what warnings
    /// about schedules are reckoned against.
    pub snapshot_quota: u32,
    /// For how many days the audit and the histories are kept, `SNAPKEEP_AUDIT_DAYS`; for ever if 0.
    pub audit_days: u32,
    /// Which roles a restored instance may be given, `SNAPKEEP_INSTANCE_ROLES`; none if nothing is said of it.
    pub instance_roles: InstanceRoles,
}

/// A variable that is not set, or not as it should be.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the environment variable {name} {problem}")]
pub struct SettingsError {
    name: &'static str,
    problem: String,
}

impl Settings {
    /// The settings of this process.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// The settings as `lookup` has them; an empty text counts as not set.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let lookup = Lookup(&lookup);
        let name_or = |name, default: &str| lookup.text(name).unwrap_or_else(|| default.to_owned());
        let region = lookup.required("AWS_REGION", "the region, such as us-east-1")?;
        let table = lookup.required("SNAPKEEP_TABLE", "the name of the DynamoDB table")?;
        Ok(Self {
            regions: lookup.regions(&region)?,
            region,
            installation: lookup.installation(&table)?,
            table,
            bus: lookup.required("SNAPKEEP_BUS", "the name of the event bus")?,
            role_claim: name_or("SNAPKEEP_ROLE_CLAIM", "cognito:groups"),
            brake: BrakeLimits {
                deletions: lookup.number("SNAPKEEP_BRAKE_DELETIONS", 10, 0..=1_000_000)?,
                percent: lookup.number("SNAPKEEP_BRAKE_PERCENT", 25, 0..=100)?,
            },
            grace: SignedDuration::from_mins(lookup.number(
                "SNAPKEEP_GRACE_MINUTES",
                60,
                0..=525_600,
            )?),
            failed_kept: SignedDuration::from_hours(lookup.number(
                "SNAPKEEP_FAILED_KEPT_HOURS",
                24,
                0..=8_760,
            )?),
            create_pace: lookup.pace("SNAPKEEP_CREATES_PER_SECOND")?,
            delete_pace: lookup.pace("SNAPKEEP_DELETES_PER_SECOND")?,
            condemn_max: lookup.number("SNAPKEEP_CONDEMN_MAX", 1_000, 1..=100_000)?,
            snapshot_quota: lookup.number("SNAPKEEP_SNAPSHOT_QUOTA", 100_000, 1..=100_000_000)?,
            audit_days: lookup.number("SNAPKEEP_AUDIT_DAYS", 400, 0..=36_500)?,
            instance_roles: lookup.instance_roles(),
        })
    }
}

struct Lookup<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Lookup<'_> {
    fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|text| !text.is_empty())
    }

    fn required(&self, name: &'static str, what: &str) -> Result<String, SettingsError> {
        let problem = || format!("is not set; it should be {what}");
        self.text(name).ok_or_else(|| SettingsError { name, problem: problem() })
    }

    /// Set but empty, it says that there are none; not set, it says nothing.
    fn instance_roles(&self) -> InstanceRoles {
        match (self.0)("SNAPKEEP_INSTANCE_ROLES").as_deref().map(str::trim) {
            None => InstanceRoles::Unknown,
            Some("") => InstanceRoles::None,
            Some(_) => InstanceRoles::Some,
        }
    }

    /// The id of the installation; without one of its own, what its table is called.
    fn installation(&self, table: &str) -> Result<InstallationId, SettingsError> {
        let name = "SNAPKEEP_INSTALLATION";
        let text = self.text(name).unwrap_or_else(|| table.to_owned());
        text.parse()
            .map_err(|why| SettingsError { name, problem: format!("is `{text}`; it {why}") })
    }

    /// The own region, and those of a list between commas.
    fn regions(&self, own: &str) -> Result<Vec<String>, SettingsError> {
        let name = "SNAPKEEP_REGIONS";
        let text = self.text(name).unwrap_or_default();
        let mut regions = vec![own.to_owned()];
        for region in text.split(',').map(str::trim).filter(|region| !region.is_empty()) {
            let is_one =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if !region.bytes().all(is_one) {
                let problem = format!(
                    "names `{region}`; it should be regions between commas, such as us-east-1,eu-west-1"
                );
                return Err(SettingsError { name, problem });
            }
            if !regions.iter().any(|known| known == region) {
                regions.push(region.to_owned());
            }
        }
        Ok(regions)
    }

    /// A number within bounds. CloudFormation takes 2.5 for any number: where only whole ones make sense, it is 2.
    fn number<T: FromStr + PartialOrd + Display>(
        &self,
        name: &'static str,
        default: T,
        allowed: std::ops::RangeInclusive<T>,
    ) -> Result<T, SettingsError> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let whole = || {
            text.split_once('.')
                .filter(|(whole, rest)| is_digits(whole) && is_digits(rest))?
                .0
                .parse()
                .ok()
        };
        let number = text.parse().ok().or_else(whole);
        number.filter(|number| allowed.contains(number)).ok_or_else(|| {
            let (low, high) = allowed.into_inner();
            SettingsError {
                name,
                problem: format!("is `{text}`; it should be a number from {low} to {high}"),
            }
        })
    }

    /// The pause that keeps a rate per second. EC2 refills its bucket for changing calls with 5 a second;
    /// two workers at 2.5 use it up without being throttled.
    fn pace(&self, name: &'static str) -> Result<SignedDuration, SettingsError> {
        let per_second = self.number(name, 2.5, 0.1..=1_000.0)?;
        Ok(SignedDuration::from_secs_f64(1.0 / per_second))
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(extra: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let base = [("AWS_REGION", "us-east-1"), ("SNAPKEEP_TABLE", "t"), ("SNAPKEEP_BUS", "b")];
        Settings::from_lookup(|name| {
            let given = extra.iter().chain(&base).find(|(key, _)| *key == name);
            given.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let settings = settings(&[]).unwrap();

        assert_eq!(settings.grace, SignedDuration::from_hours(1));
        assert_eq!(settings.brake, BrakeLimits { deletions: 10, percent: 25 });
        assert_eq!(settings.create_pace, SignedDuration::from_millis(400));
        assert_eq!(settings.snapshot_quota, 100_000);
        assert_eq!(settings.audit_days, 400);
    }

    #[test]
    fn the_own_region_comes_first_and_each_once() {
        let regions = |text| settings(&[("SNAPKEEP_REGIONS", text)]).map(|one| one.regions);

        assert_eq!(regions("").unwrap(), ["us-east-1"]);
        assert_eq!(regions("eu-west-1, us-east-1,eu-west-1").unwrap(), ["us-east-1", "eu-west-1"]);
        assert!(regions("eu west").unwrap_err().to_string().contains("SNAPKEEP_REGIONS names"));
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        let error = settings(&[("SNAPKEEP_BRAKE_PERCENT", "120")]).unwrap_err();

        assert_eq!(
            error.to_string(),
            "the environment variable SNAPKEEP_BRAKE_PERCENT is `120`; it should be a number from 0 to 100"
        );
    }

    #[test]
    fn a_fraction_counts_as_the_whole_number_below() {
        let settings = settings(&[
            ("SNAPKEEP_BRAKE_DELETIONS", "2.5"),
            ("SNAPKEEP_GRACE_MINUTES", "90.0"),
            ("SNAPKEEP_CREATES_PER_SECOND", "0.5"),
        ])
        .unwrap();

        assert_eq!(settings.brake.deletions, 2);
        assert_eq!(settings.grace, SignedDuration::from_mins(90));
        assert_eq!(settings.create_pace, SignedDuration::from_secs(2));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["2.", ".5", "2.x", "two", "1e3", "-1", "-0.1", "2.5.1"] {
            let settings = settings(&[("SNAPKEEP_BRAKE_DELETIONS", text)]);

            assert!(settings.is_err(), "{text}");
        }
    }

    #[test]
    fn the_roles_of_instances_are_none_where_the_variable_is_empty() {
        let roles = |given: &[(&str, &str)]| settings(given).unwrap().instance_roles;

        assert_eq!(roles(&[]), InstanceRoles::Unknown);
        assert_eq!(roles(&[("SNAPKEEP_INSTANCE_ROLES", "")]), InstanceRoles::None);
        let named = "arn:aws:iam::123456789012:role/web-*";
        assert_eq!(roles(&[("SNAPKEEP_INSTANCE_ROLES", named)]), InstanceRoles::Some);
    }

    #[test]
    fn an_installation_is_told_by_its_id_and_else_by_its_table() {
        let installation = |text| settings(&[("SNAPKEEP_INSTALLATION", text)]);

        assert_eq!(installation("").unwrap().installation.as_str(), "t");
        assert_eq!(installation("a.us-east-1").unwrap().installation.as_str(), "a.us-east-1");
        let error = installation("a b").unwrap_err().to_string();
        assert!(error.contains("SNAPKEEP_INSTALLATION is `a b`; it should be 1 to 128"), "{error}");
    }

    #[test]
    fn what_must_be_set_is_named() {
        let error = settings(&[("SNAPKEEP_TABLE", "")]).unwrap_err();

        assert!(error.to_string().contains("SNAPKEEP_TABLE is not set"));
    }
}
