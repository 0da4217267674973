// Parameters are added behind an existing query, never in its place, and never behind a fragment.

enum QueryAppending {
    /// The URL with parameters added.
    static func url(_ url: String, _ parameters: [Parameter]) throws(OAuthError) -> String {
        guard url.isVisibleASCII, !url.contains("#"), url.contains(":") else { throw .badURL(url) }
        guard !parameters.isEmpty else { return url }
        let joint =
            if !url.contains("?") { "?" } else if url.hasSuffix("?") || url.hasSuffix("&") { "" } else { "&" }
        return url + joint + FormCoding.encode(parameters)
    }
}
