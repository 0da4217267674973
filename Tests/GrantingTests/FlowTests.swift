// Each way to a grant ends in the same kind of grant, and what was settled when it was asked for stays with it.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct FlowTests {
    private func front() throws -> DeviceName { try TestHome.name("front-door") }

    @Test("a consumer's own grant is active at once, nobody is asked, and it is renewed without a refresh token")
    func client() async throws {
        try await TestHome.with { home in
            home.cloud(endpoints: { $0.offersClientCredentials = true })
            let asked = try await home.keeper.request(device: try front(), flow: .client, by: .user("anna"))
            #expect(asked.grant.state == .active)
            #expect(asked.authorizeURL == nil)
            #expect(asked.prompt == nil)
            #expect(try await home.vault.read { try $0.tokens(of: asked.grant.id) }?.refreshToken == nil)
            let first = try await home.token(try front()).accessToken.revealText()
            try await running(home.keeper) {
                await home.pass(.seconds(2881))
                _ = try await home.grant(asked.grant.id) { $0.generation == 2 }
            }
            let grants = await home.provider.received.compactMap { $0.form("grant_type") }
            #expect(grants == ["client_credentials", "client_credentials"])
            let second = try await home.token(try front())
            #expect(second.accessToken.revealText() != first)
            #expect(second.scopes == asked.grant.scopes)
            #expect(try await home.keeper.health(of: asked.grant.id).approvalEnds == nil)
        }
    }

    @Test("a flow that the provider does not have is refused with those that it has, and nothing is sent")
    func noSuchFlow() async throws {
        try await TestHome.with { home in
            for flow in [GrantFlow.device, .client, .oob] {
                let refused = await refusal {
                    _ = try await home.keeper.request(device: try front(), flow: flow, by: .user("anna"))
                }
                #expect(refused?.kind == .usage)
                #expect(refused?.hint == "it has redirect")
            }
            #expect(await home.provider.received.isEmpty)
        }
    }

    @Test("a grant that only signs gives no token away, over a restart too; it signs, and commands go out under it")
    func signOnly() async throws {
        try await TestHome.with { home in
            let asked = try await home.keeper.request(
                device: try front(), provider: home.legacy, release: .signOnly, by: .user("anna"))
            let query = try await home.provider.approve(asked.page)
            #expect(try await home.keeper.redirected(provider: home.legacy, query: query).release == .signOnly)
            for keeper in [home.keeper, try await home.afterCrash().keeper] {
                let refused = await refusal { _ = try await home.token(try front(), from: keeper) }
                #expect(refused?.kind == .notAuthorised)
                #expect(refused?.hint?.contains("keyholder sign front-door") == true)
                let exchange = await refusal {
                    _ = try await keeper.exchangedToken(device: try front(), audience: ["a"], resource: [], scopes: [])
                }
                #expect(exchange?.kind == .notAuthorised)
                let header = try await keeper.sign(
                    device: try front(), method: "GET", url: "\(home.base)/oauth1/api", form: []
                ).authorization
                let request = OpinionatedProvider.Received(
                    path: "/oauth1/api", method: "GET", authorization: header, contentType: nil, body: [],
                    port: home.port)
                #expect(await home.provider.answer(request).status == 200)
                let device = try TestHome.device("front-door", 0)
                #expect(try await keeper.authorise("lock.lock", on: device).grant == asked.grant.id)
            }
        }
    }

    @Test("a sign-only grant of OAuth 2 is exchanged for nothing, although its provider would")
    func signOnlyExchange() async throws {
        try await TestHome.with { home in
            home.cloud(endpoints: { $0.offersTokenExchange = true })
            let asked = try await home.keeper.request(device: try front(), release: .signOnly, by: .user("anna"))
            _ = try await home.keeper.redirected(
                provider: home.cloud, query: try await home.provider.approve(asked.page))
            let refused = await refusal {
                _ = try await home.keeper.exchangedToken(device: try front(), audience: [], resource: [], scopes: [])
            }
            #expect(refused?.kind == .notAuthorised)
            #expect(await home.provider.count("/token") == 1)
        }
    }

    @Test("a token is exchanged for a narrower one, which is not kept")
    func exchanged() async throws {
        try await TestHome.with { home in
            home.cloud(endpoints: { $0.offersTokenExchange = true })
            let grant = try await home.granted()
            let token = try await home.keeper.exchangedToken(
                device: grant.device, audience: ["printer"], resource: ["https://api.example/"],
                scopes: ["lock.lock@front-door"])
            #expect(token.expiresIn == 60)
            #expect(token.scopes == ["lock.lock@front-door"])
            let sent = try #require(await home.provider.received.last)
            #expect(sent.form("audience") == "printer")
            #expect(sent.form("resource") == "https://api.example/")
            #expect(sent.form("scope") == "lock.lock@front-door")
            let held = try await home.token(grant.device)
            #expect(held.expiresIn == 3600)
            #expect(held.accessToken.revealText() != token.accessToken.revealText())
            #expect(sent.form("subject_token") == held.accessToken.revealText())
        }
    }

    @Test(
        "the address at which the browser ended is taken with its blanks, line breaks and fragment",
        arguments: ["https://my.example/cb?Q", " http://127.0.0.1:8421/callback/cloud?Q\n", "x://y?Q#top"])
    func finished(_ form: String) async throws {
        try await TestHome.with { home in
            home.cloud(profile: { $0.redirectURI = "https://my.example/cb" })
            let asked = try await home.keeper.request(device: try front(), by: .user("anna"))
            #expect(asked.page.contains("redirect_uri=https%3A%2F%2Fmy.example%2Fcb"))
            let query = try await home.provider.approve(asked.page)
            let middle = query.index(query.startIndex, offsetBy: 20)
            let broken = "\(query[..<middle])\n\(query[middle...])"
            let grant = try await home.keeper.finish(
                device: try front(), redirected: form.replacing("Q", with: broken))
            #expect(grant.state == .active)
        }
    }

    @Test("an address without an answer uses nothing up, one of a stranger neither, and nobody waits for a second one")
    func unfinished() async throws {
        try await TestHome.with { home in
            let asked = try await home.keeper.request(device: try front(), by: .user("anna"))
            for (url, kind) in [
                ("https://my.example/cb", Refusal.Kind.usage), ("https://my.example/cb?code=c&state=nobody", .notFound),
                ("", .usage), ("?", .notFound),
            ] {
                let refused = await refusal { _ = try await home.keeper.finish(device: try front(), redirected: url) }
                #expect(refused?.kind == kind)
            }
            let url = "https://my.example/cb?\(try await home.provider.approve(asked.page))"
            #expect(try await home.keeper.finish(device: try front(), redirected: url).state == .active)
            let again = await refusal { _ = try await home.keeper.finish(device: try front(), redirected: url) }
            #expect(again?.kind == .notFound)
        }
    }

    @Test("a short-lived token is changed for a long-lived one before the grant is active")
    func longLived() async throws {
        try await TestHome.with { home in
            home.cloud(endpoints: {
                $0.longLivedExchange = .init(grantType: "fb_exchange_token", parameter: "fb_exchange_token")
            })
            await home.provider.change {
                $0.longLifetime = 2_000_000
                $0.reply = "{\"access_token\":\"{at}\",\"expires_in\":3600}"
            }
            let grant = try await home.granted()
            #expect(grant.expiresAt == home.clock.wall.addingTimeInterval(2_000_000))
            let sent = await home.provider.received.filter { $0.path == "/token" }
            #expect(sent.map { $0.form("grant_type") } == ["authorization_code", "fb_exchange_token"])
            let token = try await home.token(grant.device)
            #expect(token.expiresIn == 2_000_000)
            #expect(token.accessToken.revealText() != sent[1].form("fb_exchange_token"))
            // It cannot be refreshed, so it is used to its end and then asked for again.
            home.clock.advance(by: .seconds(1_999_990))
            #expect(try await home.token(grant.device).expiresIn == 10)
            #expect(await home.provider.count("/token") == 2)
        }
    }

    @Test("a long-lived token that is not to be had leaves no grant behind")
    func noLongLived() async throws {
        try await TestHome.with { home in
            home.cloud(endpoints: { $0.longLivedExchange = .init(grantType: "unheard_of", parameter: "t") })
            let asked = try await home.keeper.request(device: try front(), by: .user("anna"))
            let query = try await home.provider.approve(asked.page)
            let refused = await refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) }
            #expect(refused?.kind == .provider)
            #expect(try await home.record(asked.grant.id).state == .needsReauth)
        }
    }
}
