// What `init` writes is what the daemon reads; what nobody meant is refused.

import Foundation
import Settings
import Testing

@Suite struct AgentConfigurationTests {
    @Test("an absent key has its standard value")
    func defaults() throws {
        let configuration = try Samples.readConfiguration("name: Villa\n")
        #expect(configuration.name == "Villa")
        #expect(configuration.listen == AgentConfiguration.standard.listen)
        #expect(configuration.redirect == AgentConfiguration.standard.redirect)
        #expect(configuration.broker == AgentConfiguration.standard.broker)
        #expect(configuration.accessTokenLifetime == .seconds(600))
    }

    @Test(
        "a configuration reads back as it was written, whatever the home is called",
        arguments: [
            "Home", "He said \"hi\"", "back\\slash\\", "two\nlines", "tab\tand\rreturn", "  spaces  ", "# no comment",
            "Ключ 🗝️ 家", "a: b", "- x", "'", "null", "true", "12", "~", "&a *a", "{x", "[", "!tag", "%TAG", "@", "`",
            "\u{0}\u{1}\u{1B}\u{7F}", "\u{85}\u{A0}\u{2028}\u{2029}", "x\u{FEFF}\u{FFFE}\u{FFFF}", "\u{202E}sdrawkcab",
            "e\u{301}", "---", "...", "👩‍👩‍👧‍👦", String(repeating: "x", count: 64), String(repeating: "\u{1F5DD}", count: 64),
        ])
    func roundTrip(_ name: String) throws {
        let written = AgentConfiguration(
            name: name, listen: .init(host: "::1", port: 1), redirect: .init(host: "localhost", port: 65_535),
            broker: .init(host: "broker.home_1.lan", port: 8883), accessTokenLifetime: .seconds(5400),
            caFile: "/etc/ssl/home ca.pem")
        let read = try Samples.readConfiguration(written.yaml)
        #expect(read == written)
        #expect(read.name.unicodeScalars.elementsEqual(name.unicodeScalars))
    }

    @Test("addresses behind a proxy read back as they were written, and the first is the issuer")
    func publicAddresses() throws {
        let standard = AgentConfiguration.standard
        #expect(standard.providerURL == "http://127.0.0.1:8420")
        let written = AgentConfiguration(
            name: "Home", listen: standard.listen, publicURL: "https://home.example",
            apiURL: "https://api.home.example:8443", redirect: standard.redirect, broker: standard.broker,
            accessTokenLifetime: .seconds(600))
        #expect(try Samples.readConfiguration(written.yaml) == written)
        #expect(written.providerURL == "https://home.example")
    }

    @Test("a file of authorities has an absolute path")
    func caFile() throws {
        #expect(try Samples.readConfiguration("ca_file: /etc/ca.pem\n").caFile == "/etc/ca.pem")
        #expect(throws: SettingsError.self) { try Samples.readConfiguration("ca_file: ca.pem\n") }
    }

    @Test(
        "an address behind a proxy is https, or on this machine, and only an origin",
        arguments: [
            "http://home.example", "https://home.example/", "https://home.example/path", "https://HOME.example",
            "home.example", "https://", "https://user@home.example", "https://home.example?x", "ftp://home.example",
            "https://home.example:0", "https://home.example:x",
        ])
    func badPublicAddress(_ text: String) {
        for key in ["public_url", "api_url"] {
            #expect(throws: SettingsError.self) { try Samples.readConfiguration("\(key): \"\(text)\"\n") }
        }
    }

    @Test(
        "what is told to whom reads back as it was written",
        arguments: [
            NoticeSettings(), NoticeSettings(command: "/opt/my hooks/tell \"me\".sh"),
            NoticeSettings(webhook: "https://ntfy.example/home?x=1&y=2"), NoticeSettings(mqtt: true),
            NoticeSettings(homeAssistant: true),
            NoticeSettings(
                command: "/usr/bin/logger", webhook: "http://192.168.1.5:8123/api/webhook/Q", mqtt: true,
                homeAssistant: true),
        ])
    func notices(_ notices: NoticeSettings) throws {
        let standard = AgentConfiguration.standard
        let written = AgentConfiguration(
            name: "Home", listen: standard.listen, redirect: standard.redirect, broker: standard.broker,
            accessTokenLifetime: .seconds(600), notices: notices)
        #expect(try Samples.readConfiguration(written.yaml) == written)
    }

