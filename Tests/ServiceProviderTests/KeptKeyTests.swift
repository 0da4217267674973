// The key that signs tokens is kept in memory; what the vault says of it comes first all the same.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct KeptKeyTests {
    private func keyID(_ token: String) throws -> String? {
        try JSON(parsing: Base64.decode(token.split(separator: ".")[0].utf8, as: .url) ?? [])["kid"]?.string
    }

    @Test("a key that another instance put in its place signs the next token, and older tokens stay good")
    func rotatedElsewhere() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (old, refresh) = try await app.tokens()
            let second = try await home.restarted().rotateTokenKey(by: .user("test"))
            let new = try #require(try await app.refresh(refresh).json["access_token"]?.string)
            #expect(try keyID(old) != second)
            #expect(try keyID(new) == second)
            for token in [old, new] { #expect(try await app.devices(token).status == 200) }
        }
    }

    @Test("a sealed vault signs nothing with a key that was used before, and an unsealed one signs with it again")
    func sealed() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (old, refresh) = try await app.tokens()
            home.vault.seal()
            for forgets in [false, true] {
                if forgets { home.provider.forgetKeys() }
                #expect(try await app.refresh(refresh).status == 503)
            }
            try await home.vault.unseal(with: .file(home.key))
            let new = try #require(try await app.refresh(refresh).json["access_token"]?.string)
            #expect(try keyID(new) == keyID(old))
            for token in [old, new] { #expect(try await app.devices(token).status == 200) }
        }
    }
}
