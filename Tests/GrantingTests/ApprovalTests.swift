// An answer counts once, for the request it belongs to, from the provider that was asked.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct ApprovalTests {
    @Test("an approved OAuth 2 grant is on the disk, active, with the scopes that were asked for")
    func oauth2() async throws {
        try await TestHome.with { home in
            let asked = try await home.keeper.request(
                device: try TestHome.name("front-door"), operations: ["lock.lock"], by: .user("anna"))
            #expect(asked.grant.state == .pending)
            #expect(asked.page.contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A8421%2Fcallback%2Fcloud"))
            let grant = try await home.keeper.redirected(
                provider: home.cloud, query: try await home.provider.approve(asked.page))
            #expect(grant.state == .active)
            #expect(grant.scopes == ["lock.lock@front-door"])
            let stored = try await home.afterCrash().vault.read { try $0.grant(id: grant.id) }
            #expect(stored?.grant == grant)
            #expect(try await home.audit().map(\.action).suffix(2) == ["grant.request", "grant.approve"])
        }
    }

    @Test("an approved OAuth 1.0a grant signs requests that the provider takes")
    func oauth1() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted(at: home.legacy)
            #expect(grant.state == .active)
            #expect(grant.expiresAt == nil)
            let device = try TestHome.device("front-door", 0)
            let authority = try await home.keeper.authorise("lock.unlock", on: device)
            #expect(authority.grant == grant.id)
            #expect(await home.provider.count("/oauth1/api") == 1)
        }
    }

    @Test("a provider whose clock differs is signed for with its own time")
    func skew() async throws {
        try await TestHome.with { home in
            await home.provider.setClockSkew(86_400)
            let grant = try await home.granted(at: home.legacy)
            #expect(grant.state == .active)
            #expect(await home.provider.count("/oauth1/request") == 2)
        }
    }

    @Test("a request token without a confirmed callback is refused, and no grant is left behind")
    func unconfirmed() async throws {
        try await TestHome.with { home in
            await home.provider.setConfirmsCallback(false)
            let refusal = await refusal {
                _ = try await home.keeper.request(
                    device: try TestHome.name("front-door"), provider: home.legacy, by: .user("anna"))
            }
            #expect(refusal?.kind == .provider)
            let grants = try await home.keeper.grants()
            #expect(grants.isEmpty)
        }
    }

    @Test(
        "the owner's no is remembered as such",
        arguments: ["error=access_denied&state=S&iss=https%3A%2F%2Fissuer.example", "error=access_denied&state=S"])
    func denied(_ query: String) async throws {
        try await TestHome.with { home in
            let (asked, state) = try await waiting(home)
            let grant = try await home.keeper.redirected(
                provider: home.cloud, query: query.replacing("state=S", with: "state=\(state)"))
            #expect(grant.state == .denied)
            #expect(grant.id == asked.grant.id)
            #expect(try await home.audit().last?.action == "grant.deny")
            #expect(await home.provider.count("/token") == 0)
        }
    }

    @Test(
        "OAuth 1.0a providers say no in several ways",
        arguments: ["oauth_token=T", "denied=T", "oauth_token=T&oauth_problem=user_refused"])
    func denied1(_ query: String) async throws {
        try await TestHome.with { home in
            let asked = try await home.keeper.request(
                device: try TestHome.name("front-door"), provider: home.legacy, by: .user("anna"))
            let token = try #require(asked.page.split(separator: "=").last)
            let grant = try await home.keeper.redirected(
                provider: home.legacy, query: query.replacing("=T", with: "=\(token)"))
            #expect(grant.state == .denied)
        }
    }

    @Test(
        "a state or request token nobody asked with changes nothing",
        arguments: ["code=c&state=nobody", "oauth_token=nobody&oauth_verifier=1", "", "code=c", "%zz", "state="])
    func stranger(_ query: String) async throws {
        try await TestHome.with { home in
            let (asked, _) = try await waiting(home)
            let refusal = await refusal {
                _ = try await home.keeper.redirected(provider: home.cloud, query: query)
            }
            #expect(refusal?.kind == .notFound)
            #expect(try await home.record(asked.grant.id).state == .pending)
        }
    }

    @Test("an approval counts once")
    func reused() async throws {
        try await TestHome.with { home in
            let (asked, _) = try await waiting(home)
            let query = try await home.provider.approve(asked.page)
            let grant = try await home.keeper.redirected(provider: home.cloud, query: query)
            let again = await refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) }
            #expect(again?.kind == .notFound)
            #expect(try await home.record(grant.id) == grant)
            #expect(await home.provider.count("/token") == 1)
        }
    }

    @Test(
        "an approval from another issuer, from nobody, or at another provider's address ends the request unredeemed",
        arguments: ["https://evil.example", nil, OpinionatedProvider.issuer])
    func mixedUp(_ issuer: String?) async throws {
        try await TestHome.with { home in
            let (asked, _) = try await waiting(home)
            let query = try await home.provider.approve(asked.page, issuer: issuer)
            let isRight = issuer == OpinionatedProvider.issuer
            let refusal = await refusal {
                _ = try await home.keeper.redirected(provider: isRight ? home.legacy : home.cloud, query: query)
            }
            #expect(refusal?.kind == .provider)
            #expect(await home.provider.count("/token") == 0)
            #expect(try await home.record(asked.grant.id).state == .needsReauth)
        }
    }

    @Test(
        "a code that cannot be redeemed ends the request and is not sent again",
        arguments: [
            Mood.answering(400, "{\"error\":\"invalid_grant\"}"), .answering(500, ""), .answering(200, "<html>"),
            .answering(302, "", headers: ["Location": "http://127.0.0.1:1/"]), .huge(1 << 20), .breakingOff,
        ])
    func unredeemed(_ mood: Mood) async throws {
        try await TestHome.with { home in
            await home.provider.set("/token", mood)
            let (asked, _) = try await waiting(home)
            let query = try await home.provider.approve(asked.page)
            let refusal = await refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) }
            #expect(refusal?.kind == .provider)
            #expect(await home.provider.count("/token") == 1)
            #expect(try await home.record(asked.grant.id).state == .needsReauth)
        }
    }

    @Test("a wrong verifier may be typed again, the right one makes the grant active")
    func oob() async throws {
        try await TestHome.with { home in
            let device = try TestHome.name("front-door")
            let asked = try await home.keeper.request(
                device: device, provider: home.legacy, flow: .oob, by: .user("anna"))
            let query = try FormCoding.parse(try await home.provider.approve(asked.page))
            let wrong = await refusal { _ = try await home.keeper.finish(device: device, verifier: "000") }
            #expect(wrong?.kind == .provider)
            let verifier = try #require(query.first("oauth_verifier"))
            #expect(try await home.keeper.finish(device: device, verifier: " \(verifier)\n").state == .active)
        }
    }

    @Test("an approval after the time is too late, and whoever waits is told")
    func late() async throws {
        try await TestHome.with { home in
            let (asked, _) = try await waiting(home)
            let query = try await home.provider.approve(asked.page)
            home.clock.advance(by: .seconds(901))
            let refusal = await refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) }
            #expect(refusal?.kind == .notAuthorised)
            #expect(try await home.record(asked.grant.id).reason == "it was not approved in time")
        }
    }

    @Test("who waits for a grant hears of the approval, and of the end of the time")
    func waits() async throws {
        try await TestHome.with { home in
            let device = try TestHome.name("front-door")
            #expect(try await home.keeper.waitForGrant(of: device, within: .seconds(60)) == nil)
            let (asked, _) = try await waiting(home)
            async let waited = home.keeper.waitForGrant(of: device, within: .seconds(60))
            _ = try await home.keeper.redirected(
                provider: home.cloud, query: try await home.provider.approve(asked.page))
            #expect(try await waited?.state == .active)

            let second = try await home.keeper.request(device: try TestHome.name("back-door"), by: .user("anna"))
            try await running(home.keeper) {
                home.clock.advance(by: .seconds(1000))
                _ = try await home.grant(second.grant.id) { $0.state == .needsReauth }
            }
        }
    }

    @Test("a newer approval takes the place of the older grant")
    func replaced() async throws {
        try await TestHome.with { home in
            let first = try await home.granted()
            let second = try await home.granted()
            #expect(try await home.record(first.id).state == .revoked)
            #expect(try await home.keeper.grant(of: try TestHome.name("front-door"))?.id == second.id)
        }
    }

    @Test("a sealed vault refuses as sealed and does not use up the approval")
    func sealed() async throws {
        try await TestHome.with { home in
            let (asked, _) = try await waiting(home)
            let query = try await home.provider.approve(asked.page)
            home.vault.seal()
            let device = try TestHome.name("front-door")
            let refusals = [
                await refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) },
                await refusal { _ = try await home.keeper.request(device: device, by: .user("anna")) },
                await refusal { _ = try await home.keeper.revoke(device: device, by: .user("anna")) },
                await refusal {
                    try await home.keeper.addConsumer(
                        provider: home.cloud, key: "k", secret: Secret(text: "s"), by: .user("anna"))
                },
            ]
            #expect(refusals.map { $0?.kind } == [.sealed, .sealed, .sealed, .sealed])
            #expect(try await home.keeper.grants().count == 1)
            try await home.vault.unseal(with: TestHome.key)
            #expect(try await home.keeper.redirected(provider: home.cloud, query: query).state == .active)
        }
    }

    @Test("without a consumer the owner is told how to get one")
    func noConsumer() async throws {
        try await TestHome.with { home in
            try await home.keeper.removeConsumer(provider: home.cloud, by: .user("anna"))
            let refusal = await refusal {
                _ = try await home.keeper.request(device: try TestHome.name("front-door"), by: .user("anna"))
            }
            #expect(refusal?.message == "no consumer for provider \"cloud\"")
            #expect(refusal?.hint?.contains("keyholder consumer add cloud") == true)
        }
    }

    private func waiting(_ home: TestHome) async throws -> (GrantRequest, state: String) {
        let asked = try await home.keeper.request(device: try TestHome.name("front-door"), by: .user("anna"))
        let query = try FormCoding.parse(String(asked.page.split(separator: "?")[1]))
        return (asked, try #require(query.first("state")))
    }
}

/// The refusal that `body` throws.
func refusal(_ body: () async throws -> Void) async -> Refusal? {
    do {
        try await body()
        Issue.record("nothing was refused")
        return nil
    } catch let refusal as Refusal {
        return refusal
    } catch {
        Issue.record("no refusal but \(error)")
        return nil
    }
}
