"""Prints compile_commands.json: compile_commands.py SOURCES BUILD FILE... -- COMMAND...

The command compiles any of the C files FILE, in the directory BUILD.
"""

import json
import os
import sys

sources, build, *rest = sys.argv[1:]
end = rest.index("--")
command = rest[end + 1 :]


def entry(name):
    file = os.path.join(os.path.abspath(sources), name)
    made = name[: -len("c")] + "o"
    return {"directory": build, "file": file, "arguments": [*command, "-c", "-o", made, file]}


names = sorted({name for name in rest[:end] if name.endswith(".c")})
print(json.dumps([entry(name) for name in names], indent=1))
