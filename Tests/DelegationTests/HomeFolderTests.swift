// The daemon and the CLI must look in the same place, whatever the environment is.

import Delegation
import Testing

@Suite struct HomeFolderTests {
    @Test(
        "the first of the four variables that is set and not empty decides",
        arguments: [
            (["KEYHOLDER_HOME": "/k", "STATE_DIRECTORY": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"], "/k"),
            (["STATE_DIRECTORY": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"], "/s"),
            (["XDG_STATE_HOME": "/x", "HOME": "/h"], "/x/keyholder"), (["HOME": "/h"], "/h/.local/state/keyholder"),
            (
                ["KEYHOLDER_HOME": "", "STATE_DIRECTORY": "", "XDG_STATE_HOME": "", "HOME": "/h"],
                "/h/.local/state/keyholder"
            ),
            (["KEYHOLDER_HOME": "/k/"], "/k"), (["KEYHOLDER_HOME": "/k//"], "/k"), (["KEYHOLDER_HOME": "/"], "/"),
            (["KEYHOLDER_HOME": "/with space/ü"], "/with space/ü"),
        ])
    func environment(_ environment: [String: String], _ path: String) throws {
        #expect(try HomeFolder(environment: environment).path == path)
    }

    @Test("an environment that names no folder is refused", arguments: [[:], ["HOME": ""], ["PATH": "/bin"]])
    func nothing(_ environment: [String: String]) throws {
        let refusal = try #require(throws: Refusal.self) { try HomeFolder(environment: environment) }
        #expect(refusal.kind == .usage)
        #expect(refusal.hint == "set KEYHOLDER_HOME to an absolute path")
    }

    @Test(
        "a path that is not absolute is refused, even when another variable would do",
        arguments: [
            ["KEYHOLDER_HOME": "k", "HOME": "/h"], ["STATE_DIRECTORY": "./s", "HOME": "/h"],
            ["XDG_STATE_HOME": "x", "HOME": "/h"], ["HOME": "~"],
        ])
    func relative(_ environment: [String: String]) throws {
        let refusal = try #require(throws: Refusal.self) { try HomeFolder(environment: environment) }
        #expect(refusal.kind == .usage)
        #expect(refusal.message.contains("is not an absolute path"))
    }

    @Test("the files of a home lie in its folder, each by its own name")
    func files() throws {
        let home = HomeFolder(path: "/h")
        let files = [
            home.configuration, home.vault, home.vaultKey, home.lock, home.broker, home.profiles, try home.socket(),
        ]
        #expect(
            files == [
                "/h/config.yaml", "/h/vault.sqlite", "/h/vault.key", "/h/keyholder.lock", "/h/broker",
                "/h/device-profiles", "/h/keyholder.sock",
            ])
    }

    @Test("a socket's path of 107 bytes is taken, one of 108 is refused")
    func socketLength() throws {
        let name = "/keyholder.sock".utf8.count
        let longest = HomeFolder(path: "/" + String(repeating: "x", count: 107 - name - 1))
        #expect(try longest.socket().utf8.count == 107)
        // Bytes count, not characters.
        for path in [longest.path + "x", String(longest.path.dropLast()) + "ü"] {
            let refusal = try #require(throws: Refusal.self) { try HomeFolder(path: path).socket() }
            #expect(refusal.message == "the path of the socket has 108 bytes, allowed are 107")
        }
    }
}
