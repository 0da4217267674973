// The vectors are data of their own: whoever adds a file to the folder adds tests, without touching code.

import Foundation
import StrictJSON

/// The JSON documents under `Tests/Vectors`, and those of the folder that `KEYHOLDER_VECTORS` names.
enum VectorFiles {
    /// Documents of the form of `oauth1.json`.
    static let oauth1 = documents.filter { $0["vectors"]?.array?.first?["base_string"] != nil }

    /// Documents of the form of `oauth2.json`.
    static let oauth2 = documents.filter { $0["pkce"] != nil || $0["jwk_thumbprint"] != nil }

    /// Documents of the form of `provider-errors.json`.
    static let providerErrors = documents.filter { $0["answers"]?.array?.first?["verdict"] != nil }

    /// All entries of one table in some documents.
    static func entries(_ table: String, in documents: [JSON]) -> [JSON] {
        documents.flatMap { $0[table]?.array ?? [] }
    }

    private static let documents: [JSON] = folders.flatMap { (folder: URL) -> [JSON] in
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".json") }.sorted().compactMap { name in
            guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)) else { return nil }
            return try? JSON(parsing: data)
        }
    }

    private static let folders: [URL] = {
        var folders: [URL] = []
        var place = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while place.path != "/" {
            let candidate = place.appendingPathComponent("Vectors")
            if FileManager.default.fileExists(atPath: candidate.path) {
                folders.append(candidate)
                break
            }
            place.deleteLastPathComponent()
        }
        if let more = ProcessInfo.processInfo.environment["KEYHOLDER_VECTORS"], !more.isEmpty {
            folders.append(URL(fileURLWithPath: more))
        }
        return folders
    }()
}
