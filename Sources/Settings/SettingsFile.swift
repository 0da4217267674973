// A settings file is read whole, bounded in size, and must be UTF-8.

package import Delegation
import FoundationEssentials

/// Reading one file of settings.
package enum SettingsFile {
    /// The text of a file.
    ///
    /// - Throws: ``Refusal`` of kind `usage` or `notFound` that names the file.
    package static func read(_ path: String, maximumSize: Int = 256 * 1024) throws(Refusal) -> String {
        let url = URL(filePath: path)
        guard let data = try? Data(contentsOf: url) else {
            throw Refusal(.notFound, "cannot read \(quoted(path))", hint: "check that the file exists and is readable")
        }
        guard data.count <= maximumSize else {
            throw Refusal(.usage, "\(quoted(path)) has \(data.count) bytes, allowed are \(maximumSize)")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw Refusal(.usage, "\(quoted(path)) is not UTF-8 text")
        }
        return text
    }
}
