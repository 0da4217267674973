// Nothing is signed that the profile does not allow, whoever asks and in whatever form.

import Delegation
import StrictJSON
import Testing

@Suite struct ArgumentsTests {
    static let operation = OperationProfile(
        name: "climate.set", title: "Set", risk: .low,
        arguments: [
            ArgumentProfile(name: "t_mK", title: "t", kind: .integer(minimum: 5000, maximum: 35_000), required: true),
            ArgumentProfile(name: "mode", title: "m", kind: .choice(["off", "OK"]), required: false),
            ArgumentProfile(name: "boost", title: "b", kind: .flag, required: false),
        ], effect: [])
    static let bare = OperationProfile(name: "lock.lock", title: "Lock", risk: .low, arguments: [], effect: [])

    @Test("typed arguments become values of their kinds, in the order they were typed")
    func typed() throws {
        let arguments = try Self.operation.arguments(typed: [("boost", "true"), ("t_mK", "5000"), ("mode", "off")])
        #expect(arguments == ["boost": true, "t_mK": 5000, "mode": "off"])
        #expect(try Self.operation.arguments(typed: [("t_mK", "35000")]) == ["t_mK": 35_000])
        #expect(try Self.bare.arguments(typed: []) == [:])
    }

    @Test(
        "a typed value that is not allowed is refused, naming what was found and what is allowed",
        arguments: [
            ("t_mK", "4999", "an integer from 5000 to 35000"), ("t_mK", "35001", "an integer from 5000 to 35000"),
            ("t_mK", "+5000", "an integer from 5000 to 35000"), ("t_mK", "05000", "an integer from 5000 to 35000"),
            ("t_mK", "5000.0", "an integer from 5000 to 35000"), ("t_mK", "5e3", "an integer from 5000 to 35000"),
            ("t_mK", "", "an integer from 5000 to 35000"), ("t_mK", "٥٠٠٠", "an integer from 5000 to 35000"),
            ("t_mK", "99999999999999999999", "an integer from 5000 to 35000"), ("mode", "on", "one of off, OK"),
            ("mode", "OFF", "one of off, OK"), ("mode", "O\u{212A}", "one of off, OK"), ("mode", "", "one of off, OK"),
            ("boost", "yes", "true or false"), ("boost", "True", "true or false"), ("boost", "1", "true or false"),
        ])
    func typedRefused(_ name: String, _ value: String, _ allowed: String) throws {
        let others = name == "t_mK" ? [] : [(name: "t_mK", value: "5000")]
        let refusal = try #require(throws: Refusal.self) {
            try Self.operation.arguments(typed: others + [(name: name, value: value)])
        }
        #expect(refusal.kind == .usage)
        #expect(refusal.message == "climate.set: \(name) is \(quoted(value)), allowed is \(allowed)")
        #expect(refusal.hint == "nothing was sent")
    }

    @Test("arguments as JSON are taken as they are")
    func json() throws {
        let given: JSON = ["mode": "OK", "t_mK": 20_000, "boost": false]
        #expect(try Self.operation.arguments(checking: given) == given)
        #expect(try Self.bare.arguments(checking: [:]) == [:])
    }

    @Test(
        "a JSON value of another kind or out of bounds is refused",
        arguments: [
            ("t_mK", 4999), ("t_mK", 35_001), ("t_mK", "5000"), ("t_mK", .decimal(5000)), ("t_mK", true),
            ("t_mK", .null),
            ("t_mK", [5000]), ("mode", "on"), ("mode", 0), ("mode", ["off"]), ("mode", "O\u{212A}"), ("boost", "true"),
            ("boost", 1), ("boost", [:]),
        ] as [(String, JSON)])
    func jsonRefused(_ name: String, _ value: JSON) throws {
        let others: [JSON.Member] = name == "t_mK" ? [] : [.init("t_mK", 5000)]
        let refusal = try #require(throws: Refusal.self) {
            try Self.operation.arguments(checking: .object(others + [.init(name, value)]))
        }
        #expect(refusal.kind == .usage)
        #expect(refusal.message.hasPrefix("climate.set: \(name) is \(quoted(value.text)), allowed is "))
    }

    @Test("arguments that are no object are refused", arguments: [.null, [], "t_mK=5000", 1, true] as [JSON])
    func noObject(_ value: JSON) throws {
        let refusal = try #require(throws: Refusal.self) { try Self.operation.arguments(checking: value) }
        #expect(refusal.kind == .usage)
        #expect(refusal.message == "args must be an object")
    }

    @Test("an argument given twice is refused in both forms")
    func twice() throws {
        let typed = try #require(throws: Refusal.self) {
            try Self.operation.arguments(typed: [("t_mK", "5000"), ("t_mK", "5000")])
        }
        let json = try #require(throws: Refusal.self) {
            try Self.operation.arguments(checking: ["t_mK": 5000, "t_mK": 6000])
        }
        #expect(typed.message == "argument \"t_mK\" is given twice")
        #expect(json == typed)
    }

    @Test("an argument that the operation does not have is refused", arguments: ["", "T_MK", "t_m\u{212A}", "t_mK "])
    func unknown(_ name: String) throws {
        let typed = try #require(throws: Refusal.self) {
            try Self.operation.arguments(typed: [("t_mK", "5000"), (name, "5000")])
        }
        #expect(typed.message == "climate.set takes no argument \(quoted(name))")
        #expect(typed.hint == "it takes t_mK, mode, boost")
        let json = try #require(throws: Refusal.self) {
            try Self.operation.arguments(checking: .object([.init("t_mK", 5000), .init(name, 5000)]))
        }
        #expect(json == typed)
        let none = try #require(throws: Refusal.self) { try Self.bare.arguments(checking: ["t_mK": 5000]) }
        #expect(none.hint == "it takes none")
    }

    @Test("an argument that is required and missing is refused with its bounds")
    func missing() throws {
        let refusal = try #require(throws: Refusal.self) { try Self.operation.arguments(typed: [("mode", "off")]) }
        #expect(refusal.kind == .usage)
        #expect(refusal.message == "climate.set needs the argument t_mK")
        #expect(refusal.hint == "give t_mK=… (an integer from 5000 to 35000)")
        #expect(throws: refusal) { try Self.operation.arguments(checking: ["mode": "off"]) }
    }

    @Test("an operation is found by its exact name, or the refusal lists those there are")
    func operationByName() throws {
        let profile = DeviceProfile(
            reference: try #require(ProfileReference(rawValue: "thermostats/demo")), title: "Demo", maker: "Keyholder",
            provider: try #require(ProviderName(rawValue: "home")), operations: [Self.operation, Self.bare], state: [],
            homeAssistantComponent: "climate")
        #expect(try profile.operation("lock.lock") == Self.bare)
        let refusal = try #require(throws: Refusal.self) { try profile.operation("lock.Lock") }
        #expect(refusal.kind == .usage)
        #expect(refusal.message == "thermostats/demo has no operation \"lock.Lock\"")
        #expect(refusal.hint == "it has climate.set, lock.lock")
    }
}
