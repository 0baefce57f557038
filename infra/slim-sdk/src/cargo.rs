//! Cargo, asked where things are and run with the copy.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use crate::failure::Failure;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");

/// What Cargo knows of this workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Where Cargo builds.
    pub(crate) target: PathBuf,
    metadata: String,
}

/// A crate as Cargo.lock names it.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) version: String,
    /// Where its manifest is.
    pub(crate) folder: PathBuf,
}

impl Workspace {
    /// Asks Cargo, which downloads all crates of Cargo.lock if they are not there; what the arguments forbid it (the
    /// network, another Cargo.lock) is forbidden here as well.
    pub(crate) fn ask(arguments: &[OsString]) -> Result<Self, Failure> {
        // Without a platform it would download what only the others need.
        let rustc = output_of(Command::new(rustc()).arg("-vV"))?;
        let platform = rustc.lines().find_map(|line| line.strip_prefix("host: "));
        let platform = platform.ok_or_else(|| Failure::new("`rustc -vV` names no host"))?;
        let mut metadata = Command::new(cargo());
        metadata.args(["metadata", "--format-version", "1", "--manifest-path", MANIFEST]);
        metadata.args(restrictions(arguments));
        Self::from_metadata(output_of(metadata.args(["--filter-platform", platform]))?)
    }

