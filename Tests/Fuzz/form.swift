// What is read from a form can be written and read again as the same names and values.

import OAuth

func form(_ input: [UInt8]) throws {
    let parameters = try FormCoding.parse(input)
    hold(parameters.count <= FormCoding.maximumCount, "a form has at most \(FormCoding.maximumCount) parameters")
    let written = FormCoding.encode(parameters)
    hold(isPrintable(written), "an encoded form is printable ASCII")
    hold(isSame(parameters, try FormCoding.parse(written)), "a form written again reads the same")
    let normalized = BaseString.normalize(parameters)
    hold(normalized == BaseString.normalize(parameters.reversed()), "normalised parameters have one order")
    hold(isPrintable(normalized), "normalised parameters are printable ASCII")
}

func isSame(_ left: [Parameter], _ right: [Parameter]) -> Bool {
    left.count == right.count
        && zip(left, right).allSatisfy { isSame($0.name, $1.name) && isSame($0.value, $1.value) }
}
