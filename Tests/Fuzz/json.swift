// What is read as JSON is written in one way that reads as the same value, and a signature over it stays good.

import StrictJSON

func json(_ input: [UInt8]) throws {
    let value = try JSON(parsing: input)
    let written = value.bytes
    hold(String(validating: written, as: UTF8.self) != nil, "written JSON is UTF-8")
    hold(try JSON(parsing: written) == value, "JSON written again reads the same")
    hold(try JSON(parsing: value.prettyText) == value, "JSON written for people reads the same")
    hold(try JSON(parsing: written).bytes == written, "JSON has one spelling")
    hold(depth(value) <= 16, "no more than 16 arrays and objects are open at once")
    for member in value.members ?? [] {
        hold(value[member.name] == member.value, "a name stands for one value")
    }
}

private func depth(_ value: JSON) -> Int {
    switch value {
    case .array(let elements): 1 + (elements.map(depth).max() ?? 0)
    case .object(let members): 1 + (members.map { depth($0.value) }.max() ?? 0)
    default: 0
    }
}
