// A duration without a unit is an error, so nobody has to know what a bare number meant.

extension Duration {
    /// Reads `90s`, `10m`, `12h` or `30d`: a whole number and one unit.
    package init?(short text: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let last = text.last, let unit = units[last] else { return nil }
        let digits = text.dropLast()
        guard !digits.isEmpty, digits.count <= 9, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
            let number = Int64(digits)
        else { return nil }
        self = .seconds(number * unit)
    }

    /// The largest whole unit: `90s`, `10m`.
    package var short: String {
        let seconds = components.seconds
        for (unit, size) in [("d", 86_400), ("h", 3600), ("m", 60)] as [(String, Int64)]
        where seconds >= size && seconds % size == 0 {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }
}
