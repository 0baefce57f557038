"""Checks that a simulated EC2 answers boto3 as EC2 would: `conformance.py ENDPOINT`."""

import sys
import time
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, PaginationError, ParamValidationError, WaiterError

IMAGE = "ami-0abcdef1234567890"
NOBODY = "0123456789abcdef0"
PATIENCE_SECONDS = 90

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


def refused(name, code, status, call, **arguments):
    """Checks that the call is refused with this code and HTTP status."""
    try:
        seen = call(**arguments)
    except ClientError as error:
        told = error.response["Error"]["Code"]
        http = error.response["ResponseMetadata"]["HTTPStatusCode"]
        check(name, (told, http) == (code, status), f"{told} {http}, expected {code} {status}")
    else:
        check(name, False, f"done, expected {code}: {seen}")


def until(name, look, wanted):
    """Waits until `look()` is `wanted`."""
    end = time.monotonic() + PATIENCE_SECONDS
    seen = look()
    while seen != wanted and time.monotonic() < end:
        time.sleep(0.5)
        seen = look()
    check(name, seen == wanted, f"{seen}, expected {wanted}")


def client(endpoint, region):
    return boto3.client(
        "ec2",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        # What is refused is for the endpoint to say.
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )


def tags_of(resource):
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def members(items):
    """What pages count, by what it is called: of a reservation its instances.

    MaxResults of DescribeInstances counts instances (recorded: 10 gave 8 reservations and 20 gave 16,
    awsdocs/aws-doc-sdk-examples#201). It may be less than a launch has, so a reservation is on as many
    pages as its instances are.
    """
    found = []
    for item in items:
        for each in item.get("Instances", [item]):
            found.append([f"{key}={value}" for key, value in sorted(each.items())
                          if key.endswith(("Id", "Name", "Key")) and isinstance(value, str)])
    return sorted(found)


