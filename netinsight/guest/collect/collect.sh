#!/bin/sh
# NetInsight: gather what this Linux guest tells of its network. It changes nothing, and needs sh, awk and sed.
#
#   sh collect.sh > FILE      everything, to standard output
#   sh collect.sh part N      part N of it, short enough for an agent that cuts long outputs; part 1 gathers it and keeps it
#                             in /run (or the home folder) until `clean`
#   sh collect.sh clean       delete what is kept
#
# Told are names, addresses, ports, rules, routes and settings of the network; no key, no environment, no argument of a
# process. Each line of an output begins with `|`, so that nothing in it can pass for a line of this script.

set -u
umask 077
LC_ALL=C
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export LC_ALL PATH
# ARGUMENTS

lines() {
    awk '{ sub(/\r$/, ""); n += length($0); print "|" $0 } END { printf "+%d %d\n", NR, n }'
}

# section NAME COMMAND...: `#NAME COMMAND`, its output, `+LINES BYTES`, its errors after `!`, `=NAME STATUS`
section() {
    name=$1
    shift
    printf '#%s %s\n' "$name" "$*"
    told=$({ { "$@" </dev/null 2>&3 3>&- 4>&-; printf '\n=%s' "$?" >&3; } | lines >&4; } 3>&1)
    printf '%s\n' "${told%=*}" | sed -e '/^$/d' -e 's/^/!/'
    printf '=%s %s\n' "$name" "${told##*=}"
    count=$((count + 1))
}

# the functions below are commands of sections

files() {  # print those that are there
    found=1
    for file; do
        if [ -f "$file" ]; then cat "$file" && found=0; fi
    done
    [ "$found" = 0 ] || echo "no such file: $*" >&2
    return "$found"
}

presence() {  # names only
    for file; do
        if [ -e "$file" ]; then echo "there $file"; else echo "missing $file"; fi
    done
}

programs() {
    for program; do
        if command -v "$program" >/dev/null 2>&1 || [ -e "/lib/systemd/$program" ] || [ -e "/usr/lib/systemd/$program" ]; then
            echo "$program"
        fi
    done
}

running() {  # which of some programs run, by their names
    [ -r /proc/self/comm ] || { echo "no /proc" >&2; return 1; }
    for program; do
        for file in /proc/[0-9]*/comm; do
            if { read -r name <"$file"; } 2>/dev/null && [ "$name" = "$program" ]; then echo "$program"; break; fi
        done
    done
}

sshd_settings() {
    program=$(command -v sshd) || { echo "sshd: not found" >&2; return 127; }
    settings=$("$program" -T) || return
    printf '%s\n' "$settings" | sed -n -e '/^port /p' -e '/^listenaddress /p' -e '/^permitrootlogin /p'
}

leases() {  # the numbers of interfaces
    [ -d /run/systemd/netif ] || { echo "no systemd-networkd" >&2; return 1; }
    ls /run/systemd/netif/leases 2>/dev/null || :
}

pid_files() {  # names only
    ls /run | sed -n -e '/^dhclient.*\.pid$/p' -e '/^dhcpcd.*\.pid$/p' -e '/^udhcpc.*\.pid$/p'
}

managed() {  # interfaces, and whether each has a lease
    command -v nmcli >/dev/null || { echo "nmcli: not found" >&2; return 127; }
    nmcli -t -f GENERAL.DEVICE,DHCP4 device show |
        sed -n -e '/^GENERAL\.DEVICE:/p' -e 's/^\(DHCP4[^:]*:dhcp_server_identifier\) .*/\1/p'
}

settings() {
    cd /proc/sys || return
    grep '' net/ipv4/ip_forward net/ipv6/conf/all/forwarding net/ipv6/bindv6only net/ipv4/conf/*/rp_filter \
        net/ipv4/conf/*/forwarding net/ipv4/conf/*/accept_local net/ipv4/conf/*/route_localnet \
        net/ipv4/conf/*/src_valid_mark net/ipv4/conf/*/ignore_routes_with_linkdown \
        net/ipv6/conf/*/ignore_routes_with_linkdown net/ipv6/conf/*/disable_ipv6 2>/dev/null | sed 's/:/ = /'
}

processors() {  # their time, twice, a second apart
    head -n 1 /proc/stat && sleep 1 && head -n 1 /proc/stat
}

gather() {
    count=0
    echo "NETINSIGHT-GUEST/1 begin"
    section uname uname -srm
    section os-release cat /etc/os-release
    section ip-addr ip addr
    section ip-rule ip rule
    section ip6-rule ip -6 rule
    section ip-route ip -4 route show table all
    section ip6-route ip -6 route show table all
    section rt_tables files /etc/iproute2/rt_tables /usr/share/iproute2/rt_tables /etc/iproute2/rt_tables.d/*.conf
    section iptables-save iptables-save
    section ip6tables-save ip6tables-save
    section ipset-save ipset save
    section nft nft -j list ruleset
    section ss ss -lntupe
    [ "${told##*=}" = 0 ] || section netstat netstat -lntuW
    section processes running sshd dropbear dhclient dhcpcd udhcpc NetworkManager systemd-network wickedd-dhcp4 connmand
    section sshd-T sshd_settings
    section ssh-files presence /etc/ssh/sshd_config /usr/etc/ssh/sshd_config /etc/ssh/ssh_host_rsa_key \
        /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ed25519_key
    section dhcp-clients programs dhclient dhcpcd udhcpc NetworkManager systemd-networkd wickedd-dhcp4 connmand
    section dhcp-leases leases
    section dhcp-pids pid_files
    section nmcli managed
    section sysctl settings
    section load processors
    echo "NETINSIGHT-GUEST/1 end $count"
}

# --- parts -------------------------------------------------------------------------------------------------------------

packed() {
    if command -v gzip >/dev/null; then gzip; else cat; fi
}

written() {  # in lines of letters that no agent changes
    if command -v base64 >/dev/null; then base64; else od -An -v -tx1; fi
}

part() {
    case $1 in '' | 0* | *[!0-9]*) echo "part N: N is a number from 1" >&2; return 2 ;; esac
    encoding=$(command -v gzip >/dev/null && printf 'gzip ')$(if command -v base64 >/dev/null; then echo base64; else echo hex; fi)
    if [ "$1" = 1 ]; then
        gather 4>&1 | packed | written >"$kept.new" && mv -f "$kept.new" "$kept" || return 1
    fi
    [ -f "$kept" ] || { echo "nothing is kept: part 1 comes first" >&2; return 1; }
    size=225
    count=$((($(wc -l <"$kept") + size - 1) / size))
    [ "$1" -le "$count" ] || { echo "part $1: there are $count" >&2; return 1; }
    sum=$(cksum <"$kept")
    echo "NETINSIGHT-GUEST/1 part $1 of $count $sum $encoding"
    sed -n "$((($1 - 1) * size + 1)),$(($1 * size))p" "$kept"
    echo "NETINSIGHT-GUEST/1 end of part $1"
}

command -v awk >/dev/null && command -v sed >/dev/null || { echo "this needs awk and sed" >&2; exit 3; }
if [ -d /run ] && [ -w /run ]; then kept=/run/netinsight-guest; else kept=${HOME:-.}/.netinsight-guest; fi
case ${1-} in
'') exec 4>&1 && gather ;;
part) part "${2-}" ;;
clean) rm -f "$kept" "$kept.new" ;;
*) echo "usage: sh collect.sh [part N | clean]" >&2; exit 2 ;;
esac
