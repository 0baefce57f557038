//! The REST API behind API Gateway's HTTP API.

use jiff::Timestamp;
use lambda_http::service_fn;
use shared::lambda::{StartError, real_clock, service, start_log};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "a main reads the clock")]
async fn main() -> Result<(), StartError> {
    start_log();
    let service = service().await?;
    let router = api::router(service.clone(), real_clock(Timestamp::now));
    lambda_http::run(service_fn(|request| {
        api::telemetry::answer(router.clone(), service.clone(), request, Timestamp::now)
    }))
    .await
}
