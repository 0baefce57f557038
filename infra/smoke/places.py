"""Where the smoke test runs: a local run, or an account of AWS."""

import base64
import json
import pathlib
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import boto3

ROOT = pathlib.Path(__file__).resolve().parents[2]


def request(method, url, body=None, headers=None):
    """The status and the JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {**({"content-type": "application/json"} if data is not None else {}), **(headers or {})}
    asked = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    return status, json.loads(text) if text else None


class Place:
    """What all places have."""

    def available(self, snapshot):
        _, shown = self.api("GET", f"/v1/snapshots/{snapshot}")
        assert shown["status"] != "error", shown.get("failure")
        return shown if shown["status"] == "available" else None

    def find_instance(self):
        _, page = self.api("GET", "/v1/instances?eligible=true&limit=200")
        here = [one["id"] for one in page["items"] if one["region"] == self.region]
        assert here, "there is no instance that a snapshot could be taken of"
        return here[0]

    def foreign_snapshot(self):
        """A snapshot of the account's owner, without any tag."""
        owner = self.ec2()
        filters = [{"Name": "attachment.instance-id", "Values": [self.instance]}]
        volume = owner.describe_volumes(Filters=filters)["Volumes"][0]["VolumeId"]
        self.foreign = owner.create_snapshot(VolumeId=volume)["SnapshotId"]
        end = time.monotonic() + 900
        while owner.describe_snapshots(SnapshotIds=[self.foreign])["Snapshots"][0]["State"] != "completed":
            assert time.monotonic() < end, "the foreign snapshot does not complete"
            time.sleep(1)
        return self.foreign


class Local(Place):
    """A local run, by the line that it prints for scripts."""

    region = "us-east-1"
    installation = "local.snapkeep.us-east-1"

    def __init__(self, ready, second_region):
        word, self.url, *rest = ready.split()
        assert word == "ready", ready
        self.endpoints = dict(part.split("=", 1) for part in rest)
        self.second_region = second_region

    def deploy(self):
        """It runs already."""

    def remove(self):
        """Whoever has started it ends it."""

    def api(self, method, path, body=None, token=True):
        headers = {} if token else {"x-snapkeep-role": "none"}
        return request(method, self.url + path, body, headers)

    def ec2(self, function=None, region=None):
        # The simulated EC2 knows a function's role by its access key.
        key = f"{self.installation}.{function.lower()}" if function else "local"
        return boto3.client(
            "ec2", endpoint_url=self.endpoints["ec2"], region_name=region or self.region,
            aws_access_key_id=key, aws_secret_access_key=key,
        )

    def as_a_hostile_page(self):
        headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        return request("POST", self.url + "/v1/reconciliation", {}, headers)[0]

    def notification(self, _summary):
        return None

    def alarm(self, _name):
        return None