    @Test("nothing is told anywhere unless the file says so, and false says it does not")
    func quiet() throws {
        #expect(try Samples.readConfiguration("name: Villa\n").notices == .none)
        #expect(
            try Samples.readConfiguration("notices: {mqtt: false, home_assistant: false}\n").notices == .none)
    }

    @Test(
        "a webhook is https anywhere, and http on this machine and in the house",
        arguments: [
            "https://ntfy.example", "https://ntfy.example:8443/home", "https://8.8.8.8/x", "https://[2001:db8::1]/x",
            "http://127.0.0.1:8123/api/webhook/abc", "http://localhost/x", "http://[::1]:8123/x", "http://10.0.0.7/x",
            "http://172.16.0.1/x", "http://172.31.255.1/x", "http://192.168.178.20:8123/x", "http://169.254.1.1/x",
            "http://[fd00::1]:8123/x", "http://[fe80::1]/x", "http://homeassistant:8123/x",
            "http://homeassistant.local:8123/api/webhook/abc?a=b", "http://ha.lan/x", "http://ha.home.arpa/x",
            "http://HA.Internal/x",
        ])
    func webhook(_ url: String) throws {
        #expect(try Samples.readConfiguration("notices: {webhook: \"\(url)\"}\n").notices.webhook == url)
    }

    @Test(
        "what a webhook says does not leave the house in the clear, and no other host can be read into its address",
        arguments: [
            "http://ntfy.example/x", "http://8.8.8.8/x", "http://172.32.0.1/x", "http://172.15.0.1/x",
            "http://192.169.0.1/x", "http://11.0.0.1/x", "http://134744072/x", "http://0x08080808/x",
            "http://010.0.0.1/x", "http://10.1/x", "http://10.0.0.1.nip.example/x", "http://127.0.0.1.example/x",
            "http://[2001:db8::1]/x", "http://[::ffff:8.8.8.8]/x", "http://[fc::1]/x", "http://local/../x#y",
            "http://ha.local.evil.example/x", "http://evillocal.example/x", "http://.local/x", "http://ha..local/x",
            "http://user@10.0.0.1/x", "https://user:pw@ntfy.example/x", "https://ntfy.example/#x",
            "https://ntfy.example\\\\@10.0.0.1/x", "http://10.0.0.1\\\\.evil.example/x", "ftp://10.0.0.1/x",
            "//10.0.0.1/x", "10.0.0.1", "https://", "https:///x", "https://ntfy.example:0/x",
            "https://ntfy.example:x/x", "https://ntfy example/x", "https://ntfy.example/ü", "http://[::1/x",
            "http://::1/x", "HTTP://8.8.8.8/x",
        ])
    func badWebhook(_ url: String) throws {
        let error = try #require(throws: SettingsError.self) {
            try Samples.readConfiguration("notices: {webhook: \"\(url)\"}\n")
        }
        #expect(error.faults.map(\.keyPath) == ["notices.webhook"])
    }

    @Test(
        "a mistake about notices is one fault with its place",
        arguments: [
            ("{command: hook.sh}", "notices.command"), ("{command: ./hook.sh}", "notices.command"),
            ("{command: /opt/}", "notices.command"), ("{command: [/a, /b]}", "notices.command"),
            ("{mqtt: yes}", "notices.mqtt"), ("{home_assistant: 1}", "notices.home_assistant"),
            ("{homeassistant: true}", "notices.homeassistant"), ("[mqtt]", "notices"), ("true", "notices"),
        ])
    func badNotices(_ value: String, _ keyPath: String) throws {
        let error = try #require(throws: SettingsError.self) {
            try Samples.readConfiguration("notices: \(value)\n")
        }
        #expect(error.faults.map(\.keyPath) == [keyPath])
    }

    @Test(
        "a lifetime is written with the largest unit that is whole",
        arguments: [(1, "1s"), (60, "1m"), (90, "90s"), (3600, "1h"), (5400, "90m"), (86_400, "1d")])
    func units(_ seconds: Int, _ text: String) throws {
        let standard = AgentConfiguration.standard
        let configuration = AgentConfiguration(
            name: "Home", listen: standard.listen, redirect: standard.redirect, broker: standard.broker,
            accessTokenLifetime: .seconds(seconds))
        #expect(configuration.yaml.contains("access_token_lifetime: \(text)\n"))
        #expect(try Samples.readConfiguration(configuration.yaml) == configuration)
    }

    static let loopback = "a loopback address with port, such as 127.0.0.1:8420"
    static let lifetime = "a duration from 1s to 1d, such as 90s, 10m or 12h"
    static let breakages =
        [
            "0.0.0.0:8420", "192.168.1.2:8420", "[::]:8420", "::1:8420", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
            "127.0.0.1:65536", "127.0.0.1:+8420", "127.0.0.1:08420", ":8420", "localhost.evil.example:8420",
            "[127.0.0.1:8420", "127.0.0.1:84 20",
        ].map {
            Breakage(
                "listen on \($0)", "127.0.0.1:8420", "\"\($0)\"", line: 2, "listen", found: "\"\($0)\"",
                allowed: loopback)
        }
        + [
            Breakage(
                "an approval that comes home over the network", "127.0.0.1:8421", "10.0.0.1:8421", line: 3, "redirect",
                found: "\"10.0.0.1:8421\"", allowed: loopback),
            Breakage(
                "a broker without a port", "localhost:8883", "localhost", line: 4, "broker", found: "\"localhost\"",
                allowed: "host:port"),
            Breakage(
                "a broker with userinfo", "localhost:8883", "\"hub@localhost:8883\"", line: 4, "broker",
                found: "\"hub@localhost:8883\"", allowed: "host:port"),
            Breakage(
                "a broker that is a URL", "localhost:8883", "mqtts://localhost:8883", line: 4, "broker",
                found: "\"mqtts://localhost:8883\"", allowed: "host:port"),
            Breakage(
                "a name that is too long", "name: Home", "name: \(String(repeating: "x", count: 65))", line: 1, "name",
                found: "\"\(String(repeating: "x", count: 65))\"", allowed: "a text of at most 64 characters"),
            Breakage(
                "an empty name", "name: Home", "name: \"\"", line: 1, "name", found: "\"\"",
                allowed: "a text of at most 64 characters"),
            Breakage(
                "an unknown key", "name: Home", "name: Home\nlisten_on: x", line: 2, "listen_on",
                found: "the unknown key \"listen_on\"",
                allowed: "access_token_lifetime, api_url, broker, ca_file, listen, name, notices, public_url, redirect"
            ),
        ]
        + ["600", "10 m", "-10m", "0s", "25h", "10M", "1w", "m", "9999999999s", "１0m"].map {
            Breakage(
                "a lifetime of \($0)", "lifetime: 10m", "lifetime: \($0)", line: 5, "access_token_lifetime",
                found: "\"\($0)\"", allowed: lifetime)
        }

    @Test("a mistake in the configuration is one fault with its place", arguments: breakages)
    func breakage(_ breakage: Breakage) throws {
        try breakage.check(Samples.configuration) { _ = try Samples.readConfiguration($0) }
    }

    @Test("all faults of the configuration are told at once")
    func allAtOnce() throws {
        let error = try #require(throws: SettingsError.self) {
            try Samples.readConfiguration(
                "name: []\nlisten: 1\nredirect: 2\nbroker: 3\naccess_token_lifetime: 4\nfive: 5")
        }
        #expect(
            error.faults.map(\.keyPath) == ["name", "listen", "redirect", "broker", "access_token_lifetime", "five"])
        #expect(error.faults.map(\.line) == [1, 2, 3, 4, 5, 6])
    }
}