    fn from_metadata(metadata: String) -> Result<Self, Failure> {
        let target = text_after(&metadata, r#""target_directory":"#);
        let target =
            target.ok_or_else(|| Failure::new("`cargo metadata` names no target folder"))?;
        Ok(Self { target: target.into(), metadata })
    }

    /// The one version of the crate in Cargo.lock.
    pub(crate) fn package(&self, name: &str) -> Result<Package, Failure> {
        // A package begins with these two fields, a dependency's name is followed by something else.
        let beginning = format!(r#"{{"name":"{name}","version":"#);
        let packages: Vec<&str> = self.metadata.split(&beginning).skip(1).collect();
        let [package] = packages.as_slice() else {
            let count = packages.len();
            return Err(Failure::new(format!("`cargo metadata` names {count} versions, not one")));
        };
        let unclear = || Failure::new("`cargo metadata` does not tell where it is");
        let manifest = text_after(package, r#""manifest_path":"#).ok_or_else(unclear)?;
        Ok(Package {
            version: text_after(package, "").ok_or_else(unclear)?,
            folder: Path::new(&manifest).parent().ok_or_else(unclear)?.to_owned(),
        })
    }
}

/// Those of Cargo's own arguments that say what it may not do.
fn restrictions(arguments: &[OsString]) -> impl Iterator<Item = &OsString> {
    let own = arguments.iter().take_while(|argument| *argument != "--");
    own.filter(|argument| ["--frozen", "--locked", "--offline"].iter().any(|one| argument == one))
}

/// The JSON text that stands behind the mark.
fn text_after(json: &str, mark: &str) -> Option<String> {
    let (_, rest) = json.split_once(mark)?;
    let mut letters = rest.strip_prefix('"')?.chars();
    let mut text = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => match letters.next()? {
                letter @ ('"' | '\\' | '/') => text.push(letter),
                // A control character in a path.
                _ => return None,
            },
            letter => text.push(letter),
        }
    }
}

/// Runs Cargo with the copies in the place of the crates; comes back only when it cannot be started, or where a process
/// cannot be replaced by another.
pub(crate) fn run_with(copies: &[PathBuf], arguments: &[OsString]) -> Result<ExitCode, Failure> {
    let mut command = Command::new(cargo());
    // Behind the subcommand, where those that are programs of their own (clippy) take it as well.
    let (subcommand, rest) = arguments.split_at(arguments.len().min(1));
    command.args(subcommand).arg("--config").arg(overrides(copies)?).args(rest);
    // What Cargo has said of this package is of no interest to the next.
    for (name, _) in env::vars_os() {
        if is_of_this_package(&name) {
            command.env_remove(name);
        }
    }
    become_it(&mut command)
}

/// Cargo's setting that puts the copies in the place of the crates, in TOML.
fn overrides(copies: &[PathBuf]) -> Result<String, Failure> {
    let mut paths = Vec::new();
    for copy in copies {
        let shown = copy.display();
        let path = copy
            .to_str()
            .ok_or_else(|| Failure::new(format!("{shown} is a path that TOML cannot have")))?;
        paths.push(format!("\"{}\"", path.replace('\\', r"\\").replace('"', "\\\"")));
    }
    Ok(format!("paths=[{}]", paths.join(",")))
}

fn is_of_this_package(variable: &OsStr) -> bool {
    variable.to_str().is_some_and(|name| {
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    })
}

/// The terminal's signals, and how it ends, are the new process's own.
#[cfg(unix)]
fn become_it(command: &mut Command) -> Result<ExitCode, Failure> {
    let error = std::os::unix::process::CommandExt::exec(command);
    Err(Failure::new(format!("cannot run {command:?}: {error}")))
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> Result<ExitCode, Failure> {
    let ended = command
        .status()
        .map_err(|error| Failure::new(format!("cannot run {command:?}: {error}")))?;
    let code = ended.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn output_of(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::new(format!("cannot run {command:?}: {error}")))?;
    if !output.status.success() {
        return Err(Failure::new(format!("{command:?} failed: {}", output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::new(format!("{command:?} answers something that is not UTF-8")))
}

/// The Cargo that runs this program, so that both are of one toolchain.
fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn rustc() -> OsString {
    env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(packages: &str) -> Workspace {
        let rest = r#""target_directory":"/elsewhere/target","version":1}"#;
        Workspace::from_metadata(format!(r#"{{"packages":[{packages}],{rest}"#)).unwrap()
    }

    #[test]
    fn a_crate_is_found_among_packages_and_dependencies() {
        let workspace = workspace(
            r#"{"name":"shared","version":"0.1.0","dependencies":[{"name":"aws-sdk-ec2","source":"registry"}],
                "manifest_path":"/home/shared/Cargo.toml"},
               {"name":"aws-sdk-ec2","version":"1.2.3","targets":[{"name":"aws_sdk_ec2"}],
                "manifest_path":"/crates/a \"b\" \\/Cargo.toml"},
               {"name":"aws-sdk-dynamodb","version":"4.5.6","manifest_path":"/crates/dynamodb/Cargo.toml"}"#,
        );

        let package = workspace.package("aws-sdk-ec2").unwrap();

        assert_eq!(package.version, "1.2.3");
        assert_eq!(package.folder, Path::new(r#"/crates/a "b" \"#));
        assert_eq!(workspace.target, Path::new("/elsewhere/target"));
    }

    #[test]
    fn two_versions_of_a_crate_are_refused() {
        let workspace = workspace(
            r#"{"name":"aws-sdk-ec2","version":"1.2.3"},{"name":"aws-sdk-ec2","version":"1.2.4"}"#,
        );

        let failure = workspace.package("aws-sdk-ec2").unwrap_err();

        assert_eq!(failure.to_string(), "`cargo metadata` names 2 versions, not one");
    }

    #[test]
    fn what_cargo_may_not_do_is_read_before_the_two_dashes() {
        let arguments =
            ["test", "--offline", "-q", "--locked", "--", "--frozen"].map(OsString::from);

        assert_eq!(restrictions(&arguments).collect::<Vec<_>>(), ["--offline", "--locked"]);
    }

    #[test]
    fn paths_are_written_as_toml_has_them() {
        let copies = [PathBuf::from("/a b/c"), PathBuf::from(r#"C:\d\"e""#)];

        assert_eq!(overrides(&copies).unwrap(), r#"paths=["/a b/c","C:\\d\\\"e\""]"#);
    }

    #[test]
    fn only_what_is_said_of_this_package_is_taken_back() {
        let of_this = |name: &&str| is_of_this_package(OsStr::new(name));
        let names =
            ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_TARGET_DIR", "CARGO_HOME", "PATH"];

        let taken: Vec<_> = names.into_iter().filter(of_this).collect();

        assert_eq!(taken, ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"]);
    }
}
