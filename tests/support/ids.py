"""Ids that nothing has."""

import uuid


def unknown_id():
    return str(uuid.uuid4())
