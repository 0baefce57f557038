//! Rules, queues, retries and ticks, driven by hand.

use jiff::SignedDuration;
use serde_json::json;

use super::*;

const QUEUE: &str = "TestQueue";
const DEAD: &str = "TestDead";

/// A queue to the snapshotter (batches of 3, window 10 s, visibility 60 s, dead after 2 receives, 2 calls at
/// once), a rule for it, and a sweeper called by the hour and by an event, with one retry.
fn template() -> Template {
    "
Resources:
  Bus:
    Type: AWS::Events::EventBus
  TestQueue:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: {deadLetterTargetArn: !GetAtt TestDead.Arn, maxReceiveCount: 2}
  TestDead:
    Type: AWS::SQS::Queue
    Properties: {MessageRetentionPeriod: 1209600}
  SweeperDead:
    Type: AWS::SQS::Queue
    Properties: {}
  Wanted:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [test], detail-type: [Wanted]}
      Targets: [{Id: queue, Arn: !GetAtt TestQueue.Arn}]
  Asked:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [test], detail-type: [Asked]}
      Targets: [{Id: sweeper, Arn: !GetAtt SweeperFunction.Arn}]
  SnapshotterFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: snapshotter}}
    Properties:
      Events:
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt TestQueue.Arn
            BatchSize: 3
            MaximumBatchingWindowInSeconds: 10
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: {MaximumConcurrency: 2}
  SweeperFunction:
    Type: AWS::Serverless::Function
    Metadata: {BuildProperties: {Binary: sweeper}}
    Properties:
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt SweeperDead.Arn}}
      Events:
        Hourly:
          Type: Schedule
          Properties: {Schedule: rate(1 hour)}
"
    .parse()
    .unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::new(second, 0).unwrap()
}

fn dispatch() -> Dispatch {
    let identity = Identity { account: "123456789012".to_owned(), region: "us-east-1".to_owned() };
    Dispatch::new(&template(), identity, at(0))
}

fn publish(dispatch: &mut Dispatch, detail_type: &str, second: i64) {
    let event = NewEvent {
        bus: BusKind::Own,
        source: "test".to_owned(),
        detail_type: detail_type.to_owned(),
        detail: json!({}),
        resources: Vec::new(),
    };
    dispatch.publish(event, at(second));
}

/// Sends messages with these bodies.
fn send(dispatch: &mut Dispatch, bodies: &[&str], second: i64) {
    for body in bodies {
        dispatch.send(QUEUE, (*body).to_owned(), at(second));
    }
}

fn bodies(delivery: &Delivery) -> Vec<&str> {
    let records = delivery.payload["Records"].as_array().unwrap();
    records.iter().map(|record| record["body"].as_str().unwrap()).collect()
}

/// The answer that names the messages with these bodies as failed.
fn failing(delivery: &Delivery, wanted: &[&str]) -> Outcome {
    let records = delivery.payload["Records"].as_array().unwrap();
    let failed = records.iter().filter(|record| wanted.contains(&record["body"].as_str().unwrap()));
    let failures: Vec<_> =
        failed.map(|record| json!({ "itemIdentifier": record["messageId"] })).collect();
    Outcome::Answered(json!({ "batchItemFailures": failures }))
}

fn done() -> Outcome {
    Outcome::Answered(Value::Null)
}

fn failed() -> Outcome {
    Outcome::Failed("no".to_owned())
}

#[test]
fn an_event_goes_to_the_queue_of_its_rule_as_it_is() {
    let mut dispatch = dispatch();

    publish(&mut dispatch, "Wanted", 1);
    publish(&mut dispatch, "Unwanted", 1);

    let messages = dispatch.messages(QUEUE);
    let body: Value = serde_json::from_str(&messages[0].body).unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(body["detail-type"], "Wanted");
    assert_eq!(body["time"], "1970-01-01T00:00:01Z");
    assert_eq!(body["account"], "123456789012");
}

#[test]
fn an_event_of_another_bus_does_not_match() {
    let mut dispatch = dispatch();
    let event = json!({"source": "test", "detail-type": "Wanted"});

    assert_eq!(dispatch.put_event(BusKind::Default, &event, at(0)), 0);
    assert_eq!(dispatch.put_event(BusKind::Own, &event, at(0)), 1);
}

#[test]
fn a_batch_waits_for_its_window() {
    let mut dispatch = dispatch();
    send(&mut dispatch, &["a"], 0);
    send(&mut dispatch, &["b"], 5);

    assert_eq!(dispatch.due(at(9)), []);
    assert_eq!(dispatch.next_at(), Some(at(10)));
    let due = dispatch.due(at(10));

    assert_eq!(due.len(), 1);
    assert_eq!(due[0].function, Function::Snapshotter);
    assert_eq!(bodies(&due[0]), ["a", "b"]);
}

