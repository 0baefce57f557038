//! A cron expression in plain English.
//!
//! It is told from the values that the fields mean, not from how they are written: `0/5`,
//! `*/5` and the list of all twelve minutes read the same.

use super::cron::{Cron, Days};
use super::field::YEARS;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// More times of day than these are told as a rhythm where they have one.
const TIMES_LISTED_MAX: usize = 4;

pub(super) fn cron(cron: &Cron) -> String {
    format!("{}{}{}", times(cron), days(cron), years(&cron.years))
}

fn times(cron: &Cron) -> String {
    let Cron { minutes, hours, .. } = cron;
    let every_hour = hours.len() == 24;
    match (minutes.as_slice(), even_step(hours, 24)) {
        ([0], _) if every_hour => "every hour".to_owned(),
        (_, _) if every_hour => {
            let minutes = minutes_of_hour(minutes);
            if minutes.starts_with("every") { minutes } else { format!("{minutes} of every hour") }
        }
        (_, _) if minutes.len() * hours.len() <= TIMES_LISTED_MAX => listed_times(cron),
        ([minute], Some((first, step))) => {
            format!("every {step} hours from {}", clock(first, *minute))
        }
        ([minute], None) => match runs(hours, None).as_slice() {
            [(first, last)] => {
                format!("every hour from {} to {}", clock(*first, *minute), clock(*last, *minute))
            }
            _ => listed_times(cron),
        },
        (_, _) => format!("{} {}", minutes_of_hour(minutes), within_hours(hours)),
    }
}

fn listed_times(cron: &Cron) -> String {
    let times = cron
        .hours
        .iter()
        .flat_map(|&hour| cron.minutes.iter().map(move |&minute| clock(i16::from(hour), minute)));
    format!("at {}", enumerate(&times.collect::<Vec<_>>()))
}

fn minutes_of_hour(minutes: &[i8]) -> String {
    match (minutes, even_step(minutes, 60)) {
        (_, Some((_, 1))) => "every minute".to_owned(),
        (_, Some((0, step))) => format!("every {step} minutes"),
        ([minute], _) => format!("at minute {minute}"),
        (_, _) => format!("at minutes {}", phrase(minutes, None, |minute| minute.to_string())),
    }
}

fn within_hours(hours: &[i8]) -> String {
    let stretches: Vec<String> = runs(hours, None)
        .iter()
        .map(|&(first, last)| format!("from {} to {}", clock(first, 0), clock(last, 59)))
        .collect();
    if stretches.len() <= 2 {
        return enumerate(&stretches);
    }
    let names: Vec<String> = hours.iter().map(|hour| format!("{hour:02}")).collect();
    format!("in the hours {}", enumerate(&names))
}

fn days(cron: &Cron) -> String {
    let every_month = cron.months.len() == MONTHS.len();
    let months = phrase(&cron.months, Some(12), month);
    let in_months = if every_month { String::new() } else { format!(" in {months}") };
    let of_months = if every_month { "of every month".to_owned() } else { format!("of {months}") };
    match &cron.days {
        // "every hour" says it.
        Days::OfMonth(_) | Days::OfWeek(_) if every_day(&cron.days) && cron.hours.len() == 24 => {
            in_months
        }
        Days::OfMonth(_) | Days::OfWeek(_) if every_day(&cron.days) => {
            format!(" every day{in_months}")
        }
        Days::OfMonth(days) => format!(" on the {} {of_months}", phrase(days, None, ordinal)),
        Days::LastOfMonth => format!(" on the last day {of_months}"),
        Days::WeekdayNearest(day) => {
            format!(" on the weekday nearest to the {} {of_months}", ordinal(i16::from(*day)))
        }
        Days::OfWeek(weekdays) => match runs(weekdays, Some(7)).as_slice() {
            [(first, last)] if weekdays.len() > 2 => {
                format!(", {} to {}{in_months}", weekday(*first), weekday(*last))
            }
            _ => {
                let plural = |number| format!("{}s", weekday(number));
                format!(" on {}{in_months}", phrase(weekdays, Some(7), plural))
            }
        },
        Days::LastOfWeekday(day) => {
            format!(" on the last {} {of_months}", weekday(i16::from(*day)))
        }
        Days::NthOfWeekday { weekday: day, nth } => {
            let nth = match nth {
                1 => "first",
                2 => "second",
                3 => "third",
                4 => "fourth",
                _ => "fifth",
            };
            format!(" on the {nth} {} {of_months}", weekday(i16::from(*day)))
        }
    }
}

