// A profile that is gone takes no owner's right to take back away.

import FoundationEssentials
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct BrokenProfileTests {
    @Test(
        "a grant whose profile is missing or broken is shown by its operation's name and can be taken back",
        arguments: [nil, "operations: ["])
    func takeBack(profile: String?) async throws {
        try await TestHome.run { home in
            let scopes = ["lock.lock@front-door", "climate.set@hall"]
            let app = try await OAuth2App.register(home, scopes: scopes)
            let (access, _) = try await app.tokens()
            let file = "\(home.profiles)/locks/demo-lock.yaml"
            try FileManager.default.removeItem(atPath: file)
            if let profile { try Data(profile.utf8).write(to: URL(filePath: file)) }

            let devices = try await app.devices(access)
            #expect(devices.status == 200)
            #expect(devices.json["devices"]?.array?.map { $0["name"]?.string } == ["hall"])

            var browser = Browser(home)
            let page = try await browser.open("/")
            #expect(page.status == 200)
            #expect(page.body.contains("Lamp") && page.body.contains("front-door"))
            #expect(page.body.contains("lock.lock"))
            #expect(page.body.contains("hall") && !page.body.contains("climate.set"))
            let answer = try await browser.takeBack(page)
            #expect(answer.status == 303)
            #expect(try await home.provider.grants().isEmpty)
            #expect(try await app.devices(access).status == 401)
        }
    }
}