#[test]
fn a_full_batch_does_not_wait() {
    let mut dispatch = dispatch();
    send(&mut dispatch, &["a", "b", "c", "d"], 0);

    let due = dispatch.due(at(0));

    assert_eq!(due.len(), 1);
    assert_eq!(bodies(&due[0]), ["a", "b", "c"]);
    assert_eq!(dispatch.next_at(), Some(at(10)));
}

#[test]
fn no_more_calls_run_at_once_than_allowed() {
    let mut dispatch = dispatch();
    send(&mut dispatch, &["a"; 9], 0);

    let first = dispatch.due(at(0));
    assert_eq!(first.len(), 2);
    assert_eq!(dispatch.due(at(100)), []);

    dispatch.settle(first[0].id, &done(), at(100));
    assert_eq!(dispatch.due(at(100)).len(), 1);
    assert_eq!(dispatch.in_flight(), 2);
}

#[test]
fn of_a_batch_only_what_failed_comes_back_when_its_visibility_is_over() {
    let mut dispatch = dispatch();
    send(&mut dispatch, &["a", "b", "c"], 0);
    let first = dispatch.due(at(0));

    dispatch.settle(first[0].id, &failing(&first[0], &["b"]), at(5));

    assert_eq!(dispatch.due(at(59)), []);
    // Then a window of its own.
    assert_eq!(dispatch.next_at(), Some(at(70)));
    let again = dispatch.due(at(70));
    assert_eq!(bodies(&again[0]), ["b"]);
    assert_eq!(again[0].payload["Records"][0]["attributes"]["ApproximateReceiveCount"], "2");
}

#[test]
fn a_call_that_fails_brings_the_whole_batch_back() {
    let mut dispatch = dispatch();
    send(&mut dispatch, &["a", "b", "c"], 0);
    let first = dispatch.due(at(0));

    dispatch.settle(first[0].id, &failed(), at(5));

    assert_eq!(dispatch.messages(QUEUE).len(), 3);
    assert_eq!(bodies(&dispatch.due(at(60))[0]), ["a", "b", "c"]);
}

#[test]
fn an_answer_that_names_no_message_of_the_batch_fails_all_of_it() {
    for answer in [
        json!({"batchItemFailures": [{"itemIdentifier": "elsewhere"}]}),
        json!({"batchItemFailures": [{"itemIdentifier": null}]}),
        json!({"batchItemFailures": [{}]}),
        json!({"batchItemFailures": "a"}),
    ] {
        let mut dispatch = dispatch();
        send(&mut dispatch, &["a", "b", "c"], 0);
        let first = dispatch.due(at(0));

        dispatch.settle(first[0].id, &Outcome::Answered(answer.clone()), at(0));

        assert_eq!(dispatch.messages(QUEUE).len(), 3, "{answer}");
    }
}

#[test]
fn an_answer_without_failures_is_a_success() {
    for answer in [json!(null), json!({}), json!({"batchItemFailures": []})] {
        let mut dispatch = dispatch();
        send(&mut dispatch, &["a", "b", "c"], 0);
        let first = dispatch.due(at(0));

        dispatch.settle(first[0].id, &Outcome::Answered(answer.clone()), at(0));

        assert_eq!(dispatch.messages(QUEUE).len(), 0, "{answer}");
    }
}

#[test]
fn what_failed_too_often_goes_to_the_dead_letters() {
    let mut dispatch = dispatch();
    send(&mut dispatch, &["a", "b", "c"], 0);
    for second in [0, 60] {
        let due = dispatch.due(at(second));
        dispatch.settle(due[0].id, &failing(&due[0], &["a", "b", "c"]), at(second));
    }

    assert_eq!(dispatch.due(at(119)), []);
    assert_eq!(dispatch.messages(DEAD).len(), 0);
    assert_eq!(dispatch.due(at(120)), []);

    let dead: Vec<_> = dispatch.messages(DEAD).iter().map(|each| each.body.as_str()).collect();
    assert_eq!(dead, ["a", "b", "c"]);
    assert_eq!(dispatch.messages(QUEUE).len(), 0);
    assert_eq!(dispatch.dead_letters()[DEAD], 3);
}

#[test]
fn a_call_that_takes_longer_than_the_visibility_is_not_made_twice() {
    let mut dispatch = dispatch();
    send(&mut dispatch, &["a", "b", "c"], 0);
    let first = dispatch.due(at(0));

    assert_eq!(dispatch.due(at(600)), []);
    dispatch.settle(first[0].id, &failed(), at(600));

    assert_eq!(bodies(&dispatch.due(at(600))[0]), ["a", "b", "c"]);
}

#[test]
fn a_message_is_not_kept_for_ever() {
    let mut dispatch = dispatch();
    send(&mut dispatch, &["a"], 0);

    assert!(dispatch.due(at(4 * 86_400 + 1)).iter().all(|due| due.function == Function::Sweeper));
    assert_eq!(dispatch.messages(QUEUE).len(), 0);
}

