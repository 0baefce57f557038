//! The outcome of a call that changes something and may be repeated.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::errors::{Meaning, meaning};
use crate::domain::snapshot::Failure;
use crate::error::chain;

/// Refusals that a second look explains: something is on its way, or was done by an earlier attempt.
const LOOK_AGAIN: [&str; 5] = [
    "IncorrectState",
    "IncorrectInstanceState",
    "VolumeInUse",
    "InvalidAttachment.NotFound",
    "InvalidAMIName.Duplicate",
];

/// Whether something is to be done, or only tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// It is to be done.
    Real,
    /// EC2 is asked whether our role may; nothing is done.
    Rehearsal,
}

/// Why a call did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// It may have been done, or may be later: look, and ask again.
    Passing(String),
    /// There is no such thing, or it does not show yet.
    Gone(Failure),
    /// Our role may not.
    NotPermitted {
        /// The AWS action.
        right: String,
        /// What EC2 said.
        message: String,
    },
    /// EC2 did nothing, and will not.
    Refused(Failure),
}

/// The answer of a call of this action, or what its error means.
pub(super) fn called<T, E>(
    action: &str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<T, CallError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let error = match answer {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    let passing = |failure: Failure| {
        CallError::Passing(format!("{action}: {}: {}", failure.code, failure.message))
    };
    Err(match meaning(&error) {
        Meaning::NotNow(failure) => passing(failure),
        Meaning::Refused(failure) if is_explained_by_a_look(&failure) => passing(failure),
        Meaning::Refused(failure) => CallError::Refused(failure),
        Meaning::NotPermitted(failure) => {
            CallError::NotPermitted { right: format!("ec2:{action}"), message: failure.message }
        }
        Meaning::Gone(failure) if LOOK_AGAIN.contains(&failure.code.as_str()) => passing(failure),
        Meaning::Gone(failure) => CallError::Gone(failure),
        Meaning::InUse(_) | Meaning::Locked(_) | Meaning::Unknown => {
            CallError::Passing(format!("{action}: {}", chain(&error)))
        }
    })
}

/// Whether a second look explains the refusal. A volume with Marketplace codes is never attached to a running instance.
fn is_explained_by_a_look(failure: &Failure) -> bool {
    LOOK_AGAIN.contains(&failure.code.as_str()) && !failure.message.contains("Marketplace codes")
}

/// Refusals of what is to be changed that nothing but a person's change of it ends.
const FOR_GOOD: [&str; 2] = ["OperationNotPermitted", "UnsupportedOperation"];

/// Whether our role may do what was tried out, and EC2 has nothing else against it for good, such as a protection. EC2 need
/// not look at that in a dry run; where it does, it is known before anything is changed.
pub(super) fn rehearsed_to_the_end<T, E>(
    action: &str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<(), CallError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if let Err(error) = &answer
        && let Meaning::Refused(failure) = meaning(error)
        && FOR_GOOD.contains(&failure.code.as_str())
    {
        return Err(CallError::Refused(failure));
    }
    rehearsed(action, answer)
}

/// Whether our role may do what was tried out. Whatever else EC2 says against it is found out when it is done.
pub(super) fn rehearsed<T, E>(
    action: &str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<(), CallError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let Err(error) = answer else { return Ok(()) };
    match meaning(&error) {
        Meaning::NotPermitted(failure) => Err(CallError::NotPermitted {
            right: format!("ec2:{action}"),
            message: failure.message,
        }),
        Meaning::NotNow(failure) => {
            Err(CallError::Passing(format!("{action}: {}", failure.message)))
        }
        Meaning::Unknown => Err(CallError::Passing(format!("{action}: {}", chain(&error)))),
        // `DryRunOperation`, which says that it would have succeeded, or a refusal that comes after that check.
        Meaning::Refused(_) | Meaning::Gone(_) | Meaning::InUse(_) | Meaning::Locked(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Recorded: EC2 refuses it as long as the instance runs, with the code of what is on its way.
    #[test]
    fn a_volume_of_the_marketplace_is_not_waited_for() {
        let refusal =
            |message| is_explained_by_a_look(&Failure::new("IncorrectInstanceState", message));

        assert!(refusal("Instance 'i-0123456789abcdef0' is not 'running'."));
        assert!(!refusal(
            "Cannot attach volume 'vol-0123456789abcdef0' with Marketplace codes as the instance \
             'i-0123456789abcdef0' is not in the 'stopped' state."
        ));
    }
}
