//! What of an instance its snapshot leaves out, as answers have it.

use serde::Serialize;
use shared::domain::ids::VolumeId;
use shared::domain::instance::Exclusions;
use utoipa::ToSchema;

use super::super::tags::TagPattern;
/// What of an instance was to be left out of its snapshot.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LeftOut {
    /// The volume that it boots from.
    boot_volume: bool,
    /// These volumes.
    #[schema(value_type = Vec<String>, example = json!(["vol-0123456789abcdef0"]))]
    volume_ids: Vec<VolumeId>,
    /// The volumes that bore one of these tags.
    volumes_tagged: Vec<TagPattern>,
}

impl From<Exclusions> for LeftOut {
    fn from(exclusions: Exclusions) -> Self {
        let Exclusions { boot_volume, volumes, tagged } = exclusions;
        let volumes_tagged = tagged.into_iter().map(TagPattern::from).collect();
        Self { boot_volume, volume_ids: volumes, volumes_tagged }
    }
}
