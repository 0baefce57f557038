//! What a text of the crate names in it.

use crate::items::code_of;

/// A path that begins with `crate::`, as far as it says which part is needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reference<'a> {
    /// A module of `operation`.
    Operation(&'a str),
    /// A module of `protocol_serde`.
    Shape(&'a str),
    /// A module of `types`.
    TypeModule(&'a str),
    /// A type of `types`.
    Type(&'a str),
    /// A type of `types::builders`.
    Builder(&'a str),
    /// A function of `lens`.
    Lens(&'a str),
    /// A function of `serde_util`.
    SerdeUtil(&'a str),
}

/// All that the text's code names; what is kept whole anyway is left out.
pub(crate) fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    code_of(text).flat_map(|line| line.split("crate::").skip(1)).filter_map(reference)
}

/// What stands behind `crate::`.
fn reference(path: &str) -> Option<Reference<'_>> {
    let (place, rest) = path.split_once("::")?;
    let name = name_at(rest);
    let begins_with =
        |test: fn(&char) -> bool| name.chars().next().is_some_and(|first| test(&first));
    match place {
        "operation" if !name.is_empty() => Some(Reference::Operation(name)),
        "protocol_serde" if name.starts_with("shape_") => Some(Reference::Shape(name)),
        "lens" if !name.is_empty() => Some(Reference::Lens(name)),
        "serde_util" if !name.is_empty() => Some(Reference::SerdeUtil(name)),
        "types" if name == "builders" => {
            let builder = name_at(rest.strip_prefix("builders::")?);
            Some(builder).filter(|name| !name.is_empty()).map(Reference::Builder)
        }
        "types" if name.starts_with('_') => Some(Reference::TypeModule(name)),
        "types" if begins_with(char::is_ascii_uppercase) => Some(Reference::Type(name)),
        _ => None,
    }
}

fn name_at(text: &str) -> &str {
    let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_path_is_seen() {
        let text = "
            crate::operation::run_instances::RunInstancesInput, crate::types::Tag;
            crate::protocol_serde::shape_tag::ser_tag(crate::types::_tag::Tag)
            crate::types::builders::TagBuilder crate::lens::lens_a(crate::serde_util::correct_b())
        ";

        assert_eq!(
            references(text).collect::<Vec<_>>(),
            [
                Reference::Operation("run_instances"),
                Reference::Type("Tag"),
                Reference::Shape("shape_tag"),
                Reference::TypeModule("_tag"),
                Reference::Builder("TagBuilder"),
                Reference::Lens("lens_a"),
                Reference::SerdeUtil("correct_b"),
            ]
        );
    }

    #[test]
    fn what_is_kept_whole_is_left_out() {
        let text = "crate::config::Builder crate::protocol_serde::parse_header crate::types::error crate::Client";

        assert_eq!(references(text).count(), 0);
    }

    #[test]
    fn a_comment_names_nothing() {
        assert_eq!(references("/// See [`Tag`](crate::types::Tag).").count(), 0);
    }
}
