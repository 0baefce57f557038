//! Volumes of a restore attached, kept as they were, and marked; and what else is set as it was.

use jiff::SignedDuration;
use tracing::warn;

use super::Work;
use crate::domain::ids::{InstanceId, VolumeId};
use crate::domain::restore::Restore;
use crate::domain::snapshot::{ABSENCE_UNCERTAIN, Failure};
use crate::ec2::Ec2;
use crate::ec2::calls::{Call, CallError};

/// What EC2 says of an image, a volume or an instance that it does not know, or not yet.
const SHOWN_LATER: [&str; 3] =
    ["InvalidAMIID.NotFound", "InvalidInstanceID.NotFound", "InvalidVolume.NotFound"];
/// For how long it is tried to have volumes go with their instance as before.
const FLAGS_TRIED_FOR: SignedDuration = SignedDuration::from_mins(1);

impl Work<'_> {
    /// Asks for each attachment, whatever becomes of the others, and answers with what was refused, if anything was. What
    /// EC2 has certainly not attached counts as not asked for.
    pub(super) async fn attach(
        &self,
        ec2: &Ec2,
        places: &[(VolumeId, String)],
        after: &mut Restore,
    ) -> Result<(), CallError> {
        let Some(target) = self.held.mode.target() else { return Ok(()) };
        let (mut refused, mut other) = (Vec::new(), None);
        for (volume, device) in places {
            match ec2.attach_volume((volume, target, device), Call::Real).await {
                Ok(()) => {}
                Err(CallError::Gone(failure)) if self.may_not_show_yet(&failure) => {
                    after.not_attached(volume);
                    let trouble = format!("{}: {}", failure.code, failure.message);
                    other = other.or(Some(CallError::Passing(trouble)));
                }
                Err(CallError::Refused(failure) | CallError::Gone(failure)) => {
                    after.not_attached(volume);
                    refused.push((format!("{volume} at {device}: {}", failure.message), failure));
                }
                Err(error @ CallError::NotPermitted { .. }) => {
                    after.not_attached(volume);
                    other = Some(error);
                }
                Err(error @ CallError::Passing(_)) => other = other.or(Some(error)),
            }
        }
        match (refused.first(), other) {
            (Some((_, first)), _) => {
                let words: Vec<_> = refused.iter().map(|(words, _)| words.as_str()).collect();
                Err(CallError::Refused(Failure::new(&first.code, words.join("; "))))
            }
            (None, Some(error)) => Err(error),
            (None, None) => Ok(()),
        }
    }

    /// Has volumes go with their instance, or stay, as it was before. Where EC2 refuses that, it is noted: nothing waits for
    /// it.
    pub(super) async fn keep_flags(
        &self,
        ec2: &Ec2,
        flags: &[(String, bool)],
        after: &mut Restore,
    ) -> Result<(), CallError> {
        let Some(target) = self.held.mode.target() else { return Ok(()) };
        let refused = self.why_not_set(ec2.set_delete_on_termination(target, flags).await)?;
        after.course.flags_asked = true;
        if let Some(why) = refused {
            let places: Vec<_> =
                flags.iter().map(|(device, goes)| format!("{device} {goes}")).collect();
            after.note(format!(
                "DeleteOnTermination could not be set as it was ({}): {why}; set it by hand",
                places.join(", ")
            ));
        }
        Ok(())
    }

    /// Has the new instance take traffic that is not for itself, as the recorded one did. Where EC2 refuses that, it is noted.
    pub(super) async fn turn_source_check_off(
        &self,
        ec2: &Ec2,
        instance: &InstanceId,
        after: &mut Restore,
    ) -> Result<(), CallError> {
        let refused = self.why_not_set(ec2.turn_source_check_off(instance).await)?;
        after.course.flags_asked = true;
        if let Some(why) = refused {
            after.note(format!(
                "the source/destination check of {instance} could not be turned off as it was: {why}; turn it off by hand"
            ));
        }
        Ok(())
    }

    /// Why EC2 has not set what nothing waits for; none if it has. What may pass is an error for a minute, since the instance
    /// stands still, and then left.
    fn why_not_set(&self, answer: Result<(), CallError>) -> Result<Option<String>, CallError> {
        match answer {
            Ok(()) => Ok(None),
            Err(error @ CallError::Passing(_)) if !self.has_taken(FLAGS_TRIED_FOR) => Err(error),
            Err(CallError::Passing(trouble)) => Ok(Some(trouble)),
            Err(CallError::Gone(failure) | CallError::Refused(failure)) => {
                Ok(Some(failure.message))
            }
            Err(CallError::NotPermitted { right, .. }) => {
                Ok(Some(format!("our role may not {right}")))
            }
        }
    }

    /// Whether EC2 may come to know what it says it does not: what it made a moment ago, and what it showed at the look before
    /// this call. It may take some minutes until all of EC2 does
    /// (<https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>).
    pub(super) fn may_not_show_yet(&self, failure: &Failure) -> bool {
        SHOWN_LATER.contains(&failure.code.as_str()) && !self.has_taken(ABSENCE_UNCERTAIN)
    }

    /// Whether the step at hand has taken as long as this.
    pub(super) fn has_taken(&self, time: SignedDuration) -> bool {
        let begun = self.held.step().and_then(|(_, step)| step.started_at);
        begun.is_none_or(|at| self.now().duration_since(at) >= time)
    }

    /// Takes the sense out of the marks of old volumes that are back in their places: our role may not take tags off.
    pub(super) async fn untag_old(&self, ec2: &Ec2, after: &mut Restore) -> Result<(), CallError> {
        after.before.old_volumes_expire_at = None;
        let ids: Vec<_> = self.held.taken_off().iter().map(|old| old.volume_id.clone()).collect();
        for id in &ids {
            let marks = self.held.marks_of_what_is_back();
            if let Err(error) = ec2.tag_volumes(std::slice::from_ref(id), &marks, Call::Real).await
            {
                warn!(restore.id = %self.held.id, "The marks of {id} stay: {error:?}");
                after.note(format!(
                    "{id} is back in its place and still bears the tag snapkeep:expires-at, which means nothing any more"
                ));
            }
        }
        Ok(())
    }

    /// Marks the old volumes, each by itself: one that cannot be marked is noted, and holds up nothing.
    pub(super) async fn tag_old(&self, ec2: &Ec2, after: &mut Restore) -> Result<(), CallError> {
        let expires_at = self.held.old_volumes_expiry(self.now());
        let tags = self.held.old_volume_tags(expires_at);
        after.before.old_volumes_expire_at = Some(expires_at);
        let mut failure = None;
        for old in self.held.before.old_volumes.iter().flatten() {
            let id = &old.volume_id;
            match ec2.tag_volumes(std::slice::from_ref(id), &tags, Call::Real).await {
                Ok(()) => {}
                Err(CallError::Gone(failure) | CallError::Refused(failure)) => {
                    let note =
                        format!("the old volume {id} could not be marked: {}", failure.message);
                    if !after.notes.contains(&note) {
                        after.notes.push(note);
                    }
                }
                Err(error @ (CallError::Passing(_) | CallError::NotPermitted { .. })) => {
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }
}
