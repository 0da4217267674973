// Metadata that is believed is that of the issuer asked for.

import OAuth
import StrictJSON

func metadata(_ input: [UInt8]) throws {
    let issuer = "https://server.example.com"
    let read = try AuthorizationServerMetadata.parse(input, issuer: issuer)
    hold(read.issuer == issuer, "metadata is the issuer's own")
    hold(
        (try? AuthorizationServerMetadata.parse(read.json.bytes, issuer: issuer)) == read,
        "metadata written again reads the same")
}
