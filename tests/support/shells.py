"""Shells on a pty, in which a line is typed and completed as a person does it."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from support.paths import SOURCE

SCRIPTS = SOURCE / "completions"
READY = "READY>"
# Prints the line as it is now, without what the terminal makes of it.
DUMP = "\x18d"


class Shell:
    """
    command starts it; setup is what it reads first, after which the prompt is READY and DUMP
    prints the line in << >>. path: the directory of crmnotesctl.
    """

    def __init__(self, command, setup, path, environment, directory):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=directory, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**environment, "PATH": f"{path}:/usr/bin:/bin", "TERM": "dumb", "HOME": str(directory),
                 "LC_ALL": "C.UTF-8", "INPUTRC": "/dev/null"},
        )  # fmt: skip
        os.close(slave)
        self.seen = ""
        self.type(f"{setup}\n")
        self.expect(f"\n{READY}")

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        os.close(self.master)

    def type(self, text):
        os.write(self.master, text.encode())

    def expect(self, text, seconds=20):
        """Reads until the text is there; answers what came before it."""
        end = time.monotonic() + seconds
        while text not in self.seen.replace("\r", ""):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"waiting for {text!r}, seen {self.seen!r}"
            self.seen += os.read(self.master, 65536).decode(errors="replace")
        before, _, self.seen = self.seen.replace("\r", "").partition(text)
        return before

    def complete(self, line, tabs=1):
        """The line after Tab, and what was printed meanwhile."""
        self.type(line + "\t" * tabs + DUMP)
        printed = self.expect("<<")
        after = self.expect(">>")
        self.type("\x15\n")  # an empty line, so that the next one begins at a prompt
        self.expect(f"\n{READY}")
        return after.replace("\n", ""), printed


def bash(path, environment, directory):
    setup = (
        "PS1=; PROMPT_COMMAND=; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; "
        "bind 'set page-completions off'; bind 'set show-all-if-ambiguous on'; "
        f". {SCRIPTS}/bash/crmnotesctl; "
        "dump() { printf '<<%s>>' \"$READLINE_LINE\"; }; bind -x '\"\\C-xd\": dump'; "
        "PS1=READY\\>"
    )
    return Shell(["bash", "--norc", "--noprofile", "-i"], setup, path, environment, directory)


def zsh(path, environment, directory):
    """Tab only completes: by default zsh itself first expands the word, commands included."""
    setup = (
        f"PS1=; unsetopt beep zle_bracketed_paste prompt_sp; fpath=({SCRIPTS}/zsh $fpath); "
        "autoload -Uz compinit; compinit -u -D; LISTMAX=1000; "
        "dump() { print -rn -- \"<<$BUFFER>>\"; }; zle -N dump; bindkey '^Xd' dump; bindkey '^I' complete-word; PS1='READY''>'"
    )
    return Shell(["zsh", "-f", "-i"], setup, path, environment, directory)
