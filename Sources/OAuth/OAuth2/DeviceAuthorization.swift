// The code a person types gives nothing to who overhears it; the code the device keeps is a secret.

package import Sealing
import StrictJSON

/// The reply to a device authorisation request (RFC 8628 §3.2), the same value on both sides.
package struct DeviceAuthorizationReply: Sendable {
    /// Where a provider's reply differs from the RFC.
    package struct Options: Sendable {
        /// The member that holds what the device keeps.
        package var deviceCodeField = "device_code"
        /// The member that holds what the person types.
        package var userCodeField = "user_code"
        /// How many seconds one unit of `expires_in` is: 1, or 60 for minutes.
        package var expiryUnit = 1
        /// Where the person types, for a provider whose reply does not say.
        package var verificationURI: String?

        /// The reading of RFC 8628.
        package init() {}
    }

    /// How long is a code taken to be good when the reply does not say, in seconds?
    package static let assumedLifetime = 300
    /// How long must a device wait between two questions when the reply does not say, in seconds (§3.2)?
    package static let assumedInterval = 5

    /// What the device asks for its token with.
    package let deviceCode: Secret
    /// What the person types, as it is to be shown.
    package let userCode: String
    /// Where the person types it.
    package let verificationURI: String
    /// The same page with the code filled in.
    package let verificationURIComplete: String?
    /// Seconds from the moment the request was sent.
    package let expiresIn: Int
    /// Seconds to wait between two questions; each `slow_down` adds five for good (§3.5).
    package let interval: Int

    /// Gathers a reply.
    package init(
        deviceCode: Secret, userCode: String, verificationURI: String, verificationURIComplete: String? = nil,
        expiresIn: Int, interval: Int = assumedInterval
    ) {
        self.deviceCode = deviceCode
        self.userCode = userCode
        self.verificationURI = verificationURI
        self.verificationURIComplete = verificationURIComplete
        self.expiresIn = expiresIn
        self.interval = interval
    }

    /// The body a server answers with, to be sent with `Cache-Control: no-store`.
    package func body() -> Secret {
        let json = JSON.compact([
            "device_code": .string(deviceCode.revealText()), "user_code": .string(userCode),
            "verification_uri": .string(verificationURI),
            "verification_uri_complete": verificationURIComplete.map(JSON.string),
            "expires_in": .integer(Int64(expiresIn)), "interval": .integer(Int64(interval)),
        ])
        return Secret(json.bytes)
    }

    /// Reads the body of a successful reply.
    ///
    /// Numbers may be text, the page may go by its older name `verification_url`, and a complete address that cannot be
    /// used is left out.
    ///
    /// - Throws: ``OAuthError`` when it is no JSON, has no codes, or names no page that is https or on this machine.
    package static func parse(
        _ body: [UInt8], options: Options = Options()
    ) throws(OAuthError) -> DeviceAuthorizationReply {
        guard body.count <= TokenReply.maximumSize else {
            throw .tooLarge("reply", limit: TokenReply.maximumSize)
        }
        guard let json = JSON(reply: body) else { throw .malformedEncoding("JSON") }
        guard json["error"] == nil else { throw .unsuccessful }
        let deviceCode = try text(options.deviceCodeField, json, limit: 8192)
        let userCode = try text(options.userCodeField, json, limit: 64)
        guard deviceCode.isPrintableASCII else { throw .malformed(options.deviceCodeField) }
        guard DisplayText.sanitised(userCode).sameBytes(as: userCode) else { throw .malformed(options.userCodeField) }
        let page = json["verification_uri"] ?? json["verification_url"] ?? options.verificationURI.map(JSON.string)
        guard let page else { throw .missing("verification_uri") }
        guard let page = address(page) else { throw .insecureEndpoint("verification_uri") }
        return DeviceAuthorizationReply(
            deviceCode: Secret(text: deviceCode), userCode: userCode, verificationURI: page,
            verificationURIComplete: address(
                json["verification_uri_complete"] ?? json["verification_url_complete"] ?? .null),
            expiresIn: Seconds.parse(json["expires_in"], unit: options.expiryUnit, within: 1...86400)
                ?? assumedLifetime,
            interval: Seconds.parse(json["interval"], within: 1...3600) ?? assumedInterval)
    }

    private static func text(_ name: String, _ json: JSON, limit: Int) throws(OAuthError) -> String {
        guard let value = json[name] else { throw .missing(name) }
        guard let text = value.string, (1...limit).contains(text.utf8.count) else { throw .malformed(name) }
        return text
    }

    private static func address(_ value: JSON) -> String? {
        value.string.flatMap { url in AbsoluteURL(url)?.isTrustworthy == true && url.utf8.count <= 2048 ? url : nil }
    }
}
