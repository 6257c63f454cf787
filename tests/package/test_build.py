"""`make deb`: what Debian's own checker says of the packages, and whether their bytes repeat."""

import hashlib
import shutil
import subprocess

from support import package
from support.host import make
from support.paths import BUILD


def test_lintian_finds_nothing(built):
    (changes,) = built.glob("*.changes")
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", changes], capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_another_build_from_the_tarball_gives_the_same_bytes(built, tmp_path):
    """As somebody does who trusts the sources only. The directory has another name."""
    make(BUILD, "distdir", f"distdir={tmp_path}/unpacked", "am__skip_mode_fix=")
    subprocess.run(["./configure", "--quiet"], cwd=tmp_path / "unpacked", check=True, timeout=300)
    package.make_deb(tmp_path / "unpacked")

    def digests(directory):
        made = [*directory.glob("*.deb"), *directory.glob("*.tar.xz"), *directory.glob("*.dsc")]
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in made}

    assert len(digests(built)) == 6
    assert digests(tmp_path / "unpacked/deb") == digests(built)
    shutil.rmtree(tmp_path / "unpacked")
