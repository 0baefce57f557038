//! The tables of the guide's chapter: rows whose outcome is the same are one.

use super::courses::Moment;
use super::outcome::Outcome;

/// The rows of a table, in the order of what comes in the way.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<Row>);

#[derive(Debug)]
struct Row {
    hand: &'static str,
    moments: Vec<Moment>,
    outcome: Outcome,
}

impl Rows {
    pub(super) fn add(&mut self, hand: &'static str, moment: Moment, outcome: Outcome) {
        let same = self.0.iter_mut().find(|row| row.hand == hand && row.outcome == outcome);
        match same {
            Some(row) => row.moments.push(moment),
            None => self.0.push(Row { hand, moments: vec![moment], outcome }),
        }
    }

    pub(super) fn to_markdown(&self) -> String {
        let mut text = String::from(
            "| what comes in the way | when | what comes of it | after a retry | given up |\n|---|---|---|---|---|\n",
        );
        for row in &self.0 {
            let is_only = self.0.iter().filter(|other| other.hand == row.hand).count() == 1;
            let when = if is_only { "at any time".to_owned() } else { moments(&row.moments) };
            let Outcome { what, retried, given_up } = &row.outcome;
            let cells = [row.hand, &when, what, retried, given_up];
            text += "| ";
            text += &cells.join(" | ");
            text += " |\n";
        }
        text.replace("|  |", "| |").replace("|  |", "| |")
    }
}

/// The moments, both of a step as one.
fn moments(all: &[Moment]) -> String {
    let (mut both, mut before, mut within) = (Vec::new(), Vec::new(), Vec::new());
    for moment in all {
        match moment {
            Moment::Before(step) if all.contains(&Moment::In(*step)) => both.push(step.as_str()),
            Moment::In(step) if all.contains(&Moment::Before(*step)) => {}
            Moment::Before(step) => before.push(step.as_str()),
            Moment::In(step) => within.push(step.as_str()),
            Moment::Always => {}
        }
    }
    let kinds = [("", both), ("call of ", before), ("wait of ", within)];
    let kinds = kinds.iter().filter(|(_, steps)| !steps.is_empty());
    kinds.map(|(kind, steps)| format!("{kind}{}", steps.join(", "))).collect::<Vec<_>>().join("; ")
}

/// The chapter with these tables in the place of those that it has: each behind the comment that names it.
pub(super) fn with_tables(chapter: &str, tables: &[(&str, String)]) -> String {
    let (mut text, mut is_old) = (String::new(), false);
    for line in chapter.lines() {
        if is_old && line.starts_with('|') {
            continue;
        }
        is_old = false;
        text += line;
        text.push('\n');
        let name = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->"));
        if let Some((_, table)) = tables.iter().find(|(of, _)| Some(*of) == name) {
            text += table;
            is_old = true;
        }
    }
    text
}
