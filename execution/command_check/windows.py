"""Lines for cmd and PowerShell: only plain looks are let through; nothing here tries to understand more than that."""

import re

from execution.command_check.secret_names import is_guarded_name, is_memory_name, is_secret_name
from execution.command_check.verdict import Findings, Judgement, Verdict

_MAX_STAGES = 12
_ONLY_THERE = re.compile(
    r"(?i)\s*(?:cmd|powershell|pwsh|tasklist|taskkill|systeminfo|ipconfig|findstr|dir|del|erase|rd|format|xcopy|robocopy|ren|reg|net1?|netsh"
    r"|wevtutil|vssadmin|wbadmin|bcdedit|sc|schtasks|wmic|certutil|bitsadmin|rundll32|regsvr32|mshta|wscript|cscript|msiexec|icacls|cacls"
    r"|takeown|attrib|cipher|diskpart|diskshadow|fsutil|query|quser|qwinsta|gpresult|nltest|ver|vol|iisreset|appcmd|forfiles|dism|auditpol"
    r"|w32tm|logoff|nbtstat|pathping|driverquery|typeperf|sfc|chkdsk)(?:\.exe)?(?=[\s/&|]|$)"
    r"|\s*(?:(?-i:[A-Z][a-z]+(?=-[A-Z]))|get|set|remove|invoke|stop|start|clear|new|add|test|select|where|measure|out|enable|disable)-[A-Za-z]+(?=[\s|;)]|$)"
    r"|(?i:\s*(?:whoami\s+/\w|route\s+print\b|fc\s+/\w))|\s*\(?(?:New-Object|Get-)|(?i:\s*(?:type|where|fc)\b.*(?:[A-Za-z]:\\|\\\\|%\w+%)|for\s+(?:/|%)|(?:echo|set)\s+%\w+%)|\s*[A-Za-z]:\\"
)
_STAGE_THERE = re.compile(r"(?i)\|\s*(?:findstr|select-|where-|sort-|measure-|format-|foreach-|out-)")
#: `&`, `;`, `` ` ``, `^`, `%`, `$`, redirections, sub-expressions: all that makes one line another one.
_PLAIN = re.compile(r"(?:%(?= )|[\w \t./\\:*?,=+@#~{}\[\]|\"'()가-힣-])*")
_BLOCKED = re.compile(
    r"(?i)\b(win32_product|del|erase|rd|rmdir|format|shutdown|reg|netsh|wevtutil|vssadmin|wbadmin|bcdedit|cipher|diskpart|icacls|takeown|rundll32|regsvr32|mshta"
    r"|certutil|bitsadmin|fsutil|cmd|iex|iwr|irm|invoke-\w+|remove-\w+|clear-\w+|stop-computer|restart-computer|set-executionpolicy|downloadstring"
    r"|disable-\w+|set-mppreference|add-mppreference|new-localuser|add-localgroupmember|format-volume|initialize-disk|uninstall-\w+)\b"
    r"|-e(nc\w*|c)?\b\s+[A-Za-z0-9+/=]{8,}|%\w+%|\^|net1?\s+(user|localgroup)\s.*/(add|delete|active)|process\s+call|config\\SAM|&\s*\w"
)
_DATA = r"(?:\"[^\"]*\"|'[^'|]*'|(?:[\w.,:\\/*?=+#~\[\]가-힣-]|@(?!\{))+)"
_CMDLETS = (
    "Get-Process|Get-Service|Get-ChildItem|Get-Item|Get-Content|Get-EventLog|Get-WinEvent|Get-Date|Get-Host|Get-PSDrive|Get-Volume|Get-Disk"
    "|Get-HotFix|Get-NetTCPConnection|Get-NetIPAddress|Get-NetIPConfiguration|Get-NetAdapter|Get-NetRoute|Get-Counter|Get-CimInstance"
    "|Get-WmiObject|Get-ComputerInfo|Get-TimeZone|Get-Uptime|Get-FileHash|Get-ScheduledTask|Get-ScheduledTaskInfo|Get-Website|Get-WebAppPoolState|Get-IISAppPool|Get-IISSite"
    "|Get-Location|Get-PSVersion|Get-Acl|Get-Command|Get-Help|Get-SmbShare|Get-NetFirewallRule|Get-NetFirewallProfile|Get-WindowsFeature"
    "|Test-NetConnection|Test-Path|Test-Connection|Resolve-DnsName|Get-LocalUser|Get-LocalGroup|Measure-Object|Select-Object|Select-String|Sort-Object|Group-Object|Format-Table"
    "|Format-List|Format-Wide|Out-String|Out-Host|Where-Object|Get-Unique|Compare-Object|ConvertTo-Json|ConvertTo-Csv"
)
_MOMENT = r"\(Get-Date\)(?:\.Add(?:Days|Hours|Minutes)\(-?\d+\))?"
_COMPARED = (
    r"\(?\$_\.\w+(?:\s+-(?:eq|ne|gt|lt|ge|le|like|match|notlike|notmatch)\s+(?:'[^'$]*'|\"[^\"$`]*\"|[\w.*]+|\$(?:true|false|null)|"
    + _MOMENT
    + r"))?\)?"
)
_PREDICATE = rf"\{{\s*{_COMPARED}(?:\s+-(?:and|or)\s+{_COMPARED})*\s*\}}"
#: `@{n='GB';e={[math]::Round($_.Free/1GB,1)}}`: properties, numbers and signs, and no call but rounding.
_RECKONED = (
    r"@\{\s*(?:n|name|l|label)\s*=\s*(?:'[^']*'|\"[^\"$`]*\"|\w+)\s*;\s*(?:e|expression)\s*=\s*"
    r"\{(?:\s|\$_\.\w++(?!\.|\s*\()|\[math\]::(?:Round|Floor|Ceiling)(?=\()|\d++(?:\.\d++)?(?:[KMGT]B)?|[-+*/(),])++\}\s*\}"
)
#: `@{LogName='System'; Level=2}`
_ENTRY = rf"\s*\w+\s*=\s*(?:'[^']*'|\"[^\"$`]*\"|[\w.,-]+|{_MOMENT})\s*"
_TABLE = rf"@\{{{_ENTRY}(?:;{_ENTRY})*;?\s*\}}"
_WRITTEN = rf"{_PREDICATE}|{_RECKONED}|{_TABLE}|{_MOMENT}"
_STAGES = re.compile(
    rf"(?i)(?:{_CMDLETS})(?>(?:\s+|(?<=,))(?:-\w+:\$?(?:true|false)\b|{_WRITTEN}|{_DATA}),?)*+"
    rf"|(?:select|where|measure|ft|fl|gps|gsv|group|findstr)(?>(?:\s+|(?<=,))(?:{_WRITTEN}|/\w+:{_DATA}|{_DATA}),?)*+"
    r"|more|find(?:\s+/[icvn])*\s+\"[^\"]*\"|sort(?:\s+(?:/r|[A-Za-z]\w+|-Desc(?:ending)?|-Property|-Unique))*"
    rf"|tasklist(?>\s+{_DATA})*+|systeminfo(?:\s+/fo\s+\w+)?|ipconfig(?:\s+/(?:all|displaydns))?"
    rf"|dir(?>\s+{_DATA})*+|type\s+{_DATA}|netstat(?:\s+-[abefnoprst]+)*(?:\s+\w+)?|ver|hostname|whoami(?:\s+/(?:all|groups|priv|user))?"
    rf"|sc\s+(?:query|queryex|qc|qfailure|qdescription)(?:\s+{_DATA})*|schtasks\s+/query(?>\s+{_DATA})*+|query\s+(?:user|session|process)"
    rf"|quser|qwinsta|net\s+(?:start|use|user(?:\s+\w+)?|share|session|accounts|statistics\s+\w+|localgroup(?:\s+\w+)?|time|view)|gpresult\s+/r|driverquery|w32tm\s+/query\s+/\w+"
    rf"|wmic\s+(?:logicaldisk|cpu|os|memorychip|process|service|qfe|diskdrive|computersystem|bios)(?:\s+where\s+\"[^\"]*\")?\s+(?:get\s+[\w,]+|list\s+brief)(?:\s+/value)?"
    r"|typeperf(?:\s+\"[^\"]*\"|\s+-s[ci]\s+\d+)+|echo(?:\s+[\w.:가-힣-]+)+"
    r"|(?:ping|tracert|pathping)(?:\s+-[46adtR]|\s+-[nlwih]\s+\d+)*\s+[\w.-]+|nslookup(?:\s+[\w.-]+){1,2}|route\s+print(?:\s+[\w.*-]+)?|arp\s+-[ag]|getmac|fc(?:\s+/\w+)*(?:\s+[\w.\\:-]+){2}"
    rf"|where\s+[\w.*]+|vol(?:\s+\w:)?|tree(?:\s+{_DATA})?|nbtstat\s+(?-i:-[anr])\b|wevtutil\s+(?:el|gli\s+\w+|qe\s+\w+(?:\s+/(?:c|rd|f):\w+)*)"
    rf"|reg\s+query(?>\s+{_DATA})++|certutil\s+-hashfile\s+{_DATA}(?:\s+\w+)?|netsh\s+(?:\w+\s+){{1,3}}show\s+\w+(?:\s+state)?|iisreset\s+/status|appcmd\s+list\s+\w+"
    rf"|chkdsk(?:\s+\w:)?|attrib\s+{_DATA}|icacls\s+{_DATA}|vssadmin\s+list\s+\w+|auditpol\s+/get\s+/category:{_DATA}|fsutil\s+volume\s+diskfree\s+\w:"
)
_SECRETS = re.compile(
    r"(?i)passw|secret|credential|\\config\\(sam|system|security)|\.(key|pfx|pem|p12|env)\b|web\.config|unattend|\\.ssh|id_(rsa|dsa|ed25519|ecdsa)|ntds|env:|hklm\\sam|lsa"
    r"|%\w+%|\bpass\b|\bpwd\b|jdbc|connectionstring|api.?key|ConsoleHost_history|appcmd\s+list\s+\w+\s+/|\\AppData\\|\\Winlogon|variable:"
)
#: Properties that tell how old a password is, and what this host and user are called.
_ABOUT_PASSWORDS = re.compile(r"(?i)\bPassword(?:LastSet|Expires|NeverExpires|Required|ChangeableDate|Age|Expired)\b")
_NAMES_OF_HOST = re.compile(
    r"(?i)%(?:COMPUTERNAME|USERNAME|USERDOMAIN|DATE|TIME|OS|NUMBER_OF_PROCESSORS|PROCESSOR_ARCHITECTURE)%"
)
#: Another host than this one: it is told who asks.
_ELSEWHERE = re.compile(
    r"(?i)(?:^|[\s'\"=:,(])(?:\\\\|//)[\w.-]+[\\/]|(?<!\w)-(?:cn|comp\w*|cims\w*|sess\w*|cred\w*|vmname)\b(?!\s+(?:localhost|127\.0\.0\.1|\.)(?:\s|$))"
    r"|(?<!\w)/(?:s|server|node|u|p|r)(?::|\s+)[\w.\\-]{3,}"
)
#: These ask whether another host answers, and no more.
_PROBES = re.compile(r"(?i)\s*(?:Test-(?:NetConnection|Connection)|Resolve-DnsName|nbtstat|findstr|dir|select)\b")
_SHOWS = re.compile(r"(?i)(?:type|more|cat|gc|Get-Content)\b")


