//! The reasons why the local run does not start, in words for the person who typed the command.

use std::{io, path::PathBuf};

use shared::{error::BoxError, settings::SettingsError};

use crate::{function::Function, template::TemplateError};

/// Why it does not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The template says something that cannot be interpreted.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A function's environment is wrong.
    #[error("the settings of {function}")]
    Settings {
        /// Whose.
        function: Function,
        /// What is wrong.
        source: SettingsError,
    },
    /// A port is taken.
    #[error("port {port} is taken: choose another with {flag} (0 for any free one)")]
    PortTaken {
        /// Which port.
        port: u16,
        /// The option that chooses another.
        flag: &'static str,
    },
    /// Another run uses the data folder.
    #[error("{} is in use by another run{by}: end it, or choose another folder with --data", path.display())]
    FolderInUse {
        /// Which folder.
        path: PathBuf,
        /// Its process, if known.
        by: String,
    },
    /// There is no place for data on this platform.
    #[error("no folder for data is known on this machine: choose one with --data")]
    NoFolder,
    /// The options do not go together.
    #[error("{0}")]
    Options(String),
    /// Somebody said no, or could not be asked.
    #[error("{0}")]
    Declined(String),
    /// Something else, while doing `context`.
    #[error("{context}")]
    Failed {
        /// What was being done.
        context: String,
        /// What happened.
        source: BoxError,
    },
}

impl StartError {
    /// Something went wrong while doing `context`.
    pub fn failed(context: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Failed { context: context.into(), source: source.into() }
    }

    /// Something went wrong with a file.
    pub(crate) fn file(path: &std::path::Path, source: io::Error) -> Self {
        Self::failed(path.display().to_string(), source)
    }
}
