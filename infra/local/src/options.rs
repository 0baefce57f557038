//! The command line.

use std::{fmt, path::PathBuf};

use clap::{Parser, ValueEnum};

use crate::{StartError, demo::Size};

/// Time must not pass faster: sweeps and deletions stop when a look at the clock and EC2's answer are more than
/// five minutes apart, and half a second is what a slow machine may need for that.
const SPEED_MAX: u32 = 600;

/// Snapkeep on one machine: API, functions, queues, DynamoDB and a simulated EC2 in one process.
#[derive(Clone, Debug, Parser)]
#[command(name = "local", version, about)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on a command line")]
pub struct Options {
    /// Port of the REST API; 0 for any free one
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    pub port: u16,
    /// Port of the simulated EC2, and of EventBridge's `PutEvents`
    #[arg(long, default_value_t = 0, value_name = "PORT", conflicts_with = "aws")]
    pub ec2_port: u16,
    /// Port of DynamoDB
    #[arg(long, default_value_t = 0, value_name = "PORT", conflicts_with = "aws")]
    pub dynamodb_port: u16,
    /// Folder of the table and the simulated EC2 [default: the platform's folder for such data]
    #[arg(long, value_name = "DIR", conflicts_with = "aws")]
    pub data: Option<PathBuf>,
    /// Start anew: delete what an earlier run left in the data folder
    #[arg(long, conflicts_with = "aws")]
    pub fresh: bool,
    /// Begin with a made-up account that has a history, at the time when that ends
    #[arg(long, conflicts_with = "aws")]
    pub demo: bool,
    /// The same with a thousand instances and fifty thousand snapshots, which takes a minute
    #[arg(long, conflicts_with = "aws")]
    pub demo_big: bool,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
    /// Let time pass N times faster, at most 600 (a call of a tenth of a second then takes a minute)
    #[arg(
        long,
        default_value_t = 1,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(SPEED_MAX)),
    )]
    pub speed: u32,
    /// Let the functions do whatever they call, and not only what their roles in the template allow
    #[arg(long, conflicts_with = "aws")]
    pub every_right: bool,
    /// The role of everybody who calls the API
    #[arg(long = "as", value_enum, default_value_t = Role::Admin, value_name = "ROLE")]
    pub role: Role,
    /// Use the real EC2 and DynamoDB of your AWS credentials and region
    #[arg(long)]
    pub aws: bool,
    /// With --aws: what callers must bring as `Authorization: Bearer` [default: made anew, and printed]
    #[arg(long, requires = "aws", value_name = "TOKEN", value_parser = token)]
    pub token: Option<String>,
    /// With --aws: create the table without asking
    #[arg(long, requires = "aws")]
    pub yes: bool,
}

/// What a caller of the API may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Creates and edits as well.
    Operator,
    /// Deletes as well.
    Admin,
}

/// A token that nobody guesses and a header can hold.
fn token(text: &str) -> Result<String, String> {
    let is_good = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_good
        .then(|| text.to_owned())
        .ok_or_else(|| "should be 16 or more letters and digits".to_owned())
}

impl Options {
    /// How large an account that was made up the run is to begin with, if it is.
    pub(crate) fn demonstration(&self) -> Option<Size> {
        match (self.demo_big, self.demo) {
            (true, _) => Some(Size::Big),
            (false, true) => Some(Size::Recorded),
            (false, false) => None,
        }
    }

    /// Refuses what does not go together and the command line cannot say.
    pub fn check(&self) -> Result<(), StartError> {
        if self.aws && self.speed != 1 {
            let reason = "--speed is for the simulated EC2 only: AWS has its own time";
            return Err(StartError::Options(reason.to_owned()));
        }
        Ok(())
    }
}

impl Role {
    /// The group that gives this role.
    pub fn group(self) -> &'static str {
        match self {
            Self::Viewer => "snapkeep-viewers",
            Self::Operator => "snapkeep-operators",
            Self::Admin => "snapkeep-admins",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(std::iter::once("local").chain(arguments.split_whitespace()))
    }

    #[test]
    fn without_arguments_an_admin_calls_port_8080() {
        let options = parse("").unwrap();

        assert_eq!((options.port, options.ec2_port, options.dynamodb_port), (8080, 0, 0));
        assert_eq!((options.speed, options.role), (1, Role::Admin));
        assert!(!options.aws && !options.fresh);
    }

    #[test]
    fn what_makes_no_sense_with_aws_is_refused() {
        assert!(parse("--aws --fresh").is_err());
        assert!(parse("--aws --data x").is_err());
        assert!(parse("--yes").is_err());
        assert!(parse("--token 0123456789abcdef").is_err());
        assert!(parse("--aws --token short").is_err());
        assert!(parse("--aws --token 0123456789abcdef").is_ok());
        assert!(parse("--aws --speed 60").unwrap().check().is_err());
        assert!(parse("--aws").unwrap().check().is_ok());
    }

    #[test]
    fn time_neither_stands_still_nor_outruns_the_functions() {
        assert!(parse("--speed 0").is_err());
        assert_eq!(parse("--speed 600").unwrap().speed, 600);
        assert!(parse("--speed 601").is_err());
    }

    #[test]
    fn the_role_is_one_of_three() {
        assert_eq!(parse("--as viewer").unwrap().role, Role::Viewer);
        assert!(parse("--as root").is_err());
    }
}
