//! The examples of the API's guide: sent again, and their answers compared with what it says.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::app::App;
use crate::support::reply::text;

/// The chapters of the guide by their paths, with their texts.
fn chapters() -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../functions/api/guide");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// A part of a chapter.
enum Part {
    /// Up to and including the request of an example, or anything that is none.
    Kept(String),
    /// A request's path and body; its answer belongs here.
    Answer { path: String, body: Value },
}

/// A chapter without the answers of its examples, which stand in blocks called `preview`.
fn parts(chapter: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut kept = String::new();
    let mut lines = chapter.lines();
    let mut in_block = false;
    while let Some(line) = lines.next() {
        let request = line.strip_prefix("POST ").filter(|_| in_block);
        if let Some(path) = request {
            writeln!(kept, "{line}").unwrap();
            let mut json = String::new();
            let body = loop {
                let line = lines.next().expect("a request has a body");
                writeln!(kept, "{line}").unwrap();
                json.push_str(line);
                if let Ok(body) = serde_json::from_str(&json) {
                    break body;
                }
            };
            parts.push(Part::Kept(std::mem::take(&mut kept)));
            parts.push(Part::Answer { path: path.to_owned(), body });
            continue;
        }
        match line {
            "```preview" => in_block = true,
            "```" => in_block = false,
            // An old answer, or the space before the next request.
            _ if in_block => continue,
            _ => {}
        }
        writeln!(kept, "{line}").unwrap();
    }
    parts.push(Part::Kept(kept));
    parts
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// An answer as the guide shows it: a line for each item.
fn shown(path: &str, answer: &Value) -> String {
    let mut shown = String::new();
    match path {
        "/v1/schedules/preview" => {
            for fire in items(&answer["fires"]) {
                let (at, local) = (text(fire, "at"), text(fire, "local"));
                writeln!(shown, "fires     {at}  {local}").unwrap();
            }
            for skipped in items(&answer["skipped"]) {
                let (local, reason) = (text(skipped, "local"), text(skipped, "reason"));
                writeln!(shown, "skipped   {local}  {reason}").unwrap();
            }
            for repeated in items(&answer["repeated"]) {
                let (local, at) = (text(repeated, "local"), text(repeated, "fires_at"));
                writeln!(shown, "repeated  {local}  fires at {at}").unwrap();
            }
            writeln!(shown, "{}", text(answer, "description")).unwrap();
        }
        "/v1/retention/preview" => {
            for verdict in items(&answer["verdicts"]) {
                let (id, at) = (text(verdict, "id"), text(verdict, "taken_at"));
                let reasons: Vec<_> =
                    items(&verdict["reasons"]).iter().filter_map(Value::as_str).collect();
                let line =
                    format!("{id}  {at}  {:<6}  {}", text(verdict, "verdict"), reasons.join(", "));
                writeln!(shown, "{}", line.trim_end()).unwrap();
            }
        }
        "/v1/retention/simulate" => {
            writeln!(shown, "date        fires  snapshots  GiB at most  estimate  missed").unwrap();
            for day in items(&answer["days"]) {
                let missed: Vec<_> =
                    items(&day["missed"]).iter().filter_map(Value::as_str).collect();
                let line = format!(
                    "{}  {:>5}  {:>9}  {:>11}  {:>8}  {}",
                    text(day, "date"),
                    day["fires"].to_string(),
                    day["snapshots"].to_string(),
                    day["gib_upper_bound"].to_string(),
                    day["gib_estimate"].to_string(),
                    missed.join(", ")
                );
                writeln!(shown, "{}", line.trim_end()).unwrap();
            }
        }
        _ => panic!("{path} has no form in the guide yet"),
    }
    shown
}

/// A chapter with the answers that the API gives to its examples now, and how many examples it has.
async fn retold(app: &App, chapter: &str) -> (String, usize) {
    let mut told = String::new();
    let mut examples = 0;
    let parts = parts(chapter);
    for (number, part) in parts.iter().enumerate() {
        match part {
            Part::Kept(kept) => told.push_str(kept),
            Part::Answer { path, body } => {
                let answer = app.call("POST", path, body.clone()).await.expect(200);
                told.push_str(&shown(path, &answer));
                examples += 1;
                let goes_on = matches!(parts.get(number + 1), Some(Part::Kept(kept)) if kept.starts_with("POST "));
                if goes_on {
                    told.push('\n');
                }
            }
        }
    }
    (told, examples)
}

#[tokio::test]
async fn the_answers_in_the_guide_are_those_of_the_api() {
    let app = App::start().await;

    let mut examples_of_all = 0;
    let mut changed = Vec::new();
    for (path, chapter) in chapters() {
        let (told, examples) = retold(&app, &chapter).await;
        examples_of_all += examples;
        if told != chapter {
            let new = path.with_extension("md.new");
            fs::write(&new, told).unwrap();
            changed.push(new);
        }
    }

    assert!(examples_of_all >= 18, "{examples_of_all}");
    assert!(
        changed.is_empty(),
        "answers in the guide are not the API's; if the API is right, drop the .new of {changed:?}"
    );
}

#[tokio::test]
async fn the_schedules_in_the_guide_can_be_made() {
    let app = App::start().await;

    let chapters = chapters();
    let blocks = chapters.iter().flat_map(|(_, chapter)| chapter.split("```json\n").skip(1));
    let schedules: Vec<Value> = blocks
        .filter_map(|block| serde_json::from_str(block.split("```").next()?).ok())
        .filter(|block: &Value| block["expression"].is_string())
        .collect();

    assert!(!schedules.is_empty());
    for schedule in schedules {
        app.call("POST", "/v1/schedules?preview=true", schedule).await.expect(200);
    }
}
