"""moto as a server on 127.0.0.1, with a Glacier vault that tells SNS when a retrieval is ready.

python -m benchmarks.moto_server PORT
"""

import json
import sys
import threading
from typing import Any

import pytest
from moto.glacier import models, responses
from moto.server import main as serve
from moto.sns.models import sns_backends

from archival.tests.clouds import mend_moto_vault


def mend() -> None:
    """moto's own times for a retrieval: 2 s for an expedited one, 5 s for a standard one."""
    patch = pytest.MonkeyPatch()
    timed: Any = models.Job.__init__
    mend_moto_vault(patch)
    patch.setattr(models.Job, "__init__", timed)
    initiate: Any = responses.GlacierResponse.initiate_job

    def initiate_and_tell(response: Any) -> Any:
        answer = initiate(response)
        wanted, job_id = json.loads(response.body), answer[1]["x-amz-job-id"]
        if topic := wanted.get("SNSTopic"):
            account, region = response.current_account, response.region
            topics: Any = sns_backends[account][region].topics
            told = completion(wanted, job_id)
            seconds = 2 if wanted.get("Tier") == "Expedited" else 5
            threading.Timer(seconds, lambda: topics[topic].publish(told)).start()
        return answer

    patch.setattr(responses.GlacierResponse, "initiate_job", initiate_and_tell)


def completion(wanted: dict[str, Any], job_id: str) -> str:
    """https://docs.aws.amazon.com/amazonglacier/latest/dev/configuring-notifications-sdk.html"""
    return json.dumps(
        {
            "Action": "ArchiveRetrieval",
            "ArchiveId": wanted["ArchiveId"],
            "Completed": True,
            "JobDescription": wanted.get("Description"),
            "JobId": job_id,
            "SNSTopic": wanted["SNSTopic"],
            "StatusCode": "Succeeded",
            "StatusMessage": "Succeeded",
        }
    )


if __name__ == "__main__":
    mend()
    serve(["-H", "127.0.0.1", "-p", sys.argv[1]])
