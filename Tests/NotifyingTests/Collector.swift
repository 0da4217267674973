// What arrives is kept in order, and a test waits for it instead of looking again and again.

import Logging
import StrictJSON
import Synchronization

/// Collects what arrives.
final class Collector<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var elements: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) {
        let due = state.withLock { state in
            state.elements.append(element)
            let count = state.elements.count
            defer { state.waiting.removeAll { $0.count <= count } }
            return state.waiting.filter { $0.count <= count }.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    /// The first `count` elements, once there are as many.
    func first(_ count: Int) async -> [Element] {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.elements.count >= count { return true }
                state.waiting.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
        return Array(elements.prefix(count))
    }
}

/// Keeps every log line as text, metadata and all.
struct LogLines: LogHandler {
    let lines = Collector<String>()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        lines.append("\(event.level) \(event.message) \(metadata.joined(separator: " "))")
    }
}

extension JSON {
    /// The notice's place, of a document as it leaves the hub.
    var seq: Int64? { self["notice"]?["seq"]?.integer }
}
