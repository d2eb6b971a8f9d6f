# The Windows firewall of this machine as JSON, for `netinsight guest firewall`. It reads, and changes nothing.
# Every kind of filter is fetched once and joined by InstanceID: to ask for the filters of each rule takes minutes.
$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = [Text.Encoding]::UTF8
$store = 'ActiveStore'

function ById($objects) {
    $found = @{}
    foreach ($one in $objects) { $found[$one.InstanceID] = $one }
    $found
}

$address = ById (Get-NetFirewallAddressFilter -All -PolicyStore $store)
$port = ById (Get-NetFirewallPortFilter -All -PolicyStore $store)
$application = ById (Get-NetFirewallApplicationFilter -All -PolicyStore $store)
$service = ById (Get-NetFirewallServiceFilter -All -PolicyStore $store)
$interface = ById (Get-NetFirewallInterfaceFilter -All -PolicyStore $store)
$interfaceType = ById (Get-NetFirewallInterfaceTypeFilter -All -PolicyStore $store)
$security = ById (Get-NetFirewallSecurityFilter -All -PolicyStore $store)

$rules = foreach ($rule in Get-NetFirewallRule -All -PolicyStore $store -TracePolicyStore) {
    $id = $rule.InstanceID
    if (-not ($address[$id] -and $port[$id] -and $application[$id] -and $service[$id] -and
            $interface[$id] -and $interfaceType[$id] -and $security[$id])) {
        throw "the rule $id has no filters: the rules changed while they were read, run it again"
    }
    [pscustomobject][ordered]@{
        Name = $rule.Name
        DisplayName = $rule.DisplayName
        Enabled = "$($rule.Enabled)"
        Profile = "$($rule.Profile)"
        Direction = "$($rule.Direction)"
        Action = "$($rule.Action)"
        EdgeTraversalPolicy = "$($rule.EdgeTraversalPolicy)"
        Platform = @($rule.Platform)
        Owner = $rule.Owner
        PolicyStoreSource = $rule.PolicyStoreSource
        PolicyStoreSourceType = "$($rule.PolicyStoreSourceType)"
        LocalAddress = @($address[$id].LocalAddress)
        RemoteAddress = @($address[$id].RemoteAddress)
        RemoteDynamicKeywordAddresses = @($address[$id].RemoteDynamicKeywordAddresses)
        Protocol = "$($port[$id].Protocol)"
        LocalPort = @($port[$id].LocalPort)
        RemotePort = @($port[$id].RemotePort)
        IcmpType = @($port[$id].IcmpType)
        DynamicTarget = "$($port[$id].DynamicTarget)"
        Program = $application[$id].Program
        Package = $application[$id].Package
        Service = $service[$id].Service
        InterfaceAlias = @($interface[$id].InterfaceAlias | ForEach-Object { "$_" })
        InterfaceType = "$($interfaceType[$id].InterfaceType)"
        Authentication = "$($security[$id].Authentication)"
        Encryption = "$($security[$id].Encryption)"
        OverrideBlockRules = [bool]$security[$id].OverrideBlockRules
        LocalUser = $security[$id].LocalUser
        RemoteUser = $security[$id].RemoteUser
        RemoteMachine = $security[$id].RemoteMachine
    }
}

$profiles = foreach ($one in Get-NetFirewallProfile -All -PolicyStore $store) {
    [pscustomobject][ordered]@{
        Name = $one.Name
        Enabled = "$($one.Enabled)"
        DefaultInboundAction = "$($one.DefaultInboundAction)"
        DefaultOutboundAction = "$($one.DefaultOutboundAction)"
        AllowInboundRules = "$($one.AllowInboundRules)"
        AllowLocalFirewallRules = "$($one.AllowLocalFirewallRules)"
        DisabledInterfaceAliases = @($one.DisabledInterfaceAliases)
    }
}

# What the keywords LocalSubnet, DefaultGateway and DNS mean here; a kind of interface that is none of these stays null.
$kinds = @{ 6 = 'Wired'; 71 = 'Wireless'; 23 = 'RemoteAccess' }
$connections = foreach ($one in Get-NetConnectionProfile) {
    $index = $one.InterfaceIndex
    $adapter = Get-NetAdapter -InterfaceIndex $index -ErrorAction SilentlyContinue
    [pscustomobject][ordered]@{
        InterfaceAlias = $one.InterfaceAlias
        NetworkCategory = "$($one.NetworkCategory)"
        InterfaceType = if ($adapter) { $kinds[[int]$adapter.InterfaceType] } else { $null }
        Addresses = @(Get-NetIPAddress -InterfaceIndex $index | ForEach-Object { "$($_.IPAddress)/$($_.PrefixLength)" })
        Gateways = @(Get-NetRoute -InterfaceIndex $index -ErrorAction SilentlyContinue |
                Where-Object { $_.DestinationPrefix -in '0.0.0.0/0', '::/0' } | ForEach-Object { $_.NextHop })
        DnsServers = @(Get-DnsClientServerAddress -InterfaceIndex $index | ForEach-Object { $_.ServerAddresses })
    }
}

[ordered]@{ store = $store; profiles = @($profiles); rules = @($rules); connections = @($connections) } |
    ConvertTo-Json -Depth 5
