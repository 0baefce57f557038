//! The whole system, in process, on a clock that a test sets.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use local::connections;
use local::dispatch::{Identity, Outcome};
use local::function::Function;
use local::http::Caller;
use local::options::Role;
use local::template::Template;
use local::world::{Parts, TABLE, World};
use serde_json::{Value, json};
use shared::Service;
use shared::domain::snapshot::Snapshot;
use shared::service::Connections;
use sim_dynamodb::SimDynamoDb;
use sim_ec2::{Config, InstanceSpec, SeedVolume, SimEc2};

use super::contract;
use super::meter::Meter;
use super::reply::{Reply, text};
use super::tripwire::Tripwire;

/// When every test begins: shortly after an hour, so that hourly ticks lie ahead.
const BEGINNING: &str = "2026-03-02T10:00:30Z";
/// How far apart the looks are while time passes.
const STEP: SignedDuration = SignedDuration::from_secs(30);

/// The template, read once: a test of deaths makes hundreds of systems.
static TEMPLATE: LazyLock<Template> = LazyLock::new(|| Template::embedded().unwrap());

/// The whole system.
pub(crate) struct App {
    pub(crate) clock: sim_ec2::Clock,
    pub(crate) ec2: SimEc2,
    pub(crate) world: World,
    /// The same system over a wire that can be tripped.
    pub(crate) fragile: Service,
    pub(crate) wire: Tripwire,
    dynamodb: aws_sdk_dynamodb::Client,
    database: SimDynamoDb,
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    /// With an EC2 of this kind.
    pub(crate) async fn with(config: Config) -> Self {
        Self::made(config, BTreeMap::new()).await
    }

    /// With a meter before its table.
    pub(crate) async fn metered(config: Config) -> (Self, Meter) {
        let clock = sim_ec2::Clock::at(BEGINNING.parse().unwrap());
        let ec2 = SimEc2::new(config.clone(), clock.clone());
        let database = SimDynamoDb::memory();
        let meter = Meter::before(&database);
        let table = (database, meter.http_client());
        let app = Self::over(config, (ec2.clone(), clock), Some(ec2), BTreeMap::new(), table).await;
        (app, meter)
    }

    /// What was saved to this file, at this time, with a meter before an empty table.
    pub(crate) async fn metered_from(saved: &std::path::Path, at: Timestamp) -> (Self, Meter) {
        let config = Config::default();
        let clock = sim_ec2::Clock::at(at);
        let ec2 = SimEc2::load(saved, config.clone(), clock.clone()).unwrap();
        let database = SimDynamoDb::memory();
        let meter = Meter::before(&database);
        let table = (database, meter.http_client());
        let app = Self::over(config, (ec2.clone(), clock), Some(ec2), BTreeMap::new(), table).await;
        (app, meter)
    }

    /// Looking after these regions beside its own.
    pub(crate) async fn beside(regions: &str) -> Self {
        Self::beside_with(regions, Config::default()).await
    }

    /// The same with an EC2 of this kind.
    pub(crate) async fn beside_with(regions: &str, config: Config) -> Self {
        let regions = ("SNAPKEEP_REGIONS".to_owned(), regions.to_owned());
        Self::made(config, BTreeMap::from([regions])).await
    }

    /// Another installation, of this id, in the same account: with a table and a bus of its own. EC2's events reach the
    /// first one alone; this one learns from its own looks.
    pub(crate) async fn installed_beside(&self, installation: &str) -> Self {
        let id = ("SNAPKEEP_INSTALLATION".to_owned(), installation.to_owned());
        let same = (self.ec2.clone(), self.clock.clone());
        Self::of(Config::default(), same, None, BTreeMap::from([id])).await
    }

    /// Whose restored instances may get these roles alone.
    pub(crate) async fn passing(roles: &str) -> Self {
        let roles = ("SNAPKEEP_INSTANCE_ROLES".to_owned(), roles.to_owned());
        Self::made(Config::default(), BTreeMap::from([roles])).await
    }

    /// What was saved to this file, at this time, with an empty table.
    pub(crate) async fn resumed(saved: &std::path::Path, at: Timestamp) -> Self {
        let clock = sim_ec2::Clock::at(at);
        let config = Config::default();
        let ec2 = SimEc2::load(saved, config.clone(), clock.clone()).unwrap();
        Self::of(config, (ec2.clone(), clock), Some(ec2), BTreeMap::new()).await
    }

