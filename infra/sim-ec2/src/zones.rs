//! The Availability Zones of the Regions we know.
//!
//! Their letters have gaps, and two accounts have other zones behind the same letter: which zone it is its id says
//! (<https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html>). Which letters an account
//! has in which Region is as accounts have recorded it: Tokyo's a, c and d in matsubo's gist 9308b3a91e75d1ce62fe6f0d047a3c7d, the
//! others in moto's list of zones.

/// Regions whose zones are other than a, b and c with the ids 1, 2 and 3: the letters and their ids.
const OTHERWISE: [(&str, &[(char, u8)]); 8] = [
    ("ap-northeast-1", &[('a', 4), ('c', 1), ('d', 2)]),
    ("ap-northeast-2", &[('a', 1), ('b', 2), ('c', 3), ('d', 4)]),
    ("ca-central-1", &[('a', 1), ('b', 2), ('d', 4)]),
    ("eu-central-1", &[('a', 2), ('b', 3), ('c', 1)]),
    ("eu-west-1", &[('a', 3), ('b', 1), ('c', 2)]),
    ("us-east-1", &[('a', 6), ('b', 1), ('c', 2), ('d', 4), ('e', 3), ('f', 5)]),
    ("us-west-1", &[('b', 3), ('c', 1)]),
    ("us-west-2", &[('a', 2), ('b', 1), ('c', 3), ('d', 4)]),
];

/// What any other Region has.
const USUAL: [(char, u8); 3] = [('a', 1), ('b', 2), ('c', 3)];

/// A zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// For example `us-east-1a`: in another account it may be another place.
    pub(crate) name: String,
    /// For example `use1-az6`: the same place in every account.
    pub(crate) id: String,
}

/// The zones of a Region, in the order of their letters.
pub(crate) fn zones(region: &str) -> Vec<Zone> {
    let found = OTHERWISE.iter().find(|(name, _)| *name == region);
    let letters = found.map_or(USUAL.as_slice(), |(_, letters)| letters);
    let short = abbreviated(region);
    letters
        .iter()
        .map(|(letter, number)| Zone {
            name: format!("{region}{letter}"),
            id: format!("{short}-az{number}"),
        })
        .collect()
}

/// For example `use1` for us-east-1.
fn abbreviated(region: &str) -> String {
    let parts = region.split('-').enumerate();
    parts
        .map(|(position, part)| if position == 1 { direction(part) } else { part.to_owned() })
        .collect()
}

fn direction(word: &str) -> String {
    match word {
        "northeast" => "ne".to_owned(),
        "southeast" => "se".to_owned(),
        "northwest" => "nw".to_owned(),
        "southwest" => "sw".to_owned(),
        other => other.chars().take(1).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(region: &str) -> String {
        let zones = zones(region).into_iter().map(|zone| {
            let letter = zone.name.trim_start_matches(region).to_owned();
            format!("{letter}={}", zone.id)
        });
        zones.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn letters_have_gaps_and_ids_have_an_order_of_their_own() {
        for (region, expected) in [
            ("ap-northeast-1", "a=apne1-az4 c=apne1-az1 d=apne1-az2"),
            ("ca-central-1", "a=cac1-az1 b=cac1-az2 d=cac1-az4"),
            ("us-east-1", "a=use1-az6 b=use1-az1 c=use1-az2 d=use1-az4 e=use1-az3 f=use1-az5"),
            ("us-west-1", "b=usw1-az3 c=usw1-az1"),
            ("eu-north-1", "a=eun1-az1 b=eun1-az2 c=eun1-az3"),
            ("ap-southeast-2", "a=apse2-az1 b=apse2-az2 c=apse2-az3"),
        ] {
            assert_eq!(shown(region), expected, "{region}");
        }
    }
}
