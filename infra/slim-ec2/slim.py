#!/usr/bin/env python3
"""A copy of aws-sdk-ec2 with only the operations that Snapkeep calls, for machines with little memory.

The whole crate has 811 operations and takes some 8 GB in one rustc; the copy has 29. It goes to target/slim-ec2 and is
never committed. Cargo takes it by a path override, which leaves Cargo.lock as it is:

    python3 infra/slim-ec2/slim.py
    cargo --config 'paths=["target/slim-ec2/aws-sdk-ec2"]' run -p local

The operations are listed in operations.txt. What else they need is found by following `crate::…` paths in the text.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CRATE = "aws-sdk-ec2"

# A module of these files is kept if something kept names it; the rest of the crate is kept whole.
REFERENCE = re.compile(
    r"crate::(?:"
    r"operation::(?P<operation>[a-z0-9_]+)"
    r"|protocol_serde::(?P<shape>shape_[a-z0-9_]+)"
    r"|types::builders::(?P<builder>[A-Za-z0-9_]+)"
    r"|types::(?P<type_module>_[a-z0-9_]+)"
    r"|types::(?P<type>[A-Z][A-Za-z0-9_]*)"
    r"|(?P<function_file>lens|serde_util)::(?P<function>[a-z0-9_]+)"
    r")"
)
MODULE = re.compile(r"^(?:pub |pub\(crate\) )?mod (\w+);", re.MULTILINE)
REEXPORT = re.compile(r"^pub use crate::types::(_\w+)::(\w+);", re.MULTILINE)
FUNCTION = re.compile(r"^pub\(crate\) fn (\w+)", re.MULTILINE)


def fail(text):
    sys.exit(f"slim.py: {text}")


def output_of(command):
    try:
        return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"`{' '.join(command)}` failed: {error}")


def find_crate():
    """Where Cargo keeps the source of the version in Cargo.lock; downloads it if need be."""
    cargo = os.environ.get("CARGO", "cargo")
    version = output_of(["rustc", "-vV"]).decode()
    # Without a platform it would download what only the others need.
    platform = re.search(r"^host: (\S+)$", version, re.MULTILINE)[1]
    output = output_of([cargo, "metadata", "--format-version", "1", "--locked", "--filter-platform", platform])
    found = [package for package in json.loads(output)["packages"] if package["name"] == CRATE]
    if len(found) != 1:
        fail(f"expected one {CRATE} in Cargo.lock, found {len(found)}")
    return found[0]["version"], pathlib.Path(found[0]["manifest_path"]).parent


def code_of(text):
    """The text without comments: documentation names far more than the code needs."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//"))


def items_of(text):
    """The file's items, each with the comments and attributes before it. Generated code is formatted: whatever starts
    in the first column and is neither of these begins an item, and it ends with a `;` or a `}` there."""
    items, lines, inside = [], [], False
    for line in text.splitlines(keepends=True):
        lines.append(line)
        starts = line[:1].strip() and not line.startswith(("//", "#["))
        inside = inside or bool(starts)
        if inside and (line.startswith("}") or (starts and line.rstrip().endswith((";", "}")))):
            items.append("".join(lines))
            lines, inside = [], False
    if lines:
        items.append("".join(lines))
    return items


def functions_of(text):
    return {FUNCTION.search(item)[1]: item for item in items_of(text) if FUNCTION.search(item)}


class Sources:
    """The crate's files, read once, and the maps from names to modules."""

    def __init__(self, folder):
        self.folder = folder
        self.texts = {}
        self.types = {name: module for module, name in REEXPORT.findall(self.read("types.rs"))}
        self.builders = {name: module for module, name in REEXPORT.findall(self.read("types/builders.rs"))}
        self.functions = {file: functions_of(self.read(f"{file}.rs")) for file in ("lens", "serde_util")}

    def read(self, name):
        if name not in self.texts:
            try:
                self.texts[name] = (self.folder / "src" / name).read_text(encoding="utf-8")
            except OSError as error:
                fail(f"{CRATE} is laid out differently from what this script knows: {error}")
        return self.texts[name]

    def below(self, name):
        """A module's files: its own, and those in the folder of its name."""
        files = [f"{name}.rs"]
        folder = self.folder / "src" / name
        if folder.is_dir():
            files += [path.relative_to(self.folder / "src").as_posix() for path in sorted(folder.rglob("*.rs"))]
        return files

    def text_of(self, key):
        kind, name = key
        if kind == "operation":
            return "".join(self.read(file) for file in self.below(f"operation/{name}"))
        if kind == "shape":
            return self.read(f"protocol_serde/{name}.rs")
        if kind == "type":
            return self.read(f"types/{name}.rs")
        return self.functions[kind][name]

    def references(self, text):
        for match in REFERENCE.finditer(code_of(text)):
            found = match.groupdict()
            if found["operation"]:
                yield "operation", found["operation"]
            elif found["shape"]:
                yield "shape", found["shape"]
            elif found["type_module"]:
                yield "type", found["type_module"]
            elif found["builder"]:
                yield "type", self.builders[found["builder"]]
            elif found["type"]:
                yield "type", self.types[found["type"]]
            else:
                yield found["function_file"], found["function"]


