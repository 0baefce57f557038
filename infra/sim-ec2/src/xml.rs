//! The XML EC2 answers with.

use std::fmt::{self, Display, Write as _};

/// An XML text under construction; elements close in the order they opened, by construction.
#[derive(Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    /// The text written so far.
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    /// `<name>content</name>`, the content written by `content`.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.tag("<", name);
        content(self);
        self.tag("</", name);
    }

    /// `<name>value</name>`, escaped.
    pub(crate) fn leaf(&mut self, name: &str, value: impl Display) {
        self.tag("<", name);
        // Writing to a String does not fail.
        let _: fmt::Result = write!(Escaped(&mut self.0), "{value}");
        self.tag("</", name);
    }

    /// A leaf when there is a value.
    pub(crate) fn optional(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.leaf(name, value);
        }
    }

    /// `<name><item>…</item>…</name>`, each member written by `member`.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        members: impl IntoIterator<Item = T>,
        mut member: impl FnMut(&mut Self, T),
    ) {
        self.element(name, |xml| {
            for each in members {
                xml.element("item", |xml| member(xml, each));
            }
        });
    }

    /// What another writer made.
    pub(crate) fn append(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn tag(&mut self, opening: &str, name: &str) {
        self.0.push_str(opening);
        self.0.push_str(name);
        self.0.push('>');
    }
}

struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        for character in s.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\r' => self.0.push_str("&#13;"),
                // XML 1.0 has no way to write the other control characters.
                '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' => {
                    self.0.push('\u{fffd}');
                }
                other => self.0.push(other),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        let mut xml = Xml::default();

        xml.leaf("a", "<b> & \"c\" \u{1}");

        assert_eq!(xml.into_text(), "<a>&lt;b&gt; &amp; &quot;c&quot; \u{fffd}</a>");
    }

    #[test]
    fn a_list_is_items_in_an_element() {
        let mut xml = Xml::default();

        xml.list("set", [1, 2], |xml, n| xml.leaf("n", n));

        assert_eq!(xml.into_text(), "<set><item><n>1</n></item><item><n>2</n></item></set>");
    }
}
