"""Programs whose words are a little language of their own: what they are asked must be one of these looks."""

import re
from collections.abc import Sequence

from execution.command_check.context import UNKNOWN, Context
from execution.command_check.words import shown

_TABLE = r"""
MegaCli MegaCli64 megacli megacli64 = ((-(LDInfo|LdPdInfo|PDList|PdList|AdpAllInfo|AdpAllinfo|ShowSummary|AdpBbuCmd -GetBbuStatus|AdpBbuCmd|AdpPR -Info|EncInfo|CfgDsply|pdInfo|PDInfo|FwTermLog -Dsply)|-L(all|ALL|\d+)|-PhysDrv ?\[\d*:\d+\]|-a(ALL|all|All|\d+)|-NoLog|-Nolog|-v)( |$))+
storcli storcli64 perccli perccli64 = (/c(\w+)(/(v|e|d|s|bbu|cv|fall)\w*)* )?show( all| ctrlcount| health| status| rebuild)?( nolog)?
ssacli hpssacli hpacucli = (ctrl|controller) (all|slot=\d+)( (pd|ld|array|physicaldrive|logicaldrive) \w+)? show( status| config| detail)*
arcconf = getconfig \d+( (ld|pd|ad|al|lc))?
sas2ircu sas3ircu = \d+ (display|status)|list
omreport = (storage (vdisk|pdisk|controller|battery)|chassis( \w+)?|system( \w+)?)( controller=\d+)?
ceph = -s|status|-v|health( detail)?|df( detail)?|osd (tree|df|stat|status|perf|pool ls|pool ls detail|pool stats)|mon stat|pg stat|mgr services|versions|quorum_status|fs status
gluster = (volume (status|info|list)( [\w-]+)?( detail| clients)?|volume heal [\w-]+ info( summary)?|peer status|pool list)
versionInfo.sh = (-maintenancePackages|-all)?
serverStatus.sh = (-all|[\w-]+)( -username \w+ -password \S+)?
drbdadm = (status|role|cstate|dstate)( [\w-]+)?
corosync-cfgtool = -s
corosync-quorumtool = -[sl]
squidclient = (-h (localhost|127\.0\.0\.1) )?(-p \d+ )?mgr:(info|5min|60min|counters|mem|io|filedescriptors|utilization|storedir|diskd|server_list)
memcached-tool = (localhost|127\.0\.0\.1|10\.[\d.]+|192\.168\.[\d.]+)(:\d+)? (stats|display|settings)
postconf = (-[nd]( |$))*(\w+( |$))*
exim exim4 = -bpc?|-bV
rsyslogd = -N ?1|-v
virsh = list( --all)?|nodeinfo|version|(dominfo|domstate|domblklist|domiflist|vcpuinfo|dommemstat|domstats) [\w.-]+|(pool|net|vol)-list( --all| [\w.-]+)?|pool-info [\w.-]+
xl xm = list|info|uptime|top
vmware-toolbox-cmd = -v|stat \w+|timesync status
initctl = list|status [\w-]+|version
teamdctl = [\w-]+ state( view)?
lldpctl = ([\w-]+)?
lldpcli = show (neighbors|chassis|interfaces|statistics)( \w+)*
lldptool = -t -n -i \w+
fail2ban-client = (status|get)( [\w-]+)?( bantime| maxretry| findtime)?|ping|version|-V
kdumpctl = status|estimate|showmem
abrt-cli = list|status
subscription-manager = status|list( --(installed|consumed|available))?|version|identity|repos --list-enabled
snap = list|version|changes|services
istioctl = proxy-status|version|ps
argocd = (app (list|get [\w-]+|history [\w-]+)|cluster list|version)
ctr = (-n k8s\.io )?(containers?|c|images?|i|tasks?|t) (ls|list)( -q)?
dsmc = q(uery)? (filespace|fi|schedule|sched|session|sess|mgmtclass|inclexcl|systeminfo|(ba|backup) [\w/*.\"-]+)
bpdbjobs = -(report|summary)( -most_columns| -all_columns)?
bpclimagelist bpimagelist = (-(client [\w.-]+|U|d [\d/]+|L|l|hoursago \d+|policy [\w-]+)( |$))*
bpps = -[ax]
bppllist = (-allpolicies|[\w-]+)?( -U| -L)*
mminfo = (-(a|v|m|avot)( |$))*
nsrinfo = (-(v|V)( |$))*[\w.-]+
pgbackrest = (--stanza=\w+ )?info( --stanza=\w+)?
barman = (list-servers?|list-backups?( \w+)?|check [\w-]+|status [\w-]+|show-server [\w-]+|show-backups? [\w-]+ [\w-]+)
rabbitmq-diagnostics = -q (ping|status|check_\w+)|ping|status|check_running|check_local_alarms|check_port_connectivity|cluster_status|memory_breakdown|alarms|listeners
grubby = --info=(ALL|DEFAULT|/boot/vmlinuz[\w.-]*)|--default-(kernel|index|title)
udevadm = info (-(a|q \w+|n [\w/.-]+|p [\w/.:-]+)( |$)|--(attribute-walk|query=\w+|name=[\w/.-]+|path=[\w/.:-]+)( |$))+
altibase = -v
"""
_FORMS = {
    name: re.compile(form)
    for names, form in (row.split(" = ", 1) for row in _TABLE.strip().splitlines())
    for name in names.split()
}


def asked(context: Context, argv: Sequence[str]) -> None:
    """A form of the table, word by word; a word with a blank in it would be another one."""
    words = " ".join(argv[1:])
    is_plain = UNKNOWN.isdisjoint(words) and not any(re.search(r"\s", word) for word in argv[1:])
    if not is_plain or not _FORMS[argv[0]].fullmatch(words.replace("\x03", "[")):
        context.escalate(f"{argv[0]} {shown(' '.join(argv[1:3]))} isn't a look")


HANDLERS = dict.fromkeys(_FORMS, asked)
