#!/usr/bin/env python3
# SPDX-License-Identifier: EUPL-1.2
"""vaka verify, store ls, store cat and export, as a user sees them: store.py VAKA TAMPER"""
import base64
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

from common import Tap

VAKA, TAMPER = sys.argv[1:3]
# A folder for each version of the formats that was released, made by tamper --make of its time.
FORMATS = pathlib.Path(__file__).resolve().parent / "formats"
tap = Tap()


def check(name, good, detail=""):
    tap.ok(good, f"store/{name}", detail)


def run(*args):
    done = subprocess.run([VAKA, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def root_of(leaf, index, size, proof):
    """RFC 9162, 2.1.3.2, written once more."""
    last = size - 1
    for sibling in proof:
        if index & 1 or index == last:
            leaf = hashlib.sha256(b"\1" + sibling + leaf).digest()
            while not index & 1 and index:
                index >>= 1
                last >>= 1
        else:
            leaf = hashlib.sha256(b"\1" + leaf + sibling).digest()
        index >>= 1
        last >>= 1
    return leaf if last == 0 else None


def verify_folder(folder):
    key, witness, kept = folder / "key", folder / "witness-key", folder / "witnessed"
    status, out, _ = run("verify", "-k", key, folder)
    check("intact", status == 0 and out.endswith("\nintact\n"), out)
    check("without_a_witness_it_says_so", "no witness has signed" in out, out)
    status, out, _ = run("verify", "-k", key, "-w", witness, "-C", kept, "-f", "json", folder)
    report = json.loads(out)
    check("witnessed", status == 0 and report["witnessed_size"] == report["size"] == 1250, out)
    status, out, _ = run("verify", folder)
    check("without_a_key_nothing_is_proved", status == 1 and "no key was given" in out, out)
    status, _, err = run("verify", "-k", witness, "-k", kept, folder)
    check("a_file_that_is_no_key", status == 2 and "no public key" in err, err)
    status, out, _ = run("verify", "-k", witness, folder)
    check("another_key", status == 3 and "nothing here is signed" in out, out)
    status, _, err = run("verify", "-k", key, folder, folder)
    check("one_folder_at_a_time", status == 2 and "takes one folder" in err, err)
    status, _, err = run("verify", "-k", key, "--evidence", key, folder)
    check("evidence_or_a_folder", status == 2 and "--evidence and none" in err, err)


def read_folder(folder):
    status, out, _ = run("store", "ls", "-f", "json", folder)
    segments = lines(out)
    check("ls", status == 0 and [(s["begin"], s["removed"]) for s in segments] ==
          [(0, True), (400, False), (720, False)], out)
    check("ls_counts", [(s["records"], s["lost"]) for s in segments] ==
          [(400, 0), (300, 20), (280, 0)], out)
    check("ls_sizes", all(0 < s["filter_bytes"] < s["bytes"] - s["index_bytes"] < s["bytes"]
                          for s in segments if not s["removed"]), out)
    status, out, _ = run("store", "cat", "-f", "json", folder)
    records = lines(out)
    check("cat", status == 0 and [r["seq"] for r in records] == [*range(420, 1250)], out[:300])
    status, raw, _ = run("store", "cat", folder)
    check("cat_raw", raw.splitlines() == [r["raw"] for r in records])
    for text in ('"u5"', "10.0.3.", "login", '{"user":"u17","msg"', "nowhere to be found", "0.2.20"):
        status, out, _ = run("store", "cat", "-g", text, folder)
        check(f"grep {text}", status == 0 and out.splitlines() == [r["raw"] for r in records if text in r["raw"]])
    _, out, _ = run("store", "cat", "-s", "10.9.0.3", "--from", "1970-01-01T00:00:00.0005Z", "--to",
                    "1970-01-01T00:00:00.0011Z", "-f", "json", folder)
    expected = [r["seq"] for r in records if r["address"] == "10.9.0.3" and 500 <= r["seq"] < 1100]
    check("times_and_source", [r["seq"] for r in lines(out)] == expected, out[:300])
    status, _, err = run("store", "cat", "--from", "yesterdayish", folder)
    check("no_time", status == 2 and "is no time" in err, err)
    return records


def evidence(folder, records):
    out_file = folder.parent / "evidence.json"
    status, _, err = run("export", "evidence", "--seq", "998..1001", "--reason", "case 7", "--by", "anna", "-o",
                         out_file, "-C", folder / "witnessed", folder)
    check("export", status == 0, err)
    told = json.loads(out_file.read_text())
    check("who_and_why", (told["by"], told["reason"]) == ("anna", "case 7") and "told the truth" in told["claim"])
    size, root = int(told["checkpoint"][1]), base64.b64decode(told["checkpoint"][2])
    good = True
    for record in told["records"]:
        leaf = base64.b64decode(record["leaf"])
        proof = [base64.b64decode(h) for h in record["proof"]]
        raw = next(r["raw"] for r in records if r["seq"] == record["seq"])
        good &= leaf.endswith(raw.encode())
        good &= root_of(hashlib.sha256(leaf).digest(), record["seq"], size, proof) == root
    check("others_can_check_it", good and len(told["records"]) == 4)
    status, out, _ = run("verify", "--evidence", out_file, "-k", folder / "key", "-w", folder / "witness-key")
    check("verify_evidence", status == 0 and "seen by a witness" in out, out)
    status, _, err = run("export", "evidence", "--seq", "998", "--reason", "x", "-o", out_file, folder)
    check("no_file_is_overwritten", status == 1 and "exists" in err, err)
    status, _, err = run("export", "evidence", "--seq", "100", "--reason", "x", "-o", folder / "e", folder)
    check("what_was_removed", status == 1 and "removed" in err and not (folder / "e").exists(), err)
    status, _, err = run("export", "evidence", "--seq", "1250", "--reason", "x", "-o", folder / "e", folder)
    check("what_is_not_signed_yet", status == 1 and "does not cover" in err, err)
    text = out_file.read_text()
    leaf = told["records"][1]["leaf"]
    changes = {
        "another_seq": text.replace('"seq":999', '"seq":1000'),
        "another_byte": text.replace(leaf, leaf[:-8] + ("A" if leaf[-8] != "A" else "B") + leaf[-7:]),
        "another_size": text.replace('"1250"', '"1251"'),
        "no_proof": text.replace(json.dumps(told["records"][0]["proof"], separators=(",", ":")), "[]"),
    }
    for name, changed in changes.items():
        out_file.write_text(changed)
        status, out, _ = run("verify", "--evidence", out_file, "-k", folder / "key")
        check(f"evidence_with_{name}", changed != text and status == 3 and "tampered" in out, out)
    out_file.write_text("{}")
    status, _, err = run("verify", "--evidence", out_file, "-k", folder / "key")
    check("no_evidence", status == 1 and "no evidence" in err, err)


class Tiles:
    """An exported folder, read as C2SP tlog-tiles describes it."""

    def __init__(self, folder):
        self.folder = folder
        _, size, root = (folder / "checkpoint").read_bytes().split(b"\n")[:3]
        self.size, self.root = int(size), base64.b64decode(root)

    def tile(self, level, number):
        """Its hashes; None when it is not there."""
        parts, above = [f"{number % 1000:03}"], number // 1000
        while above:
            parts.insert(0, f"x{above % 1000:03}")
            above //= 1000
        width = min(256, (self.size >> 8 * level) - 256 * number)
        path = self.folder / "tile" / str(level) / "/".join(parts)
        if width < 256:
            path = path.with_name(path.name + ".p") / str(width)
        if not path.exists():
            return None
        data = path.read_bytes()
        return [data[i:i + 32] for i in range(0, len(data), 32)] if len(data) == 32 * width else None

    def node(self, height, index):
        """Of leaves index << height and on, all of them there."""
        if height % 8 == 0:
            tile = self.tile(height // 8, index >> 8)
            if tile:
                return tile[index & 255]
        if height == 0:
            raise LookupError(f"leaf {index}")
        return hashlib.sha256(b"\1" + self.node(height - 1, 2 * index) +
                              self.node(height - 1, 2 * index + 1)).digest()

    def head(self, begin, end):
        """RFC 6962, 2.1, of the leaves [begin, end); begin is a multiple of what it is split by."""
        size = end - begin
        split = 1 << (size - 1).bit_length() >> 1
        if size & (size - 1) == 0:
            return self.node(size.bit_length() - 1, begin // size)
        return hashlib.sha256(b"\1" + self.head(begin, begin + split) +
                              self.head(begin + split, end)).digest()

    def proof(self, index, begin, end):
        """RFC 6962, 2.1.1."""
        if end - begin == 1:
            return []
        split = begin + (1 << (end - begin - 1).bit_length() >> 1)
        if index < split:
            return self.proof(index, begin, split) + [self.head(split, end)]
        return self.proof(index, split, end) + [self.head(begin, split)]


def tiles(folder):
    """What other tools can make of the tree, by code that has nothing from Vaka."""
    place, out_file = folder.parent / "tiles", folder.parent / "for-tiles.json"
    status, out, err = run("export", "tiles", "-o", place, folder)
    check("export_tiles", (status, out) == (0, "4 tiles; 2 left out, whose records were removed\n"), out + err)
    names = sorted(str(p.relative_to(place)) for p in place.rglob("*") if p.is_file())
    check("tiles_are_named", names == ["checkpoint", "tile/0/002", "tile/0/003", "tile/0/004.p/226",
                                       "tile/1/000.p/4"], names)
    check("the_checkpoint_is_the_newest", (place / "checkpoint").read_bytes() ==
          (folder / "checkpoint").read_bytes())
    tree = Tiles(place)
    check("tiles_give_the_root", tree.size == 1250 and tree.head(0, tree.size) == tree.root)
    run("export", "evidence", "--seq", "990..1249", "--reason", "x", "-o", out_file, folder)
    good = True
    for record in json.loads(out_file.read_text())["records"]:
        leaf = hashlib.sha256(base64.b64decode(record["leaf"])).digest()
        proof = tree.proof(record["seq"], 0, tree.size)
        good &= tree.node(0, record["seq"]) == leaf
        good &= root_of(leaf, record["seq"], tree.size, proof) == tree.root
        good &= [base64.b64encode(h).decode() for h in proof] == record["proof"]
    check("tiles_prove_records", good)
    status, _, err = run("export", "tiles", "-o", place, folder)
    check("tiles_go_into_an_empty_folder", status == 1 and "not empty" in err, err)
    older = folder.parent / "older-tiles"
    status, out, err = run("export", "tiles", "-o", older, "-C", folder / "checkpoint-00000000000000000720", folder)
    tree = Tiles(older)
    check("tiles_of_an_older_checkpoint", status == 0 and tree.size == 720 and
          tree.head(0, tree.size) == tree.root, out + err)
    wrong = folder.parent / "wrong"
    text = (folder / "checkpoint").read_text()
    wrong.write_text(text.replace("\n1250\n", "\n1251\n"))
    status, _, err = run("export", "tiles", "-o", folder.parent / "none", "-C", wrong, folder)
    check("tiles_of_another_tree", status == 1 and "not one of this folder's tree" in err, err)
    wrong.write_text(text.replace("\n1250\n", "\n1249\n"))
    status, _, err = run("export", "tiles", "-o", folder.parent / "none", "-C", wrong, folder)
    check("tiles_of_another_root", status == 1 and "not one of this folder's tree" in err, err)


def from_settings(folder):
    """Without a folder: the one of the settings, and its key."""
    place = folder.parent / "serve"
    (place / "keys").mkdir(parents=True)
    (place / "store").mkdir()
    (place / "store/0").symlink_to(folder)
    settings = folder.parent / "vaka.yaml"
    settings.write_text(f"serve: {{folder: {place}}}\n")
    status, _, err = run("verify", "-c", settings)
    check("no_key_yet", status == 2 and "keys/log.pub" in err, err)
    (place / "keys/log.pub").write_bytes((folder / "key").read_bytes())
    status, out, err = run("verify", "-c", settings)
    check("verify_by_settings", status == 0 and out.endswith("\nintact\n"), err)
    status, out, _ = run("verify", "--set", f"serve.folder={place}", "-k", folder / "witness-key")
    check("a_key_that_was_given_is_the_one", status == 3 and "nothing here is signed" in out, out)
    for words in (["store", "ls"], ["store", "cat"], ["store", "cat", "-f", "json"]):
        by_settings, by_folder = run(*words, "-c", settings), run(*words, folder)
        check(f"{'_'.join(words)}_by_settings", by_settings == by_folder and by_folder[1] and by_folder[0] == 0,
              by_settings[2])
    out_file = folder.parent / "by-settings.json"
    status, _, err = run("export", "evidence", "--seq", "998", "--reason", "x", "-o", out_file, "-c", settings)
    check("export_by_settings", status == 0 and json.loads(out_file.read_text())["records"][0]["seq"] == 998, err)
    settings.write_text("serve: {nonsense: 1}\n")
    status, _, err = run("store", "ls", "-c", settings)
    check("settings_that_make_no_sense", status == 2 and "nonsense" in err, err)
    status, _, err = run("store", "ls", "-c", settings, folder)
    check("are_not_read_for_a_folder", status == 0, err)


def damage(folder):
    path = folder / "segment-00000000000000000720"
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    status, out, _ = run("verify", "-k", folder / "key", folder)
    check("damage", status == 1 and "damaged: segment-00000000000000000720: a block is damaged" in out, out)
    status, out, err = run("store", "cat", folder)
    check("what_is_whole_is_read", status == 1 and "damaged" in err and len(out.splitlines()) > 400, err)
    path.unlink()
    status, out, _ = run("verify", "-k", folder / "key", "-f", "json", folder)
    first = json.loads(out)["first"]
    check("missing", status == 3 and first["verdict"] == "tampered" and first["seq"] == 720, out)


def footer(data):
    """Footer and tail (src/store/segment.h) without what the packing library has a part in: where the
    index begins, its packed length, its sum, and the footer's."""
    return data[:72], data[84:88], data[92:-12], data[-8:]


def older_formats(folder):
    """What an older version wrote stays readable and provable; the newest is what is written now,
    byte for byte. The bytes of a segment are also those of the library that packs it, and the footer that
    it leaves says where they end: that is not compared."""
    versions = sorted(FORMATS.iterdir())
    _, now, _ = run("store", "cat", "-f", "json", folder)
    for old in versions:
        status, out, err = run("store", "cat", "-f", "json", old)
        check(f"{old.name}_is_readable", status == 0 and out == now and len(lines(out)) == 830, err)
        for text in (" login ", " 10.0.2.77\"", " no-such-word "):
            status, out, _ = run("store", "cat", "-f", "json", "-g", text, old)
            has = [r for r in lines(now) if text in r["raw"]]
            check(f"{old.name}_grep{text}", status == 0 and lines(out) == has, out)
        status, out, _ = run("verify", "-k", old / "key", "-w", old / "witness-key", "-C",
                             old / "witnessed", old)
        check(f"{old.name}_is_intact", status == 0 and out.endswith("\nintact\n"), out)
    newest = versions[-1]
    names = sorted(path.name for path in newest.iterdir())
    check("the_newest_has_the_same_files", names == sorted(p.name for p in folder.iterdir()), names)

    def content(path):
        return footer(path.read_bytes()) if path.name.startswith("footer-") else path.read_bytes()
    changed = [name for name in names if not name.startswith("segment-") and
               content(newest / name) != content(folder / name)]
    check("the_newest_has_the_same_bytes", not changed, changed)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "tenant"
        folder.mkdir()
        subprocess.run([TAMPER, "--make", str(folder)], check=True)
        older_formats(folder)
        verify_folder(folder)
        evidence(folder, read_folder(folder))
        tiles(folder)
        from_settings(folder)
        damage(folder)
    tap.done()


main()
