// The home's own certificates are valid from 1970 and do not expire: a hub without a battery clock must still be able
// to reach its broker, and trust here comes from the home's own authority, not from a date.

internal import COpenSSL

/// A P-256 certificate with its private key, both as PEM.
package struct Certificate: Sendable {
    /// The certificate.
    package let pem: String
    /// The private key, PKCS#8.
    package let keyPEM: Secret

    /// Makes the authority of a home; it can sign server certificates and nothing below them.
    package static func authority(name: String) throws(SealingError) -> Certificate {
        try issue(
            name: name, issuer: nil,
            extensions: [
                (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ])
    }

    /// Issues a server certificate signed by this authority.
    ///
    /// - Parameters:
    ///   - name: The subject's common name.
    ///   - hosts: DNS names and IP addresses of the server, at least one.
    /// - Returns: The certificate and its new key.
    /// - Throws: ``SealingError/badParameter(_:)`` for no host, or one with characters no host name has.
    package func issueServer(name: String, hosts: [String]) throws(SealingError) -> Certificate {
        guard !hosts.isEmpty else { throw .badParameter("no host name") }
        for host in hosts where !host.utf8.allSatisfy({ Self.isHostByte($0) }) || host.isEmpty {
            throw .badParameter("host name \"\(host)\"")
        }
        let names = hosts.map { host in
            host.contains(":") || host.utf8.allSatisfy { $0 == 0x2E || (0x30...0x39).contains($0) }
                ? "IP:\(host)" : "DNS:\(host)"
        }
        return try Self.issue(
            name: name, issuer: self,
            extensions: [
                (NID_basic_constraints, "critical,CA:FALSE"),
                (NID_key_usage, "critical,digitalSignature"),
                (NID_ext_key_usage, "serverAuth"),
                (NID_subject_alt_name, names.joined(separator: ",")),
                (NID_subject_key_identifier, "hash"),
                (NID_authority_key_identifier, "keyid"),
            ])
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E: true
        default: false
        }
    }

    private static func issue(
        name: String, issuer: Certificate?, extensions: [(Int32, String)]
    ) throws(SealingError) -> Certificate {
        guard let key = keyholder_p256_keygen() else { throw .fromQueue("P-256 key generation") }
        let handle = KeyHandle(key)
        guard let certificate = X509_new() else { throw .fromQueue("X509_new") }
        defer { X509_free(certificate) }
        try check(X509_set_version(certificate, 2), "certificate")
        let serial = Random.bytes(16)
        let number = BN_bin2bn([serial[0] & 0x7F | 0x40] + serial[1...], 16, nil)
        defer { BN_free(number) }
        guard BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil else {
            throw .fromQueue("certificate")
        }
        // The _X509 form writes 1970 as UTCTime, as RFC 5280 §4.1.2.5 demands before 2050.
        try check(ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "19700101000000Z"), "certificate")
        try check(ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "99991231235959Z"), "certificate")
        let subject = X509_get_subject_name(certificate)
        try check(
            X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, Array(name.utf8), Int32(name.utf8.count), -1, 0),
            "certificate name")
        try check(X509_set_pubkey(certificate, key), "certificate")

        let parent = try issuer.map { (issuer) throws(SealingError) in try Loaded(issuer) }
        try check(
            X509_set_issuer_name(certificate, parent.map { X509_get_subject_name($0.certificate) } ?? subject),
            "certificate")
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, parent?.certificate ?? certificate, certificate, nil, nil, 0)
        for (identifier, value) in extensions {
            guard let made = X509V3_EXT_conf_nid(nil, &context, identifier, value) else {
                throw .fromQueue("certificate extension")
            }
            defer { X509_EXTENSION_free(made) }
            try check(X509_add_ext(certificate, made, -1), "certificate extension")
        }
        guard X509_sign(certificate, parent?.key.pointer ?? key, EVP_sha256()) > 0 else {
            throw .fromQueue("certificate signature")
        }
        let pem = try write { PEM_write_bio_X509($0, certificate) }
        let keyPEM = try write { PEM_write_bio_PrivateKey($0, handle.pointer, nil, nil, 0, nil, nil) }
        return Certificate(pem: pem.revealText(), keyPEM: keyPEM)
    }

    /// Collects what OpenSSL writes as PEM.
    private static func write(_ body: (OpaquePointer) -> Int32) throws(SealingError) -> Secret {
        guard let bio = BIO_new(BIO_s_secmem()) else { throw .fromQueue("BIO_new") }
        defer { BIO_free(bio) }
        try check(body(bio), "PEM")
        var out = SecretBytes(zeros: BIO_ctrl_pending(bio))
        let read = out.withMutableBytes { BIO_read(bio, $0.baseAddress, Int32($0.count)) }
        guard Int(read) == out.count else { throw .fromQueue("PEM") }
        return Secret(out)
    }

    /// A certificate and key read back from PEM, to sign with.
    private final class Loaded {
        let certificate: OpaquePointer
        let key: KeyHandle

        init(_ source: Certificate) throws(SealingError) {
            let text = Array(source.pem.utf8)
            let certificate = text.withUnsafeBytes { bytes -> OpaquePointer? in
                guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
                defer { BIO_free(bio) }
                return PEM_read_bio_X509(bio, nil, { _, _, _, _ in -1 }, nil)
            }
            let key = source.keyPEM.reveal { bytes -> OpaquePointer? in
                guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
                defer { BIO_free(bio) }
                return PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
            }
            // Owned first: whichever of the two was read is freed when the other was not.
            let handle = key.map(KeyHandle.init)
            guard let certificate, let handle else {
                X509_free(certificate)
                ERR_clear_error()
                throw .badEncoding("PEM certificate")
            }
            self.certificate = certificate
            self.key = handle
        }

        deinit { X509_free(certificate) }
    }
}
