"""What sockets, sshd, DHCP clients, interfaces and processors tell, from the texts of many systems."""

from __future__ import annotations

from typing import Any

import pytest

from netinsight.guest.facts import Facts, facts_of
from netinsight.guest.lines import Problems, Written
from netinsight.guest.sections import Gathered, Section
from netinsight.guest.sockets import APART, DUAL, OLD_OR_NEW, listeners, read_sockets
from netinsight.guest.system import cpu_percent, os_of, read_sysctl, read_table_names

NEW_SS = """\
Netid State  Recv-Q Send-Q                   Local Address:Port   Peer Address:PortProcess
udp   UNCONN 0      0                        127.0.0.53%lo:53          0.0.0.0:*    users:(("systemd-resolve",pid=600,fd=13))
udp   UNCONN 0      0                 10.0.1.10%eth0:68          0.0.0.0:*    users:(("systemd-network",pid=598,fd=20))
udp   UNCONN 0      0      [fe80::216:3eff:fe00:1]%eth0:546            [::]:*    users:(("systemd-network",pid=598,fd=21))
tcp   LISTEN 0      128                            0.0.0.0:22          0.0.0.0:*    users:(("sshd",pid=800,fd=3)) ino:1 sk:2 <->
tcp   LISTEN 0      128                               [::]:22             [::]:*    users:(("sshd",pid=800,fd=4)) v6only:1 <->
tcp   LISTEN 0      511                         *:80                *:*    users:(("nginx",pid=9,fd=6),("nginx",pid=8,fd=6))
tcp   LISTEN 0      511                         *:80                *:*    users:(("nginx",pid=9,fd=7),("nginx",pid=8,fd=7))
tcp   LISTEN 0      50                  [::ffff:127.0.0.1]:8005              *:*    users:(("java",pid=77,fd=60))
"""
OLD_SS = """\
Netid  State      Recv-Q Send-Q     Local Address:Port       Peer Address:Port
tcp    LISTEN     0      128                    *:22                    *:*      users:(("sshd",1200,3))
tcp    LISTEN     0      128                   :::23                   :::*      users:(("in.telnetd",1201,4))
tcp    LISTEN     0      100            127.0.0.1:25                    *:*      users:(("master",1300,13))
"""
NETSTAT = """\
Active Internet connections (only servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name
tcp        0      0 127.0.0.1:25            0.0.0.0:*               LISTEN      1300/master
tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      1200/sshd: /usr/sbin
tcp6       0      0 :::80                   :::*                    LISTEN      77/java
udp        0      0 0.0.0.0:68              0.0.0.0:*                           600/dhclient
"""
WINDOWS_NETSTAT = """

Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    0.0.0.0:3389           0.0.0.0:0              ABHÖREN          1044
  TCP    10.0.1.10:49700        10.0.2.2:443           HERGESTELLT      4
  TCP    [::]:445               [::]:0                 ABHÖREN          4
  UDP    0.0.0.0:500            *:*                                     900
  UDP    [fe80::1%5]:1900       *:*                                     901
"""
GET_TCP = '[{"LocalAddress":"0.0.0.0","LocalPort":3389,"State":2,"OwningProcess":1044},' \
          '{"LocalAddress":"10.0.1.10","LocalPort":50000,"State":5,"OwningProcess":4}]'  # fmt: skip
GET_UDP = """
LocalAddress                             LocalPort
------------                             ---------
::                                       5355
0.0.0.0                                  5353
"""


def heard(text: str, protocol: str = "") -> tuple[list[str], list[str]]:
    problems = Problems()
    sockets = read_sockets(Written(text, "ss"), problems, protocol=protocol)
    assert problems.found == []
    told = [f"{one['protocol']} {one['address']}{'%' + one['interface'] if 'interface' in one else ''} {one['port']}"
            f"{' v6only' if one.get('v6only') else ''} {one.get('process', '-')}" for one in listeners(sockets)]  # fmt: skip
    return told, list(sockets.notes)


