// What a person should have been told can be read again, oldest first, with what to do about it.

import ArgumentParser
import StrictJSON

struct NoticeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notice", abstract: "What people were told unasked.", subcommands: [List.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List notices; those not over yet are marked.")
        @OptionGroup var output: Output

        func run() async throws {
            var notices: [JSON] = []
            while true {
                let after = notices.last?["seq"]?.integer ?? 0
                let page = try await Daemon.ask(.GET, "/v1/notices?after=\(after)")["notices"]?.array ?? []
                // A last notice that is not later than the one before would never let this end.
                guard let last = page.last?["seq"]?.integer, last > after else { break }
                notices += page
            }
            output.print(["notices": .array(notices)]) { answer in
                (answer["notices"]?.array ?? []).flatMap { NoticeWords.lines($0, isMarked: true) }
            }
        }
    }
}

enum NoticeWords {
    /// One notice, and what to do about it.
    static func lines(_ notice: JSON, isMarked: Bool) -> [String] {
        let mark = isMarked ? (notice["open"]?.bool == true ? "* " : "  ") : ""
        let subject = [notice["device"]?.string, notice["provider"]?.string].compactMap { $0 }.joined(separator: " at ")
        let about = subject.isEmpty ? "" : "\(subject): "
        let first = "\(mark)\(notice.cell("at"))  \(notice.cell("kind").words)  \(about)\(notice.cell("text"))"
        let indent = String(repeating: " ", count: mark.count + 2)
        return [first] + (notice["hint"]?.string.map { ["\(indent)hint: \($0)"] } ?? [])
    }
}
