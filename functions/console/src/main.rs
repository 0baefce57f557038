//! The page, as a Lambda behind `GET /` and `GET /assets/…`.

use std::sync::Arc;

use console::{Console, Settings};
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "a main reads the environment")]
async fn main() -> Result<(), Error> {
    let console = Arc::new(Console::new(Settings::from_lookup(|name| std::env::var(name).ok())));
    run(service_fn(|request: Request| {
        let console = Arc::clone(&console);
        async move { Ok::<_, Error>(console.handle(&request)) }
    }))
    .await
}
