"""Lines for cmd and PowerShell: only plain looks are let through; nothing here tries to understand more than that."""

import re

from execution.command_check.verdict import Findings, Judgement, Verdict

_ONLY_THERE = re.compile(
    r"(?i)\s*(?:cmd|powershell|pwsh|tasklist|taskkill|systeminfo|ipconfig|findstr|dir|del|erase|rd|format|xcopy|robocopy|ren|reg|net1?|netsh"
    r"|wevtutil|vssadmin|wbadmin|bcdedit|sc|schtasks|wmic|certutil|bitsadmin|rundll32|regsvr32|mshta|wscript|cscript|msiexec|icacls|cacls"
    r"|takeown|attrib|cipher|diskpart|diskshadow|fsutil|query|quser|qwinsta|gpresult|nltest|ver|vol|iisreset|appcmd|forfiles|dism|auditpol"
    r"|w32tm|logoff|nbtstat|pathping|driverquery|typeperf|sfc|chkdsk)(?:\.exe)?(?=[\s/&|]|$)"
    r"|\s*(?:(?-i:[A-Z][a-z]+(?=-[A-Z]))|get|set|remove|invoke|stop|start|clear|new|add|test|select|where|measure|out|enable|disable)-[A-Za-z]+(?=[\s|;)]|$)"
    r"|\s*\(?(?:New-Object|Get-)|(?i:\s*(?:type|for|where|fc)\b.*(?:[A-Za-z]:\\|%\w)|for /)|\s*[A-Za-z]:\\"
)
_STAGE_THERE = re.compile(r"(?i)\|\s*(?:findstr|select-|where-|sort-|measure-|format-|foreach-|out-)")
#: `&`, `;`, `` ` ``, `^`, `%`, `$`, redirections, sub-expressions: all that makes one line another one.
_PLAIN = re.compile(r"[\w \t./\\:*?,=+@#~{}\[\]|\"'()가-힣-]*")
_BLOCKED = re.compile(
    r"(?i)\b(del|erase|rd|rmdir|format|shutdown|reg|netsh|wevtutil|vssadmin|wbadmin|bcdedit|cipher|diskpart|icacls|takeown|rundll32|regsvr32|mshta"
    r"|certutil|bitsadmin|fsutil|cmd|iex|iwr|irm|invoke-\w+|remove-\w+|clear-\w+|stop-computer|restart-computer|set-executionpolicy|downloadstring"
    r"|disable-\w+|set-mppreference|add-mppreference|new-localuser|add-localgroupmember|format-volume|initialize-disk|uninstall-\w+)\b"
    r"|-e(nc\w*|c)?\b\s+[A-Za-z0-9+/=]{8,}|%\w+%|\^|net1?\s+(user|localgroup)\s.*/(add|delete|active)|process\s+call|config\\SAM|&\s*\w"
)
_DATA = r"(?:\"[^\"|]*\"|'[^'|]*'|[\w.,:\\/*?=+@#~\[\]가-힣-]+)"
_CMDLETS = (
    "Get-Process|Get-Service|Get-ChildItem|Get-Item|Get-Content|Get-EventLog|Get-WinEvent|Get-Date|Get-Host|Get-PSDrive|Get-Volume|Get-Disk"
    "|Get-HotFix|Get-NetTCPConnection|Get-NetIPAddress|Get-NetIPConfiguration|Get-NetAdapter|Get-NetRoute|Get-Counter|Get-CimInstance"
    "|Get-WmiObject|Get-ComputerInfo|Get-TimeZone|Get-Uptime|Get-FileHash|Get-ScheduledTask|Get-ScheduledTaskInfo|Get-Website|Get-WebAppPoolState|Get-IISAppPool|Get-IISSite"
    "|Get-Location|Get-PSVersion|Get-Acl|Get-Command|Get-Help|Get-SmbShare|Get-NetFirewallRule|Get-NetFirewallProfile|Get-WindowsFeature"
    "|Test-NetConnection|Test-Path|Test-Connection|Resolve-DnsName|Measure-Object|Select-Object|Select-String|Sort-Object|Group-Object|Format-Table"
    "|Format-List|Format-Wide|Out-String|Out-Host|Where-Object|Get-Unique|Compare-Object|ConvertTo-Json|ConvertTo-Csv"
)
_PREDICATE = r"\{\s*\$_\.\w+\s+-(?:eq|ne|gt|lt|ge|le|like|match|notlike)\s+(?:'[^'$]*'|\"[^\"$]*\"|[\w.*]+)\s*\}"
_STAGES = re.compile(
    rf"(?i)(?:{_CMDLETS})(?:\s+(?:-\w+(?::\$?(?:true|false))?|{_DATA}|{_PREDICATE}))*"
    rf"|(?:select|where|measure|ft|fl|gps|gsv|group|findstr)(?:\s+(?:[/-]\w+(?::{_DATA})?|{_DATA}|{_PREDICATE}))*"
    r"|more|find(?:\s+/[icvn])*\s+\"[^\"]*\"|sort(?:\s+(?:/r|[A-Za-z]\w+|-Descending|-Property|-Unique))*"
    rf"|tasklist(?:\s+(?:/(?:svc|v|m|nh|fi|fo)|{_DATA}))*|systeminfo(?:\s+/fo\s+\w+)?|ipconfig(?:\s+/(?:all|displaydns))?"
    rf"|dir(?:\s+(?:/[a-zA-Z:-]+|{_DATA}))*|type\s+{_DATA}|netstat(?:\s+-[abefnoprst]+)*(?:\s+\w+)?|ver|hostname|whoami(?:\s+/(?:all|groups|priv|user))?"
    rf"|sc\s+(?:query|queryex|qc|qfailure|qdescription)(?:\s+{_DATA})*|schtasks\s+/query(?:\s+(?:/(?:fo|tn|v|nh)|{_DATA}))*|query\s+(?:user|session|process)"
    rf"|quser|qwinsta|net\s+(?:start|user|share|session|accounts|statistics\s+\w+|localgroup(?:\s+\w+)?|time|view)|gpresult\s+/r|driverquery|w32tm\s+/query\s+/\w+"
    rf"|wmic\s+(?:logicaldisk|cpu|os|memorychip|process|service|qfe|diskdrive|computersystem|bios)(?:\s+where\s+\"[^\"]*\")?\s+(?:get\s+[\w,]+|list\s+brief)(?:\s+/value)?"
    rf"|where\s+[\w.*]+|vol(?:\s+\w:)?|tree(?:\s+{_DATA})?|nbtstat\s+-[anr]\b|wevtutil\s+(?:el|gli\s+\w+|qe\s+\w+(?:\s+/(?:c|rd|f):\w+)*)"
    rf"|reg\s+query\s+{_DATA}(?:\s+/[vs](?:\s+{_DATA})?)*|certutil\s+-hashfile\s+{_DATA}(?:\s+\w+)?|netsh\s+(?:\w+\s+){{1,3}}show\s+\w+|iisreset\s+/status|appcmd\s+list\s+\w+"
    rf"|chkdsk(?:\s+\w:)?|attrib\s+{_DATA}|icacls\s+{_DATA}|vssadmin\s+list\s+\w+|auditpol\s+/get\s+/category:{_DATA}|fsutil\s+volume\s+diskfree\s+\w:"
)
_SECRETS = re.compile(
    r"(?i)passw|secret|credential|\\config\\(sam|system|security)|\.(key|pfx|pem|p12|env)\b|web\.config|unattend|\\.ssh|id_(rsa|dsa|ed25519|ecdsa)|ntds|env:|hklm\\sam|lsa"
)


def is_windows(command: str) -> bool:
    return bool(_ONLY_THERE.match(command) or _STAGE_THERE.search(command))


def judge_windows(command: str) -> Judgement:
    """A pipe of looks; anything else is refused where it names a known danger, else an extra approval."""
    findings = Findings()
    text = command.strip()
    match = re.fullmatch(
        r"(?i)powershell(?:\.exe)?\s+(?:-(?:NoProfile|NonInteractive)\s+)*-Command\s+\"([^\"]*)\"", text
    )
    text = match[1] if match else text
    stages = [stage.strip() for stage in re.split(r"\|(?=(?:[^\"']|\"[^\"]*\"|'[^']*')*$)", text)]
    plain = re.sub(_PREDICATE, "", text)
    is_look = all(_STAGES.fullmatch(stage) for stage in stages) and _PLAIN.fullmatch(
        re.sub(r"(?::\$(?:true|false))", "", plain)
    )
    if _SECRETS.search(text):
        findings.add(Verdict.BLOCK, "reads a secret")
    if not is_look:
        is_bad = _BLOCKED.search(text)
        findings.add(Verdict.BLOCK if is_bad else Verdict.ESCALATE, "a Windows command that isn't a plain look")
    return findings.worst
