//! A run: a world driven by the simulated time, behind ports, with its state in a folder.

mod drive;
mod simulated;

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use shared::{
    domain::schedule::expression::{Expression, ParseExpressionError},
    table::Table,
};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use self::simulated::Simulated;
use crate::{
    Options, StartError,
    aws::{self, Account},
    clock::{RealTime, SimulatedClock},
    dispatch::Identity,
    function::Function,
    http::Caller,
    screen::{Backend, RunKind, Screen},
    server::{self, Port, Stage},
    template::Template,
    world::{self, Parts, World},
};

/// How long calls and requests under way may take at the end.
const DRAINING_MAX: Duration = Duration::from_secs(30);
/// How long connections to EC2 and DynamoDB may take to close.
const CLOSING_MAX: Duration = Duration::from_secs(3);
/// The variable that names the installation.
const INSTALLATION: &str = "SNAPKEEP_INSTALLATION";
/// Without EC2's reports the reconciler finds what is completed.
const RECONCILER_WITHOUT_EVENTS: &str = "rate(5 minutes)";

/// What the machine gives a run.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The real clock.
    pub real: RealTime,
    /// The environment.
    pub environment: BTreeMap<String, String>,
}

/// The whole system, not started yet.
#[derive(Clone, Copy, Debug)]
pub struct System;

/// The whole system, answering.
#[derive(Debug)]
pub struct Running {
    world: Arc<World>,
    clock: SimulatedClock,
    screen: Screen,
    stages: watch::Sender<Stage>,
    /// Ends when the run is draining.
    workers: JoinSet<&'static str>,
    simulated: Option<Simulated>,
}

impl System {
    /// Starts everything. When this comes back, everything answers; functions are called by
    /// [`Running::run_until`].
    pub async fn start(options: &Options, machine: Machine) -> Result<Running, StartError> {
        options.check()?;
        let template = Template::embedded()?;
        if options.aws {
            Box::pin(start_with_aws(options, machine, &template)).await
        } else {
            Box::pin(start_simulated(options, machine, &template)).await
        }
    }
}

async fn start_simulated(
    options: &Options,
    machine: Machine,
    template: &Template,
) -> Result<Running, StartError> {
    let (stages, stage) = watch::channel(Stage::Running);
    let port = Port::take(options.port, "--port").await?;
    let mut simulated = Simulated::start(options, machine.real, &stage).await?;
    let parts = simulated.parts(overrides(&machine.environment), options);
    let (clock, region) = (simulated.clock.clone(), parts.identity.region.clone());
    let world = Arc::new(World::new(template, parts)?);
    simulated.make_table(&world).await?;
    let ec2 = simulated.serve_ec2(&world, &stage);
    if simulated.is_continued() {
        // What was on its way when the last run ended is lost: look for it.
        world.bus().dispatch().fire(Function::Reconciler, clock.now());
    }
    let screen = Screen {
        api: port.url(),
        ec2,
        dynamodb: simulated.dynamodb.clone(),
        region,
        table: world::TABLE.to_owned(),
        role: options.role,
        time: time_line(&clock),
        place: Backend::Simulated {
            data: simulated.folder.path().display().to_string(),
            instance: simulated.first_instance(),
        },
        kind: if simulated.is_demonstration() { RunKind::Demonstration } else { RunKind::Real },
    };
    let mut running = Running {
        world,
        clock,
        screen,
        stages,
        workers: JoinSet::new(),
        simulated: Some(simulated),
    };
    running.work(port, options, &stage);
    Ok(running)
}

