"""Programs whose very use is refused, by what they would do. What is in no table at all is an extra approval."""

_TABLE = {
    "destroys a disk or file system": """mkfs mke2fs mkswap wipefs blkdiscard sgdisk gdisk sfdisk cfdisk fdisk parted partprobe pvremove vgremove
        lvremove vgreduce lvreduce pvmove hdparm nvme badblocks debugfs tune2fs xfs_admin resize2fs cryptsetup shred srm wipe scrub
        losetup btrfs sg_format mkfs.ext4 rmvg rmlv rmfs reducevg extendvg format newfs dmsetup zap rmdev""",
    "stops the machine": "halt poweroff telinit killall5 kexec",
    "changes accounts or rights": """useradd adduser usermod userdel deluser groupadd groupmod groupdel gpasswd chpasswd newusers vipw vigr
        visudo chsh chfn pwconv pwunconv setcap mkuser chuser rmuser pwdadm""",
    "switches protection off": """setenforce setsebool aa-disable aa-teardown aa-complain auditd apparmor_parser iptables-restore
        ip6tables-restore nft ebtables""",
    "opens a channel or listener": """nc ncat netcat nc.traditional nc.openbsd socat cryptcat pwncat ngrok frpc chisel stunnel sbd
        websocat gotty ttyd""",
    "destroys data of a middleware": "kafka-topics.sh kafka-delete-records.sh dropdb cypher-shell zkCli.sh",
    "moves data out": "sftp ftp tftp lftp rclone s3cmd mail mailx sendmail mutt uuencode scp",
    "loads code into the kernel or a process": "insmod rmmod gdb ptrace strace ltrace bpftrace perf gcore crash dlv ld.so enable",
    "runs hidden code": "eval coproc busybox toybox xterm expect tclsh lua luajit osascript",
    "starts with other rights": "pkexec doas chroot unshare nsenter setpriv capsh newgrp sg runcon machinectl systemd-nspawn",
    "changes many hosts": "salt pssh pdsh pscp clush ansible ansible-playbook dsh fab cexec mco puppet chef-client",
    "cuts the network": "ifdown brctl tc",
    "schedules hidden work": "systemd-run",
}
BLOCKED = {name: reason for reason, names in _TABLE.items() for name in names.split()}
#: Only read: with these letters or words the same programs look.
READS = {
    "fdisk": ("-l",),
    "parted": ("-l",),
    "hdparm": ("-I", "-i"),
    "nvme": ("list", "smart-log"),
    "sfdisk": ("-l", "-d"),
    "tune2fs": ("-l",),
}
