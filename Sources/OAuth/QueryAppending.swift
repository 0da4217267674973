// Parameters are added behind an existing query, never in its place, and never behind a fragment.

enum QueryAppending {
    /// The URL with parameters added.
    static func url(_ url: String, _ parameters: [Parameter]) throws(OAuthError) -> String {
        guard url.isVisibleASCII, !url.contains("#"), url.contains(":") else { throw .badURL(url) }
        guard !parameters.isEmpty else { return url }
        // Only the first question mark starts a query; a later one belongs to a value.
        let query = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).dropFirst().first
        let joint =
            if let query { query.isEmpty || query.hasSuffix("&") ? "" : "&" } else { "?" }
        return url + joint + FormCoding.encode(parameters)
    }
}
