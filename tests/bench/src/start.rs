//! What a function takes from its start to its first answers, under a Lambda runtime of loopback ([`lambda`]).
//!
//! Beside the functions a binary of the runtime alone, and a function of Python with boto3 that reads what a list reads. They take
//! turns, so that what else the machine does is shared by all.
//!
//! [`lambda`]: crate::lambda

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use local::dispatch::Identity;
use local::http::{Caller, Gateway};
use local::options::Role;
use local::world::{BUS, TABLE};
use serde_json::{Value, json};
use sim_ec2::Throttling;

use crate::clocks::{block_on, milliseconds};
use crate::lambda::{Lambda, Told};
use crate::proc::{machine, of_process};
use crate::say::{hint, say, table};
use crate::seed;
use crate::serve::{Ports, serve};
use crate::stage::{Delays, Metering, REGION, Setting, Stage, TEMPLATE};

/// What is started, and how often.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where the binaries are; beside this one by default.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// How often each is started.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// How many further events each gets.
    #[arg(long, default_value_t = 20)]
    warm: usize,
    /// A Python that has boto3.
    #[arg(long)]
    python: Option<PathBuf>,
}

/// How many instances there are, and how many snapshots of each.
const INSTANCES: usize = 3;
const OF_EACH: usize = 52;

/// Something that is started.
struct Subject {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    event: Value,
}

/// What one start took.
struct Took {
    ready: Duration,
    ready_processor: Duration,
    first: Duration,
    first_processor: Duration,
    warm: Duration,
    warm_processor: Duration,
    peak_kib: u64,
}

/// Prints what each takes.
pub(crate) fn main(options: &Options) {
    let stage = block_on(async {
        let (delays, environment) = (Delays::NONE, BTreeMap::new());
        let (throttling, metering) = (Throttling::Off, Metering::Off);
        let stage = Stage::set(Setting { delays, throttling, environment, metering }).await;
        let keeps = json!({ "keep_last": OF_EACH });
        seed::snapshots(&stage, (INSTANCES, 1), OF_EACH, keeps).await;
        stage
    });
    let ports = serve(&stage);
    let lambda = Lambda::begin();
    let subjects = subjects(options, stage.now());
    let mut took: BTreeMap<&str, Vec<Took>> = BTreeMap::new();
    for round in 0..options.rounds {
        hint(format!("round {} of {}", round + 1, options.rounds));
        for subject in &subjects {
            let one = started(subject, &lambda, &ports, options.warm);
            took.entry(subject.name).or_default().push(one);
        }
    }
    say(machine());
    let head = [
        "what",
        "ready ms",
        "processor",
        "first answer ms",
        "processor",
        "warm ms",
        "processor",
        "MiB peak",
        "zipped MB",
    ];
    let rows: Vec<_> = subjects.iter().map(|one| row(one, &took[one.name])).collect();
    say(table(&head, &rows));
}

fn subjects(options: &Options, now: Timestamp) -> Vec<Subject> {
    let beside = std::env::current_exe().unwrap();
    let folder = options.folder.as_deref().unwrap_or_else(|| beside.parent().unwrap());
    let of = |name: &'static str, event: Value| Subject {
        name,
        program: folder.join(name),
        arguments: Vec::new(),
        event,
    };
    let mut all = vec![
        of("empty", json!({})),
        of("api", list(now)),
        of("scheduler", scheduled(now + SignedDuration::from_mins(1))),
        of("sweeper", scheduled(now + SignedDuration::from_mins(1))),
    ];
    if let Some(python) = &options.python {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("start.py");
        all.push(Subject {
            name: "Python",
            program: python.clone(),
            arguments: vec![script.display().to_string()],
            event: list(now),
        });
    }
    all
}

