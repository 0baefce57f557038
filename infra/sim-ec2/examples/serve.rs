//! The simulated EC2 on a loopback port, by the machine's clock: `serve PORT`.

use std::error::Error;

use jiff::Timestamp;
use sim_ec2::{Clock, Config, SimEc2};
use tokio::net::TcpListener;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the address is what this program is asked for")]
async fn main() -> Result<(), Box<dyn Error>> {
    let port: u16 = match std::env::args().nth(1) {
        Some(port) => port.parse()?,
        None => 0,
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, SimEc2::new(Config::default(), clock()).router()).await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a main reads the clock")]
fn clock() -> Clock {
    Clock::from_fn(Timestamp::now)
}
