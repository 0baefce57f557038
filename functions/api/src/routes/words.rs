//! Words of the domain as the wire has them.

use shared::domain::audit::Action;
use shared::domain::restore::last_drill::DrillOutcome;
use shared::domain::snapshot::{Origin, Status};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The schema of where a snapshot stands.
#[derive(Debug)]
pub(crate) struct SnapshotStatus;

/// The schema of how a snapshot came to be.
#[derive(Debug)]
pub(crate) struct SnapshotOrigin;

impl PartialSchema for SnapshotStatus {
    fn schema() -> RefOr<Schema> {
        words("Where a snapshot stands.", Status::ALL.iter().map(|status| status.as_str()))
    }
}

impl ToSchema for SnapshotStatus {}

impl PartialSchema for SnapshotOrigin {
    fn schema() -> RefOr<Schema> {
        words("How a snapshot came to be.", Origin::ALL.iter().map(|origin| origin.as_str()))
    }
}

impl ToSchema for SnapshotOrigin {}

/// The schema of what became of a record.
#[derive(Debug)]
pub(crate) struct AuditAction;

impl PartialSchema for AuditAction {
    fn schema() -> RefOr<Schema> {
        words("What became of a record.", Action::ALL.iter().map(|action| action.as_str()))
    }
}

impl ToSchema for AuditAction {}

/// The schema of how a drill ended.
#[derive(Debug)]
pub(crate) struct DrillOutcomeWord;

impl PartialSchema for DrillOutcomeWord {
    fn schema() -> RefOr<Schema> {
        words("How a drill ended.", DrillOutcome::ALL.iter().map(|outcome| outcome.as_str()))
    }
}

impl ToSchema for DrillOutcomeWord {
    fn name() -> std::borrow::Cow<'static, str> {
        "DrillOutcome".into()
    }
}

/// The schema of a text that is one of `words`.
pub(crate) fn words(description: &str, words: impl Iterator<Item = &'static str>) -> RefOr<Schema> {
    let words: Vec<_> = words.collect();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
        .enum_values(Some(words))
        .into()
}

/// A word of the domain as the wire has it: an enum that takes over every variant, so that a new one does not
/// compile until it has an opinion.
macro_rules! wire_words {
    ($(#[$doc:meta])* $name:ident of $domain:ty { $($(#[$variant_doc:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                match word {
                    $(<$domain>::$variant => Self::$variant,)+
                }
            }
        }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$variant => Self::$variant,)+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = serde::de::value::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                serde::Deserialize::deserialize(serde::de::value::StrDeserializer::new(text))
            }
        }
    };
}
pub(crate) use wire_words;
