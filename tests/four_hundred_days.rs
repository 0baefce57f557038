//! Four hundred days of an hourly schedule, 9,600 snapshots: `cargo test -p tests --test four_hundred_days`.
//!
//! It takes minutes, and `cargo test` leaves it out; two years of a slower schedule are among the flows.

#[cfg(test)]
#[expect(dead_code, reason = "the flows use the rest of it")]
mod support;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::support::forward::Course;

    #[tokio::test]
    async fn four_hundred_days_leave_what_the_simulation_says() {
        let retention = json!({
            "keep_hourly": 24, "keep_daily": 7, "keep_weekly": 5, "keep_monthly": 12, "keep_yearly": 3,
        });
        let course = Course { expression: "cron(0 * * * ? *)", retention, days: 400 };

        course.run().await;
    }
}
