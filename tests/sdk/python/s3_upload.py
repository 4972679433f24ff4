"""Uploads a file to an S3 endpoint in several ways: a line a way, with the error code if refused.

usage: s3_upload.py URL FILE WAY...

A way is the checksum that botocore sends (CRC32, SHA1, SHA256), or `none`. Over https the checksum
comes as a trailer of an unsigned payload; over http, or without a checksum, the payload is signed as
a whole. botocore signs no chunks.
"""

import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

url, path, ways = sys.argv[1], sys.argv[2], sys.argv[3:]

for way in ways:
    none = way == "none"
    config = Config(
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 1},
        request_checksum_calculation="when_required" if none else "when_supported",
    )
    client = boto3.client("s3", endpoint_url=url, config=config)
    more = {} if none else {"ChecksumAlgorithm": way}
    try:
        with open(path, "rb") as body:
            client.put_object(Bucket="bucket", Key=f"boto3-{way}", Body=body, **more)
        print(f"ok {way}")
    except ClientError as refused:
        print(f"refused {way} {refused.response['Error']['Code']}")
    except BotoCoreError as broken:
        # The answer came before the whole body was sent, and the connection was closed.
        print(f"refused {way} {type(broken).__name__}")
