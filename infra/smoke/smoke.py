#!/usr/bin/env python3
"""A short life of an installation, with what must be refused on the way; a table of what held at the end.

With --local it runs against a local run (`cargo run -p local`), as far as that goes: CI does. With --aws it deploys into
the account of your credentials, which should be an empty one, and removes everything again. That takes half an hour and
costs some cents. See infra/smoke/README.md.

The last line is `N passed, N failed, N skipped`.
"""

import argparse
import contextlib
import sys

import steps
from places import Local, Aws


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--local", metavar="READY", help="the line `ready …` of a local run")
    where.add_argument("--aws", action="store_true", help="deploy into the account of your credentials")
    parser.add_argument("--stack", default="snapkeep-smoke", help="the stack's name (with --aws)")
    parser.add_argument("--second-region", default="eu-west-1", help="where copies go")
    parser.add_argument("--keep", action="store_true", help="leave everything there afterwards (with --aws)")
    return parser.parse_args()


def report(outcomes):
    width = max(len(name) for name, _, _ in outcomes)
    print(f"\n{'what':{width}}  outcome  how it showed")
    for name, outcome, how in outcomes:
        print(f"{name:{width}}  {outcome:7}  {how}")
    counts = [sum(outcome == word for _, outcome, _ in outcomes) for word in ("held", "FAILED", "skipped")]
    print("\n{} passed, {} failed, {} skipped".format(*counts))
    return counts[1]


def main():
    given = arguments()
    place = Local(given.local, given.second_region) if given.local else Aws(given.stack, given.second_region)
    outcomes = []
    with contextlib.ExitStack() as ending:
        if not given.keep:
            ending.callback(place.remove)
        place.deploy()
        for step in steps.ALL:
            name = step.__doc__.strip().rstrip(".")
            try:
                outcome, how = "held", step(place)
            except steps.Skipped as why:
                outcome, how = "skipped", str(why)
            except Exception as failure:  # noqa: BLE001 - whatever it is, the others are to run
                outcome, how = "FAILED", f"{type(failure).__name__}: {failure}"
            print(f"{outcome}: {name}", flush=True)
            outcomes.append((name, outcome, how))
    return 1 if report(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
