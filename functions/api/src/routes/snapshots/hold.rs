//! Holds on the wire, and which changes of one need an admin.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::domain::hold as domain;
use shared::domain::hold::HoldKind;
use shared::operations::snapshots::edit::HoldEdit;
use utoipa::ToSchema;

use super::super::wire::{Description, ahead};
use crate::problem::Problem;

/// What keeps a snapshot from deletion.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Hold {
    /// How far it goes.
    #[serde(rename = "type")]
    kind: HoldType,
    /// With type `until`: nobody deletes the snapshot before this instant.
    until: Option<Timestamp>,
    /// Who placed it.
    by: String,
    /// When.
    at: Timestamp,
    /// Why.
    reason: Option<String>,
    /// When somebody should look whether it is still wanted; nothing happens by itself then.
    review_at: Option<Timestamp>,
}

/// How far a hold goes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HoldType {
    /// Never deleted automatically; an admin may delete it by name.
    Never,
    /// Nobody deletes it before an instant.
    Until,
}

/// A hold that is to be placed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlaceHold {
    /// How far it goes.
    #[serde(rename = "type")]
    kind: HoldType,
    /// With type `until`, and only then: until when. It must lie ahead.
    until: Option<Timestamp>,
    /// Why.
    #[schema(value_type = Option<String>, max_length = 1000)]
    reason: Option<Description>,
    /// When somebody should look whether it is still wanted; nothing happens by itself then. It must lie ahead.
    review_at: Option<Timestamp>,
}

/// A hold that is to be placed, its parts fitting each other.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "PlaceHold")]
pub(super) struct WantedHold {
    pub(super) kind: HoldKind,
    reason: Option<String>,
    review_at: Option<Timestamp>,
}

impl TryFrom<PlaceHold> for WantedHold {
    type Error = &'static str;

    fn try_from(hold: PlaceHold) -> Result<Self, Self::Error> {
        let PlaceHold { kind, until, reason, review_at } = hold;
        let kind = match (kind, until) {
            (HoldType::Never, None) => HoldKind::Never,
            (HoldType::Until, Some(instant)) => HoldKind::Until(instant),
            (HoldType::Never, Some(_)) => return Err("until goes with the type until only"),
            (HoldType::Until, None) => return Err("the type until needs an instant in until"),
        };
        Ok(Self { kind, reason: reason.map(|reason| reason.0), review_at })
    }
}

impl WantedHold {
    /// The hold as `who` places it now.
    pub(super) fn placed(self, who: &str, now: Timestamp) -> Result<domain::Hold, Problem> {
        let Self { kind, reason, review_at } = self;
        match kind {
            HoldKind::Until(instant) => ahead("hold.until", instant, now)?,
            HoldKind::Never => {}
        }
        review_at.map_or(Ok(()), |at| ahead("hold.review_at", at, now))?;
        Ok(domain::Hold { kind, by: who.to_owned(), at: now, reason, review_at })
    }
}

impl From<WantedHold> for HoldEdit {
    fn from(hold: WantedHold) -> Self {
        let WantedHold { kind, reason, review_at } = hold;
        Self { kind, reason, review_at }
    }
}

impl From<domain::Hold> for Hold {
    fn from(hold: domain::Hold) -> Self {
        let domain::Hold { kind, by, at, reason, review_at } = hold;
        let (kind, until) = match kind {
            HoldKind::Never => (HoldType::Never, None),
            HoldKind::Until(instant) => (HoldType::Until, Some(instant)),
        };
        Self { kind, until, by, at, reason, review_at }
    }
}

/// Whether something that `present` forbids at or after `now` would be allowed under `wanted`.
pub(super) fn is_weaker(
    present: Option<&domain::Hold>,
    wanted: Option<HoldKind>,
    now: Timestamp,
) -> bool {
    match (present.map(|hold| hold.kind), wanted) {
        (None, _) | (Some(HoldKind::Never), Some(HoldKind::Never)) => false,
        (Some(HoldKind::Never), Some(HoldKind::Until(_)) | None) => true,
        (Some(HoldKind::Until(old)), Some(HoldKind::Until(new))) => old > now && new < old,
        (Some(HoldKind::Until(old)), Some(HoldKind::Never) | None) => old > now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn weaker(present: HoldKind, wanted: Option<HoldKind>) -> bool {
        let now = at("2026-03-01T00:00:00Z");
        let hold = domain::Hold {
            kind: present,
            by: "ada".to_owned(),
            at: now,
            reason: None,
            review_at: None,
        };
        is_weaker(Some(&hold), wanted, now)
    }

    #[test]
    fn only_what_forbids_as_much_is_not_weaker() {
        let (may, june) = (at("2026-05-01T00:00:00Z"), at("2026-06-01T00:00:00Z"));
        let (never, may, june) = (HoldKind::Never, HoldKind::Until(may), HoldKind::Until(june));

        for (present, wanted, expected) in [
            (never, None, true),
            (never, Some(never), false),
            (never, Some(june), true),
            (may, None, true),
            (may, Some(never), true),
            (june, Some(may), true),
            (may, Some(may), false),
            (may, Some(june), false),
        ] {
            assert_eq!(weaker(present, wanted), expected, "{present:?} to {wanted:?}");
        }
    }

    #[test]
    fn a_hold_that_is_over_or_was_never_there_cannot_be_weakened() {
        let over = HoldKind::Until(at("2026-03-01T00:00:00Z"));

        assert!(!weaker(over, None));
        assert!(!weaker(over, Some(HoldKind::Never)));
        assert!(!is_weaker(None, Some(HoldKind::Never), Timestamp::UNIX_EPOCH));
        assert!(!is_weaker(None, None, Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn the_parts_of_a_hold_must_fit_each_other() {
        let parse = |json: &str| serde_json::from_str::<WantedHold>(json).map(|hold| hold.kind);

        assert_eq!(parse(r#"{"type": "never"}"#).unwrap(), HoldKind::Never);
        assert!(parse(r#"{"type": "until", "until": "2026-03-01T00:00:00Z"}"#).is_ok());
        assert!(parse(r#"{"type": "until"}"#).is_err());
        assert!(parse(r#"{"type": "never", "until": "2026-03-01T00:00:00Z"}"#).is_err());
        assert!(parse(r#"{"type": "always"}"#).is_err());
        assert!(parse(r#"{"type": "never", "why": "x"}"#).is_err());
    }
}
