"""The table of verbs: programs that only look, or whose change is routine, with the options that keep it so.

name(s) | letters | letters with a value (`x:kind`) | long options (`name=kind`) | operands

Kinds: x any text, l fixed text, t a tame word, n a number, m the name of a file (its content isn't shown), r a file that is
shown, R a tree that is shown, o where output goes, w a file of the application that is changed. `#` allows `-20`. An option
that isn't here is an extra approval. To add a verb, add its line and routine and dangerous lines to the tests.
"""

from execution.command_check.options import Spec, spec_of

_TABLE = """
ls|aAbBcCdfFgGhHiklLmnNopqQrRsStTuUvxXZ1||all almost-all color=x? full-time human-readable time-style=x sort=x time=x group-directories-first reverse recursive size si block-size=x directory inode classify numeric-uid-gid no-group author context hide=x ignore=x quoting-style=x almost-all|m*
less,zless,bzless,xzless,zmore|#eEfFgGiIJKLmMnNqQrRsSwWX||chop-long-lines|r*
cat|AbeEnstTuv||number show-all number-nonblank|r*
tac,rev|rs|||r*
head|#qvz|nc:x|lines=x bytes=x quiet verbose|r*
tail|#+fFqvrz|nc:x s:n|lines=x bytes=x follow=x? retry pid=t sleep-interval=n quiet verbose|r*
more,pg|+cdfsu#|n:n||r*
zcat,gzcat,bzcat,xzcat|fqv|||r*
wc|clLmw||lines words bytes chars max-line-length|r*
nl|p|bdfhilnsvw:x|body-numbering=x|r*
cut|sz|bcdf:l|delimiter=l fields=l characters=l bytes=l complement output-delimiter=l only-delimited|r*
tr|cCdst||delete squeeze-repeats complement|x x
sort|bcCdfgghiMmnRrsuVz|k:x t:x S:x|key=x field-separator=x numeric-sort reverse unique human-numeric-sort version-sort general-numeric-sort check=x? stable|r*
uniq|cdDiuz|fsw:n|count repeated unique ignore-case skip-fields=n|r
comm|123||nocheck-order|r r
join|i|12atevo:x||r r
paste|sz|d:x|delimiters=x serial|r*
column,expand,unexpand,fold,fmt|teisn|c:n s:x w:n t:x|table separator=x|r*
diff,sdiff|abBcdEiNqrstTuwy|UCW:n x:x|brief unified=n? recursive side-by-side suppress-common-lines ignore-all-space ignore-space-change ignore-blank-lines color=x? width=n exclude=x|r r
cmp|s|n:n|silent quiet|m m
zdiff,zcmp|qu|||r r
iconv|cls|ft:l|from-code=l to-code=l list|r*
xxd|bpiuE|lscg:n|len=n|r
od,hexdump,hd|Cbcdovx|ANjnstwelnlgs:x|address-radix=x format=x|r*
strings|aftw|n:n e:x|all bytes=n|r*
base64|i|w:n|wrap=n|r
file|bhiLsz||brief mime mime-type dereference|m*
stat|fLtx|c:x|format=x printf=x dereference file-system terse|m*
md5sum,sha1sum,sha224sum,sha256sum,sha384sum,sha512sum,b2sum,cksum,sum,shasum|bctwrs|a:n|check status quiet strict tag ignore-missing|m*
csum|h|h:x||m*
du|aAbcDghHklLmPsSx0|d:n t:x|all apparent-size bytes total human-readable summarize max-depth=n one-file-system exclude=x time=x? threshold=x|m*
df|aghHiIklmPTtv|tx:x B:x|all human-readable inodes local portability print-type type=x exclude-type=x total block-size=x output=x?|m*
bdf|bil|t:x||m*
basename,dirname|az|s:x|multiple suffix=x|x*
readlink,realpath|efmnqsvz||canonicalize canonicalize-existing no-newline relative-to=m|m*
namei|lmovx||long|m*
pwd|LP|||
tree|adfghilpsuDFtrCNqv|LPI:x|du dirsfirst noreport|m*
getfacl|acdneRptLP||omit-header|m*
print|neE|||x*
printf||||x*
mountpoint|qdx||quiet|m
mktemp|dqut|p:w|directory quiet tmpdir=w|w
alias||||
shopt|pq|||t*
zstd,lz4,lzop|lqtv||list test|!l,t,list,test m*
cpio|itvn||list quiet verbose|!t,list
mysqldumpslow|rlv|s:t t:n|verbose reverse|r*
mysqlcheck|csmqv|h:H u:t P:n|check quick fast medium-check host=H user=t port=n|!c,check t*
pg_restore|lv||list|!l,list r
repquota|asuvgi|||m*
semodule|l|||!l
restorecon|nvRrF|||!n m*
matchpathcon|Vn|||m*
getcap|rv|||m*
iftop|tnNPbB|i:l s:n L:n||!t
nethogs|tav|c:n d:n||!t l*
true,false,:,wait|||| x*
sleep,usleep||||n*
seq|w|fs:x||n*
date|uRI|d:x r:m|date=x utc iso-8601=x? rfc-3339=x reference=m universal|F
cal,ncal|13jmy|AB:n||n*
uptime|psV||pretty since|
hostname|adfIiAsy||fqdn short ip-address all-ip-addresses domain long|
uname|aimnoprsvFxLM||all kernel-name kernel-release machine nodename|
arch,nproc,tty,logname,whoami,clear|||all|
id,groups|agGnruzM|||t*
who,w,users|abdHhilmpqrstTuwfo|||l*
last,lastb,lastlog|#adFiwxRb|f:r n:n s:x t:x u:t|since=x until=x fulltimes limit=n|t*
getent||||N h*
getconf|a|||x*
zipinfo|12slmhtTzZ|||m x*
istat||||m
hwclock|r||show|!r,show
free|bkmgtwhlvV|s:n c:n|human mega giga kilo total wide si seconds=n count=n|
vmstat|adfmnstwivzSI|S:x p:x|stats active unit=x wide|n*
iostat|cdhkmNptxyzTsalDVEenCMi|jp:x|human|t*
mpstat|AuVnT|IPon:x||t*
sar|ABbCdFHhqRrSuvWwyp|n:x P:x s:x e:x f:m i:n m:x j:x I:x|human iface=x dev=x|n*
pidstat|dHhIlRrstUuvwV|p:t C:x U:t T:x G:x||n*
numastat|cmnpsvz|p:t||t*
nmon|V|||
top,topas|bcHiSsPan|n:n p:t d:n u:t U:t o:x w:n||
iotop|boPatqk|n:n d:n p:t u:t|batch only iter=n|
htop|CtHMV|u:t p:t d:n s:x||
atop|aAmdncvpuysglfFGR1|r:m L:n P:x b:x e:x||n*
pgrep|acflnovwxiL|d:x u:t U:t P:t t:x g:t s:t G:t F:m|list-full full count exact newest oldest parent=t|x*
pidof|sxq|o:t||t*
pstree|aAcglnNpstuUThGZ|H:t||t*
lsof|abCFhlnNOPRtUvVxX|i:x? p:t u:t c:x d:x s:x g:t o:n r:n T:x f:x|i=x? iTCP sTCP=x|m*
fuser|aclmuv4|n:x||m*
pmap|dqxX|A:x||t*
pldd,pwdx,ptree,pstack,procstack,procwdx,procfiles,proctree,pflags,pfiles|anFc|||t*
netstat|aceFgiIlLMnNopPrsStTuvwWxVdm46|Af:x I:x p:x|all numeric tcp udp listening programs statistics route interfaces|t*
ss|0146abeEhHiIlmnNoOprstTuVwWxZ|f:x A:x|listening numeric tcp udp processes summary all info options extended|l*
ping,ping6|46aDdhLnOqrRUvV|c:n i:d I:l m:l M:l p:l Q:l s:n S:l t:n w:n W:n||l t*
traceroute,traceroute6,tracepath,tracert,tcptraceroute|46bdFInrTUVx|fmqtwpszgi:l||l n
mtr|46bcenrRwzTu|c:n i:n o:x s:n P:n m:n f:n|report report-wide report-cycles=n no-dns tcp port=n|l
nslookup||t:l|type=l query=l timeout=n debug|l l
host|aCdrTvwsU46|t:l W:n c:l R:n||l l
arp|aenv|i:x||l*
ethtool|SikdgacT|||l
lsblk|abdfilmnpPrstSDJOzT|oeIMx:x|all output=x fs bytes paths nodeps|m*
blkid|liko|s:x o:x||m*
findmnt|abcDefFiJlmnoPrstuRv|O:x S:x T:m o:x t:x|target=m df output=x|m*
lscpu,lsmod,lspci,lsusb,lsipc,lsns,lslocks,lsscsi,dmidecode,prtdiag,psrinfo,sestatus,getenforce|aebcCJxykmnvtpqs|t:x s:x d:x||
lshw|q|C:x c:x|short businfo sanitize numeric class=x quiet json|
pargs|alc|||t*
modinfo||F:x||l
dmesg|eHhkLPrTtuxwd|f:x l:x s:n|level=x facility=x human ctime since=x until=x|
ipcs|abclmopqstu|i:n||
nm,size,readelf|aADghlSsuvrnpe|||m*
ldd|druv|||P*
jps|lmqvV|||
jstack,jstackd|el|||t
jinfo|||flag=a flags|!flag,flags t
jstat||h:n|gc gcutil gccapacity gcnew gcold gccause gcmetacapacity class compiler options|t t t
locate,plocate,mlocate|bceiAq0w|n:n l:n r:x|count ignore-case basename existing limit=n regex|x*
ssh-keygen|lv|f:r E:t||!l
which,whereis,type,whatis,apropos|abmps|||t*
man|afiks|S:x|locale=x|M*
help,info||||M*
ulimit|aHSbcdefilmnpqrstuvx|||
umask|pS|||
jobs,dirs,times,locale,lsinitrd|alnprsv|||
lsvg,lspv,lslv,lsfs,lsdev,lscfg,lsattr,lslpp,lssrc,lsps,lsuser,lsgroup,lsitab,lparstat,lsnim,lsrole,lsmksysb,lslicense,lsrpnode,lsvpcfg,lspath|aAcCdDEFHhiIlLmMopPqrRsStTvVwu|lcFsntpga:x||t*
oslevel|sgrqf|l:x||
errpt|aAgidt|jJsedNTS:x||
entstat|d|||t
nfsstat|cnsrm4|||
svmon|Ggimnsrl|POUCS:x||t*
prtconf,prtpicl,swap,kmstat,machinfo,model,swapinfo,ioscan,vxprint,diskinfo,kctune,isainfo,showrev,kstat,cfgadm|abcdefghikKlLmMnNprsStvx|C:x p:x D:x||
prstat|acJLmRtTvZH|nkpPsSu:x||n*
svcs|aDdHlnpvxZ|o:x R:x s:x S:x||t*
instfix|iv|k:x||!i
glance,mp,sam|||version|
swlist|lavdisR|l:x a:x||t*
pkginfo,pkg_info|ilxq|||t*
ntpq,ntpstat,ntpdc|ncp|||
chkrootkit||||
named-checkconf,named-checkzone|jz|||r*
xmllint|||noout nonet format huge xpath=x|r*
showmount|ade|||H
exportfs|v||!v
sshd|tT|||!t,T
visudo|cq|||!c
logger|is|p:f t:T|priority=f tag=T|l*
expr||||x*
bc|lqs|||
factor|||| n
go,gcc,mvn,gradle,ant|v||version|!v,version
tnsping,db2level||||l n
pg_isready|q|h:H p:n d:A U:l t:n|host=H port=n dbname=A username=l timeout=n|
lsb_release|acdirs||all description release|
aa-status|||version|
tput|||| l*
lslogins|acefgGLlmnrsuzZ|l:t|user-accs=x?|t
prlimit||p:t|pid=t|
iptables-save,ip6tables-save|c|t:t||
conntrack|LCSn|psdf:l||
ipvsadm|Lnc|||!L
systemd-detect-virt|cvq|||
systemd-cgtop|bcmpit|nd:n|batch iterations=n|
virt-what,nvidia-smi|L|||
blockdev|||getsize64 getsz getss getbsz getro report|m
arping|DfqV|cw:n I:l||l
iscsiadm||m:l P:n|mode=l print=n|
systool|v|cbm:l||
hwinfo|||short cpu memory disk network|
clstat|o|||!o
lsmem|abJnPr|o:x|summary=x? all output=x|
numactl|Hs||hardware show|!H,s,hardware,show
xfs_info,prtvtoc,pg_controldata||||m
needs-restarting|rs|||
runlevel,zonename,lanscan,cubrid_rel,sysdef,kcusage,ocrcheck,fmstat,psrset,pooladm,clRGinfo,cldump,sensors||||
quota|svug|||t*
zdump|v|c:x||m*
rpcinfo|ps|||H
slabtop|o|s:x|once sort=x|!o,once
dumpe2fs|h|||!h m
getfattr|d|n:x||m*
lsmpio,lsconf,lsmcode,lsfware,lppchk,lsresource,lscluster,lsnfsexp,fcstat,getlvcb|acdDefgilmoqrstv|l:x||t*
emgr|lv|L:t||!l
sysdumpdev|le|||!l,e
vmo,no,ioo,schedo,nfso,lvmo|aFLx|o:S v:t||!a,L,x,o
cmviewcl|v|f:x n:t p:t||
setboot,metadb|v||
lvlnboot|v|||!v m*
metastat|acipt|||t*
fmdump|eVv|u:t||
svcprop||p:t||t*
olsnodes|nisctva|||t
tbboot|v|||!v
wscfl|||version|!version
read|rs|p:x t:n n:n||I*
"""


def _load() -> dict[str, Spec]:
    verbs: dict[str, Spec] = {}
    for line in _TABLE.strip().splitlines():
        names, flags, valued, longs, operands = [*line.split("|"), "", ""][:5]
        for name in names.split(","):
            verbs[name] = spec_of(flags, valued, longs, operands)
    return verbs


VERBS = _load()