fn every_day(days: &Days) -> bool {
    match days {
        Days::OfMonth(days) => days.len() == 31,
        Days::OfWeek(weekdays) => weekdays.len() == 7,
        Days::LastOfMonth
        | Days::WeekdayNearest(_)
        | Days::LastOfWeekday(_)
        | Days::NthOfWeekday { .. } => false,
    }
}

fn years(years: &[i16]) -> String {
    let all = YEARS.count();
    match (runs(years, None).as_slice(), years) {
        (_, _) if years.len() == all => String::new(),
        ([(first, last)], [_, _, ..]) if last == YEARS.end() => format!(" from {first} on"),
        ([(first, last)], [_, _, _, ..]) => format!(" from {first} to {last}"),
        (_, [first, second, _, _, _, ..]) if steps_to_the_end(years, second - first) => {
            format!(", every {} years from {first}", second - first)
        }
        (_, _) => format!(" in {}", phrase(years, None, |year| year.to_string())),
    }
}

fn steps_to_the_end(years: &[i16], step: i16) -> bool {
    years.windows(2).all(|pair| matches!(pair, [one, next] if next - one == step))
        && years.last().is_some_and(|last| last + step > *YEARS.end())
}

/// The first value and the step, if the values go round the cycle in even steps.
fn even_step(values: &[i8], cycle: i16) -> Option<(i16, i16)> {
    let first = i16::from(*values.first()?);
    let step = cycle / i16::try_from(values.len()).ok()?;
    let even = (first..cycle).step_by(usize::try_from(step).ok()?);
    (step < cycle && values.iter().copied().map(i16::from).eq(even)).then_some((first, step))
}

/// Stretches without a hole, from first to last. In a cycle, which counts from 1, the end may
/// go on at the beginning: Friday to Monday is one stretch.
fn runs<T: Copy + Into<i16>>(values: &[T], cycle: Option<i16>) -> Vec<(i16, i16)> {
    let mut runs: Vec<(i16, i16)> = Vec::new();
    for &value in values {
        let value = value.into();
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == value => *last = value,
            Some(_) | None => runs.push((value, value)),
        }
    }
    if let [(1, end), between @ .., (start, last)] = runs.as_slice()
        && cycle == Some(*last)
    {
        return between.iter().copied().chain([(*start, *end)]).collect();
    }
    runs
}

/// "A, C to F and H". Two neighbours are listed, three are a stretch.
fn phrase<T: Copy + Into<i16>>(
    values: &[T],
    cycle: Option<i16>,
    name: impl Fn(i16) -> String,
) -> String {
    let mut parts = Vec::new();
    for (first, last) in runs(values, cycle) {
        if first == last {
            parts.push(name(first));
        } else if last == first + 1 || (cycle == Some(first) && last == 1) {
            parts.extend([name(first), name(last)]);
        } else {
            parts.push(format!("{} to {}", name(first), name(last)));
        }
    }
    enumerate(&parts)
}

/// "A, B and C".
fn enumerate(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn clock(hour: i16, minute: i8) -> String {
    format!("{hour:02}:{minute:02}")
}

fn ordinal(number: i16) -> String {
    let suffix = match number {
        1 | 21 | 31 => "st",
        2 | 22 => "nd",
        3 | 23 => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

fn month(number: i16) -> String {
    name_of(&MONTHS, number)
}

fn weekday(number: i16) -> String {
    name_of(&WEEKDAYS, number)
}

/// The name of the thing that is counted from 1.
fn name_of(names: &[&str], number: i16) -> String {
    let entry = (1..).zip(names).find(|(position, _)| *position == number);
    entry.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}
