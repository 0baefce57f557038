//! What stands in for AWS in a run, and the folder it is kept in.

use std::{collections::BTreeMap, fs, future::Future, path::PathBuf, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use shared::operations::reconciliation::recount::recount;
use sim_ec2::{Clock, Config, InstanceState, SimEc2, Throttling};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use crate::{
    Options, StartError,
    clock::{RealTime, SimulatedClock},
    connections, demo,
    demo::{Beginning, Recorded, Size},
    dispatch::Identity,
    endpoints::{dynamodb::KeptDynamoDb, ec2::KeptEc2},
    samples,
    server::{Port, Stage, reached, serve},
    state::DataFolder,
    world::{self, Parts, World},
};

/// How often the time is written down, and for how long that holds.
const TIME_KEPT_EVERY: Duration = Duration::from_millis(500);
const TIME_KEPT_FOR: SignedDuration = SignedDuration::from_secs(2);

/// DynamoDB and EC2 here.
#[derive(Debug)]
pub(super) struct Simulated {
    pub(super) folder: Arc<DataFolder>,
    pub(super) clock: SimulatedClock,
    /// Where DynamoDB answers.
    pub(super) dynamodb: String,
    table: KeptDynamoDb,
    ec2: KeptEc2,
    ec2_port: Option<Port>,
    history: History,
    servers: JoinSet<()>,
    /// What the table gets, once, when a demonstration begins.
    beginning: Option<Beginning>,
    is_demonstration: bool,
}

/// Whether there was a run before this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum History {
    First,
    Continued,
}

impl Simulated {
    pub(super) async fn start(
        options: &Options,
        real: RealTime,
        stage: &watch::Receiver<Stage>,
    ) -> Result<Self, StartError> {
        let path = options.data.clone().map_or_else(|| default_path(options), Ok)?;
        let folder = DataFolder::open(&path)?;
        let ec2_port = Port::take(options.ec2_port, "--ec2-port").await?;
        let dynamodb_port = Port::take(options.dynamodb_port, "--dynamodb-port").await?;
        if options.fresh {
            folder.wipe()?;
        }
        let beginning = begin_demonstration(options, &folder)?;
        let is_demonstration = beginning.is_some() || folder.is_demonstration();
        let clock = match (folder.time()?, is_demonstration) {
            // Its time is its own, whatever the calendar says.
            (Some(time), true) => SimulatedClock::at(real, options.speed, time),
            (time, _) => SimulatedClock::start(real, options.speed, time),
        };
        keep(&folder, &clock).map_err(|error| StartError::file(folder.path(), error))?;
        let (ec2, history) = load_ec2(&folder, &clock)?;
        let dynamodb = dynamodb_port.url();
        let mut servers = JoinSet::new();
        let table = open_table(&folder)?;
        let beginning = beginning.map(|(items, is_counted)| Beginning {
            database: table.database().clone(),
            items,
            is_counted,
        });
        let router = table.router();
        servers.spawn(serve(dynamodb_port, router, stage.clone(), Stage::Closing));
        let folder = Arc::new(folder);
        let ec2_port = Some(ec2_port);
        Ok(Self {
            folder,
            clock,
            dynamodb,
            table,
            ec2,
            ec2_port,
            history,
            servers,
            beginning,
            is_demonstration,
        })
    }

    /// What a world is made of; functions are held to the template's roles unless the options say otherwise.
    pub(super) fn parts(
        &self,
        mut environment: BTreeMap<String, String>,
        options: &Options,
    ) -> Parts {
        if self.is_demonstration {
            environment.extend(demo::environment());
        }
        let Config { account, region, .. } = self.ec2.simulation().config().clone();
        let base = connections::local(&region);
        Parts {
            identity: Identity { account, region },
            table: world::TABLE.to_owned(),
            ec2: connections::through(base.clone(), self.ec2.http_client()),
            dynamodb: connections::through(base, self.table.http_client()),
            simulation: Some(self.ec2.simulation().clone()),
            clock: self.clock.for_functions(),
            speed: self.clock.speed(),
            environment,
            token: None,
            rights: (!options.every_right).then(|| self.ec2.simulation().clone()),
        }
    }

    pub(super) async fn make_table(&mut self, world: &World) -> Result<(), StartError> {
        let service = world.owner();
        let failed = |error| StartError::failed("the table", error);
        if !service.table.is_ready().await.map_err(failed)? {
            service.table.create().await.map_err(failed)?;
        }
        // A folder of an earlier version. This DynamoDB fills an index while it is being added.
        for index in service.table.missing_indexes().await.map_err(failed)? {
            tracing::info!("The table gets the index {index}");
            service.table.add_index(&index).await.map_err(failed)?;
        }
        if let Some(beginning) = self.beginning.take() {
            let is_counted = beginning.is_counted;
            beginning.load(world::TABLE)?;
            if !is_counted {
                let failed = |error| StartError::failed("counting the demonstration", error);
                _ = recount(service, self.clock.now()).await.map_err(failed)?;
            }
            // Last: what is not whole is no demonstration, and is refused until it is deleted.
            let failed = |error| StartError::file(self.folder.path(), error);
            self.folder.mark_demonstration().map_err(failed)?;
        }
        Ok(())
    }

