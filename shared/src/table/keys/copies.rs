//! Keys of copies in other regions.

use super::Key;

/// The partition of the due index that has the copies which their originals wait for, by when they were
/// asked for, or last not permitted.
pub fn queue(region: &str) -> String {
    format!("COPY#{region}")
}

/// Whose turn it is at the copies to a region.
pub fn turn(region: &str) -> Key {
    Key::new(format!("TURN#COPY#{region}"), "TURN")
}
