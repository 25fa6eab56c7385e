"""Write down each call of AWS that a process makes, signed addresses for others included.

The rehearsal puts this folder on PYTHONPATH, so Python loads it before anything else; the service knows
nothing of it. A line is {"service", "operation", "resource"} in JSON, in the file that REHEARSAL_CALLS names.
"""

import importlib.abc
import importlib.util
import json
import os
import sys

CALLS = os.environ.get("REHEARSAL_CALLS", "")
# What a call is about, by the parameters that name it; the first that is there counts.
RESOURCES = (
    "Bucket",
    "vaultName",
    "QueueUrl",
    "QueueName",
    "TableName",
    "TopicArn",
    "Name",
    "RequestItems",
    "SubscriptionArn",
)


def note(service, operation, parameters):
    resource = next((parameters[name] for name in RESOURCES if name in parameters), "")
    if isinstance(resource, dict):  # of a batch: the tables
        resource = ",".join(sorted(resource))
    resource = resource.rsplit("/", 1)[-1]
    if "IndexName" in parameters:
        resource += f"/index/{parameters['IndexName']}"
    line = json.dumps({"service": service, "operation": operation, "resource": resource})
    with open(CALLS, "a") as file:  # noqa: PTH123  pathlib is slow to load, and this runs in every process
        file.write(line + "\n")


def record_client(module):
    call = module.BaseClient._make_api_call

    def recorded(self, operation, parameters):
        source = (parameters or {}).get("CopySource")  # of a copy, which reads there, too
        if source:
            note("s3", "GetObject", {"Bucket": source["Bucket"]})
        note(self.meta.service_model.service_name, operation, parameters or {})
        return call(self, operation, parameters)

    module.BaseClient._make_api_call = recorded


def record_signers(module):
    sign = module.generate_presigned_url
    post = module.S3PostPresigner.generate_presigned_post

    def url(self, ClientMethod, Params=None, **options):
        note("s3", self.meta.method_to_api_mapping[ClientMethod], Params or {})
        return sign(self, ClientMethod, Params, **options)

    def form(self, request_dict, *arguments, **options):
        note("s3", "PutObject", {"Bucket": request_dict["url"].rsplit("/", 1)[-1]})
        return post(self, request_dict, *arguments, **options)

    module.generate_presigned_url = url
    module.S3PostPresigner.generate_presigned_post = form
    module.add_generate_presigned_url.__globals__["generate_presigned_url"] = url


def record_kombu(module):
    make = module.AsyncSQSConnection.make_request

    def recorded(self, operation, params, queue_url, *arguments, **options):
        note("sqs", operation, {"QueueUrl": queue_url})
        return make(self, operation, params, queue_url, *arguments, **options)

    module.AsyncSQSConnection.make_request = recorded


RECORDED = {
    "botocore.client": record_client,
    "botocore.signers": record_signers,
    "kombu.asynchronous.aws.sqs.connection": record_kombu,
}


class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        record = RECORDED.pop(name, None)
        if record is None:
            return None
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            record(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if CALLS:
    sys.meta_path.insert(0, Finder())