async fn start_with_aws(
    options: &Options,
    machine: Machine,
    template: &Template,
) -> Result<Running, StartError> {
    let (stages, stage) = watch::channel(Stage::Running);
    let port = Port::take(options.port, "--port").await?;
    let Account { config, region } = Account::find().await?;
    let clock = SimulatedClock::start(machine.real, 1, None);
    let token = match &options.token {
        Some(token) => token.clone(),
        None => aws::token()?,
    };
    let named = machine.environment.get("SNAPKEEP_TABLE").filter(|name| !name.is_empty());
    let table = named.cloned().unwrap_or_else(|| world::TABLE.to_owned());
    let mut environment = overrides(&machine.environment);
    if !environment.contains_key(INSTALLATION)
        && let Some(id) = aws::installation(&Table::new(&config, &table)).await?
    {
        environment.insert(INSTALLATION.to_owned(), id.to_string());
    }
    let parts = Parts {
        // Only our own events bear the account, and nobody reads it there.
        identity: Identity { account: "000000000000".to_owned(), region: region.clone() },
        table: table.clone(),
        ec2: config.clone(),
        dynamodb: config,
        simulation: None,
        clock: clock.for_functions(),
        speed: 1,
        environment,
        token: Some(token.clone()),
        rights: None,
    };
    let world = Arc::new(World::new(template, parts)?);
    let owner = world.owner();
    aws::ensure_table(&owner.table, &table, &region, options).await?;
    aws::install(&owner.table, &owner.settings.installation).await?;
    let wrong =
        |error: ParseExpressionError| StartError::failed("the reconciler's schedule", error);
    let often: Expression = RECONCILER_WITHOUT_EVENTS.parse().map_err(wrong)?;
    world.bus().dispatch().reschedule(Function::Reconciler, &often, clock.now());
    let screen = Screen {
        api: port.url(),
        ec2: format!("https://ec2.{region}.amazonaws.com"),
        dynamodb: format!("https://dynamodb.{region}.amazonaws.com"),
        region,
        table,
        role: options.role,
        time: time_line(&clock),
        place: Backend::Aws { token },
        kind: RunKind::Real,
    };
    let mut running =
        Running { world, clock, screen, stages, workers: JoinSet::new(), simulated: None };
    running.work(port, options, &stage);
    Ok(running)
}

impl Running {
    /// For people: what runs where, and what to try.
    pub fn welcome(&self) -> String {
        self.screen.welcome()
    }

    /// For scripts: `ready http://… ec2=http://… dynamodb=http://…`.
    pub fn ready(&self) -> String {
        self.screen.ready()
    }

    /// Where the API answers.
    pub fn api(&self) -> &str {
        &self.screen.api
    }

    /// The system behind it.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Runs until `stop`, then ends: takes nothing new, finishes what is under way, saves. A second `stop`
    /// does not wait for what is under way.
    pub async fn run_until<F: Future<Output = ()>>(
        mut self,
        stop: impl Fn() -> F,
    ) -> Result<(), StartError> {
        let stage = self.stages.subscribe();
        let mut driven = Box::pin(drive::drive(Arc::clone(&self.world), self.clock.clone(), stage));
        let ended = tokio::select! {
            () = stop() => None,
            () = &mut driven => None,
            Some(ended) = self.workers.join_next() => Some(ended),
        };
        self.stages.send_replace(Stage::Draining);
        let workers = async { while self.workers.join_next().await.is_some() {} };
        tokio::select! {
            drained = timeout(DRAINING_MAX, async { tokio::join!(driven, workers) }) => {
                if drained.is_err() {
                    tracing::warn!("Not everything under way was finished");
                }
            }
            () = stop() => {}
        }
        self.close().await?;
        match ended {
            None => Ok(()),
            Some(Ok(worker)) => Err(StartError::failed(worker, "it ended by itself")),
            Some(Err(error)) => Err(StartError::failed("a part of the run failed", error)),
        }
    }

    fn work(&mut self, port: Port, options: &Options, stage: &watch::Receiver<Stage>) {
        let api = server::api(Arc::clone(&self.world), Caller::Person(options.role));
        let stages = stage.clone();
        self.workers.spawn(async move {
            server::serve(port, api, stages, Stage::Draining).await;
            "the API"
        });
        if let Some(simulated) = &self.simulated {
            self.workers.spawn(simulated.keep_time(stage.clone()));
        }
    }

    async fn close(mut self) -> Result<(), StartError> {
        self.workers.abort_all();
        self.stages.send_replace(Stage::Closing);
        match self.simulated {
            Some(simulated) => simulated.close(CLOSING_MAX).await,
            None => Ok(()),
        }
    }
}

/// Our settings in the environment stand before the template's, but for the names of what is here.
fn overrides(environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ours = environment.iter().filter(|(name, _)| name.starts_with("SNAPKEEP_"));
    let settings =
        ours.filter(|(name, _)| !["SNAPKEEP_TABLE", "SNAPKEEP_BUS"].contains(&name.as_str()));
    settings.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn time_line(clock: &SimulatedClock) -> String {
    let now = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    match clock.speed() {
        1 => format!("{now}  (--speed 60 makes an hour a minute)"),
        speed => format!("{now}  ({speed} times faster than real time)"),
    }
}

#[cfg(test)]
mod tests;