    async fn made(config: Config, environment: BTreeMap<String, String>) -> Self {
        let clock = sim_ec2::Clock::at(BEGINNING.parse().unwrap());
        let ec2 = SimEc2::new(config.clone(), clock.clone());
        Self::of(config, (ec2.clone(), clock), Some(ec2), environment).await
    }

    async fn of(
        config: Config,
        (ec2, clock): (SimEc2, sim_ec2::Clock),
        simulation: Option<SimEc2>,
        environment: BTreeMap<String, String>,
    ) -> Self {
        let database = SimDynamoDb::memory();
        let client = database.http_client();
        Self::over(config, (ec2, clock), simulation, environment, (database, client)).await
    }

    /// Over this database, which all but the wire reach by the client.
    async fn over(
        config: Config,
        (ec2, clock): (SimEc2, sim_ec2::Clock),
        simulation: Option<SimEc2>,
        environment: BTreeMap<String, String>,
        (database, client): (SimDynamoDb, SharedHttpClient),
    ) -> Self {
        let base = base(&config.region);
        // Unless a test says otherwise, restored instances may get any role of the account.
        let roles = format!("arn:aws:iam::{}:role/*", config.account);
        let mut environment = environment;
        environment.entry("SNAPKEEP_INSTANCE_ROLES".to_owned()).or_insert(roles);
        let dynamodb = connections::through(base.clone(), client);
        let ec2_config = connections::through(base.clone(), ec2.http_client());
        let parts = Parts {
            identity: Identity { account: config.account, region: config.region },
            table: TABLE.to_owned(),
            ec2: ec2_config,
            dynamodb: dynamodb.clone(),
            simulation,
            clock: function_clock(&clock),
            speed: 1,
            environment,
            token: None,
            rights: Some(ec2.clone()),
        };
        let world = World::new(&TEMPLATE, parts).unwrap();
        let service = world.owner();
        service.table.create().await.unwrap();

        let wire = Tripwire::default();
        let client = aws_sdk_dynamodb::Client::new(&dynamodb);
        let fragile = Connections {
            ec2: connections::through(base.clone(), wire.over(ec2.http_client())),
            dynamodb: dynamodb
                .into_builder()
                .http_client(wire.over(database.http_client()))
                .build(),
            eventbridge: connections::through(base, wire.over(world.bus().http_client())),
        };
        let fragile = Service::new(service.settings.clone(), &fragile);
        Self { clock, ec2, world, fragile, wire, dynamodb: client, database }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A running instance with so many volumes.
    pub(crate) fn instance(&self, name: &str, volumes: usize) -> String {
        let mut spec = InstanceSpec::named(name);
        spec.volumes = ('a'..='z')
            .take(volumes)
            .map(|letter| SeedVolume::new(&format!("/dev/sd{letter}"), 8))
            .collect();
        self.ec2.add_instance(spec)
    }

    /// A request by an admin.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Reply {
        self.send(method, path, body, &[]).await
    }

