# NetInsight: gather what this Windows guest tells of its network. It changes nothing.
#
#   powershell -ExecutionPolicy Bypass -File collect.ps1 > FILE      everything, to standard output
#   ... -File collect.ps1 part N     part N of it, short enough for an agent that cuts long outputs; part 1 gathers it and
#                                   keeps it in the local application data of the account until `clean`
#   ... -File collect.ps1 clean      delete what is kept
#
# Told are names, addresses, ports, rules, routes and settings of the network; no key, no environment, no argument of a
# process. Each line of an output begins with `|`, so that nothing in it can pass for a line of this script.

$Arguments = @($args)
# ARGUMENTS
Set-StrictMode -Off
$ProgressPreference = 'SilentlyContinue'
$ErrorActionPreference = 'Stop'
$Utf8 = New-Object System.Text.UTF8Encoding $false
try { [Console]::OutputEncoding = $Utf8 } catch { }
$script:Told = New-Object System.Text.StringBuilder
$script:Count = 0

function Tell([string]$Line) { [void]$script:Told.Append($Line).Append("`n") }

# `#NAME COMMAND`, its output, `+LINES BYTES`, its errors after `!`, `=NAME STATUS`
function Section([string]$Name, [string]$Command, [scriptblock]$Run) {
    Tell "#$Name $Command"
    $status = 0; $lines = 0; $bytes = 0; $failed = ''
    try {
        $text = [string]((& $Run) -join "`n")
        foreach ($line in ($text -split "\r?\n")) {
            if ($line -eq '' -and $text -eq '') { continue }
            Tell "|$line"
            $lines += 1; $bytes += $Utf8.GetByteCount($line)
        }
    } catch { $status = 1; $failed = [string]$_ }
    Tell "+$lines $bytes"
    foreach ($line in ($failed -split "\r?\n")) { if ($line) { Tell "!$line" } }
    Tell "=$Name $status"
    $script:Count += 1
}

function Json($Rows) { ConvertTo-Json -Compress -Depth 4 -InputObject @($Rows) }
function ProcessName($Id) { try { (Get-Process -Id $Id).ProcessName } catch { '' } }

# --- the Windows firewall ------------------------------------------------------------------------------------------------
# The section `windows-firewall`: what windows-firewall.ps1 prints; `netinsight guest script` puts that file in here.

function Firewall {
    Set-StrictMode -Off  # older systems lack some of its properties
# WINDOWS-FIREWALL
}

# -------------------------------------------------------------------------------------------------------------------------

function Gather {
    Tell 'NETINSIGHT-GUEST/1 begin'
    Section 'windows' 'Get-CimInstance Win32_OperatingSystem, Win32_Processor' {
        $system = Get-CimInstance Win32_OperatingSystem
        $processors = @(Get-CimInstance Win32_Processor)
        $load = $processors | Measure-Object -Property LoadPercentage -Average
        $router = Get-ItemProperty 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters' -ErrorAction SilentlyContinue
        Json @([ordered]@{ Caption = $system.Caption; Version = $system.Version
                Architecture = [int]$processors[0].Architecture
                LoadPercentage = $load.Average; Forwarding = [bool]$router.IPEnableRouter })
    }
    Section 'get-netipaddress' 'Get-NetIPAddress' {
        Json (Get-NetIPAddress | ForEach-Object { [ordered]@{ InterfaceAlias = $_.InterfaceAlias
                    InterfaceIndex = $_.InterfaceIndex; AddressFamily = "$($_.AddressFamily)"; IPAddress = $_.IPAddress
                    PrefixLength = [int]$_.PrefixLength; PrefixOrigin = "$($_.PrefixOrigin)" } })
    }
    Section 'get-netadapter' 'Get-NetAdapter' {
        Json (Get-NetAdapter | ForEach-Object { [ordered]@{ Name = $_.Name; ifIndex = [int]$_.ifIndex
                    MacAddress = $_.MacAddress; Status = "$($_.Status)" } })
    }
    Section 'get-netipinterface' 'Get-NetIPInterface' {
        Json (Get-NetIPInterface | ForEach-Object { [ordered]@{ InterfaceAlias = $_.InterfaceAlias
                    InterfaceIndex = [int]$_.ifIndex; AddressFamily = "$($_.AddressFamily)"; Dhcp = "$($_.Dhcp)"
                    Forwarding = "$($_.Forwarding)" } })
    }
    Section 'get-netroute' 'Get-NetRoute' {
        Json (Get-NetRoute | ForEach-Object { [ordered]@{ DestinationPrefix = $_.DestinationPrefix; NextHop = $_.NextHop
                    RouteMetric = [int]$_.RouteMetric; InterfaceMetric = [int]$_.InterfaceMetric
                    InterfaceAlias = $_.InterfaceAlias; InterfaceIndex = [int]$_.InterfaceIndex } })
    }
    Section 'get-nettcpconnection' 'Get-NetTCPConnection -State Listen' {
        Json (Get-NetTCPConnection -State Listen | ForEach-Object { [ordered]@{ LocalAddress = $_.LocalAddress
                    LocalPort = [int]$_.LocalPort; State = 'Listen'; OwningProcess = [int]$_.OwningProcess
                    Process = (ProcessName $_.OwningProcess) } })
    }
    Section 'get-netudpendpoint' 'Get-NetUDPEndpoint' {
        Json (Get-NetUDPEndpoint | ForEach-Object { [ordered]@{ LocalAddress = $_.LocalAddress
                    LocalPort = [int]$_.LocalPort; OwningProcess = [int]$_.OwningProcess
                    Process = (ProcessName $_.OwningProcess) } })
    }
    Section 'termservice' 'Get-Service TermService' {
        $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp'
        Json @([ordered]@{ Running = ("$((Get-Service TermService).Status)" -eq 'Running')
                Port = [int](Get-ItemProperty $key).PortNumber })
    }
    Section 'windows-firewall' 'Get-NetFirewallProfile, Get-NetFirewallRule, Get-NetConnectionProfile' { Firewall }
    Tell "NETINSIGHT-GUEST/1 end $script:Count"
    $script:Told.ToString()
}

