// What a stranger wrote reaches a person or a log only after this: one line, no control characters, bounded.

/// Text from a peer, made fit to be shown.
package enum DisplayText {
    /// How much of a stranger's sentence is worth a log line?
    package static let limit = 200

    /// The text without control and format characters, at most `limit` Unicode scalars of it.
    package static func sanitised(_ text: String, limit: Int = limit) -> String {
        var scalars = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars where count < limit {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: continue
            default:
                scalars.append(scalar)
                count += 1
            }
        }
        return String(scalars)
    }
}
