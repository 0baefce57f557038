//! The transitions of an image, each conditional on where it stands.

use jiff::{SignedDuration, Timestamp};

use super::name::derived_name;
use super::recipe::Recipe;
use super::seen::{SeenImage, SeenState};
use super::{Deregistration, Image, ImageStatus, SnapshotDeletion, SnapshotOutcome};
use crate::domain::ids::{ImageId, ImageJobId};
use crate::domain::snapshot::{
    ABSENCE_UNCERTAIN, CreationAttempt, Failure, MISSING_AFTER, Snapshot,
};
use crate::domain::tags::Tags;

/// When the tick looks again at what was asked for, and at what it has made known.
const NUDGE_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// When the tick looks again at what EC2 has put off, or is about to finish.
const SOON: SignedDuration = SignedDuration::from_mins(1);
/// How often an available one is looked at, so that one that others deregister is found missing.
const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(6);

/// The image does not stand where the transition begins; the text says so in words.
type Refusal = String;

/// An image that is wanted.
#[derive(Clone, Debug)]
pub struct WantedImage {
    /// Chosen by the caller, so that asking twice makes one.
    pub id: ImageJobId,
    /// EC2's name of it; one with our identifier if none.
    pub name: Option<String>,
    /// In the caller's words.
    pub description: Option<String>,
    /// Tags for the AMI.
    pub tags: Tags,
    pub who: String,
}

impl Image {
    /// An image of `snapshot` that is wanted, and nothing asked of EC2 yet.
    pub fn requested(
        wanted: WantedImage,
        snapshot: &Snapshot,
        recipe: Recipe,
        now: Timestamp,
    ) -> Self {
        let WantedImage { id, name, description, tags, who } = wanted;
        Self {
            name: name.unwrap_or_else(|| derived_name(&snapshot.name, &id)),
            id,
            version: 1,
            status: ImageStatus::Requested,
            snapshot_id: snapshot.id.clone(),
            instance_id: snapshot.source.instance_id.clone(),
            region: snapshot.source.region.clone(),
            description,
            tags,
            recipe,
            requested_by: who,
            created_at: now,
            ami_id: None,
            registered_at: None,
            ec2_state: None,
            attempt: None,
            failure: None,
            deregistration: None,
            absent_since: None,
            attention_at: later(now, ABSENCE_UNCERTAIN),
            gone_at: None,
        }
    }

    fn next(&self, status: ImageStatus, attention_at: Option<Timestamp>) -> Self {
        Self { version: self.version + 1, status, attention_at, ..self.clone() }
    }

    fn must_be(&self, allowed: &[ImageStatus], verb: &str) -> Result<(), Refusal> {
        if allowed.contains(&self.status) {
            return Ok(());
        }
        let words: Vec<_> = allowed.iter().map(|status| status.as_str()).collect();
        Err(format!(
            "an image that is {} cannot be {verb}; it must be {}",
            self.status,
            words.join(" or ")
        ))
    }

    /// Whether what the last attempt has made may not show yet.
    pub fn is_attempt_uncertain(&self, now: Timestamp) -> bool {
        self.certain_at().is_some_and(|certain_at| now < certain_at)
    }

    /// From when on it is believed that EC2 has nothing of the last attempt, if it shows nothing.
    pub fn certain_at(&self) -> Option<Timestamp> {
        self.attempt.as_ref().and_then(|attempt| later(attempt.started_at, ABSENCE_UNCERTAIN))
    }

