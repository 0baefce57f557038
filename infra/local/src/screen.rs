//! The first screen of a run for people, and one line for scripts.

use std::fmt::Write as _;

use crate::{connections::DUMMY_KEY, options::Role, world::BUS};

/// What there is to say.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    pub(crate) api: String,
    pub(crate) ec2: String,
    pub(crate) dynamodb: String,
    pub(crate) region: String,
    pub(crate) table: String,
    pub(crate) role: Role,
    pub(crate) time: String,
    pub(crate) place: Backend,
    pub(crate) kind: RunKind,
}

/// Whether what is shown is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunKind {
    /// It happened, here or in AWS.
    Real,
    /// It began with a recorded history.
    Demonstration,
}

impl RunKind {
    fn remark(self) -> &'static str {
        match self {
            Self::Real => "; --demo shows one with a history",
            Self::Demonstration => "; a demonstration: all of it is made up",
        }
    }
}

/// What is behind it.
#[derive(Clone, Debug)]
pub(crate) enum Backend {
    /// A simulated EC2, with its data here and an instance to try things on.
    Simulated { data: String, instance: Option<String> },
    /// The real one, for those who bring the token.
    Aws { token: String },
}

impl Screen {
    /// For scripts.
    pub(crate) fn ready(&self) -> String {
        let Self { api, ec2, dynamodb, .. } = self;
        format!("ready {api} ec2={ec2} dynamodb={dynamodb}")
    }

    /// For people.
    pub(crate) fn welcome(&self) -> String {
        let Self { api, ec2, dynamodb, region, table, role, time, place, kind } = self;
        let mut text = String::new();
        let mut line = |label: &str, what: String| {
            // Writing to a String cannot fail.
            _ = writeln!(text, "{label:<9} {what}");
        };
        line("Page", format!("{api}/  (--open opens it{})", kind.remark()));
        line(
            "API",
            format!(
                "{api}/v1  (you are {role}: --as; for one request -H 'x-snapkeep-role: viewer')"
            ),
        );
        line("DynamoDB", format!("{dynamodb}  (table {table})"));
        let instance = match place {
            Backend::Simulated { data, instance } => {
                line("EC2", format!("{ec2}  (simulated, {region}; PutEvents as well)"));
                line("Data", format!("{data}  (--fresh starts anew)"));
                line("Time", time.clone());
                instance.as_deref().unwrap_or("i-…")
            }
            Backend::Aws { token } => {
                line("Page", format!("{api}/#token={token}"));
                line("Token", format!("-H 'authorization: Bearer {token}'"));
                line("EC2", format!("{ec2}  (yours: what is taken is billed)"));
                line(
                    "Time",
                    "EC2's reports do not arrive here: snapshots are looked after every 5 minutes"
                        .to_owned(),
                );
                "i-…"
            }
        };
        line("Try", format!("curl {api}/v1/instances"));
        line(
            "",
            format!(
                "curl {api}/v1/snapshots -H 'content-type: application/json' -d '{{\"instance_id\":\"{instance}\"}}'"
            ),
        );
        line("", format!("curl {api}/v1/snapshots    curl {api}/v1/openapi.json"));
        if let Backend::Simulated { .. } = place {
            line("Elsewhere", format!("export {}", self.variables().join(" ")));
        }
        text
    }

    /// With these, functions elsewhere (cargo lambda, sam local) reach this run.
    fn variables(&self) -> Vec<String> {
        let Self { ec2, dynamodb, region, table, .. } = self;
        vec![
            format!("AWS_ENDPOINT_URL_EC2={ec2}"),
            format!("AWS_ENDPOINT_URL_EVENTBRIDGE={ec2}"),
            format!("AWS_ENDPOINT_URL_DYNAMODB={dynamodb}"),
            format!("AWS_REGION={region}"),
            format!("AWS_ACCESS_KEY_ID={DUMMY_KEY}"),
            format!("AWS_SECRET_ACCESS_KEY={DUMMY_KEY}"),
            format!("SNAPKEEP_TABLE={table}"),
            format!("SNAPKEEP_BUS={BUS}"),
        ]
    }
}
