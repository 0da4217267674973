// A number of seconds is read from whatever a server wrote for one, and never leaves the bounds the reader gave.

import StrictJSON

/// Spans and moments as servers write them: an integer, a fraction, or either as text.
enum Seconds {
    /// Which moments make sense, in seconds since 1970: up to the end of the year 9999.
    static let moments = 0...253_402_300_799

    /// Whole seconds, cut to the bounds; `nil` when there is no number at all.
    ///
    /// `unit` is how many seconds a written one stands for.
    static func parse(_ value: JSON?, unit: Int = 1, within bounds: ClosedRange<Int>) -> Int? {
        let number: Double? =
            switch value {
            case .integer(let integer): Double(integer)
            case .decimal(let decimal): decimal
            case .string(let text): Double(text.trimmed).flatMap { $0.isNaN ? nil : $0 }
            default: nil
            }
        guard let number else { return nil }
        return Int(min(max(number * Double(unit), Double(bounds.lowerBound)), Double(bounds.upperBound)))
    }
}
