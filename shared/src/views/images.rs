//! Images as they are recorded: one of them, and lists.

use crate::domain::cursor::{Page, PageRequest};
use crate::domain::ids::{ImageJobId, InstanceId, SnapshotId};
use crate::domain::image::{Image, ImageStatus};
use crate::error::Error;
use crate::service::Service;
use crate::views::known_region;
use crate::views::paging::collect;

/// Which images are wanted: those to which everything given applies.
#[derive(Clone, Debug, Default)]
pub struct ImageFilter {
    /// Registered from this snapshot.
    pub snapshot_id: Option<SnapshotId>,
    pub instance_id: Option<InstanceId>,
    pub region: Option<String>,
    pub status: Option<ImageStatus>,
}

/// The image of this id.
pub async fn show(service: &Service, id: &ImageJobId) -> Result<Image, Error> {
    service.table.image(id).await?.ok_or_else(|| Error::not_found("image", id))
}

/// One page of the images that `filter` wants. A page may be short although more follow, where few of many are
/// wanted: its cursor leads on.
pub async fn list(
    service: &Service,
    filter: &ImageFilter,
    request: &PageRequest,
) -> Result<Page<Image>, Error> {
    known_region::check(service, filter.region.as_ref()).await?;
    let of = filter.instance_id.as_ref();
    let read = |slice| async move { service.table.list_images(of, &slice).await };
    collect(request, read, |image| filter.wants(image)).await
}

impl ImageFilter {
    fn wants(&self, image: &Image) -> bool {
        self.snapshot_id.as_ref().is_none_or(|id| image.snapshot_id == *id)
            && self.instance_id.as_ref().is_none_or(|id| image.instance_id == *id)
            && self.region.as_ref().is_none_or(|region| image.region == *region)
            && self.status.is_none_or(|status| image.status == status)
    }
}