CASES = {
    "new ss": (NEW_SS, [
        "udp 127.0.0.53%lo 53 systemd-resolve", "udp 10.0.1.10%eth0 68 systemd-network",
        "udp fe80::216:3eff:fe00:1%eth0 546 systemd-network", "tcp 0.0.0.0 22 sshd", "tcp :: 22 v6only sshd",
        "tcp :: 80 nginx", "tcp 127.0.0.1 8005 java"], []),
    "old ss": (OLD_SS, ["tcp 0.0.0.0 22 sshd", "tcp :: 23 in.telnetd", "tcp 127.0.0.1 25 master"], []),
    "an ss that does not show its age": (OLD_SS.replace("                   :::23                   :::*", "  *:23  *:*"),
        ["tcp 0.0.0.0 22 sshd", "tcp 0.0.0.0 23 in.telnetd", "tcp 127.0.0.1 25 master"], [OLD_OR_NEW]),
    "netstat": (NETSTAT, ["tcp 127.0.0.1 25 master", "tcp 0.0.0.0 22 sshd", "tcp :: 80 java", "udp 0.0.0.0 68 dhclient"],
                [DUAL]),
    "netstat of a German Windows": (WINDOWS_NETSTAT, ["tcp 0.0.0.0 3389 -", "tcp :: 445 v6only -", "udp 0.0.0.0 500 -",
                                                      "udp fe80::1 1900 -"], [APART]),
    "Get-NetTCPConnection": (GET_TCP, ["tcp 0.0.0.0 3389 -"], []),
    "Get-NetUDPEndpoint": (GET_UDP, ["udp :: 5355 v6only -", "udp 0.0.0.0 5353 -"], [APART]),
    "nothing listens": (NEW_SS.splitlines()[0] + "\n", [], []),
    "no text": ("", [], []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_listening_sockets(name: str) -> None:
    text, told, notes = CASES[name]
    assert heard(text) == (told, notes)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("tcp LISTEN 0 1 1.2.3.4.5:22 0.0.0.0:*\n", 1, 16, "not an"),
        ("tcp LISTEN 0 1 1.2.3.4:99999 0.0.0.0:*\n", 1, 16, "port `99999`"),
        ("tcp LISTEN 0 1 1.2.3.4:22 0.0.0.0:*\nwhat is this line of words\n", 2, 1, "expected a socket"),
        ("State Recv-Q Send-Q Local\nLISTEN 0 1 1.2.3.4:22 0.0.0.0:*\n", 1, 1, "no column `Netid`"),
        ('[{"LocalPort": 3}]', 1, 2, "no `LocalAddress`"),
    ],
)
def test_a_line_that_is_no_socket_is_told_at_its_place(text: str, line: int, column: int, message: str) -> None:
    problems = Problems()
    read_sockets(Written(text, "ss"), problems)
    (found, *_) = problems.found
    assert (found.place.line, found.place.column) == (line, column)
    assert message in found.message or column == 16


def facts(**texts: str) -> Facts:
    names = {name.replace("_", "-"): text for name, text in texts.items()}
    sections = {name: Section(name, Written(text, name)) for name, text in names.items()}
    return facts_of(Gathered("here", "", sections))


SSHD_T = "port 22\npermitrootlogin without-password\nlistenaddress [::]:22\nlistenaddress 0.0.0.0:22\n"


