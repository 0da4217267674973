// A secret goes where an endpoint says, so an endpoint is https on a pinned host, loopback and the home's own excepted.

/// Reads URLs of a profile and holds them against the pinned hosts.
struct EndpointReader {
    let hosts: [String]
    /// What stands for the home's own addresses.
    let own: [String: String]
    /// What may stand as `{name}` behind the host; `nil` when the list itself is at fault.
    let variables: [String]?
    /// Off when the list of hosts itself is at fault, so that one mistake is reported once.
    let checksHosts: Bool

    func read(_ section: StrictSection, _ key: String, required: Bool = true) -> String? {
        let allowed = "an https URL on one of the hosts \(hosts.joined(separator: ", ")) (http on loopback only)"
        return section.parsed(key, required: required, allowed: allowed) { text in
            let mark = own.keys.first { text.hasPrefix($0) }
            let path = text.dropFirst(mark?.count ?? 0)
            // What follows must not be able to continue the host's name or its port.
            guard mark == nil || path.isEmpty || path.hasPrefix("/") || path.hasPrefix("?") else { return nil }
            let url = mark.flatMap { own[$0] }.map { $0 + path } ?? text
            guard let (scheme, host) = schemeAndHost(url) else { return nil }
            let loopback = ["127.0.0.1", "localhost", "[::1]"].contains(host)
            guard scheme == "https" || (scheme == "http" && loopback), !host.contains("{"), holdsOnlyVariables(url)
            else { return nil }
            return !checksHosts || hosts.contains(host) || mark != nil ? url : nil
        }
    }

    /// Whether every brace belongs to a variable of the profile.
    private func holdsOnlyVariables(_ url: String) -> Bool {
        guard let variables else { return true }
        let rest = variables.reduce(url) { rest, name in
            // No name has a digit in it, so what is left of a variable never makes another one.
            rest.split(separator: "{\(name)}", omittingEmptySubsequences: false).joined(separator: "0")
        }
        return !rest.contains { $0 == "{" || $0 == "}" }
    }

    private func schemeAndHost(_ url: String) -> (scheme: String, host: String)? {
        guard let end = url.firstRange(of: "://") else { return nil }
        let rest = url[end.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.contains("@"), url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !url.contains("#")
        else { return nil }
        let host: Substring
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = authority[...close]
        } else {
            host = authority.prefix { $0 != ":" }
        }
        let port = authority.dropFirst(host.count)
        guard port.isEmpty || UInt16(port.dropFirst()).map({ ":\($0)" == port }) == true else { return nil }
        return (url[..<end.lowerBound].lowercased(), host.lowercased())
    }
}
