//! What comes of a restore that is disturbed: each step of each mode, and whatever somebody, EC2 or the function itself does
//! then. The guide's chapter of it has what came out, as tables; this test plays it all again.

mod courses;
mod outcome;
mod table;

use courses::{COURSES, Course, HANDS, Moment};
use outcome::{played, usual_of};
use table::Rows;

/// The chapter that has the tables.
const CHAPTER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../functions/api/guide/disturbed-restores.md");

/// All that can come in the way of this course, at every step, in the order of the table.
fn rows(course: &'static Course) -> Rows {
    // Each course has a thread of its own: there are hundreds of worlds to play.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut rows, usual) = (Rows::default(), usual_of(course).await);
        for hand in HANDS {
            for moment in course.moments(hand) {
                if let Some(outcome) = Box::pin(played(course, &usual, hand, moment)).await {
                    rows.add(hand.words(), moment, outcome);
                }
            }
        }
        rows.add(
            "EC2 shows all of it 20 seconds late",
            Moment::Always,
            outcome::lagging(course, &usual).await,
        );
        rows.add("the function dies", Moment::Always, outcome::dying(course, &usual).await);
        rows
    })
}

#[test]
fn what_comes_of_a_disturbed_restore_is_what_the_guide_says() {
    let tables: Vec<(&str, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = COURSES
            .iter()
            .map(|course| scope.spawn(|| (course.name, rows(course).to_markdown())))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });

    let kept = std::fs::read_to_string(CHAPTER).unwrap();
    let now = table::with_tables(&kept, &tables);

    if kept != now {
        std::fs::write(format!("{CHAPTER}.new"), now).unwrap();
        panic!("it is not as {CHAPTER} says; if it is right, move the .new over it");
    }
}
