"""How long restic takes for its plan: `forget --dry-run` over as many snapshots as are asked for.

    apt-get install restic python3-cryptography
    python3 tests/bench/restic.py 100000 1000

makes a repository in a temporary folder with so many snapshots of so many hosts, an hour apart, by copying the
first one under other times, as restic's own format has it, and times the plan with rules of each kind.
https://restic.readthedocs.io/en/stable/100_references.html#repository-format
"""

import base64
import datetime
import hashlib
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.poly1305 import Poly1305

PASSWORD = "bench"
RULES = (
    "--keep-last 3 --keep-hourly 24 --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --keep-yearly 3 "
    "--keep-within 2d --keep-within-monthly 1y"
).split()
BEGINNING = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def encrypted_by(key, plain):
    """restic's seal: AES-256 in counter mode, and Poly1305-AES over what comes of it."""
    encrypt, mac_k, mac_r = key
    nonce = os.urandom(16)
    text = Cipher(algorithms.AES(encrypt), modes.CTR(nonce)).encryptor().update(plain)
    pad = Cipher(algorithms.AES(mac_k), modes.ECB()).encryptor().update(nonce)
    return nonce + text + Poly1305.generate_tag(mac_r + pad, text)


def decrypted_by(encrypt, sealed):
    return Cipher(algorithms.AES(encrypt), modes.CTR(sealed[:16])).decryptor().update(sealed[16:-16])


def master_key(repository):
    """The key that all files are sealed with, out of the file that the password opens."""
    (file,) = (repository / "keys").iterdir()
    found = json.loads(file.read_text())
    scrypt = Scrypt(base64.b64decode(found["salt"]), 64, found["N"], found["r"], found["p"])
    opener = scrypt.derive(PASSWORD.encode())[:32]
    master = json.loads(decrypted_by(opener, base64.b64decode(found["data"])))
    return tuple(base64.b64decode(part) for part in (master["encrypt"], master["mac"]["k"], master["mac"]["r"]))


def restic(repository, *arguments):
    environment = {**os.environ, "RESTIC_PASSWORD": PASSWORD}
    command = ["restic", "--repo", str(repository), "--no-cache", *arguments]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(count, hosts):
    with tempfile.TemporaryDirectory() as folder:
        repository = pathlib.Path(folder) / "repository"
        content = pathlib.Path(folder) / "content"
        content.write_text("content")
        restic(repository, "init", "--repository-version", "1")
        restic(repository, "backup", "--quiet", "--host", "web-0", str(content))
        (first,) = (repository / "snapshots").iterdir()
        key = master_key(repository)
        like = json.loads(decrypted_by(key[0], first.read_bytes()))
        first.unlink()
        for number in range(count):
            at = BEGINNING + datetime.timedelta(hours=number // hosts)
            one = {**like, "time": at.isoformat().replace("+00:00", "Z"), "hostname": f"web-{number % hosts}"}
            sealed = encrypted_by(key, json.dumps(one).encode())
            (repository / "snapshots" / hashlib.sha256(sealed).hexdigest()).write_bytes(sealed)
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        plan = json.loads(restic(repository, "forget", "--dry-run", "--json", *RULES))
        wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        kept = sum(len(group["keep"] or []) for group in plan)
        gone = sum(len(group["remove"] or []) for group in plan)
        assert kept + gone == count, (kept, gone)
        version = subprocess.run(["restic", "version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[1]
        print(f"restic {version}: {count} snapshots of {hosts} hosts, {gone} to go: "
              f"{wall:.1f} s, {processor:.1f} s of processor time, {after.ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
