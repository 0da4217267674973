// Every channel says the same: one document, the same names everywhere, nothing that is secret.

package import Delegation
package import StrictJSON

extension Notice {
    /// The notice as it leaves the hub: `{"notice":{"seq","at","kind","subject","device"?,"provider"?,"text","hint"?}}`.
    package var document: JSON { ["notice": json] }

    /// The members alone.
    package var json: JSON {
        .compact([
            "seq": .integer(seq), "at": .string(at.rfc3339), "kind": .string(kind.rawValue),
            "subject": .string(subject), "device": device.map { .string($0.rawValue) },
            "provider": provider.map { .string($0.rawValue) }, "text": .string(text),
            "hint": hint.map(JSON.string),
        ])
    }
}
