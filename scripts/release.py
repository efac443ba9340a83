"""Make a release: date the changelog, prove the updates, tag, build; nothing is pushed.

    scripts/release VERSION

All of it is done in a clone. The repository gets the commit and the tag, and dist/ the sdist and
the wheel, once nothing can fail any more; where something does, it is as it was.
"""

import datetime
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from keras_scaffold.git import GitError, git
from keras_scaffold.render.history import versions
from keras_scaffold.source import BUNDLE, COMMIT_FILE
from packaging.version import InvalidVersion, Version
from prove_updates import Failed, cases, prove, run

ROOT = Path(__file__).parents[1]
CHANGELOG = "CHANGELOG.md"
PENDING = "not released yet"


class Refused(Exception):
    """No release can be made; the text says why, and what to do."""


def release(version: str, repository: Path) -> list[Path]:
    """Make a release of what is committed in a repository; the files that were built."""
    tag = f"v{check(version, repository)}"
    with tempfile.TemporaryDirectory(prefix="keras-scaffold-") as name:
        clone = Path(name, "clone")
        git(repository, "clone", "--quiet", "--", str(repository), str(clone))
        date_changelog(clone / CHANGELOG, version)
        git(clone, *identity(repository), "commit", "--all", "--quiet", "-m", f"Release {version}")
        git(clone, *identity(repository), "tag", "--annotate", tag, "-m", f"Release {version}")
        print(f"Updating {len(list(cases(clone)))} projects of earlier versions ...", flush=True)
        if wrong := prove(clone):
            raise Refused("\n".join(["projects of earlier versions do not update:", *wrong]))
        print("Building ...", flush=True)
        build = [
            sys.executable,
            "-m",
            "build",
            "--no-isolation",
            "--outdir",
            str(Path(name, "dist")),
        ]
        run(clone, {}, *build)
        built = check_built(Path(name, "dist"), version)
        git(repository, "pull", "--quiet", "--ff-only", str(clone), "HEAD")
        git(repository, "fetch", "--quiet", str(clone), f"refs/tags/{tag}:refs/tags/{tag}")
        (repository / "dist").mkdir(exist_ok=True)
        return [Path(shutil.copy(path, repository / "dist")) for path in built]


def check(version: str, repository: Path) -> str:
    """Refuse what cannot be released; the version in its usual form."""
    try:
        new = Version(version)
    except InvalidVersion:
        raise Refused(f"{version}: is no version; say one such as 1.2.0") from None
    if str(new) != version or new.local or new.is_devrelease or new.is_postrelease:
        raise Refused(f"{version}: is no version for a release; say {new.base_version}")
    if git(repository, "status", "--porcelain"):
        raise Refused("there is something that is not committed; commit or stash it first")
    if git(repository, "rev-parse", "--is-shallow-repository") == "true":
        raise Refused("this is a shallow clone; git fetch --unshallow --tags gets the rest")
    earlier = versions(str(repository))
    if earlier and Version(earlier[-1]) >= new:
        raise Refused(f"{version}: does not come after {earlier[-1]}; say a later version")
    return version


def date_changelog(changelog: Path, version: str) -> None:
    """Say in the changelog that a version is released today."""
    text = changelog.read_text(encoding="utf-8")
    today = datetime.datetime.now(datetime.UTC).date()
    heading = rf"^## {re.escape(version)}, {PENDING}$"
    dated, times = re.subn(heading, f"## {version}, {today}", text, count=1, flags=re.MULTILINE)
    if not times:
        raise Refused(f"{CHANGELOG}: has no section '## {version}, {PENDING}'; write what is new")
    changelog.write_text(dated, encoding="utf-8", newline="\n")


def identity(repository: Path) -> list[str]:
    """Who makes the release: a clone does not know what a repository itself says of that."""
    options = []
    for key in ("user.name", "user.email"):
        try:
            options += ["-c", f"{key}={git(repository, 'config', key)}"]
        except GitError:  # git will say so, or the environment does
            continue
    return options


def check_built(folder: Path, version: str) -> list[Path]:
    """The sdist and the wheel that were built; refused where they are not what is released."""
    sdist = folder / f"keras_scaffold-{version}.tar.gz"
    wheel = folder / f"keras_scaffold-{version}-py3-none-any.whl"
    if sorted(folder.iterdir()) != sorted([sdist, wheel]):
        raise Refused(f"built was {', '.join(path.name for path in folder.iterdir())}")
    with zipfile.ZipFile(wheel) as archive:
        commit = archive.read(f"keras_scaffold/{COMMIT_FILE}").decode().strip()
        if commit != f"v{version}" or f"keras_scaffold/{BUNDLE}" not in archive.namelist():
            raise Refused(f"the wheel is of {commit}, or does not carry the template's history")
    return [sdist, wheel]


def main() -> int:
    """Make a release of this repository."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    version = sys.argv[1]
    try:
        built = release(version, ROOT)
    except (Refused, Failed, GitError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    files = " ".join(str(path.relative_to(ROOT)) for path in built)
    branch = git(ROOT, "branch", "--show-current") or "HEAD:main"
    print(f"v{version} is tagged, and built: {files}")
    print("What is left for you, in this order:")
    print(f"  git push --atomic origin {branch} v{version}")
    print(f"  twine upload {files}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
