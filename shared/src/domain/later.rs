//! Fields that came to stored records later: a record leaves them out while they say nothing, as it did before.

/// Whether a field says nothing yet.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