    /// Serves EC2 on its port; comes back with where.
    pub(super) fn serve_ec2(&mut self, world: &World, stage: &watch::Receiver<Stage>) -> String {
        let Some(port) = self.ec2_port.take() else { return String::new() };
        let url = port.url();
        let router = self.ec2.router(world.bus().clone());
        self.servers.spawn(serve(port, router, stage.clone(), Stage::Closing));
        url
    }

    pub(super) fn is_demonstration(&self) -> bool {
        self.is_demonstration
    }

    pub(super) fn is_continued(&self) -> bool {
        self.history == History::Continued
    }

    /// A running instance with volumes, to try things on.
    pub(super) fn first_instance(&self) -> Option<String> {
        let instances = self.ec2.simulation().instances();
        let good = |state, devices: usize| state == InstanceState::Running && devices > 0;
        let mut fit = instances.into_iter().filter(|each| good(each.state, each.devices.len()));
        fit.next().map(|instance| instance.id)
    }

    /// Writes the time down again and again until the run is draining.
    pub(super) fn keep_time(
        &self,
        stages: watch::Receiver<Stage>,
    ) -> impl Future<Output = &'static str> + Send + 'static + use<> {
        let (folder, clock) = (Arc::clone(&self.folder), self.clock.clone());
        async move {
            let mut end = Box::pin(reached(stages, Stage::Draining));
            loop {
                tokio::select! {
                    () = tokio::time::sleep(TIME_KEPT_EVERY) => {}
                    () = &mut end => return "the time",
                }
                if let Err(error) = keep(&folder, &clock) {
                    tracing::warn!("The time cannot be written down: {error}");
                }
            }
        }
    }

    pub(super) async fn close(mut self, at_most: Duration) -> Result<(), StartError> {
        let all = async { while self.servers.join_next().await.is_some() {} };
        if timeout(at_most, all).await.is_err() {
            self.servers.abort_all();
        }
        let failed = |error| StartError::file(self.folder.path(), error);
        self.ec2.save().map_err(failed)?;
        self.folder.keep_time(self.clock.now()).map_err(failed)
    }
}

/// No later run begins before this one's time: what is written is a little ahead, so that it holds even if
/// the process is killed.
fn keep(folder: &DataFolder, clock: &SimulatedClock) -> std::io::Result<()> {
    let ahead =
        i32::try_from(clock.speed()).ok().and_then(|speed| TIME_KEPT_FOR.checked_mul(speed));
    let until = clock.now().checked_add(ahead.unwrap_or(TIME_KEPT_FOR));
    folder.keep_time(until.unwrap_or(Timestamp::MAX))
}

/// A demonstration has a folder of its own, so that it never stands where somebody's own trials are.
fn default_path(options: &Options) -> Result<PathBuf, StartError> {
    let path = DataFolder::default_path()?;
    Ok(match options.demonstration() {
        Some(Size::Recorded) => path.join("demonstration"),
        Some(Size::Big) => path.join("big-demonstration"),
        None => path,
    })
}

/// Puts the recorded account into a folder that nothing was in; comes back with what the table gets, and whether its numbers
/// are those of its records.
fn begin_demonstration(
    options: &Options,
    folder: &DataFolder,
) -> Result<Option<(Vec<String>, bool)>, StartError> {
    let Some(size) = options.demonstration().filter(|_| !folder.is_demonstration()) else {
        return Ok(None);
    };
    if folder.ec2().exists() {
        let reason = format!(
            "{} has a run of its own: --demo wants another folder (--data), or --fresh, which deletes what is there",
            folder.path().display()
        );
        return Err(StartError::Options(reason));
    }
    let Recorded { time, ec2, items } = demo::history(size)?;
    let failed = |error| StartError::file(folder.path(), error);
    fs::write(folder.ec2(), ec2.to_string()).map_err(failed)?;
    folder.keep_time(time).map_err(failed)?;
    Ok(Some((items, size == Size::Recorded)))
}

fn load_ec2(folder: &DataFolder, clock: &SimulatedClock) -> Result<(KeptEc2, History), StartError> {
    let path = folder.ec2();
    let config = Config { throttling: Throttling::Default, ..Config::default() };
    let time = clock.clone();
    let time = Clock::from_fn(move || time.now());
    let failed = |error| StartError::file(&path, error);
    if path.exists() {
        let simulation = SimEc2::load(&path, config, time).map_err(failed)?;
        return Ok((KeptEc2::new(simulation, path), History::Continued));
    }
    let simulation = SimEc2::new(config, time);
    samples::add(&simulation);
    let kept = KeptEc2::new(simulation, path.clone());
    kept.save().map_err(failed)?;
    Ok((kept, History::First))
}

fn open_table(folder: &DataFolder) -> Result<KeptDynamoDb, StartError> {
    let path = folder.table();
    let context = path.display().to_string();
    let text = path
        .to_str()
        .ok_or_else(|| StartError::failed(context.clone(), "the path is not valid Unicode"))?;
    KeptDynamoDb::open(text).map_err(|error| StartError::failed(context, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_written_down_is_ahead_as_far_as_it_may_come_until_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(folder.path()).unwrap();

        keep(&folder, &SimulatedClock::start(|| Timestamp::UNIX_EPOCH, 60, None)).unwrap();

        let ahead = folder.time().unwrap().unwrap().duration_since(Timestamp::UNIX_EPOCH);
        assert_eq!(ahead, SignedDuration::from_mins(2));
    }
}
