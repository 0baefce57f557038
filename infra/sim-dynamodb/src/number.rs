//! Numbers as DynamoDB keeps them: decimal, of 38 digits, without what means nothing.

use std::cmp::Ordering;

/// How many digits a number may have
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>).
const DIGITS_MAX: usize = 38;
/// How many places a number may have in all before and behind the point. DynamoDB knows more; nobody here uses them.
const PLACES_MAX: usize = 60;

/// A number, by the one way in which it is written: equal numbers have equal texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Number(String);

impl Number {
    /// The number that a text means, if it means one that is kept here.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if is_plain(text) {
            return Some(Self(text.to_owned()));
        }
        let (sign, text) = match text.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // Where the point is, counted from the first digit.
        let point = i64::try_from(whole.len()).ok()?.checked_add(exponent)?;
        let leading = digits.len() - digits.trim_start_matches('0').len();
        let digits = digits.trim_matches('0');
        let point = point - i64::try_from(leading).ok()?;
        if digits.is_empty() {
            return Some(Self("0".to_owned()));
        }
        if digits.len() > DIGITS_MAX || usize::try_from(point.abs()).ok()? > PLACES_MAX {
            return None;
        }
        Some(Self(format!("{sign}{}", written(digits, point))))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The sum, if it is one of few enough digits.
    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        let scale = self.fraction().len().max(other.fraction().len());
        let sum = self.scaled(scale)?.checked_add(other.scaled(scale)?)?;
        Self::parse(&format!("{sum}e-{scale}"))
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let by_size = || {
            let (one, two) = (self.whole(), other.whole());
            let one = (one.len(), one, self.fraction());
            one.cmp(&(two.len(), two, other.fraction()))
        };
        match (self.is_negative(), other.is_negative()) {
            (false, false) => by_size(),
            (true, true) => by_size().reverse(),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }

    /// Two digits a byte on each side of the point, one for where that is, and one for a minus.
    pub(crate) fn size(&self) -> usize {
        let (whole, fraction) = (self.whole(), self.fraction());
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_matches('0').len();
        let before = if whole == "0" { 0 } else { whole.len().min(digits) };
        let behind = digits - before;
        before.div_ceil(2) + behind.div_ceil(2) + 1 + usize::from(self.is_negative())
    }

    fn is_negative(&self) -> bool {
        self.0.starts_with('-')
    }

    fn whole(&self) -> &str {
        let text = self.0.trim_start_matches('-');
        text.split_once('.').map_or(text, |(whole, _)| whole)
    }

    fn fraction(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, fraction)| fraction)
    }

    /// The number times ten to the power of `scale`, which has no fraction.
    fn scaled(&self, scale: usize) -> Option<i128> {
        let fraction = self.fraction();
        let zeros = "0".repeat(scale.checked_sub(fraction.len())?);
        let sign = if self.is_negative() { "-" } else { "" };
        format!("{sign}{}{fraction}{zeros}", self.whole()).parse().ok()
    }
}

/// Whether a text is a whole number, written as it is kept.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_short = (1..=18).contains(&digits.len());
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_short && is_whole && (text == "0" || !digits.starts_with('0'))
}

/// The digits, which neither begin nor end with a 0, with the point before the one at `point`.
fn written(digits: &str, point: i64) -> String {
    let places = usize::try_from(point.unsigned_abs()).unwrap_or(PLACES_MAX);
    if point <= 0 {
        return format!("0.{}{digits}", "0".repeat(places));
    }
    match digits.split_at_checked(places) {
        Some((whole, "")) => whole.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{digits}{}", "0".repeat(places - digits.len())),
    }
}
