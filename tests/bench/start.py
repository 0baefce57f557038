"""A Lambda function of Python with boto3 that reads what a list of fifty reads, under the runtime interface that `bench start` has."""

import json
import os
import urllib.request

import boto3

TABLE = os.environ["SNAPKEEP_TABLE"]
URL = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
dynamodb = boto3.client("dynamodb")


def handle(_event):
    """One Query for the keys and one BatchGetItem for the records."""
    found = dynamodb.query(
        TableName=TABLE, IndexName="all", Limit=50, ScanIndexForward=False, KeyConditionExpression="#p = :p",
        ExpressionAttributeNames={"#p": "all_pk"}, ExpressionAttributeValues={":p": {"S": "SNAPSHOTS#HERE"}},
    )
    keys = [{"pk": one["pk"], "sk": one["sk"]} for one in found["Items"]]
    records = dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})
    items = records["Responses"][TABLE]
    assert len(items) == 50, len(items)
    return {"statusCode": 200, "body": json.dumps(items)}


while True:
    with urllib.request.urlopen(f"{URL}/next") as answer:
        request, event = answer.headers["lambda-runtime-aws-request-id"], json.load(answer)
    body = json.dumps(handle(event)).encode()
    urllib.request.urlopen(urllib.request.Request(f"{URL}/{request}/response", data=body, method="POST")).close()
