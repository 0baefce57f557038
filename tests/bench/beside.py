"""What other tools make of the same work: a thousand snapshots taken, and a thousand deleted.

    python3 -m venv target/ci/tools
    target/ci/tools/bin/python -m pip install -r infra/sim-ec2/conformance/requirements-tools.txt
    target/ci/tools/bin/python tests/bench/beside.py target/simulation/bench 1000

Cloud Custodian goes by a policy of its own documentation, boto3 by a script of ten threads with the defaults of the library.
Each has a simulated EC2 of its own, at EC2's default limits, where each call lasts 300 ms. Last a fifth of the work is ended in its
middle and begun anew, as a retried job is.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

BIN = pathlib.Path(sys.executable).parent
POLICIES = """
policies:
  - name: take
    resource: aws.ec2
    filters:
      - "tag:Backup": daily
    actions:
      - type: snapshot
        copy-tags: [Backup]
  - name: delete
    resource: aws.ebs-snapshot
    filters:
      - "tag:Backup": daily
      - type: age
        days: 0.0001
        op: ge
    actions:
      - delete
"""


class Ec2:
    """A simulated EC2 in a process of its own, and an environment in which clients use it."""

    def __init__(self, bench, size):
        command = [bench, "ec2", "--size", str(size)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }

    def counts(self):
        with urllib.request.urlopen(f"{self.url}/counts") as answer:
            return json.load(answer)

    def forget(self):
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/forget", method="POST")).close()

    def end(self):
        self.process.kill()
        self.process.wait()


def custodian(task, folder):
    (folder / "policies.yml").write_text(POLICIES)
    return [str(BIN / "custodian"), "run", "-s", str(folder / "out"), "-r", "us-east-1", "--cache-period", "0",
            "-p", task, str(folder / "policies.yml")]


def script(task, _folder):
    return [sys.executable, __file__, "script", task]


def run_script(task):
    """The plain script: all of it at once, by ten threads; what fails is told and left."""
    import boto3

    ec2 = boto3.client("ec2")
    daily = [{"Name": "tag:Backup", "Values": ["daily"]}]

    def take(instance):
        tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "Backup", "Value": "daily"}]}]
        ec2.create_snapshots(InstanceSpecification={"InstanceId": instance}, TagSpecifications=tags)

    def delete(snapshot):
        ec2.delete_snapshot(SnapshotId=snapshot)

    if task == "take":
        pages = ec2.get_paginator("describe_instances").paginate(Filters=daily)
        found = [one["InstanceId"] for page in pages for each in page["Reservations"] for one in each["Instances"]]
        work = take
    else:
        pages = ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=daily)
        found = [one["SnapshotId"] for page in pages for one in page["Snapshots"]]
        work = delete
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        for done in concurrent.futures.as_completed([pool.submit(work, one) for one in found]):
            if done.exception():
                print(done.exception(), file=sys.stderr)


def measured(ec2, command):
    """A row: calls, throttled ones, seconds, and how many were not done."""
    ec2.forget()
    begun = time.monotonic()
    done = subprocess.run(command, env=ec2.environment, capture_output=True, text=True)
    took = time.monotonic() - begun
    counts = ec2.counts()
    calls, throttled = sum(counts["calls"].values()), sum(counts["throttled"].values())
    # A tool that goes on after a failure says so only in what it prints.
    refused = done.stderr.count("RequestLimitExceeded")
    return f"{calls} | {throttled} ({throttled / calls:.1%}) | {took:.0f} | {done.returncode} | {refused}", counts


def doubled(bench, command, size):
    """How many volumes have two snapshots once the work was ended in its middle and done again."""
    ec2 = Ec2(bench, size)
    with tempfile.TemporaryDirectory() as folder:
        words = command("take", pathlib.Path(folder))
        first = subprocess.Popen(words, env=ec2.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while first.poll() is None and len(ec2.counts()["snapshots_of"]) < size // 2:
            time.sleep(0.2)
        first.kill()
        first.wait()
        # EC2 takes no two snapshots of a volume within 15 seconds.
        time.sleep(20)
        subprocess.run(words, env=ec2.environment, capture_output=True)
    of = collections.Counter(ec2.counts()["snapshots_of"])
    ec2.end()
    return sum(1 for count in of.values() if count > 1)


def main(bench, size):
    print("| tool | task | calls | throttled | seconds | exit | refusals told | left undone |")
    print("|---|---|---|---|---|---|---|---|")
    tools = {"Cloud Custodian": custodian, "boto3, ten threads": script}
    for name, command in tools.items():
        ec2 = Ec2(bench, size)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            row, counts = measured(ec2, command("take", folder))
            there = len(counts["snapshots_of"])
            print(f"| {name} | take | {row} | {size - there} |", flush=True)
            time.sleep(20)
            row, counts = measured(ec2, command("delete", folder))
            print(f"| {name} | delete {there} | {row} | {len(counts['snapshots_of'])} |", flush=True)
        ec2.end()
    for name, command in tools.items():
        some = size // 5
        print(f"{name}: ended in the middle of {some} and begun anew, {doubled(bench, command, some)} were doubled", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "script":
        run_script(sys.argv[2])
    else:
        main(sys.argv[1], int(sys.argv[2]))