def specification(kind, **tags):
    return {"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}


def filters(**values):
    return [{"Name": k.replace("__", ":").replace("_", "-"), "Values": [v]} for k, v in values.items()]


class Run:
    """One run: a Region nobody else uses, and what was made in it."""

    def __init__(self, endpoint):
        self.region = f"run-{uuid.uuid4().hex[:8]}-1"
        self.zone = f"{self.region}a"
        self.ec2 = client(endpoint, self.region)
        self.endpoint = endpoint

    def all(self):
        self.protocol()
        self.regions()
        self.instances()
        self.volumes()
        self.attachments()
        self.snapshot_sets()
        self.single_snapshots()
        self.snapshot_lists()
        self.tags()
        self.images()
        self.locks()
        self.sharing()
        self.archive()
        self.copies()
        self.root_replacement()
        self.fast_restores()
        self.waiters()
        self.paginators()
        self.deletion()
        self.limits()
        self.ends()

    def protocol(self):
        answer = self.ec2.describe_regions()
        check("an answer has a request id", bool(answer["ResponseMetadata"]["RequestId"]), answer)
        check("an answer has a date", "date" in answer["ResponseMetadata"]["HTTPHeaders"], answer)
        refused("an unknown action", "InvalidAction", 400, self.ec2.describe_spot_fleet_requests)
        refused("a dry run", "DryRunOperation", 412, self.ec2.describe_instances, DryRun=True)
        refused(
            "a dry run of what is refused anyway", "InvalidVolume.NotFound", 400,
            self.ec2.delete_volume, VolumeId=f"vol-{NOBODY}", DryRun=True,
        )

    def regions(self):
        names = [each["RegionName"] for each in self.ec2.describe_regions()["Regions"]]
        check("Regions are listed", "us-east-1" in names and self.region in names, names)
        zones = self.ec2.describe_availability_zones()["AvailabilityZones"]
        check("zones are listed", self.zone in [each["ZoneName"] for each in zones], zones)
        known = client(self.endpoint, "us-east-1").describe_availability_zones()["AvailabilityZones"]
        check("us-east-1 has six zones", [each["ZoneName"][-1] for each in known] == list("abcdef"), known)
        refused(
            "an unknown Region", "InvalidParameterValue", 400,
            self.ec2.describe_regions, RegionNames=["mars-1"],
        )
        kinds = self.ec2.describe_instance_types(InstanceTypes=["g4dn.12xlarge", "t4g.micro"])
        by_name = {each["InstanceType"]: each for each in kinds["InstanceTypes"]}
        gpu = by_name["g4dn.12xlarge"]["GpuInfo"]["Gpus"][0]
        check("a type has GPUs", (gpu["Name"], gpu["Count"]) == ("T4", 4), gpu)
        small = by_name["t4g.micro"]
        check("a type has vCPUs", small["VCpuInfo"]["DefaultVCpus"] == 2, small)
        check("a type has memory", small["MemoryInfo"]["SizeInMiB"] == 1024, small)
        check("a type has an architecture",
              small["ProcessorInfo"]["SupportedArchitectures"] == ["arm64"], small)
        pages = list(self.ec2.get_paginator("describe_instance_types").paginate(
            PaginationConfig={"PageSize": 5}))
        check("types come in pages", len(pages) > 1 and len(pages[0]["InstanceTypes"]) == 5, pages)
        refused(
            "an unknown type", "InvalidInstanceType", 400,
            self.ec2.describe_instance_types, InstanceTypes=["x9.huge"],
        )

    def instance_state(self, instance):
        found = self.ec2.describe_instances(InstanceIds=[instance])
        return found["Reservations"][0]["Instances"][0]["State"]["Name"]

    def instances(self):
        ec2 = self.ec2
        asked = {
            "ImageId": IMAGE, "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 1,
            "ClientToken": "launch", "Placement": {"AvailabilityZone": self.zone},
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 10}},
                {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3",
                                                   "DeleteOnTermination": False}},
            ],
            "TagSpecifications": [specification("instance", Name="web", team="a"),
                                  specification("volume", of="web")],
        }
        launched = ec2.run_instances(**asked)["Instances"][0]
        self.instance = launched["InstanceId"]
        check("an instance id has 17 hex digits", len(self.instance) == 19, self.instance)
        check("an instance is pending first", launched["State"]["Name"] == "pending", launched)
        again = ec2.run_instances(**asked)["Instances"][0]["InstanceId"]
        check("a client token launches once", again == self.instance, again)
        refused("a client token with another request", "IdempotentParameterMismatch", 400,
                ec2.run_instances, **{**asked, "InstanceType": "m5.xlarge"})
        until("an instance runs", lambda: self.instance_state(self.instance), "running")
        found = ec2.describe_instances(InstanceIds=[self.instance])["Reservations"][0]["Instances"][0]
        self.devices = {each["DeviceName"]: each["Ebs"]["VolumeId"]
                        for each in found["BlockDeviceMappings"]}
        check("it has its devices", sorted(self.devices) == ["/dev/sdf", "/dev/xvda"], self.devices)
        check("it has its tags", tags_of(found) == {"Name": "web", "team": "a"}, found)
        check("it has its zone", found["Placement"]["AvailabilityZone"] == self.zone, found)
        check("its root is on EBS", found["RootDeviceType"] == "ebs", found)
        self.instance_filters()
        self.instance_states()
        self.instance_refusals()

    def instance_filters(self):
        ec2 = self.ec2
        others = ec2.run_instances(ImageId=IMAGE, MinCount=6, MaxCount=6)["Instances"]
        self.others = [each["InstanceId"] for each in others]
        for wanted in ({"tag__Name": "w*b"}, {"instance_id": self.instance},
                       {"instance_type": "m5.*"}, {"tag_key": "team"},
                       {"block_device_mapping.volume_id": self.devices["/dev/sdf"]}):
            found = ec2.describe_instances(Filters=filters(**wanted))["Reservations"]
            ids = [each["InstanceId"] for one in found for each in one["Instances"]]
            check(f"instances by {wanted}", ids == [self.instance], ids)
        pages = list(ec2.get_paginator("describe_instances").paginate(
            PaginationConfig={"PageSize": 5}))
        sizes = [sum(len(one["Instances"]) for one in page["Reservations"]) for page in pages]
        check("instances come in pages", sizes == [5, 2], sizes)

    def instance_states(self):
        ec2 = self.ec2
        other = self.others[0]
        until("another runs", lambda: self.instance_state(other), "running")
        change = ec2.stop_instances(InstanceIds=[other])["StoppingInstances"][0]
        told = (change["PreviousState"]["Name"], change["CurrentState"]["Name"])
        check("a stop tells both states", told == ("running", "stopping"), told)
        refused("a start while stopping", "IncorrectInstanceState", 400,
                ec2.start_instances, InstanceIds=[other])
        until("it stops", lambda: self.instance_state(other), "stopped")
        ec2.start_instances(InstanceIds=[other])
        until("it starts again", lambda: self.instance_state(other), "running")

    def instance_refusals(self):
        ec2 = self.ec2
        one = {"MinCount": 1, "MaxCount": 1}
        refused("an unknown image", "InvalidAMIID.NotFound", 400,
                ec2.run_instances, ImageId=f"ami-{NOBODY}", **one)
        refused("a malformed image", "InvalidAMIID.Malformed", 400,
                ec2.run_instances, ImageId="ami-x", **one)
        refused("an unknown type at launch", "InvalidParameterValue", 400,
                ec2.run_instances, ImageId=IMAGE, InstanceType="x9.huge", **one)
        refused("a type of another architecture", "InvalidParameterValue", 400,
                ec2.run_instances, ImageId=IMAGE, InstanceType="m7g.large", **one)
        refused("an unknown instance", "InvalidInstanceID.NotFound", 400,
                ec2.describe_instances, InstanceIds=[f"i-{NOBODY}"])
        refused("a malformed instance", "InvalidInstanceID.Malformed", 400,
                ec2.describe_instances, InstanceIds=["web"])
        refused("an unknown instance filter", "InvalidParameterValue", 400,
                ec2.describe_instances, Filters=filters(colour="red"))
        refused("a page of named instances", "InvalidParameterCombination", 400,
                ec2.describe_instances, InstanceIds=[self.instance], MaxResults=5)
        refused("a page that is too short", "InvalidParameterValue", 400,
                ec2.describe_instances, MaxResults=4)
        for name, call in (("start", ec2.start_instances), ("stop", ec2.stop_instances),
                           ("terminate", ec2.terminate_instances)):
            refused(f"{name} an unknown instance", "InvalidInstanceID.NotFound", 400,
                    call, InstanceIds=[f"i-{NOBODY}"])

    def volume_state(self, volume):
        return self.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"]

    def volumes(self):
        ec2 = self.ec2
        asked = {"AvailabilityZone": self.zone, "Size": 5, "VolumeType": "gp3",
                 "ClientToken": "volume", "TagSpecifications": [specification("volume", Name="v")]}
        made = ec2.create_volume(**asked)
        self.volume = made["VolumeId"]
        check("a volume is creating first", made["State"] == "creating", made)
        check("a gp3 volume has its performance", (made["Iops"], made["Throughput"]) == (3000, 125), made)
        again = ec2.create_volume(**asked)["VolumeId"]
        check("a client token makes one volume", again == self.volume, again)
        refused("a client token with another size", "IdempotentParameterMismatch", 400,
                ec2.create_volume, **{**asked, "Size": 6})
        until("a volume becomes available", lambda: self.volume_state(self.volume), "available")
        self.far = ec2.create_volume(AvailabilityZone=f"{self.region}b", Size=1)["VolumeId"]
        found = ec2.describe_volumes(Filters=filters(tag__Name="v", status="available"))["Volumes"]
        check("volumes by filters", [each["VolumeId"] for each in found] == [self.volume], found)
        by_instance = filters(**{"attachment.instance_id": self.instance})
        found = ec2.describe_volumes(Filters=by_instance)["Volumes"]
        check("volumes by instance",
              sorted(each["VolumeId"] for each in found) == sorted(self.devices.values()), found)
        check("volumes have the launch's tags", all(tags_of(each) == {"of": "web"} for each in found), found)
        pages = list(ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 5}))
        check("volumes come in pages", sum(len(page["Volumes"]) for page in pages) == 10, pages)
        refused("an unknown zone", "InvalidZone.NotFound", 400,
                ec2.create_volume, AvailabilityZone="mars-1a", Size=1)
        refused("neither size nor snapshot", "MissingParameter", 400,
                ec2.create_volume, AvailabilityZone=self.zone)
        refused("an unknown volume type", "UnknownVolumeType", 400,
                ec2.create_volume, AvailabilityZone=self.zone, Size=1, VolumeType="gp9")
        refused("a size the type cannot have", "InvalidParameterValue", 400,
                ec2.create_volume, AvailabilityZone=self.zone, Size=1, VolumeType="st1")
        refused("io2 without operations", "MissingParameter", 400,
                ec2.create_volume, AvailabilityZone=self.zone, Size=8, VolumeType="io2")
        refused("an unknown volume", "InvalidVolume.NotFound", 400,
                ec2.describe_volumes, VolumeIds=[f"vol-{NOBODY}"])
        refused("an unknown volume filter", "InvalidParameterValue", 400,
                ec2.describe_volumes, Filters=filters(colour="red"))

    def attachments(self):
        ec2 = self.ec2
        until("a far volume becomes available", lambda: self.volume_state(self.far), "available")
        here = {"InstanceId": self.instance}
        refused("a volume of another zone", "InvalidVolume.ZoneMismatch", 400,
                ec2.attach_volume, VolumeId=self.far, Device="/dev/sdh", **here)
        refused("a device that is taken", "InvalidParameterValue", 400,
                ec2.attach_volume, VolumeId=self.volume, Device="/dev/sdf", **here)
        refused("an attached volume", "VolumeInUse", 400, ec2.attach_volume,
                VolumeId=self.devices["/dev/sdf"], Device="/dev/sdh", **here)
        refused("detach what is not attached", "IncorrectState", 400,
                ec2.detach_volume, VolumeId=self.volume)
        refused("detach the root of a running instance", "OperationNotPermitted", 400,
                ec2.detach_volume, VolumeId=self.devices["/dev/xvda"])
        state = ec2.attach_volume(VolumeId=self.volume, Device="/dev/sdh", **here)["State"]
        check("a volume is attaching first", state == "attaching", state)
        look = lambda: ec2.describe_volumes(VolumeIds=[self.volume])["Volumes"][0]["Attachments"][0]["State"]
        until("a volume becomes attached", look, "attached")
        refused("delete an attached volume", "VolumeInUse", 400,
                ec2.delete_volume, VolumeId=self.volume)
        refused("detach from another instance", "InvalidAttachment.NotFound", 400,
                ec2.detach_volume, VolumeId=self.volume, InstanceId=self.others[0])

    def snapshot_sets(self):
        ec2 = self.ec2
        of = lambda **more: {"InstanceSpecification": {"InstanceId": self.instance, **more}}
        made = ec2.create_snapshots(
            **of(ExcludeBootVolume=True, ExcludeDataVolumeIds=[self.volume]),
            Description="a set", CopyTagsFromSource="volume",
            TagSpecifications=[specification("snapshot", id="snp_1")],
        )["Snapshots"]
        check("excluded volumes are left out",
              [each["VolumeId"] for each in made] == [self.devices["/dev/sdf"]], made)
        check("tags are given and copied", tags_of(made[0]) == {"id": "snp_1", "of": "web"}, made)
        check("a member is pending", made[0]["State"] == "pending", made)
        self.member = made[0]["SnapshotId"]
        refused("a set with a volume that was just snapshot", "SnapshotCreationPerVolumeRateExceeded",
                400, ec2.create_snapshots, **of())
        left = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        check("a refused set begins nothing", len(left) == 1, left)
        refused("a set of an unknown instance", "InvalidInstanceID.NotFound", 400,
                ec2.create_snapshots, InstanceSpecification={"InstanceId": f"i-{NOBODY}"})
        refused("a stranger's volume excluded", "InvalidParameterValue", 400,
                ec2.create_snapshots, **of(ExcludeDataVolumeIds=[self.far]))
        refused("tags for another kind", "InvalidParameterValue", 400, ec2.create_snapshots,
                **of(), TagSpecifications=[specification("volume", a="1")])
        refused("tags of AWS's own", "InvalidParameterValue", 400, ec2.create_snapshots,
                **of(), TagSpecifications=[specification("snapshot", **{"aws:a": "1"})])

    def snapshot_state(self, snapshot):
        return self.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"]

    def single_snapshots(self):
        ec2 = self.ec2
        made = ec2.create_snapshot(VolumeId=self.volume, Description="one <of> them & more",
                                   TagSpecifications=[specification("snapshot", Name="one")])
        self.single = made["SnapshotId"]
        check("a snapshot is pending first", made["State"] == "pending", made)
        check("a snapshot has its size", made["VolumeSize"] == 5, made)
        check("a snapshot has its description", made["Description"] == "one <of> them & more", made)
        refused("another at once", "SnapshotCreationPerVolumeRateExceeded", 400,
                ec2.create_snapshot, VolumeId=self.volume)
        refused("a snapshot of nothing", "InvalidVolume.NotFound", 400,
                ec2.create_snapshot, VolumeId=f"vol-{NOBODY}")
        refused("a volume of a pending snapshot", "IncorrectState", 400, ec2.create_volume,
                AvailabilityZone=self.zone, SnapshotId=self.single)
        for snapshot in (self.single, self.member):
            until("a snapshot completes", lambda: self.snapshot_state(snapshot), "completed")
        found = ec2.describe_snapshots(SnapshotIds=[self.single])["Snapshots"][0]
        check("a complete one has all its progress", found["Progress"] == "100%", found)
        check("a complete one has its full size", found["FullSnapshotSizeInBytes"] > 0, found)
        restored = ec2.create_volume(AvailabilityZone=self.zone, SnapshotId=self.single)
        check("a volume has its snapshot's size", restored["Size"] == 5, restored)
        refused("a volume smaller than its snapshot", "InvalidParameterValue", 400,
                ec2.create_volume, AvailabilityZone=self.zone, SnapshotId=self.single, Size=4)

    def snapshot_lists(self):
        ec2 = self.ec2
        for other in self.others:
            ec2.create_snapshots(InstanceSpecification={"InstanceId": other}, Description="bulk")
        today = ec2.describe_snapshots(SnapshotIds=[self.single])["Snapshots"][0]["StartTime"]
        for wanted in ({"snapshot_id": self.single}, {"volume_id": self.volume}, {"tag__Name": "o?e"},
                       {"tag_key": "Name"}, {"description": "one*"}, {"volume_size": "5"}):
            found = ec2.describe_snapshots(Filters=filters(**wanted))["Snapshots"]
            check(f"snapshots by {wanted}", [each["SnapshotId"] for each in found] == [self.single], found)
        for wanted, count in (({"status": "completed"}, 2), ({"start_time": f"{today:%Y-%m}-*"}, 8),
                              ({"owner_id": "*"}, 8), ({"encrypted": "true"}, 0),
                              ({"storage_tier": "standard"}, 8), ({"progress": "100%"}, 2)):
            found = ec2.describe_snapshots(Filters=filters(**wanted))["Snapshots"]
            check(f"snapshots by {wanted}", len(found) == count, len(found))
        first = ec2.describe_snapshots(OwnerIds=["self"], MaxResults=5)
        second = ec2.describe_snapshots(OwnerIds=["self"], MaxResults=5, NextToken=first["NextToken"])
        ids = {each["SnapshotId"] for page in (first, second) for each in page["Snapshots"]}
        check("pages join to the whole", len(ids) == 8 and "NextToken" not in second, ids)
        check("Amazon's are not ours", ec2.describe_snapshots(OwnerIds=["amazon"])["Snapshots"] == [])
        elsewhere = client(self.endpoint, "eu-north-1").describe_snapshots(SnapshotIds=[])
        check("Regions are separate",
              self.single not in [each["SnapshotId"] for each in elsewhere["Snapshots"]], elsewhere)
        list_ = ec2.describe_snapshots
        refused("one unknown id among known", "InvalidSnapshot.NotFound", 400,
                list_, SnapshotIds=[self.single, f"snap-{NOBODY}"])
        refused("a malformed id", "InvalidSnapshotID.Malformed", 400, list_, SnapshotIds=["snap-x"])
        refused("a page of named snapshots", "InvalidParameterCombination", 400,
                list_, SnapshotIds=[self.single], MaxResults=5)
        refused("a page that is too short", "InvalidParameterValue", 400, list_, MaxResults=4)
        refused("a page that is too long", "InvalidParameterValue", 400, list_, MaxResults=1001)
        refused("an unknown filter", "InvalidParameterValue", 400, list_, Filters=filters(colour="red"))
        refused("201 values", "FilterLimitExceeded", 400, list_,
                Filters=[{"Name": "volume-id", "Values": [f"v{n}" for n in range(201)]}])
        refused("a made-up token", "InvalidNextToken", 400, list_, NextToken="mine")

    def tags(self):
        ec2 = self.ec2
        both = [self.instance, self.single]
        ec2.create_tags(Resources=both, Tags=[{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "2"}])
        listed = ec2.describe_tags(Filters=filters(key="x"))["Tags"]
        check("tags are listed", sorted(each["ResourceId"] for each in listed) == sorted(both), listed)
        kinds = {each["ResourceType"] for each in listed}
        check("with their kinds", kinds == {"instance", "snapshot"}, kinds)
        ec2.delete_tags(Resources=both, Tags=[{"Key": "x", "Value": "other"}, {"Key": "y"}])
        left = tags_of(ec2.describe_snapshots(SnapshotIds=[self.single])["Snapshots"][0])
        check("deleted with a value only when equal", left == {"Name": "one", "x": "1"}, left)
        many = [{"Key": f"k{n}", "Value": ""} for n in range(48)]
        ec2.create_tags(Resources=[self.single], Tags=many)
        refused("a 51st tag", "TagLimitExceeded", 400,
                ec2.create_tags, Resources=[self.single], Tags=[{"Key": "k48", "Value": ""}])
        one = [{"Key": "k", "Value": "v"}]
        refused("a tag of AWS's own", "InvalidParameterValue", 400, ec2.create_tags,
                Resources=both, Tags=[{"Key": "aws:k", "Value": "v"}])
        for resource, code in ((f"i-{NOBODY}", "InvalidInstanceID.NotFound"),
                               (f"vol-{NOBODY}", "InvalidVolume.NotFound"),
                               (f"snap-{NOBODY}", "InvalidSnapshot.NotFound"),
                               (f"ami-{NOBODY}", "InvalidAMIID.NotFound"), ("house", "InvalidID")):
            refused(f"a tag on {resource}", code, 400, ec2.create_tags, Resources=[resource], Tags=one)
            refused(f"no tag on {resource}", code, 400, ec2.delete_tags, Resources=[resource], Tags=one)

    def network(self):
        """A launch into the network that the first instance is in."""
        ec2 = self.ec2
        found = ec2.describe_instances(InstanceIds=[self.instance])["Reservations"][0]["Instances"][0]
        asked = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1}
        subnet, groups = found["SubnetId"], [each["GroupId"] for each in found["SecurityGroups"]]
        refused("a launch with a key pair that is not there", "InvalidKeyPair.NotFound", 400, ec2.run_instances,
                **asked, KeyName="ops")
        ec2.import_key_pair(KeyName="ops", PublicKeyMaterial=b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5")
        refused("the same key pair again", "InvalidKeyPair.Duplicate", 400, ec2.import_key_pair,
                KeyName="ops", PublicKeyMaterial=b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5")
        keys = [each["KeyName"] for each in ec2.describe_key_pairs(KeyNames=["ops"])["KeyPairs"]]
        check("the key pair is listed", keys == ["ops"], keys)
        subnets = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"]
        check("the subnet is in its zone", subnets[0]["AvailabilityZone"] == found["Placement"]["AvailabilityZone"], subnets)
        listed = ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": groups}])["SecurityGroups"]
        check("the security groups are of the same network",
              {each["VpcId"] for each in listed} == {subnets[0]["VpcId"]}, listed)
        refused("a subnet that is not there", "InvalidSubnetID.NotFound", 400, ec2.describe_subnets,
                SubnetIds=[f"subnet-{NOBODY}"])
        refused("a security group that is not there", "InvalidGroup.NotFound", 400, ec2.describe_security_groups,
                GroupIds=[f"sg-{NOBODY}"])
        launched = ec2.run_instances(
            **asked, SubnetId=subnet, SecurityGroupIds=groups, KeyName="ops",
            IamInstanceProfile={"Name": "web"}, EbsOptimized=True,
            MetadataOptions={"HttpTokens": "required"}, DisableApiTermination=True,
        )["Instances"][0]
        told = (launched["SubnetId"], launched["KeyName"], launched["EbsOptimized"])
        check("a launch has its subnet, key and options", told == (subnet, "ops", True), told)
        check("it has its groups", [each["GroupId"] for each in launched["SecurityGroups"]] == groups, launched)
        check("it has its profile",
              launched["IamInstanceProfile"]["Arn"].endswith(":instance-profile/web"), launched)
        check("it has its metadata options",
              launched["MetadataOptions"]["HttpTokens"] == "required", launched)
        one = launched["InstanceId"]
        refused("terminate what is protected", "OperationNotPermitted", 400,
                ec2.terminate_instances, InstanceIds=[one])
        ec2.modify_instance_attribute(InstanceId=one, DisableApiTermination={"Value": False})
        ec2.terminate_instances(InstanceIds=[one])
        refused("an unknown subnet", "InvalidSubnetID.NotFound", 400,
                ec2.run_instances, **asked, SubnetId="subnet-0123456789abcdef0")
        refused("an unknown security group", "InvalidGroup.NotFound", 400,
                ec2.run_instances, **asked, SecurityGroupIds=["sg-0123456789abcdef0"])

    def images(self):
        ec2 = self.ec2
        self.network()
        device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": self.single}}
        asked = {"Name": "golden", "RootDeviceName": "/dev/xvda", "BlockDeviceMappings": [device]}
        self.image = ec2.register_image(**asked)["ImageId"]
        refused("a name that is taken", "InvalidAMIName.Duplicate", 400, ec2.register_image, **asked)
        refused("a name that is too short", "InvalidAMIName.Malformed", 400,
                ec2.register_image, **{**asked, "Name": "x"})
        refused("an image without a root", "InvalidBlockDeviceMapping", 400, ec2.register_image, Name="none")
        by_snapshot = {"Owners": ["self"],
                       "Filters": filters(**{"block_device_mapping.snapshot_id": self.single})}
        found = ec2.describe_images(**by_snapshot)["Images"]
        check("an image by its snapshot", [each["ImageId"] for each in found] == [self.image], found)
        refused("a snapshot of an image", "InvalidSnapshot.InUse", 400,
                ec2.delete_snapshot, SnapshotId=self.single)
        ec2.disable_image(ImageId=self.image)
        check("a disabled image is not listed", ec2.describe_images(**by_snapshot)["Images"] == [])
        found = ec2.describe_images(**by_snapshot, IncludeDisabled=True)["Images"]
        check("unless asked for", [each["State"] for each in found] == ["disabled"], found)
        refused("a snapshot of a disabled image", "InvalidSnapshot.InUse", 400,
                ec2.delete_snapshot, SnapshotId=self.single)
        refused("a launch of a disabled image", "InvalidAMIID.Unavailable", 400,
                ec2.run_instances, ImageId=self.image, MinCount=1, MaxCount=1)
        ec2.enable_image(ImageId=self.image)
        check("an enabled image is listed", len(ec2.describe_images(**by_snapshot)["Images"]) == 1)
        made = ec2.create_image(InstanceId=self.instance, Name="of web", NoReboot=True,
                                TagSpecifications=[specification("image", a="1")])["ImageId"]
        look = lambda: ec2.describe_images(ImageIds=[made])["Images"][0]
        check("an image of an instance is pending first", look()["State"] == "pending", look())
        check("it has its tags", tags_of(look()) == {"a": "1"}, look())
        until("it becomes available", lambda: look()["State"], "available")
        check("it has all volumes", len(look()["BlockDeviceMappings"]) == 3, look())
        result = ec2.deregister_image(ImageId=made, DeleteAssociatedSnapshots=True)
        codes = {each["ReturnCode"] for each in result["DeleteSnapshotResults"]}
        check("its snapshots go along", codes == {"success"}, result)
        ec2.deregister_image(ImageId=self.image)
        for name, call in (("deregister", ec2.deregister_image), ("disable", ec2.disable_image),
                           ("enable", ec2.enable_image)):
            refused(f"{name} an unknown image", "InvalidAMIID.NotFound", 400, call, ImageId=self.image)
        refused("deregister Amazon's", "AuthFailure", 403, ec2.deregister_image, ImageId=IMAGE)
        refused("list an unknown image", "InvalidAMIID.NotFound", 400,
                ec2.describe_images, ImageIds=[self.image])
        refused("an image of an unknown instance", "InvalidInstanceID.NotFound", 400,
                ec2.create_image, InstanceId=f"i-{NOBODY}", Name="of nothing")

    def locks(self):
        ec2 = self.ec2
        lock = ec2.lock_snapshot(SnapshotId=self.single, LockMode="governance", LockDuration=1)
        check("a snapshot is locked", lock["LockState"] == "governance", lock)
        listed = ec2.describe_locked_snapshots()["Snapshots"]
        check("locks are listed", [each["SnapshotId"] for each in listed] == [self.single], listed)
        refused("delete what is locked", "SnapshotLocked", 400,
                ec2.delete_snapshot, SnapshotId=self.single)
        check("a lock is taken off",
              ec2.unlock_snapshot(SnapshotId=self.single)["SnapshotId"] == self.single)
        refused("take off no lock", "IncorrectState", 400, ec2.unlock_snapshot, SnapshotId=self.single)
        lock = ec2.lock_snapshot(SnapshotId=self.member, LockMode="compliance", LockDuration=1,
                                 CoolOffPeriod=1)
        check("a compliance lock cools off", lock["LockState"] == "compliance-cooloff", lock)
        ec2.lock_snapshot(SnapshotId=self.member, LockMode="compliance", LockDuration=2)
        refused("take off a compliance lock", "SnapshotLocked", 400,
                ec2.unlock_snapshot, SnapshotId=self.member)
        refused("a lock without an end", "MissingParameter", 400,
                ec2.lock_snapshot, SnapshotId=self.single, LockMode="governance")
        refused("a lock of an odd mode", "InvalidParameterValue", 400,
                ec2.lock_snapshot, SnapshotId=self.single, LockMode="soft", LockDuration=1)
        refused("a lock on nothing", "InvalidSnapshot.NotFound", 400, ec2.lock_snapshot,
                SnapshotId=f"snap-{NOBODY}", LockMode="governance", LockDuration=1)

    def sharing(self):
        ec2 = self.ec2
        of = {"SnapshotId": self.single, "Attribute": "createVolumePermission"}
        ec2.modify_snapshot_attribute(**of, OperationType="add", UserIds=["111122223333"])
        look = lambda: ec2.describe_snapshot_attribute(**of)["CreateVolumePermissions"]
        check("a snapshot is shared", look() == [{"UserId": "111122223333"}], look())
        ec2.modify_snapshot_attribute(
            SnapshotId=self.single, CreateVolumePermission={"Remove": [{"UserId": "111122223333"}]})
        check("and taken back", look() == [], look())
        refused("share with nobody", "InvalidUserID.Malformed", 400, ec2.modify_snapshot_attribute,
                **of, OperationType="add", UserIds=["me"])

    def archive(self):
        ec2 = self.ec2
        spare = ec2.copy_snapshot(SourceRegion=self.region, SourceSnapshotId=self.member)["SnapshotId"]
        refused("archive what is pending", "IncorrectState", 400,
                ec2.modify_snapshot_tier, SnapshotId=spare, StorageTier="archive")
        until("a copy in its own Region completes", lambda: self.snapshot_state(spare), "completed")
        ec2.modify_snapshot_tier(SnapshotId=spare, StorageTier="archive")
        told = ec2.describe_snapshot_tier_status(Filters=filters(snapshot_id=spare))["SnapshotTierStatuses"]
        check("a snapshot is on its way to the archive",
              [each["LastTieringOperationStatus"] for each in told] == ["archival-in-progress"], told)
        refused("restore what is not archived", "IncorrectState", 400,
                ec2.restore_snapshot_tier, SnapshotId=self.member, PermanentRestore=True)
        ec2.delete_snapshot(SnapshotId=spare)
        check("without a rule the bin stays empty", ec2.list_snapshots_in_recycle_bin()["Snapshots"] == [])
        refused("restore what is not in the bin", "InvalidSnapshot.NotFound", 400,
                ec2.restore_snapshot_from_recycle_bin, SnapshotId=spare)

    def copies(self):
        far = client(self.endpoint, f"far-{self.region}")
        asked = {"SourceRegion": self.region, "SourceSnapshotId": self.member}
        made = far.copy_snapshot(**asked, Description="far", Encrypted=True,
                                 TagSpecifications=[specification("snapshot", of="web")])
        check("a copy has its tags", tags_of(made) == {"of": "web"}, made)
        again = far.copy_snapshot(**asked)["SnapshotId"]
        check("each call makes a copy", again != made["SnapshotId"], again)
        look = lambda: far.describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"][0]
        check("a copy is pending first", look()["State"] == "pending", look())
        check("a copy is of no volume", look()["VolumeId"] == "vol-ffffffff", look())
        check("a copy is encrypted when asked for", look()["Encrypted"] and look()["KmsKeyId"], look())
        for _ in range(18):
            far.copy_snapshot(**asked)
        refused("a 21st copy", "ResourceLimitExceeded", 400, far.copy_snapshot, **asked)
        until("a copy completes", lambda: look()["State"], "completed")
        for name, more, code in (
            ("of nothing", {"SourceSnapshotId": f"snap-{NOBODY}"}, "InvalidSnapshot.NotFound"),
            ("of a malformed id", {"SourceSnapshotId": "snap-x"}, "InvalidSnapshotID.Malformed"),
            ("from elsewhere", {"SourceRegion": "eu-north-1"}, "InvalidSnapshot.NotFound"),
            ("with a key alone", {"KmsKeyId": "alias/mine"}, "InvalidParameterDependency"),
        ):
            refused(f"a copy {name}", code, 400, far.copy_snapshot, **{**asked, **more})

    def root_replacement(self):
        ec2, instance = self.ec2, self.others[1]
        until("the instance runs", lambda: self.instance_state(instance), "running")
        look = lambda: ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        root = lambda: look()["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        old = root()
        snapshot = ec2.describe_snapshots(Filters=filters(volume_id=old))["Snapshots"][0]["SnapshotId"]
        until("its snapshot completes", lambda: self.snapshot_state(snapshot), "completed")
        asked = {"InstanceId": instance, "SnapshotId": snapshot, "ClientToken": "replace",
                 "TagSpecifications": [specification("replace-root-volume-task", a="1")]}
        refused("a dry run of a replacement", "DryRunOperation", 412,
                ec2.create_replace_root_volume_task, **asked, DryRun=True)
        task = ec2.create_replace_root_volume_task(**asked)["ReplaceRootVolumeTask"]
        id_ = task["ReplaceRootVolumeTaskId"]
        check("a replacement is pending first", task["TaskState"] == "pending", task)
        check("it has its tags", tags_of(task) == {"a": "1"}, task)
        again = ec2.create_replace_root_volume_task(**asked)["ReplaceRootVolumeTask"]
        check("a client token replaces once", again["ReplaceRootVolumeTaskId"] == id_, again)
        tasks = lambda: ec2.describe_replace_root_volume_tasks(
            Filters=filters(instance_id=instance))["ReplaceRootVolumeTasks"]
        until("it succeeds", lambda: [each["TaskState"] for each in tasks()], ["succeeded"])
        check("the root volume is another", root() != old, root())
        check("the old one is kept", self.volume_state(old) == "available")
        made = ec2.describe_volumes(VolumeIds=[root()])["Volumes"][0]
        check("the new one is of the snapshot", made["SnapshotId"] == snapshot, made)
        for name, more, code in (
            ("of another's snapshot", {"SnapshotId": self.single}, "InvalidParameterValue"),
            ("of snapshot and image", {"ImageId": IMAGE}, "InvalidParameterCombination"),
            ("of nothing", {"InstanceId": f"i-{NOBODY}"}, "InvalidInstanceID.NotFound"),
        ):
            refused(f"a replacement {name}", code, 400, ec2.create_replace_root_volume_task,
                    **{**asked, **more, "ClientToken": name})
        refused("an unknown replacement", "InvalidReplaceRootVolumeTaskId.NotFound", 400,
                ec2.describe_replace_root_volume_tasks, ReplaceRootVolumeTaskIds=[f"replacevol-{NOBODY}"])

    def fast_restores(self):
        """On and off by snapshot and zone; what is on is not deleted."""
        ec2 = self.ec2
        asked = {"AvailabilityZones": [self.zone], "SourceSnapshotIds": [self.single]}
        on = ec2.enable_fast_snapshot_restores(**asked)
        check("fast restore is enabled", [one["State"] for one in on["Successful"]] == ["enabling"], on)
        refused("delete what is enabled for fast restore", "InvalidSnapshot.InUse", 400,
                ec2.delete_snapshot, SnapshotId=self.single)
        listed = ec2.describe_fast_snapshot_restores(Filters=filters(snapshot_id=self.single))
        check("fast restore is listed", len(listed["FastSnapshotRestores"]) == 1, listed)
        ec2.disable_fast_snapshot_restores(**asked)
        off = ec2.disable_fast_snapshot_restores(**{**asked, "SourceSnapshotIds": [f"snap-{NOBODY}"]})
        check("what is not there fails by itself", len(off["Unsuccessful"]) == 1, off)
        until("fast restore is off", lambda: ec2.describe_fast_snapshot_restores(
            Filters=filters(snapshot_id=self.single))["FastSnapshotRestores"][0]["State"], "disabled")

    def waiters(self):
        """boto3's own waiters, of every action that is answered, on what is so already or soon is."""
        ec2 = self.ec2
        volume = ec2.create_volume(AvailabilityZone=self.zone, Size=1)["VolumeId"]
        asked = {
            "volume_available": {"VolumeIds": [volume]},
            "volume_in_use": {"VolumeIds": [self.volume]},
            "snapshot_completed": {"SnapshotIds": [self.single]},
            "instance_exists": {"InstanceIds": [self.instance]},
            "instance_running": {"InstanceIds": [self.instance]},
            "image_exists": {"ImageIds": [IMAGE]},
            "image_available": {"ImageIds": [IMAGE]},
        }
        for name, arguments in asked.items():
            self.waits(name, arguments)
        ec2.delete_volume(VolumeId=volume)
        self.waits("volume_deleted", {"VolumeIds": [volume]})
        try:
            ec2.get_waiter("instance_exists").wait(
                InstanceIds=[f"i-{NOBODY}"], WaiterConfig={"Delay": 0, "MaxAttempts": 2})
        except WaiterError:
            check("a waiter gives up", True)
        else:
            check("a waiter gives up", False, "it did not")

    def waits(self, name, arguments):
        try:
            self.ec2.get_waiter(name).wait(**arguments, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        except WaiterError as error:
            check(f"the waiter {name}", False, error)
        else:
            check(f"the waiter {name}", True)

    def paginators(self):
        """boto3's paginators: what comes in pages of five is what comes at once."""
        ec2 = self.ec2
        answered = 0
        for name in sorted(ec2.meta.method_to_api_mapping):
            if not ec2.can_paginate(name) or not name.startswith(("describe_", "list_")):
                continue
            paginator = ec2.get_paginator(name)
            try:
                try:
                    pages = list(paginator.paginate(PaginationConfig={"PageSize": 5}))
                except PaginationError:
                    # An operation whose pages have the size that EC2 gives them.
                    pages = list(paginator.paginate())
            except (ClientError, ParamValidationError) as error:
                told = getattr(error, "response", {}).get("Error", {}).get("Code")
                # What nobody of ours asks is not simulated.
                check(f"pages of {name}", told in ("InvalidAction", "MissingParameter", None), error)
                continue
            answered += 1
            whole = getattr(ec2, name)()
            for key in [key for key, value in whole.items() if isinstance(value, list)]:
                paged = members(item for page in pages for item in page.get(key, []))
                at_once = members(whole[key])
                check(f"pages of {name}: {key}", paged == at_once, f"{paged} in pages, {at_once} at once")
        check("twelve actions come in pages", answered == 12, answered)

    def deletion(self):
        ec2 = self.ec2
        ec2.delete_snapshot(SnapshotId=self.single)
        refused("a deleted snapshot", "InvalidSnapshot.NotFound", 400,
                ec2.describe_snapshots, SnapshotIds=[self.single])
        refused("delete it twice", "InvalidSnapshot.NotFound", 400,
                ec2.delete_snapshot, SnapshotId=self.single)
        refused("delete a malformed one", "InvalidSnapshotID.Malformed", 400,
                ec2.delete_snapshot, SnapshotId="snap-x")

    def limits(self):
        """One pending snapshot of an st1 volume, even when it has been deleted."""
        ec2 = self.ec2
        slow = ec2.create_volume(AvailabilityZone=self.zone, Size=500, VolumeType="st1")["VolumeId"]
        until("an st1 volume becomes available", lambda: self.volume_state(slow), "available")
        first = ec2.create_snapshot(VolumeId=slow)["SnapshotId"]
        ec2.delete_snapshot(SnapshotId=first)
        check("a deleted pending snapshot stays for now", self.snapshot_state(first) == "pending")
        time.sleep(15.5)
        refused("a second pending one", "ConcurrentSnapshotLimitExceeded", 400,
                ec2.create_snapshot, VolumeId=slow)

    def ends(self):
        ec2 = self.ec2
        ec2.detach_volume(VolumeId=self.volume)
        until("a volume is detached", lambda: self.volume_state(self.volume), "available")
        ec2.delete_volume(VolumeId=self.volume)
        refused("a deleted volume", "InvalidVolume.NotFound", 400,
                ec2.delete_volume, VolumeId=self.volume)
        ec2.terminate_instances(InstanceIds=[self.instance, *self.others])
        until("an instance ends", lambda: self.instance_state(self.instance), "terminated")
        refused("a snapshot of a terminated instance", "IncorrectInstanceState", 400,
                ec2.create_snapshots, InstanceSpecification={"InstanceId": self.instance})
        refused("start a terminated instance", "IncorrectInstanceState", 400,
                ec2.start_instances, InstanceIds=[self.instance])
        check("a volume that is to stay stays",
              self.volume_state(self.devices["/dev/sdf"]) == "available")
        refused("a volume that goes along is gone", "InvalidVolume.NotFound", 400,
                ec2.describe_volumes, VolumeIds=[self.devices["/dev/xvda"]])


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    Run(sys.argv[1]).all()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
