//! Patterns of a policy, read once: every call of a test is held against dozens.

/// A pattern: `*` is anything, `?` one character, `${*}` and `${?}` those themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    written: String,
    parts: Parts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Parts {
    /// It stands for itself alone.
    Literal,
    Wild(Vec<Part>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Anything,
    AnyOne,
    This(char),
}

impl Pattern {
    pub(super) fn of(written: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = written;
        while let Some(letter) = rest.chars().next() {
            let (part, length) = match rest {
                _ if rest.starts_with("${*}") => (Part::This('*'), 4),
                _ if rest.starts_with("${?}") => (Part::This('?'), 4),
                _ if letter == '*' => (Part::Anything, 1),
                _ if letter == '?' => (Part::AnyOne, 1),
                _ => (Part::This(letter), letter.len_utf8()),
            };
            parts.push(part);
            rest = rest.get(length..).unwrap_or_default();
        }
        let is_literal = parts.len() == written.chars().count()
            && parts.iter().all(|part| matches!(part, Part::This(_)));
        let parts = if is_literal { Parts::Literal } else { Parts::Wild(parts) };
        Self { written: written.to_owned(), parts }
    }

    /// As the policy has it.
    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// Whether a text is like it.
    pub(super) fn fits(&self, text: &str) -> bool {
        match &self.parts {
            Parts::Literal => self.written == text,
            Parts::Wild(parts) => is_like(text, parts),
        }
    }

    /// The same, whatever the case of the letters.
    pub(super) fn fits_any_case(&self, text: &str) -> bool {
        match &self.parts {
            Parts::Literal => self.written.eq_ignore_ascii_case(text),
            Parts::Wild(parts) => {
                let lower = |part: &Part| match part {
                    Part::This(letter) => Part::This(letter.to_ascii_lowercase()),
                    other @ (Part::Anything | Part::AnyOne) => *other,
                };
                is_like(&text.to_ascii_lowercase(), &parts.iter().map(lower).collect::<Vec<_>>())
            }
        }
    }
}

/// Goes through the text once; what cannot go on begins again one character further, after the last part that is anything.
fn is_like(text: &str, parts: &[Part]) -> bool {
    let (mut rest, mut place) = (text.chars(), 0);
    let mut resume = None;
    loop {
        let mut ahead = rest.clone();
        let goes_on = match (parts.get(place), ahead.next()) {
            (Some(Part::Anything), _) => {
                resume = Some((rest.clone(), place + 1));
                place += 1;
                continue;
            }
            (None, None) => return true,
            (Some(Part::AnyOne), Some(_)) => true,
            (Some(Part::This(wanted)), Some(letter)) => *wanted == letter,
            (None, Some(_)) | (Some(Part::AnyOne | Part::This(_)), None) => false,
        };
        if goes_on {
            (rest, place) = (ahead, place + 1);
            continue;
        }
        let Some((mut from, after)) = resume else { return false };
        if from.next().is_none() {
            return false;
        }
        (rest, place) = (from.clone(), after);
        resume = Some((from, after));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_anything_one_character_or_the_star_itself() {
        for (text, pattern) in [
            ("arn:aws:ec2:us-east-1::snapshot/snap-1", "arn:aws:ec2:*::snapshot/snap-*"),
            ("arn:aws:ec2:us-east-1::snapshot/*", "arn:aws:ec2:*::snapshot/${*}"),
            ("abc", "a?c"),
            ("", "*"),
            ("", ""),
            ("aXbXc", "a*b*c"),
            ("abab", "*ab"),
            ("aab", "*a?"),
            ("é-ü", "?-*"),
        ] {
            assert!(Pattern::of(pattern).fits(text), "{text} {pattern}");
        }
        for (text, pattern) in [
            ("arn:aws:ec2:us-east-1::snapshot/snap-1", "arn:aws:ec2:*::snapshot/${*}"),
            ("arn:aws:ec2:us-east-1::snapshot/*", "arn:aws:ec2:*::snapshot/snap-*"),
            ("abbc", "a?c"),
            ("ab", "a"),
            ("", "a"),
            ("", "?"),
            ("abac", "*ab"),
            ("A", "a"),
        ] {
            assert!(!Pattern::of(pattern).fits(text), "{text} {pattern}");
        }
    }

    #[test]
    fn an_action_is_the_same_in_any_case() {
        assert!(Pattern::of("ec2:Delete*").fits_any_case("EC2:deletesnapshot"));
        assert!(Pattern::of("ec2:DeleteSnapshot").fits_any_case("ec2:deletesnapshot"));
        assert!(!Pattern::of("ec2:DeleteSnapshot").fits_any_case("ec2:DeleteSnapshots"));
    }
}
