//! Brings restores and images a step further.

use jiff::Timestamp;
use shared::lambda::{StartError, run};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "a main reads the clock")]
async fn main() -> Result<(), StartError> {
    run(Timestamp::now, |service, clock, event| async move {
        Box::pin(restorer::handle(&service, &clock, event)).await
    })
    .await
}
