//! Everything that reads what comes from outside, given anything at all: it reads it or refuses it, and what it has read
//! it writes so that it reads the same again.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::str::FromStr;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::cursor::Cursor;
use crate::domain::ids::{EbsSnapshotId, InstanceId, ScheduleId, SnapshotId, VolumeId};
use crate::domain::installation::InstallationId;
use crate::domain::retention::Span;
use crate::domain::schedule::expression::Expression;
use crate::domain::schedule::name_template::{NameFields, NameTemplate};
use crate::domain::schedule::zone::Zone;
use crate::domain::tags::pattern::Pattern;
use crate::domain::tags::{Tags, refusal};
use crate::ec2::Ec2;
use crate::events::{
    AdoptionRequested, Envelope, JobDue, QueueBatch, QueueMessage, SnapshotDeletionDue,
    SnapshotRequested, SweepRequested, ebs_snapshot_ids,
};
use crate::metrics::Metrics;
use crate::queue::{batch, envelope};
use crate::trace::TraceParent;

/// Letters that have broken programs: control characters, one that turns the text around, one of four bytes, one that joins,
/// what ends a line, a string, a key or a path.
const HOSTILE: &[char] = &[
    '\0',
    '\u{1}',
    '\u{7f}',
    '\n',
    '\r',
    '\t',
    '\u{85}',
    '\u{202e}',
    '\u{2066}',
    '\u{200b}',
    '\u{feff}',
    '\u{301}',
    '😀',
    '\u{10ffff}',
    'ß',
    'İ',
    '"',
    '\'',
    '\\',
    '/',
    '#',
    '%',
    '{',
    '}',
    '<',
    '&',
    ';',
    '*',
    '?',
    '-',
    '+',
    '.',
    ',',
    ' ',
    '0',
    '9',
    'a',
    'Z',
    'L',
    'W',
];
/// What is nearly right, to be spoiled.
const SAMPLES: &[&str] = &[
    "cron(0/15 8-17 ? * MON-FRI *)",
    "cron(0 0 L * ? *)",
    "rate(5 minutes)",
    "at(2026-03-01T02:00:00)",
    "1y2m3d4h",
    "Europe/Berlin",
    "{instance_name} {date}",
    "snp_0195500c-6d00-7000-8000-000000000000",
    "snap-0123456789abcdef0",
    "i-0123456789abcdef0",
    "c25wXzAx",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "snapkeep.us-east-1",
];

/// A sample with some of its letters replaced, doubled or left out.
fn spoiled() -> impl Strategy<Value = String> {
    let edits = prop::collection::vec(
        (any::<prop::sample::Index>(), prop::sample::select(HOSTILE), 0..3),
        0..4,
    );
    (prop::sample::select(SAMPLES), edits).prop_map(|(sample, edits)| {
        let mut letters: Vec<char> = sample.chars().collect();
        for (place, letter, how) in edits {
            if letters.is_empty() {
                break;
            }
            let at = place.index(letters.len());
            match how {
                0 => letters[at] = letter,
                1 => letters.insert(at, letter),
                _ => _ = letters.remove(at),
            }
        }
        letters.into_iter().collect()
    })
}

fn hostile() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(HOSTILE), 0..300)
        .prop_map(|all| all.into_iter().collect())
}

fn anything() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), hostile(), spoiled(), "[a-z0-9-]{1,64}", ".{256}"]
}

/// What is read from a text is read again from what it is written as.
fn same_again<T: FromStr + Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(serde_json::from_value::<T>(written).unwrap(), read, "{text:?}");
    }
}

