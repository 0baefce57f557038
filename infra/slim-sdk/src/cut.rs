//! The crate with fewer operations.
//!
//! Modules of `operation`, `protocol_serde`, `types` and `client` and functions of `lens` and `serde_util` are kept if
//! something kept names them; the rest of the crate is kept whole, its errors among it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    failure::Failure,
    items::{code_of, function_of, items_of, module_of, reexport_of},
    references::{Reference, references},
    sources::Sources,
};

/// The copy's files by name.
pub(crate) type Files = BTreeMap<String, String>;

/// What is kept, by name.
#[derive(Debug, Default)]
struct Kept<'a> {
    operations: BTreeSet<&'a str>,
    shapes: BTreeSet<&'a str>,
    types: BTreeSet<&'a str>,
    lenses: BTreeSet<&'a str>,
    serde_utils: BTreeSet<&'a str>,
}

/// Where a name leads.
#[derive(Debug)]
struct Index<'a> {
    types: BTreeMap<&'a str, &'a str>,
    builders: BTreeMap<&'a str, &'a str>,
    lenses: BTreeMap<&'a str, &'a str>,
    serde_utils: BTreeMap<&'a str, &'a str>,
}

/// The files of a crate that has these operations and no others.
pub(crate) fn cut(sources: &Sources, operations: &BTreeSet<&str>) -> Result<Files, Failure> {
    let index = Index {
        types: sources.reexports("types.rs")?,
        builders: sources.reexports("types/builders.rs")?,
        lenses: sources.functions("lens.rs"),
        serde_utils: sources.functions("serde_util.rs"),
    };
    let kept = reach(sources, &index, operations)?;
    let mut files = whole_files(sources, &kept)?;
    files.extend(thinned_files(sources, &index, &kept)?);
    let mut files: Files =
        files.into_iter().map(|(name, text)| (format!("src/{name}"), text)).collect();
    files.insert("Cargo.toml".to_owned(), manifest(&sources.manifest));
    Ok(files)
}

/// Everything that the operations need, to a fixed point.
fn reach<'a>(
    sources: &'a Sources,
    index: &Index<'a>,
    operations: &BTreeSet<&'a str>,
) -> Result<Kept<'a>, Failure> {
    let items = items_of(sources.file("operation.rs")?);
    let known: BTreeSet<&str> = items.into_iter().filter_map(module_of).collect();
    let unknown: Vec<&str> = operations.difference(&known).copied().collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        return Err(Failure::new(format!(
            "the crate has no operation {unknown}; infra/slim-sdk lists what is called"
        )));
    }
    let mut kept = Kept::default();
    let mut waiting: Vec<Reference<'a>> =
        operations.iter().copied().map(Reference::Operation).collect();
    waiting.extend(
        sources.files().filter(|(name, _)| is_whole(name)).flat_map(|(_, text)| references(text)),
    );
    while let Some(reference) = waiting.pop() {
        for text in kept.add(reference, sources, index)? {
            waiting.extend(references(text));
        }
    }
    Ok(kept)
}

impl<'a> Kept<'a> {
    /// Keeps what is named, and returns its texts if it was not kept yet.
    fn add(
        &mut self,
        reference: Reference<'a>,
        sources: &'a Sources,
        index: &Index<'a>,
    ) -> Result<Vec<&'a str>, Failure> {
        let found = |names: &BTreeMap<&'a str, &'a str>, name| {
            let missing = || Failure::unknown_layout(format!("{name} is nowhere"));
            names.get(name).copied().ok_or_else(missing)
        };
        match reference {
            Reference::Operation(name) if self.operations.insert(name) => {
                let files = sources.module(&format!("operation/{name}"))?;
                Ok(files.into_iter().map(|(_, text)| text).collect())
            }
            Reference::Shape(name) if self.shapes.insert(name) => {
                Ok(vec![sources.file(&format!("protocol_serde/{name}.rs"))?])
            }
            Reference::TypeModule(name) if self.types.insert(name) => {
                Ok(vec![sources.file(&format!("types/{name}.rs"))?])
            }
            Reference::Type(name) => {
                self.add(Reference::TypeModule(found(&index.types, name)?), sources, index)
            }
            Reference::Builder(name) => {
                self.add(Reference::TypeModule(found(&index.builders, name)?), sources, index)
            }
            Reference::Lens(name) if self.lenses.insert(name) => {
                Ok(vec![found(&index.lenses, name)?])
            }
            Reference::SerdeUtil(name) if self.serde_utils.insert(name) => {
                Ok(vec![found(&index.serde_utils, name)?])
            }
            Reference::Operation(_)
            | Reference::Shape(_)
            | Reference::TypeModule(_)
            | Reference::Lens(_)
            | Reference::SerdeUtil(_) => Ok(Vec::new()),
        }
    }

    fn has(&self, reference: Reference<'_>, index: &Index<'_>) -> bool {
        let has_type = |module: Option<&&str>| module.is_some_and(|name| self.types.contains(name));
        match reference {
            Reference::Operation(name) => self.operations.contains(name),
            Reference::Shape(name) => self.shapes.contains(name),
            Reference::TypeModule(name) => self.types.contains(name),
            Reference::Type(name) => has_type(index.types.get(name)),
            Reference::Builder(name) => has_type(index.builders.get(name)),
            Reference::Lens(name) => self.lenses.contains(name),
            Reference::SerdeUtil(name) => self.serde_utils.contains(name),
        }
    }
}

