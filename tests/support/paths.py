"""Paths of the sources and of the programs under test."""

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BUILD = (SOURCE / os.environ.get("CRMNOTES_BUILD", ".")).resolve()
CONF = SOURCE / "conf"
SERVICE = BUILD / "crmnotes.fcgi"
CTL = BUILD / "crmnotesctl"

CALL_PATH = "/apis/v2/public/crm/addNotestoContact"
