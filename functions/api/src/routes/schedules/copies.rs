//! Copies of a schedule's snapshots in other regions, on the wire.

use serde::{Deserialize, Serialize};
use shared::domain::schedule::copies::CopyTarget;
use utoipa::ToSchema;

use super::super::retention::Retention;
use crate::problem::Problem;

/// How long a KMS key's name or ARN may be (<https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html>).
const KEY_LENGTH_MAX: usize = 2_048;

/// A region that a schedule's snapshots are copied to.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Copy {
    /// The region, one of those that are looked after. Instances that are there themselves are not copied.
    #[schema(example = "eu-west-1")]
    region: String,
    /// The KMS key of that region that the copies are encrypted with: id, alias or ARN. Without it what is encrypted
    /// is encrypted with the region's default key, and the rest stays as it is.
    #[schema(min_length = 1, max_length = 2048, example = "alias/snapkeep")]
    kms_key: Option<String>,
    /// How long they are kept there; without it all are.
    retention: Option<Retention>,
}

/// The targets that these name, or what about one can never be.
pub(super) fn targets(copies: Vec<Copy>) -> Result<Vec<CopyTarget>, Problem> {
    let targets = copies.into_iter().enumerate().map(|(position, copy)| {
        let Copy { region, kms_key, retention } = copy;
        if kms_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > KEY_LENGTH_MAX) {
            let reason = format!("must have 1 to {KEY_LENGTH_MAX} characters");
            return Err(Problem::invalid(format!("copies[{position}].kms_key"), reason));
        }
        Ok(CopyTarget { region, kms_key, rules: retention.map(Retention::rules).transpose()? })
    });
    targets.collect()
}

impl From<CopyTarget> for Copy {
    fn from(target: CopyTarget) -> Self {
        let CopyTarget { region, kms_key, rules } = target;
        Self { region, kms_key, retention: rules.map(Retention::from) }
    }
}
