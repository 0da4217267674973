// A signed token in parts, so that a test spoils the one it is about.

import Sealing
import StrictJSON

/// Header and claims of a JWT that nobody has signed yet.
struct LooseToken: Sendable {
    private(set) var header: [JSON.Member]
    private(set) var claims: [JSON.Member]

    init(header: [JSON.Member], claims: [JSON.Member]) {
        self.header = header
        self.claims = claims
    }

    /// With a member of the header set or, with `nil`, left out.
    func header(_ name: String, _ value: JSON?) -> LooseToken {
        LooseToken(header: Self.changed(header, name, value), claims: claims)
    }

    /// With a claim set or, with `nil`, left out.
    func claim(_ name: String, _ value: JSON?) -> LooseToken {
        LooseToken(header: header, claims: Self.changed(claims, name, value))
    }

    /// A member of the header.
    func header(_ name: String) -> JSON? { header.first { $0.name == name }?.value }

    /// A claim's value.
    func claim(_ name: String) -> JSON? { claims.first { $0.name == name }?.value }

    /// Signed in some way.
    func signed(_ sign: ([UInt8]) throws -> [UInt8]) rethrows -> String {
        let parts = [header, claims].map { Base64.encode(JSON.object($0).bytes, as: .url) }.joined(separator: ".")
        return parts + "." + Base64.encode(try sign(Array(parts.utf8)), as: .url)
    }

    private static func changed(_ members: [JSON.Member], _ name: String, _ value: JSON?) -> [JSON.Member] {
        members.filter { $0.name != name } + [value.map { JSON.Member(name, $0) }].compactMap(\.self)
    }
}
