//! The crate's files, read once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::{
    failure::Failure,
    items::{function_of, items_of, reexport_of},
};

/// The whole crate: thirty megabytes of EC2.
#[derive(Debug)]
pub(crate) struct Sources {
    /// By name below `src`, with `/` on every platform.
    files: BTreeMap<String, String>,
    pub(crate) manifest: String,
}

impl Sources {
    pub(crate) fn read_from(folder: &Path) -> Result<Self, Failure> {
        let mut files = BTreeMap::new();
        let source = folder.join("src");
        for path in rust_files_below(&source)? {
            files.insert(name_below(&source, &path), read(&path)?);
        }
        Ok(Self { files, manifest: read(&folder.join("Cargo.toml"))? })
    }

    #[cfg(test)]
    pub(crate) fn new(files: &[(&str, &str)], manifest: &str) -> Self {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Self { files: files.collect(), manifest: manifest.to_owned() }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    pub(crate) fn file(&self, name: &str) -> Result<&str, Failure> {
        let text = self.files.get(name);
        text.map(String::as_str)
            .ok_or_else(|| Failure::unknown_layout(format!("there is no src/{name}")))
    }

    /// A module's files: its own, and those in the folder of its name.
    pub(crate) fn module(&self, name: &str) -> Result<Vec<(&str, &str)>, Failure> {
        let own = format!("{name}.rs");
        let text = self.file(&own)?;
        let (own, _) =
            self.files.get_key_value(&own).ok_or_else(|| Failure::unknown_layout(name))?;
        let folder = format!("{name}/");
        let below = self.files().filter(|(file, _)| file.starts_with(&folder));
        Ok([(own.as_str(), text)].into_iter().chain(below).collect())
    }

    /// The modules of what a file re-exports, by the types' names.
    pub(crate) fn reexports(&self, file: &str) -> Result<BTreeMap<&str, &str>, Failure> {
        let items = items_of(self.file(file)?);
        Ok(items.into_iter().filter_map(reexport_of).map(|(module, name)| (name, module)).collect())
    }

    /// A file's functions by name; none if there is no such file.
    pub(crate) fn functions(&self, file: &str) -> BTreeMap<&str, &str> {
        let items = self.files.get(file).map(|text| items_of(text)).unwrap_or_default();
        items.into_iter().filter_map(|item| Some((function_of(item)?, item))).collect()
    }
}

/// All Rust files of a folder and of those in it; none if there is no such folder.
pub(crate) fn rust_files_below(folder: &Path) -> Result<BTreeSet<PathBuf>, Failure> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        let failed = |error| Failure::file(&folder, &error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

/// The path below the folder, with `/` on every platform.
pub(crate) fn name_below(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}
