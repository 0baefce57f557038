//! How often EC2 is called, and how often it says that this is too often.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::metrics::{Metric, Metrics};

/// Too many calls (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html>).
const TOO_MANY: &[u8] = b"<Code>RequestLimitExceeded</Code>";

/// Counts every answer, those that the SDK tries again as well.
#[derive(Clone, Debug)]
pub(super) struct CallCount(pub(super) Metrics);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for CallCount {
    fn name(&self) -> &'static str {
        "CallCount"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.count(Metric::Ec2Calls);
        let response = context.response();
        let body = response.body().bytes().unwrap_or_default();
        let says_so = || body.windows(TOO_MANY.len()).any(|part| part == TOO_MANY);
        if response.status().as_u16() == 503 && says_so() {
            self.0.count(Metric::Ec2Throttled);
        }
        Ok(())
    }
}
