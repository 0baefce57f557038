"""Has tools that others wrote use a simulated EC2: `tools.py ENDPOINT FOLDER`, of an environment with requirements-tools.txt.

The AWS CLI launches, snapshots, waits and copies; Cloud Custodian takes snapshots by policy, tells which are unused, shared and
old, copies one, and deletes what its policies name. Both ask whatever they ask of EC2; nothing of it is put in their mouths.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
import uuid

BIN = pathlib.Path(sys.executable).parent
IMAGE = "ami-0abcdef1234567890"
OTHER_ACCOUNT = "999988887777"

POLICIES = """
policies:
  - name: take
    resource: aws.ebs
    filters:
      - "tag:Name": web
      - Attachments: not-null
    actions:
      - type: snapshot
        copy-tags: [Name]
        tags: {by: custodian}
  - name: by-volume
    resource: aws.ebs-snapshot
    filters:
      - type: volume
        key: VolumeId
        value: not-null
      - "tag:by": custodian
  - name: old
    resource: aws.ebs-snapshot
    filters:
      - type: age
        days: 30
        op: ge
  - name: shared
    resource: aws.ebs-snapshot
    filters:
      - type: cross-account
  - name: unshare
    resource: aws.ebs-snapshot
    filters:
      - type: cross-account
    actions:
      - type: set-permissions
        remove: matched
  - name: copy
    resource: aws.ebs-snapshot
    filters:
      - "tag:by": custodian
    actions:
      - type: copy
        target_region: eu-west-1
        encrypted: false
  - name: unused
    resource: aws.ebs-snapshot
    filters:
      - type: unused
        value: true
      - "tag:by": custodian
    actions:
      - delete
  - name: of-images
    resource: aws.ebs-snapshot
    filters:
      - type: skip-ami-snapshots
        value: false
      - "tag:kept": image
    actions:
      - type: delete
        skip-ami-snapshots: true
"""

passed = 0
failed = 0


def check(name, holds, seen=""):
    """Counts a check, and says so when it fails."""
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: {seen}")


class Run:
    """One run, in an account of its own: its number is its access key."""

    def __init__(self, endpoint, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        account = str(uuid.uuid4().int % 10**12).zfill(12)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    def command(self, *words):
        return subprocess.run(words, env=self.environment, capture_output=True, text=True)

    def aws(self, *words, region="us-east-1"):
        """What the CLI answers."""
        done = self.command(str(BIN / "aws"), "--region", region, "--output", "json", "ec2", *words)
        check(f"aws ec2 {words[0]}", done.returncode == 0, done.stderr.strip())
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def refused(self, code, *words):
        done = self.command(str(BIN / "aws"), "ec2", *words)
        check(f"aws ec2 {words[0]} is refused with {code}", f"({code})" in done.stderr, done.stderr)

    def custodian(self, policy):
        """The resources that a policy has found."""
        file = self.folder / "policies.yml"
        file.write_text(POLICIES)
        done = self.command(str(BIN / "custodian"), "run", "-s", str(self.folder / "out"), "-r", "us-east-1",
                            "--cache-period", "0", "-p", policy, str(file))
        check(f"custodian {policy}", done.returncode == 0, done.stderr.strip()[-800:])
        found = self.folder / "out" / policy / "resources.json"
        return json.loads(found.read_text()) if found.exists() else []

    def snapshots(self, *filters, region="us-east-1"):
        asked = ["--filters", *filters] if filters else []
        return self.aws("describe-snapshots", "--owner-ids", "self", *asked, region=region)["Snapshots"]

    def all(self):
        self.launch()
        self.take_by_hand()
        self.take_by_policy()
        self.share()
        self.copy()
        self.delete()

    def launch(self):
        made = self.aws(
            "run-instances", "--image-id", IMAGE, "--instance-type", "t3.micro", "--count", "1",
            "--tag-specifications", "ResourceType=volume,Tags=[{Key=Name,Value=web}]",
        )
        self.instance = made["Instances"][0]["InstanceId"]
        self.aws("wait", "instance-running", "--instance-ids", self.instance)
        listed = self.aws("describe-instances", "--max-items", "1", "--page-size", "5")
        check("one instance in pages", len(listed["Reservations"]) == 1, listed)

    def take_by_hand(self):
        made = self.aws("create-snapshots", "--instance-specification", f"InstanceId={self.instance}",
                        "--tag-specifications", "ResourceType=snapshot,Tags=[{Key=kept,Value=image}]")
        self.by_hand = made["Snapshots"][0]["SnapshotId"]
        self.refused("SnapshotCreationPerVolumeRateExceeded", "create-snapshot", "--volume-id",
                     made["Snapshots"][0]["VolumeId"])
        self.aws("wait", "snapshot-completed", "--snapshot-ids", self.by_hand)
        mapping = f"DeviceName=/dev/xvda,Ebs={{SnapshotId={self.by_hand}}}"
        made = self.aws("register-image", "--name", "golden", "--root-device-name", "/dev/xvda",
                        "--block-device-mappings", mapping)
        self.aws("wait", "image-available", "--image-ids", made["ImageId"])

    def take_by_policy(self):
        check("the volume is found", len(self.custodian("take")) == 1)
        taken = self.snapshots("Name=tag:by,Values=custodian")
        check("custodian has taken one", len(taken) == 1, taken)
        check("with the volume's tags", {"Key": "Name", "Value": "web"} in taken[0]["Tags"], taken)
        self.taken = taken[0]["SnapshotId"]
        self.aws("wait", "snapshot-completed", "--snapshot-ids", self.taken)
        check("it is found by its volume", len(self.custodian("by-volume")) == 1)
        check("nothing is old", self.custodian("old") == [])

    def share(self):
        check("nothing is shared", self.custodian("shared") == [])
        self.aws("modify-snapshot-attribute", "--snapshot-id", self.taken, "--attribute", "createVolumePermission",
                 "--operation-type", "add", "--user-ids", OTHER_ACCOUNT)
        shared = [one["SnapshotId"] for one in self.custodian("shared")]
        check("what is shared is found", shared == [self.taken], shared)
        self.custodian("unshare")
        check("it is shared no longer", self.custodian("shared") == [])

    def copy(self):
        self.custodian("copy")
        end = time.monotonic() + 60
        copies = self.snapshots(region="eu-west-1")
        while not copies and time.monotonic() < end:
            time.sleep(1)
            copies = self.snapshots(region="eu-west-1")
        check("there is a copy in the other region", len(copies) == 1, copies)

    def delete(self):
        unused = [one["SnapshotId"] for one in self.custodian("unused")]
        check("what no image has is unused", unused == [self.taken], unused)
        left = [one["SnapshotId"] for one in self.snapshots()]
        check("and is deleted", left == [self.by_hand], left)
        self.custodian("of-images")
        left = [one["SnapshotId"] for one in self.snapshots()]
        check("what an image has stays", left == [self.by_hand], left)
        self.refused("InvalidSnapshot.InUse", "delete-snapshot", "--snapshot-id", self.by_hand)
        self.refused("InvalidSnapshot.NotFound", "delete-snapshot", "--snapshot-id", self.taken)


def main():
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    Run(sys.argv[1], sys.argv[2]).all()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
