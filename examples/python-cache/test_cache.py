"""Tests of the cache: each speaks with it over pipes, as Cargo does.

Run them from the root of the repository: `python3 -m unittest discover -s examples/python-cache`.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

HOOK = Path(__file__).absolute().with_name("cargo_python_cache.py")
UNIT = {
    "package": "foo", "version": "1.2.3", "target": "foo", "target-kind": "lib",
    "mode": "build", "profile": "dev", "platform": "host", "features": [],
}  # fmt: skip
# How long a test waits for the hook before it kills it, so that a hook that hangs fails the test.
PATIENCE = 60


def digest(text):
    """Returns something that looks like the BLAKE3 digest of `text`. The hook cannot tell."""
    return "blake3:" + hashlib.sha256(text.encode()).hexdigest()


def sources(files):
    return [
        {"path": f"{{package}}/{name}", "digest": digest(text)}
        for name, text in sorted(files.items())
    ]


class Session:
    """A running hook. Whatever it prints must be a line of the protocol."""

    def __init__(self, env, args=("--cargo-plugin",), cwd="/"):
        self.process = subprocess.Popen(
            [sys.executable, str(HOOK), *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, cwd=cwd,
        )  # fmt: skip
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()
        self.log = b""
        self.reader = threading.Thread(target=self.read_log)
        self.reader.start()
        self.last_id = 0
        self.outcome = None

    def read_log(self):
        self.log = self.process.stderr.read()

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, kind, **fields):
        self.last_id += 1
        request = {"v": 1, "id": self.last_id, "kind": kind, **fields}
        self.write(json.dumps(request).encode() + b"\n")
        return self.last_id

    def receive(self):
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), f"the hook stopped answering: {line!r}"
        return json.loads(line)

    def ask(self, kind, **fields):
        """Sends a request, and returns the response without its `id`."""
        number = self.send(kind, **fields)
        response = self.receive()
        assert response.pop("id") == number
        return response

    def begin(self):
        response = self.ask(
            "begin", **{"workspace": "/w", "build-dir": "/w/target", "host": "x", "jobs": 8}
        )
        assert response == {"Ok": {"kind": "ready"}}, response

    def close(self):
        """Closes the pipes, and returns the exit status and what else came."""
        if self.outcome is None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
            rest = self.process.stdout.read()
            self.outcome = self.process.wait(), rest
            self.watchdog.cancel()
            self.reader.join()
            self.process.stdout.close()
            self.process.stderr.close()
        return self.outcome


class CacheTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        # A blank and an umlaut, to be quoted and encoded properly.
        self.root = Path(temporary.name, "a földer")
        self.root.mkdir()
        self.store = self.root / "store"
        # Without `PYTHONUNBUFFERED`, with which nobody would notice that a line is not flushed.
        env = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
        self.env = {**env, "PYTHON_CACHE_DIR": str(self.store)}
        self.session = self.start()
        self.session.begin()

    def start(self):
        session = Session(self.env)
        self.addCleanup(session.close)
        hello = session.receive()
        capabilities = ["before-build", "after-build", "session", "concurrent"]
        self.assertEqual(
            hello, {"v": [1], "name": "python-cache", "capabilities": capabilities}
        )
        return session

    def built(self, files, key="key", action="action", read=(), **inputs):
        """Writes files as a compiler would, and returns the fields of the request about them."""
        target = Path(tempfile.mkdtemp(dir=self.root, prefix="target-"))
        entry = {
            "format": 1,
            "unit": UNIT,
            "action": digest(action),
            "key": digest(key),
            "inputs": {
                "files": sources(dict(read)),
                "env": [{"name": "FOO_LOG"}],
                "bound": {},
                **inputs,
            },
            "messages": ['{"rendered":"a \\"warning\\" \\u00e9 é \u2028 \U0001f980"}'],
            "files": {},
            "local-only": False,
            "of-a-later-version": [1, 1.5, None, True, {"deep": {"er": 2**53 - 1}}],
        }
        for name, data in files.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            entry["files"][name] = {
                "role": "link", "digest": digest(name), "size": len(data), "executable": False,
            }  # fmt: skip
        return {
            "unit": UNIT,
            "hashes": {"key": digest(key), "action": digest(action), "ingredients": {}},
            "entry": entry,
            "files": {name: str(target / name) for name in files},
            "linkable": [],
            "duration-ms": 812,
        }

    def wanted(self, outputs=(), key="key", action="action", files=None):
        """Returns the fields of a question."""
        hashes = {"key": digest(key), "action": digest(action), "ingredients": {}}
        if files is not None:
            hashes["files"] = sources(files)
        return {"unit": UNIT, "hashes": hashes, "outputs": list(outputs), "is-built": True}

    def store_result(self, session=None, **build):
        request = self.built(**build)
        response = (session or self.session).ask("after-build", **request)
        self.assertEqual(response, {"Ok": {"kind": "stored"}})
        # Cargo promises the files only until it has the answer.
        shutil.rmtree(Path(next(iter(request["files"].values()))).parent)
        return request["entry"]

    def lookup(self, session=None, **question):
        """Returns the candidates, each as its entry and contents, and checks what they promise."""
        response = (session or self.session).ask("before-build", **self.wanted(**question))
        answer = response["Ok"]
        if answer["kind"] == "miss":
            self.assertIsInstance(answer["reason"], str)
            return []
        self.assertEqual(answer["kind"], "hit")
        self.assertTrue(answer["candidates"])
        return [self.check(candidate) for candidate in answer["candidates"]]

    def check(self, candidate):
        self.assertEqual(candidate.keys(), {"entry", "files", "placement", "lifetime"})
        self.assertEqual((candidate["placement"], candidate["lifetime"]), ("copy", "durable"))
        self.assertEqual(candidate["files"].keys(), candidate["entry"]["files"].keys())
        contents = {}
        for name, path in candidate["files"].items():
            self.assertTrue(os.path.isabs(path))
            self.assertTrue(os.path.isfile(path) and not os.path.islink(path))
            contents[name] = Path(path).read_bytes()
            self.assertEqual(len(contents[name]), candidate["entry"]["files"][name]["size"])
        return candidate["entry"], contents

    def leftovers(self):
        return list(self.store.glob("new/*"))


class Answers(CacheTest):
    def test_a_result_that_was_stored_is_a_hit(self):
        self.assertEqual(self.lookup(), [])
        files = {"libfoo-1a.rlib": b"rlib\0\xff", "libfoo-1a.rmeta": b""}
        entry = self.store_result(files=files)
        self.assertEqual(self.lookup(outputs=files), [(entry, files)])
        self.assertEqual(self.lookup(action="other"), [])
        self.assertEqual(self.leftovers(), [])

    def test_results_outlive_the_session(self):
        entry = self.store_result(files={"a": b"1"})
        self.assertEqual(self.session.ask("end", summary={}), {"Ok": {"kind": "done"}})
        session = self.start()
        session.begin()
        self.assertEqual(self.lookup(session), [(entry, {"a": b"1"})])

    def test_entries_come_back_as_they_were(self):
        # Compared as text: to Python, `1`, `1.0` and `true` are equal.
        entry = self.store_result(files={"a": b"1"})
        [(found, _)] = self.lookup()
        self.assertEqual(json.dumps(found, sort_keys=True), json.dumps(entry, sort_keys=True))

    def test_a_newer_result_replaces_that_of_the_same_key(self):
        self.store_result(files={"a": b"old"})
        entry = self.store_result(files={"a": b"newer"})
        self.assertEqual(self.lookup(), [(entry, {"a": b"newer"})])
        self.assertEqual(len(list(self.store.glob("results/*/*"))), 1)
        self.assertEqual(self.leftovers(), [])

    def test_names_have_folders(self):
        files = {"out-dir/gen/a.rs": b"a", "out-dir/gen/b/a.rs": b"b", "entry.json": b"{}"}
        entry = self.store_result(files=files)
        self.assertEqual(self.lookup(), [(entry, files)])

    def test_no_name_leads_out_of_the_store(self):
        name = f"../../../../{self.root.name}/stray"
        request = self.built(files={"a": b"1"})
        for files in (request["files"], request["entry"]["files"]):
            files[name] = files.pop("a")
        self.assertEqual(self.session.ask("after-build", **request), {"Ok": {"kind": "stored"}})
        self.assertEqual(len(self.lookup()), 1)
        self.assertEqual([path for path in self.root.rglob("stray")], [])

    def test_digests_are_not_trusted_as_paths(self):
        request = self.built(files={"a": b"1"})
        for name in ("key", "action"):
            hashes = {**request["hashes"], name: "blake3:../../stray"}
            response = self.session.ask("after-build", **{**request, "hashes": hashes})
            self.assertEqual(response["Err"]["kind"], "other")
        self.assertEqual(list(self.root.rglob("*stray*")), [])

    def test_sources_are_not_changed(self):
        request = self.built(files={"a": b"1"})
        path = Path(request["files"]["a"])
        path.chmod(0o444)
        before = path.stat()
        self.session.ask("after-build", **request)
        after = path.stat()
        for field in ("st_mtime_ns", "st_mode", "st_ino", "st_nlink", "st_size"):
            self.assertEqual(getattr(before, field), getattr(after, field))


class DirectMode(CacheTest):
    def setUp(self):
        super().setUp()
        self.read = {"src/lib.rs": "1", "src/a.rs": "1"}

    def test_a_file_that_was_not_read_may_differ(self):
        entry = self.store_result(files={"a": b"1"}, key="1", read=self.read)
        for readme in ({}, {"README.md": "new"}):
            found = self.lookup(key="2", files={**self.read, **readme})
            self.assertEqual(found, [(entry, {"a": b"1"})])

    def test_a_file_that_was_read_may_not(self):
        self.store_result(files={"a": b"1"}, key="1", read=self.read)
        self.assertEqual(self.lookup(key="2", files={**self.read, "src/a.rs": "2"}), [])
        self.assertEqual(self.lookup(key="2", files={"src/lib.rs": "1"}), [])
        self.assertEqual(self.lookup(key="2"), [])

    def test_files_elsewhere_are_left_to_cargo(self):
        elsewhere = {"path": "{workspace}/shared.rs", "digest": digest("x")}
        request = self.built(files={"a": b"1"}, key="1", read=self.read)
        request["entry"]["inputs"]["files"].append(elsewhere)
        self.session.ask("after-build", **request)
        self.assertEqual(len(self.lookup(key="2", files=self.read)), 1)

    def test_the_same_key_is_always_a_candidate(self):
        # The files of a package that cannot change are not in the question.
        entry = self.store_result(files={"a": b"1"}, read=self.read)
        self.assertEqual(self.lookup(), [(entry, {"a": b"1"})])

    def test_a_result_that_may_have_read_any_file_needs_the_same_key(self):
        entry = self.store_result(files={"a": b"1"}, key="1", read=self.read, package=digest("p"))
        self.assertEqual(self.lookup(key="2", files={**self.read, "README.md": "new"}), [])
        self.assertEqual(self.lookup(key="1", files=self.read), [(entry, {"a": b"1"})])

    def test_the_newest_comes_first(self):
        for number in range(5):
            self.store_result(files={"a": b"%d" % number}, key=str(number), read=self.read)
        self.store_result(files={"a": b"again"}, key="2", read=self.read)
        found = [files["a"] for _, files in self.lookup(key="new", files=self.read)]
        self.assertEqual(found, [b"again", b"4", b"3", b"1", b"0"])

    def test_an_action_keeps_its_sixteen_newest_results(self):
        for number in range(20):
            self.store_result(files={"a": b"%d" % number}, key=str(number), read=self.read)
        found = [files["a"] for _, files in self.lookup(key="new", files=self.read)]
        self.assertEqual(found, [b"%d" % number for number in range(19, 3, -1)])
        self.assertEqual(len(list(self.store.glob("results/*/*"))), 16)
        self.assertEqual(self.leftovers(), [])


class Faults(CacheTest):
    def test_unknown_kinds_are_not_supported(self):
        for kind in ("prefetch", "", None, 7):
            response = self.session.ask(kind)
            self.assertEqual(response["Err"]["kind"], "not-supported")
            self.assertIsInstance(response["Err"]["message"], str)
        self.assertEqual(self.session.ask(["end"])["Err"]["kind"], "other")
        self.assertEqual(self.lookup(), [])

    def test_unknown_versions_are_errors(self):
        for version in (0, 2, "1", None):
            response = self.session.ask("before-build", **{**self.wanted(), "v": version})
            self.assertEqual(response["Err"]["kind"], "other")
        self.assertEqual(self.lookup(), [])

    def test_unknown_fields_are_ignored(self):
        request = self.built(files={"a": b"1"})
        request["hashes"]["later"] = request["unit"] = request["later"] = {"x": [1]}
        self.assertEqual(self.session.ask("after-build", **request), {"Ok": {"kind": "stored"}})
        response = self.session.ask("before-build", **self.wanted(), later=[{}])
        found = self.check(response["Ok"]["candidates"][0])
        self.assertEqual(found, (request["entry"], {"a": b"1"}))

    def test_requests_that_lack_something_are_errors(self):
        self.assertEqual(self.session.ask("before-build")["Err"]["kind"], "other")
        self.assertEqual(self.session.ask("after-build", hashes=[])["Err"]["kind"], "other")
        request = {**self.built(files={"a": b"1"}), "files": {}}
        self.assertEqual(self.session.ask("after-build", **request)["Err"]["kind"], "other")
        self.assertEqual(self.lookup(), [])

    def ignore(self, *lines):
        for line in lines:
            self.session.write(line + b"\n")
        self.session.write(b'{"v":1,"id":7,"kind":"begin"}\r\n')
        self.assertEqual(self.session.receive(), {"id": 7, "Ok": {"kind": "ready"}})
        self.assertEqual(self.session.close(), (0, b""))

    def test_empty_lines_are_ignored(self):
        self.ignore(b"", b"\r", b"  ", b"")
        self.assertEqual(self.session.log, b"")

    def test_lines_that_are_no_requests_are_ignored_and_logged(self):
        lines = [b"{", b"[]", b"null", b"{}", b'{"id":[]}', b'{"id":null}', b"\xff", b"[" * 99999]
        self.ignore(*lines)
        self.assertEqual(len(self.session.log.splitlines()), len(lines))

    def test_a_source_that_vanished_leaves_no_half_result(self):
        request = self.built(files={"a": b"1", "b": b"2", "c": b"3"})
        os.remove(request["files"]["b"])
        response = self.session.ask("after-build", **request)
        self.assertEqual(response["Err"]["kind"], "other")
        self.assertIn(request["files"]["b"], response["Err"]["message"])
        self.assertEqual(self.lookup(), [])
        self.assertEqual(self.leftovers(), [])

    def test_a_file_of_another_size_is_declined(self):
        old = self.store_result(files={"a": b"old"})
        request = self.built(files={"a": b"123"})
        Path(request["files"]["a"]).write_bytes(b"1234")
        response = self.session.ask("after-build", **request)
        self.assertEqual(response["Ok"]["kind"], "declined")
        self.assertEqual(self.lookup(), [(old, {"a": b"old"})])
        self.assertEqual(self.leftovers(), [])

    def test_damaged_results_are_skipped(self):
        entries = [
            self.store_result(files={"a": b"%d" % i}, key=str(i), read={"x": "1"}) for i in range(5)
        ]
        paths = sorted(self.store.glob("results/*/*"))
        (paths[0] / "entry.json").write_text('{"format":')
        (paths[1] / "entry.json").write_text("[]")
        (paths[2] / "0").unlink()
        (paths[3] / "0").write_text("longer")
        (paths[0].parent / "stray").write_text("")
        self.assertEqual(self.lookup(key="new", files={"x": "1"}), [(entries[4], {"a": b"4"})])

    def test_the_store_may_be_deleted_at_any_time(self):
        self.store_result(files={"a": b"1"})
        shutil.rmtree(self.store)
        self.assertEqual(self.lookup(), [])
        entry = self.store_result(files={"a": b"2"})
        self.assertEqual(self.lookup(), [(entry, {"a": b"2"})])

    def test_a_store_that_cannot_be_written_is_an_error(self):
        self.store.write_text("this is not a folder")
        response = self.session.ask("after-build", **self.built(files={"a": b"1"}))
        self.assertEqual(response["Err"]["kind"], "other")
        self.assertEqual(self.lookup(), [])


class Lives(CacheTest):
    def test_it_wants_to_be_started_by_cargo(self):
        for args in ((), ("--help",), ("x", "--cargo-plugin")):
            session = Session(self.env, args)
            self.assertEqual(session.close(), (2, b""))
            self.assertIn(b"hook", session.log)

    def test_further_arguments_are_ignored(self):
        session = Session(self.env, ("--cargo-plugin", "--store", "x"))
        self.assertEqual(session.receive()["v"], [1])
        self.assertEqual(session.close(), (0, b""))

    def test_end_is_answered_last_and_ends_the_process(self):
        requests = [self.built(files={"a": b"x" * 10**6}, key=str(i)) for i in range(30)]
        numbers = [self.session.send("after-build", **request) for request in requests]
        last = self.session.send("end", summary={"success": True})
        responses = [self.session.receive() for _ in range(31)]
        self.assertEqual(responses.pop(), {"id": last, "Ok": {"kind": "done"}})
        self.assertEqual(sorted(response["id"] for response in responses), numbers)
        # It does not wait for its input to end.
        self.assertEqual(self.session.process.wait(), 0)
        self.assertEqual(self.session.close(), (0, b""))

    def test_it_exits_when_its_input_ends(self):
        for cut in (b"", b'{"v":1,"id":1,"ki', b'{"v":1,"id":1,"kind":"begin"}\n{"v"'):
            session = Session(self.env)
            session.write(cut)
            status, output = session.close()
            self.assertEqual(status, 0)
            self.assertLessEqual(len(output.splitlines()), 2)

    def test_it_does_not_finish_its_work_when_its_input_ends(self):
        self.send_a_question_that_hangs()
        self.assertEqual(self.session.close(), (0, b""))

    def test_each_of_many_requests_is_answered_once(self):
        expected = {}
        for i in range(500):
            key = str(i % 50)
            if i % 3 == 0:
                request = self.built(files={"a": b"%d" % i}, key=key, action=key)
                expected[self.session.send("after-build", **request)] = {"stored"}
            else:
                request = self.wanted(key=key, action=key)
                expected[self.session.send("before-build", **request)] = {"hit", "miss"}
        for _ in range(500):
            response = self.session.receive()
            self.assertIn(response["Ok"]["kind"], expected.pop(response["id"]))
        self.assertEqual(expected, {})
        self.assertEqual(self.session.close(), (0, b""))

    def test_requests_are_answered_concurrently(self):
        slow, fifo = self.send_a_question_that_hangs()
        self.store_result(files={"a": b"1"})
        fifo.write_text("{}")
        response = self.session.receive()
        self.assertEqual((response["id"], response["Ok"]["kind"]), (slow, "miss"))

    def send_a_question_that_hangs(self):
        """Asks for a result whose entry is a pipe: reading it waits for somebody who writes."""
        name = digest("slow")[7:]
        fifo = self.store / "results" / name / f"{0:020}-{name}" / "entry.json"
        fifo.parent.mkdir(parents=True)
        os.mkfifo(fifo)
        return self.session.send("before-build", **self.wanted(key="slow", action="slow")), fifo

    def test_long_lines_come_whole(self):
        files = {f"src/{i}.rs": "x" for i in range(30000)}
        entry = self.store_result(files={"a": b"1"}, key="1", read=files)
        self.assertEqual(self.lookup(key="2", files=files), [(entry, {"a": b"1"})])

    def test_a_killed_process_leaves_only_whole_results(self):
        for attempt in range(5):
            session = self.start()
            session.begin()
            contents = {f"{i}/{attempt}": b"%d" % i * 300_000 for i in range(8)}
            request = self.built(files=contents, action="k")
            for i in range(40):
                request["hashes"]["key"] = request["entry"]["key"] = digest(str(i % 20))
                session.send("after-build", **request)
            for _ in range(1 + attempt * 5):
                session.receive()
            session.process.kill()
            session.close()
            # Seen from outside: every folder in place is whole.
            whole = list(self.store.glob("results/*/*"))
            self.assertTrue(whole)
            for path in whole:
                names = sorted(file.name for file in path.iterdir())
                self.assertEqual(names, ["0", "1", "2", "3", "4", "5", "6", "7", "entry.json"])
        found = 0
        for i in range(20):
            for entry, contents in self.lookup(key=str(i), action="k"):
                for name, data in contents.items():
                    self.assertEqual(data, name.split("/")[0].encode() * 300_000)
                found += 1
        self.assertTrue(found)

    def test_processes_that_store_the_same_do_not_disturb_each_other(self):
        sessions = [self.start() for _ in range(4)]
        for session in sessions:
            session.begin()
        for i in range(25):
            for session in sessions:
                session.send("after-build", **self.built(files={"a": b"%d" % i * 1000}))
                session.send("before-build", **self.wanted())
        for session in sessions:
            kinds = [session.receive()["Ok"]["kind"] for _ in range(50)]
            self.assertEqual(kinds.count("stored"), 25)
        self.assertTrue(self.lookup())
        self.store_result(files={"a": b"last"})
        self.assertEqual(self.lookup()[0][1], {"a": b"last"})
        self.assertEqual(len(self.lookup()), 1)
        self.assertEqual(self.leftovers(), [])

    def test_the_default_is_the_cache_folder_of_the_user(self):
        env = {name: value for name, value in self.env.items() if name != "PYTHON_CACHE_DIR"}
        for more, place in (
            ({"HOME": str(self.root / "home"), "XDG_CACHE_HOME": ""}, "home/.cache"),
            ({"XDG_CACHE_HOME": str(self.root / "xdg")}, "xdg"),
        ):
            session = Session({**env, **more})
            session.receive()
            self.store_result(session, files={"a": b"1"})
            self.assertEqual(session.close(), (0, b""))
            self.assertTrue((self.root / place / "cargo-python-cache" / "results").is_dir())

    def test_paths_are_absolute_even_if_that_of_the_store_is_not(self):
        session = Session({**self.env, "PYTHON_CACHE_DIR": "relative"}, cwd=self.root)
        session.receive()
        entry = self.store_result(session, files={"a": b"1"})
        self.assertEqual(self.lookup(session), [(entry, {"a": b"1"})])
        self.assertEqual(session.close(), (0, b""))
        self.assertTrue((self.root / "relative" / "results").is_dir())


if __name__ == "__main__":
    unittest.main()
