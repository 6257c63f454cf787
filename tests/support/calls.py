"""The calls beside Add Notes to Contact, as programs send them."""

import json

BASE = "/apis/v2/public/"
FETCH, LOOKUP = f"{BASE}crm/fetchContact", f"{BASE}crm/lookupContact"
ADD = f"{BASE}crm/addContactsFull"
IDENTIFIERS = f"{BASE}developers/fetchIdentifiers"

CONTACT = [
    *("contact_id", "contact_owner", "contact_name", "first_name", "last_name", "role_label"),
    *("primary_email", "secondary_email", "primary_phone", "secondary_phone", "entity_name"),
    *("created_at", "updated_at"),
]
NOTE = [
    *("note_id", "contact_id", "note_author", "note_content", "note_editable"),
    *("note_visibility", "created_at", "updated_at"),
]


def keys_of(world):
    return {"api_key": world.api_key, "developer_secret": world.developer_secret}


def fetch_body(world, **fields):
    members = {"org_id": world.org, "member_id": world.member, "contact_id": world.contact}
    return {**keys_of(world), **members, **fields}


def lookup_body(world, text, **fields):
    return {**keys_of(world), "org_id": world.org, "search_string": text, **fields}


def add_body(world, contact, **fields):
    members = {"org_id": world.org, "member_id": world.member, "contact": contact}
    return {**keys_of(world), **members, **fields}


def data_of(answer):
    """What a success answers."""
    assert answer.status == 200, answer.body
    members = json.loads(answer.body)
    assert members["status"] == "success", answer.body
    return members["data"]
