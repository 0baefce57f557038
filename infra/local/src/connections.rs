//! The connections of the SDK's clients to what stands in for AWS here.

use aws_config::{
    BehaviorVersion, Region, SdkConfig, stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// Both halves of the key that clients here sign with; nobody checks it.
pub const DUMMY_KEY: &str = "local";

/// Clients of this Region that neither read files nor the environment.
pub fn local(region: &str) -> SdkConfig {
    let credentials = Credentials::new(DUMMY_KEY, DUMMY_KEY, None, None, "local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// The same clients, over HTTP to this address. Without TLS: nothing but loopback is meant, and a machine
/// without root certificates will do.
pub fn at(config: SdkConfig, endpoint: &str) -> SdkConfig {
    let plain = aws_smithy_http_client::Builder::new().build_http();
    config.into_builder().endpoint_url(endpoint).http_client(plain).build()
}

/// The same clients, without leaving the process.
pub fn through(config: SdkConfig, client: SharedHttpClient) -> SdkConfig {
    // Nothing is streamed that could stall. The address is never looked up: the client answers whatever it is.
    config
        .into_builder()
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .endpoint_url("http://localhost")
        .http_client(client)
        .build()
}
