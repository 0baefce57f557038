//! Which installation's the table is.

use serde::{Deserialize, Serialize};

use super::client::{Condition, Table};
use super::keys;
use super::record::Record;
use crate::domain::installation::InstallationId;
use crate::error::Error;

#[derive(Serialize, Deserialize)]
struct Installed {
    installation: InstallationId,
}

impl Table {
    /// Whose it is; nobody's before somebody has said so.
    pub async fn installation(&self) -> Result<Option<InstallationId>, Error> {
        let installed: Option<Installed> = self.get(keys::installation()).await?;
        Ok(installed.map(|one| one.installation))
    }

    /// Makes it this installation's, unless it is somebody's; answers whose it is then.
    pub async fn install(&self, id: &InstallationId) -> Result<InstallationId, Error> {
        if let Some(known) = self.installation().await? {
            return Ok(known);
        }
        let record = Record {
            key: keys::installation(),
            version: 1,
            indexes: Vec::new(),
            body: &Installed { installation: id.clone() },
            expires_at: None,
        };
        _ = self.put(record, Condition::Absent).await?;
        // Somebody may have been first.
        Ok(self.installation().await?.unwrap_or_else(|| id.clone()))
    }
}
