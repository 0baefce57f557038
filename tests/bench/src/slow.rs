//! A way on which each call takes time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use jiff::SignedDuration;

use crate::hands::Hands;

/// How often each operation was called.
pub(crate) type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

/// A way on which each call takes time, and is counted.
#[derive(Clone, Debug)]
pub(crate) struct Slow {
    pub(crate) behind: SharedHttpClient,
    pub(crate) hands: Hands,
    pub(crate) delay: SignedDuration,
    pub(crate) counts: Counts,
}

impl HttpClient for Slow {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let behind = self.behind.http_connector(settings, components);
        SharedHttpConnector::new(SlowConnector { behind, slow: self.clone() })
    }
}

#[derive(Debug)]
struct SlowConnector {
    behind: SharedHttpConnector,
    slow: Slow,
}

impl HttpConnector for SlowConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        *self.slow.counts.lock().unwrap().entry(operation).or_default() += 1;
        let (behind, slow) = (self.behind.clone(), self.slow.clone());
        HttpConnectorFuture::new(async move {
            if !slow.delay.is_zero() {
                slow.hands.sleep(slow.delay).await;
            }
            behind.call(request).await
        })
    }
}
