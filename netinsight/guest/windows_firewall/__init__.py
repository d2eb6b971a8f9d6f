"""The rules of a Windows firewall as PowerShell exports them, and what it does with a packet under them."""

from netinsight.guest.windows_firewall.firewall import WindowsFirewall
from netinsight.guest.windows_firewall.reader import Telling, is_windows_firewall, read_export

__all__ = ["Telling", "WindowsFirewall", "is_windows_firewall", "read_export"]
