//! Images as they are recorded: one of them, and lists.

use crate::domain::cursor::{Cursor, Page, PageRequest};
use crate::domain::ids::{ImageJobId, InstanceId, SnapshotId};
use crate::domain::image::{Image, ImageStatus};
use crate::error::Error;
use crate::service::Service;
use crate::table::images::ImageSlice;

/// How many records one page looks at before it answers with what it has and a cursor.
const EXAMINED_MAX: usize = 1_000;

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
    let mut slice = ImageSlice {
        instance_id: filter.instance_id.clone(),
        order: request.order,
        limit: request.limit.max(50) + 1,
        after: request.cursor.as_ref().map(|cursor| cursor.key().to_owned()),
    };
    let mut items = Vec::new();
    let mut examined = 0;
    loop {
        let (found, more) = service.table.list_images(&slice).await?;
        let mut last = None;
        for (position, image) in found {
            examined += 1;
            if filter.wants(&image) {
                items.push(image);
            }
            last = Some(position);
            if items.len() == request.limit {
                break;
            }
        }
        let is_full = items.len() == request.limit;
        let Some(last) = last.filter(|_| more || is_full) else {
            return Ok(Page { items, next_cursor: None });
        };
        if is_full || examined >= EXAMINED_MAX {
            return Ok(Page { items, next_cursor: Some(Cursor::after(last)) });
        }
        slice.after = Some(last);
    }
}

impl ImageFilter {
    fn wants(&self, image: &Image) -> bool {
        self.snapshot_id.as_ref().is_none_or(|id| image.snapshot_id == *id)
            && self.instance_id.as_ref().is_none_or(|id| image.instance_id == *id)
            && self.region.as_ref().is_none_or(|region| image.region == *region)
            && self.status.is_none_or(|status| image.status == status)
    }
}
