//! A world without ports, driven from one thing that is due to the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    future::ready,
    io::Write as _,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use local::{
    connections, demo,
    dispatch::Identity,
    function::Function,
    http::Caller,
    options::Role,
    template::Template,
    world::{Parts, TABLE, World},
};
use serde_json::{Value, json};
use sim_dynamodb::SimDynamoDb;
use sim_ec2::{Clock, Config, SimEc2};

use super::account;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// How many days of what is gone, and of runs, are shown: as many as a calendar has.
const SHOWN_DAYS: i64 = 31;
const BEGINNING: &str = "2026-09-01T00:10:00Z";
/// How long what a tick asks for is on its way, and EC2's word that a snapshot is completed.
const ON_ITS_WAY: [i64; 5] = [20, 60, 180, 360, 540];

pub(crate) struct Run {
    pub(crate) clock: Clock,
    pub(crate) ec2: SimEc2,
    pub(crate) world: World,
    database: SimDynamoDb,
}

impl Run {
    pub(crate) async fn start() -> Outcome<Self> {
        let clock = Clock::at(BEGINNING.parse()?);
        let config = Config::default();
        let ec2 = SimEc2::new(config.clone(), clock.clone());
        account::add_instances(&ec2);
        let base = connections::local(&config.region);
        let database = SimDynamoDb::memory();
        let (reader, mover) = (clock.clone(), clock.clone());
        let function_clock = shared::clock::Clock::new(
            move || reader.now(),
            move |pause| {
                mover.advance(pause);
                ready(())
            },
        );
        let parts = Parts {
            identity: Identity { account: config.account, region: config.region },
            table: TABLE.to_owned(),
            ec2: connections::through(base.clone(), ec2.http_client()),
            dynamodb: connections::through(base, database.http_client()),
            simulation: Some(ec2.clone()),
            clock: function_clock,
            speed: 1,
            environment: demo::environment(),
            token: None,
            rights: None,
        };
        let world = World::new(&Template::embedded()?, parts)?;
        let Some(service) = world.service(Function::Api) else { return Err("no api".into()) };
        service.table.create().await?;
        let run = Self { clock, ec2, world, database };
        let mut dispatch = run.world.bus().dispatch();
        dispatch.reschedule(Function::Sweeper, &"cron(40 0/6 * * ? *)".parse()?, run.now());
        dispatch.reschedule(Function::Reconciler, &"cron(50 3 * * ? *)".parse()?, run.now());
        drop(dispatch);
        Ok(run)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Does all that is due.
    pub(crate) async fn settle(&self) {
        while self.world.step(self.now()).await > 0 {}
    }

    /// Lives on until `end`, from one due time to the next.
    pub(crate) async fn live(&self, end: Timestamp) -> Outcome<()> {
        while self.now() < end {
            let next = self.next().await?.max(self.now() + SignedDuration::from_secs(30));
            if next >= end {
                self.clock.set(end);
                self.settle().await;
                return Ok(());
            }
            for later in ON_ITS_WAY {
                let at = next + SignedDuration::from_secs(later);
                if at > self.now() && at < end {
                    self.clock.set(at);
                    self.settle().await;
                }
            }
        }
        Ok(())
    }

    /// Passes a while with nothing done at all.
    pub(crate) fn sleep(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    /// When something is due next: a schedule, or a quarter of a day's sweep, or a look.
    async fn next(&self) -> Outcome<Timestamp> {
        let hour = SignedDuration::from_hours(1);
        let mut next = self.now() + hour * 2;
        let schedules = self.ask("GET", "/v1/schedules?limit=100", Value::Null).await?;
        for schedule in schedules["items"].as_array().into_iter().flatten() {
            if schedule["enabled"] == true {
                let due = schedule["next_due_at"].as_str().ok_or("a schedule that is due never")?;
                next = next.min(due.parse()?);
            }
        }
        Ok(next)
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> Outcome<Value> {
        self.ask_as(Role::Admin, method, path, body, "").await
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a request")]
    pub(crate) async fn ask_as(
        &self,
        role: Role,
        method: &str,
        path: &str,
        body: Value,
        reason: &str,
    ) -> Outcome<Value> {
        let mut request = Request::builder().method(method).uri(path);
        if !reason.is_empty() {
            request = request.header("x-snapkeep-reason", reason);
        }
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            request = request.header("content-type", "application/json");
            Bytes::from(body.to_string())
        };
        let answer = self.world.request(request.body(bytes)?, Caller::Person(role)).await;
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        if !answer.status().is_success() {
            return Err(format!("{} {method} {path} {body}: {text}", self.now()).into());
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    pub(crate) fn instance(&self, name: &str) -> String {
        let instances = self.ec2.instances().into_iter();
        let mut named = instances.filter(|each| each.tags.get("Name").is_some_and(|it| it == name));
        named.next().map(|each| each.id).unwrap_or_default()
    }

    /// The snapshots of an instance that are available, the newest first.
    pub(crate) async fn snapshots(&self, instance: &str) -> Outcome<Vec<Value>> {
        let id = self.instance(instance);
        let path = format!("/v1/snapshots?instance_id={id}&status=available&limit=50");
        let page = self.ask("GET", &path, Value::Null).await?;
        Ok(page["items"].as_array().cloned().unwrap_or_default())
    }

    pub(crate) async fn schedule(&self, name: &str) -> Outcome<String> {
        let page = self.ask("GET", "/v1/schedules?limit=100", Value::Null).await?;
        let mut items = page["items"].as_array().into_iter().flatten();
        let found = items.find(|each| each["name"] == name).ok_or("no such schedule")?;
        Ok(found["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Everything, compressed.
    pub(crate) fn recorded(&self) -> Outcome<Vec<u8>> {
        let items = self.shown(&self.items()?);
        let path = std::env::temp_dir().join("snapkeep-demo-ec2.json");
        self.ec2.save(&path)?;
        let ec2: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        let whole = json!({"time": self.now(), "ec2": ec2, "items": items}).to_string();
        let whole =
            whole.replace("local-admin", "mara.lindqvist").replace("local-operator", "jonas.beck");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(whole.as_bytes())?;
        Ok(encoder.finish()?)
    }

    fn items(&self) -> Outcome<Vec<Value>> {
        let mut items = Vec::new();
        let mut start = Value::Null;
        loop {
            let mut body = json!({"TableName": TABLE});
            if !start.is_null() {
                body["ExclusiveStartKey"] = start;
            }
            let (_, answer) =
                self.database.answer("DynamoDB_20120810.Scan", body.to_string().as_bytes());
            let mut answer: Value = serde_json::from_str(&answer)?;
            items.extend(answer["Items"].as_array().cloned().unwrap_or_default());
            start = answer["LastEvaluatedKey"].take();
            if start.is_null() {
                return Ok(items);
            }
        }
    }

    /// What is long gone, was told long ago, or was found by a look that was not the last, is left out.
    fn shown(&self, items: &[Value]) -> Vec<Value> {
        let days = |number: i64| self.now() - SignedDuration::from_hours(24 * number);
        let (gone_since, plans_since) = (days(SHOWN_DAYS).to_string(), days(2).as_millisecond());
        let told_since = days(21).strftime("%Y-%m-%d").to_string();
        let mut looks = BTreeMap::new();
        let mut left_out = BTreeSet::new();
        for item in items {
            let (pk, sk) = (text(item, "pk"), text(item, "sk"));
            if pk == "FINDINGS" {
                looks.insert(sk, text(&item["body"]["M"]["found"]["M"], "run"));
            }
            if text(item, "all_pk") == "SNAPSHOTS#GONE"
                && text(item, "list_sk") < gone_since.as_str()
            {
                left_out.extend(pk.strip_prefix("SNAPSHOT#"));
            }
        }
        let is_shown = |item: &Value| {
            let pk = text(item, "pk");
            match pk.split_once('#') {
                Some(("SNAPSHOT", id)) => !left_out.contains(id),
                Some(("EBS", _)) => !left_out.contains(text(&item["body"]["M"], "snapshot_id")),
                Some(("AUDIT", day)) => day >= told_since.as_str(),
                Some(("FINDINGS", rest)) => rest.split_once('#').is_some_and(|(region, run)| {
                    looks.get(region).is_some_and(|look| run.starts_with(look))
                }),
                Some(("SWEEP", id)) => made_at(id).is_none_or(|at| at >= plans_since),
                Some(("RUNS", _)) => text(item, "sk") >= gone_since.as_str(),
                Some(("IDEMPOTENCY", _)) => false,
                Some(_) | None => true,
            }
        };
        items.iter().filter(|item| is_shown(item)).cloned().collect()
    }
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}

/// The milliseconds that an id begins with.
fn made_at(id: &str) -> Option<i64> {
    let digits: String =
        id.split_once('_')?.1.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    i64::from_str_radix(&digits, 16).ok()
}
