// What is to be expected of each vendor's profile is told in one line, so that a vendor more is a line more.

import Testing

/// A vendor whose profile ships, and what the stand-in is going to do.
struct Vendor: Sendable, CustomTestStringConvertible {
    /// How the owner's approval comes back.
    enum Approval: Sendable {
        /// The browser is sent to the hub.
        case redirect
        /// The browser ends on an address that the owner carries over.
        case carried
        /// The page shows a PIN.
        case pin
        /// The hub shows a code.
        case code
    }

    /// What a refresh brings.
    enum Refresh: Sendable {
        case newRefreshToken
        case sameRefreshToken
        case noRefreshToken
        /// There is nothing to refresh with.
        case impossible
    }

    let name: String
    let approval: Approval
    let refresh: Refresh
    /// The verdict on a refresh after the owner took the access back at the vendor.
    var takenBack = "needs_approval"
    /// Whether access tokens live for more than a day.
    var livesLong = false
    /// Whether the vendor can be told that a grant has ended.
    var isTold = false
    /// Whether the vendor has something to ask whether a token lives.
    var isChecked = false
    /// What the owner has of their own in the addresses.
    var own: [String: String] = [:]
    /// What an OAuth 1.0a signature is tried on.
    var signed: String?

    var testDescription: String { name }

    static let all: [Vendor] = [
        Vendor(
            name: "google-nest", approval: .redirect, refresh: .noRefreshToken, isTold: true,
            own: ["project_id": "project-0123"]),
        Vendor(name: "ecobee", approval: .code, refresh: .sameRefreshToken),
        Vendor(name: "netatmo", approval: .redirect, refresh: .newRefreshToken),
        Vendor(name: "tado", approval: .code, refresh: .newRefreshToken),
        Vendor(name: "honeywell", approval: .redirect, refresh: .newRefreshToken),
        Vendor(name: "yale", approval: .redirect, refresh: .sameRefreshToken),
        Vendor(name: "nuki", approval: .redirect, refresh: .sameRefreshToken, isChecked: true),
        // A 401 without a word, or a number that means several things: it is tried again before anybody is asked.
        Vendor(
            name: "smartthings", approval: .carried, refresh: .newRefreshToken, takenBack: "suspicious", isChecked: true
        ),
        Vendor(name: "sensibo", approval: .redirect, refresh: .newRefreshToken, livesLong: true),
        Vendor(name: "withings", approval: .carried, refresh: .newRefreshToken, takenBack: "suspicious"),
        Vendor(name: "hue", approval: .redirect, refresh: .newRefreshToken, livesLong: true),
        Vendor(name: "tesla", approval: .redirect, refresh: .newRefreshToken, own: ["region": "eu"]),
        Vendor(name: "home-connect", approval: .code, refresh: .sameRefreshToken, isChecked: true),
        Vendor(name: "husqvarna", approval: .redirect, refresh: .newRefreshToken),
        Vendor(name: "facebook", approval: .carried, refresh: .impossible),
        Vendor(name: "bitly", approval: .redirect, refresh: .impossible),
        Vendor(
            name: "discovergy", approval: .pin, refresh: .impossible, isChecked: true,
            signed: "api.discovergy.com/public/v1/meters?a=b%20c"),
        Vendor(
            name: "x", approval: .redirect, refresh: .impossible, isTold: true,
            signed: "api.x.com/1.1/account/verify_credentials.json?skip_status=true"),
        Vendor(
            name: "garmin", approval: .carried, refresh: .impossible,
            signed: "apis.garmin.com/wellness-api/rest/user/id"),
    ]

    /// Those that answer a refresh at all.
    static let refreshed = all.filter { $0.refresh != .impossible }
}
