//! The files of the page, ready to be sent.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::Path,
    sync::OnceLock,
};

use flate2::{Compression, write::GzEncoder};
use http::HeaderValue;
use sha2::{Digest as _, Sha256};

use crate::{PAGE, settings::Settings};

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/files.rs"));
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Assets {
    digest: String,
    files: BTreeMap<String, Asset>,
}

/// One file.
#[derive(Debug)]
pub(crate) struct Asset {
    pub(crate) media_type: &'static str,
    pub(crate) etag: HeaderValue,
    pub(crate) plain: Vec<u8>,
    /// Made when it is first asked for.
    compressed: OnceLock<Vec<u8>>,
}

impl Assets {
    pub(crate) fn read(settings: &Settings) -> Self {
        let mut files = BTreeMap::new();
        if let Some(folder) = &settings.folder {
            // What cannot be read is not found when it is asked for.
            drop(collect(folder, folder, &mut files));
        } else {
            files.extend(
                embedded::FILES.iter().map(|(name, text)| ((*name).to_owned(), text.to_vec())),
            );
        }
        let digest =
            digest(files.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_slice()]));
        if let Some(page) = files.get_mut(PAGE) {
            *page = settings.fill(&String::from_utf8_lossy(page), &digest).into_bytes();
        }
        let files = files.into_iter().map(|(name, text)| (name.clone(), Asset::new(&name, text)));
        Self { digest, files: files.collect() }
    }

    pub(crate) fn digest(&self) -> &str {
        &self.digest
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Asset> {
        self.files.get(name)
    }

    #[cfg(test)]
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        let text = |asset: &Asset| String::from_utf8_lossy(&asset.plain).into_owned();
        self.files.iter().map(move |(name, asset)| (name.as_str(), text(asset)))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Asset> {
        self.files.values()
    }
}

impl Asset {
    fn new(name: &str, plain: Vec<u8>) -> Self {
        let etag = format!("\"{}\"", digest([plain.as_slice()]));
        let etag = HeaderValue::from_str(&etag);
        Self {
            media_type: media_type(name),
            etag: etag.unwrap_or(HeaderValue::from_static("\"none\"")),
            plain,
            compressed: OnceLock::new(),
        }
    }

    pub(crate) fn compressed(&self) -> &[u8] {
        self.compressed.get_or_init(|| compress(&self.plain))
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            files.insert(name.replace('\\', "/"), fs::read(&path)?);
        }
    }
    Ok(())
}

fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let [first, ..] = digest.as_chunks::<8>().0 else { return String::new() };
    format!("{:016x}", u64::from_be_bytes(*first))
}

/// Writing to memory cannot fail; an empty file would be seen by the tests.
fn compress(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    match encoder.write_all(plain) {
        Ok(()) => encoder.finish().unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some(_) | None => "application/octet-stream",
    }
}
