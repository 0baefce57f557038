//! Files that import one another in a circle: none.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{before_tests, files};

/// The folders that hold crates.
const CRATES: [&str; 3] = ["shared", "functions", "infra"];

/// A module by the segments of its path below the crate; the crate itself has none.
type Module = Vec<String>;

/// The modules that each module names.
type Graph = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_files_import_one_another_in_a_circle() {
    let mut circles = Vec::new();
    for (name, modules) in crates() {
        for circle in circles_of(&graph(&modules)) {
            let path: Vec<_> = circle.iter().map(|module| module.join("::")).collect();
            circles.push(format!("{name}: {}", path.join(" → ")));
        }
    }
    assert!(circles.is_empty(), "\n{}\n", circles.join("\n"));
}

#[test]
fn a_circle_is_found_and_a_parent_with_its_children_is_none() {
    let modules = |files: &[(&str, &str)]| {
        let module = |name: &str| name.split("::").map(str::to_owned).collect::<Module>();
        files.iter().map(|(name, text)| (module(name), (*text).to_owned())).collect()
    };

    let family = modules(&[
        ("a", "use self::b::B; use c::C;"),
        ("a::b", "use super::A;"),
        ("a::c", "use crate::a::{A, b::B};"),
    ]);
    let siblings = modules(&[
        ("a", "pub use b::B; pub use c::C;"),
        ("a::b", "fn f() -> super::C {}"),
        ("a::c", "use crate::a::{A, B};"),
    ]);
    let through_a_child =
        modules(&[("a", "use b::B;"), ("a::b", "use crate::d::D;"), ("d", "use crate::a::A;")]);

    assert!(circles_of(&graph(&family)).is_empty());
    assert_eq!(circles_of(&graph(&siblings)).len(), 1);
    assert_eq!(circles_of(&graph(&through_a_child))[0].len(), 4);
}

/// The crates by their folder, each with the text of its modules; tests and mains are left out.
fn crates() -> BTreeMap<String, BTreeMap<Module, String>> {
    let mut crates: BTreeMap<String, BTreeMap<Module, String>> = BTreeMap::new();
    for (name, text) in files(&CRATES, "rs") {
        let Some((folder, file)) = name.split_once("/src/") else { continue };
        let mut module: Module =
            file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if module == ["main"] {
            continue;
        }
        if module == ["lib"] {
            module.clear();
        }
        crates.entry(folder.to_owned()).or_default().insert(module, code(&text));
    }
    for modules in crates.values_mut() {
        let tests: Vec<Module> = modules.iter().flat_map(|(at, text)| tests_in(at, text)).collect();
        modules.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
    }
    crates
}

/// A file without its comments and the tests at its end.
pub(super) fn code(text: &str) -> String {
    before_tests(text).lines().filter(|line| !line.trim_start().starts_with("//")).fold(
        String::new(),
        |mut code, line| {
            code.push_str(line);
            code.push('\n');
            code
        },
    )
}

/// The modules in files of their own that are compiled for tests only.
fn tests_in(module: &Module, text: &str) -> Vec<Module> {
    let after = text.split("#[cfg(test)]").skip(1);
    let named = after.filter_map(|rest| {
        let declared = rest.trim_start().split_once(';')?.0;
        Some(declared.split_once("mod ")?.1.to_owned()).filter(|name| !name.contains(' '))
    });
    named.map(|name| module.iter().cloned().chain([name]).collect()).collect()
}

/// The modules that each module names in its paths, whether imported or spelt out.
fn graph(modules: &BTreeMap<Module, String>) -> Graph {
    let paths: BTreeMap<&Module, Vec<Path>> =
        modules.iter().map(|(module, text)| (module, paths(text))).collect();
    let mut graph = Graph::new();
    for (module, named) in &paths {
        let targets = named.iter().filter_map(|path| resolve(&paths, module, &path.segments, 0));
        graph.insert((*module).clone(), targets.filter(|target| target != *module).collect());
    }
    graph
}

/// A path as a file spells it.
struct Path {
    segments: Vec<String>,
    /// The name it has there, if it is imported.
    imported_as: Option<String>,
}

/// All paths of a file as one would spell each alone.
pub(super) fn spelt_out(text: &str) -> impl Iterator<Item = String> {
    paths(text).into_iter().map(|path| path.segments.join("::"))
}

/// All paths of a file: each leaf of its imports, and what is spelt out.
fn paths(text: &str) -> Vec<Path> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("use ") {
        let is_word = rest[..at].chars().next_back().is_none_or(char::is_whitespace);
        spelt(&rest[..at], &mut found);
        rest = &rest[at + "use ".len()..];
        if let Some((tree, behind)) = rest.split_once(';').filter(|_| is_word) {
            leaves(&[], &tree.split_whitespace().collect::<Vec<_>>().join(" "), &mut found);
            rest = behind;
        }
    }
    spelt(rest, &mut found);
    found
}

