//! Markdown, as far as the rules about documents need it: prose without code blocks, links, code spans, anchors.

use std::collections::BTreeMap;

/// The lines outside code blocks; those inside are empty.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().map(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        if is_fence || is_code { "" } else { line }
    })
}

/// The prose cut at its backticks, paragraph by paragraph: text and code take turns.
fn pieces(text: &str) -> Vec<(String, bool)> {
    let prose: Vec<_> = prose(text).collect();
    let paragraphs = prose.split(|line| line.trim().is_empty());
    let cut = paragraphs.flat_map(|paragraph| {
        let paragraph = paragraph.join("\n");
        let pieces = paragraph.split('`').enumerate();
        pieces.map(|(at, piece)| (piece.to_owned(), at % 2 == 1)).collect::<Vec<_>>()
    });
    cut.collect()
}

/// What stands between backticks in the prose.
pub(super) fn code_spans(text: &str) -> Vec<String> {
    pieces(text).into_iter().filter(|(_, is_code)| *is_code).map(|(piece, _)| piece).collect()
}

/// Where the links of the prose lead.
pub(super) fn links(text: &str) -> Vec<String> {
    let kept = pieces(text).into_iter().filter(|(_, is_code)| !is_code).map(|(piece, _)| piece);
    let prose: String = kept.collect();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.to_owned()).collect()
}

/// The anchors of the headings, as GitHub makes them.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let headings = prose(text).filter_map(|line| {
        let heading = line.trim_start_matches('#');
        (heading.len() < line.len()).then(|| heading.strip_prefix(' ')).flatten()
    });
    let anchors = headings.map(|heading| {
        let is_kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
        let anchor = heading.trim().to_lowercase().chars().filter(is_kept).collect::<String>();
        let anchor = anchor.replace(' ', "-");
        let before = taken.entry(anchor.clone()).or_default();
        *before += 1;
        if *before == 1 { anchor } else { format!("{anchor}-{}", *before - 1) }
    });
    anchors.collect()
}

#[test]
fn a_link_is_read_wherever_it_stands_in_prose() {
    let text = "See [one](a.md), [`two`](b.md#c)\nand [three\nwords](d/).\n\n```bash\n[no](e.md)\n```\n`[no](f.md)`";

    assert_eq!(links(text), ["a.md", "b.md#c", "d/"]);
}

#[test]
fn a_code_span_is_read_in_prose_only() {
    let text = "`one` and `two/three`\n\n```text\n`four`\n```\n\na ` alone\n\n`five`";

    assert_eq!(code_spans(text), ["one", "two/three", " alone", "five"]);
}

#[test]
fn an_anchor_is_the_heading_in_small_letters() {
    let text = "# A `word`, and more\n\n## Twice\n## Twice\n```bash\n# no heading\n```\n#none";

    assert_eq!(anchors(text), ["a-word-and-more", "twice", "twice-1"]);
}
