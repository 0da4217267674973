// What the log was told, kept for a test to search.

import Logging
import Synchronization

/// Keeps every log line as text, metadata and all.
struct LogLines: LogHandler {
    private final class Lines: Sendable {
        let texts = Mutex<[String]>([])
    }

    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    private let lines = Lines()

    /// What was logged so far.
    var texts: [String] { lines.texts.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let text =
            "\(event.level) \(event.message) \(metadata) \(event.metadata ?? [:]) \(event.error.map { "\($0)" } ?? "")"
        lines.texts.withLock { $0.append(text) }
    }
}
