"""
Asks a firedamp whether it is ready and for one verdict; what `helm test` runs.

The question is about a service nobody has, which a healthy firedamp answers with 200, inconclusive, and the
YAML to add.
"""

import json
import os
import urllib.request

url = os.environ["FIREDAMP_URL"]
with urllib.request.urlopen(f"{url}/readyz", timeout=10) as answer:
    print(answer.status, "/readyz")

question = {
    "service": "helm-test",
    "namespace": "helm-test",
    "stable-hash": "5d8c7b9f64",
    "canary-hash": "7f6b8c9d55",
}
request = urllib.request.Request(
    f"{url}/argo/v1/guard",
    data=json.dumps(question).encode(),
    headers={
        "Authorization": f"Bearer {os.environ['FIREDAMP_TOKEN'].split()[0]}",
        "Content-Type": "application/json",
    },
)
with urllib.request.urlopen(request, timeout=10) as answer:
    verdict = json.load(answer)
print(verdict["summary"])
if verdict["verdict"] not in ("pass", "inconclusive"):
    raise SystemExit(f"expected no harm for a service nobody has, got {verdict['verdict']!r}")
