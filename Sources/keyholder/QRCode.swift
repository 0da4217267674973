// The one door to libqrencode. What is drawn is an address that a phone's camera reads off the terminal: two modules
// in each character, in black on white whatever the terminal's own colours are.

import CQREncode

/// A QR code of one text.
struct QRCode {
    /// What readers want free around the code, in modules (ISO/IEC 18004).
    private static let quietZone = 4

    /// Dark modules, row by row, without the quiet zone.
    private let dark: [[Bool]]

    /// Encodes printable ASCII; `nil` for anything else, and for what is too long for any code.
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            // A screen has no stains, so the weakest error correction makes the smallest code.
            let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L)
        else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard let data = code.pointee.data else { return nil }
        dark = (0..<width).map { row in (0..<width).map { column in data[row * width + column] & 1 == 1 } }
    }

    /// How many columns of a terminal it takes.
    var columns: Int { dark.count + 2 * Self.quietZone }

    /// The lines to print.
    ///
    /// - Parameter isColoured: Whether to set the colours. Without, light modules are drawn and dark ones left out,
    ///   which is right on a dark terminal.
    /// - Returns: One line for two rows of modules.
    func lines(isColoured: Bool) -> [String] {
        let side = dark.count
        let rows = stride(from: -Self.quietZone, to: side + Self.quietZone, by: 2)
        return rows.map { row in
            let characters = (-Self.quietZone..<side + Self.quietZone).map { column -> Character in
                switch (isDark(row, column), isDark(row + 1, column)) {
                case (false, false): "\u{2588}"
                case (false, true): "\u{2580}"
                case (true, false): "\u{2584}"
                case (true, true): " "
                }
            }
            return isColoured ? "\u{1B}[38;5;231;48;5;16m\(String(characters))\u{1B}[0m" : String(characters)
        }
    }

    private func isDark(_ row: Int, _ column: Int) -> Bool {
        dark.indices.contains(row) && dark.indices.contains(column) && dark[row][column]
    }
}
