import json
import urllib.error
import urllib.request
{{?writes}}import uuid

body = {{body}}
request = urllib.request.Request(
    "{{url}}",
    data=json.dumps(body).encode(),
    headers={
        "Content-Type": "application/json",
{{?writes}}        "Idempotency-Key": str(uuid.uuid4()),
    },
)
try:
    response = urllib.request.urlopen(request, timeout=30)
except urllib.error.HTTPError as error:  # it has a body, too
    response = error
answer = json.load(response)
if answer["status"] != "success":
    raise RuntimeError(", ".join(answer["data"]))
print(answer["data"])
