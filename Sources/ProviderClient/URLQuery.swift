// Parameters are added behind an existing query, never in its place.

import OAuth

enum URLQuery {
    /// The URL with parameters added; the caller has made sure that it has no fragment.
    static func add(_ parameters: [Parameter], to url: String) -> String {
        parameters.isEmpty ? url : add(FormCoding.encode(parameters), to: url)
    }

    /// The URL with an encoded form added.
    static func add(_ form: String, to url: String) -> String {
        guard !form.isEmpty else { return url }
        // Only the first question mark starts a query; a later one belongs to a value.
        let query = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
        let joint =
            if let query { query.isEmpty || query.hasSuffix("&") ? "" : "&" } else { "?" }
        return url + joint + form
    }
}
