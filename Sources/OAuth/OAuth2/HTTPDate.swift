// Dates are seconds since 1970 from here on; only the one form that servers must send is read.

/// Dates in HTTP headers (RFC 9110 §5.6.7).
package enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    /// Reads an IMF-fixdate such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// - Returns: Seconds since 1970, or `nil` for anything else, days and hours that do not exist included.
    package static func parse(_ text: String) -> Int? {
        let text = text.trimmed
        guard text.utf8.count == 29 else { return nil }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 6, words[0].last == ",", days.contains(String(words[0].dropLast())), words[5] == "GMT",
            let day = number(words[1], 2), let month = months.firstIndex(of: String(words[2])),
            let year = number(words[3], 4), year >= 1970
        else { return nil }
        let clock = words[4].split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3, let hour = number(clock[0], 2), let minute = number(clock[1], 2),
            let second = number(clock[2], 2), hour < 24, minute < 60, second <= 60,
            (1...length(of: month, in: year)).contains(day)
        else { return nil }
        return daysSince1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Substring, _ digits: Int) -> Int? {
        text.utf8.count == digits && text.isDigits ? Int(text) : nil
    }

    private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func length(of month: Int, in year: Int) -> Int {
        [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month]
    }

    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let before = year - 1
        let leapDays = before / 4 - before / 100 + before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400)
        let inYear = (0..<month).reduce(0) { $0 + length(of: $1, in: year) }
        return (year - 1970) * 365 + leapDays + inYear + day - 1
    }
}

/// The `Retry-After` header (RFC 9110 §10.2.3).
package enum RetryAfter {
    /// How long may a server make us wait, in seconds?
    package static let limits = 1...3600

    /// Reads seconds or a date.
    ///
    /// - Parameters:
    ///   - text: The header's value.
    ///   - now: Seconds since 1970.
    /// - Returns: Seconds to wait, 1 to 3600, or `nil` when the header makes no sense.
    package static func parse(_ text: String, now: Int) -> Int? {
        let text = text.trimmed
        // More digits than fit an `Int` still mean "long".
        let seconds = text.isDigits ? Int(text) ?? limits.upperBound : HTTPDate.parse(text).map { $0 - now }
        return seconds.map { min(max($0, limits.lowerBound), limits.upperBound) }
    }
}
