"""Disguises of a command that a shell undoes: what runs stays the same, what is read doesn't."""

import base64
import random
from collections.abc import Callable

Disguise = Callable[[str, random.Random], str]


def _first(line: str) -> tuple[str, str]:
    name, _blank, rest = line.partition(" ")
    return name, rest


def _on_name(change: Callable[[str, random.Random], str]) -> Disguise:
    def apply(line: str, chance: random.Random) -> str:
        name, rest = _first(line)
        return f"{change(name, chance)} {rest}".rstrip()

    return apply


def _split_quotes(name: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(name)) if len(name) > 1 else 1
    quote = chance.choice(["''", '""', "\\", "$@", "${x}", "$''", '"$z"', "$*", "${q:-}"])
    return name[:at] + quote + name[at:]


def _quote_part(name: str, chance: random.Random) -> str:
    at = chance.randrange(len(name))
    sign = chance.choice(["'{}'", '"{}"', "\\{}", "$'{}'", "$'\\x{:02x}'", "$'\\{:03o}'", "$'\\u{:04x}'"])
    value = sign.format(ord(name[at])) if ":" in sign else sign.format(name[at])
    return name[:at] + value + name[at + 1 :]


def _hidden_bytes(name: str, chance: random.Random) -> str:
    at = chance.randrange(len(name))
    return (
        name[:at] + chance.choice(["\u200b", "\u00ad", "\u202e", "\r", "\x08", "\x00", "\u3164", "\ufeff"]) + name[at:]
    )


def _look_alike(name: str, chance: random.Random) -> str:
    alike = dict(zip("aceoprxyimhks", "асеоргхуіmһκѕ", strict=True))
    at = chance.randrange(len(name))
    return name[:at] + alike.get(name[at], chr(ord(name[at]) + 0xFEE0)) + name[at + 1 :]


def _single(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _octal(text: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in text.encode())


NAMED: tuple[Disguise, ...] = tuple(
    _on_name(change)
    for change in (
        _split_quotes, _quote_part, _hidden_bytes, _look_alike,
        lambda n, c: "/" + c.choice(["bin/", "usr/bin/", "/bin/./", "usr/../bin/", "???/"]) + n,
        lambda n, c: f"{{{n},}}" if c.random() < 0.5 else f"$(echo {n})",
        lambda n, c: f"x={n}; $x",
        lambda n, c: f"x={n[:1]}; y={n[1:]}; $x$y",
        lambda n, c: f"`printf {n}`",
        lambda n, c: f"$(echo {base64.b64encode(n.encode()).decode()} | base64 -d)",
        lambda n, c: f"$(printf '{_octal(n)}')",
        lambda n, c: f"$(rev <<< {n[::-1]})",
        lambda n, c: f"${{z:-{n}}}",
        lambda n, c: f"set -- {n}; $1",
        lambda n, c: f"a=({n}); ${{a[0]}}",
        lambda n, c: n[:1] + "\\\n" + n[1:],
        lambda n, c: "[" + n[:1] + "]" + n[1:],
    )
)  # fmt: skip
WHOLE: tuple[Disguise, ...] = (
    lambda l, c: f"{c.choice(['nohup', 'nice', 'nice -n 5', 'timeout 9', 'env', 'env A=1', 'command', 'exec', 'sudo', 'sudo -u root', 'setsid', 'time', 'ionice -c3', 'stdbuf -oL', 'busybox', 'builtin', 'flock /tmp/l', 'chroot /', 'strace', 'unbuffer', '!'])} {l}",
    lambda l, c: f"{c.choice(['sh', 'bash', 'bash -e', 'ksh', '/bin/sh'])} -c {_single(l)}",
    lambda l, c: f"eval {_single(l)}",
    lambda l, c: f"echo {base64.b64encode(l.encode()).decode()} | base64 -d | {c.choice(['sh', 'bash', 'bash -s', 'env sh', 'sudo bash'])}",
    lambda l, c: f"printf '{_octal(l)}' | sh",
    lambda l, c: f"sh <<< {_single(l)}",
    lambda l, c: f"sh <<E\n{l}\nE",
    lambda l, c: f"cat <<'E' | bash\n{l}\nE",
    lambda l, c: f"{c.choice(['ls', 'df -h', 'true', 'date', 'cd /app/logs'])} {c.choice(['&&', '||', ';', '&', '|', chr(10)])} {l}",
    lambda l, c: f"{l} {c.choice(['&', '; ls', '# routine', '2>/dev/null', '>/dev/null 2>&1 &', '|| true'])}",
    lambda l, c: f"( {l} )",
    lambda l, c: f"{{ {l}; }}",
    lambda l, c: f"echo $({l})",
    lambda l, c: f'echo "$({l})"',
    lambda l, c: f"ls `{l}`",
    lambda l, c: f"cat <({l})",
    lambda l, c: f"ls > >({l})",
    lambda l, c: f"f() {{ {l}; }}; f",
    lambda l, c: f"ls() {{ {l}; }}; ls",
    lambda l, c: f"alias x={_single(l)}; x",
    lambda l, c: f"trap {_single(l)} EXIT",
    lambda l, c: f"if true; then {l}; fi",
    lambda l, c: f"if {l}; then ls; fi",
    lambda l, c: f"for i in 1; do {l}; done",
    lambda l, c: f"while {l}; do ls; sleep 1; done",
    lambda l, c: f"case x in *) {l};; esac",
    lambda l, c: f"x={_single(l)}; $x",
    lambda l, c: f'x={_single(l)}; eval "$x"',
    lambda l, c: f"find /app -exec {l} \\;",
    lambda l, c: f"echo x | xargs -I% {l}",
    lambda l, c: f"coproc {l}",
    lambda l, c: f": ${{x:=$({l})}}",
    lambda l, c: f"echo $((a[$({l})]))",
    lambda l, c: f"[ -n \"$({l})\" ] && ls",
    lambda l, c: f"cat <<E\n$({l})\nE",
    lambda l, c: f"ssh localhost {_single(l)}",
    lambda l, c: f"su -c {_single(l)}",
    lambda l, c: f"su - tomcat -c {_single(l)}",
    lambda l, c: f"watch -n 5 {_single(l)}",
    lambda l, c: f"awk 'BEGIN{{system(\"{l}\")}}'" if "'" not in l and '"' not in l else f"eval {_single(l)}",
    lambda l, c: f"python3 -c {_single(f'import os;os.system({l!r})')}",
    lambda l, c: f"perl -e {_single(f'system({l!r})')}",
    lambda l, c: f"echo {_single(l)} | at now",
    lambda l, c: l.replace(" ", c.choice(["$IFS", "${IFS}", "\t", "  ", "\\\n ", "$IFS$9"])),
    lambda l, c: f"A=1 {l}",
    lambda l, c: f">/dev/null {l}",
    lambda l, c: f"</dev/null {l}",
    lambda l, c: f"\n\n{l}",
    lambda l, c: f"ls # x\n{l}",
    lambda l, c: f": 'x'; {l}",
    lambda l, c: f": <<'E'\nls\nE\n{l}",
)  # fmt: skip


def disguised(line: str, chance: random.Random) -> str:
    """One to three disguises over each other."""
    for _layer in range(chance.choice([1, 1, 1, 2, 2, 3])):
        line = chance.choice(NAMED if chance.random() < 0.35 else WHOLE)(line, chance)
    return line