/// Those files in which something is chosen by the item.
const THINNED: [&str; 9] = [
    "client.rs",
    "error_meta.rs",
    "lens.rs",
    "lib.rs",
    "operation.rs",
    "protocol_serde.rs",
    "serde_util.rs",
    "types.rs",
    "types/builders.rs",
];

/// Whether the file is kept whatever the operations are.
fn is_whole(name: &str) -> bool {
    let is_chosen = ["client/", "operation/", "protocol_serde/", "types/", "waiters"]
        .iter()
        .any(|place| name.starts_with(place));
    let is_kept = name.starts_with("client/customize") || name.starts_with("types/error");
    (is_kept || !is_chosen) && !THINNED.contains(&name)
}

/// What is copied as it is.
fn whole_files(sources: &Sources, kept: &Kept<'_>) -> Result<Files, Failure> {
    let mut files = Files::new();
    let mut keep = |(name, text): (&str, &str)| {
        files.insert(name.to_owned(), text.to_owned());
    };
    sources.files().filter(|(name, _)| is_whole(name)).for_each(&mut keep);
    for operation in &kept.operations {
        sources.module(&format!("operation/{operation}"))?.into_iter().for_each(&mut keep);
        sources.module(&format!("client/{operation}"))?.into_iter().for_each(&mut keep);
    }
    for shape in &kept.shapes {
        sources.module(&format!("protocol_serde/{shape}"))?.into_iter().for_each(&mut keep);
    }
    for module in &kept.types {
        sources.module(&format!("types/{module}"))?.into_iter().for_each(&mut keep);
    }
    Ok(files)
}

/// What is copied without the items that name something that is not kept.
fn thinned_files(sources: &Sources, index: &Index<'_>, kept: &Kept<'_>) -> Result<Files, Failure> {
    let is_kept = |names: &BTreeSet<&str>, name: &str| names.contains(name);
    let mut files = Files::new();
    for name in THINNED.into_iter().filter(|name| sources.has(name)) {
        let stays = |item: &&str| match name {
            "client.rs" => {
                let module = module_of(item).filter(|name| *name != "customize");
                !is_of_waiters(item) && module.is_none_or(|name| is_kept(&kept.operations, name))
            }
            "error_meta.rs" => references(item).all(|one| kept.has(one, index)),
            "lens.rs" => function_of(item).is_some_and(|name| is_kept(&kept.lenses, name)),
            "operation.rs" => module_of(item).is_none_or(|name| is_kept(&kept.operations, name)),
            "protocol_serde.rs" => module_of(item).is_none_or(|name| is_kept(&kept.shapes, name)),
            "serde_util.rs" => {
                function_of(item).is_some_and(|name| is_kept(&kept.serde_utils, name))
            }
            "types.rs" | "types/builders.rs" => {
                let module = module_of(item).filter(|name| name.starts_with('_'));
                let module = module.or(reexport_of(item).map(|(module, _)| module));
                module.is_none_or(|name| is_kept(&kept.types, name))
            }
            _ => !is_of_waiters(item),
        };
        let text: String = items_of(sources.file(name)?).into_iter().filter(stays).collect();
        files.insert(name.to_owned(), text);
    }
    if let Some(text) = files.get_mut("lib.rs") {
        text.insert_str(0, "#![allow(warnings)]\n");
    }
    Ok(files)
}

/// Nothing of ours waits, and every waiter pulls its operation in.
fn is_of_waiters(item: &str) -> bool {
    const BEGINNINGS: [&str; 3] = ["pub trait Waiters ", "impl Waiters for ", "pub mod waiters;"];
    code_of(item).any(|line| BEGINNINGS.iter().any(|beginning| line.starts_with(beginning)))
}

/// The crate's own manifest without tests and benchmarks, without a hint that Cargo wants a nightly flag
/// for, and as a workspace of its own: ours lies around the copy.
fn manifest(text: &str) -> String {
    let mut kept = String::new();
    let mut stays = true;
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            let dropped = ["[[test]]", "[[bench]]", "[hints]"];
            stays = !dropped.iter().any(|section| line.starts_with(section));
        }
        if stays {
            kept.push_str(line);
        }
    }
    kept + "\n[workspace]\n"
}

#[cfg(test)]
mod tests;
