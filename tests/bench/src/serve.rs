//! The stand-ins behind ports of loopback, for functions in processes of their own.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use jiff::Timestamp;
use local::endpoints::events::LocalBus;
use serde_json::Value;
use sim_dynamodb::SimDynamoDb;
use sim_ec2::SimEc2;
use tokio::net::TcpListener;

use crate::child::Work;
use crate::clocks::block_on;
use crate::stage::Stage;

/// DynamoDB takes so much at once.
const BODY_MAX: usize = 16 * 1024 * 1024;

/// What DynamoDB was asked for, and what it answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) queries: u64,
    pub(crate) batches: u64,
    pub(crate) gets: u64,
    pub(crate) writes: u64,
    /// Entries of indexes and items of partitions that Queries have read.
    pub(crate) entries: u64,
    /// Whole records that were asked for by their keys.
    pub(crate) records: u64,
    /// How much it has answered.
    pub(crate) bytes: u64,
}

impl Asked {
    pub(crate) fn requests(self) -> u64 {
        let Self {
            queries,
            batches,
            gets,
            writes,
            entries: _entries,
            records: _records,
            bytes: _bytes,
        } = self;
        queries + batches + gets + writes
    }

    fn note(&mut self, operation: &str, answer: &str) {
        self.bytes += answer.len() as u64;
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let length = |value: &Value| value.as_array().map_or(0, Vec::len) as u64;
        match operation {
            "Query" | "Scan" => {
                self.queries += 1;
                self.entries += length(&answer["Items"]);
            }
            "BatchGetItem" => {
                self.batches += 1;
                let tables = answer["Responses"].as_object().into_iter().flatten();
                self.records += tables.map(|(_, items)| length(items)).sum::<u64>();
            }
            "GetItem" => {
                self.gets += 1;
                self.records += u64::from(answer.get("Item").is_some());
            }
            _ => self.writes += 1,
        }
    }
}

type Counter = Arc<Mutex<Asked>>;

/// The ports, and what was asked of one of them.
#[derive(Debug)]
pub(crate) struct Ports {
    ec2: SocketAddr,
    dynamodb: SocketAddr,
    counter: Counter,
    now: Timestamp,
}

/// Serves the stand-ins of a stage from now on, on a thread of its own.
pub(crate) fn serve(stage: &Stage) -> Ports {
    let (ec2, database) = (stage.ec2.clone(), stage.database.clone());
    let bus = stage.world.bus().clone();
    let counter = Counter::default();
    let shared = Arc::clone(&counter);
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        block_on(async {
            let (ec2_port, ec2_address) = port().await;
            let (table_port, table_address) = port().await;
            tell.send((ec2_address, table_address)).unwrap();
            let ec2 = Router::new().fallback(of_ec2).with_state((ec2, bus));
            let table = Router::new().fallback(of_table).with_state((database, shared));
            let both = [axum::serve(ec2_port, ec2), axum::serve(table_port, table)];
            futures::future::join_all(both.map(IntoFuture::into_future)).await
        })
    });
    let (ec2, dynamodb) = told.recv().unwrap();
    Ports { ec2, dynamodb, counter, now: stage.now() }
}

async fn port() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn of_ec2(State((ec2, bus)): State<(SimEc2, LocalBus)>, request: Request) -> Response {
    let target = request.headers().get("x-amz-target").cloned();
    let Some(target) = target else {
        return of_actions(&ec2, request).await;
    };
    let body = to_bytes(request.into_body(), BODY_MAX).await.unwrap();
    let (status, body) = bus.answer(target.to_str().unwrap(), &body);
    let json = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, json, body.to_string()).into_response()
}

async fn of_actions(ec2: &SimEc2, request: Request) -> Response {
    let body = to_bytes(request.into_body(), BODY_MAX).await.unwrap();
    let answer = ec2.answer(crate::stage::REGION, &body);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

async fn of_table(
    State((database, counter)): State<(SimDynamoDb, Counter)>,
    request: Request,
) -> Response {
    let target = request.headers().get("x-amz-target").cloned().unwrap();
    let body = to_bytes(request.into_body(), BODY_MAX).await.unwrap();
    let target = target.to_str().unwrap();
    let (status, answer) = database.answer(target, &body);
    let operation = target.rsplit('.').next().unwrap_or_default();
    counter.lock().unwrap().note(operation, &answer);
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], answer).into_response()
}

impl Ports {
    /// Where EC2 and EventBridge are.
    pub(crate) fn of_ec2(&self) -> String {
        format!("http://{}", self.ec2)
    }

    /// Where DynamoDB is.
    pub(crate) fn of_dynamodb(&self) -> String {
        format!("http://{}", self.dynamodb)
    }

    /// What was asked of DynamoDB since the last time.
    pub(crate) fn asked(&self) -> Asked {
        std::mem::take(&mut *self.counter.lock().unwrap())
    }

    /// Begins to count from nothing.
    pub(crate) fn forget(&self) {
        *self.counter.lock().unwrap() = Asked::default();
    }

    /// A child that does this with these lines as its input; a JSON for each line that it prints.
    pub(crate) fn child(&self, work: Work, input: &str) -> Vec<Value> {
        let name = clap::ValueEnum::to_possible_value(&work).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", name.get_name()])
            .args(["--ec2", &self.of_ec2()])
            .args(["--dynamodb", &self.of_dynamodb()])
            .args(["--now", &self.now.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{name:?} has failed");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
