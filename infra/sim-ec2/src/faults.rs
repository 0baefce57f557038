//! Faults of calls, on request.

use std::time::Duration;

use jiff::SignedDuration;

use crate::{errors::Ec2Error, state::instance::StateReason};

/// A rule: which calls go wrong, and how.
///
/// Without anything else said, the next call of the action ends in a 500 with nothing done.
#[derive(Clone, Debug)]
pub struct Fault {
    action: String,
    /// None is every Region.
    region: Option<String>,
    skip: u64,
    times: u64,
    trouble: Trouble,
    after: SignedDuration,
}

/// How a call goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// The change is made, the answer never arrives.
    ReplyLost(Loss),
    /// Nothing is done, and no answer arrives.
    Unreached(Loss),
    /// Nothing is done, and this is the answer.
    Error(Ec2Error),
    /// The answer is right, but comes late.
    Slow(Duration),
    /// One of the snapshots that are begun, the volume, or the replacement of a root volume, will fail.
    MemberFails,
    /// What is started or launched never comes to run.
    NeverRuns(StateReason),
}

/// What the client notices of an answer that does not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The connection was reset.
    Reset,
    /// The client waited as long as it was willing to.
    TimedOut,
}

impl Fault {
    /// A rule for calls of `action`; `*` are all actions.
    pub fn on(action: &str) -> Self {
        Self {
            action: action.to_owned(),
            region: None,
            skip: 0,
            times: 1,
            trouble: Trouble::Error(Ec2Error::internal()),
            after: SignedDuration::ZERO,
        }
    }

    /// Only calls to this Region's endpoint.
    #[must_use]
    pub fn in_region(self, region: &str) -> Self {
        Self { region: Some(region.to_owned()), ..self }
    }

    /// The first `calls` of them go well.
    #[must_use]
    pub fn skip(self, calls: u64) -> Self {
        Self { skip: calls, ..self }
    }

    /// The rule is spent after `calls` calls (1 unless said).
    #[must_use]
    pub fn times(self, calls: u64) -> Self {
        Self { times: calls, ..self }
    }

    /// The change is made, then the connection is reset before the answer.
    #[must_use]
    pub fn reply_lost(self) -> Self {
        Self { trouble: Trouble::ReplyLost(Loss::Reset), ..self }
    }

    /// The change is made, but the client has stopped waiting for the answer.
    #[must_use]
    pub fn reply_timed_out(self) -> Self {
        Self { trouble: Trouble::ReplyLost(Loss::TimedOut), ..self }
    }

    /// Nothing is done, and the client waits in vain.
    #[must_use]
    pub fn timeout(self) -> Self {
        Self { trouble: Trouble::Unreached(Loss::TimedOut), ..self }
    }

    /// Nothing is done, and the connection is reset.
    #[must_use]
    pub fn reset(self) -> Self {
        Self { trouble: Trouble::Unreached(Loss::Reset), ..self }
    }

    /// Nothing is done, and the answer is `InternalError`, 500.
    #[must_use]
    pub fn internal_error(self) -> Self {
        Self { trouble: Trouble::Error(Ec2Error::internal()), ..self }
    }

    /// Nothing is done, and the answer is this error.
    #[must_use]
    pub fn error(self, code: &str, status: u16) -> Self {
        let error = Ec2Error::with_status(code, format!("A fault was asked for: {code}"), status);
        Self { trouble: Trouble::Error(error), ..self }
    }

    /// Nothing is done, and the answer is this error in these words.
    #[must_use]
    pub fn refused(self, code: &str, words: &str) -> Self {
        Self { trouble: Trouble::Error(Ec2Error::new(code, words)), ..self }
    }

    /// The answer comes late: with a clock that runs by itself the call waits, and a clock that
    /// is set by hand is moved on instead.
    #[must_use]
    pub fn slow(self, milliseconds: u64) -> Self {
        Self { trouble: Trouble::Slow(Duration::from_millis(milliseconds)), ..self }
    }

    /// One snapshot of the set that is begun will end in error, and the whole set with it; so will
    /// a single snapshot, a copy, or the replacement of a root volume. A volume is made and vanishes soon after, without a
    /// word, as where its KMS key may not be used (<https://github.com/kubernetes/kubernetes/issues/62171>).
    #[must_use]
    pub fn member_fails(self) -> Self {
        Self { trouble: Trouble::MemberFails, ..self }
    }

    /// `StartInstances` or `RunInstances` is accepted, and the instance ends as stopped or terminated with this code and
    /// these words as the reason of its state, as where a KMS key may not be used
    /// (<https://repost.aws/knowledge-center/kms-iam-ec2-permission>).
    #[must_use]
    pub fn never_runs(self, code: &str, words: &str) -> Self {
        Self { trouble: Trouble::NeverRuns(StateReason::of(code, words)), ..self }
    }

    /// A clock that is set by hand is moved on by this when the fault strikes, as the client
    /// needs time to notice.
    #[must_use]
    pub fn noticed_after(self, after: SignedDuration) -> Self {
        Self { after, ..self }
    }

    pub(crate) fn strike(
        &mut self,
        region: &str,
        action: &str,
    ) -> Option<(Trouble, SignedDuration)> {
        let is_meant = self.action == "*" || self.action == action;
        let is_there = self.region.as_ref().is_none_or(|wanted| wanted == region);
        if self.times == 0 || !is_meant || !is_there {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times -= 1;
        Some((self.trouble.clone(), self.after))
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.times == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_skips_then_strikes_then_is_spent() {
        let mut fault = Fault::on("CreateTags").skip(1).times(2).internal_error();

        let struck: Vec<bool> =
            ["CreateTags", "DeleteTags", "CreateTags", "CreateTags", "CreateTags"]
                .map(|action| fault.strike("us-east-1", action).is_some())
                .into();

        assert_eq!(struck, [false, false, true, true, false]);
        assert!(fault.is_spent());
    }

    #[test]
    fn a_fault_of_one_region_leaves_the_others_alone() {
        let mut fault = Fault::on("*").in_region("eu-west-1").times(2);

        let struck = ["us-east-1", "eu-west-1", "us-east-1", "eu-west-1"]
            .map(|region| fault.strike(region, "CreateTags").is_some());

        assert_eq!(struck, [false, true, false, true]);
    }
}
