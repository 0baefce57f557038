//! The items of a generated file, without a parser.

/// A line that is neither part of an item before it nor a comment or an attribute before the next.
fn begins(line: &str) -> bool {
    line.starts_with(|first: char| !first.is_whitespace())
        && !line.starts_with("//")
        && !line.starts_with("#[")
}

/// The file's items, each with the comments and attributes before it; together they are the file. Generated code is
/// formatted: an item begins in the first column, and ends with a `;` or a `}` there.
pub(crate) fn items_of(text: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut start, mut end, mut inside) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        end += line.len();
        let begins = begins(line);
        inside |= begins;
        let ends = line.starts_with('}') || (begins && line.trim_end().ends_with([';', '}']));
        if inside && ends {
            items.extend(text.get(start..end));
            (start, inside) = (end, false);
        }
    }
    items.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    items
}

/// The lines without comments: documentation names far more than the code needs.
pub(crate) fn code_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// `tags` of `pub mod tags;`.
pub(crate) fn module_of(item: &str) -> Option<&str> {
    item.lines().find_map(|line| {
        let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
        line.strip_prefix("mod ")?.split_once(';').map(|(name, _)| name)
    })
}

/// `_tag` and `Tag` of `pub use crate::types::_tag::Tag;`.
pub(crate) fn reexport_of(item: &str) -> Option<(&str, &str)> {
    item.lines().find_map(|line| {
        let path = line.strip_prefix("pub use crate::types::")?.strip_suffix(';')?;
        path.split_once("::").filter(|(module, _)| module.starts_with('_'))
    })
}

/// `lens` of `pub(crate) fn lens(…`.
pub(crate) fn function_of(item: &str) -> Option<&str> {
    item.lines().find_map(|line| {
        let rest = line.strip_prefix("pub(crate) fn ")?;
        rest.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_its_comments_and_attributes() {
        let text = "// Generated.\n/// Tags.\n#[cfg(a)]\npub mod tags;\n\npub fn all() {\n    one();\n}\n// End.\n";

        let items = items_of(text);

        assert_eq!(
            items,
            [
                "// Generated.\n/// Tags.\n#[cfg(a)]\npub mod tags;\n",
                "\npub fn all() {\n    one();\n}\n",
                "// End.\n",
            ]
        );
        assert_eq!(items.concat(), text);
    }

    #[test]
    fn an_item_of_many_lines_ends_where_it_is_closed() {
        let text = "pub use a::{\n    b,\n};\npub(crate) fn c(\n    d: D,\n) -> E {\n    d;\n}\n";

        assert_eq!(items_of(text).len(), 2);
    }

    #[test]
    fn items_are_known_by_name() {
        assert_eq!(module_of("/// mod not;\npub(crate) mod tags;\n"), Some("tags"));
        assert_eq!(module_of("mod tags;\n"), Some("tags"));
        assert_eq!(module_of("pub use tags;\n"), None);
        assert_eq!(reexport_of("pub use crate::types::_tag::Tag;\n"), Some(("_tag", "Tag")));
        assert_eq!(reexport_of("pub use crate::types::builders::Tag;\n"), None);
        assert_eq!(function_of("pub(crate) fn de_tags<T>(\n    a: T,\n) {\n}\n"), Some("de_tags"));
        assert_eq!(function_of("pub fn de_tags() {}\n"), None);
    }

    #[test]
    fn comments_are_no_code() {
        assert_eq!(code_of("a\n    // b\n//! c\nd // e\n").collect::<Vec<_>>(), ["a", "d // e"]);
    }
}
