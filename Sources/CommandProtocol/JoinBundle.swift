// Only a device that shows the label's code can open its bundle, and only the bundle made under that code opens.

package import Sealing
import StrictJSON

/// Everything a device needs to join a home, made by the hub for one device and one use.
package struct JoinBundle: Sendable {
    /// How to reach the broker and who to be there.
    package struct Broker: Sendable {
        package let host: String
        /// 1…65535.
        package let port: Int
        /// The home's certificate authority, PEM.
        package let ca: String
        package let username: String
        package let password: Secret

        /// Names a broker and the device's identity on it.
        package init(host: String, port: Int, ca: String, username: String, password: Secret) {
            self.host = host
            self.port = port
            self.ca = ca
            self.username = username
            self.password = password
        }
    }

    package let site: SiteID
    package let hub: HubID
    package let device: DeviceID
    package let broker: Broker
    /// The signed key set, ``SignedKeySet/document``.
    package let keys: [UInt8]
    /// The operations the hub means to use.
    package let operations: [String]
    /// When made, seconds since 1970.
    package let issuedAt: Int64
    /// When it ends, seconds since 1970.
    package let expiresAt: Int64
    /// 16 random bytes, base64url: the device takes each bundle once.
    package let id: String

    /// Puts a bundle together; `id` is made anew unless given.
    package init(
        site: SiteID, hub: HubID, device: DeviceID, broker: Broker, keys: [UInt8], operations: [String],
        issuedAt: Int64, expiresAt: Int64, id: String = Nonce.random()
    ) {
        self.site = site
        self.hub = hub
        self.device = device
        self.broker = broker
        self.keys = keys
        self.operations = operations
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.id = id
    }

    private static let type = MessageType.join

    /// Authenticates the bundle under the label's code and writes it; it holds the broker password in the clear.
    ///
    /// - Parameters:
    ///   - code: The 16 bytes of the device's label.
    ///   - deviceKey: The device's identity key.
    /// - Returns: The message, to be written where only its owner can read it.
    /// - Throws: ``ProtocolFault/size(_:allowed:)`` above 32 KiB, ``ProtocolFault/member(_:allowed:)`` for what no device
    ///   would take.
    package func seal(code: Secret, deviceKey: Ed25519PublicKey) throws(ProtocolFault) -> Secret {
        let payload = payload().bytes
        _ = try JoinBundle(parsing: payload)
        let input = CompactSerialization.signingInput(header: Self.type.protectedHeader(keyID: ""), payload: payload)
        let mac = HMAC.code(input, key: try Self.key(code, deviceKey), hash: .sha256)
        let message = CompactSerialization.message(signingInput: input, signature: mac)
        guard message.count <= Self.type.maximumSize else {
            throw .size(message.count, allowed: Self.type.maximumSize)
        }
        return Secret(message)
    }

    /// Opens a bundle that was made for this device under its code.
    ///
    /// - Parameters:
    ///   - message: The bytes as received.
    ///   - code: The 16 bytes of the device's own label.
    ///   - deviceKey: The device's own identity key.
    ///   - device: The device's own name.
    ///   - now: Seconds since 1970, or `nil` when the device does not trust its clock.
    /// - Returns: The bundle; its key set is still to be verified by ``SignedKeySet/verify(_:after:)``.
    /// - Throws: ``ProtocolFault/signature`` for a wrong code, another device's bundle or a changed one;
    ///   ``ProtocolFault/expired(at:now:)``; ``ProtocolFault/audience(found:allowed:)``.
    package static func open(
        _ message: [UInt8], code: Secret, deviceKey: Ed25519PublicKey, device: DeviceID, now: Int64?
    ) throws(ProtocolFault) -> JoinBundle {
        let compact = try CompactSerialization(parsing: message, limit: type.maximumSize)
        guard compact.header == type.protectedHeader(keyID: "") else { throw .header(type) }
        let key = try key(code, deviceKey)
        guard HMAC.isValid(compact.signature, for: compact.signingInput, key: key, hash: .sha256) else {
            throw .signature
        }
        let bundle = try JoinBundle(parsing: compact.payload)
        guard bundle.device == device else {
            throw .audience(found: bundle.device.rawValue, allowed: device.rawValue)
        }
        if let now, now > bundle.expiresAt { throw .expired(at: bundle.expiresAt, now: now) }
        return bundle
    }

    private static func key(_ code: Secret, _ deviceKey: Ed25519PublicKey) throws(ProtocolFault) -> Secret {
        guard code.count == 16 else { throw .member("code", allowed: "16 bytes") }
        do throws(SealingError) {
            return try HKDF.derive(from: code, salt: deviceKey.rawBytes, info: "dac-join/1")
        } catch {
            throw .signing(error.description)
        }
    }

    private func payload() -> JSON {
        [
            "v": 1, "site": .string(site.rawValue), "hub": .string(hub.rawValue), "dev": .string(device.rawValue),
            "broker": [
                "host": .string(broker.host), "port": .integer(Int64(broker.port)), "ca": .string(broker.ca),
                "username": .string(broker.username), "password": .string(broker.password.revealText()),
            ],
            "keys": .string(String(decoding: keys, as: UTF8.self)), "ops": .strings(operations),
            "iat": .integer(issuedAt), "exp": .integer(expiresAt), "jti": .string(id),
        ]
    }

    private init(parsing payload: [UInt8]) throws(ProtocolFault) {
        let claims = try ClaimSet(
            parsing: payload,
            required: ["v", "site", "hub", "dev", "broker", "keys", "ops", "iat", "exp", "jti"])
        try claims.requireVersion()
        guard let site = SiteID(rawValue: try claims.text("site")) else { throw .member("site", allowed: "a name") }
        guard let hub = HubID(rawValue: try claims.text("hub")) else { throw .member("hub", allowed: "a name") }
        let broker = try ClaimSet(
            try claims.object("broker"), required: ["host", "port", "ca", "username", "password"])
        let host = try broker.text("host")
        guard (1...255).contains(host.utf8.count) else { throw .member("host", allowed: "1 to 255 bytes") }
        let port = try broker.integer("port", atLeast: 1)
        guard port <= 65_535 else { throw .member("port", allowed: "1 to 65535") }
        self.site = site
        self.hub = hub
        device = DeviceID(asSent: try claims.text("dev"))
        self.broker = Broker(
            host: host, port: Int(port), ca: try broker.text("ca"), username: try broker.text("username"),
            password: Secret(text: try broker.text("password")))
        keys = Array(try claims.text("keys").utf8)
        operations = try claims.texts("ops")
        issuedAt = try claims.integer("iat")
        expiresAt = try claims.integer("exp")
        guard expiresAt > issuedAt else { throw .member("exp", allowed: "later than iat") }
        id = try claims.nonce("jti")
    }
}