/// The paths that begin with `crate`, `super` or `self`.
fn spelt(text: &str, found: &mut Vec<Path>) {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    for word in text.split(|letter| !is_part(letter)) {
        let segments: Vec<_> = word.split("::").map(str::to_owned).collect();
        if segments.len() > 1 && ["crate", "super", "self"].contains(&segments[0].as_str()) {
            found.push(Path { segments, imported_as: None });
        }
    }
}

/// Each leaf of an import's tree.
fn leaves(prefix: &[String], tree: &str, found: &mut Vec<Path>) {
    let tree = tree.trim();
    let (path, group) = match tree.split_once('{') {
        Some((path, group)) => (path, group.strip_suffix('}')),
        None => (tree, None),
    };
    let (path, alias) =
        path.split_once(" as ").map_or((path, None), |(path, as_)| (path, Some(as_)));
    let named = path.split("::").map(str::trim).filter(|segment| !segment.is_empty());
    let mut segments: Vec<_> = prefix.iter().cloned().chain(named.map(str::to_owned)).collect();
    if let Some(group) = group {
        for part in parts(group) {
            leaves(&segments, part, found);
        }
        return;
    }
    if segments.last().is_some_and(|last| last == "self") && segments.len() > 1 {
        segments.pop();
    }
    let name = alias.map_or_else(|| segments.last().cloned(), |alias| Some(alias.to_owned()));
    found.push(Path { segments, imported_as: name });
}

/// The parts of a group, split at the commas outside inner groups.
fn parts(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The module that a path of `module` leads into; where that only imports the name, the one it imports it from.
fn resolve(
    paths: &BTreeMap<&Module, Vec<Path>>,
    module: &Module,
    segments: &[String],
    followed: usize,
) -> Option<Module> {
    let (mut at, mut rest) = (module.clone(), segments);
    let mut is_relative = true;
    while let Some((first, behind)) = rest.split_first() {
        match first.as_str() {
            "crate" => at.clear(),
            "super" => drop(at.pop()),
            "self" => {}
            _ => break,
        }
        is_relative = false;
        rest = behind;
    }
    let start = at.clone();
    while let Some((first, behind)) = rest.split_first() {
        let below: Module = at.iter().cloned().chain([first.clone()]).collect();
        if !paths.contains_key(&below) {
            break;
        }
        at = below;
        rest = behind;
    }
    if is_relative && at == start {
        return None;
    }
    let imported = rest.first().zip(paths.get(&at)).and_then(|(name, there)| {
        there.iter().find(|path| path.imported_as.as_ref() == Some(name))
    });
    match imported {
        Some(path) if followed < 8 => {
            resolve(paths, &at, &path.segments, followed + 1).or(Some(at))
        }
        Some(_) | None => Some(at),
    }
}

/// One circle of each knot of modules that name one another, not counting a parent with its own children.
fn circles_of(graph: &Graph) -> Vec<Vec<Module>> {
    let mut circles = Vec::new();
    let mut left = graph.clone();
    while let Some(knot) =
        left.keys().map(|module| knot_of(&left, module)).find(|knot| knot.len() > 1)
    {
        let parent = knot.iter().find(|one| knot.iter().all(|other| other.starts_with(one)));
        if let Some(parent) = parent {
            left.remove(parent);
        } else {
            circles.push(shortest(&left, &knot));
            left.retain(|module, _| !knot.contains(module));
        }
    }
    circles
}

/// The modules that `module` leads to and that lead back to it, itself among them.
fn knot_of(graph: &Graph, module: &Module) -> BTreeSet<Module> {
    let forth = reached(graph, module);
    forth.into_iter().filter(|other| reached(graph, other).contains(module)).collect()
}

/// What a module leads to, itself among them.
fn reached(graph: &Graph, module: &Module) -> BTreeSet<Module> {
    let mut reached = BTreeSet::from([module.clone()]);
    let mut next = vec![module];
    while let Some(one) = next.pop() {
        for target in graph.get(one).into_iter().flatten() {
            if graph.contains_key(target) && reached.insert(target.clone()) {
                next.push(target);
            }
        }
    }
    reached
}

/// A shortest circle inside a knot that is no parent with its own child, ending where it begins.
fn shortest(graph: &Graph, knot: &BTreeSet<Module>) -> Vec<Module> {
    let mut trails: Vec<Vec<Module>> = knot.iter().map(|module| vec![module.clone()]).collect();
    let is_family =
        |trail: &[Module]| trail.iter().any(|one| trail.iter().all(|other| other.starts_with(one)));
    for _ in 0..knot.len() {
        let mut longer = Vec::new();
        for trail in &trails {
            for target in trail.last().and_then(|last| graph.get(last)).into_iter().flatten() {
                if Some(target) == trail.first() && !is_family(trail) {
                    return trail.iter().chain([target]).cloned().collect();
                }
                if knot.contains(target) && !trail.contains(target) && Some(target) > trail.first()
                {
                    longer.push(trail.iter().chain([target]).cloned().collect());
                }
            }
        }
        trails = longer;
    }
    knot.iter().cloned().collect()
}
