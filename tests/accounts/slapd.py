"""A real directory on loopback: Debian's slapd, unprivileged, in a folder of its own, with TLS by a CA of ours."""

import datetime
import ipaddress
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/bin")
BASE, READER, READER_SECRET = "dc=example", "cn=reader,dc=example", "reader-secret"
PASSWORD = "Directory-pass-1!"
_MODULES, _SCHEMA = Path("/usr/lib/ldap"), Path("/etc/ldap/schema")
_CONFIG = """
include {schema}/core.schema
include {schema}/cosine.schema
include {schema}/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix "{base}"
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
overlay ppolicy
ppolicy_default "cn=policy,{base}"
ppolicy_use_lockout
"""
_LDIF = f"""
dn: {BASE}
objectClass: domain
dc: example

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {READER_SECRET}

dn: cn=policy,{BASE}
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
"""
_PERSON = """
dn: uid={uid},ou=people,{base}
objectClass: inetOrgPerson
uid: {uid}
cn: {uid}
sn: {uid}
userPassword: {password}
{more}"""
#: uid → more of the entry: `left` by the attribute that the filter looks at, `locked` by the directory's own lock
PEOPLE = {
    "kim.dir": "",
    "left.dir": "employeeType: left\n",
    "locked.dir": "pwdAccountLockedTime: 000001010000Z\n",
    "stranger.dir": "",
}


class Directory:
    """Its address; stop and start again, as an outage does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "db").mkdir()
        _certificates(folder)
        config = _CONFIG.format(folder=folder, base=BASE, reader=READER, schema=_SCHEMA, modules=_MODULES)
        (folder / "slapd.conf").write_text(config)
        people = [_PERSON.format(uid=uid, base=BASE, password=PASSWORD, more=more) for uid, more in PEOPLE.items()]
        (folder / "data.ldif").write_text(_LDIF + "".join(people))
        self._run("-T", "add", "-f", "slapd.conf", "-l", "data.ldif").check_returncode()
        if os.geteuid() == 0:  # nothing of it needs to be root
            for path in [folder, *folder.rglob("*")]:
                shutil.chown(path, "openldap", "openldap")

    def start(self) -> None:
        """On its port; waits until it answers."""
        as_user = ["-u", "openldap", "-g", "openldap"] if os.geteuid() == 0 else []
        command = [str(SLAPD), "-h", f"ldap://127.0.0.1:{self.port}", "-f", "slapd.conf", "-d", "0", *as_user]
        self.process = subprocess.Popen(command, cwd=self.folder)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("slapd didn't answer")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run([str(SLAPD), *arguments], cwd=self.folder, capture_output=True, timeout=30)


@contextmanager
def running_directory() -> Iterator[Directory]:
    folder = Path(tempfile.mkdtemp(prefix="guardia-slapd-"))
    directory = Directory(folder)
    try:
        directory.start()
        yield directory
    finally:
        directory.stop()
        shutil.rmtree(folder)


def is_there() -> str:
    """Empty, or what is missing to run it."""
    if SLAPD is None or not _SCHEMA.is_dir():
        return "slapd is not installed (apt-get install slapd)"
    if os.geteuid() == 0 and "openldap" not in {entry.pw_name for entry in pwd.getpwall()}:
        return "slapd must not run as root, and its user openldap isn't there"
    return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _certificates(folder: Path) -> None:
    """A CA, and a certificate of it for 127.0.0.1."""
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, said)]) for said in ("test ca", "directory"))
    for subject, public, is_ca, file in ((ca_name, ca_key, True, "ca.pem"), (name, key, False, "cert.pem")):
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(public.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
            .sign(ca_key, hashes.SHA256())
        )
        (folder / file).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
