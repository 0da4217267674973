// Secrets go to the origins of the profile's own endpoints and to https on its hosts, nowhere else.

import Delegation

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Where the secrets of one provider may be sent.
struct PinnedOrigins: Sendable {
    private let origins: Set<Origin>
    private let hosts: Set<String>

    init(_ profile: ProviderProfile) {
        let hosts = Set(profile.hosts.map { $0.lowercased() })
        let endpoints: [String?] =
            switch profile.endpoints {
            case .oauth1(let one): [one.requestToken, one.authorize, one.accessToken, one.revocation]
            case .oauth2(let two): two.addresses
            }
        origins = Set(
            (endpoints + [profile.validationEndpoint]).compactMap { $0.flatMap(Origin.init) }
                // The home's own endpoints are where the daemon itself listens, whatever that host is called.
                .filter { profile.isHome || hosts.contains($0.host) })
        self.hosts = hosts
    }

    /// The origin of a URL that secrets may be sent to.
    ///
    /// - Throws: ``ProviderFailure/notPinned(host:)``.
    @discardableResult
    func check(_ url: String) throws(ProviderFailure) -> Origin {
        guard let origin = Origin(url) else { throw .notPinned(host: "") }
        let isPinned =
            origins.contains(origin) || (origin.scheme == "https" && origin.port == 443 && hosts.contains(origin.host))
        guard isPinned else { throw .notPinned(host: origin.host) }
        return origin
    }
}

/// Scheme, host and port of a URL that is https, or http that does not leave the machine.
struct Origin: Hashable, Sendable, CustomStringConvertible {
    let scheme: String
    /// Lower case; an IPv6 address in brackets.
    let host: String
    let port: Int

    /// The HTTP client splits URLs with the same function, so both agree on what the host is.
    init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "#") }),
            let url = URL(string: text), let scheme = url.scheme?.lowercased(), let host = url.host()?.lowercased(),
            !host.isEmpty, url.user() == nil, url.password() == nil
        else { return nil }
        let isLoopback = ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host)
        guard scheme == "https" || (scheme == "http" && isLoopback) else { return nil }
        self.scheme = scheme
        // Profiles write IPv6 hosts in brackets.
        self.host = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        port = url.port ?? (scheme == "https" ? 443 : 80)
    }

    var description: String { "\(scheme)://\(host):\(port)" }
}
