// swift-tools-version: 6.2
// The arrows between targets are the architecture; `Scripts/test` builds with
// `--explicit-target-dependency-import-check error`, so an import that is not declared here does not compile.

import PackageDescription

/// Every Swift target is compiled with these: Swift 6 mode, explicit imports, and no warning left standing.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]

let package = Package(
    name: "keyholder",
    products: [
        .executable(name: "keyholderd", targets: ["keyholderd"]),
        .executable(name: "keyholder", targets: ["keyholder"]),
        .executable(name: "keyholder-device", targets: ["keyholder-device"]),
    ],
    dependencies: [
        // Traits: nothing of these packages that is not used (no swift-configuration, no full Foundation, no HTTP/2 extras).
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2", traits: []),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0", traits: []),
    ],
    targets: [
        // What belongs to the outside: headers of the distribution's libraries.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),

        // Leaves: no I/O but the one each is named after.
        .target(name: "StrictJSON", swiftSettings: strict),
        .target(name: "Sealing", dependencies: ["COpenSSL"], swiftSettings: strict),
        .target(name: "Broker", dependencies: ["CMosquitto"], swiftSettings: strict),
        .target(name: "OAuth", dependencies: ["Sealing", "StrictJSON"], swiftSettings: strict),
        .target(name: "CommandProtocol", dependencies: ["Sealing", "StrictJSON"], swiftSettings: strict),
        .target(name: "Delegation", dependencies: ["Sealing", "StrictJSON"], swiftSettings: strict),
        .target(name: "Settings", dependencies: ["Delegation", "Yams"], swiftSettings: strict),

        // Verbs: each talks to one outside thing, or ties two of the above together.
        .target(
            name: "Vault",
            dependencies: [
                "Delegation", "Sealing", "StrictJSON", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(
            name: "ProviderClient",
            dependencies: [
                "Delegation", "OAuth", "Sealing", "StrictJSON", httpClient,
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio,
            swiftSettings: strict),
        .target(
            name: "Granting",
            dependencies: [
                "Delegation", "OAuth", "ProviderClient", "Sealing", "StrictJSON", "Vault", lifecycle, logging,
            ],
            swiftSettings: strict),
        .target(
            name: "Notifying",
            dependencies: [
                "Delegation", "StrictJSON", "Vault", httpClient, lifecycle, logging, subprocess,
            ] + nio,
            swiftSettings: strict),
        .target(
            name: "Commanding",
            dependencies: [
                "Broker", "CommandProtocol", "Delegation", "Sealing", "StrictJSON", "Vault", lifecycle, logging,
            ],
            swiftSettings: strict),
        .target(
            name: "ServiceProvider",
            dependencies: [
                "Delegation", "OAuth", "Sealing", "StrictJSON", "Vault", hummingbird, logging,
                .product(name: "Mustache", package: "swift-mustache"),
            ],
            resources: [.embedInCode("Pages")],
            swiftSettings: strict),
        .target(
            name: "Gateway",
            dependencies: [
                "Commanding", "Delegation", "Granting", "OAuth", "Sealing", "ServiceProvider", "StrictJSON", "Vault",
                hummingbird, hummingbirdCore, lifecycle, logging,
            ] + nio,
            swiftSettings: strict),

        // Processes.
        .executableTarget(
            name: "keyholderd",
            dependencies: [
                "Broker", "CommandProtocol", "Commanding", "Delegation", "Gateway", "Granting", "Notifying", "OAuth",
                "ProviderClient", "Sealing", "ServiceProvider", "Settings", "StrictJSON", "Vault",
                argumentParser, httpClient, hummingbird, lifecycle, logging, signals,
            ] + nio,
            swiftSettings: strict),
        .executableTarget(
            name: "keyholder",
            dependencies: ["CQREncode", "Delegation", "Sealing", "StrictJSON", argumentParser] + nio,
            swiftSettings: strict),
        .executableTarget(
            name: "keyholder-device",
            dependencies: [
                "Broker", "CommandProtocol", "Delegation", "Sealing", "Settings", "StrictJSON", argumentParser,
            ],
            swiftSettings: strict),

        // Tests: sentences about behaviour, against real counterparts.
        .testTarget(name: "StrictJSONTests", dependencies: ["StrictJSON"], swiftSettings: strict),
        .testTarget(name: "SealingTests", dependencies: ["Sealing", "StrictJSON"], swiftSettings: strict),
        .testTarget(name: "BrokerTests", dependencies: ["Broker", "Sealing"], swiftSettings: strict),
        .testTarget(name: "OAuthTests", dependencies: ["OAuth", "Sealing", "StrictJSON"], swiftSettings: strict),
        .testTarget(
            name: "CommandProtocolTests", dependencies: ["CommandProtocol", "Sealing", "StrictJSON"],
            swiftSettings: strict),
        .testTarget(name: "DelegationTests", dependencies: ["Delegation", "StrictJSON"], swiftSettings: strict),
        .testTarget(name: "SettingsTests", dependencies: ["Delegation", "Settings"], swiftSettings: strict),
        .testTarget(
            name: "VaultTests", dependencies: ["Delegation", "Sealing", "StrictJSON", "Vault"], swiftSettings: strict),
        .testTarget(
            name: "GrantingTests",
            dependencies: [
                "Delegation", "Granting", "OAuth", "ProviderClient", "Sealing", "Settings", "StrictJSON", "Vault",
                httpClient, hummingbird, lifecycle, logging,
            ] + nio,
            swiftSettings: strict),
        .testTarget(
            name: "ProviderClientTests",
            dependencies: [
                "Delegation", "OAuth", "ProviderClient", "Sealing", "Settings", "StrictJSON", httpClient, hummingbird,
                logging, .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ] + nio,
            swiftSettings: strict),
        .testTarget(
            name: "NotifyingTests",
            dependencies: [
                "Delegation", "Notifying", "Sealing", "StrictJSON", "Vault", httpClient, hummingbird, logging,
            ] + nio,
            swiftSettings: strict),
        .testTarget(
            name: "ServiceProviderTests",
            dependencies: [
                "Delegation", "OAuth", "Sealing", "ServiceProvider", "Settings", "StrictJSON", "Vault",
                httpClient, hummingbird, lifecycle, logging,
            ] + nio,
            swiftSettings: strict),
        .testTarget(
            name: "CommandingTests", dependencies: ["CommandProtocol", "Commanding", "Delegation"],
            swiftSettings: strict),
        .testTarget(
            name: "JourneyTests", dependencies: ["OAuth", "Sealing", "StrictJSON"], swiftSettings: strict),
    ]
)
