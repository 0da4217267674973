// A device profile is taken whole or not at all, and every mistake is told with its place.

import Delegation
import Foundation
import Settings
import Testing

@Suite struct DeviceProfileTests {
    @Test("every key of a device profile is read")
    func readsEverything() throws {
        let profile = try Samples.readDevice(Samples.device)
        #expect(profile.reference.rawValue == "locks/test-lock")
        #expect(profile.title == "Test lock")
        #expect(profile.maker == "Keyholder")
        #expect(profile.provider.rawValue == "home")
        #expect(profile.homeAssistantComponent == "lock")
        #expect(
            profile.state == [
                StateField(name: "lock", kind: .choice(["locked", "unlocked"]), initial: "locked"),
                StateField(name: "level", kind: .integer(minimum: 0, maximum: 10), initial: "5"),
            ])
        let operation = try #require(profile.operations.first)
        #expect(profile.operations.count == 1)
        #expect(operation.name == "lock.set")
        #expect(operation.title == "Set the lock")
        #expect(operation.risk == .high)
        #expect(operation.arguments.map(\.name) == ["to", "level", "gently"])
        #expect(operation.arguments.map(\.required) == [true, false, false])
        #expect(operation.arguments.map(\.kind).last == .flag)
        #expect(operation.effect == [.init(field: "lock", value: "$to"), .init(field: "level", value: "$level")])
    }

    static let breakages = [
        Breakage(
            "an unknown key", "title: Test lock", "title: Test lock\ncolour: red", line: 3, "colour",
            found: "the unknown key \"colour\"",
            allowed: "home_assistant, maker, operations, profile, provider, state, title"),
        Breakage(
            "an unknown key deep inside", "initial: locked}", "initial: locked, colour: red}", line: 6,
            "state.lock.colour", found: "the unknown key \"colour\"", allowed: "choices, initial, type"),
        Breakage(
            "a duplicate key", "title: Test lock", "title: Test lock\ntitle: Other lock", line: 2, "",
            found: "\"title\" more than once", allowed: "valid YAML without duplicate keys"),
        Breakage(
            "a duplicate key deep inside", "risk: high", "risk: high\n    risk: low", line: 11, "",
            found: "\"risk\" more than once", allowed: "valid YAML without duplicate keys"),
        Breakage(
            "a missing key", "maker: Keyholder\n", "", line: 1, "maker", found: "nothing", allowed: "a text"),
        Breakage("an empty text", "title: Test lock", "title:", line: 2, "title", found: "\"\"", allowed: "a text"),
        Breakage(
            "a list for a text", "title: Test lock", "title: [a]", line: 2, "title", found: "a list", allowed: "a text"),
        Breakage(
            "a text for a mapping", "home_assistant: {component: lock}", "home_assistant: lock", line: 17,
            "home_assistant", found: "\"lock\"", allowed: "a mapping"),
        Breakage(
            "the reference of another profile", "locks/test-lock", "locks/other-lock", line: 1, "profile",
            found: "\"locks/other-lock\"", allowed: "\"locks/test-lock\", as the file's place says"),
        Breakage(
            "a provider's name in capitals", "provider: home", "provider: Home", line: 4, "provider",
            found: "\"Home\"", allowed: "the name of a provider profile"),
        Breakage(
            "a risk that there is not", "risk: high", "risk: medium", line: 11, "operations.lock.set.risk",
            found: "\"medium\"", allowed: "one of low, high"),
        Breakage(
            "a type that there is not", "type: integer, minimum: 0, maximum: 10, initial",
            "type: int, minimum: 0, maximum: 10, initial",
            line: 7, "state.level.type", found: "\"int\"", allowed: "one of integer, choice, flag"),
        Breakage(
            "bounds the wrong way round", "minimum: 0, maximum: 10, required", "minimum: 11, maximum: 10, required",
            line: 14, "operations.lock.set.arguments.level.maximum", found: "\"10\"",
            allowed: "an integer from 11 to 9007199254740991"),
        Breakage(
            "a missing bound", "minimum: 0, maximum: 10, required", "minimum: 0, required", line: 14,
            "operations.lock.set.arguments.level.maximum", found: "nothing",
            allowed: "an integer from 0 to 9007199254740991"),
        Breakage(
            "a bound that is no integer", "minimum: 0, maximum: 10, required", "minimum: 0.5, maximum: 10, required",
            line: 14, "operations.lock.set.arguments.level.minimum", found: "\"0.5\"",
            allowed: "an integer from 0 to 9007199254740991"),
        Breakage(
            "a bound beyond 64 bits", "maximum: 10, required", "maximum: 99999999999999999999, required", line: 14,
            "operations.lock.set.arguments.level.maximum", found: "\"99999999999999999999\"",
            allowed: "an integer from 0 to 9007199254740991"),
        Breakage(
            "a choice without choices", "choices: [locked, unlocked], required", "choices: [], required", line: 13,
            "operations.lock.set.arguments.to.choices", found: "0 choices, 0 different",
            allowed: "one choice or more, each once"),
        Breakage(
            "a choice twice", "choices: [locked, unlocked], required", "choices: [locked, locked], required", line: 13,
            "operations.lock.set.arguments.to.choices", found: "2 choices, 1 different",
            allowed: "one choice or more, each once"),
        Breakage(
            "a truth value of another kind", "type: flag, required: false", "type: flag, required: no", line: 15,
            "operations.lock.set.arguments.gently.required", found: "\"no\"", allowed: "true or false"),
        Breakage(
            "an initial value out of bounds", "initial: \"5\"", "initial: \"11\"", line: 7, "state.level.initial",
            found: "\"11\"", allowed: "an integer from 0 to 10"),
        Breakage(
            "an effect on a field that there is not", "effect: {lock: $to", "effect: {door: $to", line: 16,
            "operations.lock.set.effect.door", found: "\"$to\"", allowed: "a field of state"),
        Breakage(
            "an effect of an argument that there is not", "lock: $to", "lock: $from", line: 16,
            "operations.lock.set.effect.lock", found: "\"$from\"",
            allowed: "a value of the state field or $to or $level or $gently"),
        Breakage(
            "an effect with a value the field does not take", "lock: $to", "lock: ajar", line: 16,
            "operations.lock.set.effect.lock", found: "\"ajar\"",
            allowed: "a value of the state field or $to or $level or $gently"),
        Breakage(
            "an operation's name without a dot", "lock.set:", "lock:", line: 10, "operations.lock", found: "\"lock\"",
            allowed: "a name like lock.unlock, out of a-z, '_' and one '.', not dac."),
        Breakage(
            "an operation of the protocol's own", "lock.set:", "dac.set:", line: 10, "operations.dac.set",
            found: "\"dac.set\"", allowed: "a name like lock.unlock, out of a-z, '_' and one '.', not dac."),
        Breakage(
            "a component that Home Assistant has not", "component: lock", "component: door", line: 17,
            "home_assistant.component", found: "\"door\"",
            allowed: "one of lock, climate, switch, alarm_control_panel"),
        Breakage(
            "a second document", "component: lock}", "component: lock}\n---\na: b", line: 18, "",
            found: "\"but found another document\"", allowed: "valid YAML without duplicate keys"),
        Breakage(
            "a tab for indentation", "  lock.set:", "\tlock.set:", line: 9, "",
            found: "\"found character that cannot start any token\"", allowed: "valid YAML without duplicate keys"),
        Breakage(
            "a key that is a list", "title: Test lock", "title: Test lock\n[a]: b", line: 3, "", found: "a list",
            allowed: "a text as key"),
    ]

    @Test("a mistake in a device profile is one fault with its place", arguments: breakages)
    func breakage(_ breakage: Breakage) throws {
        try breakage.check(Samples.device) { _ = try Samples.readDevice($0) }
    }

    @Test("a misspelt key is told as unknown and as missing")
    func misspelt() throws {
        let error = try #require(throws: SettingsError.self) {
            try Samples.readDevice(Samples.device.replacingOccurrences(of: "maker:", with: "makr:"))
        }
        #expect(error.faults.map(\.keyPath).sorted() == ["maker", "makr"])
        #expect(error.faults.map(\.line) == [1, 3])
    }

    @Test("a profile without operations is refused")
    func noOperations() throws {
        let lines = Samples.device.split(separator: "\n", omittingEmptySubsequences: false)
        let yaml = (lines[..<7] + ["operations: {}"] + lines[16...]).joined(separator: "\n")
        let error = try #require(throws: SettingsError.self) { try Samples.readDevice(yaml) }
        #expect(error.faults.map(\.keyPath) == ["operations"])
        #expect(error.faults.map(\.found) == ["no operation"])
        #expect(error.faults.first?.line == 1)
    }

    @Test("all faults of a file are told at once, one line each")
    func allAtOnce() throws {
        let yaml = Samples.device.replacingOccurrences(of: "provider: home", with: "provider: Home")
            .replacingOccurrences(of: "risk: high", with: "risk: none")
            .replacingOccurrences(of: "initial: locked", with: "initial: open")
            .replacingOccurrences(of: "component: lock", with: "component: lock, icon: key")
        let error = try #require(throws: SettingsError.self) { try Samples.readDevice(yaml) }
        #expect(
            Set(error.faults.map(\.keyPath)) == [
                "provider", "operations.lock.set.risk", "state.lock.initial", "home_assistant.icon",
            ])
        #expect(error.faults.count == 4)
        let lines = error.description.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(
            lines.contains(
                "test.yaml:11: operations.lock.set.risk: found \"none\", allowed is one of low, high"))
    }

    @Test("what a fault quotes cannot act on a terminal")
    func quotesSafely() throws {
        let yaml = Samples.device.replacingOccurrences(of: "risk: high", with: #"risk: "\e[2J\u202Ehigh""#)
        let error = try #require(throws: SettingsError.self) { try Samples.readDevice(yaml) }
        #expect(error.faults.map(\.found) == ["\"\u{FFFD}[2J\u{FFFD}high\""])
    }
}