#[test]
fn settling_twice_is_nothing() {
    let mut dispatch = dispatch();
    send(&mut dispatch, &["a", "b", "c"], 0);
    let first = dispatch.due(at(0));

    dispatch.settle(first[0].id, &failed(), at(0));
    dispatch.settle(first[0].id, &failed(), at(0));

    assert_eq!((dispatch.messages(QUEUE).len(), dispatch.in_flight()), (3, 0));
}

#[test]
fn an_asynchronous_call_is_tried_again_and_then_kept_with_the_reason() {
    let mut dispatch = dispatch();
    publish(&mut dispatch, "Asked", 0);

    let first = dispatch.due(at(0));
    dispatch.settle(first[0].id, &failed(), at(1));
    assert_eq!(dispatch.due(at(60)), []);
    let second = dispatch.due(at(61));
    dispatch.settle(second[0].id, &failed(), at(61));

    assert_eq!(second[0].payload, first[0].payload);
    let dead = dispatch.messages("SweeperDead");
    let record: Value = serde_json::from_str(&dead[0].body).unwrap();
    assert_eq!(record["requestPayload"], first[0].payload);
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["responsePayload"]["errorMessage"], "no");
}

#[test]
fn an_asynchronous_call_that_succeeds_is_over() {
    let mut dispatch = dispatch();
    publish(&mut dispatch, "Asked", 0);

    let first = dispatch.due(at(0));
    dispatch.settle(first[0].id, &done(), at(0));

    assert_eq!(dispatch.due(at(3_599)), []);
    assert_eq!(dispatch.messages("SweeperDead").len(), 0);
}

#[test]
fn a_schedule_fires_at_the_full_hour_with_that_time() {
    let mut dispatch = dispatch();

    assert_eq!(dispatch.due(at(3_599)), []);
    let due = dispatch.due(at(3_605));

    assert_eq!(due[0].function, Function::Sweeper);
    assert_eq!(due[0].payload["time"], "1970-01-01T01:00:00Z");
    assert_eq!(due[0].payload["detail-type"], "Scheduled Event");
    assert_eq!(dispatch.next_at(), None);
}

#[test]
fn ticks_that_pile_up_are_one_the_latest() {
    let mut dispatch = dispatch();
    let first = dispatch.due(at(3_600));
    assert_eq!(first.len(), 1);
    assert_eq!(dispatch.due(at(4 * 3_600)), []);

    dispatch.settle(first[0].id, &done(), at(4 * 3_600 + 10));
    let next = dispatch.due(at(4 * 3_600 + 10));

    assert_eq!(next.len(), 1);
    assert_eq!(next[0].payload["time"], "1970-01-01T04:00:00Z");
    dispatch.settle(next[0].id, &done(), at(4 * 3_600 + 10));
    assert_eq!(dispatch.next_at(), Some(at(5 * 3_600)));
}

#[test]
fn a_tick_that_is_to_be_tried_again_holds_back_the_next() {
    let mut dispatch = dispatch();
    let first = dispatch.due(at(3_600));

    dispatch.settle(first[0].id, &failed(), at(7_190));
    assert_eq!(dispatch.due(at(7_200)), []);
    let again = dispatch.due(at(7_250));
    assert_eq!(again[0].payload["time"], "1970-01-01T01:00:00Z");
    dispatch.settle(again[0].id, &failed(), at(7_250));

    assert_eq!(dispatch.due(at(7_250))[0].payload["time"], "1970-01-01T02:00:00Z");
}

#[test]
fn a_schedule_fires_besides_when_asked_to() {
    let mut dispatch = dispatch();

    dispatch.fire(Function::Sweeper, at(100));
    let due = dispatch.due(at(100));
    dispatch.settle(due[0].id, &done(), at(100));

    assert_eq!(due[0].payload["time"], "1970-01-01T00:01:40Z");
    assert_eq!(dispatch.next_at(), Some(at(3_600)));
}

#[test]
fn a_schedule_can_be_given_another_rhythm() {
    let mut dispatch = dispatch();

    dispatch.reschedule(Function::Sweeper, &"rate(5 minutes)".parse().unwrap(), at(10));

    assert_eq!(dispatch.next_at(), Some(at(300)));
}

#[test]
fn ids_are_never_the_same() {
    let mut dispatch = dispatch();
    send(&mut dispatch, &["a", "a"], 0);
    send(&mut dispatch, &["a"], 1);

    let ids: std::collections::BTreeSet<_> =
        dispatch.messages(QUEUE).iter().map(|each| each.id.clone()).collect();

    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.len() == 36));
}

#[test]
fn a_long_window_does_not_overflow() {
    let mut dispatch = dispatch();
    dispatch.send(QUEUE, "a".to_owned(), Timestamp::MAX);

    let hour = Timestamp::MAX.checked_sub(SignedDuration::from_hours(1)).unwrap();

    assert!(dispatch.due(hour).iter().all(|due| due.function == Function::Sweeper));
}