    /// A request by an admin with more headers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            request = request.header("content-type", "application/json");
            Bytes::from(body.to_string())
        };
        let request = request.body(bytes).unwrap();
        let reply = Reply::new(self.world.request(request, Caller::Person(Role::Admin)).await);
        contract::hold(method, path, &reply);
        reply
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.call("GET", path, Value::Null).await.expect(200)
    }

    /// Does everything that is due now, and what follows from it.
    pub(crate) async fn settle(&self) {
        loop {
            if self.world.step(self.now()).await == 0 {
                return;
            }
        }
    }

    /// Does what is due now for these functions, and what follows from it. What is due for others is taken as
    /// done.
    pub(crate) async fn settle_only(&self, functions: &[Function]) {
        loop {
            let now = self.now();
            self.world.pull_events(now);
            let due = self.world.bus().dispatch().due(now);
            if due.is_empty() {
                return;
            }
            for delivery in &due {
                let outcome = if functions.contains(&delivery.function) {
                    self.world.call(delivery).await
                } else {
                    Outcome::Answered(Value::Null)
                };
                self.world.bus().dispatch().settle(delivery.id, &outcome, self.now());
            }
        }
    }

    /// Lets time pass, doing what is due on the way.
    pub(crate) async fn pass(&self, duration: SignedDuration) {
        let end = self.now() + duration;
        self.settle().await;
        while self.now() < end {
            self.clock.set((self.now() + STEP).min(end));
            self.settle().await;
        }
    }

    /// Lets time pass like [`App::pass`], and calls each function twice with whatever it gets.
    pub(crate) async fn pass_doubled(&self, duration: SignedDuration) {
        let end = self.now() + duration;
        while self.now() < end {
            self.clock.set((self.now() + STEP).min(end));
            loop {
                let now = self.now();
                self.world.pull_events(now);
                let due = self.world.bus().dispatch().due(now);
                if due.is_empty() {
                    break;
                }
                for delivery in &due {
                    self.world.call(delivery).await;
                    let outcome = self.world.call(delivery).await;
                    self.world.bus().dispatch().settle(delivery.id, &outcome, self.now());
                }
            }
        }
    }

    pub(crate) async fn pass_minutes(&self, minutes: i64) {
        self.pass(SignedDuration::from_mins(minutes)).await;
    }

    /// Lets most of an hour pass with nothing done, and then a few minutes: what is due comes a little late.
    pub(crate) async fn skip_hour(&self) {
        self.clock.advance(SignedDuration::from_mins(60));
        self.pass_minutes(5).await;
    }

    /// A snapshot that was asked for and is on its way.
    pub(crate) async fn request_snapshot(&self, instance: &str) -> String {
        let body = json!({ "instance_id": instance });
        let answer = self.call("POST", "/v1/snapshots", body).await.expect(202);
        text(&answer, "id").to_owned()
    }

    /// A snapshot that is available.
    pub(crate) async fn take_snapshot(&self, instance: &str) -> String {
        let id = self.request_snapshot(instance).await;
        self.pass_minutes(2).await;
        assert_eq!(self.status(&id).await, "available");
        id
    }

    pub(crate) async fn status(&self, id: &str) -> String {
        text(&self.get(&format!("/v1/snapshots/{id}")).await, "status").to_owned()
    }

    /// The record itself.
    pub(crate) async fn record(&self, id: &str) -> Snapshot {
        self.service().table.snapshot(&id.parse().unwrap()).await.unwrap().unwrap()
    }

    /// Takes an attribute off a record, as if it had been written before there was such an attribute.
    pub(crate) async fn forget_attribute(&self, id: &str, name: &str) {
        let key = shared::table::keys::snapshot(&id.parse().unwrap());
        self.dynamodb
            .update_item()
            .table_name(TABLE)
            .key("pk", AttributeValue::S(key.pk))
            .key("sk", AttributeValue::S(key.sk))
            .update_expression("REMOVE #name")
            .expression_attribute_names("#name", name)
            .send()
            .await
            .unwrap();
    }

    /// Takes what there is of drills off a schedule's record, as a version of before there were drills does that writes it.
    pub(crate) async fn forget_drills(&self, id: &str) {
        let key = shared::table::keys::schedule(&id.parse().unwrap());
        self.dynamodb
            .update_item()
            .table_name(TABLE)
            .key("pk", AttributeValue::S(key.pk))
            .key("sk", AttributeValue::S(key.sk))
            .update_expression("REMOVE body.drills, body.drill_every")
            .send()
            .await
            .unwrap();
    }

    /// Has a schedule's record say what no version understands.
    pub(crate) async fn spoil_schedule(&self, id: &str) {
        let key = shared::table::keys::schedule(&id.parse().unwrap());
        self.dynamodb
            .update_item()
            .table_name(TABLE)
            .key("pk", AttributeValue::S(key.pk))
            .key("sk", AttributeValue::S(key.sk))
            .update_expression("SET body.#zone = :zone")
            .expression_attribute_names("#zone", "timezone")
            .expression_attribute_values(":zone", AttributeValue::S("Nowhere/Atall".to_owned()))
            .send()
            .await
            .unwrap();
    }

    /// Has a snapshot's record say what no version understands.
    pub(crate) async fn spoil_snapshot(&self, id: &str) {
        let key = shared::table::keys::snapshot(&id.parse().unwrap());
        self.dynamodb
            .update_item()
            .table_name(TABLE)
            .key("pk", AttributeValue::S(key.pk))
            .key("sk", AttributeValue::S(key.sk))
            .update_expression("SET body.#status = :status, #comb = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#comb", shared::table::keys::COMB)
            .expression_attribute_values(":status", AttributeValue::S("elsewhere".to_owned()))
            .send()
            .await
            .unwrap();
    }

    /// What other systems have been told, the oldest first: whole events.
    pub(crate) fn announced(&self) -> Vec<Value> {
        self.world.bus().dispatch().announced().cloned().collect()
    }

    /// When the items of a partition may be deleted that may be, in seconds since 1970.
    pub(crate) async fn expiries(&self, partition: &str) -> Vec<i64> {
        let answer = self
            .dynamodb
            .query()
            .table_name(TABLE)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .send()
            .await
            .unwrap();
        let expiry = shared::table::keys::TIME_TO_LIVE;
        let expiries = answer.items().iter().filter_map(|item| item.get(expiry));
        expiries.map(|one| one.as_n().unwrap().parse().unwrap()).collect()
    }

    /// Takes everything out of a partition.
    pub(crate) async fn forget_partition(&self, partition: &str) {
        let found = self
            .dynamodb
            .query()
            .table_name(TABLE)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .send()
            .await
            .unwrap();
        for item in found.items() {
            self.dynamodb
                .delete_item()
                .table_name(TABLE)
                .key("pk", item["pk"].clone())
                .key("sk", item["sk"].clone())
                .send()
                .await
                .unwrap();
        }
    }

    /// Every item of the table, in order, as DynamoDB's JSON has it.
    pub(crate) fn items(&self) -> Vec<Value> {
        let mut found = BTreeMap::new();
        let mut request = json!({ "TableName": TABLE });
        loop {
            let page = self.ask_table("Scan", &request);
            for item in page["Items"].as_array().unwrap() {
                found.insert(["pk", "sk"].map(|name| item[name]["S"].to_string()), item.clone());
            }
            if page["LastEvaluatedKey"].is_null() {
                return found.into_values().collect();
            }
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
        }
    }

    /// Puts these there as they are.
    pub(crate) fn put_items(&self, all: &[Value]) {
        for item in all {
            self.ask_table("PutItem", &json!({ "TableName": TABLE, "Item": item }));
        }
    }

    /// Puts these there, which are items as DynamoDB's JSON has them.
    pub(crate) fn put_texts(&self, all: &[String]) {
        for item in all {
            let request = format!(r#"{{"TableName":"{TABLE}","Item":{item}}}"#);
            let target = "DynamoDB_20120810.PutItem";
            let (status, answer) = self.database.answer(target, request.as_bytes());
            assert_eq!(status, 200, "{answer}");
        }
    }

    fn ask_table(&self, operation: &str, request: &Value) -> Value {
        let target = format!("DynamoDB_20120810.{operation}");
        let (status, answer) = self.database.answer(&target, request.to_string().as_bytes());
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// All items of a list, following its cursors.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = path.to_owned();
        loop {
            let page = self.get(&next).await;
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { return items };
            let mark = if path.contains('?') { '&' } else { '?' };
            next = format!("{path}{mark}cursor={cursor}");
        }
    }

    /// A schedule of these instances, made now.
    pub(crate) async fn schedule(
        &self,
        expression: &str,
        instances: &[&str],
        retention: Value,
    ) -> String {
        let body = json!({
            "name": "test",
            "expression": expression,
            "targets": { "instance_ids": instances },
            "retention": retention,
        });
        let answer = self.call("POST", "/v1/schedules", body).await.expect(201);
        text(&answer, "id").to_owned()
    }

    /// What no role holds back.
    pub(crate) fn service(&self) -> &Service {
        self.world.owner()
    }

    /// The clock as functions get it; their pauses move it on.
    pub(crate) fn function_clock(&self) -> shared::clock::Clock {
        function_clock(&self.clock)
    }

    /// The EBS snapshots that EC2 has of an instance's snapshots, by our set's id.
    pub(crate) fn sets(&self) -> BTreeMap<String, usize> {
        let mut sets = BTreeMap::new();
        for snapshot in self.ec2.snapshots() {
            if let Some(id) = snapshot.tags.get("snapkeep:id") {
                *sets.entry(id.clone()).or_default() += 1;
            }
        }
        sets
    }
}

fn function_clock(clock: &sim_ec2::Clock) -> shared::clock::Clock {
    let (reader, mover) = (clock.clone(), clock.clone());
    shared::clock::Clock::new(
        move || reader.now(),
        move |duration| {
            mover.advance(duration);
            std::future::ready(())
        },
    )
}

/// Clients that retry at once: no test waits.
fn base(region: &str) -> SdkConfig {
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    connections::local(region).into_builder().retry_config(retries).build()
}
