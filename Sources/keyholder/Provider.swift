// What is known of a provider is shown with what its profile's author was not sure of.

import ArgumentParser
import Delegation
import StrictJSON

struct Provider: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Service providers.",
        subcommands: [List.self, Show.self, Add.self, Discover.self, Set.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List providers.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/providers")) { answer in
                table(
                    (answer["providers"]?.array ?? []).map { [$0.cell("name"), $0.cell("protocol"), $0.cell("title")] })
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a provider.",
            discussion: "With --yaml its profile, to edit a copy of and hand to 'keyholder provider add'.")
        @Argument(help: "The provider.") var name: String
        @Flag(help: "Print the profile itself.") var yaml = false
        @OptionGroup var output: Output

        func validate() throws {
            if yaml, output.json { throw ValidationError("give --yaml or --json, not both") }
        }

        func run() async throws {
            let answer = try await Daemon.ask(.GET, "/v1/providers/\(name.percentEncoded)")
            let provider = answer["provider"] ?? [:]
            guard yaml else { return output.print(answer) { _ in ProviderWords.table(provider) } }
            guard let text = provider["yaml"]?.string else { throw Refusal(.failure, "the daemon sent no profile") }
            Console.out(text.hasSuffix("\n") ? String(text.dropLast()) : text)
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a provider from its profile.")
        @Argument(help: "A YAML file named <provider>.yaml.") var file: String
        @OptionGroup var output: Output

        func run() async throws {
            let name = file.split(separator: "/").last.map(String.init) ?? file
            guard name.hasSuffix(".yaml") else { throw Refusal(.usage, "\(quoted(file)) is not named <provider>.yaml") }
            let answer = try await Provider.add(String(name.dropLast(5)), yaml: try TextFile.read(file))
            output.print(answer) { ["added \($0["provider"]?.cell("name") ?? name)"] }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fill in what a provider's profile leaves open, such as the id of your own project.")
        @Argument(help: "The provider.") var name: String
        @Argument(help: "name=value, as 'keyholder provider show' lists the names.") var values: [String]
        @OptionGroup var output: Output

        func run() async throws {
            let pairs = try values.map { text -> JSON in
                guard let mark = text.firstIndex(of: "=") else {
                    throw Refusal(.usage, "\(quoted(text)) is not name=value")
                }
                return [
                    "name": .string(String(text[..<mark])), "value": .string(String(text[text.index(after: mark)...])),
                ]
            }
            let answer = try await Daemon.ask(
                .POST, "/v1/providers/\(name.percentEncoded)/values", ["values": .array(pairs)])
            output.print(answer) { ProviderWords.table($0["provider"] ?? [:]) }
        }
    }

    struct Discover: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask a provider for its metadata (RFC 8414, OpenID Connect) and print a profile made of it.",
            discussion: """
                Metadata does not say everything: read the profile and its doubts, and ask the provider's documentation.
                With --add it is kept as it is.
                """)
        @Argument(help: "The issuer: an https address.") var url: String
        @Option(help: "What to call the provider; left out, it is named after its host.") var name: String?
        @Flag(help: "Keep the profile.") var add = false
        @OptionGroup var output: Output

        func run() async throws {
            let name = try self.name ?? Self.nameOfHost(url)
            let body: JSON = ["issuer": .string(url), "name": .string(name)]
            let found = try await Daemon.ask(.POST, "/v1/providers/discover", body)
            guard let yaml = found["yaml"]?.string else { throw Refusal(.failure, "the daemon sent no profile") }
            let added = add ? try await Provider.add(name, yaml: yaml) : nil
            if output.json {
                Console.out(JSON.compact(["yaml": .string(yaml), "provider": added?["provider"]]).prettyText)
            } else {
                Console.out(yaml.hasSuffix("\n") ? String(yaml.dropLast()) : yaml)
            }
            guard let added else {
                return Console.error("note: nothing was kept; read the doubts in it, or run it again with --add")
            }
            if !output.json { Console.error("added \(name)") }
            for doubt in added["provider"]?["doubts"]?.strings ?? [] { Console.error("doubt: \(doubt)") }
        }

        /// `auth.example.com` is `auth-example-com`.
        private static func nameOfHost(_ url: String) throws(Refusal) -> String {
            let parts = url.split(separator: "/", omittingEmptySubsequences: false)
            let host = parts.count > 2 && parts[1].isEmpty ? parts[2].prefix { $0 != ":" }.lowercased() : ""
            guard let name = ProviderName(rawValue: String(host.map { $0 == "." ? "-" : $0 })) else {
                throw Refusal(
                    .usage, "\(quoted(url)) does not say what to call the provider",
                    hint: "give an https address, and a name with --name")
            }
            return name.rawValue
        }
    }

    private static func add(_ name: String, yaml: String) async throws -> JSON {
        try await Daemon.ask(.POST, "/v1/providers", ["name": .string(name), "yaml": .string(yaml)])
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove a provider that was added.")
        @Argument var name: String
        func run() async throws { _ = try await Daemon.ask(.DELETE, "/v1/providers/\(name.percentEncoded)") }
    }
}
