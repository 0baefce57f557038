//! The tick: due slots become runs, due deletions become events, what is stuck is asked for again.

use jiff::Timestamp;
use shared::lambda::{StartError, run};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "a main reads the clock")]
async fn main() -> Result<(), StartError> {
    run(Timestamp::now, |service, clock, event| async move {
        Box::pin(scheduler::handle(&service, &clock, event)).await
    })
    .await
}
