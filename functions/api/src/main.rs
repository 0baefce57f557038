//! The REST API behind API Gateway's HTTP API.

use jiff::Timestamp;
use shared::lambda::{StartError, real_clock, service, start_log};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "a main reads the clock")]
async fn main() -> Result<(), StartError> {
    start_log();
    lambda_http::run(api::router(service().await?, real_clock(Timestamp::now))).await
}