def reach(sources, operations):
    """Everything that the operations need, to a fixed point."""
    known = set(MODULE.findall(sources.read("operation.rs")))
    unknown = [name for name in operations if name not in known]
    if unknown:
        fail(f"{CRATE} has no operation {', '.join(unknown)}; see {HERE / 'operations.txt'}")
    kept, waiting = set(), [("operation", name) for name in operations]
    while waiting:
        key = waiting.pop()
        if key not in kept:
            kept.add(key)
            waiting.extend(sources.references(sources.text_of(key)))
    return kept


def only(pattern, text, kept):
    """The text without the items that match the pattern and name something that is not kept."""
    found = [(item, pattern.search(item)) for item in items_of(text)]
    return "".join(item for item, match in found if match is None or match[1] in kept)


def without_waiters(text):
    """Nothing of ours waits, and every waiter pulls its operation in."""
    dropped = re.compile(r"^(pub trait Waiters |impl Waiters for |pub mod waiters;)", re.MULTILINE)
    return "".join(item for item in items_of(text) if not dropped.search(code_of(item)))


def cut(sources, kept):
    """The copy's files, by name below src."""
    names = {kind: {name for found, name in kept if found == kind} for kind in ("operation", "shape", "type")}
    files = {}
    for path in sorted((sources.folder / "src").rglob("*.rs")):
        name = path.relative_to(sources.folder / "src").as_posix()
        if name.split("/")[0] not in ("operation", "protocol_serde", "types", "client", "waiters", "waiters.rs"):
            files[name] = sources.read(name)
    for name in names["operation"]:
        files.update({file: sources.read(file) for file in [*sources.below(f"operation/{name}"), f"client/{name}.rs"]})
    for kind, parent in {"shape": "protocol_serde", "type": "types"}.items():
        files.update({f"{parent}/{name}.rs": sources.read(f"{parent}/{name}.rs") for name in names[kind]})
    files.update({file: sources.read(file) for file in sources.below("client/customize") if "/" in file})

    files["lib.rs"] = "#![allow(warnings)]\n" + without_waiters(files["lib.rs"])
    files["client.rs"] = only(MODULE, without_waiters(files["client.rs"]), names["operation"] | {"customize"})
    files["operation.rs"] = only(MODULE, files["operation.rs"], names["operation"])
    files["protocol_serde.rs"] = only(MODULE, files["protocol_serde.rs"], names["shape"])
    files["types.rs"] = only(MODULE, only(REEXPORT, files["types.rs"], names["type"]), names["type"] | {"builders"})
    files["types/builders.rs"] = only(REEXPORT, sources.read("types/builders.rs"), names["type"])
    files["error_meta.rs"] = "".join(
        item for item in items_of(files["error_meta.rs"]) if all(key in kept for key in sources.references(item))
    )
    for file, functions in sources.functions.items():
        files[f"{file}.rs"] = "".join(item for name, item in functions.items() if (file, name) in kept)
    return files


def manifest(text):
    """The crate's own manifest without its tests and without a hint that Cargo wants a nightly flag for, and as a
    workspace of its own: ours lies around the copy."""
    sections = re.split(r"(?m)^(?=\[)", text)
    dropped = ("[[test]]", "[hints]")
    return "".join(section for section in sections if not section.startswith(dropped)) + "\n[workspace]\n"


def write(folder, files):
    """Only what differs is written, so that a second run compiles nothing."""
    for path in sorted(folder.rglob("*.rs")):
        if path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")


def main():
    version, folder = find_crate()
    lines = (HERE / "operations.txt").read_text(encoding="utf-8").splitlines()
    operations = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    sources = Sources(folder)
    kept = reach(sources, operations)
    files = {f"src/{name}": text for name, text in cut(sources, kept).items()}
    files["Cargo.toml"] = manifest((folder / "Cargo.toml").read_text(encoding="utf-8"))

    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    copy = (ROOT / target if not target.is_absolute() else target) / "slim-ec2" / CRATE
    write(copy, files)
    shown = copy.relative_to(ROOT).as_posix() if copy.is_relative_to(ROOT) else copy.as_posix()
    size = sum(len(text) for text in files.values())
    print(f"{CRATE} {version} with {len(operations)} operations in {shown} ({len(files)} files, {size / 1e6:.1f} MB).")
    print("Build and run with it; Cargo.lock stays as it is:")
    print(f"  cargo --config 'paths=[\"{shown}\"]' run -p local")


if __name__ == "__main__":
    main()
