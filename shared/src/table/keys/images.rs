//! The keys of images.

use super::{DueKind, Index, IndexKeys, Key, due_keys, instant};
use crate::domain::ids::{ImageJobId, InstanceId};
use crate::domain::image::Image;

/// Where all images are.
pub const IMAGES: &str = "IMAGES";

/// An image.
pub fn image(id: &ImageJobId) -> Key {
    Key::new(IMAGES, id.as_str())
}

/// The partition of an instance's images in [`Index::Instance`].
pub fn of_instance(id: &InstanceId) -> String {
    format!("IMAGES#{id}")
}

/// The index keys of an image.
pub(in crate::table) fn of_image(image: &Image) -> IndexKeys {
    let position = format!("{}#{}", instant(image.created_at), image.id);
    let mut keys = vec![
        (Index::Instance.partition(), of_instance(&image.instance_id)),
        (Index::Instance.sort(), position),
    ];
    if let Some(at) = image.attention_at {
        keys.extend(due_keys(DueKind::Image, at, image.id.as_str()));
    }
    keys
}