/// Any JSON, not too deep.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        anything().prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "Records",
            "messageId",
            "body",
            "detail",
            "detail-type",
            "source",
            "time",
            "snapshot_id",
            "snapshots",
            "snapshot_ids",
            "targets",
            "instance_id",
            "sweep_id",
            "kind",
            "id",
            "run",
            "slot",
            "schedule_id",
        ])
        .prop_map(str::to_owned),
        anything(),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn texts_are_read_or_refused(text in anything()) {
        same_again::<Expression>(&text);
        same_again::<Span>(&text);
        same_again::<Zone>(&text);
        same_again::<NameTemplate>(&text);
        same_again::<InstallationId>(&text);
        same_again::<SnapshotId>(&text);
        same_again::<ScheduleId>(&text);
        same_again::<EbsSnapshotId>(&text);
        same_again::<InstanceId>(&text);
        same_again::<VolumeId>(&text);
        if let Ok(cursor) = text.parse::<Cursor>() {
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
        if let Ok(trace) = text.parse::<TraceParent>() {
            // It goes into logs and headers as it is.
            assert!(trace.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }

    #[test]
    fn an_identifier_has_no_letter_that_means_something_elsewhere(text in anything()) {
        let plain = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if let Ok(id) = text.parse::<SnapshotId>() { assert!(plain(id.as_str())); }
        if let Ok(id) = text.parse::<EbsSnapshotId>() { assert!(plain(id.as_str())); }
        if let Ok(id) = text.parse::<InstanceId>() { assert!(plain(id.as_str())); }
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_given(key in "[^\\p{C}]{1,200}") {
        let cursor = Cursor::after(key.clone());

        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap().key(), key);
    }

    #[test]
    fn a_pattern_matches_what_it_says_and_never_hangs(pattern in anything(), text in anything()) {
        let everything = Pattern::new("*");
        assert!(everything.matches(&text) || !Pattern::new(pattern).matches(&text));
        assert!(Pattern::exactly(&text).matches(&text), "{text:?}");
    }

    #[test]
    fn tags_are_taken_or_refused(tags in prop::collection::btree_map(anything(), anything(), 0..60)) {
        let tags: Tags = tags.into_iter().collect();
        // EC2's own limits are among the reasons; what is not refused keeps to them.
        if refusal(&tags).is_none() {
            assert!(tags.len() <= 50);
            for (key, value) in &tags {
                assert!((1..=128).contains(&key.chars().count()) && value.chars().count() <= 256);
                assert!(!key.to_lowercase().starts_with("aws:"));
            }
        }
    }

    #[test]
    fn a_name_is_filled_whatever_the_instance_is_called(template in spoiled(), name in anything()) {
        let Ok(template) = template.parse::<NameTemplate>() else { return Ok(()) };
        let filled = template.fill(&NameFields {
            instance_name: Some(&name),
            instance_id: &"i-0123456789abcdef0".parse().unwrap(),
            schedule: &name,
            slot: "2026-07-01T23:30:00Z".parse().unwrap(),
            zone: &"Europe/Berlin".parse().unwrap(),
        });

        assert!(filled.chars().count() <= 256, "{filled:?}");
    }

    #[test]
    fn events_are_read_or_refused(event in json()) {
        drop(ebs_snapshot_ids(&event));
        drop(TraceParent::of_event(&event));
        drop(serde_json::from_value::<Envelope>(event.clone()));
        drop(serde_json::from_value::<SnapshotRequested>(event.clone()));
        drop(serde_json::from_value::<SnapshotDeletionDue>(event.clone()));
        drop(serde_json::from_value::<SweepRequested>(event.clone()));
        drop(serde_json::from_value::<JobDue>(event.clone()));
        drop(serde_json::from_value::<AdoptionRequested>(event.clone()));
        drop(serde_json::from_value::<QueueBatch>(event.clone()));
        drop(batch(event));
    }

    #[test]
    fn messages_are_read_or_refused(body in prop_oneof![anything(), json().prop_map(|event| event.to_string())]) {
        let message = QueueMessage { message_id: "1".to_owned(), body };
        if let Err(reason) = envelope(&message) {
            assert!(reason.contains("is no event"), "{reason}");
        }
    }

    #[test]
    fn settings_are_read_or_refused_with_the_variable_s_name(text in anything()) {
        for name in ["SNAPKEEP_GRACE_MINUTES", "SNAPKEEP_REGIONS", "SNAPKEEP_INSTALLATION", "SNAPKEEP_CREATES_PER_SECOND"] {
            let base = BTreeMap::from([("AWS_REGION", "us-east-1"), ("SNAPKEEP_TABLE", "t"), ("SNAPKEEP_BUS", "b")]);
            let lookup = |asked: &str| {
                if asked == name { Some(text.clone()) } else { base.get(asked).map(|one| (*one).to_owned()) }
            };
            if let Err(error) = crate::settings::Settings::from_lookup(lookup) {
                assert!(error.to_string().contains(name), "{error}");
            }
        }
    }
}

/// A piece of EC2's XML, right or wrong.
fn xml() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "DescribeSnapshotsResponse",
        "snapshotSet",
        "item",
        "snapshotId",
        "status",
        "startTime",
        "volumeSize",
        "tagSet",
        "key",
        "value",
        "nextToken",
        "Response",
        "Errors",
        "Error",
        "Code",
        "Message",
        "progress",
        "encrypted",
    ]);
    let leaf = prop_oneof![
        anything(),
        prop::sample::select(vec![
            "snap-0123456789abcdef0",
            "completed",
            "pending",
            "2026-03-01T02:00:00.000Z",
            "8",
            "-1",
            "99999999999999999999",
            "&amp;",
            "&#0;",
            "&nothing;",
            "<![CDATA[x]]>",
            "<!-- -->",
            "<a",
            "</a>",
            "<?xml?>",
            "100%",
        ])
        .prop_map(str::to_owned),
    ];
    let element = (name, prop::collection::vec(leaf, 0..3))
        .prop_map(|(name, inner)| format!("<{name}>{}</{name}>", inner.concat()));
    let set = prop::collection::vec(element, 0..8).prop_map(|items| items.concat());
    prop_oneof![
        set.clone().prop_map(|items| format!(
            "<DescribeSnapshotsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><snapshotSet><item>{items}</item></snapshotSet></DescribeSnapshotsResponse>"
        )),
        set.clone().prop_map(|items| format!("<Response><Errors><Error>{items}</Error></Errors></Response>")),
        set,
        anything(),
    ]
}

/// An EC2 that always answers this.
#[derive(Clone, Debug)]
struct Saying(u16, String);

impl HttpConnector for Saying {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let Self(status, body) = self.clone();
        let status = StatusCode::try_from(status).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

fn ec2(status: u16, body: String) -> Ec2 {
    let credentials = Credentials::new("a", "b", None, None, "test");
    let connector = SharedHttpConnector::new(Saying(status, body));
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .endpoint_url("http://localhost")
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build();
    Ec2::new(&config, "us-east-1", "t".parse().unwrap(), &Metrics::default())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn ec2_s_answers_are_read_or_refused(body in xml(), status in prop::sample::select(vec![200_u16, 400, 403, 500, 503])) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let id: EbsSnapshotId = "snap-0123456789abcdef0".parse().unwrap();
        runtime.block_on(async {
            let ec2 = ec2(status, body);
            let found = ec2.ebs_snapshots(std::slice::from_ref(&id)).await;
            // An error is never taken for an answer: what is not there is said by a good one alone.
            assert!(status == 200 || found.is_err(), "{found:?}");
            drop(ec2.delete_ebs_snapshot(&id).await);
            drop(ec2.locked(std::slice::from_ref(&id)).await);
        });
    }
}
