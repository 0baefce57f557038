//! Caveats of an instance: things to know before relying on a snapshot of it.

use crate::domain::instance::{Instance, InstanceState, RootKind};

impl Instance {
    /// What about it makes a snapshot of less use than one might think, in words.
    ///
    /// EC2 takes snapshots of instances that can be hibernated, and says that one might not be able to connect to an
    /// instance that is launched from an image of such a snapshot
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-hibernate-limitations.html>).
    pub fn caveats(&self) -> Vec<&'static str> {
        let is_down = matches!(self.state, InstanceState::Stopping | InstanceState::Stopped);
        let hibernation = match (self.can_hibernate, is_down) {
            (false, _) => None,
            (true, false) => Some(
                "hibernation is enabled for the instance: EC2 warns that an instance launched from \
                 this snapshot may be out of reach; restoring its volumes is not affected",
            ),
            (true, true) => Some(
                "hibernation is enabled for the instance, and if it is hibernated its root volume holds \
                 its memory: EC2 warns that an instance launched from this snapshot may be out of \
                 reach; start it and stop it before taking a snapshot to launch from",
            ),
        };
        let root = (self.root == RootKind::InstanceStore).then_some(
            "its root volume is instance store and is in no snapshot; only its EBS volumes are",
        );
        hibernation.into_iter().chain(root).collect()
    }
}
