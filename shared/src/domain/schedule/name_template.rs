//! The template by which a schedule names its snapshots.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::InstanceId;
use crate::domain::schedule::zone::Zone;

const FIELDS: [&str; 5] = ["instance_name", "instance_id", "schedule", "date", "time"];
/// EC2's limit of a tag's value, which the name becomes.
const NAME_LENGTH_MAX: usize = 256;

/// A text with fields in braces: `{instance_name} {instance_id} {schedule} {date} {time}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NameTemplate(String);

/// What the fields of a template stand for.
#[derive(Clone, Debug)]
pub struct NameFields<'a> {
    /// The instance's `Name` tag; its id stands in where it has none.
    pub instance_name: Option<&'a str>,
    pub instance_id: &'a InstanceId,
    pub schedule: &'a str,
    /// Whose date and time of day, in `zone`.
    pub slot: Timestamp,
    pub zone: &'a Zone,
}

impl NameTemplate {
    /// The name, cut to the 256 characters that a tag can hold.
    pub fn fill(&self, fields: &NameFields<'_>) -> String {
        let local = fields.slot.to_zoned(fields.zone.time_zone().clone());
        let instance = fields.instance_id.as_str();
        let name = self
            .0
            .replace("{instance_id}", instance)
            .replace("{date}", &local.strftime("%Y-%m-%d").to_string())
            .replace("{time}", &local.strftime("%H:%M").to_string())
            .replace("{schedule}", fields.schedule)
            .replace("{instance_name}", fields.instance_name.unwrap_or(instance));
        name.chars().take(NAME_LENGTH_MAX).collect()
    }
}

impl Default for NameTemplate {
    fn default() -> Self {
        Self("{instance_name} {date} {time}".to_owned())
    }
}

impl FromStr for NameTemplate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() || text.chars().count() > NAME_LENGTH_MAX {
            return Err(format!("must have 1 to {NAME_LENGTH_MAX} characters"));
        }
        let mut rest = text;
        while let Some((_, after)) = rest.split_once('{') {
            let field = after.split_once('}').map_or(after, |(field, _)| field);
            if !FIELDS.contains(&field) {
                return Err(format!(
                    "`{{{field}}}` is no field; there are {{{}}}",
                    FIELDS.join("}, {")
                ));
            }
            rest = after;
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for NameTemplate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<NameTemplate> for String {
    fn from(template: NameTemplate) -> Self {
        template.0
    }
}

impl fmt::Display for NameTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, instance_name: Option<&str>) -> String {
        let template: NameTemplate = template.parse().unwrap();
        template.fill(&NameFields {
            instance_name,
            instance_id: &"i-0123456789abcdef0".parse().unwrap(),
            schedule: "nightly",
            slot: "2026-07-01T23:30:00Z".parse().unwrap(),
            zone: &"Europe/Berlin".parse().unwrap(),
        })
    }

    #[test]
    fn date_and_time_are_the_schedules_local_ones() {
        assert_eq!(
            filled("{instance_name} {instance_id} {schedule} {date} {time}", Some("web")),
            "web i-0123456789abcdef0 nightly 2026-07-02 01:30"
        );
    }

    #[test]
    fn an_instance_without_a_name_is_called_by_its_id() {
        assert_eq!(filled("{instance_name}", None), "i-0123456789abcdef0");
    }

    #[test]
    fn a_name_fits_a_tag() {
        assert_eq!(filled("{instance_name}", Some(&"x".repeat(300))).chars().count(), 256);
    }

    #[test]
    fn unknown_fields_are_named() {
        let error = "{host}".parse::<NameTemplate>().unwrap_err();

        assert!(error.contains("{host}") && error.contains("{instance_name}"));
    }
}
