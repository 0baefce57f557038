//! The calls of EC2 that a restore makes, and the record of each answer.

use super::dry_run::{encrypted_of, new_volume, rehearse};
use super::{Recorded, Work};
use crate::domain::ids::ImageId;
use crate::domain::restore::Restore;
use crate::domain::restore::decision::Act;
use crate::domain::restore::mode::RestoreMode;
use crate::domain::restore::next::SNAPSHOT_FIRST_FAILED;
use crate::domain::restore::seen::RestoreFacts;
use crate::domain::restore::step::{StepName, StepStatus};
use crate::domain::restore::{Course, Made};
use crate::domain::snapshot::Request;
use crate::domain::tags::Tags;
use crate::ec2::Ec2;
use crate::ec2::calls::{Call, CallError};
use crate::ec2::launches::{NewImage, NewInstance};
use crate::error::{Error, chain};
use crate::operations::snapshots;
use crate::operations::snapshots::request::NewSnapshot;

/// What is left of an act that went well.
enum Acted {
    /// The step is behind, with this record.
    Over(Box<Restore>),
    /// EC2 needs a while, with this record.
    Begun(Box<Restore>),
    /// It is done at once, with this record, and the step goes on.
    Noted(Box<Restore>),
}

impl Work<'_> {
    /// Has EC2 do something, once that it is about to be asked is recorded.
    pub(super) async fn carry_out(
        &mut self,
        ec2: &Ec2,
        act: Act,
        seen: &RestoreFacts,
    ) -> Result<(), Error> {
        if act == Act::RequestSnapshot {
            return self.request_first().await;
        }
        if act != Act::Check {
            let now = self.now();
            let creating_at =
                if makes_something(&act) { Some(now) } else { self.held.made.creating_at };
            let claim = Restore {
                course: Course { asked_at: Some(now), ..self.held.course.clone() },
                made: Made { creating_at, ..self.held.made.clone() },
                ..self.held.clone()
            };
            if self.record(claim).await? == Recorded::Overtaken {
                return Ok(());
            }
        }
        let mut after = self.held.clone();
        match self.ask(ec2, act, seen, &mut after).await {
            Ok(Acted::Over(record)) => {
                let done = record.step_over(StepStatus::Done, None, self.now());
                self.record(done).await.map(|_| ())
            }
            Ok(Acted::Noted(record)) => self.record(*record).await.map(|_| ()),
            Ok(Acted::Begun(record)) => self.record(record.released(self.now())).await.map(|_| ()),
            Err(error) => {
                // What came about before the error is known all the same.
                if !matches!(error, CallError::Passing(_)) {
                    after.course.places = seen.places();
                }
                if after != self.held && self.record(after).await? == Recorded::Overtaken {
                    return Ok(());
                }
                self.refused(error).await
            }
        }
    }

    async fn refused(&mut self, error: CallError) -> Result<(), Error> {
        match error {
            CallError::Passing(trouble) => self.troubled(trouble).await,
            CallError::Gone(failure) if self.may_not_show_yet(&failure) => {
                self.troubled(format!("{}: {}", failure.code, failure.message)).await
            }
            CallError::NotPermitted { right, message } => self.fail_for_right(right, message).await,
            CallError::Gone(failure) | CallError::Refused(failure) => {
                self.fail(&failure.code, failure.message).await
            }
        }
    }

    /// Asks EC2, and notes in `after` what came of it, whether all went well or not.
    async fn ask(
        &self,
        ec2: &Ec2,
        act: Act,
        seen: &RestoreFacts,
        after: &mut Restore,
    ) -> Result<Acted, CallError> {
        let restore = &self.held;
        match act {
            Act::Check => {
                rehearse(ec2, restore, seen, self.service.settings.instance_roles).await?;
                return Ok(Acted::Over(Box::new(after.clone())));
            }
            Act::TagOld => {
                let marked = self.tag_old(ec2, after).await;
                let is_down = restore.is_down();
                if let (Err(error), false) = (&marked, is_down) {
                    return Err(error.clone());
                }
                // While the instance stands still nothing waits for marks: they are put on once more at the end.
                return Ok(Acted::Over(Box::new(after.clone())));
            }
            Act::Deregister(images) => {
                for image in &images {
                    ec2.deregister_image(image).await?;
                }
                after.made.image_id = None;
                return Ok(Acted::Over(Box::new(after.clone())));
            }
            Act::RequestSnapshot => {}
            Act::CreateVolumes(positions) => {
                let encrypted = encrypted_of(ec2, restore).await?;
                for position in positions {
                    let new = new_volume(restore, position, &encrypted)?;
                    let made = ec2.create_volume(new, Call::Real).await?;
                    if let Some(planned) = after.made.volumes.get_mut(position) {
                        planned.volume_id = made;
                    }
                }
            }
            Act::Delete(volumes) => {
                for volume in &volumes {
                    ec2.delete_volume(volume).await?;
                }
            }
            Act::ReplaceRoot => after.made.task_id = self.replace_root(ec2).await?,
            Act::RegisterImage => after.made.image_id = self.register_image(ec2).await?,
            Act::RunInstance => after.made.new_instance_id = self.run_instance(ec2).await?,
            Act::Attach(places) => self.attach(ec2, &places, after).await?,
            Act::KeepFlags(flags) => {
                self.keep_flags(ec2, &flags, after).await?;
                return Ok(Acted::Noted(Box::new(after.clone())));
            }
            Act::TurnSourceCheckOff(instance) => {
                self.turn_source_check_off(ec2, &instance, after).await?;
                return Ok(Acted::Noted(Box::new(after.clone())));
            }
            Act::UntagOld => {
                self.untag_old(ec2, after).await?;
                return Ok(Acted::Noted(Box::new(after.clone())));
            }
            Act::Stop | Act::Start | Act::Detach(_) => self.change_instance(ec2, act).await?,
        }
        Ok(Acted::Begun(Box::new(after.clone())))
    }

    async fn change_instance(&self, ec2: &Ec2, act: Act) -> Result<(), CallError> {
        let Some(target) = self.held.mode.target() else { return Ok(()) };
        match act {
            Act::Stop => ec2.stop_instance(target, Call::Real).await,
            Act::Start => ec2.start_instance(target, Call::Real).await,
            Act::Detach(volumes) => {
                for volume in &volumes {
                    ec2.detach_volume(volume, target, Call::Real).await?;
                }
                Ok(())
            }
            Act::Check
            | Act::RequestSnapshot
            | Act::CreateVolumes(_)
            | Act::Attach(_)
            | Act::KeepFlags(_)
            | Act::TagOld
            | Act::UntagOld
            | Act::ReplaceRoot
            | Act::RegisterImage
            | Act::RunInstance
            | Act::TurnSourceCheckOff(_)
            | Act::Deregister(_)
            | Act::Delete(_) => Ok(()),
        }
    }

    async fn replace_root(&self, ec2: &Ec2) -> Result<Option<String>, CallError> {
        let restore = &self.held;
        let (Some(target), Some(volume)) = (restore.mode.target(), restore.made.volumes.first())
        else {
            return Ok(None);
        };
        let tags = restore.made_tags(&restore.part());
        let token = restore.token(StepName::ReplaceRoot, &restore.part());
        ec2.replace_root(target, volume, (&tags, &token), Call::Real).await
    }

    async fn register_image(&self, ec2: &Ec2) -> Result<Option<ImageId>, CallError> {
        let restore = &self.held;
        let RestoreMode::NewInstance(launch) = &restore.mode else { return Ok(None) };
        let image = NewImage {
            name: &restore.image_name(),
            launch,
            volumes: &restore.made.volumes,
            tags: &restore.made_tags(&restore.part()),
        };
        ec2.register_restore_image(image, Call::Real).await
    }

    async fn run_instance(
        &self,
        ec2: &Ec2,
    ) -> Result<Option<crate::domain::ids::InstanceId>, CallError> {
        let restore = &self.held;
        let (RestoreMode::NewInstance(launch), Some(image)) =
            (&restore.mode, &restore.made.image_id)
        else {
            return Ok(None);
        };
        let new = NewInstance {
            image,
            launch,
            volumes: &restore.made.volumes,
            tags: &restore.instance_tags(launch),
            volume_tags: &restore.launched_volume_tags(),
            token: &restore.token(StepName::RunInstance, &restore.part()),
        };
        ec2.run_instance(new).await
    }

    /// Asks for the snapshot that is taken first, in the ordinary way and under an id that follows from the restore's.
    async fn request_first(&mut self) -> Result<(), Error> {
        let restore = &self.held;
        let (Some(id), Some(target)) = (&restore.before.snapshot_first, restore.mode.target())
        else {
            return self.step_over(StepStatus::Skipped, None).await;
        };
        let name = restore.instance_name.as_deref().unwrap_or(target.as_str());
        let wanted = NewSnapshot {
            id: id.clone(),
            instance_id: target.clone(),
            name: Some(format!("{name} before restore").chars().take(256).collect()),
            description: Some(format!("Taken before {} of {}", restore.id, restore.snapshot_id)),
            request: Request { copy_tags: true, ..Request::default() },
            tags: Tags::new(),
            hold: None,
            // It ends with the old volumes, which have the same.
            expires_at: Some(restore.old_volumes_expiry(self.now())),
            restore_until: None,
        };
        let now = self.now();
        match snapshots::request(self.service, wanted, now).await {
            Ok(_) => {
                let what = "for the snapshot of the instance as it is";
                self.record(self.held.waiting(what, now)).await.map(|_| ())
            }
            Err(error @ (Error::Unavailable { .. } | Error::Stale { .. })) => {
                self.troubled(chain(&error)).await
            }
            Err(Error::NotPermitted { action, source }) => {
                self.fail_for_right(action, source.to_string()).await
            }
            Err(error) => self.fail(SNAPSHOT_FIRST_FAILED, error.to_string()).await,
        }
    }
}

fn makes_something(act: &Act) -> bool {
    match act {
        Act::CreateVolumes(_) | Act::ReplaceRoot | Act::RegisterImage | Act::RunInstance => true,
        Act::Check
        | Act::RequestSnapshot
        | Act::Stop
        | Act::Start
        | Act::Detach(_)
        | Act::Attach(_)
        | Act::KeepFlags(_)
        | Act::TurnSourceCheckOff(_)
        | Act::TagOld
        | Act::UntagOld
        | Act::Deregister(_)
        | Act::Delete(_) => false,
    }
}