    /// An attempt at registering it begins: EC2 is about to be asked. Refused while an earlier one is uncertain.
    pub fn begin_attempt(&self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[ImageStatus::Requested, ImageStatus::Registering], "registered")?;
        if self.ami_id.is_some() {
            return Err("it is registered already".to_owned());
        }
        if self.status == ImageStatus::Registering && self.is_attempt_uncertain(now) {
            return Err("an attempt at registering it is under way".to_owned());
        }
        let number = self.attempt.as_ref().map_or(1, |attempt| attempt.number + 1);
        Ok(Self {
            attempt: Some(CreationAttempt { number, started_at: now }),
            ..self.next(ImageStatus::Registering, later(now, ABSENCE_UNCERTAIN))
        })
    }

    /// EC2 has proven that it did nothing, and may do it later: back to where it was.
    pub fn put_off(&self, failure: Failure, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[ImageStatus::Registering], "put off")?;
        Ok(Self { failure: Some(failure), ..self.next(ImageStatus::Requested, later(now, SOON)) })
    }

    /// EC2 has registered it, now or in an attempt whose answer was lost.
    pub fn registered(&self, ami_id: ImageId, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(
            &[ImageStatus::Requested, ImageStatus::Registering, ImageStatus::Deregistering],
            "found registered",
        )?;
        let status = match self.status {
            ImageStatus::Deregistering => ImageStatus::Deregistering,
            ImageStatus::Requested
            | ImageStatus::Registering
            | ImageStatus::Available
            | ImageStatus::Failed
            | ImageStatus::Deregistered
            | ImageStatus::Missing => ImageStatus::Registering,
        };
        Ok(Self {
            ami_id: Some(ami_id),
            registered_at: Some(now),
            failure: None,
            ..self.next(status, later(now, SOON))
        })
    }

    /// It cannot be registered.
    pub fn fail(&self, failure: Failure) -> Result<Self, Refusal> {
        self.must_be(&[ImageStatus::Requested, ImageStatus::Registering], "failed")?;
        Ok(Self { failure: Some(failure), ..self.next(ImageStatus::Failed, None) })
    }

    /// How it stands by what EC2 shows of its AMI at `now`.
    ///
    /// That EC2 shows nothing is believed at the second look, [`MISSING_AFTER`] after the first, and not within
    /// [`ABSENCE_UNCERTAIN`] of its registration.
    pub fn observed(&self, seen: Option<&SeenImage>, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[ImageStatus::Registering, ImageStatus::Available], "looked at")?;
        let Some(seen) = seen else { return Ok(self.absent(now)) };
        let shown =
            Self { ec2_state: Some(seen.ec2_state.clone()), absent_since: None, ..self.clone() };
        Ok(match seen.state {
            SeenState::Coming => shown.next(self.status, later(now, SOON)),
            SeenState::There => shown.next(ImageStatus::Available, later(now, LOOK_EVERY)),
            SeenState::Failed => {
                let reason = seen.reason.as_deref().unwrap_or("EC2 does not say why");
                let message = format!("EC2 reports the state {}: {reason}", seen.ec2_state);
                let failure = Some(Failure::new("ImageFailed", message));
                Self { failure, ..shown.next(ImageStatus::Failed, None) }
            }
            SeenState::Gone => shown.missing(now),
        })
    }

    fn absent(&self, now: Timestamp) -> Self {
        let registered_at = self.registered_at.unwrap_or(self.created_at);
        if now.duration_since(registered_at) < ABSENCE_UNCERTAIN {
            return self.next(self.status, later(now, SOON));
        }
        match self.absent_since {
            Some(since) if now.duration_since(since) >= MISSING_AFTER => self.missing(now),
            Some(_) => self.next(self.status, later(now, SOON)),
            None => Self {
                absent_since: Some(now),
                ..self.next(self.status, later(now, MISSING_AFTER))
            },
        }
    }

    fn missing(&self, now: Timestamp) -> Self {
        Self { gone_at: Some(now), ec2_state: None, ..self.next(ImageStatus::Missing, None) }
    }

    /// Somebody wants it deregistered, and perhaps its snapshot deleted; nothing if that is on its way or done.
    pub fn deregister(
        &self,
        by: &str,
        snapshot: Option<SnapshotDeletion>,
        now: Timestamp,
    ) -> Option<Self> {
        let past = self.deregistration.as_ref().and_then(|one| one.snapshot.as_ref());
        let is_news = match (&snapshot, past.map(|one| one.outcome)) {
            (None, _) | (Some(_), Some(SnapshotOutcome::Waiting | SnapshotOutcome::Condemned)) => {
                false
            }
            (Some(_), Some(SnapshotOutcome::Refused) | None) => true,
        };
        let status = match self.status {
            ImageStatus::Deregistering | ImageStatus::Deregistered if !is_news => return None,
            // Only its snapshot is left to be looked after.
            ImageStatus::Deregistered => ImageStatus::Deregistered,
            ImageStatus::Requested
            | ImageStatus::Registering
            | ImageStatus::Available
            | ImageStatus::Failed
            | ImageStatus::Deregistering
            | ImageStatus::Missing => ImageStatus::Deregistering,
        };
        let deregistration = Deregistration { by: by.to_owned(), at: now, snapshot };
        let wanted = Self { deregistration: Some(deregistration), failure: None, ..self.clone() };
        let is_done = status == ImageStatus::Deregistered && wanted.waiting_deletion().is_none();
        Some(wanted.next(status, later(now, ABSENCE_UNCERTAIN).filter(|_| !is_done)))
    }

    /// Its deregistration goes on at `until`, or soon.
    pub fn deregistration_put_off(
        &self,
        failure: Option<Failure>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        self.must_be(&[ImageStatus::Deregistering], "put off")?;
        let at = until.or_else(|| later(now, SOON));
        Ok(Self { failure, ..self.next(ImageStatus::Deregistering, at) })
    }

    /// EC2 refuses to deregister it: it stays, and the failure says why.
    pub fn deregistration_refused(
        &self,
        failure: Failure,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        self.must_be(&[ImageStatus::Deregistering], "kept")?;
        Ok(Self {
            failure: Some(failure),
            deregistration: None,
            ..self.next(ImageStatus::Available, later(now, SOON))
        })
    }

    /// EC2 has it no longer.
    pub fn deregistered(&self, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[ImageStatus::Deregistering], "found deregistered")?;
        let attention_at = self.waiting_deletion().and_then(|_| later(now, SOON));
        Ok(Self {
            gone_at: self.gone_at.or(Some(now)),
            ec2_state: None,
            absent_since: None,
            ..self.next(ImageStatus::Deregistered, attention_at)
        })
    }

    /// What became of the deletion of its snapshot; while that waits, it is looked at soon.
    pub fn snapshot_settled(&self, to: SnapshotDeletion, now: Timestamp) -> Result<Self, Refusal> {
        self.must_be(&[ImageStatus::Deregistered], "settled")?;
        let mut settled = self.next(ImageStatus::Deregistered, None);
        if let Some(deregistration) = &mut settled.deregistration {
            deregistration.snapshot = Some(to);
        }
        settled.attention_at = settled.waiting_deletion().and_then(|_| later(now, SOON));
        Ok(settled)
    }

    /// The tick has made it known, and looks at it later.
    #[must_use]
    pub fn nudged(&self, now: Timestamp) -> Self {
        self.next(self.status, later(now, NUDGE_AFTER))
    }
}

fn later(now: Timestamp, by: SignedDuration) -> Option<Timestamp> {
    now.saturating_add(by).ok()
}
