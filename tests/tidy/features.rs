//! Every row of what people expect is carried by a test that has the row's letter and number in its name.
//!
//! What the rows are is said in `tests/features.rs`. What a page, a dialog, a filter or a spinner shows is carried by a
//! test in the browser. Left out are those that are about other products or chapters of documents (`b31`, `b32`, `w19`).

use std::collections::BTreeMap;

use super::sources::files;

/// The rows that Snapkeep has.
const ROWS: [&str; 95] = [
    "u1", "u3", "u4", "u5", "u6", "u7", "u8", "u9", "u10", "u11", "u12", "u13", "u14", "u15",
    "u16", "u17", "u18", "u19", "u20", "u21", "u22", "m1", "m2", "m3", "m4", "m6", "m7", "m8",
    "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9", "w10", "w11", "w12", "w13", "w14", "w15",
    "w16", "w17", "w18", "w20", "w21", "w22", "w24", "w25", "w26", "b1", "b2", "b3", "b4", "b5",
    "b6", "b7", "b8", "b9", "b10", "b11", "b12", "b14", "b15", "b16", "b17", "b18", "b24", "b26",
    "b27", "b28", "b29", "b30", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9", "t10", "t11",
    "t12", "t13", "t14", "t15", "t16", "t17", "t18", "t19", "t20",
];

/// The rows that a test in the browser carries, as the document that lists them names a page, a dialog, a button, a card, a
/// badge, a filter, a spinner or a refresh.
const ROWS_OF_THE_PAGE: [&str; 26] = [
    "u1", "u2", "u9", "u10", "u11", "u13", "m5", "m6", "m7", "w2", "w3", "w9", "w12", "w23", "b13",
    "b14", "b15", "b18", "b19", "b20", "b21", "b22", "b23", "b25", "b28", "b29",
];

/// Rows that tests carry which are called otherwise: the row, the file, the test.
const CALLED_OTHERWISE: [(&str, &str, &str); 14] = [
    ("t1", "tests/flows/deletion.rs", "an_image_in_the_way_blocks_one_and_no_other"),
    ("t2", "tests/flows/deletion.rs", "a_disabled_image_is_in_the_way_as_well"),
    (
        "t3",
        "tests/flows/blocked.rs",
        "what_an_image_keeps_is_in_the_ledger_until_the_image_is_gone",
    ),
    ("t4", "tests/flows/deletion.rs", "retention_goes_on_when_the_instance_is_gone"),
    ("t5", "tests/flows/creation.rs", "a_lost_reply_makes_one_set_and_it_is_adopted"),
    ("t6", "tests/flows/creation.rs", "every_member_bears_our_tags_from_the_start"),
    ("t8", "tests/flows/deletion.rs", "others_snapshots_are_never_touched"),
    (
        "t10",
        "shared/src/domain/schedule/expression/tests.rs",
        "a_repeated_time_fires_once_and_the_first_time",
    ),
    (
        "t12",
        "tests/flows/turns.rs",
        "the_limit_of_pending_snapshots_makes_them_late_and_fails_none",
    ),
    (
        "t14",
        "tests/flows/scale.rs",
        "a_thousand_instances_cost_a_thousand_creations_and_nothing_else_per_instance",
    ),
    (
        "t15",
        "tests/flows/creation.rs",
        "completion_events_doubled_late_or_lost_change_nothing_in_the_end",
    ),
    (
        "t17",
        "tests/flows/schedules.rs",
        "a_schedule_does_not_fire_when_it_is_made_or_enabled_again",
    ),
    ("t18", "tests/api/guide.rs", "the_answers_in_the_guide_are_those_of_the_api"),
    (
        "t20",
        "tests/features/money.rs",
        "b6_billing_of_a_snapshot_names_three_numbers_and_their_price",
    ),
];

/// All tests by the files they are in.
fn tests() -> BTreeMap<String, Vec<String>> {
    let sources = files(&["shared", "functions", "tests"], "rs");
    let named = sources.into_iter().map(|(file, text)| {
        let tests = text.lines().filter_map(|line| {
            let line = line.trim_start();
            let rest = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
            Some(rest.split('(').next()?.to_owned())
        });
        (file, tests.collect())
    });
    named.collect()
}

/// The rows that a test's name has: `u3` and `u4` of `u3_u4_each_has_its_id`.
fn rows_of(test: &str) -> impl Iterator<Item = &str> {
    test.split('_').filter(|word| {
        let digits = word.strip_prefix(['u', 'm', 'w', 'b', 't']);
        digits
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[test]
fn every_row_is_carried_by_a_test() {
    let tests = tests();
    let mut carried: Vec<&str> = tests.values().flatten().flat_map(|test| rows_of(test)).collect();
    carried.extend(CALLED_OTHERWISE.iter().map(|(row, ..)| *row));

    let missing: Vec<_> = ROWS.iter().filter(|row| !carried.contains(*row)).collect();

    assert!(missing.is_empty(), "no test carries {missing:?}");
}

#[test]
fn no_test_carries_a_row_that_there_is_not() {
    for test in tests().values().flatten() {
        for row in rows_of(test) {
            assert!(ROWS.contains(&row), "{test}: {row}");
        }
    }
}

/// The tests of the page, by what they are called.
fn tests_of_the_page() -> Vec<String> {
    let named = files(&["tests/browser"], "js").into_iter().flat_map(|(_, text)| {
        let starts = text.split("test(").skip(1);
        let names = starts.filter_map(|rest| {
            let rest = rest.strip_prefix(['"', '`'])?;
            Some(rest.split(['"', '`']).next()?.to_owned())
        });
        names.collect::<Vec<_>>()
    });
    named.collect()
}

#[test]
fn what_a_page_shows_is_carried_by_a_test_in_the_browser() {
    let tests = tests_of_the_page();
    let carried: Vec<&str> = tests.iter().flat_map(|test| rows_of(test)).collect();

    let missing: Vec<_> = ROWS_OF_THE_PAGE.iter().filter(|row| !carried.contains(*row)).collect();
    let unknown: Vec<_> = carried
        .iter()
        .filter(|row| !ROWS.contains(*row) && !ROWS_OF_THE_PAGE.contains(*row))
        .collect();

    assert!(missing.is_empty(), "no test in the browser carries {missing:?}");
    assert!(unknown.is_empty(), "there is no row {unknown:?}");
}

#[test]
fn every_test_that_is_named_is_there() {
    let tests = tests();
    for (row, file, test) in CALLED_OTHERWISE {
        let there = tests.get(file).is_some_and(|tests| tests.iter().any(|one| one == test));
        assert!(there, "{row}: {file} has no {test}");
    }
}