# --- parts -------------------------------------------------------------------------------------------------------------

function Pack([string]$Text) {
    $bytes = $Utf8.GetBytes($Text)
    $memory = New-Object System.IO.MemoryStream
    $gzip = New-Object System.IO.Compression.GZipStream $memory, ([System.IO.Compression.CompressionMode]::Compress)
    $gzip.Write($bytes, 0, $bytes.Length)
    $gzip.Close()
    ([Convert]::ToBase64String($memory.ToArray()) -replace '(.{76})', "`$1`n").TrimEnd("`n") + "`n"
}

# As `cksum` of POSIX counts it: two numbers, the sum and the length.
function Sum([string]$Text) {
    $crc = [uint32]0
    $bytes = New-Object System.Collections.Generic.List[byte]
    $bytes.AddRange([byte[]]$Utf8.GetBytes($Text))
    $length = $bytes.Count
    for ($rest = $length; $rest -gt 0; $rest = [math]::Floor($rest / 256)) { $bytes.Add([byte]($rest % 256)) }
    foreach ($byte in $bytes) {
        $crc = [uint32]($crc -bxor ([uint32]$byte * 16777216))
        for ($bit = 0; $bit -lt 8; $bit++) {
            $high = $crc -ge 2147483648
            $crc = [uint32](([uint64]$crc * 2) % 4294967296)
            if ($high) { $crc = [uint32]($crc -bxor 79764919) }
        }
    }
    "$([uint32](4294967295 - $crc)) $length"
}

function Part([int]$Number) {
    if ($Number -lt 1) { throw 'part N: N is a number from 1' }
    if ($Number -eq 1) { [IO.File]::WriteAllText($Kept, (Pack (Gather)), $Utf8) }
    if (-not (Test-Path $Kept)) { throw 'nothing is kept: part 1 comes first' }
    $text = [IO.File]::ReadAllText($Kept)
    $lines = $text.TrimEnd("`n") -split "`n"
    $size = 225
    $count = [int][math]::Ceiling($lines.Count / $size)
    if ($Number -gt $count) { throw "part ${Number}: there are $count" }
    "NETINSIGHT-GUEST/1 part $Number of $count $(Sum $text) gzip base64"
    $lines[(($Number - 1) * $size)..([math]::Min($Number * $size, $lines.Count) - 1)]
    "NETINSIGHT-GUEST/1 end of part $Number"
}

$Kept = Join-Path ([Environment]::GetFolderPath('LocalApplicationData')) 'netinsight-guest.txt'
if ($Arguments.Count -eq 0) { Gather }
elseif ($Arguments[0] -eq 'part' -and $Arguments.Count -eq 2) { Part ([int]$Arguments[1]) }
elseif ($Arguments[0] -eq 'clean') { Remove-Item -Force -ErrorAction SilentlyContinue $Kept }
else { throw 'usage: collect.ps1 [part N | clean]' }
