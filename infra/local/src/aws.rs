//! `--aws`: the real EC2 and DynamoDB of whoever runs this.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    time::Duration,
};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use shared::{domain::installation::InstallationId, table::Table};

use crate::{StartError, options::Options};

/// How long a new table may take to be ready.
const TABLE_READY_SECONDS_MAX: u32 = 120;

/// The caller's account.
#[derive(Clone, Debug)]
pub struct Account {
    /// How its services are reached.
    pub config: SdkConfig,
    /// Its Region.
    pub region: String,
}

impl Account {
    /// The account that the environment and the AWS configuration name.
    pub async fn find() -> Result<Self, StartError> {
        let config = aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await;
        let Some(region) = config.region().map(ToString::to_string) else {
            let reason = "--aws: no region is set: set AWS_REGION, or one in your AWS profile";
            return Err(StartError::Options(reason.to_owned()));
        };
        let Some(provider) = config.credentials_provider() else {
            let reason = "--aws: no AWS credentials are configured";
            return Err(StartError::Options(reason.to_owned()));
        };
        provider
            .provide_credentials()
            .await
            .map_err(|error| StartError::failed("--aws: no AWS credentials were found", error))?;
        Ok(Self { config, region })
    }
}

/// Whose the table is, if it is there and says so: a run goes on as the installation that has made its records.
pub async fn installation(table: &Table) -> Result<Option<InstallationId>, StartError> {
    let failed = |error| StartError::failed("whose the table is", error);
    if !table.is_ready().await.map_err(failed)? {
        return Ok(None);
    }
    table.installation().await.map_err(failed)
}

/// Makes the table this installation's. One that is another's is refused: its snapshots would be nobody's here.
pub async fn install(table: &Table, id: &InstallationId) -> Result<(), StartError> {
    let known = table.install(id).await;
    let known = known.map_err(|error| StartError::failed("whose the table is", error))?;
    if known == *id {
        return Ok(());
    }
    Err(StartError::Declined(format!(
        "The table is the installation {known}'s, and SNAPKEEP_INSTALLATION is {id}."
    )))
}

/// Makes sure that the table is there. Before it is made, somebody is asked.
pub async fn ensure_table(
    table: &Table,
    name: &str,
    region: &str,
    options: &Options,
) -> Result<(), StartError> {
    let failed = |error| StartError::failed(format!("table {name}"), error);
    if table.is_ready().await.map_err(failed)? {
        return match table.missing_indexes().await.map_err(failed)?.as_slice() {
            [] => Ok(()),
            missing => Err(StartError::Declined(format!(
                "table {name} is of an earlier version and lacks the indexes {}: add them one at a time as infra/template.yaml has them, \
                 as infra/template.yaml has them",
                missing.join(", ")
            ))),
        };
    }
    let plan = format!(
        "Snapkeep keeps its records in the DynamoDB table {name} of {region}, which is not there (or not yet \
         ready).\nIt would be created now: billed by request, with eight indexes, without deletion \
         protection and point-in-time recovery.\n"
    );
    if !options.yes {
        confirm(&plan)?;
    }
    table.create().await.map_err(failed)?;
    for _ in 0..TABLE_READY_SECONDS_MAX {
        if table.is_ready().await.map_err(failed)? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(StartError::Declined(format!("table {name} is not ready yet: start again in a minute")))
}

/// A token that nobody guesses.
pub(crate) fn token() -> Result<String, StartError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| StartError::failed("a token", error))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn confirm(plan: &str) -> Result<(), StartError> {
    let failed = |error| StartError::failed("the terminal", error);
    if !io::stdin().is_terminal() {
        let how = "Nobody can be asked here: say --yes to have it created.";
        return Err(StartError::Declined(format!("{plan}{how}")));
    }
    let mut terminal = io::stderr().lock();
    write!(terminal, "{plan}Create it? [y/N] ").map_err(failed)?;
    terminal.flush().map_err(failed)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(StartError::Declined("No table was created.".to_owned())),
    }
}
