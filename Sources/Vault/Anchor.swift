// Beside the vault stands how far its audit log has come. It is written after the commit that it tells of, so it can only
// lag behind, by a second at most while the vault is open; without a sync, so a power cut may cost it, and what is left then
// tells nothing. It names the file that it was written to, so that a copy of it proves nothing either.

import Dispatch
import Glibc
import Sealing
import Synchronization

/// The anchor file of one vault.
final class Anchor: Sendable {
    /// What an anchor file says.
    struct Record: Equatable {
        let hub: String
        /// The newest line of the audit log.
        let sequence: Int64
        /// The file that it was written to.
        let file: FileIdentity
    }

    private let path: String
    private let hub: String
    /// Everything is written on this queue, so that no commit waits for it.
    private let writer = DispatchQueue(label: "keyholder.anchor")
    private let state = Mutex(State())

    private struct State {
        /// The number in the file; `nil` as long as nothing may be written.
        var written: Int64?
        var wanted: Int64 = 0
        var isScheduled = false
        var lastWrite: DispatchTime?
    }

    /// Names the anchor of the vault at a path.
    init(ofVaultAt path: String, hub: String) {
        self.path = Self.path(besides: path, "anchor")
        self.hub = hub
    }

    /// `…/vault.anchor` for `…/vault.sqlite`.
    static func path(besides vault: String, _ suffix: String) -> String {
        let stem = vault.hasSuffix(".sqlite") ? String(vault.dropLast(7)) : vault
        return "\(stem).\(suffix)"
    }

    /// What the anchor says; `nil` when there is none, it was torn, or it belongs to another vault.
    func read() -> Record? {
        guard let content = try? PrivateFile.read(path, maximumSize: 1024),
            let record = Self.parse(content.revealText()), record.hub == hub
        else { return nil }
        return record
    }

    /// The file that stands there now.
    var identity: FileIdentity? { FileIdentity(at: path) }

    /// Begins to follow the audit log.
    func follow(from sequence: Int64) {
        let known = read()?.sequence ?? 0
        state.withLock {
            $0.written = known
            $0.wanted = max(known, sequence)
        }
        writer.sync { catchUp() }
    }

    /// Notes how far the log has come, now or within a second, unless nothing may be written.
    func raise(to sequence: Int64) {
        let deadline = state.withLock { state -> DispatchTime? in
            guard state.written != nil, sequence > state.wanted else { return nil }
            state.wanted = sequence
            guard !state.isScheduled else { return nil }
            state.isScheduled = true
            return state.lastWrite.map { $0 + .seconds(1) } ?? .now()
        }
        guard let deadline else { return }
        writer.asyncAfter(deadline: deadline) { [weak self] in self?.catchUp() }
    }

    /// Notes how far the log has come where it had come further before.
    func lower(to sequence: Int64) {
        writer.sync {
            // A number that cannot be written must not stay.
            if !write(sequence) { unlink(path) }
            state.withLock {
                $0.written = sequence
                $0.wanted = sequence
            }
        }
    }

    /// Writes what is not written yet, and nothing more after it.
    func finish() {
        writer.sync {
            catchUp()
            state.withLock { $0.written = nil }
        }
    }

    private func catchUp() {
        let next = state.withLock { state -> Int64? in
            state.isScheduled = false
            guard let written = state.written, state.wanted > written else { return nil }
            state.lastWrite = .now()
            return state.wanted
        }
        // When it cannot be written, it lags behind; the commit that it tells of stands.
        guard let next, write(next) else { return }
        state.withLock { if $0.written != nil { $0.written = next } }
    }

    private func write(_ sequence: Int64) -> Bool {
        let new = "\(path).new"
        unlink(new)
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard let file = FileIdentity(at: new) else { return false }
        let line = Array(Self.line(Record(hub: hub, sequence: sequence, file: file)).utf8)
        guard Glibc.write(descriptor, line, line.count) == line.count, rename(new, path) == 0 else {
            unlink(new)
            return false
        }
        return true
    }

    private static func line(_ record: Record) -> String {
        let text = "keyholder-anchor/1 \(record.hub) \(record.sequence) \(record.file.text)"
        return "\(text) \(check(text))\n"
    }

    private static func parse(_ line: String) -> Record? {
        guard line.hasSuffix("\n") else { return nil }
        let parts = line.dropLast().split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "keyholder-anchor/1", let sequence = Int64(parts[2]),
            let file = FileIdentity(text: parts[3]),
            check(parts.dropLast().joined(separator: " ")) == parts[4]
        else { return nil }
        return Record(hub: String(parts[1]), sequence: sequence, file: file)
    }

    private static func check(_ text: String) -> String {
        Hex.encode(Array(HashFunction.sha256.digest(Array(text.utf8)).prefix(8)))
    }
}
