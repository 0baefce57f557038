//! Two years of a schedule: what the real functions leave of it, day by day, is what the simulation says.
//!
//! `tests/four_hundred_days.rs` does the same with a schedule of every hour, which takes minutes.

use jiff::Timestamp;
use jiff::civil::date;
use serde_json::json;

use crate::support::forward::Course;

/// Six times in the night at both ends of each month, where Berlin changes its clocks as well, and weekly in between.
const NIGHTS: &str = "cron(0,30 0,2,23 1-2,8,15,22,28-31 * ? *)";

#[tokio::test]
async fn two_years_leave_what_the_simulation_says() {
    let retention = json!({
        "keep_last": 2, "keep_hourly": 5, "keep_daily": 4, "keep_weekly": 6, "keep_monthly": 12,
        "keep_yearly": 3,
    });
    let course = Course { expression: NIGHTS, retention, days: 735 };

    let ended = course.run().await;

    assert!(ended.last_day > date(2028, 3, 1), "{}", ended.last_day);
    for kept in ["2026-12-31T22:30:00Z", "2027-12-31T22:30:00Z", "2028-02-29T22:30:00Z"] {
        assert!(ended.survivors.contains(&kept.parse::<Timestamp>().unwrap()), "{kept}");
    }
}
