//! Brings records in line with EC2 when EC2 says that an EBS snapshot has changed.

use jiff::Timestamp;
use shared::lambda::{StartError, run};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "a main reads the clock")]
async fn main() -> Result<(), StartError> {
    run(Timestamp::now, |service, clock, event| async move {
        Box::pin(tracker::handle(&service, &clock, event)).await
    })
    .await
}