@pytest.mark.parametrize(
    ("texts", "sshd"),
    [
        ({"sshd_T": SSHD_T, "processes": "sshd\n"},
         {"running": True, "ports": [22], "permit_root_login": "without-password", "missing_files": []}),
        ({"sshd_T": SSHD_T, "processes": ""},
         {"running": False, "ports": [22], "permit_root_login": "without-password", "missing_files": []}),
        ({"sshd_T": "port 22\nlistenaddress 10.0.0.1:2222\nlistenaddress [fd00::1]:2223\n"},
         {"ports": [2222, 2223], "missing_files": []}),
        # what listens now goes before what the file says: it was not started again since
        ({"sshd_T": SSHD_T, "ss": 'tcp LISTEN 0 1 0.0.0.0:2022 0.0.0.0:* users:(("sshd",pid=1,fd=3))\n'},
         {"running": True, "ports": [2022], "permit_root_login": "without-password", "missing_files": []}),
        ({"sshd_T": SSHD_T, "processes": "", "ss": 'tcp LISTEN 0 1 0.0.0.0:22 0.0.0.0:* users:(("systemd",pid=1,fd=3))\n'},
         {"running": True, "ports": [22], "permit_root_login": "without-password", "missing_files": []}),
        ({"processes": "", "ssh_files": "there /etc/ssh/sshd_config\nmissing /etc/ssh/ssh_host_rsa_key\n"},
         {"running": False, "missing_files": ["/etc/ssh/ssh_host_rsa_key"]}),
        ({"processes": "", "ssh_files": "there /etc/ssh/sshd_config\nmissing /etc/ssh/ssh_host_rsa_key\n"
          "there /etc/ssh/ssh_host_ed25519_key\n"}, {"running": False}),
    ],
)  # fmt: skip
def test_sshd(texts: dict[str, str], sshd: dict[str, Any]) -> None:
    found = facts(**{"sshd-T" if key == "sshd_T" else key: text for key, text in texts.items()})
    assert found.problems == []
    assert found.guest["sshd"] == sshd


def test_what_sshd_itself_misses_is_named() -> None:
    said = "it failed with status 255: Missing privilege separation directory: /run/sshd"
    sections = {"sshd-T": Section("sshd-T", Written(""), "sshd -T", said)}
    found = facts_of(Gathered("here", "", sections))
    assert found.guest["sshd"] == {"missing_files": ["/run/sshd"]}


ADDR = """\
1: lo: <LOOPBACK,UP> mtu 65536
    inet 127.0.0.1/8 scope host lo
2: eth0: <BROADCAST,UP> mtu 1500
    link/ether 00:16:3e:00:00:01 brd ff:ff:ff:ff:ff:ff
    inet 10.0.1.10/24 brd 10.0.1.255 scope global{} eth0
    inet 10.0.1.11/24 scope global secondary eth0
3: eth1: <BROADCAST,UP> mtu 1500
    link/ether 00:16:3e:00:00:02 brd ff:ff:ff:ff:ff:ff
"""


@pytest.mark.parametrize(
    ("dynamic", "texts", "dhcp"),
    [
        (" dynamic", {}, [True, None]),
        ("", {}, [None, None]),
        ("", {"processes": ""}, [False, False]),
        ("", {"processes": "systemd-network\n", "dhcp_leases": "2\n"}, [True, None]),
        ("", {"processes": "systemd-network\n", "dhcp_leases": ""}, [False, None]),
        ("", {"processes": "systemd-network\n"}, [None, None]),
        ("", {"processes": "dhclient\n", "dhcp_pids": "dhclient-eth0.pid\n"}, [True, None]),
        ("", {"processes": "udhcpc\n", "dhcp_pids": "udhcpc.eth1.pid\n"}, [None, True]),
        ("", {"processes": "NetworkManager\n", "nmcli": "GENERAL.DEVICE:eth0\nDHCP4.OPTION[1]:dhcp_server_identifier\n"
              "\nGENERAL.DEVICE:eth1\n"}, [True, None]),
        ("", {"processes": "NetworkManager\n", "nmcli": "GENERAL.DEVICE:eth0\n"}, [False, None]),
    ],
)  # fmt: skip
def test_dhcp(dynamic: str, texts: dict[str, str], dhcp: list[bool | None]) -> None:
    found = facts(ip_addr=ADDR.format(dynamic), **texts)
    assert found.problems == []
    first, second = found.guest["interfaces"]
    assert (first["ip"], first["prefix_length"], first["mac"]) == ("10.0.1.10", 24, "00:16:3e:00:00:01")
    assert (second["ip"], second["prefix_length"]) == (None, None)
    assert [first.get("dhcp"), second.get("dhcp")] == dhcp
    assert ("interfaces" in found.notes) == (None in dhcp)


