//! The mark of what is condemned, on EBS snapshots. Without it IAM refuses their deletion.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::Tag;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::errors::{Meaning, failed, meaning};
use super::{Ec2, TAGGED_MAX};
use crate::domain::ids::EbsSnapshotId;
use crate::domain::snapshot::Failure;
use crate::domain::tags;
use crate::error::Error;

/// After how many that EC2 refuses one by one the others are left for another time: where nothing may be tagged, each would
/// take two calls.
const REFUSED_MAX: usize = 50;

/// What became of the marks that were to be put on or taken off.
#[derive(Debug, Default)]
pub struct Marking {
    /// The EBS snapshots that EC2 refuses this for, and its words.
    pub refused: Vec<(EbsSnapshotId, Failure)>,
    /// Why others were not tried to the end, if so.
    pub failure: Option<Error>,
}

/// Which of both.
#[derive(Clone, Copy)]
enum Change {
    PutOn,
    TakeOff,
}

impl Ec2 {
    /// Marks these EBS snapshots as condemned, 1,000 a call. `CreateTags` is for all or for none: where EC2 refuses, the
    /// one that it refuses is looked for, and the others are marked.
    pub async fn mark_condemned(&self, ids: &[EbsSnapshotId]) -> Marking {
        self.change_marks(ids, Change::PutOn).await
    }

    /// Takes the mark off again, as [`Ec2::mark_condemned`] puts it on. One that does not bear it is left as it is.
    pub async fn unmark_condemned(&self, ids: &[EbsSnapshotId]) -> Marking {
        self.change_marks(ids, Change::TakeOff).await
    }

    async fn change_marks(&self, ids: &[EbsSnapshotId], change: Change) -> Marking {
        let mut marking = Marking::default();
        let mut waiting: Vec<_> = ids.chunks(TAGGED_MAX).rev().collect();
        while let Some(chunk) = waiting.pop() {
            let Err((meaning, error)) = self.change_marks_of(chunk, change).await else { continue };
            let failure = match meaning {
                Meaning::NotPermitted(failure) | Meaning::Refused(failure) => Some(failure),
                // One that is gone needs no mark.
                Meaning::Gone(_) => None,
                Meaning::InUse(_) | Meaning::Locked(_) => {
                    Some(Failure::new("Refused", error.to_string()))
                }
                Meaning::NotNow(_) | Meaning::Unknown => {
                    marking.failure = Some(error);
                    return marking;
                }
            };
            if let [one] = chunk {
                marking.refused.extend(failure.map(|failure| (one.clone(), failure)));
            } else {
                let (first, second) = chunk.split_at(chunk.len() / 2);
                waiting.extend([second, first]);
            }
            if marking.refused.len() >= REFUSED_MAX && !waiting.is_empty() {
                marking.failure = Some(error);
                return marking;
            }
        }
        marking
    }

    async fn change_marks_of(
        &self,
        ids: &[EbsSnapshotId],
        change: Change,
    ) -> Result<(), (Meaning, Error)> {
        let ids = Some(ids.iter().map(ToString::to_string).collect());
        let tag = Tag::builder().key(tags::STATE).value(tags::CONDEMNED).build();
        match change {
            Change::PutOn => {
                let call = self.client.create_tags().set_resources(ids).tags(tag);
                call.send().await.map(|_| ()).map_err(|error| told("CreateTags", error))
            }
            Change::TakeOff => {
                let call = self.client.delete_tags().set_resources(ids).tags(tag);
                call.send().await.map(|_| ()).map_err(|error| told("DeleteTags", error))
            }
        }
    }
}

/// What an error means, and ours for it.
fn told<E>(action: &str, error: SdkError<E, HttpResponse>) -> (Meaning, Error)
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    (meaning(&error), failed(action, error))
}
