// What our own signer would never write: any header, any claims, any signature.

import Sealing
import StrictJSON

/// A token whose parts a test chooses.
struct ForgedToken {
    var header: [JSON.Member]
    var claims: [JSON.Member]

    /// Takes a token apart.
    init(_ token: String) throws {
        let parts = token.split(separator: ".").compactMap { Base64.decode($0.utf8, as: .url) }
        header = try JSON(parsing: parts[0]).members ?? []
        claims = try JSON(parsing: parts[1]).members ?? []
    }

    /// The token with a header member set or, with `nil`, left out.
    func header(_ name: String, _ value: JSON?) -> ForgedToken {
        var copy = self
        copy.header = Self.changed(header, name, value)
        return copy
    }

    /// The token with a claim set or, with `nil`, left out.
    func claim(_ name: String, _ value: JSON?) -> ForgedToken {
        var copy = self
        copy.claims = Self.changed(claims, name, value)
        return copy
    }

    /// The token with a signature over it.
    func signed(_ sign: ([UInt8]) throws -> [UInt8]) rethrows -> String {
        let input =
            Base64.encode(JSON.object(header).bytes, as: .url) + "."
            + Base64.encode(JSON.object(claims).bytes, as: .url)
        return input + "." + Base64.encode(try sign(Array(input.utf8)), as: .url)
    }

    private static func changed(_ members: [JSON.Member], _ name: String, _ value: JSON?) -> [JSON.Member] {
        members.filter { $0.name != name } + [value.map { JSON.Member(name, $0) }].compactMap(\.self)
    }
}
