#!/usr/bin/env python3
"""A cache of build artifacts: a hook for Cargo, as the specification in `hook-protocol` has it.

It needs Python 3.8 and nothing else, and keeps all that it has below `$PYTHON_CACHE_DIR`:

    results/ACTION/TIME-KEY/entry.json    what Cargo wrote, verbatim
    results/ACTION/TIME-KEY/0, 1, ...     the files of the entry, in the order of their names
    new/                                  what is being put together, or deleted

A result is renamed into place when it is whole, and out of it before it is deleted, so that nobody
ever sees half of one. Once it is in place, nothing in it is written to again.

Digests are not checked, as the standard library has no BLAKE3. Sizes are, and Cargo checks the
digest of each file before it uses it, wherever the file comes from.
"""

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

# Results of one action differ in the sources that they were made from. Whoever goes back and forth
# between some branches finds each of them again; more would make the answers longer.
MAX_PER_ACTION = 16

CACHE_HOME = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
ROOT = Path(os.environ.get("PYTHON_CACHE_DIR") or f"{CACHE_HOME}/cargo-python-cache").absolute()
STDOUT = threading.Lock()


def before_build(request):
    paths, candidates = results(request["hashes"]), []
    for path in paths:
        try:
            entry = json.loads((path / "entry.json").read_text())
            files = places(path, entry)
            if fits(entry, request["hashes"]) and sizes_are_right(files, entry):
                promises = {"placement": "copy", "lifetime": "durable"}
                candidates.append({"entry": entry, "files": files, **promises})
        except Exception as error:  # It is damaged, or another process deletes it just now.
            log(f"skipped `{path}`: {error!r}")
    if candidates:
        return {"kind": "hit", "candidates": candidates}
    return {"kind": "miss", "reason": f"none of {len(paths)} results for this action fits"}


def after_build(request):
    entry, hashes = request["entry"], request["hashes"]
    (ROOT / "new").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "new") as temporary:
        new = Path(temporary, "result")
        new.mkdir()
        files = places(new, entry)
        for name, path in files.items():
            shutil.copyfile(request["files"][name], path)
        if not sizes_are_right(files, entry):
            return {"kind": "declined", "reason": "a file has another size than its entry says"}
        (new / "entry.json").write_text(json.dumps(entry))
        # Only what is there now is replaced: of two processes that store the same at the same time,
        # each would else delete what the other has just stored.
        key = hexadecimal(hashes["key"])
        replaced = [path for path in results(hashes) if path.name.endswith(f"-{key}")]
        folder(hashes).mkdir(parents=True, exist_ok=True)
        new.rename(folder(hashes) / f"{time.time_ns():020}-{key}")
        for path in replaced + results(hashes)[MAX_PER_ACTION:]:
            with suppress(FileNotFoundError):  # Another process was faster.
                path.rename(Path(temporary, path.name))
    return {"kind": "stored"}


ANSWERS = {
    "begin": lambda request: {"kind": "ready"},
    "before-build": before_build,
    "after-build": after_build,
    "end": lambda request: {"kind": "done"},
}


def fits(entry, hashes):
    """Returns whether what a result read in its package is the same now. Cargo checks all else."""
    if entry["key"] == hashes["key"]:
        return True
    if "package" in entry["inputs"]:  # It may have read any file, and one of them differs.
        return False
    now = {file["path"]: file["digest"] for file in hashes.get("files", [])}
    read = [file for file in entry["inputs"]["files"] if file["path"].startswith("{package}/")]
    return all(now.get(file["path"]) == file["digest"] for file in read)


def results(hashes):
    """Returns the folders of all results of an action, newest first."""
    return sorted(folder(hashes).glob("*"), reverse=True)


def folder(hashes):
    return ROOT / "results" / hexadecimal(hashes["action"])


def hexadecimal(digest):
    # Nothing but digits gets into a path, whatever comes.
    return bytes.fromhex(digest[len("blake3:"):]).hex()


def places(result, entry):
    """Returns where each file lies. Places have numbers rather than names: names have `/` in them,
    and none can lead out of the folder this way, or be that of the entry."""
    return {name: str(result / str(i)) for i, name in enumerate(sorted(entry["files"]))}


def sizes_are_right(files, entry):
    return all(os.path.getsize(files[name]) == entry["files"][name]["size"] for name in files)


def answer(request):
    response, kind = {"id": request["id"]}, request.get("kind")
    try:
        if request.get("v") != 1:
            raise ValueError(f"version {request.get('v')} of the protocol is unknown")
        if kind in ANSWERS:
            response["Ok"] = ANSWERS[kind](request)
        else:
            response["Err"] = {"kind": "not-supported", "message": f"`{kind}` is no known kind"}
    except Exception as error:  # Whatever it is, it concerns this request only.
        message = f"failed to answer `{kind}`: {type(error).__name__}: {error}"
        response["Err"] = {"kind": "other", "message": message}
    say(response)


def say(message):
    # Answers come from several threads, and Cargo waits: one line at a time, and flushed.
    with STDOUT:
        print(json.dumps(message), flush=True)


def log(text):
    print(text, file=sys.stderr, flush=True)


def main():
    if sys.argv[1:2] != ["--cargo-plugin"]:
        log("error: this is a hook: Cargo starts it, as `[hooks]` in its configuration tells")
        return 2
    capabilities = ["before-build", "after-build", "session", "concurrent"]
    say({"v": [1], "name": "python-cache", "capabilities": capabilities})
    pool = ThreadPoolExecutor()
    for line in filter(bytes.strip, sys.stdin.buffer):
        try:
            request = json.loads(line)
            request["id"] = int(request["id"])
        except Exception as error:  # Nobody can be answered without an `id`.
            log(f"ignored a line that is no request: {error!r}")
            continue
        if request.get("kind") == "end":
            pool.shutdown()  # All that was asked before is answered first.
            answer(request)
            break
        pool.submit(answer, request)
    return 0


if __name__ == "__main__":
    # An ordinary exit would wait for the threads. When the input ends early, nobody wants their
    # answers, and what they leave unfinished is in `new`, where nobody looks.
    os._exit(main())
