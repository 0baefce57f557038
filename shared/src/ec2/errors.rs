//! Errors of EC2, as they matter to us.
//!
//! The codes are those of <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::domain::ids::ImageId;
use crate::domain::snapshot::Failure;
use crate::error::{BoxError, Error};

/// What an error proves.
#[derive(Debug)]
pub enum Meaning {
    /// Nothing was done, for now: too many calls, or a limit that frees itself.
    NotNow(Failure),
    /// Nothing was done: there is no such thing.
    Gone(Failure),
    /// Nothing was done: an image uses it, or fast snapshot restore.
    InUse(Failure),
    /// Nothing was done: it is locked.
    Locked(Failure),
    /// Nothing was done: our role may not.
    NotPermitted(Failure),
    /// Nothing was done, and the same call will not do better.
    Refused(Failure),
    /// Something may have been done.
    Unknown,
}

/// Limits that free themselves: asked again later, EC2 does it.
const NOT_NOW: [&str; 10] = [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "RequestThrottled",
    "SnapshotCreationPerVolumeRateExceeded",
    "ConcurrentSnapshotLimitExceeded",
    "ConcurrentCreateSnapshotLimitExceeded",
    "SnapshotLimitExceeded",
    "ResourceLimitExceeded",
    "PendingSnapshotLimitExceeded",
];
const NOT_PERMITTED: [&str; 5] = [
    "UnauthorizedOperation",
    "AuthFailure",
    "OptInRequired",
    "AccessDenied",
    "InvalidClientTokenId",
];

/// What `error` proves.
pub fn meaning<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Meaning {
    let SdkError::ServiceError(answer) = error else { return Meaning::Unknown };
    let code = answer.err().code().unwrap_or_default();
    let message = answer.err().message().unwrap_or_default();
    let failure = || Failure::new(code, message);
    if NOT_NOW.contains(&code) {
        Meaning::NotNow(failure())
    } else if code.ends_with(".NotFound") {
        Meaning::Gone(failure())
    } else if code == "InvalidSnapshot.InUse" {
        Meaning::InUse(failure())
    } else if code == "SnapshotLocked" || message.contains("is locked") {
        Meaning::Locked(failure())
    } else if NOT_PERMITTED.contains(&code) {
        Meaning::NotPermitted(failure())
    } else if answer.raw().status().is_client_error() {
        Meaning::Refused(failure())
    } else {
        Meaning::Unknown
    }
}

/// Our error for one of EC2's that its caller has no use for.
pub(super) fn failed<E>(action: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match meaning(&error) {
        Meaning::NotPermitted(_) => {
            Error::NotPermitted { action: format!("ec2:{action}"), source: error.into() }
        }
        Meaning::NotNow(_) | Meaning::Unknown => {
            Error::Unavailable { service: "EC2", source: error.into() }
        }
        Meaning::Gone(_) | Meaning::InUse(_) | Meaning::Locked(_) | Meaning::Refused(_) => {
            Error::internal(format!("asking EC2 for {action}"), BoxError::from(error))
        }
    }
}

/// The first image that "The snapshot snap-… is currently in use by ami-…" names.
pub(super) fn image_in(message: &str) -> Option<ImageId> {
    let start = message.find("ami-")?;
    let text = message.get(start..)?;
    let end = text.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
    text.get(..end.unwrap_or(text.len()))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_in_the_way_is_found_in_the_text() {
        let message =
            "The snapshot snap-0123456789abcdef0 is currently in use by ami-0123456789abcdef1";

        assert_eq!(image_in(message).unwrap().as_str(), "ami-0123456789abcdef1");
        assert_eq!(image_in(&format!("{message}.")).unwrap().as_str(), "ami-0123456789abcdef1");
        assert_eq!(
            image_in(&format!("{message}, ami-0123456789abcdef2")).unwrap().as_str(),
            "ami-0123456789abcdef1"
        );
        assert_eq!(image_in("in use"), None);
        // Recorded in github.com/rebuy-de/aws-nuke/issues/453: no image at all.
        let fast = "The snapshot snap-00e4b125ff8f080bf is currently enabled for fast restores in eu-west-1b. Fast \
                    snapshot restores must be disabled within all Availability Zones before the snapshot may be deleted.";
        assert_eq!(image_in(fast), None);
    }
}
