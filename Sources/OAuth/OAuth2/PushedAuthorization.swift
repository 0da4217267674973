// A pushed request is known by a name that nobody can guess, for a short while, and to the client that pushed it.

package import StrictJSON

/// Pushed authorisation requests (RFC 9126).
package enum PushedAuthorization {
    /// What the name of a pushed request begins with (§2.2); the rest is random.
    package static let prefix = "urn:ietf:params:oauth:request_uri:"
}

/// The reply to a pushed authorisation request (RFC 9126 §2.2), the same value on both sides.
package struct PushedAuthorizationReply: Sendable, Equatable {
    /// What the browser is sent to the authorisation endpoint with, beside `client_id`.
    package let requestURI: String
    /// Seconds for which it is good.
    package let expiresIn: Int

    /// Gathers a reply.
    package init(requestURI: String, expiresIn: Int) {
        self.requestURI = requestURI
        self.expiresIn = expiresIn
    }

    /// The body a server answers with, with status 201 and `Cache-Control: no-store`.
    package var json: JSON { ["request_uri": .string(requestURI), "expires_in": .integer(Int64(expiresIn))] }

    /// Reads a reply.
    ///
    /// - Parameters:
    ///   - status: The HTTP status; some servers answer 200 for 201.
    ///   - contentType: The `Content-Type` header, which must be JSON's.
    ///   - body: The whole body.
    /// - Returns: The reply; `expires_in` lies between a second and a day.
    /// - Throws: ``OAuthError/unsuccessful`` for another status, whose body ``TokenError`` reads; others when this is no
    ///   reply.
    package static func parse(
        status: Int, contentType: String?, body: [UInt8]
    ) throws(OAuthError) -> PushedAuthorizationReply {
        guard status == 201 || status == 200 else { throw .unsuccessful }
        guard mediaType(contentType) == "application/json" else { throw .malformed("content-type") }
        guard body.count <= TokenReply.maximumSize else {
            throw .tooLarge("reply", limit: TokenReply.maximumSize)
        }
        guard let json = try? JSON(parsing: body.withoutByteOrderMark) else { throw .malformedEncoding("JSON") }
        guard let uri = json["request_uri"] else { throw .missing("request_uri") }
        guard let uri = uri.string, uri.isVisibleASCII, (1...2048).contains(uri.utf8.count), uri.contains(":") else {
            throw .malformed("request_uri")
        }
        guard let lifetime = json["expires_in"] else { throw .missing("expires_in") }
        guard let seconds = Seconds.parse(lifetime, within: 1...86400) else { throw .malformed("expires_in") }
        return PushedAuthorizationReply(requestURI: uri, expiresIn: seconds)
    }
}