/// What API Gateway makes of the request for a list of fifty.
fn list(now: Timestamp) -> Value {
    let identity = Identity { account: "123456789012".to_owned(), region: REGION.to_owned() };
    let gateway = Gateway::new(TEMPLATE.routes.clone(), "cognito:groups".to_owned(), identity);
    let request = Request::get("/v1/snapshots?limit=50").body(Bytes::new()).unwrap();
    gateway.event(&request, Caller::Person(Role::Admin), now).unwrap().1
}

fn scheduled(now: Timestamp) -> Value {
    json!({
        "version": "0", "id": "00000000-0000-4000-8000-000000000001", "account": "123456789012",
        "source": "aws.events", "detail-type": "Scheduled Event", "region": REGION,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "resources": [], "detail": {},
    })
}

/// Starts it, and gives it an event and some more.
fn started(subject: &Subject, lambda: &Lambda, ports: &Ports, warm: usize) -> Took {
    lambda.give(&subject.event);
    let begun = Instant::now();
    let mut child = spawned(subject, lambda, ports);
    let id = child.id();
    let ready = lambda.wait(Told::Ready).duration_since(begun);
    let ready_processor = of_process(id).processor;
    lambda.go_on();
    let first = lambda.wait(Told::Answered).duration_since(begun);
    lambda.wait(Told::Ready);
    let first_processor = of_process(id).processor;
    let mut answers = Vec::new();
    for _ in 0..warm {
        let asked = Instant::now();
        lambda.go_on();
        answers.push(lambda.wait(Told::Answered).duration_since(asked));
        lambda.wait(Told::Ready);
    }
    answers.sort();
    let of_all = of_process(id);
    child.kill().unwrap();
    child.wait().unwrap();
    let count = u32::try_from(warm.max(1)).unwrap();
    Took {
        ready,
        ready_processor,
        first,
        first_processor,
        warm: answers.get(warm / 2).copied().unwrap_or_default(),
        warm_processor: of_all.processor.saturating_sub(first_processor) / count,
        peak_kib: of_all.peak_kib,
    }
}

fn spawned(subject: &Subject, lambda: &Lambda, ports: &Ports) -> Child {
    let environment = [
        ("AWS_LAMBDA_RUNTIME_API", lambda.address()),
        ("AWS_LAMBDA_FUNCTION_NAME", subject.name.to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512".to_owned()),
        ("AWS_LAMBDA_LOG_LEVEL", "WARN".to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", ports.of_dynamodb()),
        ("AWS_ENDPOINT_URL_EC2", ports.of_ec2()),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", ports.of_ec2()),
        ("SNAPKEEP_TABLE", TABLE.to_owned()),
        ("SNAPKEEP_BUS", BUS.to_owned()),
        ("SNAPKEEP_INSTALLATION", format!("local.{TABLE}.{REGION}")),
    ];
    Command::new(&subject.program)
        .args(&subject.arguments)
        .env_clear()
        .envs(environment)
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", subject.program.display()))
}

fn row(subject: &Subject, took: &[Took]) -> Vec<String> {
    let median = |of: fn(&Took) -> Duration| {
        let mut all: Vec<_> = took.iter().map(of).collect();
        all.sort();
        milliseconds(all[all.len() / 2])
    };
    let peak = took.iter().map(|one| one.peak_kib).max().unwrap();
    vec![
        subject.name.to_owned(),
        median(|one| one.ready),
        median(|one| one.ready_processor),
        median(|one| one.first),
        median(|one| one.first_processor),
        median(|one| one.warm),
        median(|one| one.warm_processor),
        format!("{}.{}", peak / 1_024, peak % 1_024 * 10 / 1_024),
        zipped(&subject.program),
    ]
}

/// How much of an upload a binary is; a Python is not uploaded.
fn zipped(program: &Path) -> String {
    if program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python")) {
        return "–".to_owned();
    }
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&std::fs::read(program).unwrap()).unwrap();
    let bytes = packed.finish().unwrap().len();
    format!("{}.{:02}", bytes / 1_000_000, bytes % 1_000_000 / 10_000)
}