def is_windows(command: str) -> bool:
    return bool(_ONLY_THERE.match(command) or _STAGE_THERE.search(command))


def judge_windows(command: str) -> Judgement:
    """A pipe of looks; anything else is refused where it names a known danger, else an extra approval."""
    findings = Findings()
    text = command.strip()
    match = re.fullmatch(
        r"(?i)(?:powershell|pwsh)(?:\.exe)?\s+(?:-(?:NoProfile|NonInteractive|NoLogo)\s+)*-(?:Command|c)\s+\"([^\"]*)\"",
        text,
    )
    text = match[1] if match else text
    if text.count("|") > _MAX_STAGES:
        return Judgement(Verdict.ESCALATE, "too much to be looked at")
    if re.search(r"[;&]", text) and not re.search(r"[\"'{}()^`<>$]", text):
        for part in re.split(r"&&?|;", text):  # one look after another
            found = judge_windows(part)
            findings.add(found.verdict, found.reason)
        return findings.worst
    text = _NAMES_OF_HOST.sub("x", text) if re.match(r"(?i)@?echo\s", text) else _ABOUT_PASSWORDS.sub("x", text)
    stages = [stage.strip() for stage in re.split(r"\|(?=(?:[^\"']|\"[^\"]*\"|'[^']*')*$)", text)]
    plain = re.sub(f"(?i){_WRITTEN}", "", text)
    is_look = all(_STAGES.fullmatch(stage) for stage in stages) and _PLAIN.fullmatch(
        re.sub(r"(?::\$(?:true|false))", "", plain)
    )
    if _SECRETS.search(text):
        findings.add(Verdict.BLOCK, "reads a secret")
    for stage in stages:
        _names(stage, findings)
    if not is_look or "win32_product" in text.lower():  # which sets every package right that it lists
        is_bad = _BLOCKED.search(text)
        findings.add(Verdict.BLOCK if is_bad else Verdict.ESCALATE, "a Windows command that isn't a plain look")
    return findings.worst


def _names(stage: str, findings: Findings) -> None:
    """The files and hosts that a stage names: a file's name means the same under Windows."""
    if _ELSEWHERE.search(stage) and not (_PROBES.match(stage) and "\\\\" not in stage):
        findings.add(Verdict.BLOCK, "opens a channel to another host")
    for word in re.findall(r"[\w.:\\/*?~+-]*[\w*?]", stage):
        path = re.sub(r"^[A-Za-z]:", "", word.replace("\\", "/"))
        if is_secret_name(path) or (_SHOWS.match(stage) and is_memory_name(path)):
            findings.add(Verdict.BLOCK, "reads a secret")
        elif _SHOWS.match(stage) and is_guarded_name(re.sub(r"[*?]", "\x01", path)):
            findings.add(Verdict.ESCALATE, f"shows settings that may hold passwords: {path[:60]}")
