// A dialect names only what differs; what it does not name is as the RFCs have it.

import Delegation

extension ReplyDialect {
    init(reading section: StrictSection) {
        self.init()
        if let path = section.text("token_path", required: false) { tokenPath = Self.members(path) }
        if let test = section.section("success", required: false) {
            let (field, value) = (test.text("field"), test.text("value"))
            test.finish()
            if let field, let value { success = SuccessTest(field: field, value: value) }
        }
        expiryField = section.text("expiry_field", required: false) ?? expiryField
        expiryUnit = section.choice("expiry_unit", of: Unit.self, required: false) ?? expiryUnit
        if let paths = section.texts("error_paths", required: false, check: { !$0.isEmpty }) {
            errorPaths = paths.map(Self.members)
        }
        errors = section.choices("errors", of: Meaning.self)
        withoutCode = section.choice("without_code", of: Meaning.self, required: false) ?? withoutCode
        section.finish()
    }

    private static func members(_ path: String) -> [String] { path.split(separator: ".").map(String.init) }
}

extension DeviceDialect {
    init(reading section: StrictSection, _ urls: EndpointReader) {
        self.init()
        method = section.choice("method", of: Method.self, required: false) ?? method
        extraParameters = section.textPairs("extra_parameters")
        deviceCodeField = section.text("device_code_field", required: false) ?? deviceCodeField
        userCodeField = section.text("user_code_field", required: false) ?? userCodeField
        expiryUnit = section.choice("expiry_unit", of: ReplyDialect.Unit.self, required: false) ?? expiryUnit
        verificationURI = section.text("verification_uri", required: false, allowed: "an https URL") {
            $0.hasPrefix("https://") && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        }
        if let seconds = section.duration("interval", in: .seconds(1)...(.seconds(600)), required: false) {
            interval = seconds.wholeSeconds
        }
        grantType = section.text("grant_type", required: false)
        codeParameter = section.text("code_parameter", required: false)
        errors = section.choices("errors", of: Meaning.self)
        section.finish()
    }
}
