// How long things last and how many there may be stands here once, with the question it answers; what belongs to one
// mechanism alone, such as a throttle, stands there.

package import FoundationEssentials
package import Sealing

/// How the home's own provider presents itself and how long things last.
package struct ServiceProviderConfiguration: Sendable {
    /// What pages call the home.
    package let homeName: String
    /// Scheme, host and port as browsers and apps see them, without a slash at the end; also the issuer.
    package let baseURL: String
    /// Scheme, host and port of the app API, without a slash at the end; the base URL, unless the API is reached under a
    /// name of its own.
    package var resourceURL: String
    /// What time is it?
    package let now: @Sendable () -> Date
    /// How long is the process running? Goes only forward.
    package var elapsed: @Sendable () -> Duration
    /// Is a cookie enough to approve something? Over plain http it is not: browsers send it to every port of the machine,
    /// so any program there that a browser visits, a client's own redirect listener to begin with, gets to see it.
    package var trustsCookies: Bool
    /// How long is an OAuth 2 access token good?
    package var accessTokenLifetime: Duration
    /// Which other values of `Host` are answered, such as a name of the same machine?
    package var furtherHosts: Set<String> = []
    /// How long is what a person allowed good, if it is not taken back?
    package var grantLifetime: Duration = .seconds(365 * 86400)
    /// After how long without use does a refresh token die?
    package var refreshIdleLimit: Duration = .seconds(90 * 86400)
    /// How much work is a password hash?
    package var passwordCost: Scrypt = .standard

    /// How long may a code take from the browser to the token endpoint?
    static let codeLifetime: Duration = .seconds(60)
    /// How long may a person take to decide about a request token, and how long to type the PIN?
    static let requestTokenLifetime: Duration = .seconds(600)
    /// How long may a person take to decide about a pushed request?
    static let pushedRequestLifetime: Duration = .seconds(600)
    /// How long may a person take to type a user code and decide?
    static let deviceCodeLifetime: Duration = .seconds(600)
    /// How far ahead may a client's assertion expire, in seconds? An hour, because Authlib's do.
    static let assertionLimit = 3600
    /// How many requests may one client have open at a time, pushed or by device?
    static let openRequestLimit = 50
    /// How many grants may one app have of one person at a time? The oldest make room.
    static let grantLimit = 50
    /// For how long does a replaced refresh token still give the one that replaced it?
    static let rotationGrace: Duration = .seconds(30)
    /// How long is a set-up code good?
    static let invitationLifetime: Duration = .seconds(600)
    /// How many wrong set-up codes take the right one away?
    static let invitationTries = 5
    /// How many verifiers may be guessed?
    static let verifierLimit = 5
    /// How far may a signed timestamp be off, in seconds?
    static let timestampWindow = 600
    /// After how long without use does a session end?
    static let sessionIdleLimit: Duration = .seconds(1800)
    /// After how long does a session end in any case?
    static let sessionLimit: Duration = .seconds(12 * 3600)
    /// How long ago may a person have typed the password to allow what can do harm?
    static let freshSignIn: Duration = .seconds(600)
    /// How long ago, when the client asks for signing in?
    static let promptedSignIn: Duration = .seconds(60)
    /// How long is a shown form good?
    static let formLifetime: Duration = .seconds(900)
    /// How many shown forms does one session keep?
    static let formLimit = 200
    /// How large may a request body be, in bytes?
    static let bodyLimit = 65536

    /// Names home and address.
    package init(
        homeName: String, baseURL: String, accessTokenLifetime: Duration = .seconds(600),
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.homeName = homeName
        self.baseURL = baseURL
        resourceURL = baseURL
        trustsCookies = baseURL.hasPrefix("https://")
        self.accessTokenLifetime = accessTokenLifetime
        self.now = now
        let start = ContinuousClock.now
        elapsed = { ContinuousClock.now - start }
    }

    /// Whether a `Host`, in lower case, is the one to ask for a path, with or without the scheme's own port.
    func isOwn(host: String, path: String) -> Bool {
        let isResource = path.hasPrefix("/api/") || path == "/.well-known/oauth-protected-resource"
        let given = bare(host)
        return given == bare(Self.authority(of: isResource ? resourceURL : baseURL))
            || furtherHosts.contains { bare($0) == given }
    }

    /// Whether an `Origin` is the base URL's, with or without the scheme's own port.
    func isOwn(origin: String) -> Bool { bare(origin) == bare(baseURL) }

    var isSecure: Bool { baseURL.hasPrefix("https://") }

    private static func authority(of url: String) -> String {
        (url.firstRange(of: "://").map { url[$0.upperBound...] } ?? "").prefix { $0 != "/" }.lowercased()
    }

    /// Browsers leave the scheme's own port out, and a base URL may name it.
    private func bare(_ text: String) -> String {
        let port = isSecure ? ":443" : ":80"
        return text.hasSuffix(port) ? String(text.dropLast(port.count)) : text
    }
}

extension Date {
    /// The instant a span later.
    func advanced(by span: Duration) -> Date {
        addingTimeInterval(Double(span.components.seconds) + Double(span.components.attoseconds) / 1e18)
    }

    /// The instant a span earlier.
    func before(_ span: Duration) -> Date { advanced(by: .zero - span) }

    /// Whole seconds since 1970.
    var unixSeconds: Int { Int(timeIntervalSince1970.rounded(.down)) }
}
