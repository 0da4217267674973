// Pages have no script and one style sheet, allowed by its hash; everything that varies is escaped by the templates.

import Hummingbird
import Mustache
import Sealing

/// The pages people see.
struct Pages: Sendable {
    private let library: MustacheLibrary
    private let style: String
    private let styleHash: String
    private let homeName: String
    private let address: String

    /// Reads the templates that are built in.
    init(homeName: String, address: String) throws {
        let texts: [(String, [UInt8])] = [
            ("top", PackageResources.top_mustache), ("bottom", PackageResources.bottom_mustache),
            ("sign-in", PackageResources.sign_in_mustache), ("consent", PackageResources.consent_mustache),
            ("pin", PackageResources.pin_mustache), ("grants", PackageResources.grants_mustache),
            ("notice", PackageResources.notice_mustache), ("device", PackageResources.device_mustache),
            ("set-up", PackageResources.set_up_mustache),
        ]
        var library = MustacheLibrary()
        for (name, bytes) in texts { try library.register(String(decoding: bytes, as: UTF8.self), named: name) }
        self.library = library
        style = String(decoding: PackageResources.style_css, as: UTF8.self)
        styleHash = Base64.encode(HashFunction.sha256.digest(Array(style.utf8)), as: .standard)
        self.homeName = homeName
        self.address = address
    }

    /// Renders a page without a form.
    func notice(title: String, advice: String, status: Int) -> Response {
        render("notice", ["title": title, "advice": advice], status: status, formTarget: nil)
    }

    /// Renders a page whose forms come back here; `redirectTarget` is where the answer to the form will send the browser,
    /// because browsers hold redirects to `form-action` too.
    func form(
        _ template: String, _ content: [String: Any], status: Int = 200, redirectTarget: String? = nil
    ) -> Response {
        let source = redirectTarget.map { " " + Self.source(of: $0) } ?? ""
        var response = render(template, content, status: status, formTarget: "'self'\(source)")
        // With `no-referrer` browsers send `Origin: null` with the form, which could then not be checked. Other sites
        // get no more from this policy than from that one: nothing.
        response.headers.set("Referrer-Policy", "same-origin")
        return response
    }

    private func render(
        _ template: String, _ content: [String: Any], status: Int, formTarget: String?
    ) -> Response {
        let object = content.merging(["style": style, "home": homeName, "address": address]) { own, _ in own }
        let html = library.render(object, withTemplate: template) ?? ""
        var response = Reply.body(Array(html.utf8), type: "text/html; charset=utf-8", status: status)
        response.headers.set(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'sha256-\(styleHash)'; form-action \(formTarget ?? "'none'"); "
                + "frame-ancestors 'none'; base-uri 'none'")
        return response
    }

    /// Where a redirect URI leads, in the words of a page.
    static func destination(of uri: String) -> String {
        let source = source(of: uri)
        let isHere = ["http://127.0.0.1", "http://localhost", "http://["].contains { uri.hasPrefix($0) }
        return isHere ? "to a program on the computer you sit at (\(source))" : "to \(source)"
    }

    /// The source expression that covers a redirect URI: its origin, or only its scheme where CSP has no way to write
    /// the origin (private schemes, IPv6 literals).
    static func source(of uri: String) -> String {
        let scheme = uri.prefix { $0 != ":" }
        guard scheme == "http" || scheme == "https", let start = uri.firstRange(of: "://")?.upperBound else {
            return "\(scheme):"
        }
        let authority = uri[start...].prefix { !"/?#".contains($0) }
        return authority.contains("[") ? "\(scheme):" : "\(scheme)://\(authority)"
    }
}
