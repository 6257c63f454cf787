"""From the developer secret alone to a note that is read back, by the standard library."""

import json
import os
import sys
import urllib.error
import urllib.request


def call(path, **fields):
    url = f"{os.environ['ORIGIN']}/apis/v2/public/{path}"
    try:
        with urllib.request.urlopen(url, json.dumps(fields).encode(), timeout=60) as answer:
            answer = json.load(answer)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
    if answer["status"] != "success":
        print(*answer["data"], sep="\n", file=sys.stderr)
        sys.exit(2)
    return answer["data"]


secret = {"developer_secret": os.environ["DEVELOPER_SECRET"]}
email = os.environ["EMAIL"]
known = call("developers/fetchIdentifiers", **secret)
keys = {**secret, "api_key": known["api_key"], "org_id": known["org_id"]}
member = {**keys, "member_id": known["members"][0]["member_id"]}

person = {"firstName": "Zoë", "lastName": "O'Neill/Łuczak", "primaryEmail": email}
company = {"name": "Müller & Söhne"}
added = call("crm/addContactsFull", **member, contact=person, entity=company)
found = call("crm/lookupContact", **keys, search_string=email.upper())
contact = {**member, "contact_id": found["contact"]["contact_id"]}

note = call("crm/addNotestoContact", **contact, note="first", note_visibility=True)["note_id"]
changed = {"note_id": note, "note": os.environ["NOTE"], "note_editable": 1}
call("crm/addNotestoContact", **contact, **changed)
read = call("crm/fetchContact", **contact, include_notes=True, include_entity=1)
json.dump([added["contact_id"], note, read], sys.stdout)
