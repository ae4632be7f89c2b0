"""The table of subcommands that only look; columns as in `verbs`. Everything else of these programs is an extra approval."""

import re
from collections.abc import Sequence

from execution.command_check.options import Spec, spec_of

_TABLE = """
docker ps,podman ps|aqsnl|f:x n:n|all filter=x format=x no-trunc quiet last=n size|
docker logs,podman logs|ft|n:x|follow tail=x since=x until=x timestamps details|t
docker stats,podman stats|a||no-stream all format=x no-trunc|t*
docker inspect||f:i|format=i|!f,format t*
docker images,podman images|aq|f:x|all format=x filter=x digests quiet|t
docker top,docker port,docker diff,docker history,podman top||||t
docker version,docker info,podman version,podman info||f:x|format=x|
docker network ls,docker volume ls,docker system df,docker context ls,docker container ls,docker image ls|aqv|f:x|format=x filter=x all quiet verbose|
docker compose ps,docker compose ls,docker compose images,docker compose top,docker-compose ps|aq||all services format=x quiet|t*
docker compose logs,docker-compose logs|ft|n:x|tail=x since=x follow timestamps no-color|t*
crictl ps,crictl pods,crictl images,crictl stats|aqlo|o:x|all name=x state=x|t*
crictl logs|ft||tail=x since=x|t
podman pod ps,docker events||f:x|since=x until=x filter=x format=x|
kubectl wait|A|n:t l:x|for=x timeout=x namespace=t all selector=x|K t*
oc whoami||||
kubectl get|Aw|n:t o:O l:x L:x|all-namespaces namespace=t output=O selector=x sort-by=x show-labels no-headers watch field-selector=x context=t|k t*
kubectl describe|A|n:t l:x|namespace=t selector=x all-namespaces|K t*
kubectl logs|fp|n:t c:t l:x|namespace=t container=t tail=n since=x follow previous timestamps selector=x all-containers prefix|t*
kubectl top pods,kubectl top pod,kubectl top nodes,kubectl top node|A|n:t l:x|namespace=t all-namespaces sort-by=x containers selector=x no-headers|t*
kubectl rollout status,kubectl rollout history||n:t|namespace=t timeout=x revision=n watch=x?|t*
kubectl version,kubectl cluster-info,kubectl api-resources,kubectl api-versions|o|n:t|client short output=x|
kubectl config current-context,kubectl config get-contexts||||
kubectl explain,kubectl auth can-i,kubectl auth whoami||n:t|namespace=t all-namespaces list|t*
helm list,helm ls,helm status,helm history,helm version|aAq|n:t|namespace=t all-namespaces all short|t*
oc get|A|n:t o:O|all-namespaces namespace=t output=O|k t*
oc status||n:t||
systemctl status|laqn|n:n p:x o:x t:x|no-pager lines=n full all failed output=x type=x user|t*
systemctl is-active,systemctl is-enabled,systemctl is-failed,systemctl is-system-running|q||quiet no-pager|t*
systemctl show||p:E P:E|property=E value all no-pager full|!p,P,property t*
systemctl cat,systemctl list-units,systemctl list-unit-files,systemctl list-timers,systemctl list-sockets,systemctl list-dependencies,systemctl list-jobs,systemctl get-default,systemctl help|alqr|p:x t:x n:n|property=x type=x state=x all no-pager no-legend full failed value plain reverse|t*
systemctl|alq|t:x p:x|failed no-pager all type=x state=x full version no-legend list-units|
systemctl daemon-reload||||
journalctl|#abefklmqrx|nuptogSUDNi:x|no-pager unit=x since=x until=x lines=x follow priority=x output=x reverse catalog disk-usage list-boots boot=x? dmesg grep=x quiet identifier=x utc header no-hostname verify no-tail all merge system|x*
loginctl list-sessions,loginctl list-users,loginctl session-status,loginctl user-status,loginctl show-session,loginctl show-user||p:x|no-pager no-legend|t*
hostnamectl,localectl,hostnamectl status,timedatectl status,localectl status,timedatectl timesync-status||||
timedatectl show,timedatectl show-timesync|a|p:x|property=x value all no-pager|
networkctl,resolvectl|||no-pager|
networkctl list,networkctl status,resolvectl status,resolvectl statistics|a||no-pager|t*
timedatectl,timedatectl list-timezones,localectl list-locales,localectl list-keymaps|||no-pager|
systemd-analyze,systemd-analyze time,systemd-analyze blame|||no-pager|
systemd-analyze critical-chain|||no-pager|t*
systemd-analyze verify||||m*
coredumpctl list|rn||no-pager|t*
supervisorctl status,supervisorctl avail,supervisorctl pid||||t*
supervisorctl tail|#|||t t
pm2 list,pm2 ls,pm2 status,pm2 show,pm2 describe,pm2 info||||t
pm2 logs|||lines=n nostream err out|t
monit status,monit summary||||t*
chronyc sources,chronyc sourcestats,chronyc tracking,chronyc activity|avn|||
zpool status,zpool list,zpool iostat,zpool history|vxHpTPL|o:x||t*
zfs list,zfs get|rHp|t:x o:x s:x d:n||x*
vxdisk list,vxdg list|o|||x*
ip addr,ip a,ip address,ip link,ip l,ip route,ip r,ip rule,ip neigh,ip n,ip neighbour,ip maddr,ip netns|||
ip addr show,ip addr list,ip addr ls,ip addr s,ip a show,ip a list,ip a ls,ip a s,ip address show,ip address list,ip address ls,ip address s,ip link show,ip link list,ip link ls,ip l show,ip l list,ip l ls,ip route show,ip route list,ip route ls,ip route s,ip r show,ip r list,ip r ls,ip r s,ip rule show,ip rule list,ip rule ls,ip rule s,ip neigh show,ip neigh list,ip neigh ls,ip neigh s,ip n show,ip n list,ip n ls,ip n s,ip neighbour show,ip neighbour list,ip neighbour ls,ip neighbour s,ip maddr show,ip maddr list,ip maddr ls,ip netns show,ip netns list,ip netns ls,ip tunnel show,ip tunnel list,ip tunnel ls,ip route get,ip r get||||l*
bridge link,bridge fdb,bridge vlan,tc qdisc,tc class||||
bridge link show,bridge fdb show,bridge vlan show||||l*
tc qdisc show,tc class show,tc filter show||||l*
route|nevF|||
ifconfig|as|||t
nmcli,nmcli device,nmcli dev,nmcli d,nmcli connection,nmcli con,nmcli c,nmcli general|tp|fgm:x||
nmcli device status,nmcli dev status,nmcli d status,nmcli device show,nmcli dev show,nmcli con show,nmcli c show,nmcli connection show,nmcli general status|tp|fgm:x|active order=x|t
firewall-cmd|||state list-all list-ports list-services list-rich-rules list-all-zones get-active-zones get-default-zone get-zones zone=t permanent query-port=t query-service=t|
iptables,ip6tables|LnvSx|t:t|list numeric verbose line-numbers list-rules exact|t
nft list ruleset,nft list tables,nft list table,nft list chain|a|||t*
ufw status||||t
yum history,yum history list,yum history info,yum history summary,dnf history,dnf history list,dnf history info|qv||quiet|n
yum list,yum info,yum check-update,yum repolist,yum search,yum provides,yum deplist,dnf list,dnf info,dnf check-update,dnf repolist,dnf search,dnf provides|qvC||installed available updates showduplicates quiet security all|t*
yum updateinfo,dnf updateinfo||||
yum updateinfo list,yum updateinfo info,yum updateinfo summary,dnf updateinfo list,dnf updateinfo info,dnf updateinfo summary||||t*
apt list,apt show,apt search,apt policy,apt-cache policy,apt-cache show,apt-cache search,apt-cache depends|a||upgradable installed all-versions|t*
apt-mark showhold||||
apt-get -s upgrade,apt-get -s dist-upgrade,apt-get -s autoremove||||
zypper lu,zypper list-updates,zypper lr,zypper repos,zypper search,zypper info|sui|||t*
7z l,7z t,7za l,7za t||||m
dpkg|lLsSpV|||t*
dpkg-query|lLsSW|f:x|show list showformat=x|t*
rpm|qailcdRVvfKp||query all info list changelog requires provides verify last qf=x queryformat=x file scripts nomtime|!q,V,K,query,verify m*
pip list,pip3 list,pip show,pip3 show,pip freeze,pip3 freeze||||t*
npm ls,npm list|g||depth=n global|t*
kafka-topics.sh,kafka-topics|||bootstrap-server=H topic=t list describe under-replicated-partitions|!list,describe
kafka-consumer-groups.sh,kafka-consumer-groups|||bootstrap-server=H group=t list describe state members all-groups|!list,describe
rabbitmqctl status,rabbitmqctl list_queues,rabbitmqctl cluster_status,rabbitmqctl list_connections,rabbitmqctl list_consumers,rabbitmqctl list_channels|q|p:t||t*
mysqladmin status,mysqladmin ping,mysqladmin processlist,mysqladmin proc,mysqladmin extended-status,mysqladmin variables,mysqladmin version||h:H u:t P:n|host=H user=t port=n|
lsnrctl status,lsnrctl services,lsnrctl version||||t
crsctl stat res,crsctl check crs,crsctl check has,crsctl status resource,crsctl check cluster,crsctl stat resource|t||init|t
crsctl query css,crsctl query crs||||t*
asmcmd lsdg,asmcmd lsdsk,asmcmd lsct,asmcmd lsop,asmcmd ls,asmcmd du|lksg|G:x||l*
opatch lsinventory,opatch lspatches,opatch version|||detail|
oifcfg getif||||
srvctl status database,srvctl status service,srvctl status instance,srvctl status listener,srvctl status scan,srvctl status scan_listener,srvctl status vip,srvctl status nodeapps,srvctl status asm,srvctl status diskgroup,srvctl config database,srvctl config service,srvctl config instance,srvctl config listener,srvctl config scan,srvctl config scan_listener,srvctl config vip,srvctl config nodeapps,srvctl config asm,srvctl config diskgroup|av|dsnilg:t|db=t|
cubrid service status,cubrid server status,cubrid broker status,cubrid manager status,cubrid heartbeat status,cubrid hb status|bfq|sl:n||t*
cubrid spacedb,cubrid tranlist,cubrid lockdb,cubrid statdump,cubrid paramdump|CSspb|up:x||t
git status,git rev-parse,git describe|sb||short porcelain branch abbrev-ref tags always no-pager|t*
git log,git show,git diff|sp#|n:n S:x|oneline stat short name-only name-status graph no-pager decorate grep=x author=x committer=x since=x until=x after=x before=x format=x pretty=x date=x all reverse merges no-merges first-parent follow cached staged shortstat abbrev-commit|G*
git blame,git annotate|wsef|L:x|since=x date=x|G*
git branch,git remote,git tag|avr|||
svn info,svn log,svn status,svn list,svn ls|vqu|lr:x|limit=n revision=x verbose quiet stop-on-copy|m*
git stash list||||
pcs status,crm status||||t*
crm_mon|1rA|||
multipath|ll|||!l
pvs,vgs,lvs,pvdisplay,vgdisplay,lvdisplay,pvscan,vgscan,lvscan|avsCmPc|o:x S:x|units=x noheadings all|m*
mdadm|D||detail|!D,detail m*
smartctl|aAHix|l:x||m
ipmitool sensor,ipmitool sdr,ipmitool sel,ipmitool fru||||
ipmitool sensor list,ipmitool sdr list,ipmitool sdr elist,ipmitool sdr type,ipmitool sel list,ipmitool sel elist,ipmitool sel info,ipmitool chassis status,ipmitool chassis power status,ipmitool power status,ipmitool fru print,ipmitool mc info,ipmitool lan print||||l*
auditctl|ls|||
ausearch,aureport|ilmtauxefhn|mktskuxa:x|start=x end=x summary interpret failed success message=x key=x|x*
semanage port,semanage fcontext,semanage boolean,semanage login|l|||
getsebool|a|||t*
update-alternatives,alternatives|||display=t list=t|
sysctl|aenNb|r:x||S*
mount|lv|t:x||
swapon|s||show summary|
lpstat|toaprs|||
chage|l|||!l t
passwd|S|||!S t
faillock|||user=t|!user
pam_tally2||u:t|user=t|
at|l|||!l
atq|q|||
logrotate|dv||debug verbose|!d,debug r*
certbot certificates||||
haproxy|cvV|f:C||!c,v
varnishadm status,varnishadm ping||||
varnishstat|1|||
pg_lsclusters||||
javac|||version|
catalina.sh version,catalina.sh configtest||||
nginx|vVtTq|||!v,V,t,T
httpd,apache2,apachectl,apache2ctl,httpd.worker|tSvVMLl|D:x||!t,S,v,V,M,L,l
apachectl configtest,apachectl graceful,apachectl status,apachectl fullstatus,apache2ctl configtest,apache2ctl graceful,apache2ctl status,apachectl restart,apachectl start||||
php-fpm,php|vmt|||!v,m,t
postfix status,postqueue,mailq|p|||
chkconfig|||list|!list t
dmsetup ls,dmsetup status,dmsetup info|cC||tree|l*
multipathd show||||l*
cpupower frequency-info,cpupower idle-info,cpupower info,authselect current,authselect list,realm list||||
zkServer.sh status||||
pcs resource status,pcs resource show,pcs cluster status,etcdctl endpoint health,etcdctl endpoint status|||cluster|t*
docker network inspect,docker volume inspect,resolvectl query||||l*
npm,node|v||version|!v,version
tuned-adm active,tuned-adm list,tuned-adm recommend||||
powermt display,datapath query,pcmpath query,upadmin show,dlnkmgr view||||t*
fmadm faulty,fmadm config|afgrs|||t*
zoneadm list|civp|||
dladm show-link,dladm show-phys,dladm show-aggr,dladm show-vlan,dladm show-ether,dladm show-vnic,ipadm show-addr,ipadm show-if|psxLP|o:x||t*
beadm list,pkg list,pkg info,pkg verify|aHlv|||t*
hastatus|||sum summary|!sum,summary
hares -state,hares -display,hagrp -state,hagrp -display,lltstat -nvv,gabconfig -a||||t*
repmgr cluster show,patronictl list||cf:m||t*
consul members,vault status,nomad status,etcdctl member list||||
"""


