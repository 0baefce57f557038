//! The data folder: the table, the simulated EC2 and the simulated time, for one run at a time.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use directories::ProjectDirs;
use jiff::Timestamp;

use crate::StartError;

const LOCK: &str = "snapkeep.lock";
const TABLE: &str = "table.sqlite";
const EC2: &str = "ec2.json";
const TIME: &str = "time";
const DEMONSTRATION: &str = "demonstration";

/// Everything we write beside the lock: what `--fresh` deletes, and nothing else.
const OURS: [&str; 9] = [
    TABLE,
    "table.sqlite-wal",
    "table.sqlite-shm",
    "table.sqlite-journal",
    EC2,
    "ec2.json.new",
    TIME,
    "time.new",
    DEMONSTRATION,
];

/// A data folder that nobody else uses as long as this lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// The platform's folder for data of this program.
    pub fn default_path() -> Result<PathBuf, StartError> {
        let directories = ProjectDirs::from("", "", "snapkeep").ok_or(StartError::NoFolder)?;
        Ok(directories.data_local_dir().to_path_buf())
    }

    /// Takes the folder, making it if it is not there.
    pub fn open(path: &Path) -> Result<Self, StartError> {
        let failed = |source| StartError::file(path, source);
        fs::create_dir_all(path).map_err(failed)?;
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path.join(LOCK))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StartError::FolderInUse { path: path.to_path_buf(), by: owner(&lock) });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        lock.set_len(0).map_err(failed)?;
        lock.write_all(std::process::id().to_string().as_bytes()).map_err(failed)?;
        Ok(Self { path: path.to_path_buf(), _lock: lock })
    }

    /// Deletes what an earlier run left. What is not ours stays.
    pub fn wipe(&self) -> Result<(), StartError> {
        for name in OURS {
            let path = self.path.join(name);
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(StartError::file(&path, error)),
            }
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the table.
    pub fn table(&self) -> PathBuf {
        self.path.join(TABLE)
    }

    /// The file of the simulated EC2.
    pub fn ec2(&self) -> PathBuf {
        self.path.join(EC2)
    }

    /// The simulated time that no earlier run was past, if there was one.
    pub fn time(&self) -> Result<Option<Timestamp>, StartError> {
        let path = self.path.join(TIME);
        match fs::read_to_string(&path) {
            Ok(text) => {
                let time = text.trim().parse();
                let context = || path.display().to_string();
                time.map(Some).map_err(|error: jiff::Error| StartError::failed(context(), error))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StartError::file(&path, error)),
        }
    }

    /// Whether what is here was made up.
    pub fn is_demonstration(&self) -> bool {
        self.path.join(DEMONSTRATION).exists()
    }

    /// Says of the folder that what is in it was made up.
    pub fn mark_demonstration(&self) -> io::Result<()> {
        fs::write(self.path.join(DEMONSTRATION), "made up by --demo")
    }

    /// Promises that this run will not be past `time` without saying so first.
    pub fn keep_time(&self, time: Timestamp) -> io::Result<()> {
        // Short enough to be written in one piece, and not worth a sync: a power cut costs a second.
        let beside = self.path.join("time.new");
        fs::write(&beside, time.to_string())?;
        fs::rename(beside, self.path.join(TIME))
    }
}

/// The process that wrote itself into the lock, in brackets.
fn owner(mut lock: &File) -> String {
    let mut text = String::new();
    match lock.read_to_string(&mut text) {
        Ok(_) if !text.is_empty() => format!(" (process {text})"),
        // Windows does not let others read a locked file.
        Ok(_) | Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_user_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataFolder::open(folder.path()).unwrap();

        let second = DataFolder::open(folder.path()).unwrap_err().to_string();

        assert!(second.contains("is in use by another run"), "{second}");
        assert!(second.contains("--data"), "{second}");
        drop(first);
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_fresh_start_deletes_our_files_only() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        fs::write(data.table(), "x").unwrap();
        fs::write(data.ec2(), "x").unwrap();
        data.keep_time(Timestamp::UNIX_EPOCH).unwrap();
        fs::write(folder.path().join("notes.txt"), "x").unwrap();

        data.wipe().unwrap();

        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut left: Vec<_> = entries.collect();
        left.sort();
        assert_eq!(left, ["notes.txt", "snapkeep.lock"]);
    }

    #[test]
    fn the_time_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let time: Timestamp = "2026-11-22T06:07:08Z".parse().unwrap();

        assert_eq!(data.time().unwrap(), None);
        data.keep_time(time).unwrap();

        assert_eq!(data.time().unwrap(), Some(time));
    }
}
