// A profile in words: what a refresh can cost, what nobody was sure of, and what to do when the provider cannot be told.

import StrictJSON

enum ProviderWords {
    /// The lines of `provider show`.
    static func table(_ provider: JSON) -> [String] {
        var rows = [
            ["name", provider.cell("name")], ["title", provider.cell("title")],
            ["protocol", provider.cell("protocol")],
            ["hosts", list(provider["hosts"])], ["flows", list(provider["flows"])],
            ["refresh", refresh(provider)],
            ["revocation", revocation(provider)],
            ["verified", provider["verified"]?.bool == true ? "yes" : "no: nobody has tried this profile there"],
        ]
        let unset = provider["unset"]?.strings ?? []
        rows += (provider["variables"]?.strings ?? []).map { name in
            [
                "variable",
                unset.contains(name) ? "\(name) has no value: run 'keyholder provider set'" : "\(name) is set",
            ]
        }
        rows += (provider["doubts"]?.strings ?? []).map { ["doubt", $0] }
        return keyholder.table(rows)
    }

    private static func list(_ value: JSON?) -> String {
        let texts = value?.strings ?? []
        return texts.isEmpty ? "-" : texts.joined(separator: ", ")
    }

    private static func refresh(_ provider: JSON) -> String {
        switch provider["rotation"]?.string {
        case "none": "a refresh leaves the refresh token as it is"
        case "grace":
            "each refresh replaces the refresh token; a replaced one works \(provider.cell("grace")) s more"
        case "strict":
            "each refresh replaces the refresh token; a replaced one is dead at once, so a power cut can cost a grant"
        case "unknown": "whether a refresh replaces the refresh token is not known; it is treated as if it did"
        default: "nothing to refresh: a token lives until it is taken back"
        }
    }

    private static func revocation(_ provider: JSON) -> String {
        if provider["revokes"]?.bool == true { return "the provider is told when a grant ends" }
        guard let page = provider["revocation_page"]?.string else { return "the provider cannot be told" }
        return "the provider cannot be told; take grants back by hand on \(page)"
    }
}
