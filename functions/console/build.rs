//! The list of the files in `assets`, so that nobody has to keep one.

use std::{
    env, fmt,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let folder = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .ok_or_else(|| io::Error::other(format!("{name} is not set")))
    };
    let root = folder("CARGO_MANIFEST_DIR")?.join("assets");
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let list = source(&root, &files).map_err(io::Error::other)?;
    writeln!(io::stdout(), "cargo::rerun-if-changed=assets\ncargo::rerun-if-changed=build.rs")?;
    fs::write(folder("OUT_DIR")?.join("files.rs"), list)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn source(root: &Path, files: &[PathBuf]) -> Result<String, fmt::Error> {
    let mut text = format!("pub(crate) static FILES: [(&str, &[u8]); {}] = [\n", files.len());
    for path in files {
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string().replace('\\', "/");
        writeln!(text, "    ({name:?}, include_bytes!({:?})),", path.display().to_string())?;
    }
    text.push_str("];\n");
    Ok(text)
}
