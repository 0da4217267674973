// One program holds every target; libFuzzer calls the one that FUZZ_TARGET names. A broken property ends the process like
// a crash, so that libFuzzer keeps the input.

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The targets by name; each has a file of that name and a corpus folder.
let targets: [String: @Sendable ([UInt8]) throws -> Void] = [
    "authorization-details": authorizationDetails,
    "authorization-query": authorizationQuery,
    "basic-credentials": basicCredentials,
    "client-assertion": clientAssertion,
    "command-message": commandMessage,
    "device-polling": devicePolling,
    "digest-challenge": digestChallenge,
    "dpop-proof": dpopProof,
    "form": form,
    "json": json,
    "jwk-set": jwkSet,
    "jwt": jwt,
    "label": label,
    "metadata": metadata,
    "oauth1-reply": oauth1Reply,
    "oauth1-request": oauth1Request,
    "token-reply": tokenReply,
    "token-request": tokenRequest,
    "url": url,
]

private let chosen: @Sendable ([UInt8]) throws -> Void = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else { broken("no target \"\(name)\"") }
    return target
}()

/// Refusals are what most inputs deserve; only a broken property or a trap counts.
@_cdecl("LLVMFuzzerTestOneInput")
package func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    try? chosen(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// A property of accepted input, in words.
func hold(_ condition: Bool, _ sentence: @autoclosure () -> String) {
    if !condition { broken(sentence()) }
}

private func broken(_ sentence: String) -> Never {
    let line = Array("broken property: \(sentence)\n".utf8)
    _ = write(2, line, line.count)
    abort()
}

/// Input of several parts, one a line; the last takes the rest. Parts that are not there are empty.
func lines(_ input: [UInt8], _ count: Int) -> [[UInt8]] {
    let parts = input.split(separator: 0x0A, maxSplits: count - 1, omittingEmptySubsequences: false).map(Array.init)
    return parts + Array(repeating: [], count: count - parts.count)
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// A header that is not there is an empty line.
func header(_ bytes: [UInt8]) -> String? { bytes.isEmpty ? nil : text(bytes) }

func isSame(_ left: String?, _ right: String?) -> Bool {
    switch (left, right) {
    case (nil, nil): true
    case (let left?, let right?): left.utf8.elementsEqual(right.utf8)
    default: false
    }
}

func isPrintable(_ text: String) -> Bool { text.utf8.allSatisfy { (0x20...0x7E).contains($0) } }

/// Whether a text could forge a line of a log or of a header.
func isOneLine(_ text: String) -> Bool { text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } }
