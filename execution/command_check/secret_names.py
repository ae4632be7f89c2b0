"""Names of files that nobody reads through a command: keys, passwords, letters, memory; and settings that may hold passwords."""

import re

_I = re.IGNORECASE
#: Whoever reads these holds somebody's key, password or memory.
_SECRET = re.compile(
    r"/etc/(g?shadow|grub\.d/01_users|sudoers|security/opasswd|krb5\.keytab|pki/tls/private|ssl/private|ssh/ssh_host_\w*key$"
    r"|kubernetes/[\w-]+\.conf$|ipsec\.(secrets|d/)|ppp/|racoon/|swanctl|wpa_supplicant)"
    r"|^/boot/(.*/)?user\.cfg$|^/var/(spool/mail|mail|kerberos|lib/(sss|snmp|samba/private|kubelet/pki|mysql/mysql))/|^/tcb/"
    r"|^/proc/(kcore|kmem|[^/]+/(environ|mem|root|maps|cwd|auxv|task/[^/]+/(environ|mem))(/|$))|^/dev/(k?mem|port)$"
    r"|(^|/)(id_(rsa|dsa|ecdsa|ed25519)\w*|\.ssh(?!/known_hosts)|\.env(\.\w+)?|\.netrc|\.pgpass|\.my\.cnf|\.mylogin\.cnf"
    r"|\.git-credentials|\.aws|\.azure|\.gnupg|\.kube|\.docker/config\.json|\.\w+_history|\.vault-token|\.htpasswd"
    r"|\.(erlang\.cookie|Xauthority|npmrc|pypirc|rhosts|s3cfg|boto|viminfo|lesshst)|(\w*_)?g?shadow|sudoers|[\w.-]*creds?(\.\w+)?"
    r"|tomcat-users\.xml|accounts\.xml|SerializedSystemIni\.dat|orapw\w*|[ce]wallet\.\w+|krb5cc_\w+|krb5kdc|kubeconfig|psk\.txt"
    r"|system-connections|[^/]*(secret|credential|passw|apikey|api_key|private)[^/]*|wallet|SAM|ntds\.dit)(/|$)"
    r"|\.(key|pem|p12|p8|pk8|pfx|jks|jceks|bks|keystore|keytab|kirbi|ppk|kdbx|kdb|sso|nmconnection|ovpn|tfstate|hprof)$",
    _I,
)
#: Settings in which passwords are often written; single lines may be looked for, but not the whole.
_GUARDED = re.compile(
    r"(^|/)(application[\w.-]*\.(ya?ml|properties)|bootstrap[\w.-]*\.ya?ml|(application)?context[\w-]*\.xml|(jdbc|db|datasource|database)[\w.-]*"
    r"\.(properties|xml|ya?ml|conf)|[\w.-]*\.env|config\.php|wp-config\.php|settings\.(py|xml)|pgbouncer\.ini"
    r"|(standalone|domain|host|jeusmain|resources|security|persistence)[\w-]*\.xml|[\w-]+-ds\.xml|hibernate[\w.]*\.xml"
    r"|user_projects/.*/config\.xml|(web|app|machine|applicationhost)\.config|unattend\.xml"
    r"|(sssd|nslcd|snmpd|sentinel|recovery|postgresql\.auto|redis[\w-]*)\.conf|[\w.-]*\.cnf"
    r"|userlist\.txt|[^/]*\.(properties|ya?ml|ini)|[^/]*[\x01\x02][^/]*\.(xml|conf|cfg|json))$",
    _I,
)
#: What passwords must be like, and who may log in how: the first thing that an inspection looks at.
_POLICY = re.compile(
    r"/etc/(ssh/sshd?_config|pam\.d/[\w-]+|pam\.conf|login\.defs|security/(pwquality|faillock|limits|access)\.conf"
    r"|security/(user|login\.cfg)|default/(passwd|login|security|useradd))"
)
#: What a process held in its memory, passwords too. They may be removed, but not shown.
_MEMORY = re.compile(r"(^|/)((vm)?core(\.[\w.-]*\d)?|[^/]+\.(core|dmp|mdmp|phd))$", _I)
#: Files in which a database keeps everything; no log and no settings.
_RAW = re.compile(
    r"\.(ibd|frm|myd|myi|ibu|dbf|ctl|mdf|ndf|ldf|dtf)$|/ibdata\d|/(pgsql|postgresql)/.*/(base|global|pg_wal|pg_xlog)/|/binlog\.\d+$|/mysql-bin\.\d+$",
    _I,
)
#: A copy, or a packed one, holds the same.
_COPIED = re.compile(
    r"(?:[._-](?:gz|bz2|xz|zst|z|zip|bak|backup|old|orig|org|save|prev|copy|rpmnew|rpmsave|rpmorig|dpkg-old|dpkg-dist|\d[\dt]*)|~|-)+$",
    _I,
)
_LONGEST_ENDING = 60


def _original(path: str) -> str:
    return path[:-_LONGEST_ENDING] + _COPIED.sub("", path[-_LONGEST_ENDING:])


def _is_named(names: re.Pattern[str], path: str) -> bool:
    return bool(names.search(path) or names.search(_original(path)))


def is_secret_name(path: str) -> bool:
    return _original(path) != "/etc/passwd" and not is_policy_name(path) and _is_named(_SECRET, path)


def is_policy_name(path: str) -> bool:
    return bool(_POLICY.fullmatch(path))


def is_guarded_name(path: str) -> bool:
    return _is_named(_GUARDED, path)


def is_raw_name(path: str) -> bool:
    return _is_named(_RAW, path)


def is_memory_name(path: str) -> bool:
    return _is_named(_MEMORY, path)
