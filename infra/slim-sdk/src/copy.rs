//! The copy on the disk.

use std::{fs, io, path::Path};

use crate::{
    cut::Files,
    failure::Failure,
    sources::{name_below, rust_files_below},
};

/// Makes the folder have these files and no other Rust files, and returns whether that changed anything. What is as it
/// should be is not touched, so that Cargo has nothing to compile.
pub(crate) fn write(folder: &Path, files: &Files) -> Result<bool, Failure> {
    let mut changed = false;
    for path in rust_files_below(folder)? {
        if !files.contains_key(&name_below(folder, &path)) {
            fs::remove_file(&path).map_err(|error| Failure::file(&path, &error))?;
            changed = true;
        }
    }
    for (name, text) in files {
        let path = folder.join(name);
        changed |= write_file(&path, text).map_err(|error| Failure::file(&path, &error))?;
    }
    Ok(changed)
}

fn write_file(path: &Path, text: &str) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::{env, path::PathBuf, process};

    use super::*;

    /// A folder of this test alone, gone afterwards.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            Self(env::temp_dir().join(format!("slim-sdk-{}-{name}", process::id())))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let folder = Scratch::new("again");
        let files = files(&[("Cargo.toml", "[package]\n"), ("src/types/_tag.rs", "struct Tag;\n")]);

        assert!(write(&folder.0, &files).unwrap());
        assert!(!write(&folder.0, &files).unwrap());
        assert_eq!(
            fs::read_to_string(folder.0.join("src/types/_tag.rs")).unwrap(),
            "struct Tag;\n"
        );
    }

    #[test]
    fn what_is_no_longer_kept_goes() {
        let folder = Scratch::new("gone");
        write(&folder.0, &files(&[("src/a.rs", "a"), ("src/b.rs", "b")])).unwrap();

        assert!(write(&folder.0, &files(&[("src/a.rs", "a")])).unwrap());

        assert!(folder.0.join("src/a.rs").exists());
        assert!(!folder.0.join("src/b.rs").exists());
    }
}