def test_json_of_ip_is_read_as_its_text() -> None:
    text = '[{"ifindex":2,"ifname":"eth0","flags":["UP"],"link_type":"ether","address":"00:16:3e:00:00:01","addr_info":[' \
           '{"family":"inet","local":"10.0.1.10","prefixlen":24,"scope":"global","dynamic":true}]}]'  # fmt: skip
    assert facts(ip_addr=text).guest["interfaces"] == [
        {"name": "eth0", "mac": "00:16:3e:00:00:01", "ip": "10.0.1.10", "prefix_length": 24, "dhcp": True}
    ]


def test_windows() -> None:
    found = facts(
        windows='[{"Caption":"Microsoft Windows Server 2019 Datacenter","Version":"10.0.17763","Architecture":9,'
                '"LoadPercentage":12,"Forwarding":false}]',
        get_netipaddress='[{"InterfaceAlias":"Ethernet","InterfaceIndex":5,"AddressFamily":"IPv4","IPAddress":"10.0.1.10",'
                         '"PrefixLength":24},{"InterfaceAlias":"Loopback","InterfaceIndex":1,"AddressFamily":"IPv4",'
                         '"IPAddress":"127.0.0.1","PrefixLength":8}]',
        get_netadapter='[{"Name":"Ethernet","ifIndex":5,"MacAddress":"00-16-3E-00-00-01"}]',
        get_netipinterface='[{"InterfaceIndex":5,"AddressFamily":"IPv6","Dhcp":"Disabled"},'
                           '{"InterfaceIndex":5,"AddressFamily":"IPv4","Dhcp":"Enabled"}]',
        get_nettcpconnection=GET_TCP, get_netudpendpoint=GET_UDP, termservice='[{"Running":true,"Port":3389}]',
    )  # fmt: skip
    assert found.problems == []
    assert found.os == {"name": "Windows Server 2019 Datacenter", "version": "10.0.17763", "architecture": "x86_64"}
    assert found.load == {"cpu_percent": 12.0}
    assert found.guest["interfaces"] == [
        {"name": "Ethernet", "mac": "00-16-3E-00-00-01", "ip": "10.0.1.10", "prefix_length": 24, "dhcp": True}
    ]
    assert [one["port"] for one in found.guest["listening"]] == [3389, 5355, 5353]
    assert found.guest["sshd"] == {"running": True, "ports": [3389]}
    assert found.guest["ip_forward"] is False
    assert sorted(found.lacking) == ["routes", "windows_firewall"]


def test_the_time_of_processors() -> None:
    text = "cpu  100 0 100 700 100 0 0 0 50 0\ncpu  160 0 140 790 110 0 0 0 90 0\n"
    assert cpu_percent(Written(text), Problems()) == 50.0
    assert cpu_percent(Written(text.splitlines()[0] + "\n"), Problems()) is None
    problems = Problems()
    cpu_percent(Written(text.replace("790", "x"), "stat"), problems)
    assert [(one.place.line, one.place.column) for one in problems.found] == [(2, 16)]


def test_the_system_and_its_settings() -> None:
    assert os_of(Written('NAME="Alibaba Cloud Linux"\nVERSION_ID="3"\n'), Written("Linux 5.10 aarch64\n")) == {
        "name": "Alibaba Cloud Linux", "version": "3", "architecture": "arm64",
    }  # fmt: skip
    assert os_of(None, Written("Linux 5.10 x86_64\n")) == {}
    problems = Problems()
    known = read_sysctl(Written("net.ipv4.ip_forward = 1\nnet/ipv4/conf/eth0.10/rp_filter = 2\nwhat\n", "s"), problems)
    assert known == {("net", "ipv4", "ip_forward"): "1", ("net", "ipv4", "conf", "eth0.10", "rp_filter"): "2"}
    assert [str(one.place) for one in problems.found] == ["s:3:1"]
    assert read_table_names(Written("# no\n100 web # yes\n0x65 db\n"), Problems()) == {"web": 100, "db": 101}


def test_listening_on_tcp_alone_is_said() -> None:
    found = facts(get_nettcpconnection=GET_TCP)
    assert found.notes["listening"] == ["of TCP only: not gathered"]