def _load() -> dict[tuple[str, ...], Spec]:
    rows: dict[tuple[str, ...], Spec] = {}
    for line in _TABLE.strip().splitlines():
        names, flags, valued, longs, operands = [*line.split("|"), "", "", "", ""][:5]
        for name in names.split(","):
            rows[tuple(name.split())] = spec_of(flags, valued, longs, operands)
    return rows


SUBCOMMANDS = _load()
PROGRAMS = frozenset(name for name, *_rest in SUBCOMMANDS)
_BEFORE = {
    "kubectl": ("-n", "--namespace", "--context"),
    "oc": ("-n",),
    "helm": ("-n",),
    "ip": (),
    "mysqladmin": ("-h", "-u", "-P"),
    "nmcli": ("-f", "-g", "-m", "--fields", "--get-values", "--mode"),
}
_BARE = {
    "ip": ("-4", "-6", "-s", "-br", "-c", "-o", "-d", "-j", "-p", "-h", "-brief", "-stats", "-details", "-oneline"),
    "git": ("--no-pager",),
    "bridge": ("-s", "-d", "-j", "-c"),
    "tc": ("-s", "-d", "-p"),
    "nmcli": ("-t", "-p", "--terse", "--pretty"),
    **dict.fromkeys(("yum", "dnf"), ("-q", "-v", "-C", "--quiet", "--showduplicates")),
    "systemctl": ("--no-pager", "-q", "-l"),
}


def subcommand(argv: Sequence[str]) -> tuple[Spec, list[str]] | None:
    """The row that fits best and the words after it; None where there is none."""
    name, rest = argv[0], list(argv[1:])
    before: list[str] = []
    while rest and rest[0].startswith("-"):
        is_login = name == "mysqladmin" and re.fullmatch(r"-p.*|--password(=.*)?", rest[0])
        if is_login or rest[0] in _BARE.get(name, ()):
            rest = rest[1:]
        elif rest[0] in _BEFORE.get(name, ()) and len(rest) > 1:
            before, rest = [*before, *rest[:2]], rest[2:]
        else:
            break
    words = [name, *rest]
    for length in (4, 3, 2, 1):
        spec = SUBCOMMANDS.get(tuple(words[:length]))
        if spec is not None:
            return spec, [" ".join(words[:length]), *before, *words[length:]]
    return None
