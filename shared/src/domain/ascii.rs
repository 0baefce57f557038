//! Texts as EC2's descriptions take them: letters, digits and signs of ASCII.
//!
//! EC2 refuses a snapshot or an image whose description has any other letter ("Character sets beyond ASCII are not
//! supported"), so an instance called `Büroserver` would get none. Tags take every letter, and keep the name.

/// How many characters a description may have
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html>).
const DESCRIPTION_LENGTH_MAX: usize = 255;

/// Letters, and what stands for them in ASCII.
const STAND_INS: [(&str, &str); 38] = [
    ("ÀÁÂÃÄÅĀĂĄ", "A"),
    ("àáâãäåāăą", "a"),
    ("Æ", "AE"),
    ("æ", "ae"),
    ("ÇĆĈĊČ", "C"),
    ("çćĉċč", "c"),
    ("ÐĎĐ", "D"),
    ("ðďđ", "d"),
    ("ÈÉÊËĒĔĖĘĚ", "E"),
    ("èéêëēĕėęě", "e"),
    ("ĜĞĠĢ", "G"),
    ("ĝğġģ", "g"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("ìíîïĩīĭįı", "i"),
    ("ŁĹĻĽ", "L"),
    ("łĺļľ", "l"),
    ("ÑŃŅŇ", "N"),
    ("ñńņň", "n"),
    ("ÒÓÔÕÖØŌŎŐ", "O"),
    ("òóôõöøōŏő", "o"),
    ("Œ", "OE"),
    ("œ", "oe"),
    ("ŔŘ", "R"),
    ("ŕř", "r"),
    ("ŚŜŞŠȘ", "S"),
    ("śŝşšș", "s"),
    ("ß", "ss"),
    ("ŢŤȚ", "T"),
    ("ţťț", "t"),
    ("ÙÚÛÜŨŪŬŮŰŲ", "U"),
    ("ùúûüũūŭůűų", "u"),
    ("ÝŸ", "Y"),
    ("ýÿ", "y"),
    ("ŹŻŽ", "Z"),
    ("źżž", "z"),
    ("‐‑‒–—―", "-"),
    ("‘’‚", "'"),
    ("“”„«»", "\""),
];

/// `text` as a description that EC2 takes: what has no like in ASCII is a `?`, and at 255 characters it ends.
pub fn description(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            ' '..='~' => plain.push(letter),
            _ if letter.is_whitespace() || letter.is_control() => plain.push(' '),
            _ => plain.push_str(stand_in(letter)),
        }
    }
    plain.truncate(DESCRIPTION_LENGTH_MAX);
    plain
}

fn stand_in(letter: char) -> &'static str {
    STAND_INS
        .iter()
        .find(|(letters, _)| letters.contains(letter))
        .map_or("?", |(_, stand_in)| stand_in)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_become_the_ones_they_are_like() {
        for (text, expected) in [
            ("Snapkeep: Büroserver 2026-03-01 02:00", "Snapkeep: Buroserver 2026-03-01 02:00"),
            ("vor dem Umzug — 2026, Büro", "vor dem Umzug - 2026, Buro"),
            ("Straße, łódź, naïve", "Strasse, lodz, naive"),
            ("a\nb\tc", "a b c"),
            ("数据库 ✅", "??? ?"),
            ("", ""),
        ] {
            assert_eq!(description(text), expected);
        }
    }

    proptest! {
        #[test]
        fn every_text_becomes_one_that_ec2_takes(text in "(?s).{0,300}") {
            let plain = description(&text);

            prop_assert!(plain.chars().all(|letter| (' '..='~').contains(&letter)), "{plain}");
            prop_assert!(plain.len() <= DESCRIPTION_LENGTH_MAX);
        }

        #[test]
        fn what_ec2_takes_stays_as_it_is(text in "[ -~]{0,255}") {
            prop_assert_eq!(description(&text), text);
        }
    }
}
