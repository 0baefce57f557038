#!/usr/bin/env python3
"""What `sam build` has cargo do for each function, tried with stand-ins for cargo-lambda: one package at a time.

Cargo unites the features of all packages that it builds at once. SAM has each function built in the folder of its
`CodeUri`, where cargo takes that package alone: so what only the local run or a test wants is in no function. Each
function's program must also land in its own artifact.

Usage: python infra/check_build.py SAM. The last line is `N passed, N failed`.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import yaml

from check_policies import INFRA, Loader

ROOT = INFRA.parent
# Says what it was asked, and leaves a program where cargo-lambda would.
STAND_IN = """#!/usr/bin/env python3
import json, os, pathlib, sys
arguments = sys.argv[1:]
name = arguments[arguments.index("--bin") + 1]
with open(os.environ["SEEN"], "a") as seen:
    print(json.dumps({"folder": os.getcwd(), "arguments": arguments, "name": name}), file=seen)
folder = pathlib.Path(os.environ["CARGO_TARGET_DIR"]) / "lambda" / name
folder.mkdir(parents=True, exist_ok=True)
(folder / "bootstrap").write_text(name)
"""


def functions():
    resources = yaml.load((INFRA / "template.yaml").read_text(encoding="utf-8"), Loader)["Resources"]
    rust = {
        key: item
        for key, item in resources.items()
        if item["Type"] == "AWS::Serverless::Function" and item.get("Metadata", {}).get("BuildMethod") == "rust-cargolambda"
    }
    return {key: item["Metadata"]["BuildProperties"]["Binary"] for key, item in rust.items()}


def build(sam, place):
    """Runs `sam build`, and comes back with what the stand-in saw."""
    tools = place / "tools"
    tools.mkdir()
    stand_in = tools / "cargo-lambda"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "SEEN": str(place / "seen"),
        "CARGO_TARGET_DIR": str(place / "target"),
        "SAM_CLI_TELEMETRY": "0",
    }
    command = [sam, "build", "--build-dir", str(place / "built"), "--cache-dir", str(place / "cache")]
    outcome = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise SystemExit(f"sam build failed:\n{outcome.stdout}{outcome.stderr}")
    return [json.loads(line) for line in (place / "seen").read_text().splitlines()]


def check(sam):
    named = functions()
    yield "the template has functions", len(named) >= 8
    with tempfile.TemporaryDirectory() as name:
        place = pathlib.Path(name)
        seen = build(sam, place)
        for key, binary in named.items():
            calls = [call for call in seen if call["name"] == binary]
            yield f"{key} is built once", len(calls) == 1
            for call in calls:
                folder = pathlib.Path(call["folder"]).resolve()
                yield f"{key} is built as a package of its own", folder == (ROOT / "functions" / binary).resolve()
                yield f"{key} is built as a release", "--release" in call["arguments"]
                yield f"{key} is built for arm64", "--arm64" in call["arguments"]
                yield f"{key} takes no features of others", "--workspace" not in call["arguments"]
            artifact = place / "built" / key / "bootstrap"
            yield f"{key} gets its own program", artifact.is_file() and artifact.read_text() == binary
        yield "nothing else is built", len(seen) == len(named)


def main():
    results = list(check(sys.argv[1]))
    failed = [what for what, passed in results if not passed]
    for what in failed:
        print(f"FAILED {what}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