class Aws(Place):
    """An account, into which it is deployed by SAM."""

    def __init__(self, stack, second_region):
        session = boto3.session.Session()
        self.stack, self.second_region, self.region = stack, second_region, session.region_name
        assert self.region and self.region != second_region, "set AWS_REGION, to another region than --second-region"
        self.installation = f"{stack}.{self.region}"
        self.account = boto3.client("sts").get_caller_identity()["Account"]
        self.instance_made = self.foreign = self.queue = None
        self.roles = {}

    # ------------------------------------------------------------ there and gone

    def run(self, *command):
        print("$ " + " ".join(command), flush=True)
        subprocess.run(command, cwd=ROOT, check=True)

    def deploy(self):
        self.run("sam", "build")
        self.run(
            "sam", "deploy", "--stack-name", self.stack, "--resolve-s3", "--no-confirm-changeset",
            "--capabilities", "CAPABILITY_IAM", "--parameter-overrides", "MachineClientRole=admin",
            "RecycleBinDays=0", f"Regions={self.second_region}",
        )
        self.run(
            "aws", "cloudformation", "deploy", "--region", self.second_region, "--stack-name", f"{self.stack}-region",
            "--capabilities", "CAPABILITY_IAM", "--template-file", "infra/region.yaml", "--parameter-overrides",
            f"HomeRegion={self.region}", f"HomeStack={self.stack}", "RecycleBinDays=0",
        )
        described = boto3.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
        self.token = self.sign_in()
        self.launch()

    def sign_in(self):
        cognito = boto3.client("cognito-idp")
        client = cognito.describe_user_pool_client(
            UserPoolId=self.outputs["UserPoolId"], ClientId=self.outputs["MachineClientId"],
        )["UserPoolClient"]
        pair = f"{client['ClientId']}:{client['ClientSecret']}".encode()
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "scope": "snapkeep/admin"}).encode()
        headers = {
            "authorization": "Basic " + base64.b64encode(pair).decode(),
            "content-type": "application/x-www-form-urlencoded",
        }
        asked = urllib.request.Request(self.outputs["SignInUrl"] + "/oauth2/token", data=form, headers=headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.loads(answer.read())["access_token"]

    def launch(self):
        name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
        image = boto3.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
        made = self.ec2().run_instances(ImageId=image, InstanceType="t4g.nano", MinCount=1, MaxCount=1)
        self.instance_made = made["Instances"][0]["InstanceId"]
        self.ec2().get_waiter("instance_running").wait(InstanceIds=[self.instance_made])

    def find_instance(self):
        return self.instance_made

    def remove(self):
        """Everything, in the order in which it lets go; what is gone already is passed over."""
        for each in [self.remove_help, self.remove_stacks, self.remove_kept]:
            try:
                each()
            except Exception as failure:  # noqa: BLE001 - the rest is to go all the same
                print(f"LEFT BEHIND: {failure}", flush=True)

    def remove_help(self):
        for role, trust in self.roles.items():
            boto3.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=trust)
        if self.instance_made:
            self.ec2().terminate_instances(InstanceIds=[self.instance_made])
        if self.foreign:
            self.ec2().delete_snapshot(SnapshotId=self.foreign)
        if self.queue:
            boto3.client("sqs").delete_queue(QueueUrl=self.queue)

    def remove_stacks(self):
        for region, stack in [(self.second_region, f"{self.stack}-region"), (self.region, self.stack)]:
            client = boto3.client("cloudformation", region_name=region)
            client.delete_stack(StackName=stack)
            client.get_waiter("stack_delete_complete").wait(StackName=stack)

    def remove_kept(self):
        table, pool = self.outputs["TableName"], self.outputs["UserPoolId"]
        dynamodb, cognito = boto3.client("dynamodb"), boto3.client("cognito-idp")
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=table)
        dynamodb.delete_table(TableName=table)
        cognito.update_user_pool(UserPoolId=pool, DeletionProtection="INACTIVE")
        cognito.delete_user_pool(UserPoolId=pool)

    # ------------------------------------------------------------ what steps ask

    def api(self, method, path, body=None, token=True):
        headers = {"authorization": f"Bearer {self.token}"} if token else {}
        return request(method, self.outputs["ApiUrl"] + path, body, headers)

    def physical(self, name):
        client = boto3.client("cloudformation")
        detail = client.describe_stack_resource(StackName=self.stack, LogicalResourceId=name)
        return detail["StackResourceDetail"]["PhysicalResourceId"]

    def ec2(self, function=None, region=None):
        region = region or self.region
        if function is None:
            return boto3.client("ec2", region_name=region)
        keys = self.assume(self.physical(f"{function}Role"))
        return boto3.client(
            "ec2", region_name=region, aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"],
        )

    def assume(self, role):
        """For the time of the test the account itself may be what only Lambda may; `remove` takes it back."""
        iam, sts = boto3.client("iam"), boto3.client("sts")
        if role not in self.roles:
            trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
            self.roles[role] = json.dumps(trust)
            us = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "sts:AssumeRole"}
            widened = {**trust, "Statement": [*trust["Statement"], us]}
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(widened))
        end = time.monotonic() + 60
        while True:
            try:
                arn = f"arn:aws:iam::{self.account}:role/{role}"
                return sts.assume_role(RoleArn=arn, RoleSessionName="smoke")["Credentials"]
            except sts.exceptions.ClientError:
                # IAM takes a while to know it everywhere.
                if time.monotonic() > end:
                    raise
                time.sleep(3)

    def as_a_hostile_page(self):
        return None

    def subscribed(self):
        """A queue that hears of everything that the topic does, in the place of a mailbox."""
        if self.queue:
            return self.queue
        sqs, sns = boto3.client("sqs"), boto3.client("sns")
        topic = self.outputs["NotificationTopicArn"]
        self.queue = sqs.create_queue(QueueName=f"{self.stack}-mail")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        time.sleep(20)
        return self.queue

    def mail(self, minutes=10):
        sqs, end = boto3.client("sqs"), time.monotonic() + minutes * 60
        while time.monotonic() < end:
            got = sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=20).get("Messages", [])
            if got:
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=got[0]["ReceiptHandle"])
                return got[0]["Body"]
        raise AssertionError("no mail came")

    def notification(self, summary):
        self.subscribed()
        detail = {
            "type": "snapkeep.snapshot.failed", "summary": summary, "event_id": "smoke",
            "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        entry = {
            "EventBusName": self.outputs["BusName"], "Source": "snapkeep",
            "DetailType": "snapkeep.snapshot.failed", "Detail": json.dumps(detail),
        }
        boto3.client("events").put_events(Entries=[entry])
        return self.mail()

    def alarm(self, name):
        self.subscribed()
        alarm = self.physical(name)
        boto3.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="smoke")
        message = self.mail()
        boto3.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="smoke")
        return message
