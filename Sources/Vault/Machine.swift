// A machine is known by several marks, because each of them may change or be hidden: a new system brings a new machine id, a
// network adapter comes and goes, firmware without a serial number says nonsense. Only digests of them are kept.
//
// The board's serial number decides where it can be read. Otherwise one network interface that was there before is enough;
// adapters at the USB do not count. Only where neither can be read does the machine id count, and then not by itself:
// containers make up a new one at every start. A disk that was moved to another machine, or a machine whose only network
// interface was replaced, cannot be told from a clone, and asks the owner once.

import Sealing

/// The marks by which the machine that the hub runs on is known again.
package struct Machine: Sendable, Equatable {
    /// Of the installed system.
    let id: String?
    /// Of the board or of the virtual machine.
    let board: String?
    /// Of the network interfaces that are built in.
    let interfaces: [String]

    /// Takes the marks of a machine.
    ///
    /// - Parameters:
    ///   - id: machine-id(5), if there is one.
    ///   - board: The serial number or UUID of the board, if it has one and it can be read.
    ///   - interfaces: The permanent addresses of the built-in network interfaces.
    package init(id: String?, board: String?, interfaces: [String]) {
        func digest(_ kind: String, _ text: String) -> String {
            Hex.encode(Array(HashFunction.sha256.digest(Array("keyholder/1 \(kind) \(text)".utf8)).prefix(12)))
        }
        self.init(
            idDigest: id.map { digest("machine", $0) }, board: board.map { digest("board", $0) },
            interfaces: interfaces.map { digest("interface", $0) })
    }

    private init(idDigest: String?, board: String?, interfaces: [String]) {
        id = idDigest
        self.board = board
        self.interfaces = Set(interfaces).sorted()
    }

    /// Reads what ``text`` wrote; marks of a later version are passed over.
    init(text: String) {
        let marks = text.split(separator: " ").compactMap { word -> (kind: Substring, digest: String)? in
            let parts = word.split(separator: ":")
            return parts.count == 2 ? (parts[0], String(parts[1])) : nil
        }
        func all(_ kind: String) -> [String] { marks.filter { $0.kind == kind }.map(\.digest) }
        self.init(idDigest: all("id").first, board: all("board").first, interfaces: all("interface"))
    }

    /// Space-separated `kind:digest`.
    var text: String {
        ((id.map { ["id:\($0)"] } ?? []) + (board.map { ["board:\($0)"] } ?? [])
            + interfaces.map { "interface:\($0)" }).joined(separator: " ")
    }

    /// Whether both have the same hardware; `nil` when nothing tells.
    func hasHardware(of other: Machine) -> Bool? {
        if let board, let otherBoard = other.board { return board == otherBoard }
        guard !interfaces.isEmpty, !other.interfaces.isEmpty else { return nil }
        return !Set(interfaces).isDisjoint(with: other.interfaces)
    }

    /// Whether both run the same installed system; `nil` when nothing tells.
    func hasSystem(of other: Machine) -> Bool? {
        guard let id, let otherID = other.id else { return nil }
        return id == otherID
    }

    /// The marks of a machine that is the same as the one that had `earlier`; what is not there today is not forgotten.
    func adding(_ earlier: Machine) -> Machine {
        // A bound for machines whose interfaces are made up at every boot.
        let old = Set(earlier.interfaces).subtracting(interfaces).sorted().prefix(max(0, 16 - interfaces.count))
        return Machine(idDigest: id ?? earlier.id, board: board ?? earlier.board, interfaces: interfaces + old)
    }
}
